"""Identity: who an engine is, as a text. Everything that changes its answers, and nothing secret."""

from __future__ import annotations

import inspect
import re
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import MethodType
from typing import Any

from .fingerprint import digest, function_identity, setting_of

_digests: dict[tuple[int, str], str] = {}


def digest_at_first_sight(function: Callable[..., Any]) -> str:
    """What the function computes, as it was when it was first seen: it may note in a list what it was asked."""
    owner, name = (function.__self__, function.__name__) if isinstance(function, MethodType) else (function, "")
    key = (id(owner), name)
    if key not in _digests:
        seen = digest(function_identity(function))
        try:
            weakref.finalize(owner, _digests.pop, key, None).atexit = False
        except TypeError:  # nothing would tell when its id becomes another's
            return seen
        _digests[key] = seen
    return _digests[key]


def secret_name(name: str) -> bool:
    """True where a parameter or a variable of this name holds a secret: `api_key`, but not `max_tokens`."""
    return bool(re.search(r"key|token(?!s)|secret|password|authorization|credential|headers", name, re.IGNORECASE))


def written(parameters: Mapping[str, Any]) -> str:
    """Parameters as an engine's identity tells them: `temperature=0, seed=3`, by name, without anything secret."""
    stated = {name: setting_of(_open(value)) for name, value in sorted(parameters.items()) if not secret_name(name)}
    text = ", ".join(f"{name}={value}" for name, value in stated.items() if value is not None)
    return re.sub(r"//[^/@\s]*@", "//", text)  # a user's name and password in an address


def _open(value: object) -> object:
    """A parameter without the secrets within."""
    if isinstance(value, Mapping):
        return {str(name): _open(inner) for name, inner in value.items() if not secret_name(str(name))}
    return [_open(inner) for inner in value] if isinstance(value, list | tuple) else value


def arguments_of(made: type, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """What a constructor is given, by the names of its parameters."""
    try:
        signature = inspect.signature(made)
        given = dict(signature.bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):  # a copy is made without arguments; a wrong call is about to be refused
        return ""
    more = [name for name, p in signature.parameters.items() if p.kind is p.VAR_KEYWORD and name in given]
    return written(
        {**{k: v for k, v in given.items() if k not in more}, **{k: v for m in more for k, v in given[m].items()}}
    )
