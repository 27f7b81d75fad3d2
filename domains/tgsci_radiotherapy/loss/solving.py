"""From a solved plan to its goals, and to what every weight and dose does to them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..case.model import Case
from ..editor.suggestions import suggestions
from ..goals import BoundSheet, GoalResult, GoalTable, Metric, evaluate, gradient
from ..plan import Objective, PlanParameters
from ..plan.file import round_fluence
from .effects import Effects, Wish, scale_of
from .protocol import Protocol, said
from .scaling import Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..planner import Plan, Planner

    Floats = NDArray[np.float64]

#: Weight of an objective that is tried beside a plan's own, as a share of their sum: it changes nothing.
_TRIED = 1e-6
#: A dose that is none, Gy.
_NO_DOSE = 1e-6
#: How far an addition's effect is extrapolated, as a part of the scale of the goal that it moves most.
_ADDED = 0.04


@dataclass(frozen=True)
class Solved:
    """A plan with all that is said about it.

    Args:
        plan: Fluence and dose, scaled where the protocol scales.
        table: Its goals.
        effects: What its parameters do to them.
        remarks: Sentences for the page.
    """

    plan: Plan
    table: GoalTable
    effects: Effects
    remarks: tuple[str, ...]


def judged(case: Case, bound: BoundSheet, how: Protocol, planner: Planner, plan: Plan) -> Solved:
    """A plan's goals, and what its parameters do to them.

    Args:
        case: The patient.
        bound: The goals.
        how: The protocol: whether plans are scaled, and whether objectives may be added.
        planner: Of the case.
        plan: As it was solved.

    Raises:
        MeasurementError: It cannot be scaled.
    """
    goals = bound.goals
    metrics = [(goal.structure, goal.metric) for goal in goals]
    remarks: list[str] = []
    scale = Scale.of(case, plan) if how.scaled else None
    final = as_written(planner, plan if scale is None else scale.scaled(plan))
    table = evaluate(bound, case, final.dose)
    wishes = wishes_of(table, bound)
    missed = [i for i, w in enumerate(wishes) if not w.met]
    tried = [] if how.weights_only else suggestions(case, goals, plan.parameters, missed)
    if scale is not None:
        remarks.append(said(how.name, scale.factor, scale.target, scale.prescription))
        metrics = [scale.before(name, metric) for name, metric in metrics]
        metrics.append((scale.target, scale.metric))
    if _without_dose(plan):
        remarks.append(
            "ZERO DOSE: the optimum is no fluence at all; raise the weight of what asks for dose in a target"
        )
    per_doubling, per_gray, per_unit = _sensitivities(case, bound, planner, plan, metrics, tried)
    if scale is not None:
        slopes = scale.slopes(case, bound, plan)
        per_doubling, per_gray, per_unit = (
            scale.after(bound, matrix, slopes) for matrix in (per_doubling, per_gray, per_unit)
        )
    additions, per_addition = _extrapolated(tried, per_unit, wishes, plan.parameters)
    return Solved(
        final,
        table,
        Effects(plan.parameters, wishes, per_doubling, per_gray, additions, per_addition),
        tuple(remarks),
    )


def as_written(planner: Planner, plan: Plan) -> Plan:
    """A plan with the fluence that its file holds and the dose of that: whoever reads the file finds the same goals."""
    fluence = round_fluence(plan.fluence)
    return replace(plan, fluence=fluence, dose=planner.dose(fluence))


def wishes_of(table: GoalTable, bound: BoundSheet) -> tuple[Wish, ...]:
    """The goals that can be evaluated, with what a plan made of them."""
    return tuple(_wish(result, bound.prescriptions) for result in table.results[: len(bound.goals)])


def _wish(result: GoalResult, prescriptions: Mapping[str, float]) -> Wish:
    goal = result.goal
    scale = scale_of(goal.unit, goal.limit, prescriptions[goal.structure])
    above = goal.comparison == ">="
    return Wish(
        goal.name, result.value, goal.limit, above, goal.unit, goal.priority, goal.tolerance, goal.structure, scale
    )


def _sensitivities(
    case: Case,
    bound: BoundSheet,
    planner: Planner,
    plan: Plan,
    metrics: list[tuple[str, Metric]],
    tried: list[Objective],
) -> tuple[Floats, Floats, Floats]:
    """Per doubling, per Gy, and per unit of weight of what is tried beside the plan's own objectives."""
    k = len(plan.parameters.objectives)
    if _without_dose(plan):  # no beamlet is free to move: to first order nothing does
        none = np.zeros((len(metrics), k))
        dosed = [o.dose_gy is not None for o in plan.parameters.objectives]
        return none, np.where(dosed, none, np.nan), np.zeros((len(metrics), len(tried)))
    small = _TRIED * sum(o.weight for o in plan.parameters.objectives)
    beside = [replace(o, weight=max(small, 1e-6)) for o in tried]
    extended = replace(plan, parameters=plan.parameters.with_objectives(beside)) if beside else plan
    found = planner.sensitivities(extended, [_figure(case, bound, name, metric) for name, metric in metrics])
    per_doubling, per_gray = np.asarray(found.per_doubling), np.asarray(found.per_gray)
    weights = np.array([o.weight for o in beside])
    # What doubles a tiny weight adds that weight once more: d/dw = per doubling / (w ln 2).
    per_unit = per_doubling[:, k:] / (weights * math.log(2.0)) if beside else np.zeros((len(metrics), 0))
    return per_doubling[:, :k], per_gray[:, :k], per_unit


def _figure(case: Case, bound: BoundSheet, structure: str, metric: Metric) -> tuple[str, _Figure]:
    """A metric as the planner asks for it: of which structure's dose, and with its gradient."""
    prescription = bound.prescriptions.get(structure, case.prescription)
    outline = next((s.name for s in case.structures if s.type == "external"), structure)
    return outline if metric.sees_all else structure, _Figure(metric, case, structure, outline, prescription)


@dataclass(frozen=True)
class _Figure:
    """A metric of a structure, differentiable by the dose of its voxels: of conformity by that of all of the body."""

    metric: Metric
    case: Case
    structure: str
    outline: str
    prescription: float

    def gradient(self, dose: NDArray[np.floating]) -> NDArray[np.float64]:
        """Per Gy of each voxel of the structure, or of the body's outline where the metric sees it."""
        if not self.metric.sees_all:
            return self.metric.gradient(dose, self.case.grid.voxel_cc, self.prescription)
        everywhere = np.zeros(self.case.dij.rows, np.float32)
        rows = self.case.rows(self.outline)
        everywhere[rows] = dose
        touched, slope = gradient(self.metric, self.case, self.structure, everywhere)
        by_row = np.zeros(len(everywhere))
        by_row[touched] = slope
        return by_row[rows]


def _without_dose(plan: Plan) -> bool:
    """True where the optimum is no fluence at all; the solver leaves a rest of nothing."""
    return float(plan.dose.max(initial=0.0)) < _NO_DOSE


def _extrapolated(
    tried: list[Objective], per_unit: Floats, wishes: tuple[Wish, ...], parameters: PlanParameters
) -> tuple[tuple[Objective, ...], Floats]:
    """What is tried, with the weight that moves the goal it moves most by a few percent; no larger than the plan's."""
    if not tried:
        return (), np.zeros((len(wishes), 0))
    scale = np.array([w.scale for w in wishes])
    largest = max(o.weight for o in parameters.objectives)
    found, effects = [], []
    for i, objective in enumerate(tried):
        most = float(np.abs(per_unit[: len(wishes), i] / scale).max())
        weight = min(_ADDED / most, largest) if most > 0 else largest
        weight = float(f"{max(weight, 1e-3):.3g}")
        found.append(replace(objective, weight=weight))
        effects.append(weight * per_unit[: len(wishes), i])
    return tuple(found), np.array(effects).T
