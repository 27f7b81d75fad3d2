"""Objectives that need the doses of all voxels of a structure at once: EUD and dose-volume objectives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..plan import Objective

    Array = NDArray[np.float64]


def equivalent_dose(dose: Array, exponent: float) -> tuple[float, Array]:
    """gEUD = (1/N sum d^a)^(1/a) and its derivative by each dose, (d/gEUD)^(a-1)/N (Niemierko 1999).

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
    rows: slice
    convex: bool = True

    @property
    def lifts(self) -> bool:
        """True where it asks for more dose."""
        return float(self.objective.exponent or 1.0) < 0

    def value_slope(self, dose: Array) -> tuple[float, Array]:
        """Its value, and the derivative by the dose of each of the structure's own voxels."""
        o = self.objective
        eud, slope = equivalent_dose(dose, float(o.exponent or 1.0))
        excess = eud - float(o.dose_gy or 0.0)
        if (excess > 0) != (float(o.exponent or 1.0) > 0):
            return 0.0, np.zeros(len(dose))
        return o.weight * excess**2, 2 * o.weight * excess * slope

    def tangent(self, dose: Array) -> tuple[float, Array]:
        """Derivative of the objective by the gEUD, and that of the gEUD by each dose."""
        o = self.objective
        eud, slope = equivalent_dose(dose, float(o.exponent or 1.0))
        excess = eud - float(o.dose_gy or 0.0)
        active = (excess > 0) == (float(o.exponent or 1.0) > 0)
        return (2 * o.weight * excess if active else 0.0), slope

    def curvature(self, dose: Array) -> tuple[Array, list[tuple[float, Array]]]:
        """Second derivative by the doses: a diagonal, and (sign, v) for each sign v v^T that is added.

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
        """max over e of pull e - penalty(e), e the gEUD; `pull` has the sign of a derivative of the penalty."""
        o = self.objective
        return pull * float(o.dose_gy or 0.0) + pull**2 / (4 * o.weight)


@dataclass(frozen=True)
class DoseVolume:
    """w/N sum (d - ref)^2 over the voxels between ref and the dose that `volume_percent` of the volume gets now.

    As in matRad and pyRadPlan (`MaxDVH`, `MinDVH`); after Wu and Mohan, Med Phys 27 (2000) 701. Not convex, and the
    set of voxels jumps: a solver finds a local minimum.
    """

    objective: Objective
    rows: slice
    convex: bool = False

    @property
    def lifts(self) -> bool:
        """True where it asks for more dose."""
        return self.objective.type == "min_dvh"

    def value_slope(self, dose: Array) -> tuple[float, Array]:
        """Its value, and the derivative by the dose of each of the structure's own voxels."""
        o = self.objective
        ref = float(o.dose_gy or 0.0)
        edge = np.quantile(dose, 1.0 - float(o.volume_percent or 0.0) / 100.0)
        if o.type == "max_dvh":
            t = np.where((dose < ref) | (dose > edge), 0.0, dose - ref)
        else:
            t = np.where((dose > ref) | (dose < edge), 0.0, dose - ref)
        scale = o.weight / len(dose)
        return scale * float(t @ t), 2 * scale * t

    def curvature(self, dose: Array) -> tuple[Array, list[tuple[float, Array]]]:
        """Second derivative by the doses as long as the set of voxels stays: a diagonal."""
        return np.where(self.value_slope(dose)[1] != 0, 2 * self.objective.weight / len(dose), 0.0), []


Pooled = Eud | DoseVolume


def pool(objective: Objective, rows: slice) -> Pooled:
    """The objective on a structure's own rows."""
    return Eud(objective, rows) if objective.type == "eud" else DoseVolume(objective, rows)
