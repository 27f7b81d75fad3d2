"""Check what a person gives: each check returns the value, or says what the setting must be and what it was."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real

from ..errors import TgsciError, UsageError
from .texts import did_you_mean, literal


def number(
    name: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: float | None = None,
    unit: str = "",
    error: type[TgsciError] = UsageError,
) -> float:
    """Check that a setting is a finite number in its range.

    Args:
        name: What the setting is called, as the message begins: "gap", "the prescription of PTV".
        value: What was given; numpy's numbers are numbers, `True` and "5" are not.
        low: The smallest number allowed.
        high: The largest.
        above: The number must be larger than this one, in place of `low`.
        unit: Of the range, as the message writes it.
        error: What is raised.

    Raises:
        UsageError: "gap must be a number from 0 to 1, not 'x'".
    """
    found = _finite(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    if not low <= found <= high or (above is not None and not found > above):
        raise error(f"{name} must be {_range('number', low, high, above, unit)}, not {literal(value)}")
    return found


def whole(
    name: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: float | None = None,
    unit: str = "",
    error: type[TgsciError] = UsageError,
) -> int:
    """Check that a setting is a whole number in its range; the arguments are those of `number`.

    Raises:
        UsageError: "seed must be a whole number from 0 to 100, not 1.5".
    """
    good = type(value) is int or (isinstance(value, Integral) and not isinstance(value, bool))
    found = int(value) if good else 0  # type: ignore[call-overload]
    if not good or not low <= found <= high or (above is not None and not found > above):
        raise error(f"{name} must be {_range('whole number', low, high, above, unit)}, not {literal(value)}")
    return found


def flag(name: str, value: object, *, error: type[TgsciError] = UsageError) -> bool:
    """Check that a setting is true or false.

    Raises:
        UsageError: It is neither.
    """
    if not isinstance(value, bool):
        raise error(f"{name} must be true or false, not {literal(value)}")
    return value


def text(name: str, value: object, meaning: str = "text", *, error: type[TgsciError] = UsageError) -> str:
    """Check that a setting is text, and more than spaces.

    Args:
        name: What the setting is called.
        value: What was given.
        meaning: What the text is, as the message writes it: "a built-in case or a .zarr file".
        error: What is raised.

    Raises:
        UsageError: It is no text, or empty.
    """
    if not isinstance(value, str) or not value.strip():
        raise error(f"{name} must be {meaning}, not {literal(value)}")
    return value


def choice(name: str, value: object, known: Iterable[str], *, error: type[TgsciError] = UsageError) -> str:
    """Check that a setting is one of some names.

    Raises:
        UsageError: It is none of them; names the nearest, or all.
    """
    names = list(known)
    if not isinstance(value, str) or value not in names:
        hint = did_you_mean(value, names) if isinstance(value, str) else f"there are: {', '.join(names)}"
        raise error(f"{name} cannot be {literal(value)}; {hint}")
    return value


def keys(
    table: Iterable[object],
    known: Iterable[str],
    where: str = "",
    hints: dict[str, str] | None = None,
    *,
    error: type[TgsciError] = UsageError,
) -> None:
    """Refuse a key that a table cannot have.

    Args:
        table: The table, or its keys.
        known: The keys that it can have.
        where: What the table is called: "[budget]".
        hints: Keys by what people write instead of them.
        error: What is raised.

    Raises:
        UsageError: There is one; names the nearest, or all.
    """
    names = list(known)
    for key in table:
        if not isinstance(key, str) or key not in names:
            place = f" in {where}" if where else ""
            raise error(f"unknown key {literal(key)}{place}; {did_you_mean(key, names, hints)}")


def _range(kind: str, low: float, high: float, above: float | None = None, unit: str = "") -> str:
    """Say a range in words: "a whole number from 1 to 256", "a number above 0 Gy"."""
    if above is not None:
        span = f" above {above:.12g}" + (f" and up to {high:.12g}" if math.isfinite(high) else "")
    elif math.isfinite(low) and math.isfinite(high):
        span = f" from {low:.12g} to {high:.12g}"
    elif math.isfinite(low):
        span = f" of {low:.12g} or more"
    else:
        span = f" of {high:.12g} or less" if math.isfinite(high) else ""
    return f"a {kind}{span}{f' {unit}' if unit and span else f' in {unit}' if unit else ''}"


def _finite(value: Real) -> float:
    try:
        found = float(value)
    except OverflowError:  # a whole number of 400 digits
        return math.nan
    return found if math.isfinite(found) else math.nan
