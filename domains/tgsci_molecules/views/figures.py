"""How figures and texts are written into files: as much of a figure as means something, and no text that acts."""

from __future__ import annotations

import math
import re

from tgsci.show.tables import cell as row_cell
from tgsci.texts import one_line

__all__ = ["count", "figure", "row_cell", "tag", "tag_value"]


def figure(value: float | None) -> str:
    """A figure with its decimals: three of them, or four digits where it is smaller than 1; "" for none.

    -12.0 stays -12.0 and 376.456 is not cut to 376.5: docking scores and masses are read to these places.
    """
    if value is None or not math.isfinite(value):
        return ""
    rounded = round(value, 3) if abs(value) >= 1 else float(f"{value:.4g}")
    return repr(rounded + 0.0)  # no -0.0


def count(value: float | None) -> str:
    """A whole number without decimals; "" for none."""
    return "" if value is None or not math.isfinite(value) else str(round(value))


def tag(name: str, unit: str = "") -> str:
    """A name that every reader of SDF takes: letters, digits and underscores only."""
    return re.sub(r"[^A-Za-z0-9]+", "_", f"{name} {unit.replace('/', ' per ').replace('^', '')}").strip("_") or "_"


def tag_value(text: str) -> str:
    """A text as the value of an SDF tag: one line that begins neither the next tag nor the next record."""
    line = one_line(text)
    return f"'{line}" if line.startswith((">", "$$$$")) else line
