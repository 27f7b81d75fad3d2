"""Models at Together."""

from .base import ModelEngine


class ChatTogether(ModelEngine):
    """A model of Together's, with the key in TOGETHER_API_KEY."""

    prefix = "together_ai/"
    provider = "Together"
    key_variable = "TOGETHER_API_KEY"
    default_model = "meta-llama/Llama-3-70b-chat-hf"
