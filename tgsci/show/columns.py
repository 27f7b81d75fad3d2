"""The columns of a run's table, each with its unit, its kind, which end is better, and what it means."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .tables import csv_text

if TYPE_CHECKING:
    from ..runs.result import Result
    from ..search.trial import Trial


@dataclass(frozen=True)
class Column:
    """One column of a table with a row a trial.

    Args:
        title: At its head, the unit in brackets; see `titled`.
        kind: "record" of what happened, "raw" figure, "transformed" figure, "limit", or "finalist" figure.
        meaning: In a sentence.
        text: Writes a trial's cell.
        unit: "" for none.
        better: "lower", "higher", a range, or "" where neither end is better.
    """

    title: str
    kind: str
    meaning: str
    text: Callable[[Trial], str]
    unit: str = ""
    better: str = ""


def titled(name: str, unit: str) -> str:
    """Write a column's title: the figure's name with its unit."""
    return f"{name} ({unit})" if unit else name


def ranks(result: Result) -> dict[int, int]:
    """Rank the measured trials, 1 for the best, by their numbers."""
    return {trial.number: rank for rank, trial in enumerate(result.trials.ranked(), 1)}


def trials_csv(result: Result, columns: Sequence[Column]) -> str:
    """Write every trial of a run as CSV: the best first, then those that were not measured, in their order."""
    rank = ranks(result)
    rows = sorted(result.trials, key=lambda trial: (rank.get(trial.number, math.inf), trial.number))
    return csv_text([[column.title for column in columns], *([c.text(trial) for c in columns] for trial in rows)])


def columns_csv(columns: Sequence[Column]) -> str:
    """Write the sheet that explains a table's columns as CSV."""
    head = ["column", "unit", "kind", "better", "meaning"]
    return csv_text([head, *([c.title, c.unit, c.kind, c.better, c.meaning] for c in columns)])
