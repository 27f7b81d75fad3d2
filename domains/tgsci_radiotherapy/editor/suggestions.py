"""Objectives that a plan does not have and a goal asks for: what a planner would think of adding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tgsci.errors import InvalidValue

from ..plan import Objective, PlanParameters
from ..plan.checks import check_objective

if TYPE_CHECKING:
    from ..case.model import Case
    from ..goals import Goal

#: Suggestions a plan, at most.
MOST = 8
#: An objective on a structure whose dose is this near to one of the same type is the same, share of the prescription.
_NEAR = 0.02
#: Where normal tissue next to the target should begin to be spared, share of the prescription.
_FALLOFF = 0.7
#: How far below its limit an objective is set: a penalty that begins at the limit lets some of it through.
_BELOW = 0.95


def suggestions(
    case: Case, goals: Sequence[Goal], parameters: PlanParameters, first: Sequence[int] = ()
) -> list[Objective]:
    """What could be added to a plan's objectives, each with weight 1.

    Args:
        case: The patient.
        goals: Bound to the case.
        parameters: The plan's.
        first: Places of goals to think of first: those that are missed.
    """
    order = [*first, *(i for i in range(len(goals)) if i not in first)]
    found: list[Objective] = []
    for make in (_for_goals(case, [goals[i] for i in order]), _for_targets(case), _for_the_body(case)):
        for objective in make:
            if len(found) == MOST:
                return found
            if not _there(objective, [*parameters.objectives, *found], case.prescription) and _fits(objective, case):
                found.append(objective)
    return found


def _for_goals(case: Case, goals: Sequence[Goal]) -> Iterator[Objective]:
    for goal in goals:
        structure = case.structure(goal.structure)
        kind, name = goal.metric.kind, goal.structure
        if goal.comparison == ">=":
            if structure.type == "target":
                dose = goal.limit if goal.unit == "Gy" else structure.prescription or case.prescription
                yield Objective(name, "squared_underdose", dose, 1.0)
            continue
        if kind == "Dmean":
            yield Objective(name, "mean", None, 1.0)
            yield Objective(name, "squared_overdose", 0.5 * goal.limit, 1.0)
        elif goal.unit == "Gy":
            yield Objective(name, "squared_overdose", _BELOW * goal.limit, 1.0)
        elif kind in ("VGy", "V%"):
            threshold = goal.metric.amount
            dose = threshold if kind == "VGy" else threshold * (structure.prescription or case.prescription) / 100.0
            yield Objective(name, "squared_overdose", _BELOW * dose, 1.0)


def _for_targets(case: Case) -> Iterator[Objective]:
    """Under- and overdose of a target apart, so that one can be weighed against the other."""
    for target in case.targets:
        if target.prescription:
            yield Objective(target.name, "squared_underdose", target.prescription, 1.0)
            yield Objective(target.name, "squared_overdose", 1.03 * target.prescription, 1.0)


def _for_the_body(case: Case) -> Iterator[Objective]:
    for structure in case.structures:
        if structure.type == "external":
            yield Objective(structure.name, "squared_overdose", _FALLOFF * case.prescription, 1.0)


def _fits(objective: Objective, case: Case) -> bool:
    try:
        check_objective(objective, case)
    except InvalidValue:
        return False
    return True


def _there(objective: Objective, objectives: Sequence[Objective], prescription: float) -> bool:
    """True where a plan has such an objective."""
    return any(
        o.structure == objective.structure
        and o.type == objective.type
        and abs((o.dose_gy or 0.0) - (objective.dose_gy or 0.0)) <= _NEAR * prescription
        for o in objectives
    )
