"""Clinical goals: dose-volume metrics, sheets of goals, and what a dose makes of them.

`read_sheet("tg119-easier").bind(case)` gives goals on a case, and `evaluate(bound, case, dose)` the table. How metrics
are defined is in `metrics`, how sheets are written in `sheet`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bind import BoundSheet
    from .evaluation import dvh, evaluate, gradient, measure
    from .goal import Goal
    from .metrics import Metric
    from .reader import parse_sheet, read_sheet, sheet_names
    from .sheet import Sheet
    from .start import default_parameters
    from .table import GoalResult, GoalTable

__all__ = [
    "BoundSheet",
    "Goal",
    "GoalResult",
    "GoalTable",
    "Metric",
    "Sheet",
    "default_parameters",
    "dvh",
    "evaluate",
    "gradient",
    "measure",
    "parse_sheet",
    "read_sheet",
    "sheet_names",
]

_HOMES = {
    "BoundSheet": "bind",
    "Goal": "goal",
    "GoalResult": "table",
    "GoalTable": "table",
    "Metric": "metrics",
    "Sheet": "sheet",
    "default_parameters": "start",
    "dvh": "evaluation",
    "evaluate": "evaluation",
    "gradient": "evaluation",
    "measure": "evaluation",
    "parse_sheet": "reader",
    "read_sheet": "reader",
    "sheet_names": "reader",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:  # lazily: sheets can be listed without numpy
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
