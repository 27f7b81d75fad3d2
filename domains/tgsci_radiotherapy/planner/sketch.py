"""A rough solve: a few dozen cheap steps from a fluence nearby, for whoever looks for parameters.

It costs a small part of `Planner.solve`, proves nothing, and ends within about a percent of the optimum: enough to see
whether a weight was too small, and not enough for a plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .lbfgs import rough, uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..plan import PlanParameters
    from .planner import Planner

    Array = NDArray[np.float64]

#: Correction pairs that are kept, and the relative gain of a step below which it is the last.
_PAIRS, _STILL = 20, 1e-6


def sketch(planner: Planner, parameters: PlanParameters, x: Array | None, steps: int) -> Array:
    """Find a fluence that is nearly the best for some objectives.

    Args:
        planner: Of the case.
        parameters: The objectives; of those that are not convex the voxels that are let off are chosen once, by the
            dose of `x`.
        x: A fluence to start from; None to begin anew.
        steps: Most steps.
    """
    from scipy.optimize import Bounds, minimize

    matrix, terms = planner.matrix, planner.terms(parameters)
    useful = terms.useful(matrix)
    if x is None:
        x = rough(matrix, terms, uniform(matrix, terms, useful))
    if not terms.convex:
        terms = terms.majorised(matrix.dose(x))
    diagonal = matrix.squares(terms.curvatures(matrix.dose(x)))
    root = np.sqrt(diagonal + max(1e-3 * float(diagonal.max(initial=0.0)), 1e-30))

    def evaluate(y: Array) -> tuple[float, Array]:
        value, slopes = terms.slopes(matrix.dose(y / root))
        gradient = matrix.transposed(slopes) + terms.linear
        return value + float(terms.linear @ (y / root)), gradient / root

    options = {"maxiter": steps, "maxcor": _PAIRS, "ftol": _STILL, "gtol": 0.0}
    bounds = Bounds(0.0, np.where(useful, np.inf, 0.0))
    start = useful * x * root
    return np.asarray(minimize(evaluate, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x / root)
