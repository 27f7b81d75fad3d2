"""The planner: from objectives to the best fluence for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import MeasurementError, UsageError

from .bound import lower_bound
from .hessian import Grams, ReducedHessian, size, sum_rows
from .lbfgs import lbfgs, rough, uniform
from .matrix import Matrix
from .newton import newton
from .plan import Plan, State
from .sensitivities import Metric, Sensitivities, differentiate
from .terms import Terms, compile_terms, cost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case
    from ..plan import PlanParameters
    from .hessian import Gram, Key

    Array = NDArray[np.float64]

#: The most beamlets, and bytes of Gram matrices, for which Newton's method is quicker: its cost grows as the square.
NEWTON_BEAMLETS, GRAM_BYTES = 3000, 2**30
#: L-BFGS alone where more than this have fluence: their Hessian has 144 MB, and a factorisation takes a second.
REDUCED_BEAMLETS = 6000
#: L-BFGS has done its part where ten steps gain less than this share, and is at its end at the second.
_SLOW, _STILL = 1e-2, 1e-5
#: A value below this share of the value without any dose counts as 0: at 50 Gy, deviations of a milligray.
_NOTHING = 1e-9
_NEWTON_STEPS, _LBFGS_STEPS = 60, 1500


class Planner:
    """Optimises the fluence for a case.

    It holds the dose-influence matrix once more, in blocks, and Gram matrices of up to `GRAM_BYTES` three times over:
    of the plan that others start from, of the solve that is running, and of the last one; those that are equal are
    shared.

    Args:
        case: The case.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        #: The dose-influence matrix, in blocks.
        self.matrix = Matrix(case.dij)
        self._sums: dict[str, Array] = {}
        self._whole: dict[str, Gram] = {}
        #: The matrices at the plan that others start from, and those that the last solve from a plan left at its
        #: fluence.
        self._anchor: tuple[Plan, dict[Key, Gram]] | None = None
        self._last: tuple[Array, Terms, dict[Key, Gram]] | None = None

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
        grams = None
        room = matrix.columns <= NEWTON_BEAMLETS and size(terms, matrix.columns) <= GRAM_BYTES
        if room and not terms.pooled:
            method = "Newton"
            grams = Grams(matrix, self._whole, self._snapshot(start) if start else None)
            newton(matrix, terms, grams, state, gap, _NEWTON_STEPS, watch)
        else:
            method = "L-BFGS"
            lbfgs(matrix, terms, state, _SLOW if terms.convex else _STILL, _LBFGS_STEPS, watch)
            if terms.convex and not state.stopped:
                if np.count_nonzero(state.x) <= REDUCED_BEAMLETS:
                    method = "L-BFGS, Newton"
                    newton(matrix, terms, ReducedHessian(matrix), state, gap, _NEWTON_STEPS, watch)
                else:
                    lbfgs(matrix, terms, state, _STILL, _LBFGS_STEPS, watch)
                    state.bound = lower_bound(matrix, terms, matrix.dose(state.x))
        plan = self._plan(parameters, terms, state, gap, method, began)
        self._last = (state.x, terms, grams.matrices) if grams and start else None
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
            return partial(sum_rows, self.matrix, terms, plan.dose)
        _, solved, matrices = self._last
        return partial(Grams(self.matrix, self._whole, matrices).block, solved, plan.dose)

    def _plan(
        self, parameters: PlanParameters, terms: Terms, state: State, gap: float, method: str, began: float
    ) -> Plan:
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
            state.bound if convex else np.nan,
            state.gap if convex else np.nan,
            convex,
            state.iterations,
            time.process_time() - began,
            str(self.case.grid),
            method,
            state.gap <= gap if convex else state.done,
        )

    def _snapshot(self, start: Plan) -> dict[Key, Gram]:
        """Make the Gram matrices at a plan's dose, once; never changed, so that solves cannot influence each other."""
        if self._anchor is None or self._anchor[0] is not start:
            grams = Grams(self.matrix, self._whole)
            grams.update(self.terms(start.parameters), self.matrix.dose(start.fluence))
            self._anchor = start, grams.matrices
        return self._anchor[1]
