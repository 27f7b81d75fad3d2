"""The roles of variables that have none."""

SYSTEM_PROMPT_DEFAULT_ROLE = "system prompt for the language model"
VARIABLE_INPUT_DEFAULT_ROLE = "query to the language model"
VARIABLE_OUTPUT_DEFAULT_ROLE = "response from the language model"
