"""Engines by name. Each engine's module is imported when it is asked for, never before."""

from __future__ import annotations

import re
from typing import Any

from ..engine import Engine, resolve_names_by
from ..errors import UsageError

#: What may name a model: `gpt-4o`, `ollama/qwen3:8b`, `bedrock/arn:aws:...`, `huggingface/org/model`.
_MODEL = re.compile(r"[A-Za-z0-9][^\s]{0,254}")
_LONGEST = 4096

#: TextGrad's names for models, and how its names for providers begin, as litellm writes them.
_TEXTGRAD = {
    "opus": "claude-3-opus-20240229",
    "haiku": "claude-3-haiku-20240307",
    "sonnet": "claude-3-sonnet-20240229",
    "sonnet-3.5": "claude-3-5-sonnet-20240620",
    "together-llama-3-70b": "together_ai/meta-llama/Llama-3-70b-chat-hf",
}
_TEXTGRAD_PROVIDERS = {"azure-": "azure/", "groq-": "groq/", "ollama-": "ollama/", "together-": "together_ai/"}


def engine_named(name: str, **parameters: Any) -> Engine:
    """Find an engine by its name.

    Args:
        name: `"human"`, `"replay:FILE"`, or a model as litellm writes it (`"gpt-4o"`, `"ollama/qwen3"`).
            TextGrad's `"experimental:"` before a model is accepted, and so are its own names (`"azure-gpt-4o"`).
        parameters: Sampling parameters (`temperature=0`, ...) and litellm's own (`api_base=...`), for a
            model only.

    Raises:
        UsageError: No such name, or parameters for an engine that takes none.
    """
    name = _checked(name)
    if name == "human" or name.startswith("replay:"):
        if parameters:
            raise UsageError(f"engine {name!r} takes no parameters, got {', '.join(sorted(parameters))}")
        if name == "human":
            from .human import HumanEngine

            return HumanEngine()
        from .replay import ReplayEngine

        return ReplayEngine(name.removeprefix("replay:"))
    if not _MODEL.fullmatch(name):
        raise UsageError(
            f"{name[:60]!r} cannot be a model's name: give it as litellm writes it, for example 'gpt-4o', "
            "'anthropic/claude-sonnet-4-5' or 'ollama/qwen3'; or 'human', or 'replay:FILE'"
        )
    from .litellm import LiteLLMEngine

    return LiteLLMEngine(_as_litellm_writes(name), **parameters)


resolve_names_by(engine_named)


def _as_litellm_writes(model: str) -> str:
    """Write a model's name as litellm does where TextGrad has another name for it."""
    for begin, provider in _TEXTGRAD_PROVIDERS.items():
        if model not in _TEXTGRAD and model.startswith(begin):
            return provider + model.removeprefix(begin)
    return _TEXTGRAD.get(model, model)


def _checked(name: str) -> str:
    """Check a name, and take off blanks and TextGrad's prefix. It is untrusted: a shell or a job file gave it."""
    if not isinstance(name, str):
        raise UsageError(f"an engine's name is text, not {type(name).__name__}")
    name = name.strip().removeprefix("experimental:").strip()
    if not name:
        raise UsageError("an engine's name is empty: give 'human', 'replay:FILE' or a model such as 'gpt-4o'")
    if len(name) > _LONGEST or not name.isprintable():
        raise UsageError(f"an engine's name is too long or has control characters in it: {name[:60]!r}")
    if name == "replay:":
        raise UsageError("'replay:' names no file: write replay:FILE")
    return name
