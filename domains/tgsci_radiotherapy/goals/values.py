"""Values and gradients of metrics; their definitions are in `metrics`.

A metric that jumps from voxel to voxel has a gradient that is a mean over neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .metrics import Metric

#: Volumes of the homogeneity index, %.
HOMOGENEITY = (2.0, 98.0, 50.0)
#: Half the width of a neighbourhood: a share of the structure's voxels; in small ones a larger share, up to the last,
#: voxels.
SHARE, _SMALL_SHARE, _VOXELS = 0.01, 0.02, 20
#: For volumes: how far a neighbourhood reaches from the threshold, at least and at most, Gy.
_NEAREST, _FARTHEST = 0.02, 1.0


class RankedDoses:
    """Doses of a structure's voxels by rank, the hottest first. Partitioned once for all ranks, never sorted whole.

    Args:
        dose: Total Gy of each voxel, shape (N,), N at least 1.
        ranks: Ranks that will be asked for, from 1 to N, whole or between.
    """

    def __init__(self, dose: NDArray[np.floating], ranks: Iterable[float] = ()) -> None:
        self.dose = dose
        self.size = len(dose)
        self._sorted: NDArray[np.floating] = dose
        self._known: set[int] = set()
        self.prepare(ranks)

    def prepare(self, ranks: Iterable[float]) -> None:
        """Partition once for all of these ranks."""
        wanted = {place for rank in ranks for place in self._places(rank)}
        if wanted - self._known:
            self._known |= wanted
            self._sorted = np.partition(self.dose, sorted(self._known))

    def at(self, rank: float) -> float:
        """Give the dose at a rank, Gy, linear between whole ranks; below 1 the highest, above N the lowest."""
        self.prepare([rank])
        low, high = self._places(rank)
        part = min(max(rank, 1.0), float(self.size)) % 1.0
        return float(self._sorted[low]) * (1.0 - part) + float(self._sorted[high]) * part

    def count(self, dose: float) -> int:
        """Count the voxels that get at least this dose."""
        return int(np.count_nonzero(self.dose >= dose))

    def _places(self, rank: float) -> tuple[int, int]:
        """Find the places, in ascending order, of the voxels on both sides of a rank."""
        rank = min(max(rank, 1.0), float(self.size))
        hotter = floor(rank)
        return self.size - hotter, max(self.size - hotter - 1, 0)


def value(
    metric: Metric,
    dose: NDArray[np.floating] | RankedDoses,
    voxel_cc: float,
    prescription: float,
    everything: NDArray[np.floating] | None = None,
) -> float:
    """Compute a metric; see `Metric.value`."""
    ordered = dose if isinstance(dose, RankedDoses) else RankedDoses(checked(dose))
    check(metric, voxel_cc, prescription)
    if metric.kind in ("D%", "Dcc", "Dmax", "Dmin"):
        (rank,) = ranks(metric, ordered.size, voxel_cc)
        return ordered.at(rank)
    if metric.kind == "HI":
        hot, cold, middle = (ordered.at(rank) for rank in ranks(metric, ordered.size, voxel_cc))
        return (hot - cold) / middle if middle > 0 else math.nan
    if metric.kind == "Dmean":
        return float(np.mean(ordered.dose, dtype=np.float64))
    if metric.kind == "gEUD":
        return equivalent(ordered.dose, metric.amount)
    covered = ordered.count(threshold(metric, prescription))
    if metric.kind == "CI":
        if everything is None:
            raise UsageError("CI also needs the dose outside the structure; evaluate a whole case")
        isodose = int(np.count_nonzero(everything >= threshold(metric, prescription)))
        return covered**2 / (ordered.size * isodose) if isodose else 0.0
    count = ordered.size - covered if metric.kind.startswith("C") else covered
    return count * voxel_cc if metric.unit == "cc" else 100.0 * count / ordered.size


def ranks(metric: Metric, size: int, voxel_cc: float) -> tuple[float, ...]:
    """Find the ranks whose doses a metric is made of, 1 for the hottest voxel; they need not be whole."""
    if metric.kind == "D%":
        return (_whole(metric.amount * size / 100.0),)
    if metric.kind == "Dcc":
        return (_whole(metric.amount / voxel_cc),)
    if metric.kind == "HI":
        return tuple(_whole(percent * size / 100.0) for percent in HOMOGENEITY)
    return {"Dmax": (1.0,), "Dmin": (float(size),)}.get(metric.kind, ())


def threshold(metric: Metric, prescription: float) -> float:
    """Find the dose whose volume a metric measures, Gy."""
    if metric.kind == "CI":
        return prescription * (metric.amount or 100.0) / 100.0
    return metric.amount * prescription / 100.0 if metric.kind in ("V%", "CV%") else metric.amount


def equivalent(dose: NDArray[np.floating], exponent: float) -> float:
    """Compute the generalised equivalent uniform dose, Gy; relative to the extreme dose, so that no power overflows."""
    d = np.asarray(dose, np.float64)
    scale = float(d.max() if exponent > 0 else d.min())
    if scale <= 0.0:
        return 0.0
    return float(scale * np.mean((d / scale) ** exponent) ** (1.0 / exponent))


def checked(dose: NDArray[np.floating]) -> NDArray[np.floating]:
    """Check that doses are a list of numbers, at least one.

    Raises:
        UsageError: There is no dose, or the doses are no list of numbers.
    """
    dose = np.asarray(dose)
    if dose.ndim != 1 or not len(dose):
        raise UsageError("a metric needs the doses of a structure's voxels, shape (N,), N at least 1")
    return dose if dose.dtype.kind == "f" else dose.astype(np.float64)


def check(metric: Metric, voxel_cc: float, prescription: float) -> None:
    """Check that a metric has the prescription and the voxel volume that it needs.

    Raises:
        UsageError: Says what is missing.
    """
    if metric.needs_prescription and not prescription > 0:
        raise UsageError(f"{metric} needs the prescription, total Gy")
    if (metric.kind == "Dcc" or metric.unit == "cc") and not voxel_cc > 0:
        raise UsageError(f"{metric} needs the volume of a voxel, cc")


def _whole(rank: float) -> float:
    """Make a rank whole where only rounding keeps it from being so: 95% of 300 voxels are 285."""
    nearest = round(rank)
    return float(nearest) if abs(rank - nearest) <= 1e-9 * max(nearest, 1) else rank


def gradient(metric: Metric, dose: NDArray[np.floating], voxel_cc: float, prescription: float) -> NDArray[np.float64]:
    """Differentiate a metric; see `Metric.gradient`."""
    d = checked(dose).astype(np.float64)
    check(metric, voxel_cc, prescription)
    if metric.kind == "CI":
        raise UsageError("CI depends on the dose outside the structure too; take the gradient of a whole case")
    if metric.kind == "Dmean":
        return np.full(len(d), 1.0 / len(d))
    if metric.kind == "gEUD":
        return _of_equivalent(d, metric.amount)
    if metric.kind == "HI":
        return _of_homogeneity(metric, d)
    if metric.unit == "Gy":
        (rank,) = ranks(metric, len(d), voxel_cc)
        return around_rank(d, rank)
    slope = around_dose(d, threshold(metric, prescription))
    sign = -1.0 if metric.kind.startswith("C") else 1.0
    return sign * slope * (len(d) * voxel_cc if metric.unit == "cc" else 100.0)


def neighbours(size: int) -> float:
    """Choose how many voxels a neighbourhood reaches to each side: 1% of the structure; 2%, at most 20, in small ones.

    Wide enough that a few voxels' chances even out, narrow enough for a histogram's bends: on the built-in cases it
    foretells what doubling a weight does to D95%, D98% and volumes, where narrower ones follow single voxels.
    """
    return max(SHARE * size, min(_SMALL_SHARE * size, float(_VOXELS)))


def around_rank(dose: NDArray[np.float64], rank: float) -> NDArray[np.float64]:
    """Weigh the voxels about a rank: triangular weights, as wide on both sides, their sum 1.

    Near the ends the neighbourhood shrinks rather than to lean to one side; at its least it is the two voxels that
    the metric lies between.
    """
    size = len(dose)
    rank = min(max(rank, 1.0), float(size))
    width = max(1.0, min(neighbours(size), rank - 0.5, size + 0.5 - rank))
    first, last = max(1, int(np.ceil(rank - width))), min(size, int(np.floor(rank + width)))
    weights = np.maximum(0.0, 1.0 - np.abs(np.arange(first, last + 1) - rank) / width)
    low, high = size - last, size - first
    window = np.partition(dose, np.unique([low, high]))[low : high + 1]
    inside = np.flatnonzero((dose >= window.min()) & (dose <= window.max()))
    # Voxels of exactly the same dose share their weight: which of them has which rank is chance.
    values, place, counts = np.unique(dose[inside], return_inverse=True, return_counts=True)
    totals = np.bincount(np.searchsorted(values, np.sort(window)[::-1]), weights, len(values))
    slope = np.zeros(size)
    slope[inside] = (totals / weights.sum() / counts)[place]
    return slope


def around_dose(dose: NDArray[np.float64], at: float) -> NDArray[np.float64]:
    """Differentiate the part of voxels that get at least a dose by the dose of each, per Gy, with a triangular kernel.

    Its width is the distance within which as many voxels lie as `around_rank` sees, from 0.02 to 1 Gy.
    """
    size = len(dose)
    distance = np.abs(dose - at)
    nth = min(size - 1, max(1, round(2.0 * neighbours(size))))
    width = min(max(float(np.partition(distance, nth)[nth]), _NEAREST), _FARTHEST)
    return np.maximum(0.0, 1.0 - distance / width) / (width * size)


def _of_homogeneity(metric: Metric, dose: NDArray[np.float64]) -> NDArray[np.float64]:
    at = ranks(metric, len(dose), float("nan"))
    ordered = RankedDoses(dose, at)
    hot, cold, middle = (ordered.at(rank) for rank in at)
    if middle <= 0:
        return np.zeros(len(dose))
    of_hot, of_cold, of_middle = (around_rank(dose, rank) for rank in at)
    return (of_hot - of_cold) / middle - of_middle * (hot - cold) / middle**2


def _of_equivalent(dose: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """d gEUD / d d_i = (d_i / gEUD)^(a - 1) / N."""
    whole = equivalent(dose, exponent)
    if whole <= 0:
        return np.zeros(len(dose))
    return np.asarray((dose / whole) ** (exponent - 1.0) / len(dose))
