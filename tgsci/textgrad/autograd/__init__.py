"""What maps variables to a variable."""

from .function import Module
from .functional import aggregate, sum
from .llm_ops import FormattedLLMCall, LLMCall, LLMCall_with_in_context_examples
from .multimodal_ops import MultimodalLLMCall, OrderedFieldsMultimodalLLMCall
from .string_based_ops import StringBasedFunction

__all__ = [
    "FormattedLLMCall",
    "LLMCall",
    "LLMCall_with_in_context_examples",
    "Module",
    "MultimodalLLMCall",
    "OrderedFieldsMultimodalLLMCall",
    "StringBasedFunction",
    "aggregate",
    "sum",
]
