"""Anthropic's models."""

from .base import ModelEngine


class ChatAnthropic(ModelEngine):
    """A model of Anthropic's, with the key in ANTHROPIC_API_KEY."""

    prefix = "anthropic/"
    provider = "Anthropic"
    key_variable = "ANTHROPIC_API_KEY"
    default_model = "claude-3-opus-20240229"
