"""How far a plan is from its clinical goals: plan parameters in, the solved plan's goals and its page out."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tgsci.basics.checks import number
from tgsci.basics.texts import quote
from tgsci.errors import InvalidValue, MeasurementError, UsageError
from tgsci.feedback import Feedback
from tgsci.loss import Loss

from ..case.model import Case
from ..goals import BoundSheet, GoalResult, Sheet, default_parameters, evaluate, read_sheet
from ..job import GAP, GAPS, SECONDS, TIMES
from ..names import find
from ..plan import PlanParameters, PlanText
from ..plan import file as plan_file
from ..planner.recent import Recent, planner_of
from . import effects as effects_of
from . import protocol as protocols
from . import scoring
from .protocol import Scale
from .solution import Solution, round_plan, solution

if TYPE_CHECKING:
    from ..planner import Plan, Planner

#: Increase it whenever the same parameters would be measured differently.
_VERSION = 2

#: Cases that were opened last, and the plans of start parameters; the latter hold little beside the planners.
CASES, ANCHORS = Recent(), Recent()


class PlanLoss(Loss):
    """How badly a plan misses its goals, by priority; below 0 where it meets all that can be met (see `scoring`).

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
        implied: False to leave out the goals that a sheet implies (`goals.implied`).

    Raises:
        UsageError: The case, sheet, start or protocol does not exist, or they do not fit each other; says what to do.
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
        implied: bool = True,
    ) -> None:
        self._source = None if isinstance(case, Case) else str(case)
        self._prescription = dict(prescription or {})
        self._case: Case | None = None
        if isinstance(case, Case):
            prepared = self._case = with_prescription(case, self._prescription)
        else:
            prepared = _open(str(case), self._prescription)
        self._fingerprint_of_case = prepared.fingerprint
        self.case_name = prepared.name
        self.sheet = _sheet(goals, self._prescription, prepared)
        if not implied:
            self.sheet = replace(self.sheet, implied=False)
        self.bound: BoundSheet = self.sheet.bind(prepared)
        self.protocol = protocols.protocol(protocol)
        self.gap, self.seconds = number("gap", gap, *GAPS), number("seconds", seconds, *TIMES, unit="s")
        self.start = self._start(start, prepared)
        self.timeout = 2 * self.seconds + 120.0
        self.name = f"missed goals of {self.sheet.name} on {prepared.name}"
        self.units: Mapping[str, str] = {
            **{goal.name: goal.unit for goal in self.bound.goals},
            "goals met": "",
            "implied met": "",
            "objective": "",
            "gap": "",
        }

    # -- what it is ------------------------------------------------------------------------------------

    @property
    def case(self) -> Case:
        """The case that plans are made for; opened at the first use.

        Raises:
            UsageError: Its file is gone, or holds another case now.
        """
        if self._case is not None:
            return self._case
        assert self._source is not None
        case = _open(self._source, self._prescription)
        if case.fingerprint != self._fingerprint_of_case:
            raise UsageError(
                f"the case {quote(self._source, 200)} changed since the run was begun (fingerprint now "
                f"{case.fingerprint[:8]}, then {self._fingerprint_of_case[:8]}): put the old file back, or begin anew"
            )
        return case

    @property
    def fingerprint(self) -> str:
        """Case, goals, start, settings and versions in one text: plans of one fingerprint have the same figures."""
        parts = {
            "case": self._fingerprint_of_case,
            "goals": self.sheet.fingerprint,
            "start": self.start.text(),
            "gap": self.gap,
            "protocol": self.protocol.name,
            "version": _VERSION,
            **{name: version for name, version in plan_file.versions().items() if name in ("tgsci", "numba")},
        }
        return f"{type(self).__qualname__}{json.dumps(parts, sort_keys=True)}"

    def __repr__(self) -> str:
        return f"PlanLoss({self.case_name!r}, {self.sheet.name!r})"

    # -- measuring -------------------------------------------------------------------------------------

    def validate(self, value: str) -> str:
        """Give the canonical text of plan parameters, a `PlanText`, which `evaluate` does not parse again.

        Raises:
            InvalidValue: The text is no parameters for this case, or breaks the protocol; says what to change.
        """
        parameters = PlanParameters.parse(value, self.case)
        self.protocol.check(parameters, self.start)
        return PlanText(parameters)

    def evaluate(self, value: str) -> Feedback:
        """Solve the plan and evaluate its goals.

        Raises:
            MeasurementError: The planner could not solve it, or not in time.
        """
        from .ahead import reach
        from .page import write_page

        solved = self.solve(PlanParameters.parse(value, self.case))
        plan, table, effects = solved.plan, solved.table, solved.effects
        loss = scoring.loss(effects.results)
        metrics = {r.goal.name: r.value for r in effects.results if math.isfinite(r.value)}
        written, implied = ([r for r in effects.results if r.goal.implied is which] for which in (False, True))
        metrics |= {"goals met": float(sum(r.met for r in written)), "objective": plan.value}
        if implied:
            metrics["implied met"] = float(sum(r.met for r in implied))
        if math.isfinite(plan.gap):
            metrics["gap"] = plan.gap
        missing = [f"{goal.criterion}: {why}" for goal, why in self.bound.missing]
        return Feedback(
            loss,
            write_page(
                self.case, plan, effects, unevaluated=missing, remarks=solved.remarks, within=reach(self.protocol)
            ),
            metrics,
            artifacts={
                plan_file.FILE: plan_file.write_plan(plan, table, self.case),
                effects_of.FILE: effects.text(),
            },
        )

    def solve(self, parameters: PlanParameters) -> Solution:
        """Solve a plan, evaluate its goals, and find what moves them.

        Raises:
            MeasurementError: The planner could not solve it, or not in time.
        """
        planner = planner_of(self.case)
        return solution(self.case, self.bound, self.protocol, planner, self._plan(planner, parameters))

    def results(self, parameters: PlanParameters) -> tuple[GoalResult, ...]:
        """Solve a plan and evaluate its goals, without sensitivities: enough for a baseline, in half the time.

        Raises:
            MeasurementError: The planner could not solve it, or not in time.
        """
        planner = planner_of(self.case)
        plan = self._plan(planner, parameters)
        final = round_plan(planner, Scale.of(self.case, plan).scaled(plan) if self.protocol.scaled else plan)
        return evaluate(self.bound, self.case, final.dose).results[: len(self.bound.goals)]

    def _plan(self, planner: Planner, parameters: PlanParameters) -> Plan:
        anchor = self._anchor(planner)
        return anchor if parameters == anchor.parameters else self._solve_plan(planner, parameters, anchor)

    def _anchor(self, planner: Planner) -> Plan:
        """Solve the start parameters, or take their plan from memory: every other solve starts from it."""
        key = (self._fingerprint_of_case, self.start.text(), self.gap)
        plan: Plan | None = ANCHORS.get(key)
        if plan is None:
            try:
                plan = self._solve_plan(planner, self.start, None)
            except MeasurementError as error:
                raise MeasurementError(f"the plan of the start, from which every other is solved: {error}") from None
            ANCHORS.put(key, plan)
        return plan

    def _solve_plan(self, planner: Planner, parameters: PlanParameters, anchor: Plan | None) -> Plan:
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

    def _start(self, start: PlanParameters | str | None, case: Case) -> PlanParameters:
        if start is None:
            return protocols.paper_start(case) if self.protocol.weights_only else default_parameters(case, self.sheet)
        try:
            return PlanParameters.parse(start, case) if isinstance(start, str) else start.checked(case)
        except InvalidValue as error:
            raise UsageError(f"the start parameters cannot be used: {error}") from None


def with_prescription(case: Case, prescription: Mapping[str, float]) -> Case:
    """Give a case other prescriptions.

    Args:
        case: The case.
        prescription: Total Gy by target; targets that it does not name keep theirs.

    Raises:
        UsageError: The case has no such target, or the dose is out of range.
    """
    if not prescription:
        return case
    doses: dict[str, float] = {}
    for written, dose in prescription.items():
        name = find(str(written), case.names)
        if case.structure(name).type != "target":
            raise UsageError(
                f"{name} is no target, so it has no prescription; targets: {', '.join(t.name for t in case.targets)}"
            )
        doses[name] = number(f"the prescription of {name}", dose, 0.5, 200.0, unit="Gy")
    structures = tuple(replace(s, prescription=doses.get(s.name, s.prescription)) for s in case.structures)
    return replace(case, structures=structures)


def _open(source: str, prescription: Mapping[str, float]) -> Case:
    """Open a case by name or path; the same object for as long as the process remembers it."""
    from ..case.library import open_case

    key = (source, repr(sorted(prescription.items())))
    case: Case | None = CASES.get(key)
    if case is None:
        case = with_prescription(open_case(source), prescription)
        CASES.put(key, case)
    return case


def _sheet(goals: Sheet | str | Path, prescription: Mapping[str, float], case: Case) -> Sheet:
    sheet = goals if isinstance(goals, Sheet) else read_sheet(goals)
    if not prescription:
        return sheet
    doses = {find(str(name), case.names): float(dose) for name, dose in prescription.items()}
    return replace(sheet, prescription={t: doses.get(t, d) for t, d in sheet.prescription.items()} | doses)
