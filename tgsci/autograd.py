"""TextGrad's name for the functions: `tg.autograd.LLMCall` and imports from here keep working."""

from .functions import (
    FormattedLLMCall,
    LLMCall,
    Module,
    MultimodalLLMCall,
    StringBasedFunction,
    aggregate,
    sum,
)

__all__ = [
    "FormattedLLMCall",
    "LLMCall",
    "Module",
    "MultimodalLLMCall",
    "StringBasedFunction",
    "aggregate",
    "sum",
]
