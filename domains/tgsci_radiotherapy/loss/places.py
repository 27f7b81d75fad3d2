"""Where a plan is hot and where it is cold, in words: doses, distances and directions, never an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..case.model import Case, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Rows = NDArray[np.int32]

#: Size of a hot or cold spot: % of its structure, and the least, cc.
SPOT_PERCENT, SPOT_CC = 2.0, 0.3
#: A target whose median is above this share of its prescription is flagged.
OVERDOSED = 1.05
#: A structure this near to a spot is named, mm.
NEAR = 10.0
#: Overlaps and neighbours that are listed, at most.
_MOST = 6
#: Directions along (z, y, x), towards lower and higher coordinates.
_WORDS = (("the feet", "the head"), ("anterior", "posterior"), ("right", "left"))
#: A direction names an axis along which it has at least this share of its length.
_NAMED = 0.45


def lines(case: Case, dose: NDArray[np.floating]) -> list[str]:
    """Describe the hot and cold spots of the targets, of what surrounds them and of the organs.

    Args:
        case: The patient.
        dose: Total Gy, by row.
    """
    described = []
    for target in case.targets[:3]:
        if len(target.voxels):
            described += _target(case, target, dose)
    outside = _outside(case, dose)
    if outside:
        described.append(outside)
    described += _organs(case, dose)
    return described


def overdosed(case: Case, dose: NDArray[np.floating]) -> list[str]:
    """Flag the targets whose dose is above their prescription, where no target of a higher one lies.

    Args:
        case: The patient.
        dose: Total Gy, by row.
    """
    flagged = []
    for target in case.targets:
        if not target.prescription:
            continue
        higher = [t.voxels for t in case.targets if (t.prescription or 0.0) > target.prescription]
        alone = np.setdiff1d(case.voxels[case.rows(target.name)], np.concatenate([np.zeros(0, np.int32), *higher]))
        if not len(alone):
            continue
        there = np.isin(case.voxels[case.rows(target.name)], alone, assume_unique=True)
        median = float(np.median(dose[case.rows(target.name)][there]))
        if median > OVERDOSED * target.prescription:
            outside = ", outside targets of higher dose" if higher else ""
            flagged.append(
                f"OVERDOSED {target.name}: its median{outside} is {median:.1f} Gy, "
                f"{100 * median / target.prescription:.0f}% of its {target.prescription:g} Gy"
            )
    return flagged


def overlaps(case: Case) -> list[str]:
    """Name the structures that overlap a target, with the volume that they share."""
    shared = []
    for target in case.targets:
        for other in case.structures:
            if other.type == "external" or other.name == target.name:
                continue
            common = len(np.intersect1d(target.voxels, other.voxels, assume_unique=True))
            if common:
                part = 100.0 * common / max(1, len(other.voxels))
                first = min((target, other), key=lambda s: case.names.index(s.name)).name
                shared.append(
                    f"{target.name} and {other.name} share {common * case.grid.voxel_cc:.1f} cc ({part:.0f}% of "
                    f"{other.name}); objectives see it in {first}"
                )
    return list(dict.fromkeys(shared))[:_MOST]


def neighbours(case: Case) -> list[str]:
    """Say of each organ how large it is, how near it comes to a target, and on which side of that it lies."""
    from scipy.spatial import cKDTree

    targets = [t for t in case.targets if len(t.voxels)]
    described: list[tuple[float, str]] = []
    for organ in case.structures:
        if organ.type != "oar" or not len(organ.voxels) or not targets:
            continue
        points = case.grid.points(organ.voxels)
        away = {t.name: cKDTree(case.grid.points(t.voxels)).query(points) for t in targets}
        target = min(targets, key=lambda t: float(away[t.name][0].min()))
        distances, nearest = away[target.name]
        order = np.argsort(distances, kind="stable")[: _count(case, len(points))]
        way = (points[order] - case.grid.points(target.voxels)[nearest[order]]).mean(axis=0)
        distance = float(distances.min())
        where = f"{distance:.0f} mm {_direction(way)} of the edge of" if distance > 0 else "reaches into"
        described.append((distance, f"{organ.name}, {organ.volume_cc:.3g} cc, {where} {target.name}"))
    return [text for _, text in sorted(described)][:_MOST]


def _target(case: Case, target: Structure, dose: NDArray[np.floating]) -> list[str]:
    rows = case.rows(target.name)
    there = dose[rows]
    count = _count(case, len(rows))
    order = np.argsort(there, kind="stable")
    prescribed = (
        f" ({100 * there[order[:count]].mean() / target.prescription:.0f}% of the prescription)"
        if target.prescription
        else ""
    )
    cold, hot = rows[order[:count]], rows[order[-count:]]
    return [
        f"{target.name}: mean {there.mean():.1f} Gy, from {there.min():.1f} to {there.max():.1f} Gy; coldest "
        f"{_part(case, count, len(rows))} of {target.name}: {dose[cold].mean():.1f} Gy{prescribed}, "
        f"{_within(case, target, cold)}{_beside(case, target, cold)}; hottest: {dose[hot].mean():.1f} Gy, "
        f"{_within(case, target, hot)}{_beside(case, target, hot)}"
    ]


def _outside(case: Case, dose: NDArray[np.floating]) -> str:
    """Describe the hottest spot outside all targets: its dose, and where it lies from the nearest target's edge."""
    targets = [t for t in case.targets if len(t.voxels)]
    free = np.ones(len(dose), bool)
    for target in targets:
        free[case.rows(target.name)] = False
    rows = np.flatnonzero(free)
    if not len(rows) or not targets:
        return ""
    count = min(len(rows), max(1, round(SPOT_CC / case.grid.voxel_cc)))
    hot = rows[np.argsort(dose[rows], kind="stable")[-count:]].astype(np.int32)
    target, distance, offset = _from_edges(case, targets, hot)
    owner = case.structures[int(np.bincount(case.owners[hot]).argmax())].name
    return (
        f"Outside the targets: hottest {count * case.grid.voxel_cc:.1f} cc {dose[hot].mean():.1f} Gy, in {owner}, "
        f"{distance:.0f} mm {_direction(offset)} of the edge of {target.name}"
    )


def _organs(case: Case, dose: NDArray[np.floating]) -> list[str]:
    """Describe where each organ is hottest."""
    targets = [t for t in case.targets if len(t.voxels)]
    described = []
    for organ in case.structures:
        rows = case.rows(organ.name) if organ.type == "oar" else ()
        if not len(rows) or not targets:
            continue
        count = _count(case, len(rows))
        hot = rows[np.argsort(dose[rows], kind="stable")[-count:]]
        target, distance, offset = _from_edges(case, targets, hot)
        where = (
            f"{distance:.0f} mm {_direction(offset)} of the edge of {target.name}"
            if distance > 0
            else f"within {target.name}"
        )
        described.append(f"{organ.name}: hottest {_part(case, count, len(rows))} {dose[hot].mean():.1f} Gy, {where}")
    return described[:_MOST]


def _count(case: Case, rows: int) -> int:
    """Choose how many voxels a spot has in a structure, by the number of its rows."""
    return min(rows, max(1, round(rows * SPOT_PERCENT / 100), round(SPOT_CC / case.grid.voxel_cc)))


def _part(case: Case, count: int, rows: int) -> str:
    return f"{100 * count / rows:.0f}%" if 100 * count / rows < 10 else f"{count * case.grid.voxel_cc:.1f} cc"


def _within(case: Case, structure: Structure, spot: Rows) -> str:
    """Say where in a structure a spot lies, seen from the structure's middle."""
    own = case.grid.points(structure.voxels)
    there = case.grid.points(case.voxels[spot])
    centre, extent = own.mean(axis=0), np.maximum(own.std(axis=0), 1e-9)
    offset = (there.mean(axis=0) - centre) / extent
    scatter = (there.std(axis=0) / extent).mean()
    if scatter > 0.9:
        return "spread over it"
    if np.abs(offset).max() < 0.5:
        return "in its middle"
    return f"towards its {_side(offset)} side"


def _beside(case: Case, structure: Structure, spot: Rows) -> str:
    """Name the structure next to a spot; "" where none is near."""
    from scipy.spatial import cKDTree

    there = case.grid.points(case.voxels[spot])
    near = []
    for other in case.structures:
        if other.type == "external" or other.name == structure.name or not len(other.voxels):
            continue
        distances, _ = cKDTree(case.grid.points(other.voxels)).query(there)
        near.append((float(np.median(distances)), other.name))
    if not near or min(near)[0] > NEAR:
        return ""
    distance, name = min(near)
    return (
        f", {distance:.0f} mm from {name}" if distance > 0.5 * min(case.grid.spacing) else f", where it is {name} too"
    )


def _from_edges(case: Case, targets: Sequence[Structure], spot: Rows) -> tuple[Structure, float, Array]:
    """Find the target nearest to a spot, the median distance from its edge, mm, and the way from there to the spot."""
    from scipy.spatial import cKDTree

    there = case.grid.points(case.voxels[spot])
    nearby = []
    for target in targets:
        points = case.grid.points(target.voxels)
        distances, nearest = cKDTree(points).query(there)
        way = (there - points[nearest]).mean(axis=0)
        if np.abs(way).max() < 1e-9:  # inside: from its middle
            way = there.mean(axis=0) - points.mean(axis=0)
        nearby.append((float(np.median(distances)), target, way))
    distance, target, way = min(nearby, key=lambda each: each[0])
    return target, distance, way


def _direction(offset: Array) -> str:
    """Put a direction into words: "left and anterior"."""
    length = float(np.linalg.norm(offset))
    if length < 1e-9:
        return "around"
    parts = [(abs(c), _WORDS[axis][int(c > 0)]) for axis, c in enumerate(offset) if abs(c) >= _NAMED * length]
    words = [
        word.replace("the feet", "footward").replace("the head", "headward") for _, word in sorted(parts, reverse=True)
    ]
    return " and ".join(words[:2])


def _side(offset: Array) -> str:
    axis = int(np.abs(offset).argmax())
    word = _WORDS[axis][int(offset[axis] > 0)]
    return {"the feet": "lower (foot)", "the head": "upper (head)"}.get(word, word)
