"""Limited-memory quasi-Newton: for a start, for more beamlets than Gram matrices pay for, and for pooled objectives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .bound import lower_bound
from .newton import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .matrix import Matrix
    from .terms import Terms

    Array = NDArray[np.float64]

#: Every n-th row of a structure with more rows than this is enough for a start.
_LARGE, _STRIDE = 8000, 8


def strides(terms: Terms) -> dict[int, int]:
    """Which structures are thinned out for a start."""
    return {p.place: _STRIDE for p in terms.penalties if p.last - p.first > _LARGE}


def uniform(matrix: Matrix, terms: Terms) -> Array:
    """The best of the plans in which all beamlets have the same fluence."""
    ones = np.ones(matrix.columns)
    dose = matrix.dose(ones)
    return ones * terms.step(np.zeros_like(dose), dose, float(terms.linear.sum()), 1e6)


def rough(matrix: Matrix, terms: Terms, x: Array, iterations: int = 15) -> Array:
    """A start for Newton's method: a few steps on a part of the rows."""
    thin = strides(terms)
    root = _scale(matrix, terms, x, thin)

    def evaluate(y: Array) -> tuple[float, Array]:
        value, gradient = matrix.value_gradient(terms, y / root, thin)
        return value, gradient / root

    from scipy.optimize import Bounds, minimize

    options = {"maxiter": iterations, "maxcor": iterations, "ftol": 1e-6, "gtol": 0.0}
    found = minimize(evaluate, x * root, jac=True, method="L-BFGS-B", bounds=Bounds(0.0, np.inf), options=options)
    return np.asarray(found.x / root)


def lbfgs(
    matrix: Matrix, terms: Terms, x: Array, gap: float, most: int, watch: Callable[[State], bool]
) -> State:
    """Minimise from a start by L-BFGS-B (Byrd et al. 1995), scaled by the root of the Hessian's diagonal there.

    Args:
        matrix: The dose influence.
        terms: Objectives, pooled ones as well.
        x: Start.
        gap: Relative gap to stop at, where the objectives are convex.
        most: Most steps.
        watch: Called after each step; True stops.
    """
    from scipy.optimize import Bounds, minimize

    root = _scale(matrix, terms, x, {})
    state = State(x)

    def evaluate(y: Array) -> tuple[float, Array]:
        if not terms.pooled:
            value, gradient = matrix.value_gradient(terms, y / root)
            return value, gradient / root
        value, slopes = terms.slopes(matrix.dose(y / root))
        gradient = matrix.transposed(slopes) + terms.linear
        return value + float(terms.linear @ (y / root)), gradient / root

    def each(intermediate_result: object) -> None:
        state.iterations += 1
        state.x = np.asarray(intermediate_result.x) / root  # type: ignore[attr-defined]
        state.value = float(intermediate_result.fun)  # type: ignore[attr-defined]
        if terms.convex and state.iterations % 10 == 0:
            _, slopes = terms.slopes(matrix.dose(state.x))
            state.bound = max(state.bound, lower_bound(matrix, terms, slopes))
            state.done = state.gap <= gap
        if watch(state) or state.done:
            raise StopIteration

    minimize(
        evaluate, x * root, jac=True, method="L-BFGS-B", bounds=Bounds(0.0, np.inf), callback=each,
        options={"maxiter": most, "maxfun": 4 * most, "maxcor": 30, "ftol": 1e-12, "gtol": 0.0},
    )
    return state


def _scale(matrix: Matrix, terms: Terms, x: Array, thin: dict[int, int]) -> Array:
    """Root of the diagonal of a Hessian, away from 0."""
    curvature = terms.curvatures(matrix.dose(x))
    diagonal = matrix.squares(curvature, thin, terms)
    return np.asarray(np.sqrt(diagonal + max(1e-3 * diagonal.max(initial=0.0), 1e-30)))
