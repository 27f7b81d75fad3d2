"""Cohere's models."""

from .base import ModelEngine


class ChatCohere(ModelEngine):
    """A model of Cohere's, with the key in COHERE_API_KEY."""

    prefix = "cohere/"
    provider = "Cohere"
    key_variable = "COHERE_API_KEY"
    default_model = "command-r-plus"
