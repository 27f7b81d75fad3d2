"""Radiotherapy for tgsci: plan parameters as values, a dose-volume planner as a loss. Not for clinical use.

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .notice import NOTICE
from .plugin import RadiotherapyDomain

if TYPE_CHECKING:
    from .case.library import case_names, open_case
    from .case.model import Beam, Case, Dij, Grid, Structure
    from .editor.rules import RuleEditor
    from .goals import Goal, GoalTable, Metric, Sheet, default_parameters, dvh, evaluate, read_sheet, sheet_names
    from .loss import PlanLoss
    from .plan import Objective, PlanParameters
    from .plan.file import PlanFile, read_plan, write_plan
    from .planner import Plan, Planner
    from .qa.gamma import Gamma, gamma_index
    from .qa.robustness import Robustness, under_shifts
    from .views.notebook import look, plans, sensitivities, show
    from .views.plots import dose_wash, dvh_figure

__all__ = [
    "NOTICE",
    "Beam",
    "Case",
    "Dij",
    "Gamma",
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
    "Robustness",
    "RuleEditor",
    "Sheet",
    "Structure",
    "case_names",
    "default_parameters",
    "domain",
    "dose_wash",
    "dvh",
    "dvh_figure",
    "evaluate",
    "gamma_index",
    "look",
    "open_case",
    "plans",
    "read_plan",
    "read_sheet",
    "sensitivities",
    "sheet_names",
    "show",
    "under_shifts",
    "write_plan",
]

#: What the entry point names.
domain = RadiotherapyDomain()

_HOMES = {
    "case.library": ("case_names", "open_case"),
    "case.model": ("Beam", "Case", "Dij", "Grid", "Structure"),
    "editor.rules": ("RuleEditor",),
    "qa.gamma": ("Gamma", "gamma_index"),
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
    "views.notebook": ("look", "plans", "sensitivities", "show"),
    "views.plots": ("dose_wash", "dvh_figure"),
    "plan": ("Objective", "PlanParameters"),
    "plan.file": ("PlanFile", "read_plan", "write_plan"),
    "planner": ("Plan", "Planner"),
    "qa.robustness": ("Robustness", "under_shifts"),
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
