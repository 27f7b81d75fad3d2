"""A lower bound of the objective, from multipliers: what certifies a plan.

For any multipliers m by row with A^T m + c >= 0, and x >= 0,

    sum_i phi_i(d_i) + c.x >= sum_i (m_i d_i - phi_i*(m_i)) + c.x
                            = (A^T m + c).x - sum_i phi_i*(m_i) >= -sum_i phi_i*(m_i)

(Fenchel; Boyd and Vandenberghe, Convex Optimization, 5.7.1). The multipliers of a nearly optimal plan, phi', violate
the condition a little. Two repairs make them feasible. The first adds curvature * (A u), u >= 0, which lifts column j
by (H u)_j >= H_jj u_j: local, so that a few bad columns do not spoil the bound. The second, for what rounding and
clipping leave, adds t |m| with 0 <= t <= 1; it always succeeds, as a column can be violated only through negative
multipliers, and these vanish at t = 1. So the bound holds however bad the multipliers are, and is tight if they are
good.

Structures and regions may share rows: each penalty has multipliers of its own, and m is their sum.

An EUD objective enters by its linearisation at any dose d0, which lies below it: gEUD_a is convex (a >= 1) or
concave (a < 0) and homogeneous, so that gEUD_a(d) >= (or <=) q.d with q its gradient at d0 (Euler). Then it is a
penalty of one more row, A^T q.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .penalties import Eud

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .matrix import Matrix
    from .terms import Terms

    Array = NDArray[np.float64]

#: Relative margin for the rounding of the passes.
_MARGIN = 1e-6


def lower_bound(
    matrix: Matrix, terms: Terms, dose: NDArray[np.floating], ahead: NDArray[np.floating] | None = None
) -> float:
    """Find a number that no plan's objective is below; at least 0, since no objective is negative.

    Args:
        matrix: The dose influence.
        terms: The objectives, all convex.
        dose: Dose by row of a good plan.
        ahead: What a Newton step adds to it. The multipliers are extrapolated by it: those of the step's quadratic
            program are feasible but for rounding, those of the plan itself are not.
    """
    own, lifts = [], []
    for p in terms.penalties:
        m, curvature = np.zeros(matrix.rows), np.zeros(matrix.rows)
        p.slopes(dose, m)
        m = m[p.rows]
        if ahead is not None:
            p.curvatures(dose, curvature)
            m += curvature[p.rows] * ahead[p.rows]
        m = np.clip(m, *p.range)
        own.append(m)
        lifts.append(np.where(m > 0, p.stiffness[-1], np.where(m < 0, p.stiffness[0], 0.0)))
    there = dose if ahead is None else dose + ahead
    euds = [eud for eud in terms.pooled if isinstance(eud, Eud)]
    tangents = [eud.tangent(there[eud.rows].astype(np.float64)) for eud in euds]
    pulls = np.array([pull for pull, _ in tangents])

    def by_row(parts: list[Array]) -> Array:
        out = np.zeros(matrix.rows)
        for p, part in zip(terms.penalties, parts, strict=True):
            out[p.rows] += part
        return out

    def total(parts: list[Array], pulls: Array) -> Array:
        out = by_row(parts)
        for eud, pull, (_, slope) in zip(euds, pulls, tangents, strict=True):
            out[eud.rows] += pull * slope
        return out

    short = np.maximum(-(matrix.transposed(total(own, pulls)) + terms.linear), 0.0)
    if short.any():
        diagonal = matrix.squares(by_row(lifts))
        reach = matrix.dose(np.divide(short, diagonal, out=np.zeros_like(short), where=diagonal > 0))
        lifts = [lift * reach[p.rows] for p, lift in zip(terms.penalties, lifts, strict=True)]
        most = _ratio(short, matrix.transposed(by_row(lifts)))
        if most <= 10:
            own = [np.clip(m + most * lift, *p.range) for p, m, lift in zip(terms.penalties, own, lifts, strict=True)]
            short = np.maximum(-(matrix.transposed(total(own, pulls)) + terms.linear), 0.0)
        most = _ratio(short, matrix.transposed(total([np.abs(m) for m in own], np.abs(pulls))))
        if most > 1:
            return 0.0
        own = [m + most * np.abs(m) for m in own]
        pulls += most * np.abs(pulls)
    cost = sum(p.conjugate(m) for p, m in zip(terms.penalties, own, strict=True))
    cost += sum(eud.conjugate(float(pull)) for eud, pull in zip(euds, pulls, strict=True))
    return max(-cost, 0.0) if np.isfinite(cost) else 0.0


def _ratio(wanted: Array, got: Array) -> float:
    """Find the factor by which `got` reaches `wanted` everywhere; infinite where there is none."""
    need = wanted > 0
    if not need.any():
        return 0.0
    if (got[need] <= 0).any():
        return np.inf
    return float((wanted[need] / got[need]).max()) * (1 + _MARGIN)
