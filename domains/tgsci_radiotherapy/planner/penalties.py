"""What objectives cost: `Penalty` by each voxel's own dose, `Eud` and `DoseVolume` by all doses of a structure.

A `Penalty` is piecewise quadratic and convex,

    phi(d) = sum_k over[k] max(d - bends[k], 0)^2 + under[k] max(bends[k] - d, 0)^2

the same for all rows of a structure; its loops over the rows are compiled by numba. Rows may have several penalties.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..plan import Objective

    Array = NDArray[np.float64]
    Rows = slice | NDArray[np.int32]


@numba.njit(error_model="numpy", cache=True)
def _penalty(dose, rows, bends, over, under, multipliers):  # type: ignore[no-untyped-def]
    """sum_i phi(d_i); multipliers[i] += phi'(d_i)."""
    total = 0.0
    for i in rows:
        d = np.float64(dose[i])
        slope = 0.0
        for b in range(len(bends)):
            t = d - bends[b]
            w = over[b] if t > 0 else under[b]
            total += w * t * t
            slope += 2 * w * t
        multipliers[i] += slope
    return total


@numba.njit(error_model="numpy", cache=True)
def _along(dose, change, step, rows, bends, over, under):  # type: ignore[no-untyped-def]
    """First and second derivative of sum_i phi(d_i + step change_i) by the step."""
    slope = 0.0
    curvature = 0.0
    for i in rows:
        c = np.float64(change[i])
        if c != 0:
            d = np.float64(dose[i]) + step * c
            for b in range(len(bends)):
                t = d - bends[b]
                w = over[b] if t > 0 else under[b]
                slope += 2 * w * t * c
                curvature += 2 * w * c * c
    return slope, curvature


@numba.njit(error_model="numpy", cache=True)
def _curvature(dose, rows, bends, over, under, out):  # type: ignore[no-untyped-def]
    """out[i] += phi''(d_i)."""
    for i in rows:
        d = np.float64(dose[i])
        s = 0.0
        for b in range(len(bends)):
            s += 2 * (over[b] if d > bends[b] else under[b])
        out[i] += s


@numba.njit(error_model="numpy", cache=True)
def _conjugate(multipliers, bends, over, under, heights, stiffness):  # type: ignore[no-untyped-def]
    """sum_i phi*(m_i), phi*(m) = max_d m d - phi(d); infinite where a multiplier is no slope of phi.

    phi' increases and is linear between bends: heights[b] at bend b, stiffness[b] to the left of bend b and
    stiffness[-1] to the right of the last. The d with phi'(d) = m is looked up from the left.
    """
    total = 0.0
    n = len(bends)
    for m in multipliers:
        b = 0
        while b < n and m > heights[b]:
            b += 1
        d = bends[max(b - 1, 0)]
        away = m - heights[max(b - 1, 0)]
        if b > 0 or away < 0:
            if stiffness[b] == 0:
                return np.inf
            d += away / stiffness[b]
        value = 0.0
        for k in range(n):
            t = d - bends[k]
            value += (over[k] if t > 0 else under[k]) * t * t
        total += m * d - value
    return total


@dataclass(frozen=True)
class Penalty:
    """The penalty of the voxels of a structure or region, each by its own dose alone.

    Args:
        place: Its name in the case; two penalties of one name have the same rows.
        rows: Its rows: a slice, or their numbers, ascending.
        bends: Reference doses, ascending, Gy.
        over: Weight over voxels of max(d - bend, 0)^2.
        under: Weight over voxels of max(bend - d, 0)^2.
    """

    place: str
    rows: Rows
    bends: Array
    over: Array
    under: Array

    @cached_property
    def index(self) -> NDArray[np.int32]:
        """The numbers of its rows."""
        return np.arange(self.rows.start, self.rows.stop, dtype=np.int32) if isinstance(self.rows, slice) else self.rows

    @cached_property
    def heights(self) -> Array:
        """phi' at each bend."""
        away = self.bends[:, None] - self.bends
        return np.asarray(2 * (np.maximum(away, 0) @ self.over - np.maximum(-away, 0) @ self.under))

    @cached_property
    def stiffness(self) -> Array:
        """phi'' to the left of each bend, and to the right of the last."""
        n = len(self.bends)
        return np.array([2 * (self.over[:b].sum() + self.under[b:].sum()) for b in range(n + 1)])

    @cached_property
    def range(self) -> tuple[float, float]:
        """Between which slopes phi' lies."""
        return (-np.inf if self.under.any() else 0.0), (np.inf if self.over.any() else 0.0)

    def slopes(self, dose: NDArray[np.floating], out: Array) -> float:
        """Sum phi over the rows, and add phi' to `out`, (rows of the case,)."""
        return float(_penalty(dose, self.index, self.bends, self.over, self.under, out))

    def along(self, dose: NDArray[np.floating], change: NDArray[np.floating], step: float) -> tuple[float, float]:
        """Differentiate the sum of phi(dose + step change) by the step, once and twice."""
        slope, curvature = _along(dose, change, step, self.index, self.bends, self.over, self.under)
        return float(slope), float(curvature)

    def curvatures(self, dose: NDArray[np.floating], out: Array) -> None:
        """Add phi'' to `out`, (rows of the case,)."""
        _curvature(dose, self.index, self.bends, self.over, self.under, out)

    def conjugate(self, multipliers: Array) -> float:
        """Sum phi*(m_i), phi*(m) = max_d m d - phi(d); infinite where a multiplier is no slope of phi.

        Args:
            multipliers: One for each of its rows.
        """
        return float(_conjugate(multipliers, self.bends, self.over, self.under, self.heights, self.stiffness))


def equivalent_dose(dose: Array, exponent: float) -> tuple[float, Array]:
    """Compute gEUD = (1/N sum d^a)^(1/a) and its derivative by each dose, (d/gEUD)^(a-1)/N (Niemierko 1999).

    Doses are taken relative to the highest (a > 0) or lowest (a < 0), so that no power overflows; where the lowest is 0
    the derivative is the one-sided limit.
    """
    n = len(dose)
    dose = np.maximum(dose, 0.0)  # rounding may leave less
    pivot = float(dose.max() if exponent > 0 else dose.min())
    if exponent > 0 and pivot <= 0:
        return 0.0, np.full(n, 1.0 / n)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = np.where(dose == pivot, 1.0, dose / pivot)
        mean = float(np.mean(relative**exponent))
        root = mean ** (1.0 / exponent)
        return pivot * root, (relative / root) ** (exponent - 1.0) / n


@dataclass(frozen=True)
class Eud:
    """w max(gEUD - ref, 0)^2 for exponents from 1 on, w max(ref - gEUD, 0)^2 for those below 0: convex both.

    gEUD is convex for a >= 1 and concave for a < 1 (Choi and Deasy, Phys Med Biol 47 (2002) 3579).
    """

    objective: Objective
    rows: Rows
    convex: bool = True

    @property
    def lifts(self) -> bool:
        """True where it asks for more dose."""
        return float(self.objective.exponent or 1.0) < 0

    def value_slope(self, dose: Array) -> tuple[float, Array]:
        """Compute the value, and the derivative by the dose of each of the structure's own voxels."""
        o = self.objective
        eud, slope = equivalent_dose(dose, float(o.exponent or 1.0))
        excess = eud - float(o.dose_gy or 0.0)
        if (excess > 0) != (float(o.exponent or 1.0) > 0):
            return 0.0, np.zeros(len(dose))
        return o.weight * excess**2, 2 * o.weight * excess * slope

    def tangent(self, dose: Array) -> tuple[float, Array]:
        """Differentiate the objective by the gEUD, and the gEUD by each dose."""
        o = self.objective
        eud, slope = equivalent_dose(dose, float(o.exponent or 1.0))
        excess = eud - float(o.dose_gy or 0.0)
        active = (excess > 0) == (float(o.exponent or 1.0) > 0)
        return (2 * o.weight * excess if active else 0.0), slope

    def curvature(self, dose: Array) -> tuple[Array, list[tuple[float, Array]]]:
        """Differentiate twice by the doses: a diagonal, and (sign, v) for each sign v v^T that is added.

        d2 gEUD / dd_i dd_j = (a - 1) / gEUD ([i = j] (d_i / gEUD)^(a - 2) / N - q_i q_j), q the gradient of gEUD.
        """
        o = self.objective
        a = float(o.exponent or 1.0)
        pull, slope = self.tangent(dose)
        eud = equivalent_dose(dose, a)[0]
        if not pull or eud <= 0:
            return np.zeros(len(dose)), []
        bend = pull * (a - 1.0) / eud
        # Where 1 < a < 2 the curvature is infinite at no dose; a large one does.
        own = slope * eud / np.maximum(dose, 1e-3 * eud)
        rank = 2 * o.weight - bend
        return bend * own, [(float(np.sign(rank)), np.sqrt(abs(rank)) * slope)]

    def conjugate(self, pull: float) -> float:
        """Compute max over e of pull e - penalty(e), e the gEUD; `pull` has the sign of a derivative of the penalty."""
        o = self.objective
        return pull * float(o.dose_gy or 0.0) + pull**2 / (4 * o.weight)


@dataclass(frozen=True)
class DoseVolume:
    """w/N sum (d - ref)^2 over the voxels between ref and the dose that `volume_percent` of the volume gets now.

    As in matRad and pyRadPlan (`MaxDVH`, `MinDVH`); after Wu and Mohan, Med Phys 27 (2000) 701. Not convex: it is the
    least of many convex penalties, one for each choice of the voxels that are let off (`majorant`).
    """

    objective: Objective
    rows: Rows
    convex: bool = False

    @property
    def lifts(self) -> bool:
        """True where it asks for more dose."""
        return self.objective.type == "min_dvh"

    def value_slope(self, dose: Array) -> tuple[float, Array]:
        """Compute the value, and the derivative by the dose of each of the structure's own voxels."""
        o = self.objective
        ref = float(o.dose_gy or 0.0)
        edge = np.quantile(dose, 1.0 - float(o.volume_percent or 0.0) / 100.0)
        if o.type == "max_dvh":
            t = np.where((dose < ref) | (dose > edge), 0.0, dose - ref)
        else:
            t = np.where((dose > ref) | (dose < edge), 0.0, dose - ref)
        scale = o.weight / len(dose)
        return scale * float(t @ t), 2 * scale * t

    def majorant(self, dose: NDArray[np.floating] | None) -> Penalty:
        """Give the penalty of those voxels that are not let off at a dose: nowhere below this one, and equal there.

        Args:
            dose: Of each of the structure's own voxels; None lets none off.
        """
        o = self.objective
        index = np.arange(self.rows.start, self.rows.stop) if isinstance(self.rows, slice) else self.rows
        n = len(index)
        over = 1.0 if o.type == "max_dvh" else 0.0
        scale = o.weight / n
        if dose is not None:
            # As many as the quantile has on its side.
            part = (1.0 - float(o.volume_percent or 0.0) / 100.0) * (n - 1)
            chosen = np.argsort(dose, kind="stable")
            chosen = chosen[: math.floor(part) + 1] if over else chosen[math.ceil(part) :]
            index = np.sort(index[chosen])
        sides = np.array([scale * over]), np.array([scale * (1.0 - over)])
        return Penalty(o.label, index.astype(np.int32), np.array([float(o.dose_gy or 0.0)]), *sides)

    def curvature(self, dose: Array) -> tuple[Array, list[tuple[float, Array]]]:
        """Differentiate twice by the doses, as long as the set of voxels stays: a diagonal."""
        return np.where(self.value_slope(dose)[1] != 0, 2 * self.objective.weight / len(dose), 0.0), []


Pooled = Eud | DoseVolume


def pool(objective: Objective, rows: Rows) -> Pooled:
    """Put an objective on a structure's own rows, or a region's."""
    return Eud(objective, rows) if objective.type == "eud" else DoseVolume(objective, rows)
