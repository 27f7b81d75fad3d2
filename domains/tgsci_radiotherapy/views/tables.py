"""Tables of goals and of a run's trials: plain text, CSV for spreadsheets, JSON for scripts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tgsci.show.columns import Column, outcome_columns, ranks, titled, trials_csv
from tgsci.show.tables import csv_text

from ..notice import NOTICE

if TYPE_CHECKING:
    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial

    from ..case.model import Case
    from ..goals import GoalResult, GoalTable

#: Columns of the CSV file, each with what it means.
COLUMNS = {
    "structure": "its name in the case",
    "metric": "what is measured, in TG-263 syntax",
    "comparison": ">= or <=",
    "limit": "what the goal asks for, in the unit",
    "unit": "of limit, tolerance, value and margin",
    "tolerance": "how far off still counts as acceptable",
    "priority": "1 is the most important; 5 is that of implied goals, which no sheet says",
    "value": "what the plan has",
    "margin": "how much better than the limit; below 0 the goal is missed by that much",
    "status": "pass, tolerance (missed by no more than the tolerance), fail, or not evaluated",
    "note": "where the limit comes from, or why there is no value",
    "goal": "as the sheet has it",
    "grid": "dose grid that the value was evaluated on; it is part of the figure",
    "sheet": "the sheet of goals",
    "case": "the case",
    "remark": "what every figure of this package comes with",
}


def goal_table(trial: Trial) -> str:
    """Write the goals of a trial's plan in plain text, the most important first.

    Args:
        trial: A measured plan.
    """
    from ..goals.table import count_met, goal_lines
    from ..loss.effects import effects_of

    effects = effects_of(trial)
    if effects is None:
        return f"Trial {trial.number} has no goals: {trial.decision or 'it was not measured'}."
    results = sorted(effects.results, key=lambda r: r.goal.priority)
    head = f"GOALS of trial {trial.number}, {count_met(results)} (P: priority, 1 counts most; i: implied)"
    return "\n".join([head, *goal_lines(results)])


def goals_csv(table: GoalTable) -> str:
    """Write a goal table as CSV; `COLUMNS` says what stands in it."""
    rows = []
    for result, row in zip(table.results, table.as_dict()["goals"], strict=True):
        cells = {**row, "goal": result.goal.criterion, "grid": table.grid, "sheet": table.sheet, "case": table.case}
        cells["remark"] = NOTICE
        rows.append([_cell(cells[name]) for name in COLUMNS])
    return csv_text([list(COLUMNS), *rows])


def goals_json(table: GoalTable, case: Case) -> str:
    """Write a goal table as JSON, with its case."""
    content = {
        "notice": NOTICE,
        "case": {"name": case.name, "fingerprint": case.fingerprint, "fractions": case.fractions},
        **{key: value for key, value in table.as_dict().items() if key != "case"},
    }
    return json.dumps(content, indent=1) + "\n"


def side_by_side(tables: Mapping[str, GoalTable]) -> tuple[list[str], list[list[str]]]:
    """Put goal tables of one sheet beside each other.

    Args:
        tables: By the plan's name; all of one sheet on one case.

    Returns:
        Header and rows: the goal, its priority, then value and status of each plan, and with two plans the change.
    """
    names = list(tables)
    two = len(names) == 2
    header = [
        "goal",
        "priority",
        *(title for name in names for title in (name, "status")),
        *(["change"] if two else []),
    ]
    rows = []
    for results in zip(*(table.results for table in tables.values()), strict=True):
        goal = results[0].goal
        cells = [text for result in results for text in (result.value_text, result.status)]
        change = [_change(*results)] if two else []
        rows.append([goal.criterion, "implied" if goal.implied else str(goal.priority), *cells, *change])
    return header, rows


def _change(first: GoalResult, second: GoalResult) -> str:
    change = second.value - first.value
    if math.isnan(change):
        return ""
    return f"{change:+.2f}{'%' if first.goal.unit == '%' else ' ' + first.goal.unit}".rstrip()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def plans_csv(result: Result) -> str:
    """Write every trial of a run as CSV, the best first.

    Args:
        result: The result of a run.
    """
    return trials_csv(result, list(columns_of(result)))


def columns_sheet(result: Result) -> str:
    """Explain the columns of `plans.csv` and `goals.csv`, as CSV.

    Args:
        result: The result of a run.
    """
    rows = [["plans.csv", c.title, c.unit, c.better, c.meaning] for c in columns_of(result)]
    rows += [["goals.csv", title, "", "", meaning] for title, meaning in COLUMNS.items()]
    return csv_text([["file", "column", "unit", "better", "meaning"], *rows])


def columns_of(result: Result) -> Iterator[Column]:
    """List the columns of `plans.csv`, in their order.

    Args:
        result: The result of a run.
    """
    rank = ranks(result)
    yield Column(
        "rank",
        "record",
        "1 is the best: the lowest loss; empty if not measured",
        lambda t: str(rank.get(t.number, "")),
        better="lower",
    )
    yield Column("number", "record", "the trial's number in the order of proposal", lambda t: str(t.number))
    yield Column("round", "record", "round of proposals; 0 holds the start parameters", lambda t: str(t.round))
    yield Column(
        "loss",
        "raw",
        "sum of missed goals' shortfalls, in % of the prescription or of the volume, weighted by priority; below 0 all "
        "are met",
        lambda t: _figure(t.loss),
        better="lower",
    )
    yield from _metrics(result)
    yield from outcome_columns(
        "no parameters of this case", "could not be planned", "wall time of planning and evaluation", _figure
    )
    yield Column(
        "parameters",
        "record",
        "the plan's objectives as JSON; as proposed if invalid",
        lambda t: _one_line(t.value),
    )


def _metrics(result: Result) -> Iterator[Column]:
    meanings = _meanings(result)
    names = dict.fromkeys(name for t in result.trials if t.feedback for name in t.feedback.metrics)
    for name in names:
        unit = result.units.get(name, "")
        meaning, better = meanings.get(name, (name, ""))
        yield Column(titled(name, unit), "raw", meaning, _reader(name), unit, better)


def _meanings(result: Result) -> dict[str, tuple[str, str]]:
    """Say what each metric is, and which end of it is better."""
    loss: Any = result.loss
    bound = getattr(loss, "bound", None)
    meanings = {
        "goals met": ("how many goals of the sheet are met exactly", "higher"),
        "objective": ("value of the planner's objective at its optimum; only comparable for the same parameters", ""),
        "gap": ("certified relative distance to the best plan of these parameters, at most", "lower"),
    }
    for goal in bound.goals if bound is not None else ():
        meanings[goal.name] = (f"goal: {goal}", "higher" if goal.comparison == ">=" else "lower")
    return meanings


def _reader(name: str) -> Callable[[Trial], str]:
    return lambda trial: _figure(trial.feedback.metrics.get(name)) if trial.feedback else ""


def _figure(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"


def _one_line(value: str) -> str:
    """Write parameters on one line; what is no JSON stays as it was proposed."""
    try:
        return json.dumps(json.loads(value))
    except (ValueError, RecursionError):
        return value
