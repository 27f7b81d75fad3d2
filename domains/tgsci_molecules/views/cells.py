"""Figures and tags as the files of a run hold them: each figure with the places that mean something."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from tgsci.basics.texts import counts, one_line


def figure(value: float | None) -> str:
    """Write a figure with three decimals, or four digits where it is smaller than 1; "" for none.

    -12.0 stays -12.0 and 376.456 is not cut to 376.5: docking scores and masses are read to these places.
    """
    if value is None or not math.isfinite(value):
        return ""
    rounded = round(value, 3) if abs(value) >= 1 else float(f"{value:.4g}")
    return repr(rounded + 0.0)  # no -0.0


def count(value: float | None) -> str:
    """Write a whole number without decimals; "" for none."""
    return "" if value is None or not math.isfinite(value) else str(round(value))


def is_count(values: Iterable[float], unit: str) -> bool:
    """Tell whether figures count something: all of them whole, and without a unit."""
    finite = [value for value in values if math.isfinite(value)]
    return bool(finite) and counts(finite, unit)


def tag(name: str, unit: str = "") -> str:
    """Write a name that every reader of SDF takes: letters, digits and underscores only."""
    return re.sub(r"[^A-Za-z0-9]+", "_", f"{name} {unit.replace('/', ' per ').replace('^', '')}").strip("_") or "_"


def tag_value(text: str) -> str:
    """Write a text as the value of an SDF tag: one line that begins neither the next tag nor the next record."""
    line = one_line(text)
    return f"'{line}" if line.startswith((">", "$$$$")) else line
