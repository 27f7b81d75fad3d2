"""Models at Groq."""

from .base import ModelEngine


class ChatGroq(ModelEngine):
    """A model of Groq's, with the key in GROQ_API_KEY."""

    prefix = "groq/"
    provider = "Groq"
    key_variable = "GROQ_API_KEY"
    default_model = "llama3-70b-8192"
