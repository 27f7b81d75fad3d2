"""The planner: from objectives to the best fluence for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import MeasurementError

from .grams import Gram, Grams
from .lbfgs import lbfgs, rough, uniform
from .matrix import Matrix
from .newton import State, newton
from .plan import Plan
from .terms import Terms, compile_terms, worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case
    from ..parameters import PlanParameters

    Array = NDArray[np.float64]

#: Up to so many beamlets Newton's method is quicker: a Gram matrix grows as their square.
NEWTON_BEAMLETS = 3000
_NEWTON_STEPS, _LBFGS_STEPS = 60, 1500


class Planner:
    """Optimises the fluence for a case.

    Args:
        case: The case; its matrix is used in place.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._matrix = Matrix(case.dij)
        self._sums: dict[str, Array] = {}
        self._fixed: dict[tuple[int, str, int], Gram] = {}
        self._anchor: tuple[Plan, dict[tuple[int, str, int], Gram]] | None = None

    def dose(self, fluence: NDArray[np.floating]) -> NDArray[np.float32]:
        """Dose of each row, total Gy."""
        return self._matrix.dose(np.asarray(fluence, np.float64), exact=True).astype(np.float32)

    def solve(
        self,
        parameters: PlanParameters,
        *,
        start: Plan | None = None,
        gap: float = 1e-3,
        max_seconds: float | None = None,
        callback: Callable[[State], object] | None = None,
    ) -> Plan:
        """The best plan for the objectives.

        The same arguments give the same plan, whatever was solved before.

        Args:
            parameters: The objectives.
            start: A plan of this case to start from, quicker the more alike its objectives are.
            gap: Relative optimality gap to stop at.
            max_seconds: Stop after so many seconds, with what there is.
            callback: Called after each step with how it stands; a true answer stops.

        Raises:
            MeasurementError: The objective is not a number for this case.
        """
        began, deadline = time.process_time(), time.monotonic() + (np.inf if max_seconds is None else max_seconds)
        terms = self._terms(parameters)

        def watch(state: State) -> bool:
            if not np.isfinite(state.value):
                raise MeasurementError("the planner's objective is not finite; use less extreme weights and doses")
            return bool(callback and callback(state)) or time.monotonic() > deadline

        x = start.fluence.astype(np.float64) if start else None
        by_newton = not terms.pooled and self.case.dij.beamlets <= NEWTON_BEAMLETS
        if x is None:
            x = uniform(self._matrix, terms)
            x = rough(self._matrix, terms, x)
        if by_newton:
            grams = Grams(self._matrix, self._fixed, self._snapshot(start) if start else None)
            state = newton(self._matrix, terms, grams, x, gap, _NEWTON_STEPS, watch)
        else:
            state = lbfgs(self._matrix, terms, x, gap, _LBFGS_STEPS, watch)
        return self._plan(parameters, terms, state, gap, "Newton" if by_newton else "L-BFGS", began)

    def _plan(
        self, parameters: PlanParameters, terms: Terms, state: State, gap: float, method: str, began: float
    ) -> Plan:
        dose = self._matrix.dose(state.x, exact=True)
        worths = {o.label: worth(o, dose[self.case.own(o.structure)]) for o in parameters.objectives}
        value = float(sum(worths.values()))
        convex = terms.convex
        state.value = value
        return Plan(
            parameters,
            state.x,
            dose.astype(np.float32),
            worths,
            value,
            state.bound if convex else np.nan,
            state.gap if convex else np.nan,
            convex,
            state.iterations,
            time.process_time() - began,
            str(self.case.grid),
            method,
            state.gap <= gap if convex else state.done,
        )

    def _terms(self, parameters: PlanParameters) -> Terms:
        for o in parameters.objectives:
            if o.type == "mean" and o.structure not in self._sums:
                rows = self.case.own(o.structure)
                ones = np.ones(self._matrix.rows)
                self._sums[o.structure] = self._matrix.transposed(ones, rows.start, rows.stop)
        return compile_terms(self.case, parameters, self._sums)

    def _snapshot(self, start: Plan) -> dict[tuple[int, str, int], Gram]:
        """Gram matrices at a plan's dose: made once, and never changed, so that solves cannot influence each other."""
        if self._anchor is None or self._anchor[0] is not start:
            grams = Grams(self._matrix, self._fixed)
            grams.update(self._terms(start.parameters), self._matrix.dose(start.fluence))
            self._anchor = start, grams.snapshot()
        return self._anchor[1]
