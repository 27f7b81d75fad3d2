"""Ranges of hard limits, as people write them: [200, 500], "<= 5", "200 to 500", one number."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tgsci.basics.texts import literal
from tgsci.errors import UsageError

#: A range of a limit: a pair (None for an open end), a text such as "<= 5", or one number for exactly that.
Range = str | float | Sequence[float | None]


def read_range(name: str, given: Range) -> tuple[float | None, float | None]:
    """Read the lower and the upper end of a range.

    Args:
        name: The name of the limit, for the message.
        given: A pair with None, "" or an infinity for an open end; "<= 5", ">= 200", "200 to 500"; or one number.

    Raises:
        UsageError: The text is no range, or no number lies in it.
    """
    low, high = _ends(name, given)
    if low is None and high is None:
        raise UsageError(f"the limit on {name} is open at both ends; write [200, 500] or '<= 500'")
    if low is not None and high is not None and low > high:
        raise UsageError(f"the limit on {name} is empty: {low:g} is more than {high:g}")
    return low, high


def _ends(name: str, given: Range) -> tuple[float | None, float | None]:
    if isinstance(given, str):
        text = given.replace("\N{LESS-THAN OR EQUAL TO}", "<=").replace("\N{GREATER-THAN OR EQUAL TO}", ">=").strip()
        for sign in ("<=", ">=", "<", ">"):
            if text.startswith(sign):
                end = _end(name, text[len(sign) :])
                return (None, end) if sign.startswith("<") else (end, None)
        for between in (" to ", "..", " - "):
            first, separator, second = text.partition(between)
            if separator:
                return _end(name, first), _end(name, second)
        if text:
            return _end(name, text), _end(name, text)
    elif isinstance(given, int | float) and not isinstance(given, bool):
        return _end(name, given), _end(name, given)
    elif isinstance(given, list | tuple) and len(given) == 2:
        return _end(name, given[0]), _end(name, given[1])
    raise UsageError(f"the limit on {name} must be a pair [low, high] or a text such as '<= 500', not {literal(given)}")


def _end(name: str, given: object) -> float | None:
    if given is None or given == "":
        return None
    try:
        end = float(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else math.nan
    except ValueError:
        end = math.nan
    if math.isnan(end):
        raise UsageError(f"the limit on {name}: {literal(given)} is no number")
    return None if math.isinf(end) else end


def whole_ring_sizes(low: float | None, high: float | None) -> tuple[int, int]:
    """Read the ends of a range of ring sizes, atoms.

    Raises:
        UsageError: An end is no size of a ring.
    """
    ends = (3.0 if low is None else low, 99.0 if high is None else high)
    if not all(end.is_integer() and 3 <= end <= 99 for end in ends):
        raise UsageError(f"the limit on ring sizes must be whole numbers of atoms from 3 to 99, not {low} and {high}")
    return int(ends[0]), int(ends[1])
