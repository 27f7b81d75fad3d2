"""Google's Gemini models."""

from .base import ModelEngine


class ChatGemini(ModelEngine):
    """A model of Gemini's, with the key in GOOGLE_API_KEY."""

    prefix = "gemini/"
    provider = "Gemini"
    key_variable = "GOOGLE_API_KEY"
    default_model = "gemini-pro"
