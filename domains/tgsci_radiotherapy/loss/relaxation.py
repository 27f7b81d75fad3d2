"""Goals as convex constraints of the dose: what every plan that meets them satisfies.

`planner.constraints` has the sets. Here is what each metric means for them, so that the proofs of
`planner.feasibility` are about the goals as `goals.evaluate` counts them: ranks, whole voxels and all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..goals.goal import absolute
from ..goals.values import ranks
from ..planner.constraints import Constraint
from ..planner.hottest import hottest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..case.model import Case
    from ..goals import Goal

    Rows = NDArray[np.integer]
    Array = NDArray[np.float64]

#: A dose is kept as float32: a limit may be met by a dose that is beyond it by this share.
_ROUNDING = 2e-7
#: A share of voxels is whole where only rounding keeps it from being so.
_WHOLE = 1e-9
#: A goal that spares more voxels than this is no ceiling.
_MOST_SPARED = 10


@dataclass(frozen=True)
class Ceiling:
    """The highest dose of a plan, and who says so.

    Args:
        dose: All rows but `spare` get at most this, Gy.
        spare: How many may get more.
        above: What each row may get beyond `dose` where it is one of those, Gy, (rows,).
        goal: The goal that asks for it; None where it is assumed.
    """

    dose: float
    spare: int
    above: Array
    goal: Goal | None


@dataclass(frozen=True)
class Relaxation:
    """Goals as convex constraints.

    Args:
        constraints: What follows from them.
        ceiling: The highest dose that is counted on; None where nothing limits the dose everywhere.
        silent: The goals from which nothing follows.
        sources: Of each constraint: the goals that it follows from.
    """

    constraints: tuple[Constraint, ...]
    ceiling: Ceiling | None
    silent: tuple[Goal, ...]
    sources: tuple[tuple[Goal, ...], ...]


def relax(
    case: Case, goals: Sequence[Goal], prescriptions: Mapping[str, float], *, assumed: float | None = None
) -> Relaxation:
    """Find the convex constraints that follow from goals.

    Args:
        case: The case.
        goals: Bound to the case.
        prescriptions: Of their structures, total Gy.
        assumed: The highest dose that plans are assumed to have, Gy, where no goal limits it everywhere.
    """
    known = [absolute(goal, prescriptions[goal.structure]) or goal for goal in goals]
    ceiling = _ceiling(case, list(zip(goals, known, strict=True)), assumed)
    profiles: dict[str, _Profile] = {}
    made: list[tuple[Constraint, tuple[Goal, ...]]] = []
    for goal, plain in zip(goals, known, strict=True):
        profile = profiles.setdefault(goal.structure, _Profile(case.rows(goal.structure)))
        size, cc = len(profile.rows), case.grid.voxel_cc
        above, least = most_above(plain, size, cc), least_at(plain, size, cc)
        if above is not None:
            profile.high.append((above, dose_of(plain), (goal,)))
        elif least is not None:
            profile.low.append((size - least, dose_of(plain), (goal,)))
        elif (pooled := _pooled(plain, profile.rows)) is not None:
            made.append((pooled, (goal,)))
        elif plain.metric.kind == "CI" and plain.comparison == ">=" and plain.limit > 0:
            made += _conformity(case, goal, prescriptions[goal.structure], profile, ceiling)
    for goal, plain in zip(goals, known, strict=True):
        if plain.metric.kind == "HI" and plain.comparison == "<=":
            _homogeneity(plain, goal, profiles[goal.structure], case.grid.voxel_cc)
    for profile in profiles.values():
        made += profile.constraints(ceiling)
    told = {id(goal) for _, sources in made for goal in sources}
    silent = tuple(goal for goal in goals if id(goal) not in told)
    return Relaxation(tuple(c for c, _ in made), ceiling, silent, tuple(sources for _, sources in made))


def most_above(goal: Goal, size: int, voxel_cc: float) -> int | None:
    """Count the voxels that may get more than an upper goal's dose; None for what is no goal of this kind.

    Args:
        goal: In Gy.
        size: Voxels of its structure.
        voxel_cc: Volume of one, cc.
    """
    kind = goal.metric.kind
    if kind in ("D%", "Dcc", "Dmax", "Dmin") and goal.comparison == "<=":
        (rank,) = ranks(goal.metric, size, voxel_cc)
        rank = min(max(rank, 1.0), float(size))
        # (1 - f) d(k) + f d(k + 1) <= U, so d(k + 1) is; d(k) where there is no f.
        return math.floor(rank) if rank % 1.0 else int(rank) - 1
    if kind == "VGy" and goal.comparison == "<=":
        return min(_floor(_share(goal, voxel_cc * size) * size), size)
    if kind == "CVGy" and goal.comparison == ">=":
        return max(size - _ceil(_share(goal, voxel_cc * size) * size), 0)
    return None


def least_at(goal: Goal, size: int, voxel_cc: float) -> int | None:
    """Count the voxels that have to get a lower goal's dose; None for what is no goal of this kind."""
    kind = goal.metric.kind
    if kind in ("D%", "Dcc", "Dmax", "Dmin") and goal.comparison == ">=":
        (rank,) = ranks(goal.metric, size, voxel_cc)
        return math.floor(min(max(rank, 1.0), float(size)))
    if kind == "VGy" and goal.comparison == ">=":
        return min(_ceil(_share(goal, voxel_cc * size) * size), size)
    if kind == "CVGy" and goal.comparison == "<=":
        return max(size - _floor(_share(goal, voxel_cc * size) * size), 0)
    return None


def dose_of(goal: Goal) -> float:
    """Give the dose that a goal about a histogram is about, Gy."""
    return goal.limit if goal.metric.unit == "Gy" else goal.metric.amount


def _share(goal: Goal, volume_cc: float) -> float:
    return goal.limit / (volume_cc if goal.metric.unit == "cc" else 100.0)


def _floor(count: float) -> int:
    return math.floor(count * (1 + _WHOLE) + _WHOLE)


def _ceil(count: float) -> int:
    return max(math.ceil(count * (1 - _WHOLE) - _WHOLE), 0)


def _ceiling(case: Case, goals: Sequence[tuple[Goal, Goal]], assumed: float | None) -> Ceiling | None:
    """Find the goal that limits the dose of all rows but a few, and what it leaves these; else what is assumed."""
    found: list[Ceiling] = []
    everywhere = case.dij.rows
    for goal, plain in goals:
        size = len(case.rows(goal.structure))
        spare = most_above(plain, size, case.grid.voxel_cc)
        if spare is None or spare > _MOST_SPARED or size < everywhere:
            continue
        dose = dose_of(plain) * (1 + _ROUNDING)
        above = np.zeros(everywhere)
        if spare:
            above = hottest(case, dose, spare) - dose
            if not np.isfinite(above).all():
                continue
        found.append(Ceiling(dose, spare, above, goal))
    if found:
        return min(found, key=lambda c: c.dose)
    return None if assumed is None else Ceiling(assumed, 0, np.zeros(everywhere), None)


def _pooled(goal: Goal, rows: Rows) -> Constraint | None:
    upper = goal.comparison == "<="
    limit = goal.limit * (1 + _ROUNDING if upper else 1 - _ROUNDING)
    if goal.metric.kind == "Dmean":
        return Constraint("mean", upper, rows, limit)
    if goal.metric.kind == "gEUD" and upper == (goal.metric.amount >= 1.0):
        return Constraint("eud", upper, rows, limit, exponent=goal.metric.amount)
    return None


@dataclass
class _Profile:
    """What the goals on a structure say of its doses, sorted: how many voxels are spared, from which dose."""

    rows: Rows
    high: list[tuple[int, float, tuple[Goal, ...]]] = field(default_factory=list)
    low: list[tuple[int, float, tuple[Goal, ...]]] = field(default_factory=list)

    def constraints(self, ceiling: Ceiling | None) -> list[tuple[Constraint, tuple[Goal, ...]]]:
        """Make a constraint of each dose that is asked for, those beyond it telling how far the spared may be off."""
        size = len(self.rows)
        made: list[tuple[Constraint, tuple[Goal, ...]]] = []
        for spare, dose, sources in self.low:
            if spare >= size:
                continue
            limit = dose * (1 - _ROUNDING)
            least = np.zeros(spare)
            for fewer, lower, more in self.low:
                if fewer < spare and lower < dose:
                    least[fewer:] = np.maximum(least[fewer:], lower * (1 - _ROUNDING))
                    sources = tuple(dict.fromkeys((*sources, *more)))
            made.append((Constraint("voxels", False, self.rows, limit, least), sources))
        for spare, dose, sources in self.high:
            if spare >= size:
                continue
            limit = dose * (1 + _ROUNDING)
            most, extra = np.full(spare, np.inf), None
            if spare and ceiling:
                most[:] = ceiling.dose
                limit = min(limit, ceiling.dose)
                sources = tuple(dict.fromkeys((*sources, *([ceiling.goal] if ceiling.goal else []))))
                if ceiling.spare:
                    extra = min(ceiling.spare, spare), ceiling.above[self.rows]
            for fewer, higher, more in self.high:
                if fewer < spare and higher > dose:
                    most[fewer:] = np.minimum(most[fewer:], higher * (1 + _ROUNDING))
                    sources = tuple(dict.fromkeys((*sources, *more)))
            if np.isfinite(most).all():
                made.append((Constraint("voxels", True, self.rows, limit, np.maximum(most, limit), extra), sources))
        return made


def _homogeneity(plain: Goal, goal: Goal, profile: _Profile, voxel_cc: float) -> None:
    """Add what follows from (D2% - D98%) / D50% <= h, with what other goals ask of the median.

    D98% <= D50% <= D2%, so D98% >= (1 - h) D50% and D2% <= (1 + h) D50%; the median is at least, and at most, that of
    another goal.
    """
    size = len(profile.rows)
    hot, cold, middle = (min(max(r, 1.0), float(size)) for r in ranks(plain.metric, size, voxel_cc))
    hot_spare = math.floor(hot) if hot % 1.0 else int(hot) - 1
    low = [
        (size - math.floor(cold), (1 - plain.limit) * dose, (goal, *sources))
        for spare, dose, sources in profile.low
        if size - spare >= math.ceil(middle)
    ]
    high = [
        (hot_spare, (1 + plain.limit) * dose, (goal, *sources))
        for spare, dose, sources in profile.high
        if spare < math.floor(middle)
    ]
    profile.low += [entry for entry in low if entry[1] > 0]
    profile.high += high


def _conformity(
    case: Case, goal: Goal, dose: float, profile: _Profile, ceiling: Ceiling | None
) -> list[tuple[Constraint, tuple[Goal, ...]]]:
    """Use TV_PIV^2 / (TV PIV) >= c: TV_PIV >= c TV, and outside at most TV (1 / c - 1) get the prescription."""
    size = len(profile.rows)
    profile.low.append((size - _ceil(goal.limit * size), dose, (goal,)))
    outside = _Profile(np.setdiff1d(np.arange(case.dij.rows), profile.rows))
    outside.high.append((_floor(size * (1.0 / goal.limit - 1.0)), dose, (goal,)))
    return outside.constraints(ceiling)
