"""Objectives, made ready for a case: penalties of the dose, row by row, of a structure's own voxels or of a region.

The objective is

    f(x) = sum_s sum_{i in s} phi_s(d_i) + c.x + sum of EUD and DVH terms,   d = A x,  x >= 0

over structures and regions s, which may share voxels,

with phi_s piecewise quadratic and convex: a sum of over_k max(d - r_k, 0)^2 and under_k max(r_k - d, 0)^2, weights
divided by the structure's number of own voxels. A mean dose is linear in the fluence, so it goes to c and costs
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .penalties import DoseVolume, Penalty, Pooled, pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case
    from ..plan import Objective, PlanParameters
    from .matrix import Matrix

    Array = NDArray[np.float64]

#: Most evaluations of a line search; it takes a handful.
_SEARCH = 60
_SQUARED = {"squared_deviation": (1.0, 1.0), "squared_overdose": (1.0, 0.0), "squared_underdose": (0.0, 1.0)}


@dataclass(frozen=True)
class Terms:
    """The objectives of a plan on a case.

    Args:
        penalties: One for each structure or region that has squared objectives.
        linear: Gradient of the mean-dose objectives, by beamlet.
        pooled: EUD and DVH objectives, which need the doses of all voxels at once.
        rows: Number of rows of the matrix.
    """

    penalties: tuple[Penalty, ...]
    linear: Array
    pooled: tuple[Pooled, ...]
    rows: int

    @property
    def convex(self) -> bool:
        """True where a lower bound exists."""
        return all(pooled.convex for pooled in self.pooled)

    @property
    def lifts(self) -> bool:
        """True where something asks for dose."""
        return any(p.under.any() for p in self.penalties) or any(pooled.lifts for pooled in self.pooled)

    def relaxed(self) -> Terms:
        """Leave out what is not convex: its least value is below that of all objectives, as none is negative."""
        return replace(self, pooled=tuple(pooled for pooled in self.pooled if pooled.convex))

    def majorised(self, dose: NDArray[np.floating] | None) -> Terms:
        """Put convex penalties in place of what is not convex: nowhere below it, and equal at a dose.

        Args:
            dose: Dose by row; None for penalties of all voxels.
        """
        penalties = [
            pooled.majorant(None if dose is None else dose[pooled.rows])
            for pooled in self.pooled
            if isinstance(pooled, DoseVolume)
        ]
        return replace(self.relaxed(), penalties=(*self.penalties, *penalties))

    def useful(self, matrix: Matrix) -> NDArray[np.bool_]:
        """Find the beamlets that reach a voxel where an objective asks for dose; all others are best at 0."""
        asked = np.zeros(self.rows)
        for p in self.penalties:
            if p.under.any():  # a row may have several penalties: regions overlap
                asked[p.rows] = 1.0
        for pooled in self.pooled:
            if pooled.lifts:
                asked[pooled.rows] = 1.0
        return matrix.transposed(asked) > 0

    def slopes(self, dose: NDArray[np.floating]) -> tuple[float, Array]:
        """Compute the part of the objective that depends on the dose, and its derivative by each row's dose."""
        multipliers = np.zeros(self.rows)
        value = 0.0
        for p in self.penalties:
            value += p.slopes(dose, multipliers)
        for pooled in self.pooled:
            more, slope = pooled.value_slope(dose[pooled.rows].astype(np.float64))
            value += more
            multipliers[pooled.rows] += slope
        return value, multipliers

    def curvatures(self, dose: NDArray[np.floating]) -> Array:
        """Differentiate the squared objectives twice by each row's dose."""
        out = np.zeros(self.rows)
        for p in self.penalties:
            p.curvatures(dose, out)
        return out

    def step(self, dose: NDArray[np.floating], change: NDArray[np.floating], linear: float, most: float) -> float:
        """Find the step in [0, most] that minimises convex objectives along a change of the dose.

        Args:
            dose: Dose by row.
            change: What a step of 1 adds to it.
            linear: What it adds to the mean-dose objectives.
            most: The longest step.
        """

        def slope(step: float) -> tuple[float, float]:
            s, c = linear, 0.0
            for p in self.penalties:
                one = p.along(dose, change, step)
                s, c = s + one[0], c + one[1]
            for pooled in self.pooled:
                ahead = change[pooled.rows].astype(np.float64)
                there = dose[pooled.rows] + step * ahead
                s += float(pooled.value_slope(there)[1] @ ahead)
                diagonal, vectors = pooled.curvature(there)
                c += float(diagonal @ ahead**2) + sum(sign * float(v @ ahead) ** 2 for sign, v in vectors)
            return s, c

        # Newton's method on the slope, which rises with the step, kept between bounds of its zero.
        low, high, at = 0.0, np.inf, min(1.0, most)
        for _ in range(_SEARCH):
            s, c = slope(at)
            low, high = (low, at) if s > 0 else (at, high)
            if abs(s) <= 1e-9 * c * at or low == most:
                return at
            ahead = at - s / c if c > 0 else np.inf if s < 0 else low
            at = min(ahead, most) if low < min(ahead, most) < high else (low + min(high, most)) / 2
        return low


def is_squared(objective: Objective) -> bool:
    """Tell whether the objective needs each voxel's dose alone."""
    return objective.type in _SQUARED


def compile_terms(case: Case, parameters: PlanParameters, column_sums: Mapping[str, Array]) -> Terms:
    """Compile the objectives whose weight is not 0 and whose structure owns voxels.

    Args:
        case: The case.
        parameters: The objectives.
        column_sums: Of each structure or region with a mean-dose objective: sum of the matrix over its own rows.
    """
    linear = np.zeros(case.dij.beamlets)
    squares: dict[str, dict[float, list[float]]] = {}
    pooled: list[Pooled] = []
    for objective in parameters.objectives:
        rows, voxels = case.own(objective.structure), case.count_own(objective.structure)
        if objective.weight == 0 or voxels == 0:
            continue
        if objective.type == "mean":
            linear += objective.weight / voxels * column_sums[objective.structure]
        elif objective.type in _SQUARED:
            up, down = _SQUARED[objective.type]
            name = case.structure(objective.structure).name
            sides = squares.setdefault(name, {}).setdefault(float(objective.dose_gy or 0.0), [0.0, 0.0])
            sides[0] += up * objective.weight / voxels
            sides[1] += down * objective.weight / voxels
        else:
            pooled.append(pool(objective, rows))
    penalties = []
    for name in sorted(squares, key=lambda n: (case.names.index(n) if n in case.names else len(case.names), n)):
        bends = sorted(squares[name])
        over, under = np.array([squares[name][b] for b in bends]).T
        penalties.append(Penalty(name, case.own(name), np.array(bends), np.array(over), np.array(under)))
    return Terms(tuple(penalties), linear, tuple(pooled), case.dij.rows)


def cost(objective: Objective, dose: NDArray[np.floating]) -> float:
    """Compute what one objective adds to the value.

    Args:
        objective: The objective.
        dose: Dose of the structure's own voxels, Gy.
    """
    if len(dose) == 0 or objective.weight == 0:
        return 0.0
    d = dose.astype(np.float64)
    if objective.type == "mean":
        return objective.weight * float(d.mean())
    if objective.type in _SQUARED:
        up, down = _SQUARED[objective.type]
        t = d - float(objective.dose_gy or 0.0)
        return objective.weight * float(np.mean(np.where(t > 0, up, down) * t * t))
    return pool(objective, slice(0, len(d))).value_slope(d)[0]
