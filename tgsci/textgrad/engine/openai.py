"""OpenAI's models, Azure's, and Ollama's through OpenAI's protocol."""

from __future__ import annotations

import os
from typing import Any

from .base import DEFAULT_SYSTEM_PROMPT, ModelEngine

#: Where Ollama listens.
OLLAMA_BASE_URL = os.environ.get("OLLAMA_BASE_URL", "http://localhost:11434/v1")


class ChatOpenAI(ModelEngine):
    """A model of OpenAI's, or of a server that speaks its protocol.

    Args:
        model_string: The model's name.
        system_prompt: Sent with `generate` where none is given.
        is_multimodal: False refuses images.
        base_url: Address of a server; `OLLAMA_BASE_URL` for Ollama. None asks OpenAI, with the key in OPENAI_API_KEY.
        parameters: Sampling parameters for every call.

    Raises:
        ValueError: OPENAI_API_KEY is not set and there is no `base_url`.
    """

    DEFAULT_SYSTEM_PROMPT = DEFAULT_SYSTEM_PROMPT
    prefix = "openai/"
    provider = "OpenAI"
    default_model = "gpt-3.5-turbo-0613"

    def __init__(
        self,
        model_string: str = "",
        system_prompt: str = DEFAULT_SYSTEM_PROMPT,
        is_multimodal: bool = False,
        base_url: str | None = None,
        **parameters: Any,
    ) -> None:
        self.base_url = base_url
        self.key_variable = "" if base_url else "OPENAI_API_KEY"
        if base_url:
            parameters = {"api_base": base_url, **parameters}
        if base_url == OLLAMA_BASE_URL:
            parameters = {"api_key": "ollama", **parameters}  # any will do, but not the one for OpenAI
        super().__init__(model_string, system_prompt, is_multimodal, **parameters)


class AzureChatOpenAI(ModelEngine):
    """A deployment at Azure, by AZURE_OPENAI_API_KEY, AZURE_OPENAI_API_BASE and AZURE_OPENAI_API_VERSION."""

    prefix = "azure/"
    provider = "Azure OpenAI"
    key_variable = "AZURE_OPENAI_API_KEY"
    default_model = "gpt-35-turbo"

    def __init__(self, model_string: str = "", **parameters: Any) -> None:
        where = {
            "api_base": os.environ.get("AZURE_OPENAI_API_BASE"),
            "api_version": os.environ.get("AZURE_OPENAI_API_VERSION", "2023-07-01-preview"),
        }
        super().__init__(model_string, **{**{name: value for name, value in where.items() if value}, **parameters})
