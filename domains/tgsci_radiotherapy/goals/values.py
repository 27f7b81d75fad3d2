"""The values of metrics; the definitions are in `metrics`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from .ordered import Ordered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .metrics import Metric

#: Volumes of the homogeneity index, %.
HOMOGENEITY = (2.0, 98.0, 50.0)


def value(
    metric: Metric,
    dose: NDArray[np.floating] | Ordered,
    voxel_cc: float,
    prescription: float,
    everything: NDArray[np.floating] | None = None,
) -> float:
    """See `Metric.value`."""
    ordered = dose if isinstance(dose, Ordered) else Ordered(checked(dose))
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
    """Ranks, the hottest voxel being 1, whose doses a metric is made of; between voxels where they are not whole."""
    if metric.kind == "D%":
        return (_whole(metric.amount * size / 100.0),)
    if metric.kind == "Dcc":
        return (_whole(metric.amount / voxel_cc),)
    if metric.kind == "HI":
        return tuple(_whole(percent * size / 100.0) for percent in HOMOGENEITY)
    return {"Dmax": (1.0,), "Dmin": (float(size),)}.get(metric.kind, ())


def threshold(metric: Metric, prescription: float) -> float:
    """The dose whose volume a metric looks at, Gy."""
    if metric.kind == "CI":
        return prescription
    return metric.amount * prescription / 100.0 if metric.kind in ("V%", "CV%") else metric.amount


def equivalent(dose: NDArray[np.floating], exponent: float) -> float:
    """Generalised equivalent uniform dose, Gy. Scaled by the extreme dose, so that no power overflows."""
    d = np.asarray(dose, np.float64)
    scale = float(d.max() if exponent > 0 else d.min())
    if scale <= 0.0:
        return 0.0
    return float(scale * np.mean((d / scale) ** exponent) ** (1.0 / exponent))


def checked(dose: NDArray[np.floating]) -> NDArray[np.floating]:
    """Doses that a metric can be taken of.

    Raises:
        UsageError: There are none, or they are not a list of numbers.
    """
    dose = np.asarray(dose)
    if dose.ndim != 1 or not len(dose):
        raise UsageError("a metric needs the doses of a structure's voxels, shape (N,), N at least 1")
    return dose if dose.dtype.kind == "f" else dose.astype(np.float64)


def check(metric: Metric, voxel_cc: float, prescription: float) -> None:
    """Whether all is there that a metric needs.

    Raises:
        UsageError: Says what is missing.
    """
    if metric.needs_prescription and not prescription > 0:
        raise UsageError(f"{metric} needs the prescription, total Gy")
    if (metric.kind == "Dcc" or metric.unit == "cc") and not voxel_cc > 0:
        raise UsageError(f"{metric} needs the volume of a voxel, cc")


def _whole(rank: float) -> float:
    """The rank, whole where only rounding keeps it from it: 95% of 300 voxels are 285."""
    nearest = round(rank)
    return float(nearest) if abs(rank - nearest) <= 1e-9 * max(nearest, 1) else rank
