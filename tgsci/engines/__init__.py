"""Engines by name. Each engine's module is imported when it is asked for, never before."""

from __future__ import annotations

import re
from typing import Any

from ..engine import Engine, resolve_names_by
from ..errors import UsageError

#: What may name a model: `gpt-4o`, `ollama/qwen3:8b`, `bedrock/arn:aws:...`, `huggingface/org/model`.
_MODEL = re.compile(r"[A-Za-z0-9][^\s]{0,254}")
_LONGEST = 4096


def engine_named(name: str, **parameters: Any) -> Engine:
    """The engine of that name.

    Args:
        name: `"human"`, `"replay:FILE"`, or a model as litellm writes it (`"gpt-4o"`, `"ollama/qwen3"`).
            TextGrad's `"experimental:"` before a model is accepted.
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

    return LiteLLMEngine(name, **parameters)


resolve_names_by(engine_named)


def _checked(name: str) -> str:
    """The name without its blanks and TextGrad's prefix. It is untrusted: a shell or a job file gave it."""
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
