"""Engines by TextGrad's names for them."""

from __future__ import annotations

from typing import Any

from ...engine import Engine
from ..engine_experimental.litellm import LiteLLMEngine
from .anthropic import ChatAnthropic
from .base import CachedEngine, EngineLM, ModelEngine
from .cohere import ChatCohere
from .gemini import ChatGemini
from .groq import ChatGroq
from .openai import OLLAMA_BASE_URL, AzureChatOpenAI, ChatOpenAI
from .together import ChatTogether
from .vllm import ChatVLLM

__all__ = ["CachedEngine", "EngineLM", "get_engine", "validate_multimodal_engine"]

_SHORT = {
    "opus": "claude-3-opus-20240229",
    "haiku": "claude-3-haiku-20240307",
    "sonnet": "claude-3-sonnet-20240229",
    "sonnet-3.5": "claude-3-5-sonnet-20240620",
    "together-llama-3-70b": "together-meta-llama/Llama-3-70b-chat-hf",
    "vllm-llama-3-8b": "vllm-meta-llama/Meta-Llama-3-8B-Instruct",
}
#: How the names of models behind a provider begin.
_BEHIND: dict[str, type[ModelEngine]] = {
    "azure-": AzureChatOpenAI,
    "groq-": ChatGroq,
    "together-": ChatTogether,
    "vllm-": ChatVLLM,
}
#: What is in the names of a provider's own models.
_OWN: dict[str, type[ModelEngine]] = {"gpt-": ChatOpenAI, "claude-": ChatAnthropic, "gemini-": ChatGemini}
_COHERE = ("command-r-plus", "command-r", "command", "command-light")
#: What is in the names of models that take images.
_WITH_IMAGES = ("gpt-4-turbo", "gpt-4o", "gpt-4.1", "gpt-5", "claude-", "gemini-")


def get_engine(engine_name: str, **kwargs: Any) -> EngineLM:
    """Return the engine of that name. Calling it returns plain text.

    Args:
        engine_name: `gpt-...`, `claude-...`, `gemini-...`, `command-...`, or a model behind `azure-`, `together-`,
            `ollama-`, `vllm-` or `groq-`; after `experimental:` any model as litellm writes it.
        kwargs: Sampling parameters; `is_multimodal`; `cache` with `experimental:` only.

    Raises:
        ValueError: No such engine, no key for it, or `cache` for one that takes none.
    """
    name = _SHORT.get(engine_name, engine_name)
    if name.startswith("experimental:"):
        return LiteLLMEngine(name.removeprefix("experimental:"), **kwargs)
    if "cache" in kwargs:
        raise ValueError(f"cache is for engines with 'experimental:' before their name, not for {engine_name!r}")
    if name.startswith("ollama-"):
        return ChatOpenAI(name.removeprefix("ollama-"), base_url=OLLAMA_BASE_URL, **kwargs)
    for begin, kind in _BEHIND.items():
        if name.startswith(begin):
            return kind(name.removeprefix(begin), **kwargs)
    if name in _COHERE:
        return ChatCohere(name, **kwargs)
    for part, kind in _OWN.items():
        if part in name:
            return kind(name, **{"is_multimodal": any(part in name for part in _WITH_IMAGES), **kwargs})
    raise ValueError(
        f"no engine {engine_name!r}: there are gpt-..., claude-..., gemini-..., {', '.join(_COHERE)}, and models "
        "behind azure-, together-, ollama-, vllm- and groq-; 'experimental:' before a name takes any model of litellm's"
    )


def validate_multimodal_engine(engine: EngineLM | Engine) -> None:
    """Refuse an engine that says that it takes no images.

    Raises:
        ValueError: It takes none.
    """
    if getattr(engine, "is_multimodal", True) is False:
        raise ValueError(
            f"{getattr(engine, 'model_string', engine)} takes no images; "
            "make the engine with is_multimodal=True if the model takes them"
        )
