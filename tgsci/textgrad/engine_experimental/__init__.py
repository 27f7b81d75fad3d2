"""TextGrad's second set of engines."""

from .litellm import LiteLLMEngine
from .openai import OpenAIEngine

__all__ = ["LiteLLMEngine", "OpenAIEngine"]
