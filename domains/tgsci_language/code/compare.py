"""Compare what a function gave with what it must give: as Python's `==` does, numbers within a tolerance."""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping
from typing import Any

from .tests import shown

#: Containers in containers that are compared, at most.
_DEEPEST = 200


def difference(got: object, expected: object, tolerance: float = 0.0, *, loose: bool = False) -> str:
    """Say in a few words where a result differs from what it must be; "" where it does not.

    Args:
        got: What came back. It comes from hostile code: only its plain content is looked at.
        expected: What must come back.
        tolerance: How far a number may be off: absolute, and relative to the expected number where that is above 1.
            With 0, numbers must be equal. nan equals nan.
        loose: A list stands for a tuple and an array as well.
    """
    return _difference(got, expected, tolerance, loose, "", _DEEPEST)


def _difference(got: Any, expected: Any, tolerance: float, loose: bool, place: str, depth: int) -> str:
    if depth == 0:
        return f"{_at(place)}nested too deeply to compare"
    if _is_array(got) or _is_array(expected):
        return _array_difference(got, expected, tolerance, loose, place)
    if _is_number(expected) and _is_number(got):
        return _number_difference(got, expected, tolerance, place)
    if isinstance(expected, list | tuple):
        kinds: Any = (list, tuple) if loose else type(expected)
        if not isinstance(got, kinds):
            return _other_kind(got, expected, place)
        if len(got) != len(expected):
            return f"{_at(place)}{len(got)} items in place of {len(expected)}"
        for index, (one, other) in enumerate(zip(got, expected, strict=True)):
            found = _difference(one, other, tolerance, loose, f"{place}[{index}]", depth - 1)
            if found:
                return found
        return ""
    if isinstance(expected, Mapping):
        return _table_difference(got, expected, tolerance, loose, place, depth)
    if isinstance(expected, set | frozenset):
        if not isinstance(got, set | frozenset):
            return _other_kind(got, expected, place)
        more, less = got - expected, expected - got
        words = [f"{shown(next(iter(more)), 40)} too much"] if more else []
        words += [f"{shown(next(iter(less)), 40)} missing"] if less else []
        return f"{_at(place)}{', '.join(words)}" if words else ""
    if type(got) is not type(expected):
        return _other_kind(got, expected, place)
    return "" if got == expected else f"{_at(place)}not equal"


def _number_difference(got: Any, expected: Any, tolerance: float, place: str) -> str:
    if got == expected:
        return ""
    try:
        if cmath.isnan(got) or cmath.isnan(expected):
            return "" if cmath.isnan(got) and cmath.isnan(expected) else f"{_at(place)}nan against a number"
        by = abs(got - expected)
        allowed = tolerance * max(1.0, abs(expected))
    except OverflowError:  # a whole number that no float can hold
        return f"{_at(place)}not equal"
    if by <= allowed and math.isfinite(by):
        return ""
    return f"{_at(place)}off by {by:.3g}" + (f", {allowed:.3g} allowed" if tolerance else "")


def _table_difference(
    got: Any, expected: Mapping[Any, Any], tolerance: float, loose: bool, place: str, depth: int
) -> str:
    if not isinstance(got, Mapping):
        return _other_kind(got, expected, place)
    for key in expected:
        if key not in got:
            return f"{_at(place)}the key {shown(key, 40)} is missing"
    for key in got:
        if key not in expected:
            return f"{_at(place)}the key {shown(key, 40)} is too much"
    for key, value in expected.items():
        found = _difference(got[key], value, tolerance, loose, f"{place}[{shown(key, 40)}]", depth - 1)
        if found:
            return found
    return ""


def _array_difference(got: Any, expected: Any, tolerance: float, loose: bool, place: str) -> str:
    import numpy

    sequences = (list, tuple) if loose else ()
    if not all(_is_array(each) or isinstance(each, sequences) for each in (got, expected)):
        return _other_kind(got, expected, place)
    try:
        one, other = numpy.asarray(got), numpy.asarray(expected)
    except ValueError:  # lists of unequal lengths
        return _other_kind(got, expected, place)
    if one.shape != other.shape:
        return f"{_at(place)}shape {one.shape} in place of {other.shape}"
    if one.dtype.kind not in "biufc" or other.dtype.kind not in "biufc":
        return "" if numpy.array_equal(one, other) else f"{_at(place)}not equal"
    with numpy.errstate(all="ignore"):
        same = one == other  # before any conversion: large whole numbers stay apart
        one, other = (each.astype(complex if each.dtype.kind == "c" else float) for each in (one, other))
        same |= numpy.isnan(one) & numpy.isnan(other)
        by = numpy.abs(one - other)
        near = by <= tolerance * numpy.maximum(1.0, numpy.abs(other))
        wrong = ~(same | near) if tolerance else ~same
    if not wrong.any():
        return ""
    count, worst = int(wrong.sum()), float(numpy.nanmax(by[wrong], initial=0.0))
    where = tuple(int(index) for index in numpy.argwhere(wrong)[0])
    index = f"[{', '.join(map(str, where))}]" if where else ""
    return f"{_at(place)}{count} of {one.size} numbers are off, by up to {worst:.3g}; the first at {index or 'it'}"


def _other_kind(got: object, expected: object, place: str) -> str:
    return f"{_at(place)}a {type(got).__name__} in place of a {type(expected).__name__}"


def _at(place: str) -> str:
    return f"at {place[:80]}: " if place else ""


def _is_number(value: object) -> bool:
    return isinstance(value, bool | int | float | complex)


def _is_array(value: object) -> bool:
    return type(value).__module__ == "numpy" and hasattr(value, "dtype")
