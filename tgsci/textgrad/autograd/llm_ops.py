"""Model calls on text."""

from __future__ import annotations

from collections.abc import Sequence

from ... import functions as core
from ...replies import last_block
from ...variable import Variable
from ..config import takes_engine_names
from ..defaults import VARIABLE_OUTPUT_DEFAULT_ROLE

#: What a model writes instead of a better plan where there is nothing to improve.
_NOTHING_TO_IMPROVE = "The plan doesn't need to be improved"


@takes_engine_names
class LLMCall(core.LLMCall):
    """Ask a model about one text; see `tgsci.LLMCall`."""

    def forward(
        self, input_variable: Variable, response_role_description: str = VARIABLE_OUTPUT_DEFAULT_ROLE
    ) -> Variable:
        """Ask the model.

        Raises:
            AttributeError: The input is no variable, as in TextGrad; a list of texts and images goes to
                `MultimodalLLMCall`.
        """
        if not isinstance(input_variable, Variable):
            raise AttributeError(
                f"LLMCall takes one Variable, not {type(input_variable).__name__}; "
                "several images and texts go to MultimodalLLMCall"
            )
        return super().forward(input_variable, response_role_description)


@takes_engine_names
class FormattedLLMCall(core.FormattedLLMCall):
    """See `tgsci.FormattedLLMCall`."""


class LLMCall_with_in_context_examples(LLMCall):
    """Ask a model whose answer stands between `<FINAL>` and `</FINAL>`; examples are shown with the question."""

    def forward(  # type: ignore[override] # None where nothing is to be improved, as in TextGrad
        self,
        input_variable: Variable,
        response_role_description: str = VARIABLE_OUTPUT_DEFAULT_ROLE,
        in_context_examples: Sequence[str] | None = None,
    ) -> Variable | None:
        """Ask the model.

        Args:
            input_variable: The prompt.
            response_role_description: What the answer is.
            in_context_examples: Shown after the prompt.

        Returns:
            The text between the tags, the whole answer where there are none, or None where the model says that the
            plan doesn't need to be improved.
        """
        examples = "\n".join(in_context_examples or ())
        shown = f"\n\nExamples:\n{examples}" if examples else ""
        response = self.ask([(input_variable, "{}"), shown], response_role_description)
        response.set_value(last_block(response.text, "<FINAL>", "</FINAL>") or response.text)
        return None if _NOTHING_TO_IMPROVE in response.text else response
