"""Models that a vLLM server serves."""

from typing import Any

from .base import ModelEngine


class ChatVLLM(ModelEngine):
    """A model of a vLLM server. TextGrad loads the model into its own process; here a server holds it.

    Args:
        model_string: The model's name.
        parameters: `api_base` is the server's address (default http://localhost:8000/v1).
    """

    prefix = "hosted_vllm/"
    provider = "vLLM"
    default_model = "meta-llama/Meta-Llama-3-8B-Instruct"

    def __init__(self, model_string: str = "", **parameters: Any) -> None:
        super().__init__(model_string, **{"api_base": "http://localhost:8000/v1", **parameters})
