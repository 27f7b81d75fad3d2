"""A solved plan, evaluated: its goals, and what every weight, every dose and a new objective would do to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import InvalidValue

from ..case.model import Case
from ..case.regions import EXTERNAL, Region
from ..goals import BoundSheet, GoalResult, GoalTable, Metric, evaluate, gradient
from ..plan import Objective, PlanParameters
from ..plan.checks import check_objective, with_case_name
from ..plan.file import round_fluence
from .ahead import look_ahead
from .effects import Effects
from .protocol import Protocol, Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..goals import Goal
    from ..planner import Plan, Planner

    Floats = NDArray[np.float64]

#: Weight of an objective that is tried beside a plan's own, as a share of their sum: too small to change the plan.
_TRIED = 1e-6
#: A plan whose highest dose is below this has no dose, Gy.
_NO_DOSE = 1e-6
#: A suggested objective gets the weight that moves one goal by this part of its scale.
_ADDED = 0.04
#: Suggestions a plan, at most.
MOST = 12
#: Objectives of one structure and type are the same where their doses are this near, as a share of the prescription.
_NEAR = 0.02
#: Where normal tissue next to the target should begin to be spared, share of the prescription.
_FALLOFF = 0.7
#: From how many % of a structure on a goal is one of a percentile, which a dose-volume objective says as it is.
_PART = 5.0
#: How far from a higher target a lower one's level is its own, mm; where its overdose begins; the ring, mm.
_APART, _LEVEL, _RING = 5.0, 1.04, (3.0, 13.0)
#: Dose of a suggested objective as a share of the goal's limit: a penalty that begins at the limit lets some through.
_BELOW = 0.95


@dataclass(frozen=True)
class Solution:
    """A solved plan with its goals and sensitivities.

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


def solution(case: Case, bound: BoundSheet, how: Protocol, planner: Planner, plan: Plan) -> Solution:
    """Evaluate the goals of a solved plan, and differentiate them by its parameters.

    Args:
        case: The patient.
        bound: The goals.
        how: The protocol: whether plans are scaled, and whether objectives may be added.
        planner: Of the case.
        plan: As it was solved.

    Raises:
        MeasurementError: The plan cannot be scaled.
    """
    goals = bound.goals
    metrics = [(goal.structure, goal.metric) for goal in goals]
    remarks: list[str] = []
    scale = Scale.of(case, plan) if how.scaled else None
    final = round_plan(planner, plan if scale is None else scale.scaled(plan))
    table = evaluate(bound, case, final.dose)
    results = table.results[: len(goals)]  # those that cannot be evaluated come last
    missed = [i for i, r in enumerate(results) if not r.met]
    tried = [] if how.weights_only else suggestions(case, goals, plan.parameters, missed)
    if scale is not None:
        remarks.append(scale.remark(how.name))
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
    additions, per_addition = _choose_weights(tried, per_unit, results, plan.parameters)
    effects = Effects(plan.parameters, results, per_doubling, per_gray, additions, per_addition)
    tries = () if _without_dose(plan) else look_ahead(case, bound, how, planner, plan, effects)
    return Solution(final, table, replace(effects, tries=tries), tuple(remarks))


def round_plan(planner: Planner, plan: Plan) -> Plan:
    """Round a plan's fluence as its file does, and take the dose of that: who reads the file finds the same goals."""
    fluence = round_fluence(plan.fluence)
    return replace(plan, fluence=fluence, dose=planner.dose(fluence))


def _sensitivities(
    case: Case,
    bound: BoundSheet,
    planner: Planner,
    plan: Plan,
    metrics: list[tuple[str, Metric]],
    tried: list[Objective],
) -> tuple[Floats, Floats, Floats]:
    """Differentiate metrics per doubling and per Gy of the plan's objectives, and per unit of weight of those tried."""
    k = len(plan.parameters.objectives)
    if _without_dose(plan):  # no beamlet is free to move: to first order nothing does
        none = np.zeros((len(metrics), k))
        dosed = [o.dose_gy is not None for o in plan.parameters.objectives]
        return none, np.where(dosed, none, np.nan), np.zeros((len(metrics), len(tried)))
    small = _TRIED * sum(o.weight for o in plan.parameters.objectives)
    beside = [replace(o, weight=max(small, 1e-6)) for o in tried]
    extended = replace(plan, parameters=plan.parameters.with_objectives(beside)) if beside else plan
    derivatives = planner.sensitivities(extended, [_as_planned(case, bound, name, metric) for name, metric in metrics])
    per_doubling, per_gray = np.asarray(derivatives.per_doubling), np.asarray(derivatives.per_gray)
    weights = np.array([o.weight for o in beside])
    # What doubles a tiny weight adds that weight once more: d/dw = per doubling / (w ln 2).
    per_unit = per_doubling[:, k:] / (weights * math.log(2.0)) if beside else np.zeros((len(metrics), 0))
    return per_doubling[:, :k], per_gray[:, :k], per_unit


def _as_planned(case: Case, bound: BoundSheet, structure: str, metric: Metric) -> tuple[str, _PlannerMetric]:
    """Give a metric as the planner wants it: whose dose it depends on, and an object with its gradient."""
    prescription = bound.prescriptions.get(structure, case.prescription)
    outline = next((s.name for s in case.outlines), structure)
    return outline if metric.sees_all else structure, _PlannerMetric(metric, case, structure, outline, prescription)


@dataclass(frozen=True)
class _PlannerMetric:
    """A metric that the planner can differentiate by the dose of its structure; conformity by the whole body's."""

    metric: Metric
    case: Case
    structure: str
    outline: str
    prescription: float

    def gradient(self, dose: NDArray[np.floating]) -> NDArray[np.float64]:
        """Differentiate by the dose of each voxel of the structure, or of the body where the metric sees it; per Gy."""
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
    """Tell whether the optimum is no fluence at all, but for rounding of the solver."""
    return float(plan.dose.max(initial=0.0)) < _NO_DOSE


def _choose_weights(
    tried: list[Objective], per_unit: Floats, results: tuple[GoalResult, ...], parameters: PlanParameters
) -> tuple[tuple[Objective, ...], Floats]:
    """Give each tried objective the weight that moves one goal by a few percent, no larger than the plan's weights."""
    if not tried:
        return (), np.zeros((len(results), 0))
    scale = np.array([r.scale for r in results])
    largest = max(o.weight for o in parameters.objectives)
    weighted, effects = [], []
    for i, objective in enumerate(tried):
        most = float(np.abs(per_unit[: len(results), i] / scale).max())
        weight = min(_ADDED / most, largest) if most > 0 else largest
        weight = float(f"{max(weight, 1e-3):.3g}")
        weighted.append(replace(objective, weight=weight))
        effects.append(weight * per_unit[: len(results), i])
    return tuple(weighted), np.array(effects).T


def suggestions(
    case: Case, goals: Sequence[Goal], parameters: PlanParameters, first: Sequence[int] = ()
) -> list[Objective]:
    """Suggest objectives that a plan lacks, each with weight 1.

    Args:
        case: The patient.
        goals: Bound to the case.
        parameters: The plan's.
        first: Places of goals to think of first: those that are missed.
    """
    missed, others = [goals[i] for i in first], [goal for i, goal in enumerate(goals) if i not in first]
    suggested: list[Objective] = []
    makers = (
        _for_goals(case, missed),
        _for_targets(case),
        _for_regions(case),
        _for_the_body(case),
        _for_goals(case, others),
    )
    for make in makers:
        for made in make:
            if len(suggested) == MOST:
                return suggested
            objective = with_case_name(made, case)
            known = [*parameters.objectives, *suggested]
            if not _there(objective, known, case.prescription) and _fits(objective, case):
                suggested.append(objective)
    return suggested


def _for_goals(case: Case, goals: Sequence[Goal]) -> Iterator[Objective]:
    outline = next((s.name for s in case.outlines), "")
    for goal in goals:
        structure = case.structure(goal.structure)
        kind, name = goal.metric.kind, goal.structure
        if outline and name.startswith(EXTERNAL):  # nearly the same, and quicker
            name = outline
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
            if kind == "D%" and _PART <= goal.metric.amount < 100.0 and structure.type != "target":
                yield Objective(name, "max_dvh", _BELOW * goal.limit, 1.0, volume_percent=goal.metric.amount)
        elif kind in ("VGy", "V%"):
            threshold = goal.metric.amount
            dose = threshold if kind == "VGy" else threshold * (structure.prescription or case.prescription) / 100.0
            yield Objective(name, "squared_overdose", _BELOW * dose, 1.0)
            if kind == "VGy" and goal.unit == "%" and _PART <= goal.limit < 100.0:
                yield Objective(name, "max_dvh", dose, 1.0, volume_percent=_BELOW * goal.limit)


def _for_targets(case: Case) -> Iterator[Objective]:
    """Suggest under- and overdose of each target as two objectives, to weigh one against the other."""
    for target in case.targets:
        if target.prescription:
            yield Objective(target.name, "squared_underdose", target.prescription, 1.0)
            yield Objective(target.name, "squared_overdose", 1.03 * target.prescription, 1.0)


def _for_regions(case: Case) -> Iterator[Objective]:
    """Suggest a lower target's overdose where the higher ones do not reach, and a ring around each target."""
    ordered = sorted((t for t in case.targets if t.prescription), key=lambda t: -(t.prescription or 0.0))
    higher: list[str] = []
    for target in ordered:
        name, dose = str(Region("name", name=target.name)), target.prescription or 0.0
        if higher:
            above = higher[0] if len(higher) == 1 else f"({' | '.join(higher)})"
            yield Objective(f"{name} - ({above} + {_APART:g} mm)", "squared_overdose", _LEVEL * dose, 1.0)
        yield Objective(f"ring({name}, {_RING[0]:g} mm, {_RING[1]:g} mm) - [targets]", "squared_overdose", dose, 1.0)
        higher.append(name)


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
    """Tell whether an objective of this structure, type and nearly this dose is among the others."""
    return any(
        o.structure == objective.structure
        and o.type == objective.type
        and abs((o.dose_gy or 0.0) - (objective.dose_gy or 0.0)) <= _NEAR * prescription
        for o in objectives
    )
