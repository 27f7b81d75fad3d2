"""Identity: who an engine is, as a text. Everything that changes its answers, and nothing secret."""

from __future__ import annotations

import inspect
import re
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import MethodType
from typing import Any

from .fingerprint import digest, function_identity, setting_of

_LONGEST = 200
#: A user's name and password in an address.
_WITHIN_ADDRESS = re.compile(r"//[^/@\s]*@")

_digests: dict[tuple[int, str], str] = {}


def digest_at_first_sight(function: Callable[..., Any]) -> str:
    """Digest what a function computes, once, when it is first seen: later it may hold a list of what it was asked."""
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
    """Write parameters for an engine's identity: `temperature=0, seed=3`, by name, without anything secret.

    What is long is told by its digest.
    """
    stated = {name: setting_of(_open(value)) for name, value in sorted(parameters.items()) if not secret_name(name)}
    texts = {name: _WITHIN_ADDRESS.sub("//", str(value)) for name, value in stated.items() if value is not None}
    return ", ".join(f"{name}={digest(text) if len(text) > _LONGEST else text}" for name, text in texts.items())


def _open(value: object) -> object:
    """Leave the secrets out of a parameter; tell a function by what it does."""
    if callable(value) and not isinstance(value, type) and not hasattr(value, "identity"):
        return digest_at_first_sight(value)
    if isinstance(value, Mapping):
        return {str(name): _open(inner) for name, inner in value.items() if not secret_name(str(name))}
    return [_open(inner) for inner in value] if isinstance(value, list | tuple) else value


def arguments_of(made: type, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Write the arguments of a constructor by the names of its parameters."""
    signature = inspect.signature(made.__init__)  # type: ignore[misc]
    try:
        given = dict(signature.bind(None, *args, **kwargs).arguments)
    except TypeError:  # a copy is made without arguments; a wrong call is about to be refused
        return ""
    named: dict[str, Any] = {}
    for name, value in list(given.items())[1:]:
        named.update(value if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD else {name: value})
    return written(named)
