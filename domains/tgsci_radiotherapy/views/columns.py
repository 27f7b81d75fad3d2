"""`plans.csv`, every trial of a run, and `columns.csv`, what each of its columns means."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .written import csv_text

if TYPE_CHECKING:
    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial


@dataclass(frozen=True)
class Column:
    """One column of the table.

    Args:
        title: At its head, the unit in brackets.
        meaning: In a sentence.
        text: A trial's cell.
        unit: "" for none.
        better: "lower", "higher", or "" where neither end is better.
    """

    title: str
    meaning: str
    text: Callable[[Trial], str]
    unit: str = ""
    better: str = ""


def plans_csv(result: Result) -> str:
    """Every trial, best first.

    Args:
        result: A run's.
    """
    ranks = _ranks(result)
    columns = list(columns_of(result))
    rows = sorted(result.trials, key=lambda t: (ranks.get(t.number, math.inf), t.number))
    return csv_text([[c.title for c in columns], *([c.text(trial) for c in columns] for trial in rows)])


def columns_sheet(result: Result) -> str:
    """What the columns of `plans.csv` and `goals.csv` mean.

    Args:
        result: A run's.
    """
    from .tables import COLUMNS

    rows = [["plans.csv", c.title, c.unit, c.better, c.meaning] for c in columns_of(result)]
    rows += [["goals.csv", title, "", "", meaning] for title, meaning in COLUMNS.items()]
    return csv_text([["file", "column", "unit", "better", "meaning"], *rows])


def columns_of(result: Result) -> Iterator[Column]:
    """The columns of `plans.csv`, in their order.

    Args:
        result: A run's.
    """
    ranks = _ranks(result)
    yield Column(
        "rank",
        "1 is the best: the lowest loss; empty if not measured",
        lambda t: str(ranks.get(t.number, "")),
        better="lower",
    )
    yield Column("number", "the trial's number in the order of proposal", lambda t: str(t.number))
    yield Column("round", "round of proposals; 0 holds the start parameters", lambda t: str(t.round))
    yield Column(
        "loss",
        "sum of missed goals' shortfalls, in % of the prescription or of the volume, weighted by priority; below 0 all "
        "are met",
        lambda t: _figure(t.loss),
        better="lower",
    )
    yield from _metrics(result)
    yield Column(
        "state",
        "accepted: better than everything before it; rejected: measured, not better; duplicate: proposed before; "
        "invalid: no parameters of this case; failed: could not be planned",
        lambda t: t.state.value,
    )
    yield Column("decision", "why it got this state", lambda t: t.decision)
    yield Column("reason", "why it was proposed, in the proposer's words", lambda t: t.reason)
    yield Column("edit", "name of the change to its parent", lambda t: t.edit)
    yield Column(
        "parent",
        "number of the trial that it was made from; empty for a start",
        lambda t: "" if t.parent is None else str(t.parent),
    )
    yield Column("proposer", "the model or editor that proposed it", lambda t: t.proposer)
    yield Column("seconds (s)", "wall time of planning and evaluation", lambda t: _figure(t.seconds), "s")
    yield Column("parameters", "the plan's objectives as JSON; as proposed if invalid", lambda t: _one_line(t.value))


def _metrics(result: Result) -> Iterator[Column]:
    meanings = _meanings(result)
    names = dict.fromkeys(name for t in result.trials if t.feedback for name in t.feedback.metrics)
    for name in names:
        unit = result.units.get(name, "")
        meaning, better = meanings.get(name, (name, ""))
        yield Column(f"{name} ({unit})" if unit else name, meaning, _reader(name), unit, better)


def _meanings(result: Result) -> dict[str, tuple[str, str]]:
    """What each metric is, and which end of it is better."""
    loss: Any = result.problem.loss if result.problem else result.trials.loss
    bound = getattr(loss, "bound", None)
    found = {
        "goals met": ("how many goals of the sheet are met exactly", "higher"),
        "objective": ("value of the planner's objective at its optimum; only comparable for the same parameters", ""),
        "gap": ("certified relative distance to the best plan of these parameters; empty where not convex", "lower"),
    }
    for goal in bound.goals if bound is not None else ():
        found[goal.name] = (f"goal: {goal}", "higher" if goal.comparison == ">=" else "lower")
    return found


def _reader(name: str) -> Callable[[Trial], str]:
    return lambda trial: _figure(trial.feedback.metrics.get(name)) if trial.feedback else ""


def _ranks(result: Result) -> dict[int, int]:
    return {trial.number: rank for rank, trial in enumerate(result.trials.ranked(), 1)}


def _figure(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"


def _one_line(value: str) -> str:
    """Parameters without line breaks; what is no JSON stays as it was proposed."""
    try:
        return json.dumps(json.loads(value))
    except (ValueError, RecursionError):
        return value
