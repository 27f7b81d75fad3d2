"""OpenAI's models, and any client that speaks OpenAI's protocol."""

from __future__ import annotations

from typing import Any

from ..engine.base import DEFAULT_SYSTEM_PROMPT, checked_cache
from ..engine.local_model_openai_api import ChatExternalClient
from ..engine.openai import ChatOpenAI


class OpenAIEngine(ChatOpenAI):
    """A model of OpenAI's. `cache` is accepted and not used: a run's ledger keeps every answer."""

    def __init__(
        self,
        model_string: str,
        system_prompt: str = DEFAULT_SYSTEM_PROMPT,
        is_multimodal: bool = False,
        cache: Any = False,
        **parameters: Any,
    ) -> None:
        self.cache = checked_cache(cache)
        super().__init__(model_string, system_prompt, is_multimodal, **parameters)


class OpenAICompatibleEngine(ChatExternalClient):
    """A model behind a client of your own. `cache` is accepted and not used."""

    def __init__(
        self,
        client: Any,
        model_string: str,
        system_prompt: str = DEFAULT_SYSTEM_PROMPT,
        is_multimodal: bool = False,
        cache: Any = False,
    ) -> None:
        self.cache = checked_cache(cache)
        super().__init__(client, model_string, system_prompt, is_multimodal)
