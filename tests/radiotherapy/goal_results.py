"""Goals with values, as a plan's evaluation would give them."""

from __future__ import annotations

from dataclasses import replace

from tgsci_radiotherapy.goals.goal import parse_goal
from tgsci_radiotherapy.goals.table import GoalResult


def goal_result(text: str, value: float, scale: float = 50.0, priority: int = 1) -> GoalResult:
    """A goal, written as in a sheet, with a value and the scale of its margin."""
    return GoalResult(replace(parse_goal(text), priority=priority), value, scale)
