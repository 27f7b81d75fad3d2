"""Goals with values and sensitivities, as a plan's evaluation would give them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tgsci_radiotherapy.goals.goal import parse_goal
from tgsci_radiotherapy.goals.table import GoalResult
from tgsci_radiotherapy.loss.effects import Effects
from tgsci_radiotherapy.plan import Objective, PlanParameters


def goal_result(text: str, value: float, scale: float = 50.0, priority: int = 1) -> GoalResult:
    """A goal, written as in a sheet, with a value and the scale of its margin."""
    return GoalResult(replace(parse_goal(text), priority=priority), value, scale)


def effects(*rows: tuple[str, float, float, bool, list[float]], doses: bool = True) -> Effects:
    """Two objectives, and goals given as name, value, limit, above, per doubling of the two weights."""
    objectives = (
        Objective("PTV", "squared_deviation", 50.0, 100.0),
        Objective("Core", "squared_overdose", 20.0, 100.0),
    )
    results = tuple(
        goal_result(f"{name} {'>=' if above else '<='} {limit} Gy, tolerance 0.5 Gy", value)
        for name, value, limit, above, _ in rows
    )
    doubling = np.array([e for *_, e in rows])
    gray = np.zeros_like(doubling) if doses else np.full_like(doubling, np.nan)
    return Effects(PlanParameters(objectives), results, doubling, gray, (), np.zeros((len(rows), 0)))


AGAINST = effects(("PTV D95%", 48.0, 50.0, True, [0.6, -0.6]), ("Core D10%", 27.0, 25.0, False, [1.9, -1.9]))
