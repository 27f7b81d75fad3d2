"""The planner: from objectives to the best fluence for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import MeasurementError, UsageError

from .hessian import Hessian, empty
from .lbfgs import rough, uniform
from .majorise import majorise
from .matrix import Matrix
from .newton import newton
from .plan import Plan, State
from .sensitivities import Metric, Sensitivities, differentiate
from .terms import Terms, compile_terms, cost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case
    from ..plan import PlanParameters

    Array = NDArray[np.float64]

#: A value below this share of the value without any dose counts as 0: at 50 Gy, deviations of a milligray.
_NOTHING = 1e-9
_NEWTON_STEPS = 60
#: Plans that others start from in turn: the plan of the start parameters, and the one that is looked at.
_ANCHORS = 2


class Planner:
    """Optimises the fluence for a case.

    It holds the dose-influence matrix once more, in blocks, and five matrices with 4 bytes for each pair of beamlets:
    the Hessians of the last two plans that others started from, that of the last solve, and what solves work on.

    Args:
        case: The case.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        #: The dose-influence matrix, in blocks.
        self.matrix = Matrix(case.dij, np.stack(np.unravel_index(case.voxels, case.grid.shape), axis=1))
        self._sums: dict[str, Array] = {}
        #: What parts of a Hessian, and their factors, are written to.
        self._room = np.empty((2, self.matrix.columns**2), np.float32)
        #: Where the Hessian of the running solve is, which is the last one's afterwards.
        self._running = empty(self.matrix)
        #: The Hessians at plans that others started from, the latest last, and the one that the last solve left.
        self._anchors: list[tuple[Plan, Hessian]] = []
        self._last: tuple[Array, Terms, Hessian] | None = None

    def dose(self, fluence: NDArray[np.floating]) -> NDArray[np.float32]:
        """Compute the dose of each row, total Gy."""
        return self.matrix.dose(np.asarray(fluence, np.float64), exact=True).astype(np.float32)

    def terms(self, parameters: PlanParameters) -> Terms:
        """Prepare objectives for the passes over `matrix`."""
        for o in parameters.objectives:
            if o.type == "mean" and o.structure not in self._sums:
                self._sums[o.structure] = self.matrix.sum_rows(self.case.own(o.structure))
        return compile_terms(self.case, parameters, self._sums)

    def solve(
        self,
        parameters: PlanParameters,
        *,
        start: Plan | None = None,
        gap: float = 1e-3,
        max_seconds: float | None = None,
        callback: Callable[[State], object] | None = None,
    ) -> Plan:
        """Find the best plan for the objectives.

        The same arguments give the same plan, whatever was solved before.

        Args:
            parameters: The objectives.
            start: A plan of this case to start from; the more its objectives are like these, the quicker.
            gap: Relative optimality gap to stop at.
            max_seconds: After how many seconds to stop, with the best plan so far.
            callback: Called after each step with the solver's state; a true answer stops.

        Raises:
            UsageError: A structure that the case has not, or a start of another case.
            MeasurementError: The objective is not a number for this case.
        """
        if start is not None and len(start.fluence) != self.matrix.columns:
            raise UsageError(
                f"the plan to start from has {len(start.fluence)} beamlets, and this case {self.matrix.columns}; "
                "start from a plan of the same case"
            )
        began, deadline = time.process_time(), time.monotonic() + (np.inf if max_seconds is None else max_seconds)
        terms = self.terms(parameters)

        def watch(state: State) -> bool:
            if not np.isfinite(state.value):
                raise MeasurementError("the planner's objective is not finite; use less extreme weights and doses")
            return bool(callback and callback(state)) or time.monotonic() > deadline

        matrix = self.matrix
        useful = terms.useful(matrix)
        x = useful * start.fluence if start else rough(matrix, terms, uniform(matrix, terms, useful))
        state = State(x, floor=_NOTHING * terms.slopes(np.zeros(matrix.rows, np.float32))[0])
        self._last = None
        hessian = Hessian(matrix, self._room[0], self._snapshot(start) if start else None, self._running)
        if terms.convex:
            newton(matrix, terms, hessian, self._room[1], state, gap, _NEWTON_STEPS, watch)
        else:
            majorise(matrix, terms, hessian, self._room[1], state, gap, _NEWTON_STEPS, watch)
        plan = self._plan(parameters, terms, state, gap, began)
        # A plan that others start from is met again when its matrices are gone: its figures must not depend on that.
        self._last = (state.x, terms, hessian) if start else None
        return plan

    def sensitivities(self, plan: Plan, metrics: Sequence[tuple[str, Metric]]) -> Sensitivities:
        """Differentiate metrics of a plan by the weights and doses of its objectives.

        Args:
            plan: A plan of this case; the smaller its gap, the better the derivatives. Objectives that it was not
                solved with may stand beside its own, with a weight next to nothing: what they would do.
            metrics: A structure's name and a metric (`goals.Metric`, or anything with its `gradient`), each.
        """
        began = time.process_time()
        terms = self.terms(plan.parameters)
        by_weight, by_dose = differentiate(self.case, self.matrix, terms, self._hessian_at(plan, terms), plan, metrics)
        return Sensitivities(by_weight, by_dose, time.process_time() - began)

    def _hessian_at(self, plan: Plan, terms: Terms) -> Callable[[NDArray[np.intp]], NDArray[np.float32]]:
        """Give the Hessian of some beamlets, from the matrices of the plan's own solve where they are still there."""
        if self._last is None or self._last[0] is not plan.fluence:
            self._last = None  # its memory is used
            return partial(Hessian(self.matrix, self._room[0], own=self._running).block, terms, plan.dose)
        _, solved, hessian = self._last
        return partial(hessian.block, solved, plan.dose)

    def _plan(self, parameters: PlanParameters, terms: Terms, state: State, gap: float, began: float) -> Plan:
        dose = self.matrix.dose(state.x, exact=True)
        costs: dict[str, float] = {}
        for o in parameters.objectives:
            costs[o.label] = costs.get(o.label, 0.0) + cost(o, dose[self.case.own(o.structure)])
        state.value = sum(costs.values())
        convex = terms.convex
        narrow = dose.astype(np.float32)
        for array in (state.x, narrow):
            array.setflags(write=False)
        return Plan(
            parameters,
            state.x,
            narrow,
            costs,
            state.value,
            state.bound,
            state.gap,
            convex,
            state.iterations,
            time.process_time() - began,
            str(self.case.grid),
            "Newton" if convex else "Newton on majorants",
            state.gap <= gap if convex else state.done,
        )

    def _snapshot(self, start: Plan) -> Hessian:
        """Make the Hessian at a plan's dose, once; never changed, so that solves cannot influence each other."""
        for plan, hessian in self._anchors:
            if plan is start:
                self._anchors.sort(key=lambda anchor: anchor[0] is start)
                return hessian
        del self._anchors[: 1 - _ANCHORS]
        hessian = Hessian(self.matrix, self._room[0])
        hessian.move(self.terms(start.parameters), self.matrix.dose(start.fluence))
        self._anchors.append((start, hessian))
        return hessian
