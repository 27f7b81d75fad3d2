"""A lower bound of the objective, from multipliers: what certifies a plan.

For any multipliers l with A^T l + c >= 0, and x >= 0,

    sum_i phi_i(d_i) + c.x >= sum_i l_i d_i - phi_i*(l_i) + c.x = (A^T l + c).x - sum_i phi_i*(l_i) >= -sum_i phi_i*(l_i)

(Fenchel; Boyd and Vandenberghe, Convex Optimization, 5.7.1). Multipliers of a nearly optimal plan violate the condition a
little. Adding t |l|, 0 <= t <= 1, repairs that: a column can only be violated through rows with negative multipliers,
and these vanish at t = 1. The bound holds however bad the multipliers are; it is tight if they are good.

An EUD objective enters by its linearisation at the present dose d0, which lies below it: gEUD_a is convex (a >= 1) or
concave (a < 0) and homogeneous, so gEUD_a(d) >= (or <=) q.d with q its gradient at d0 (Euler).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import penalties as rowwise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .matrix import Matrix
    from .terms import Terms

    Array = NDArray[np.float64]


def admissible(terms: Terms, multipliers: Array) -> Array:
    """Multipliers of the squared objectives, each moved to a slope that its penalty has."""
    out = np.zeros_like(multipliers)
    for p in terms.penalties:
        out[p.rows] = np.clip(multipliers[p.rows], *p.range)
    return out


def lower_bound(matrix: Matrix, terms: Terms, multipliers: Array) -> float:
    """A number that no plan's objective is below; 0 at least, since no objective is negative.

    Args:
        matrix: The dose influence.
        terms: The objectives, all convex.
        multipliers: By row; derivatives of the objective by dose at (or better: extrapolated to) the optimum.
    """
    l = admissible(terms, multipliers)
    slack = matrix.transposed(l) + terms.linear
    short = np.maximum(-slack, 0.0)
    if short.any():
        reach = matrix.transposed(np.abs(l))
        # A little more than needed, for the rounding of the two passes.
        with np.errstate(divide="ignore", invalid="ignore"):
            t = float(np.max(np.where(short > 0, short / reach, 0.0))) * (1 + 1e-6)
        if not t <= 1:
            return 0.0
        l = l + t * np.abs(l)
    cost = sum(
        rowwise.conjugate(l, p.first, p.last, p.bends, p.over, p.under, p.heights, p.stiffness) for p in terms.penalties
    )
    return max(-float(cost), 0.0) if np.isfinite(cost) else 0.0
