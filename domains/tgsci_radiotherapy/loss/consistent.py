"""Predicted goals made to fit each other: the figures of a structure are all of one histogram, its slopes are not.

Each goal's value is predicted by its own slope. Far from the plan the predictions of a structure may contradict each
other: a D99% above its D95%, a homogeneity index that its near-maximum and near-minimum cannot have. What contradicts
is moved to the nearest figures that can be, and marked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..goals import GoalResult
from ..goals.values import HOMOGENEITY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case

    Floats = NDArray[np.float64]
    #: A point of a histogram: share of the volume, %, and the dose that it gets at least, Gy.
    Point = tuple[float, float]

#: A homogeneity index may lie so far from what the predicted near-maximum and near-minimum give.
_LOOSE = 0.01
#: Shares of the volume, %, up to which a point tells of the near-maximum, and from which of the near-minimum.
_HOT, _COLD = 5.0, 90.0
#: A prediction that is moved by less than this share of its goal's scale is not marked.
_SEEN = 1e-3


def consistent(case: Case, results: Sequence[GoalResult], values: Floats) -> tuple[Floats, list[bool]]:
    """Move predicted values of goals to figures that one dose can have.

    Args:
        case: The patient.
        results: The goals, with the values that the plan has; m of them.
        values: What is predicted, (m,), in the goals' units.

    Returns:
        The values, none below 0 and no volume above the structure's, (m,); and which of them were moved visibly.
    """
    moved = np.maximum(np.where(np.isfinite(values), values, 0.0), 0.0)
    for structure in dict.fromkeys(r.goal.structure for r in results):
        _agree(case, [i for i, r in enumerate(results) if r.goal.structure == structure], results, moved)
    moved = np.where(np.isfinite(values), moved, values)
    seen = [
        bool(abs(after - before) > _SEEN * r.scale)
        for r, before, after in zip(results, values.tolist(), moved.tolist(), strict=True)
    ]
    return moved, seen


def _agree(case: Case, places: Sequence[int], results: Sequence[GoalResult], values: Floats) -> None:
    """Make the goals of one structure agree."""
    first = results[places[0]].goal.structure
    volume = len(case.rows(first)) * case.grid.voxel_cc
    shares = {i: share for i in places if (share := _share(results[i], volume)) is not None}
    order = sorted(shares, key=lambda i: shares[i])
    values[order] = _falling(values[order])
    points = [(shares[i], float(values[i])) for i in order]
    _volumes(places, results, values, volume, points)
    for i in places:
        kind = results[i].goal.metric.kind
        if kind == "Dmean":
            values[i] = min(max(float(values[i]), _least_mean(points)), _most_mean(points))
        elif kind == "CI":
            values[i] = min(float(values[i]), 1.0)
        elif kind == "HI":
            before = [(shares[j], results[j].value) for j in order]
            low, high = _homogeneity(points, before, results[i].value)
            values[i] = min(max(float(values[i]), low), high)


def _share(result: GoalResult, volume_cc: float) -> float | None:
    """Give the share of the volume, %, whose least dose a goal is about; None for another metric."""
    metric = result.goal.metric
    if metric.kind == "Dcc":
        return min(100.0 * metric.amount / volume_cc, 100.0) if volume_cc > 0 else None
    return {"D%": metric.amount, "Dmax": 0.0, "Dmin": 100.0}.get(metric.kind)


def _volumes(
    places: Sequence[int], results: Sequence[GoalResult], values: Floats, volume_cc: float, points: Sequence[Point]
) -> None:
    """Make volumes fall with their dose, and lie where the predicted doses allow."""
    for kind, unit in (("VGy", "%"), ("VGy", "cc"), ("V%", "%"), ("V%", "cc")):
        chosen = [
            i
            for i in places
            if results[i].goal.metric.kind.removeprefix("C") == kind and results[i].goal.metric.unit == unit
        ]
        if not chosen:
            continue
        whole = 100.0 if unit == "%" else volume_cc
        order = sorted(chosen, key=lambda i: results[i].goal.metric.amount)
        above = np.array([_above(results[i], float(values[i]), whole) for i in order])
        if kind == "VGy":
            bounds = [_volume_bounds(results[i].goal.metric.amount, points, whole) for i in order]
            above = np.clip(above, [low for low, _ in bounds], [high for _, high in bounds])
        above = np.clip(_falling(above), 0.0, whole)
        for i, volume in zip(order, above.tolist(), strict=True):
            values[i] = _above(results[i], volume, whole)


def _above(result: GoalResult, volume: float, whole: float) -> float:
    """Turn a complementary volume into the volume itself, and back."""
    return whole - volume if result.goal.metric.kind.startswith("C") else volume


def _volume_bounds(dose: float, points: Sequence[Point], whole: float) -> tuple[float, float]:
    """Bound the volume that gets a dose by points of the histogram."""
    low = max((share for share, there in points if there >= dose), default=0.0)
    high = min((share for share, there in points if there < dose), default=100.0)
    return low * whole / 100.0, max(high, low) * whole / 100.0


def _least_mean(points: Sequence[Point]) -> float:
    """Find the least mean of a histogram through these points: between two it is as low as the second allows."""
    shares = [0.0, *(share for share, _ in points)]
    return sum((b - a) / 100.0 * dose for a, b, (_, dose) in zip(shares, shares[1:], points, strict=False))


def _most_mean(points: Sequence[Point]) -> float:
    """Find the largest mean; infinite where the dose of the hottest part is not known."""
    if not points or points[0][0] > 0:
        return math.inf
    shares = [*(share for share, _ in points), 100.0]
    return sum((b - a) / 100.0 * dose for a, b, (_, dose) in zip(shares, shares[1:], points, strict=False))


def _homogeneity(points: Sequence[Point], before: Sequence[Point], index: float) -> tuple[float, float]:
    """Bound the homogeneity index by the predicted near-maximum and near-minimum.

    Args:
        points: Of the histogram as it is predicted.
        before: The same as it is.
        index: The index as it is.
    """
    hot, cold, middle = HOMOGENEITY
    least = {share: max((d for s, d in points if s >= share), default=0.0) for share in HOMOGENEITY}
    most = {share: min((d for s, d in points if s <= share), default=math.inf) for share in HOMOGENEITY}
    high = (most[hot] - least[cold]) / least[middle] if least[middle] > 0 else math.inf
    low = (least[hot] - most[cold]) / most[middle] if most[cold] < math.inf else 0.0
    near = [i for i, (share, _) in enumerate(before) if share <= _HOT]
    far = [i for i, (share, _) in enumerate(before) if share >= _COLD]
    if near and far:
        # The near-maximum and near-minimum move about as the points beside them do.
        top = min(near, key=lambda i: abs(before[i][0] - hot))
        bottom = min(far, key=lambda i: abs(before[i][0] - cold))
        middle_dose = max(before[bottom][1], 1e-9)
        rise = ((points[top][1] - before[top][1]) - (points[bottom][1] - before[bottom][1])) / middle_dose
        low, high = (
            max(low, index + rise - _LOOSE - 0.5 * abs(rise)),
            min(high, index + rise + _LOOSE + 0.5 * abs(rise)),
        )
    low = max(low, 0.0)
    return low, max(high, low)


def _falling(values: Floats) -> Floats:
    """Find the nearest figures, in least squares, that do not rise from one to the next."""
    blocks: list[tuple[float, int]] = []
    for value in values.tolist():
        blocks.append((value, 1))
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [((a * m + b * n) / (m + n), m + n)]
    return np.array([value for value, count in blocks for _ in range(count)])
