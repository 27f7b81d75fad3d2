"""Whether any fluence satisfies convex constraints of the dose at once; a proof where none does.

The proof (Farkas; Boyd and Vandenberghe, Convex Optimization, 5.8): weights m_k >= 0 by voxel for each constraint k,
signed + for what keeps the dose low and - for what asks for dose, m their sum by row. Where A^T m >= 0 no fluence
x >= 0 has m.d < 0, d = A x. But every dose that satisfies the constraints has m.d at most sum of their supports
(`constraints`). Where that sum is negative, no fluence satisfies them all.

The weights come from the fluence that breaks the constraints least, by the sum of squares of the violations: its
multipliers are such weights but for rounding, and for the solver's patience. What A^T m lacks is made good in two
ways, whichever costs less column by column: what keeps the dose low counts more; or the beamlet adds what it can at
the most, x_j <= X_j, since one beamlet alone must not bring a voxel above its limit. Everything is counted again in
float64, so a proof is right however badly the solver did.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .hottest import largest_by_column

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.optimize import OptimizeResult

    from .constraints import Constraint
    from .matrix import Matrix
    from .planner import Planner

    Array = NDArray[np.float64]

#: Doses within which voxels count in part, Gy, one solve after the other: sharper is truer, and slower.
BLURS = (1.0, 0.2, 0.04, 0.008)
#: Steps between two looks at whether it is proven, and steps of one solve, at most.
_LOOK, _STEPS = 20, 400
#: A violation below this counts as none, Gy: at the present blur; and as they are, where a fluence was found.
_MET, _FOUND = 1e-3, 0.05
#: What rounding may take: of the sums over a column, and of the contradiction, relative.
_COLUMN, _SUM = 1e-10, 1e-6
#: By how much more what keeps the dose low may count, to make good what a beamlet lacks.
_MORE = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3)
#: A look that gains less than this share of the contradiction is the last.
_GAIN = 0.02


@dataclass(frozen=True)
class Proof:
    """Weights for which the constraints contradict each other.

    Args:
        constraints: Those that take part, by place.
        strength: By how much: the dose that they ask for over what they allow, as a share of the former.
    """

    constraints: tuple[int, ...]
    strength: float


@dataclass(frozen=True)
class Verdict:
    """What a search for a fluence has come to.

    Args:
        proof: Why there is none; None where it is not proven.
        possible: True where a fluence satisfies all, but for `_FOUND`.
        fluence: The one that breaks the constraints least.
        finished: False where time ran out.
    """

    proof: Proof | None
    possible: bool
    fluence: Array
    finished: bool


def prove(
    planner: Planner,
    constraints: Sequence[Constraint],
    *,
    start: Array | None = None,
    blurs: Sequence[float] = BLURS,
    deadline: float = np.inf,
) -> Verdict:
    """Look for a fluence that satisfies all constraints, and for a proof that there is none.

    Args:
        planner: Of the case.
        constraints: Of its rows.
        start: A fluence to start from.
        blurs: Of one solve after the other, Gy; the last one decides how strong a proof is, and how slow.
        deadline: When to stop, by `time.monotonic`.
    """
    x = np.zeros(planner.matrix.columns) if start is None else np.array(start)
    verdict = Verdict(None, not constraints, x, True)
    most = strongest(planner, constraints)
    for blur in blurs:
        verdict = _solve(planner.matrix, constraints, most, verdict, blur, deadline)
        if verdict.possible or not verdict.finished:
            break
    return verdict


def strongest(planner: Planner, constraints: Sequence[Constraint]) -> Array:
    """Bound the fluence of each beamlet: alone it must not bring a voxel, or a mean, above its limit; inf if none."""
    matrix, dij = planner.matrix, planner.case.dij
    bound = np.full(matrix.columns, np.inf)
    for constraint in constraints:
        if not constraint.upper:
            continue
        if constraint.kind == "voxels":  # the r-th largest of its doses is not above that of the plan
            dose = constraint.hottest()
            entries = np.zeros((matrix.columns, len(dose)), np.float64)
            largest_by_column(dij.starts, dij.columns, dij.values, constraint.rows, entries)
        else:  # a mean is not above its gEUD, a >= 1
            by_row = np.zeros(matrix.rows)
            by_row[constraint.rows] = 1.0 / len(constraint.rows)
            entries, dose = matrix.transposed(by_row)[:, None], np.array([constraint.limit])
        with np.errstate(divide="ignore"):
            bound = np.minimum(bound, np.where(entries > 0, dose / entries, np.inf).min(axis=1))
    return bound * (1 + _SUM)


def certify(matrix: Matrix, constraints: Sequence[Constraint], most: Array, weights: Sequence[Array]) -> Proof | None:
    """Check a proof: repair the weights, count again, and give it only where the contradiction is beyond rounding.

    Args:
        matrix: The dose influence.
        constraints: Of its rows.
        most: Of each beamlet, the fluence that the constraints leave it; see `strongest`.
        weights: Of each constraint's rows, none negative.
    """
    up, down = np.zeros(matrix.rows), np.zeros(matrix.rows)
    low = high = 0.0
    for constraint, own in zip(constraints, weights, strict=True):
        (up if constraint.upper else down)[constraint.rows] += own  # a row stands in a constraint once
        bound = constraint.support(own)
        low, high = (low, high + bound) if constraint.upper else (low + bound, high)
    lifted, pressed = matrix.transposed(up), matrix.transposed(down)
    short = np.maximum(pressed - lifted + _COLUMN * (pressed + lifted), 0.0)
    # Supports are homogeneous: what keeps the dose low may count `more` times as much.
    repairs = [high * more + _total(np.maximum(short - more * lifted, 0.0), most) for more in _MORE]
    contradiction = low - high - min(repairs) - _SUM * (low + high)
    if not contradiction > 0:
        return None
    return Proof(tuple(k for k, own in enumerate(weights) if own.any()), contradiction / low)


def _total(short: Array, most: Array) -> float:
    """Sum short times most, 0 where nothing is short."""
    there = short > 0
    return float(short[there] @ most[there])


def _solve(
    matrix: Matrix, constraints: Sequence[Constraint], most: Array, before: Verdict, blur: float, deadline: float
) -> Verdict:
    """Minimise the violation by L-BFGS-B, scaled, and look for a proof on the way."""
    from scipy.optimize import Bounds, minimize

    root = _scale(matrix, constraints)
    best: list[Verdict] = [before]
    steps = 0

    def pulls(x: Array) -> tuple[float, list[Array]]:
        """Sum the squares of the violations, and weigh the rows of each constraint by their derivatives."""
        dose = matrix.dose(x)
        broken = [max(constraint.violation(dose, blur), 0.0) for constraint in constraints]
        weights = [
            by * constraint.weights(dose, blur) if by else np.zeros(len(constraint.rows))
            for by, constraint in zip(broken, constraints, strict=True)
        ]
        return 0.5 * float(np.square(broken).sum()), weights

    def evaluate(y: Array) -> tuple[float, Array]:
        total, weights = pulls(y / root)
        by_row = np.zeros(matrix.rows)
        for constraint, own in zip(constraints, weights, strict=True):
            by_row[constraint.rows] += own if constraint.upper else -own
        return total, matrix.transposed(by_row) / root

    def look(x: Array) -> bool:
        """Keep the best proof so far; True where looking on is of no use."""
        total, weights = pulls(x)
        if total <= 0.5 * _MET**2:
            best[0] = Verdict(best[0].proof, best[0].proof is None and _satisfied(matrix, constraints, x), x, True)
            return True
        proof = certify(matrix, constraints, most, weights)
        old = best[0].proof
        gain = (proof.strength if proof else 0.0) - (old.strength if old else 0.0)
        best[0] = Verdict(proof if gain > 0 else old, False, x, time.monotonic() < deadline)
        return not best[0].finished or (proof is not None and old is not None and gain < _GAIN * proof.strength)

    def each(intermediate_result: OptimizeResult) -> None:
        nonlocal steps
        steps += 1
        if (steps % _LOOK == 0 or time.monotonic() > deadline) and look(np.asarray(intermediate_result.x) / root):
            raise StopIteration

    options = {"maxiter": _STEPS, "maxfun": 4 * _STEPS, "maxcor": 20, "ftol": 1e-12, "gtol": 0.0}
    bounds = Bounds(0.0, np.inf)
    y = before.fluence * root
    end = minimize(evaluate, y, jac=True, method="L-BFGS-B", bounds=bounds, callback=each, options=options)
    if steps == 0 or steps % _LOOK:
        look(np.asarray(end.x) / root)
    return replace(best[0], fluence=np.asarray(end.x) / root)


def _satisfied(matrix: Matrix, constraints: Sequence[Constraint], x: Array) -> bool:
    dose = matrix.dose(x, exact=True)
    return all(constraint.violation(dose, 1e-9) <= _FOUND for constraint in constraints)


def _scale(matrix: Matrix, constraints: Sequence[Constraint]) -> Array:
    """Choose the unit of each beamlet's fluence: the dose that it gives to what is asked to get some."""
    asked = np.zeros(matrix.rows)
    for constraint in constraints:
        asked[constraint.rows] += 1.0 / len(constraint.rows)
    reach = np.sqrt(np.maximum(matrix.transposed(asked), 0.0))
    return np.asarray(np.maximum(reach, 1e-3 * float(reach.max(initial=1e-30))))
