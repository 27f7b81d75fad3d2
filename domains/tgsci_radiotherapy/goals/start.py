"""Parameters to start from: one objective for each structure that has goals, all with the same weight."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tgsci.errors import UsageError

from ..plan.checks import LEAST_SHARE
from .bind import BoundSheet
from .goal import Goal, absolute

if TYPE_CHECKING:
    from ..case.model import Case, Structure
    from ..plan import Objective, PlanParameters
    from .sheet import Sheet

#: Weight of every objective at the start.
WEIGHT = 100.0
#: Where a target's dose is aimed at, as a part of the way from what it must reach up to what it must not exceed.
_ABOVE = 0.3
#: What a target may get where no goal says it, as a multiple of the prescription: ICRU's 107%.
_HOTTEST = 1.07
#: Where penalties begin: a share of a goal's dose on an organ; of the prescription in the body outside of all others.
_ORGAN, _BODY = 0.9, 0.6


def default_parameters(case: Case, sheet: Sheet | BoundSheet) -> PlanParameters:
    """Choose parameters to start a search from.

    Each target gets a squared deviation, somewhat above what its goals ask for; each organ with goals a squared
    overdose from somewhat below the dose of its strictest goal on, or an EUD with exponent 1 at the mean dose that its
    own voxels may have where all of it must keep one; the body a squared overdose at 60% of the prescription, so that
    the dose falls off. All weights are 100.

    Args:
        case: The case.
        sheet: Goals, bound to the case or not.

    Raises:
        UsageError: The sheet does not fit the case, or the case has no target.
    """
    from ..plan import PlanParameters

    bound = sheet if isinstance(sheet, BoundSheet) else sheet.bind(case)
    objectives: list[Objective] = []
    for structure in case.structures:
        if not case.count_own(structure.name):
            continue
        goals = [
            known
            for goal in bound.goals
            if goal.structure == structure.name
            and (known := absolute(goal, bound.prescriptions[structure.name])) is not None
        ]
        if structure.type == "target":
            objectives += _of_target(structure, goals, bound.prescriptions.get(structure.name))
        elif structure.type == "oar":
            objectives += _of_organ(case, structure, goals)
        else:
            objectives.append(_overdose(structure, _BODY * case.prescription, case.prescription))
    if not any(o.lifts for o in objectives):
        raise UsageError(
            f"{case.name} has no target with a prescription and voxels of its own; there is nothing to plan"
        )
    return PlanParameters(tuple(objectives)).checked(case)


def _of_target(structure: Structure, goals: Iterable[Goal], prescription: float | None) -> list[Objective]:
    from ..plan import Objective

    goals = list(goals)
    dose = structure.prescription or prescription or 0.0
    if dose <= 0:
        return []
    least = [_dose(goal) for goal in goals if goal.comparison == ">=" and _dose(goal)]
    most = [_dose(goal) for goal in goals if goal.comparison == "<=" and _dose(goal)]
    low = max([dose, *(d for d in least if d <= 1.2 * dose)])
    high = min([d for d in most if d > low], default=_HOTTEST * low)
    return [Objective(structure.name, "squared_deviation", low + _ABOVE * (high - low), WEIGHT)]


def _of_organ(case: Case, structure: Structure, goals: Iterable[Goal]) -> list[Objective]:
    from ..plan import Objective

    goals = [goal for goal in goals if goal.comparison == "<="]
    volume = len(structure.voxels) * case.grid.voxel_cc
    objectives: list[Objective] = []
    means = [goal.limit for goal in goals if goal.metric.kind in ("Dmean", "gEUD")]
    if means:
        dose = _allowed(_of_own(case, structure, min(means)), case.prescription)
        objectives.append(Objective(structure.name, "eud", dose, WEIGHT, exponent=1.0))
    doses = [
        _ORGAN * _dose(goal) * (1.0 - _part(goal, volume) / 4.0)
        for goal in goals
        if goal.metric.kind not in ("Dmean", "gEUD") and _dose(goal)
    ]
    if doses and not means:
        objectives.append(_overdose(structure, min(doses), case.prescription))
    return objectives


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


def _overdose(structure: Structure, dose: float, prescription: float) -> Objective:
    from ..plan import Objective

    return Objective(structure.name, "squared_overdose", _allowed(dose, prescription), WEIGHT)


def _allowed(dose: float, prescription: float) -> float:
    """Replace a dose by 0 where it is too low to tell from the dose of one fraction."""
    return dose if dose >= LEAST_SHARE * prescription else 0.0
