"""A model as a module, its system prompt as the parameter."""

from ..functions import BlackboxLLM

__all__ = ["BlackboxLLM"]
