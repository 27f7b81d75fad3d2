"""The gradients of metrics: exact where a metric is smooth, means over neighbours where it jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from .ordered import Ordered
from .values import check, checked, equivalent, ranks, threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .metrics import Metric

#: Half the width of the neighbourhood, as a part of the structure's voxels; and in small structures, so many of them.
SHARE, _SMALL_SHARE, _VOXELS = 0.01, 0.02, 20
#: Of volumes: the neighbourhood reaches at least and at most so far from the dose in question, Gy.
_NEAREST, _FARTHEST = 0.02, 1.0


def gradient(metric: Metric, dose: NDArray[np.floating], voxel_cc: float, prescription: float) -> NDArray[np.float64]:
    """See `Metric.gradient`."""
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
    """How many voxels the neighbourhood reaches to each side: 1% of the structure; 2%, but not over 20, in small ones.

    Wide enough that a few voxels' chances even out, narrow enough for a histogram's bends: on the built-in cases it
    foretells what doubling a weight does to D95%, D98% and volumes, where narrower ones follow single voxels.
    """
    return max(SHARE * size, min(_SMALL_SHARE * size, float(_VOXELS)))


def around_rank(dose: NDArray[np.float64], rank: float) -> NDArray[np.float64]:
    """Weights, their sum 1, of the voxels about a rank: triangular, as wide on both sides.

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
    """How the part of voxels that get at least a dose changes with the dose of each, per Gy: a triangular kernel.

    Its width is the distance within which as many voxels lie as `around_rank` sees, from 0.02 to 1 Gy.
    """
    size = len(dose)
    distance = np.abs(dose - at)
    nth = min(size - 1, max(1, round(2.0 * neighbours(size))))
    width = min(max(float(np.partition(distance, nth)[nth]), _NEAREST), _FARTHEST)
    return np.maximum(0.0, 1.0 - distance / width) / (width * size)


def _of_homogeneity(metric: Metric, dose: NDArray[np.float64]) -> NDArray[np.float64]:
    at = ranks(metric, len(dose), float("nan"))
    ordered = Ordered(dose, at)
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
