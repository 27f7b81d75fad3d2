"""Goals that no dose can meet together, found before a plan is made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .goal import Goal


@dataclass(frozen=True)
class _Bound:
    """A goal as a bound on a dose-volume histogram.

    Args:
        goal: Whose it is.
        dose: Gy.
        volume: % of the structure that must get at least `dose` where `lower`, or at most where not.
        lower: True of a goal that asks for dose.
    """

    goal: Goal
    dose: float
    volume: float
    lower: bool


def contradiction(goals: Sequence[Goal], volume_cc: float = math.nan) -> str:
    """What two goals on one structure exclude each other, in words; "" where none do.

    V(L) >= a% says the same as Da% >= L, and V(U) <= b% is read as Db% <= U: a step of the dose at exactly b% of the
    volume is not counted on. A histogram falls: what at least a% of the volume gets, b% < a% get too. So Da% >= L and
    Db% <= U exclude each other where U < L and b <= a; and a mean is at least L a/100 and at most the maximum.

    Args:
        goals: Goals on one structure, their limits in the metrics' units (no % of a prescription).
        volume_cc: Volume of the structure, cc; nan where it is not known, and goals in cc are passed over.
    """
    bounds = [bound for goal in goals if (bound := _bound(goal, volume_cc)) is not None]
    for low in (b for b in bounds if b.lower):
        for high in (b for b in bounds if not b.lower):
            tied = math.isclose(low.volume, high.volume, abs_tol=1e-9)
            if high.dose < low.dose and (high.volume < low.volume or tied):
                return _words(low.goal, high.goal)
    means = [goal for goal in goals if goal.metric.kind == "Dmean"]
    for mean in means:
        for bound in bounds:
            if mean.comparison == "<=" and bound.lower and mean.limit < bound.dose * bound.volume / 100.0:
                return _words(bound.goal, mean)
            top = not bound.lower and bound.volume == 0.0
            if mean.comparison == ">=" and top and mean.limit > bound.dose:
                return _words(mean, bound.goal)
    same = [g for g in goals if g.comparison == ">="]
    for low_goal in same:
        for high_goal in goals:
            window = high_goal.comparison == "<=" and high_goal.metric == low_goal.metric
            if window and high_goal.limit < low_goal.limit:
                return _words(low_goal, high_goal)
    return ""


def _words(low: Goal, high: Goal) -> str:
    return f"{low.wish} and {high.wish} cannot both be met; change one of them"


def _bound(goal: Goal, volume_cc: float) -> _Bound | None:
    metric, lower = goal.metric, goal.comparison == ">="
    if metric.kind in ("D%", "Dmax", "Dmin", "Dcc"):
        percent = {"D%": metric.amount, "Dmax": 0.0, "Dmin": 100.0}.get(metric.kind)
        if percent is None:
            percent = min(100.0, 100.0 * metric.amount / volume_cc)
        return None if math.isnan(percent) else _Bound(goal, goal.limit, percent, lower)
    if metric.kind not in ("VGy", "CVGy"):
        return None
    percent = goal.limit if metric.unit == "%" else 100.0 * goal.limit / volume_cc
    if metric.kind == "CVGy":  # V = 100% - CV
        percent, lower = 100.0 - percent, not lower
    anyway = percent <= 0.0 if lower else percent >= 100.0  # any dose meets it
    return None if anyway or math.isnan(percent) else _Bound(goal, metric.amount, percent, lower)
