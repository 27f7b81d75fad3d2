"""A start for Newton's method: some steps of a limited-memory quasi-Newton method on a part of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .matrix import Matrix
    from .terms import Terms

    Array = NDArray[np.float64]

#: Every n-th row of a structure with more rows than this is enough for a start.
_LARGE, _STRIDE = 8000, 8
#: Steps of a start. Fewer leave Newton more voxels to change sides, each of which costs; more cost themselves.
_ROUGH = 45


def strides(terms: Terms) -> dict[str, int]:
    """Choose the structures whose rows are thinned out for a start."""
    return {p.place: _STRIDE for p in terms.penalties if len(p.index) > _LARGE}


def uniform(matrix: Matrix, terms: Terms, useful: NDArray[np.bool_]) -> Array:
    """Find the best of the plans in which all useful beamlets have the same fluence."""
    x = useful.astype(np.float64)
    dose = matrix.dose(x)
    return x * terms.step(np.zeros_like(dose), dose, float(terms.linear @ x), 1e6)


def rough(matrix: Matrix, terms: Terms, x: Array) -> Array:
    """Find a start for the solvers: some steps on a part of the rows, for the squared and mean objectives alone."""
    if not any(p.under.any() for p in terms.penalties):
        return x  # what asks for dose is not among them
    from scipy.optimize import Bounds, minimize

    thin = strides(terms)
    root = _scale(matrix, terms, x, thin)

    def evaluate(y: Array) -> tuple[float, Array]:
        value, gradient = matrix.value_gradient(terms, y / root, thin)
        return value, gradient / root

    options = {"maxiter": _ROUGH, "maxcor": _ROUGH, "ftol": 1e-6, "gtol": 0.0}
    optimum = minimize(evaluate, x * root, jac=True, method="L-BFGS-B", bounds=Bounds(0.0, np.inf), options=options)
    return np.asarray(optimum.x / root)


def _scale(matrix: Matrix, terms: Terms, x: Array, thin: dict[str, int]) -> Array:
    """Compute the root of the diagonal of a Hessian, away from 0; of every n-th row, counted n times, where thin."""
    curvature = terms.curvatures(matrix.dose(x))
    if thin:
        thinned = np.zeros_like(curvature)
        for p in terms.penalties:
            n = thin.get(p.place, 1)
            thinned[p.index[::n]] = n * curvature[p.index[::n]]
        curvature = thinned
    diagonal = matrix.squares(curvature)
    return np.asarray(np.sqrt(diagonal + max(1e-3 * diagonal.max(initial=0.0), 1e-30)))
