"""How far a plan is from its clinical goals: plan parameters in, the solved plan's goals and its page out."""

from __future__ import annotations

import json
import math
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.errors import InvalidValue, MeasurementError, UsageError
from tgsci.feedback import Feedback
from tgsci.loss import Loss

from . import effects as effects_of
from . import plan_file, protocol, scoring
from .case.model import Case
from .effects import Effects, Wish
from .goals import BoundSheet, GoalResult, GoalTable, Metric, Sheet, default_parameters, evaluate, gradient, read_sheet
from .names import find
from .parameters import Objective, PlanParameters
from .suggestions import suggestions
from .versions import versions
from .words import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .planner import Plan, Planner

    Floats = NDArray[np.float64]

#: Relative optimality gap that plans are solved to, and the longest that one may take, s.
GAP, SECONDS = 1e-3, 300.0
#: Smallest and largest gap that may be asked for.
_GAPS = (1e-6, 0.05)
#: Weight of an objective that is tried beside a plan's own, as a share of their sum: it changes nothing.
_TRIED = 1e-6
#: A dose that is none, Gy.
_NO_DOSE = 1e-6
#: How far an addition's effect is extrapolated, relative to the limit of the goal that it moves most.
_ADDED = 0.04
#: Raised when the same parameters would be measured differently.
_VERSION = 1
#: Planners and anchor plans that a process keeps: they hold hundreds of MB each.
_KEPT = 2


class PlanLoss(Loss):
    """How badly a plan misses its goals, by priority; below 0 where it meets them all (see `scoring.loss`).

    A value is the text of `PlanParameters`. Each plan is solved from the plan of the start parameters, so that its
    figures do not depend on what was measured before it.

    Args:
        case: A built-in case's name, a file's path, or a `Case`. A `Case` travels to worker processes as it is, which
            is slow for a large one: give its name or path where it has one.
        goals: A sheet's name or path, or a `Sheet`.
        start: The parameters that every solve starts from: PlanParameters or their text; a sensible start for the
            goals where None.
        prescription: Total Gy by target, in place of the case's and the sheet's.
        gap: Relative optimality gap that a plan is solved to.
        seconds: Longest that one plan may take, s; a plan that does not get there is a failed one.
        protocol: A name of `protocol.PROTOCOLS`.

    Raises:
        UsageError: Something of this is not there, or does not go together: what, and what to do.
    """

    def __init__(
        self,
        case: Case | str | Path,
        goals: Sheet | str | Path,
        start: PlanParameters | str | None = None,
        *,
        prescription: Mapping[str, float] | None = None,
        gap: float = GAP,
        seconds: float = SECONDS,
        protocol: str = "free",
    ) -> None:
        self._source = None if isinstance(case, Case) else str(case)
        self._prescription = dict(prescription or {})
        self._case: Case | None = None
        opened = case if isinstance(case, Case) else _opened(str(case))
        prepared = prescribed(opened, self._prescription)
        if self._source is None:
            self._case = prepared
        else:
            _CASES.put((self._source, repr(sorted(self._prescription.items()))), prepared)
        self._fingerprint_of_case = prepared.fingerprint
        self.case_name = prepared.name
        self.sheet = _sheet(goals, self._prescription, prepared)
        self.bound: BoundSheet = self.sheet.bind(prepared)
        self.protocol = protocol_of(protocol)
        self.gap, self.seconds = _between("gap", gap, *_GAPS), _between("seconds", seconds, 1.0, 86_400.0)
        self.start = self._start(start, prepared)
        self.timeout = 2 * self.seconds + 120.0
        self.name = f"missed goals of {self.sheet.name} on {prepared.name}"
        self.units: Mapping[str, str] = {
            **{goal.name: goal.unit for goal in self.bound.goals},
            "goals met": "",
            "objective": "",
            "gap": "",
        }

    # -- what it is ------------------------------------------------------------------------------------

    @property
    def case(self) -> Case:
        """The case.

        Raises:
            UsageError: Its file is gone, or holds another case now.
        """
        if self._case is not None:
            return self._case
        assert self._source is not None
        key = (self._source, repr(sorted(self._prescription.items())))
        case: Case | None = _CASES.get(key)
        if case is None:
            case = prescribed(_opened(self._source), self._prescription)
            _CASES.put(key, case)
        if case.fingerprint != self._fingerprint_of_case:
            raise UsageError(
                f"the case {shown(self._source, 200)} changed since the run was begun (fingerprint now "
                f"{case.fingerprint[:8]}, then {self._fingerprint_of_case[:8]}): put the old file back, or begin anew"
            )
        return case

    @property
    def fingerprint(self) -> str:
        """Case, goals, start, settings and versions: plans of one fingerprint have the same figures."""
        said = {
            "case": self._fingerprint_of_case,
            "goals": self.sheet.fingerprint,
            "start": self.start.text(),
            "gap": self.gap,
            "protocol": self.protocol.name,
            "version": _VERSION,
            **{name: version for name, version in versions().items() if name in ("tgsci", "numba")},
        }
        return f"{type(self).__qualname__}{json.dumps(said, sort_keys=True)}"

    def __getstate__(self) -> dict[str, Any]:
        return dict(vars(self))

    def __repr__(self) -> str:
        return f"PlanLoss({self.case_name!r}, {self.sheet.name!r})"

    # -- measuring -------------------------------------------------------------------------------------

    def validate(self, value: str) -> str:
        """The canonical text of plan parameters.

        Raises:
            InvalidValue: They are none for this case, or break the protocol; says what to change.
        """
        parameters = PlanParameters.parse(value, self.case)
        self.protocol.check(parameters, self.start)
        return parameters.text()

    def evaluate(self, value: str) -> Feedback:
        """Solve the plan and evaluate its goals.

        Raises:
            MeasurementError: The planner could not solve it, or not in time.
        """
        from .report import page

        solved = self.solve(PlanParameters.parse(value, self.case))
        plan, table, effects = solved.plan, solved.table, solved.effects
        loss = scoring.loss(effects.wishes)
        metrics = {w.name: w.value for w in effects.wishes if math.isfinite(w.value)}
        metrics |= {"goals met": float(sum(w.met for w in effects.wishes)), "objective": plan.value}
        if math.isfinite(plan.gap):
            metrics["gap"] = plan.gap
        missing = [f"{goal.wish}: {why}" for goal, why in self.bound.missing]
        return Feedback(
            loss,
            page(self.case, plan, effects, unevaluated=missing, remarks=solved.remarks),
            metrics,
            artifacts={
                plan_file.FILE: plan_file.write_plan(plan, table, self.case),
                effects_of.FILE: effects.text(),
            },
        )

    def solve(self, parameters: PlanParameters) -> Solved:
        """Solve a plan, evaluate its goals, and find what moves them.

        Raises:
            MeasurementError: The planner could not solve it, or not in time.
        """
        case, planner = self.case, _planner(self.case)
        anchor = self._anchor(planner)
        plan = anchor if parameters == anchor.parameters else self._solved(planner, parameters, anchor)
        return self._judged(case, planner, plan)

    def _anchor(self, planner: Planner) -> Plan:
        """The plan of the start parameters, from which every other solve starts."""
        key = (self._fingerprint_of_case, self.start.text(), self.gap)
        plan: Plan | None = _ANCHORS.get(key)
        if plan is None:
            plan = self._solved(planner, self.start, None)
            _ANCHORS.put(key, plan)
        return plan

    def _solved(self, planner: Planner, parameters: PlanParameters, anchor: Plan | None) -> Plan:
        began = time.monotonic()
        plan = planner.solve(parameters, start=anchor, gap=self.gap, max_seconds=self.seconds)
        if not plan.converged and time.monotonic() - began >= self.seconds:
            how = f"its gap is {100 * plan.gap:.2g}%" if math.isfinite(plan.gap) else "it has no certificate"
            raise MeasurementError(
                f"the planner did not get to a gap of {100 * self.gap:g}% in {self.seconds:g} s ({how}); allow more "
                "seconds, or use less extreme weights"
            )
        if not np.isfinite(plan.fluence).all() or not np.isfinite(plan.dose).all():
            raise MeasurementError("the planner's fluence is not finite; use less extreme weights and doses")
        return plan

    def _judged(self, case: Case, planner: Planner, plan: Plan) -> Solved:
        goals = self.bound.goals
        metrics = [(goal.structure, goal.metric) for goal in goals]
        remarks: list[str] = []
        scale = _Scale.of(self, case, plan) if self.protocol.scaled else None
        final = plan if scale is None else scale.scaled(plan)
        table = evaluate(self.bound, case, final.dose)
        wishes = tuple(_wish(result, self.bound.prescriptions) for result in table.results[: len(goals)])
        missed = [i for i, w in enumerate(wishes) if not w.met]
        tried = [] if self.protocol.weights_only else suggestions(case, goals, plan.parameters, missed)
        if scale is not None:
            remarks.append(protocol.said(self.protocol.name, scale.factor, scale.target, scale.prescription))
            metrics = [scale.before(name, metric) for name, metric in metrics]
            metrics.append((scale.target, scale.metric))
        if _without_dose(plan):
            remarks.append(
                "ZERO DOSE: the optimum is no fluence at all; raise the weight of what asks for dose in a target"
            )
        per_doubling, per_gray, per_unit = self._sensitivities(planner, plan, metrics, tried)
        if scale is not None:
            slopes = scale.slopes(case, self.bound, plan)
            per_doubling, per_gray, per_unit = (
                scale.after(self.bound, matrix, slopes) for matrix in (per_doubling, per_gray, per_unit)
            )
        additions, per_addition = _extrapolated(tried, per_unit, wishes, plan.parameters)
        return Solved(
            final,
            table,
            Effects(plan.parameters, wishes, per_doubling, per_gray, additions, per_addition),
            tuple(remarks),
        )

    def _sensitivities(
        self, planner: Planner, plan: Plan, metrics: list[tuple[str, Metric]], tried: list[Objective]
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
        found = planner.sensitivities(extended, [self._figure(name, metric) for name, metric in metrics])
        per_doubling, per_gray = np.asarray(found.per_doubling), np.asarray(found.per_gray)
        weights = np.array([o.weight for o in beside])
        # What doubles a tiny weight adds that weight once more: d/dw = per doubling / (w ln 2).
        per_unit = per_doubling[:, k:] / (weights * math.log(2.0)) if beside else np.zeros((len(metrics), 0))
        return per_doubling[:, :k], per_gray[:, :k], per_unit

    def _figure(self, structure: str, metric: Metric) -> tuple[str, _Figure]:
        """A metric as the planner asks for it: of which structure's dose, and with its gradient."""
        case, prescription = self.case, self.bound.prescriptions.get(structure, self.case.prescription)
        outline = next((s.name for s in case.structures if s.type == "external"), structure)
        return outline if metric.sees_all else structure, _Figure(metric, case, structure, outline, prescription)

    def _start(self, start: PlanParameters | str | None, case: Case) -> PlanParameters:
        if start is None:
            return protocol.paper_start(case) if self.protocol.weights_only else default_parameters(case, self.sheet)
        try:
            return PlanParameters.parse(start, case) if isinstance(start, str) else start.checked(case)
        except InvalidValue as error:
            raise UsageError(f"the start parameters cannot be used: {error}") from None


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


@dataclass(frozen=True)
class _Scale:
    """Every dose times a factor, so that a target's D95% is its prescription."""

    target: str
    prescription: float
    metric: Metric
    before_scaling: float

    @property
    def factor(self) -> float:
        return self.prescription / self.before_scaling

    @classmethod
    def of(cls, loss: PlanLoss, case: Case, plan: Plan) -> _Scale:
        target = next((t for t in case.targets if t.prescription), None)
        if target is None or target.prescription is None:
            raise UsageError(f"the protocol {loss.protocol.name} scales to a target's prescription, and there is none")
        metric = Metric.parse("D95%")
        value = metric.value(plan.dose[case.rows(target.name)], case.grid.voxel_cc, target.prescription)
        if value < 0.01 * target.prescription:
            raise MeasurementError(
                f"{target.name} D95% is {value:.2g} Gy before scaling, so the plan cannot be scaled to "
                f"{target.prescription:g} Gy; raise the weight of {target.name}"
            )
        return cls(target.name, target.prescription, metric, value)

    def scaled(self, plan: Plan) -> Plan:
        return replace(plan, fluence=plan.fluence * self.factor, dose=(plan.dose * self.factor).astype(np.float32))

    def before(self, structure: str, metric: Metric) -> tuple[str, Metric]:
        """The metric of the unscaled dose that a volume of the scaled one is."""
        if metric.kind in ("VGy", "V%", "CVGy", "CV%"):
            return structure, replace(metric, amount=metric.amount / self.factor)
        return structure, metric

    def slopes(self, case: Case, bound: BoundSheet, plan: Plan) -> Floats:
        """Change of each goal's value per Gy of the unscaled D95%, by the scaling alone, (m,)."""
        found = []
        for goal in bound.goals:
            metric, share = goal.metric, 1.0 / self.before_scaling
            dose = plan.dose[case.rows(goal.structure)].astype(np.float64) * self.factor
            prescription = bound.prescriptions[goal.structure]
            if metric.sees_all or not dose.any():
                found.append(0.0)  # of conformity the scaling's part is left out
            else:
                found.append(-share * float(metric.gradient(dose, case.grid.voxel_cc, prescription) @ dose))
        return np.array(found)

    def after(self, bound: BoundSheet, matrix: Floats, slopes: Floats) -> Floats:
        """Changes of the scaled goals' values from those of the unscaled ones and of D95%, the last row."""
        own, normal = matrix[:-1], matrix[-1]
        factors = np.array([self.factor if g.metric.unit == "Gy" else 1.0 for g in bound.goals])
        scaled: Floats = factors[:, None] * own + slopes[:, None] * normal[None]
        return scaled


class _Kept(OrderedDict[Any, Any]):
    """The few things of a process that were used last."""

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self:
            self.move_to_end(key)
        return super().get(key, default)

    def put(self, key: Any, value: Any) -> None:
        self[key] = value
        self.move_to_end(key)
        while len(self) > _KEPT:
            self.popitem(last=False)


_CASES, _PLANNERS, _ANCHORS = _Kept(), _Kept(), _Kept()


def _planner(case: Case) -> Planner:
    from .planner import Planner

    planner: Planner | None = _PLANNERS.get(case.fingerprint)
    if planner is None:
        planner = Planner(case)
        _PLANNERS.put(case.fingerprint, planner)
    return planner


def _opened(source: str) -> Case:
    from .case.library import open_case

    return open_case(source)


def prescribed(case: Case, prescription: Mapping[str, float]) -> Case:
    """A case with other prescriptions.

    Args:
        case: The case.
        prescription: Total Gy by target.

    Raises:
        UsageError: No such target, or a dose that cannot be.
    """
    if not prescription:
        return case
    given: dict[str, float] = {}
    for name, dose in prescription.items():
        found = find(str(name), case.names)
        if case.structure(found).type != "target":
            raise UsageError(
                f"{found} is no target, so it has no prescription; targets: {', '.join(t.name for t in case.targets)}"
            )
        given[found] = _between(f"the prescription of {found}", dose, 0.5, 200.0)
    structures = tuple(replace(s, prescription=given.get(s.name, s.prescription)) for s in case.structures)
    return replace(case, structures=structures)


def _sheet(goals: Sheet | str | Path, prescription: Mapping[str, float], case: Case) -> Sheet:
    sheet = goals if isinstance(goals, Sheet) else read_sheet(goals)
    if not prescription:
        return sheet
    given = {find(str(name), case.names): float(dose) for name, dose in prescription.items()}
    return replace(sheet, prescription={t: given.get(t, d) for t, d in sheet.prescription.items()} | given)


def protocol_of(name: str) -> protocol.Protocol:
    """The protocol of that name."""
    return protocol.protocol(name)


def _without_dose(plan: Plan) -> bool:
    """True where the optimum is no fluence at all; the solver leaves a rest of nothing."""
    return float(plan.dose.max(initial=0.0)) < _NO_DOSE


def _between(name: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{name} must be a number from {low:g} to {high:g}, not {shown(value)}")
    return float(value)


def _wish(result: GoalResult, prescriptions: Mapping[str, float]) -> Wish:
    goal = result.goal
    scale = effects_of.scale_of(goal.unit, goal.limit, prescriptions[goal.structure])
    above = goal.comparison == ">="
    return Wish(
        goal.name, result.value, goal.limit, above, goal.unit, goal.priority, goal.tolerance, goal.structure, scale
    )


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
