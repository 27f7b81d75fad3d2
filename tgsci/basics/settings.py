"""Typed settings: a dataclass that says what each setting means, read from a plain table of a job file or a notebook.

    @dataclass(frozen=True)
    class Settings:
        case: str = setting("a built-in case or a .zarr file")
        gap: float = setting("relative optimality gap", 0.001, low=0.0, high=1.0)
        seconds: float = setting("longest that one plan may take", 300.0, above=0.0, unit="s")

        def __post_init__(self) -> None:
            check(self)

    read(Settings, {"case": "tg119", "gap": 0.01}, "[radiotherapy]")

The messages: "gap must be a number from 0 to 1, not 'x'"; "unknown key 'gapp' in [radiotherapy]; did you mean gap?";
"the key 'case' is missing: a built-in case or a .zarr file".
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from ..errors import TgsciError, UsageError
from . import checks
from .texts import literal

T = TypeVar("T")
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_PLURALS = {"a whole number": "whole numbers", "a number": "numbers", "a table": "tables"}


def setting(
    meaning: str,
    default: Any = dataclasses.MISSING,
    *,
    factory: Callable[[], Any] | None = None,
    low: float = -math.inf,
    high: float = math.inf,
    above: float | None = None,
    unit: str = "",
) -> Any:
    """Declare a setting: a field of a dataclass.

    Args:
        meaning: What the setting is, for messages and help.
        default: Its value where none is given; without one the setting is required.
        factory: Makes the default, where that is a list or a table.
        low: The smallest number allowed.
        high: The largest.
        above: The number must be larger than this one, in place of `low`.
        unit: Of the number.
    """
    metadata = {"meaning": meaning, "range": {"low": low, "high": high, "above": above, "unit": unit}}
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def meanings(cls: type) -> dict[str, str]:
    """List what each setting of a dataclass means, by its name."""
    return {field.name: field.metadata.get("meaning", "") for field in dataclasses.fields(cls)}


def read(cls: type[T], table: object, where: str = "", *, error: type[TgsciError] = UsageError) -> T:
    """Read settings from a plain table; tables within it, and lists of them, are read into their own dataclasses.

    Args:
        cls: The dataclass; its `__post_init__` calls `check`.
        table: Keys and values as TOML, JSON or a notebook has them; numpy's numbers and arrays are taken.
        where: What the table is called in messages: "[molecules]".
        error: What is raised.

    Raises:
        UsageError: No table, an unknown key, a missing one, or a value that is not what the setting must be.
    """
    if not isinstance(table, Mapping):
        raise error(f"{where or 'the settings'} must be a table of {', '.join(meanings(cls))}; not {literal(table)}")
    given = {key: _plain(value) for key, value in table.items()}
    checks.keys(given, meanings(cls), where, error=error)
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(typing.cast(Any, cls)):
        if field.name not in given:
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                place = f" in {where}" if where else ""
                raise error(f"the key {field.name!r} is missing{place}: {field.metadata.get('meaning', field.type)}")
            continue
        given[field.name] = _with_tables(hints[field.name], given[field.name], field.name, error)
    return cls(**given)


def check(settings: Any, *, error: type[TgsciError] = UsageError) -> None:
    """Check every setting of a dataclass against its type and range; whole numbers become floats where those belong.

    Args:
        settings: The dataclass, frozen or not.
        error: What is raised.

    Raises:
        UsageError: One is not what it must be; names it, with what it must be and what it was.
    """
    hints = typing.get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        found = _checked(field, hints[field.name], getattr(settings, field.name), error)
        object.__setattr__(settings, field.name, found)  # also of a frozen one: nobody has seen it yet


def _checked(field: dataclasses.Field[Any], hint: Any, value: Any, error: type[TgsciError]) -> Any:
    name, meaning, span = field.name, field.metadata.get("meaning", ""), field.metadata.get("range", {})
    parts = _parts(hint)
    if value is None and type(None) in parts:
        return None
    rest = [part for part in parts if part is not type(None)]
    if len(rest) == 1:
        if rest[0] is float:
            return checks.number(name, value, **span, error=error)
        if rest[0] is int:
            return checks.whole(name, value, **span, error=error)
        if rest[0] is str and field.default is field.default_factory is dataclasses.MISSING:
            return checks.text(name, value, meaning or "text", error=error)
        if rest[0] is bool:
            return checks.flag(name, value, error=error)
        if typing.get_origin(rest[0]) is Literal:
            return checks.choice(name, value, typing.get_args(rest[0]), error=error)
    import msgspec

    try:
        return msgspec.convert(_plain(value), hint)
    except msgspec.ValidationError:
        what = f"{_type(hint)}{f' ({meaning})' if meaning else ''}"
        raise error(f"{name} must be {what}, not {literal(value)}") from None


def _type(hint: Any) -> str:
    """Say a type in words: "text or a list of text"."""
    parts = [part for part in _parts(hint) if part is not type(None)]
    if len(parts) > 1:
        return " or ".join(map(_type, parts))
    origin, arguments = typing.get_origin(parts[0]) or parts[0], typing.get_args(parts[0])
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if origin in _NAMES:
        return _NAMES[origin]
    if isinstance(origin, type) and (issubclass(origin, Mapping) or dataclasses.is_dataclass(origin)):
        return "a table"
    items = [_type(argument) for argument in arguments if argument not in (Ellipsis, Any)]
    return f"a list of {_PLURALS.get(items[0], items[0])}" if items else "a list"


def _with_tables(hint: Any, value: Any, name: str, error: type[TgsciError]) -> Any:
    """Read each table within a value that has a dataclass of its own into that."""
    for part in _parts(hint):
        if dataclasses.is_dataclass(part) and isinstance(part, type) and isinstance(value, Mapping):
            return _inner(part, value, name, error)
        items = [argument for argument in typing.get_args(part) if dataclasses.is_dataclass(argument)]
        if items and isinstance(value, list):
            one = name.removesuffix("s")
            return [_inner(items[0], each, f"{one} {number}", error) for number, each in enumerate(value, 1)]
    return value


def _inner(cls: Any, table: Any, name: str, error: type[TgsciError]) -> Any:
    try:
        return read(cls, table, error=error)
    except error as fault:
        raise error(f"{name}: {fault}") from None


def _parts(hint: Any) -> tuple[Any, ...]:
    return (
        typing.get_args(hint)
        if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
        else (hint,)
    )


def _plain(value: Any) -> Any:
    """Replace numpy's types by Python's and tuples by lists; what is no plain data stays as it is."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value
