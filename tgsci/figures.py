"""Figures for people: fixed decimals by magnitude, so that -12.00 stays -12.00 and columns line up."""

from __future__ import annotations

import math
from collections.abc import Iterable


def figure(value: float | None) -> str:
    """A figure with about four digits: -12.00, 0.8530, 489.6, 12345. "" for None and for nan."""
    if value is None or math.isnan(value):
        return ""
    return fixed(value, places([value]))


def metric(value: float | None, unit: str = "") -> str:
    """A metric's figure; a whole one without a unit is a count: 3, not 3.000."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:.0f}" if counts([value], unit) else figure(value)


def column(values: Iterable[float | None], unit: str | None = None) -> list[str]:
    """The figures of a table's column, all with the same decimals.

    Args:
        values: The figures; None and nan stay empty.
        unit: Of a metric, "" where it has none: whole figures are then counts. None for what is always a quantity.
    """
    values = list(values)
    there = [v for v in values if v is not None and not math.isnan(v)]
    decimals = 0 if unit is not None and counts(there, unit) else places(there)
    return ["" if v is None or math.isnan(v) else fixed(v, decimals) for v in values]


def counts(values: Iterable[float], unit: str) -> bool:
    """True where the figures are whole and have no unit: counts."""
    return not unit and all(math.isfinite(v) and v == int(v) for v in values)


def places(values: Iterable[float]) -> int:
    """Decimals that show figures of these magnitudes to about four digits; -1 where no fixed number does."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    if largest == 0.0:
        return 3
    magnitude = math.floor(math.log10(largest) + 1e-4)  # 9.9999 is shown as 10.00
    return -1 if magnitude < -4 or magnitude > 8 else max(0, 3 - magnitude)


def fixed(value: float, decimals: int) -> str:
    """The figure with so many decimals; with an exponent where `places` found no number that does."""
    if decimals < 0 or not math.isfinite(value):
        return f"{value:.3g}"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text
