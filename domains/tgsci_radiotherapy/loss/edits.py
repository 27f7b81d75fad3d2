"""Edits of a plan's objectives: a step along its sensitivities, and those of kind that no slope tells anything of.

A squared objective cannot say what a percentile goal says: it pays for voxels that the goal gives away. An objective
that no goal asks for pays for nothing. Such edits leave the neighbourhood of the plan: solving says what they do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import InvalidValue

from ..goals import GoalResult
from ..goals.table import valued
from ..plan import Objective, PlanParameters
from . import scoring
from .effects import Effects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case

    Floats = NDArray[np.float64]

#: Doses between 0 and this share of the highest one that is asked for are refused where they are read.
_LEAST = 0.06
#: Smallest and largest weight that an edit sets.
_LEAST_WEIGHT, _MOST_WEIGHT = 1e-3, 1e7
#: Changes smaller than this are left out: doublings, and a share of the highest dose.
_LEAST_DOUBLINGS, _LEAST_SHARE = 0.03, 2e-4
#: A dose-volume objective aims beyond its goal by this share of the dose: up for targets, down for organs and for hot
#: spots; and by this part of the volume that the goal gives away.
_BEYOND = {True: 1.01, False: 0.99}
_BEYOND_ORGAN, _BEYOND_VOLUME = 0.97, 0.07
#: Volumes, %, between which a goal is one of a percentile, and not of the hottest or the coldest voxels.
_PERCENTILES = (2.5, 97.5)
#: What stands aside of a goal that is restated keeps this share of its weight; what no goal asks for, this.
_ASIDE, _RELAXED = 0.001, 0.1
#: An objective does nothing where a doubling moves no goal by more than this share of its scale; of how many doublings
#: less the slopes are asked what leaving one out would do.
_IDLE, _LESS = 1e-4, 2.0
#: Where a target's deviation is split: how much more underdose counts, and how far each begins from the goals.
_UNDER, _SPLIT = 4.0, 0.005


@dataclass(frozen=True)
class Edit:
    """Parameters that differ in kind from those of a plan.

    Args:
        kind: What was done, in a few words.
        parameters: The new ones.
    """

    kind: str
    parameters: PlanParameters


def highest_dose(parameters: PlanParameters) -> float:
    """Find the highest dose that is asked for, Gy: steps of doses are measured by it."""
    return max((o.dose_gy or 0.0 for o in parameters.objectives if o.lifts), default=0.0) or 50.0


def allowed_dose(dose: float, lifts: bool, parameters: PlanParameters) -> float:
    """Round a dose to two decimals, and move one that parameters may not have to the nearest one they may.

    Between 0 and 6% of the highest dose a figure would be taken for the dose of one fraction.

    Args:
        dose: Gy.
        lifts: Whether the objective asks for dose.
        parameters: What it belongs to.
    """
    dose, least = round(max(dose, 0.0), 2), _LEAST * highest_dose(parameters)
    if dose >= least:
        return dose
    return 0.0 if dose < least / 2 and not lifts else math.ceil(100 * least) / 100


def common_doublings(parameters: PlanParameters, doublings: Floats) -> float:
    """Find the change that all weights have in common, doublings; only ratios count, so it can be left out."""
    counted = [i for i, objective in enumerate(parameters.objectives) if objective.weight > 0]
    return float(np.sort(doublings[counted])[(len(counted) - 1) // 2]) if counted else 0.0


def stepped(effects: Effects, doublings: Floats, grays: Floats, additions: Floats) -> PlanParameters | None:
    """Give a plan other weights and doses, and objectives more.

    Args:
        effects: The plan's.
        doublings: Change of each weight, (k,).
        grays: Change of each dose, Gy, (k,).
        additions: Multiple of the weight that each addition is listed with, (a,).

    Returns:
        None where nothing changes that is worth a plan, or a figure would be out of range.
    """
    parameters = effects.parameters
    common = common_doublings(parameters, doublings)
    least = _LEAST_SHARE * highest_dose(parameters)
    try:
        made = parameters
        for i, o in enumerate(parameters.objectives):
            by = doublings[i] - common
            if o.weight > 0 and abs(by) >= _LEAST_DOUBLINGS:
                weight = float(np.clip(o.weight * 2.0**by, _LEAST_WEIGHT, _MOST_WEIGHT))
                made = made.replaced(i, weight=float(f"{weight:.3g}"))
            if o.dose_gy is not None and abs(grays[i]) >= least:
                made = made.replaced(i, dose_gy=allowed_dose(o.dose_gy + float(grays[i]), o.lifts, parameters))
        more = [
            replace(o, weight=float(f"{max(share * o.weight * 2.0**-common, _LEAST_WEIGHT):.3g}"))
            for o, share in zip(effects.additions, additions, strict=True)
            if share >= 0.05
        ]
        made = made.with_objectives(more)
    except InvalidValue:
        return None
    return None if made == parameters else made


def structural(case: Case, results: Sequence[GoalResult], parameters: PlanParameters) -> Iterator[Edit]:
    """Yield edits of kind that may help the goals that a plan misses, the most promising first.

    Args:
        case: The patient.
        results: The plan's goals.
        parameters: Its objectives.
    """
    if all(r.met for r in results):
        return
    for kind, make in (
        ("percentile goals as dose-volume objectives", _restated),
        ("under- and overdose apart", _split),
    ):
        yield from edited(case, kind, parameters, make(case, results, parameters))


def relaxed(case: Case, results: Sequence[GoalResult], parameters: PlanParameters) -> Iterator[Edit]:
    """Yield the edit that lowers the weights of what no goal of the sheet is about, where one is missed."""
    if not all(r.met for r in results):
        yield from edited(case, "relaxed what no goal asks for", parameters, _relaxed(results, parameters))


def left_out(case: Case, effects: Effects) -> Iterator[Edit]:
    """Yield the edit that leaves out objectives that do nothing, and the one that hurts most.

    Nothing: a doubling of its weight moves no goal visibly. Hurt: by its slopes the loss falls as its weight does.
    What asks for dose stays.

    Args:
        case: The patient.
        effects: The plan's.
    """
    parameters, results = effects.parameters, effects.results
    slopes = np.nan_to_num(effects.per_doubling)
    scale = np.array([r.scale for r in results])
    idle = {
        i
        for i, o in enumerate(parameters.objectives)
        if not o.lifts and (not o.weight or (np.abs(slopes[:, i]) < _IDLE * scale).all())
    }
    least = scoring.loss(results)
    hurts = None
    for i, o in enumerate(parameters.objectives):
        if o.lifts or i in idle:
            continue
        without = valued(results, effects.values - _LESS * slopes[:, i])
        if scoring.loss(without) < least:
            least, hurts = scoring.loss(without), i
    kept = tuple(o for i, o in enumerate(parameters.objectives) if i not in idle and i != hurts)
    if 0 < len(kept) < len(parameters.objectives):
        kind = "left out what does nothing" if hurts is None else "left out what hurts"
        yield from edited(case, kind, parameters, PlanParameters(kept))


def edited(case: Case, kind: str, before: PlanParameters, made: PlanParameters | None) -> Iterator[Edit]:
    """Yield an edit, or nothing where it changes nothing or asks for what cannot be.

    Args:
        case: The patient.
        kind: What was done, in a few words.
        before: The plan's objectives.
        made: The edited ones; None for none.
    """
    if made is None or made == before:
        return
    try:
        yield Edit(kind, made.checked(case))
    except InvalidValue:
        return


def _restated(case: Case, results: Sequence[GoalResult], parameters: PlanParameters) -> PlanParameters | None:
    """Write percentile goals as dose-volume objectives where one is missed, and let all else count for little.

    Those of the targets are written too where they are met: what is squeezed out of an organ comes up there.
    """
    # Where the sheet asks for the coldest or hottest voxels too, none may be given away.
    held = {r.goal.structure for r in results if not r.goal.implied and _extreme(case, r)}
    stated = [
        (r, point)
        for r in results
        if not r.goal.implied and r.goal.structure not in held and (point := _percentile(case, r)) is not None
    ]
    concerned = {r.goal.structure for r, _ in stated if not r.met}
    if not concerned:
        return None
    # All of them alike: what they say is where they end, not how much they hurt.
    weight = max((o.weight for o in parameters.objectives if o.lifts), default=1.0)
    about: dict[str, list[Objective]] = {}
    for r, (dose, volume, asks) in stated:
        name, target = r.goal.structure, case.structure(r.goal.structure).type == "target"
        if not target and name not in concerned:
            continue
        aim = dose * (_BEYOND[asks] if target else _BEYOND_ORGAN)
        part = volume + _BEYOND_VOLUME * (100.0 - volume) if asks else (1.0 - _BEYOND_VOLUME) * volume
        kind = "min_dvh" if asks else "max_dvh"
        about.setdefault(name, []).append(Objective(name, kind, round(aim, 2), weight, volume_percent=round(part, 1)))
    new = [o for objectives in about.values() for o in objectives if not _has(parameters, o)]
    if not new:
        return None
    asked = _asked_for(results)
    kept = []
    for o in parameters.objectives:
        if o.type in ("min_dvh", "max_dvh", "mean") or (o.structure in asked and o.structure not in about):
            kept.append(o)
        else:
            kept.append(replace(o, weight=float(f"{max(_ASIDE * o.weight, _LEAST_WEIGHT):.3g}")))
    return PlanParameters((*kept, *new))


def _split(case: Case, results: Sequence[GoalResult], parameters: PlanParameters) -> PlanParameters | None:
    """Split the deviation of each target that misses a goal into under- and overdose, to be weighed apart."""
    missed = {r.goal.structure for r in results if not r.met}
    objectives: list[Objective] = []
    for o in parameters.objectives:
        if o.type != "squared_deviation" or o.structure not in missed or not o.weight or not o.dose_gy:
            objectives.append(o)
            continue
        points = [p for r in results if r.goal.structure == o.structure if (p := _point(case, r)) is not None]
        low = max((dose for dose, _, asks in points if asks), default=o.dose_gy)
        high = min((dose for dose, _, asks in points if not asks and dose > low), default=1.05 * low)
        under, over = (1.0 + _SPLIT) * low, max((1.0 - _SPLIT) * high, (1.0 + 2 * _SPLIT) * low)
        objectives += [
            replace(o, type="squared_underdose", dose_gy=round(under, 2), weight=_UNDER * o.weight),
            replace(o, type="squared_overdose", dose_gy=round(over, 2)),
        ]
    return PlanParameters(tuple(dict.fromkeys(objectives)))


def _relaxed(results: Sequence[GoalResult], parameters: PlanParameters) -> PlanParameters:
    """Lower the weights of objectives on what no goal is about."""
    asked = _asked_for(results)
    objectives = tuple(
        o
        if o.structure in asked or o.lifts or o.weight <= 10 * _LEAST_WEIGHT
        else replace(o, weight=float(f"{_RELAXED * o.weight:.3g}"))
        for o in parameters.objectives
    )
    return PlanParameters(objectives)


def _asked_for(results: Sequence[GoalResult]) -> set[str]:
    """Name the structures that the sheet's own goals are about."""
    return {r.goal.structure for r in results if not r.goal.implied}


def _point(case: Case, result: GoalResult) -> tuple[float, float, bool] | None:
    """Find the dose, the volume in %, and whether dose is asked for, of a goal about a point of the histogram."""
    goal = result.goal
    volume_cc = len(case.rows(goal.structure)) * case.grid.voxel_cc
    point = goal.point(volume_cc, case.prescription)
    return None if point is None else (point.dose, point.volume, point.asks_for_dose)


def _percentile(case: Case, result: GoalResult) -> tuple[float, float, bool] | None:
    """Find the point of a goal about a part of a structure that is neither its hottest nor its coldest voxels."""
    point = _point(case, result)
    return point if point is not None and _PERCENTILES[0] <= point[1] <= _PERCENTILES[1] else None


def _extreme(case: Case, result: GoalResult) -> bool:
    """Tell whether a goal is about the hottest or the coldest voxels of its structure, or about both."""
    return result.goal.metric.kind == "HI" or (_point(case, result) is not None and _percentile(case, result) is None)


def _has(parameters: PlanParameters, objective: Objective) -> bool:
    """Tell whether parameters have an objective of this structure, type and volume already."""
    key = (objective.structure, objective.type, objective.volume_percent)
    return any((o.structure, o.type, o.volume_percent) == key for o in parameters.objectives)
