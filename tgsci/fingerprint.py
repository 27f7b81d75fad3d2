"""Fingerprint: everything that changes what a loss or an engine gives, as a text."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import partial
from hashlib import sha256
from pathlib import PurePath
from tokenize import TokenError
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

#: Identities of the objects that are being written down: one may hold itself.
_within: ContextVar[frozenset[int]] = ContextVar("_within", default=frozenset())


def setting_of(value: object) -> object:
    """A setting as it enters a fingerprint; None where it is nothing that can be written down."""
    if value is None or isinstance(value, str | int | float | bool | bytes):
        return repr(value)
    within = _within.get()
    if id(value) in within:
        return "itself"
    token = _within.set(within | {id(value)})
    try:
        return _compound(value)
    finally:
        _within.reset(token)


def _compound(value: object) -> object:
    if isinstance(value, PurePath):
        return repr(str(value))
    for stated in ("fingerprint", "identity"):  # a loss's, and an engine's: who answers, not how often it was asked
        if isinstance(text := getattr(value, stated, None), str):
            return text
    if isinstance(value, Mapping):
        return {str(k): setting_of(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [setting_of(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted(str(setting_of(v)) for v in value)
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if is_dataclass(value):
        held = {f.name: setting_of(getattr(value, f.name, None)) for f in fields(value)}
        return [type(value).__qualname__, held]
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        return _array(value)
    if callable(value):
        return digest(function_identity(value))
    return None


def _array(array: Any) -> object:
    """An array or a single figure of NumPy or its like, by content; nothing is imported for it."""
    shape = list(getattr(array, "shape", ()))
    if getattr(array.dtype, "hasobject", False):  # its bytes are addresses
        return [str(array.dtype), shape, setting_of(array.tolist())]
    return [str(array.dtype), shape, sha256(array.tobytes()).hexdigest()]


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def function_identity(function: object) -> str:
    """What a function computes: its code and the plain values it was made with."""
    if isinstance(function, partial):
        return str([function_identity(function.func), setting_of(function.args), setting_of(function.keywords)])
    if isinstance(function, MethodType):
        return str([function_identity(function.__func__), _owner(function.__self__)])
    if not isinstance(function, FunctionType):
        held = vars(function) if hasattr(function, "__dict__") else {}
        return str([type(function).__qualname__, getattr(function, "__qualname__", ""), setting_of(held)])
    cells = {k: _cell(c) for k, c in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)}
    made_with = [setting_of(function.__defaults__), setting_of(function.__kwdefaults__), cells]
    try:
        # A lambda's source is the whole statement around it, the budget of the run included.
        code = _code_identity(function.__code__) if function.__name__ == "<lambda>" else inspect.getsource(function)
    except (OSError, TypeError, SyntaxError, TokenError):  # no source, or another than at import
        code = _code_identity(function.__code__)
    return str([code, made_with])


def _owner(instance: object) -> object:
    """What a method computes with."""
    if (
        isinstance(instance, type)
        or isinstance(getattr(instance, "fingerprint", None), str)
        or is_dataclass(instance)
        or not hasattr(instance, "__dict__")
    ):
        return setting_of(instance)
    return setting_of(vars(instance))


def _code_identity(code: CodeType) -> str:
    constants = [_code_identity(c) if isinstance(c, CodeType) else setting_of(c) for c in code.co_consts]
    return str([code.co_code, code.co_names, constants])


def _cell(cell: CellType) -> object:
    try:
        return setting_of(cell.cell_contents)
    except ValueError:  # still empty: the function refers to itself
        return None
