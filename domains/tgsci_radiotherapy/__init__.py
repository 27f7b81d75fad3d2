"""Radiotherapy for tgsci: plan parameters as values, a dose-volume planner as a loss. Not for clinical use.

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .domain import NOTICE, RadiotherapyDomain

if TYPE_CHECKING:
    from .case.library import case_names, open_case
    from .case.model import Beam, Case, Dij, Grid, Structure
    from .editor.rules import RuleEditor
    from .goals import Goal, GoalTable, Metric, Sheet, default_parameters, dvh, evaluate, read_sheet, sheet_names
    from .loss import PlanLoss
    from .parameters import Objective, PlanParameters
    from .plan_file import PlanFile, read_plan, write_plan
    from .planner import Plan, Planner

__all__ = [
    "NOTICE",
    "Beam",
    "Case",
    "Dij",
    "Goal",
    "GoalTable",
    "Grid",
    "Metric",
    "Objective",
    "Plan",
    "PlanFile",
    "PlanLoss",
    "PlanParameters",
    "Planner",
    "RadiotherapyDomain",
    "RuleEditor",
    "Sheet",
    "Structure",
    "case_names",
    "default_parameters",
    "domain",
    "dvh",
    "evaluate",
    "open_case",
    "read_plan",
    "read_sheet",
    "sheet_names",
    "write_plan",
]

#: What the entry point names.
domain = RadiotherapyDomain()

_HOMES = {
    "case.library": ("case_names", "open_case"),
    "case.model": ("Beam", "Case", "Dij", "Grid", "Structure"),
    "editor.rules": ("RuleEditor",),
    "goals": (
        "Goal",
        "GoalTable",
        "Metric",
        "Sheet",
        "default_parameters",
        "dvh",
        "evaluate",
        "read_sheet",
        "sheet_names",
    ),
    "loss": ("PlanLoss",),
    "parameters": ("Objective", "PlanParameters"),
    "plan_file": ("PlanFile", "read_plan", "write_plan"),
    "planner": ("Plan", "Planner"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f".{module}", __name__), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
