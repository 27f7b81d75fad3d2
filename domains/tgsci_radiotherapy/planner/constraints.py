"""What every dose that meets a goal satisfies: convex sets, each with its support function.

A goal about a histogram is not convex: which voxels may be on its wrong side is free. What follows from it is the
convex hull of all choices. Of N voxels with doses d >= 0, and weights m >= 0 for them:

    the k-th coldest gets at least l_k      for each l: sum max(l - d, 0) <= sum max(l - l_k, 0)
                                            m.d >= sum l_k m_(k), the largest weight with the least dose
    the k-th hottest gets at most u_k       for each u: sum max(d - u, 0) <= sum max(u_k - u, 0)
                                            m.d <= sum u_k m_(k), the largest weight with the highest dose
    mean d <= U, or >= L                    m.d <= U N max m;  m.d >= L N min m
    gEUD_a <= U (a >= 1), >= L (a < 1)      Hoelder's inequality, and its reverse

First stands what a solver minimises the violation of, then what a proof uses: an inequality that holds for every dose
that meets the goal, whatever m is. So whoever finds weights for which these inequalities contradict each other has
proven that no dose meets the goals together; how the weights were found does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numba
import numpy as np

from .penalties import equivalent_dose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Rows = NDArray[np.integer]

Kind = Literal["voxels", "mean", "eud"]
#: Voxels at least by which a violation is averaged: in a large structure it is a matter of a few.
_FEW = 200
#: Ranks of the hottest voxels that a beamlet's own bound looks at.
_RANKS = 12


@dataclass(frozen=True, eq=False)
class Constraint:
    """One convex constraint of the dose of some rows.

    Args:
        kind: "voxels": each voxel's dose, but for those spared; "mean"; "eud": gEUD.
        upper: True where the dose has to stay at or below `limit`, False where it has to reach it.
        rows: Rows of the case, each once.
        limit: Gy.
        spared: Of "voxels": bounds of those that may be on the wrong side, Gy, the farthest from the limit first:
            the highest dose of each where `upper`, else the least.
        extra: What the first of the spared may get beyond their bounds: how many of them, and how much by row, Gy.
        exponent: Of "eud": at least 1 where `upper`, else below 1.
    """

    kind: Kind
    upper: bool
    rows: Rows
    limit: float
    spared: tuple[float, ...] | Array = ()
    extra: tuple[int, Array] | None = None
    exponent: float = 1.0

    @cached_property
    def _bounds(self) -> Array:
        return np.asarray(self.spared, np.float64)

    @cached_property
    def _allowed(self) -> float:
        """How far the doses may be on the wrong side, all together, Gy."""
        allowed = float(np.abs(self._bounds - self.limit).sum())
        return allowed + (_largest(self.extra[1], self.extra[0]) if self.extra else 0.0)

    def hottest(self) -> Array:
        """Give the most that its hottest rows may have, in falling order, Gy: few, and the last of them the limit.

        Of "voxels" that have to stay low.
        """
        bounds = self._bounds[:_RANKS].copy()
        if self.extra:
            bounds[: self.extra[0]] += float(self.extra[1].max(initial=0.0))
        # Where more are spared the last rank has the bound of its own.
        end = self.limit if len(self._bounds) <= _RANKS else float(self._bounds[_RANKS])
        return np.append(bounds, end)

    def violation(self, dose: NDArray[np.floating], blur: float) -> float:
        """Measure by how much a dose breaks the constraint, Gy; above 0 where it is broken.

        Args:
            dose: Of each row of the case, Gy.
            blur: Within this distance of the limit a voxel counts in part, Gy: what makes the function smooth.
        """
        sign = 1.0 if self.upper else -1.0
        if self.kind == "voxels":
            missed = _missed(dose, self.rows, self.limit, sign, blur)
            return (float(missed) - self._allowed) / self._scale
        own = dose[self.rows].astype(np.float64)
        value = float(own.mean()) if self.kind == "mean" else equivalent_dose(own, self.exponent)[0]
        return sign * (value - self.limit)

    def weights(self, dose: NDArray[np.floating], blur: float) -> Array:
        """Differentiate the violation by the dose of each of its rows, without the sign."""
        if self.kind == "voxels":
            sign = 1.0 if self.upper else -1.0
            return np.clip(sign * (dose[self.rows].astype(np.float64) - self.limit) / blur, 0.0, 1.0) / self._scale
        if self.kind == "mean":
            return np.full(len(self.rows), 1.0 / len(self.rows))
        return equivalent_dose(dose[self.rows].astype(np.float64), self.exponent)[1]

    @property
    def _scale(self) -> int:
        return max(len(self._bounds), min(len(self.rows), _FEW))

    def support(self, weights: Array) -> float:
        """Bound weights.dose over all doses that satisfy the constraint: from above where `upper`, else from below.

        Args:
            weights: Of its rows, none negative.
        """
        n = len(self.rows)
        if self.kind == "mean":
            return n * float(weights.max() if self.upper else weights.min()) * self.limit
        if self.kind == "eud":
            return _dual_norm(weights, self.exponent) * float(n ** (1.0 / self.exponent)) * self.limit
        bound = float(weights.sum()) * self.limit
        few = len(self._bounds)
        if few:
            most = -np.sort(-np.partition(weights, n - few)[n - few :])
            bound += float(most @ (self._bounds - self.limit))
        return bound + (_largest(weights * self.extra[1], self.extra[0]) if self.extra else 0.0)


@numba.njit(error_model="numpy", cache=True)
def _missed(dose, rows, limit, sign, blur):  # type: ignore[no-untyped-def]
    """Sum how far the doses of some rows are on the wrong side of a limit; half of the blur less than that."""
    total = 0.0
    for i in rows:
        away = sign * (np.float64(dose[i]) - limit)
        if away >= blur:
            total += away - 0.5 * blur
        elif away > 0.0:
            total += 0.5 * away * away / blur
    return total


def _largest(values: Array, count: int) -> float:
    """Sum the `count` largest values."""
    return float(np.partition(values, len(values) - count)[len(values) - count :].sum()) if count else 0.0


def _dual_norm(weights: Array, exponent: float) -> float:
    """(sum m^b)^(1/b) with 1/a + 1/b = 1; the largest weight where a = 1, 0 where 0 < a < 1 and a weight is 0."""
    most = float(weights.max(initial=0.0))
    if exponent == 1.0 or most == 0.0:
        return most
    power = exponent / (exponent - 1.0)
    if power < 0 and not weights.all():
        return 0.0
    # Relative to the weight that counts most, so that no power overflows.
    pivot = most if power > 0 else float(weights.min())
    return pivot * float(np.sum((weights / pivot) ** power) ** (1.0 / power))
