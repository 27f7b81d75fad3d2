"""Engines by TextGrad's names for them."""

from __future__ import annotations

from typing import Any

from ...engine import Engine
from .base import CachedEngine, EngineLM

__all__ = ["CachedEngine", "EngineLM", "get_engine", "validate_multimodal_engine"]

_SHORT = {
    "opus": "claude-3-opus-20240229",
    "haiku": "claude-3-haiku-20240307",
    "sonnet": "claude-3-sonnet-20240229",
    "sonnet-3.5": "claude-3-5-sonnet-20240620",
    "together-llama-3-70b": "together-meta-llama/Llama-3-70b-chat-hf",
    "vllm-llama-3-8b": "vllm-meta-llama/Meta-Llama-3-8B-Instruct",
}
_COHERE = ("command-r-plus", "command-r", "command", "command-light")
#: What is in the names of models that take images.
_WITH_IMAGES = ("gpt-4-turbo", "gpt-4o", "gpt-5", "claude-", "gemini-")


def get_engine(engine_name: str, **kwargs: Any) -> EngineLM:
    """The engine of that name. Calling it returns plain text.

    Args:
        engine_name: `gpt-...`, `claude-...`, `gemini-...`, `command-...`, or a model behind `azure-`, `together-`,
            `ollama-`, `vllm-` or `groq-`; after `experimental:` any model as litellm writes it.
        kwargs: Sampling parameters; `cache` with `experimental:` only.

    Raises:
        ValueError: No such engine, or `cache` for one that takes none.
    """
    name = _SHORT.get(engine_name, engine_name)
    if name.startswith("experimental:"):
        from ..engine_experimental.litellm import LiteLLMEngine

        return LiteLLMEngine(name.removeprefix("experimental:"), **kwargs)
    if "cache" in kwargs:
        raise ValueError(f"cache is for engines with 'experimental:' before their name, not for {engine_name!r}")
    if name.startswith("azure-"):
        from .openai import AzureChatOpenAI

        return AzureChatOpenAI(name.removeprefix("azure-"), **kwargs)
    if name.startswith("ollama-"):
        from .openai import OLLAMA_BASE_URL, ChatOpenAI

        return ChatOpenAI(name.removeprefix("ollama-"), base_url=OLLAMA_BASE_URL, **kwargs)
    if name.startswith("together-"):
        from .together import ChatTogether

        return ChatTogether(name.removeprefix("together-"), **kwargs)
    if name.startswith("groq-"):
        from .groq import ChatGroq

        return ChatGroq(name.removeprefix("groq-"), **kwargs)
    if name.startswith("vllm-"):
        from .vllm import ChatVLLM

        return ChatVLLM(name.removeprefix("vllm-"), **kwargs)
    if name in _COHERE:
        from .cohere import ChatCohere

        return ChatCohere(name, **kwargs)
    images = any(part in name for part in _WITH_IMAGES)
    if "gpt-" in name:
        from .openai import ChatOpenAI

        return ChatOpenAI(name, is_multimodal=images, **kwargs)
    if "claude-" in name:
        from .anthropic import ChatAnthropic

        return ChatAnthropic(name, is_multimodal=images, **kwargs)
    if "gemini-" in name:
        from .gemini import ChatGemini

        return ChatGemini(name, is_multimodal=images, **kwargs)
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
