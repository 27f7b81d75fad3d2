"""The columns of a run's table, each with its unit, its kind, which end is better, and what it means."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
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


def outcome_columns(invalid: str, failed: str, seconds: str, figure: Callable[[float | None], str]) -> Iterator[Column]:
    """List the columns that say what became of each trial and how it came about: the last ones of a run's table.

    Args:
        invalid: What an invalid trial is.
        failed: What a failed trial is.
        seconds: What the seconds were spent on.
        figure: Writes a number; "" for None.
    """

    def column(title: str, meaning: str, text: Callable[[Trial], str], unit: str = "") -> Column:
        return Column(titled(title, unit), "record", meaning, text, unit)

    yield column(
        "state",
        "accepted: better than everything before it; rejected: measured, not better; duplicate: proposed before; "
        f"invalid: {invalid}; failed: {failed}",
        lambda t: t.state.value,
    )
    yield column("decision", "why it got this state", lambda t: t.decision)
    yield column("reason", "why it was proposed, in the proposer's words", lambda t: t.reason)
    yield column("edit", "name of the change to its parent", lambda t: t.edit)
    yield column(
        "parent",
        "number of the trial that it was made from; empty for a start",
        lambda t: "" if t.parent is None else str(t.parent),
    )
    yield column("proposer", "the model or editor that proposed it", lambda t: t.proposer)
    yield column("role", "what it was proposed for: to refine, to combine, or as something new", lambda t: t.role)
    yield column("expected loss", "the loss that its proposer expected", lambda t: figure(t.expected))
    yield column("contrast", "what the change did against its parent, as the simulator sees it", lambda t: t.contrast)
    yield column(
        "first loss",
        "the loss of the quicker measurement that came before, where the figures are those of a careful one",
        lambda t: figure(t.first.loss if t.first else None),
    )
    yield column("seconds", seconds, lambda t: figure(t.seconds), "s")


def trials_csv(result: Result, columns: Sequence[Column]) -> str:
    """Write every trial of a run as CSV: the best first, then those that were not measured, in their order."""
    rank = ranks(result)
    rows = sorted(result.trials, key=lambda trial: (rank.get(trial.number, math.inf), trial.number))
    return csv_text([[column.title for column in columns], *([c.text(trial) for c in columns] for trial in rows)])


def columns_csv(columns: Sequence[Column]) -> str:
    """Write the sheet that explains a table's columns as CSV."""
    head = ["column", "unit", "kind", "better", "meaning"]
    return csv_text([head, *([c.title, c.unit, c.kind, c.better, c.meaning] for c in columns)])
