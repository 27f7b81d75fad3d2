"""Class solutions: parameters to start from, as experienced planners write them down for such goals.

    target          squared underdose a little above what its goals ask for, strong; squared overdose above that, mild;
                    of a lower target the overdose counts only where the margin of higher ones does not reach
    parallel organ  (a goal for its mean or gEUD) EUD at the dose that the goal asks for; its plain mean where the
                    targets forbid the goal
    serial organ    (a goal for its hottest part) squared overdose from below the limit on; an organ with goals of both
                    kinds gets both
    volumes         (V40Gy <= 35%) squared overdose from below the dose on, the strictest of them
    around          for each target level a ring from 3 to 13 mm; from 13 mm on the body has its fall-off; the highest
                    dose is for targets alone

Weights follow priorities, and are such that a Gy of a target's coldest voxels costs more than a Gy of an organ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tgsci.errors import InvalidValue, UsageError

from ..case.regions import EXTERNAL, TARGETS
from ..plan.checks import LEAST_SHARE
from .bind import BoundSheet
from .goal import Goal, absolute
from .implied import quoted

if TYPE_CHECKING:
    from ..case.model import Case, Structure
    from ..plan import Objective, PlanParameters
    from .sheet import Sheet

#: Weights: a target's underdose and overdose, an organ's maximum, its mean, a ring, the body.
UNDER, OVER, SERIAL, PARALLEL, MEAN, RING, BODY = 3000.0, 1500.0, 300.0, 60.0, 120.0, 30.0, 60.0
#: Weight of hot spots outside targets, voxel by voxel, beside that of a target's overdose.
_HOT = 0.5
#: What a goal of each priority makes of its organ's weight.
_BY_PRIORITY = {1: 2.0, 2: 1.0, 3: 0.5, 4: 0.25}
#: Where a target's underdose and overdose begin, as shares of the dose that its goals ask for.
_AIM, _UPPER = 1.025, 1.035
#: Shares of a limit at which an organ's penalty begins: of its hottest part, of its mean, of volumes.
_MAXIMUM, _MEAN, _VOLUME = 0.85, 0.85, 0.9
#: An organ whose own voxels are left less than this share of a mean's limit gets its plain mean.
_LEFT = 0.5
#: The former where the limit is near the targets' dose; and in targets themselves, where it is above that.
_NEAR_TARGET, _IN_TARGET = 0.92, 0.97
#: Margin of higher targets in which a lower one may get more, mm.
_MARGIN_MM = 5.0
#: Rings, mm, and where they and the body beyond them begin, as shares of the level's (the lowest) prescription.
_RING, _RING_SHARE, _FAR_SHARE = (3.0, 13.0), 0.80, 0.60
#: Highest dose in the body outside targets, as a share of the highest prescription.
_HOTTEST = 1.0
#: A goal for at most this part of an organ is one for its hottest part.
_HOT_PART, _HOT_CC = 0.05, 2.0


def default_parameters(case: Case, sheet: Sheet | BoundSheet) -> PlanParameters:
    """Choose parameters to start a search from: see the module.

    Args:
        case: The case.
        sheet: Goals, bound to the case or not.

    Raises:
        UsageError: The sheet does not fit the case, or the case has no target.
    """
    from ..plan import PlanParameters

    bound = sheet if isinstance(sheet, BoundSheet) else sheet.bind(case)
    by_name: dict[str, list[Goal]] = {}
    for goal in bound.goals:
        known = absolute(goal, bound.prescriptions[goal.structure])
        if known is not None and not goal.implied:
            by_name.setdefault(goal.structure, []).append(known)
    levels = [
        (dose, target)
        for target in case.targets
        if (dose := target.prescription or bound.prescriptions.get(target.name, 0.0)) > 0 and len(target.voxels)
    ]
    levels.sort(key=lambda level: -level[0])
    objectives: list[Objective] = []
    for place, (dose, target) in enumerate(levels):
        higher = [other.name for more, other in levels[:place] if more > dose * 1.001]
        objectives += _of_target(target, dose, by_name.get(target.name, []), higher)
    for structure in case.structures:
        if structure.type == "oar" and case.count_own(structure.name):
            objectives += _of_organ(case, structure, by_name.get(structure.name, []))
    if not any(o.lifts for o in objectives if case.count_own(o.structure)):
        raise UsageError(
            f"{case.name} has no target with a prescription and voxels of its own; there is nothing to plan"
        )
    for name in by_name:
        if name not in case.names:
            objectives += _of_region(case.structure(name), by_name[name])
    hottest = [_dose(g) for outline in case.outlines for g in by_name.get(outline.name, []) if _is_hottest(g)]
    if hottest and min(hottest) > case.prescription:  # targets are the hottest part of the body
        objectives.append(_overdose(TARGETS, _IN_TARGET * min(hottest), case.prescription, OVER))
    objectives += _around(case, levels)
    return PlanParameters(tuple(_fitting(objectives, case))).checked(case)


def _fitting(objectives: Iterable[Objective], case: Case) -> Iterator[Objective]:
    """Leave out what finds no voxel or repeats another: a region in the way of others may be empty."""
    from ..plan.checks import check_objective, with_case_name

    labels: set[str] = set()
    for objective in objectives:
        try:
            named = with_case_name(objective, case)
            check_objective(named, case)
        except InvalidValue:
            continue
        if named.label not in labels:
            labels.add(named.label)
            yield named


def _of_target(target: Structure, dose: float, goals: Sequence[Goal], higher: Sequence[str]) -> Iterator[Objective]:
    from ..plan import Objective

    least = [_dose(goal) for goal in goals if goal.comparison == ">=" and _dose(goal)]
    most = [_dose(goal) for goal in goals if goal.comparison == "<=" and not goal.metric.kind.startswith("C")]
    low = max([dose, *(d for d in least if d <= 1.2 * dose)])
    high = min([d for d in most if d > low], default=2.0 * low)
    # Both within the window that the goals leave: D50% <= 60 Gy above D95% >= 56 Gy.
    aim, upper = (min(share * low, low + part * (high - low)) for share, part in ((_AIM, 0.45), (_UPPER, 0.6)))
    yield Objective(target.name, "squared_underdose", aim, UNDER)
    yield Objective(without(target.name, higher, _MARGIN_MM), "squared_overdose", upper, OVER)


def _of_organ(case: Case, structure: Structure, goals: Sequence[Goal]) -> Iterator[Objective]:
    from ..plan import Objective

    goals = [goal for goal in goals if goal.comparison == "<="]
    volume = len(structure.voxels) * case.grid.voxel_cc
    for goal in sorted(goals, key=lambda g: g.limit):
        if goal.metric.kind not in ("Dmean", "gEUD"):
            continue
        by_priority = _BY_PRIORITY.get(goal.priority, 1.0)
        own = _of_own(case, structure, goal.limit)
        dose = _MEAN * own
        exponent = goal.metric.amount if goal.metric.kind == "gEUD" and goal.metric.amount >= 1.0 else 1.0
        # Where targets take most of what the goal leaves, a dose that cannot be reached would outweigh all else.
        if goal.forbidden or own < _LEFT * goal.limit or dose < LEAST_SHARE * case.prescription:
            yield Objective(structure.name, "mean", None, MEAN * by_priority)
        else:
            yield Objective(structure.name, "eud", dose, PARALLEL * by_priority, exponent=exponent)
    hot = [g for g in goals if _dose(g) and g.metric.kind not in ("Dmean", "gEUD") and _part(g, volume) <= _hot(volume)]
    rest = [g for g in goals if _dose(g) and g.metric.kind not in ("Dmean", "gEUD") and g not in hot]
    if hot:
        first = min(hot, key=_dose)
        weight = SERIAL * max(_BY_PRIORITY.get(g.priority, 1.0) for g in hot)
        dose = _dose(first)
        share = _MAXIMUM if dose < _MAXIMUM * case.prescription else _NEAR_TARGET
        yield _overdose(structure.name, share * dose, case.prescription, weight)
        if dose > case.prescription:  # what of it lies in a target is seen by the target's objectives alone
            shared = f"{quoted(structure.name)} & {TARGETS}"
            yield _overdose(shared, _IN_TARGET * dose, case.prescription, weight)
    if rest:
        first = min(rest, key=lambda g: _dose(g) * (1.0 - _part(g, volume) / 4.0))
        weight = SERIAL / 3.0 * max(_BY_PRIORITY.get(g.priority, 1.0) for g in rest)
        dose = _VOLUME * _dose(first) * (1.0 - _part(first, volume) / 4.0)
        yield _overdose(structure.name, dose, case.prescription, weight)


def _of_region(region: Structure, goals: Sequence[Goal]) -> Iterator[Objective]:
    """Follow goals on a region: penalties see all of its voxels, so that no share of others is to be allowed for."""
    from ..plan import Objective

    for goal in goals:
        dose, by_priority = _dose(goal), _BY_PRIORITY.get(goal.priority, 1.0)
        if goal.comparison == ">=" and region.type == "target" and dose:
            yield Objective(region.name, "squared_underdose", _AIM * dose, UNDER)
        elif goal.comparison == "<=" and goal.metric.kind == "Dmean" and region.type != "target":
            yield Objective(region.name, "eud", _MEAN * dose, PARALLEL * by_priority, exponent=1.0)
        elif goal.comparison == "<=" and dose:
            yield Objective(region.name, "squared_overdose", _IN_TARGET * dose, SERIAL * by_priority)


def _around(case: Case, levels: Sequence[tuple[float, Structure]]) -> Iterator[Objective]:
    """Ask for the fall-off: a ring around each level, the body beyond, and no hot spot outside targets."""
    if not case.outlines:
        return
    first, last = _RING
    for dose, target in levels:
        ring = f"ring({quoted(target.name)}, {first:g} mm, {last:g} mm) - {TARGETS}"
        yield _overdose(ring, _RING_SHARE * dose, case.prescription, RING)
    highest, lowest = levels[0][0], levels[-1][0]
    far = f"{EXTERNAL} - ({TARGETS} + {last:g} mm)"
    yield _overdose(far, _FAR_SHARE * lowest, case.prescription, BODY)
    outside = f"{EXTERNAL} - {TARGETS}"
    ratio = case.count_own(outside) / max(1, len(levels[0][1].voxels))
    yield _overdose(outside, _HOTTEST * highest, case.prescription, float(f"{_HOT * OVER * ratio:.2g}"))


def without(name: str, others: Sequence[str], mm: float) -> str:
    """Write a structure without the margin of others, as a region."""
    if not others:
        return name
    union = " | ".join(quoted(other) for other in others)
    union = f"({union})" if len(others) > 1 else union
    return f"{quoted(name)} - ({union} + {mm:g} mm)"


def _of_own(case: Case, structure: Structure, mean: float) -> float:
    """Find the mean dose of an organ's own voxels that gives all of it this mean; those in targets get their dose."""
    owners = case.owners[case.rows(structure.name)]
    taken = sum(int((owners == i).sum()) * (s.prescription or 0.0) for i, s in enumerate(case.structures))
    left: float = (mean * len(owners) - taken) / case.count_own(structure.name)
    return max(0.0, left)


def _dose(goal: Goal) -> float:
    """Find the dose that a goal is about, Gy; 0 for HI and CI."""
    if goal.metric.unit == "Gy":
        return goal.limit
    return goal.metric.amount if goal.metric.kind in ("VGy", "CVGy") else 0.0


def _part(goal: Goal, volume_cc: float) -> float:
    """Find the part of the structure, 0 to 1, that may get more than the goal's dose."""
    metric = goal.metric
    if metric.kind in ("D%", "Dcc"):
        return min(1.0, metric.amount / (100.0 if metric.kind == "D%" else volume_cc))
    if metric.kind == "VGy":
        return min(1.0, goal.limit / (100.0 if metric.unit == "%" else volume_cc))
    return 0.0


def _is_hottest(goal: Goal) -> bool:
    """Tell whether a goal bounds the hottest part of a structure in Gy."""
    kind, amount = goal.metric.kind, goal.metric.amount
    near = kind == "Dmax" or (kind == "D%" and amount <= 100 * _HOT_PART) or (kind == "Dcc" and amount <= _HOT_CC)
    return goal.comparison == "<=" and near


def _hot(volume_cc: float) -> float:
    """Find up to which part of an organ a goal is about its hottest part."""
    return max(_HOT_PART, min(_HOT_CC / volume_cc, 0.3))


def _overdose(structure: str, dose: float, prescription: float, weight: float) -> Objective:
    from ..plan import Objective

    # A dose that is too low to tell from that of one fraction is none.
    return Objective(structure, "squared_overdose", dose if dose >= LEAST_SHARE * prescription else 0.0, weight)
