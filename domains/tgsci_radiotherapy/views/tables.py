"""Goal tables as files: CSV for spreadsheets, JSON for scripts; several plans side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..notice import NOTICE
from .written import csv_text

if TYPE_CHECKING:
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
    "priority": "1 is the most important",
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


def goals_csv(table: GoalTable) -> str:
    """A goal table as CSV; `COLUMNS` says what stands in it."""
    rows = []
    for result, row in zip(table.results, table.as_dict()["goals"], strict=True):
        said = {**row, "goal": result.goal.wish, "grid": table.grid, "sheet": table.sheet, "case": table.case}
        said["remark"] = NOTICE
        rows.append([_cell(said[name]) for name in COLUMNS])
    return csv_text([list(COLUMNS), *rows])


def goals_json(table: GoalTable, case: Case) -> str:
    """A goal table as JSON, with the case that it is of."""
    said = {
        "notice": NOTICE,
        "case": {"name": case.name, "fingerprint": case.fingerprint, "fractions": case.fractions},
        **{key: value for key, value in table.as_dict().items() if key != "case"},
    }
    return json.dumps(said, indent=1) + "\n"


def side_by_side(tables: Mapping[str, GoalTable]) -> tuple[list[str], list[list[str]]]:
    """Goal tables of one sheet beside each other.

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
        cells = [text for result in results for text in (value_text(result), result.status)]
        change = [_change(*results)] if two else []
        rows.append([goal.wish, str(goal.priority), *cells, *change])
    return header, rows


def value_text(result: GoalResult) -> str:
    """What a plan has, with its unit; "" where it was not evaluated."""
    if math.isnan(result.value):
        return ""
    unit = result.goal.unit
    return (
        f"{result.value:.3f}" if not unit else f"{result.value:.2f}%" if unit == "%" else f"{result.value:.2f} {unit}"
    )


def _change(first: GoalResult, second: GoalResult) -> str:
    change = second.value - first.value
    if math.isnan(change):
        return ""
    return f"{change:+.2f}{'%' if first.goal.unit == '%' else ' ' + first.goal.unit}".rstrip()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
