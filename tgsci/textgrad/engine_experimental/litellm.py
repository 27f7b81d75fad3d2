"""Any model that litellm knows."""

from __future__ import annotations

from typing import Any

from ..engine.base import DEFAULT_SYSTEM_PROMPT, ModelEngine, checked_cache


class LiteLLMEngine(ModelEngine):
    """A model by litellm's name for it.

    Args:
        model_string: "gpt-4o", "anthropic/claude-sonnet-4-5", ...
        system_prompt: Sent with `generate` where none is given.
        is_multimodal: False refuses images.
        cache: True, False or a `diskcache.Cache`: accepted and not used, a run's ledger keeps every answer.
        parameters: Sampling parameters for every call.

    Raises:
        ValueError: `cache` is something else.
    """

    def __init__(
        self,
        model_string: str,
        system_prompt: str = DEFAULT_SYSTEM_PROMPT,
        is_multimodal: bool = True,
        cache: Any = False,
        **parameters: Any,
    ) -> None:
        self.cache = checked_cache(cache)
        super().__init__(model_string, system_prompt, is_multimodal, **parameters)
