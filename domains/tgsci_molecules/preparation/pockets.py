"""Pockets of a protein: where spheres that touch four atoms, and hold none, lie close together (Le Guilloux 2009)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial import Delaunay, QhullError, cKDTree

Floats = NDArray[np.float64]

#: Radii of the spheres that count, Angstrom: smaller ones lie inside the protein, larger ones on its surface.
_SMALLEST, _LARGEST = 3.0, 6.2
#: Spheres whose centres are closer than this belong together, Angstrom.
_TOGETHER = 2.4
#: A pocket has at least so many spheres.
_FEWEST = 25
#: How far from its spheres an atom lines a pocket, Angstrom beyond the sphere.
_LINES = 0.6
#: Within this of a sphere's centre, protein is counted to tell how buried it is, Angstrom.
_AROUND = 10.0
#: The radius of a heavy atom, Angstrom.
_ATOM = 1.7
#: The edge of the grid on which volumes are counted, Angstrom.
_GRID = 1.0


@dataclass(frozen=True)
class Pocket:
    """A pocket.

    Args:
        center: Angstrom.
        volume: That is free in its spheres, Angstrom^3.
        spheres: How many spheres it has.
        buried: Protein atoms within 10 Angstrom, the mean over its spheres.
        score: What pockets are ranked by: the spheres, weighted with how lipophilic and how buried they are.
        lining: Indices of the atoms that line it.
    """

    center: tuple[float, float, float]
    volume: float
    spheres: int
    buried: float
    score: float
    lining: tuple[int, ...]


def pockets(positions: Floats, elements: Sequence[str], most: int = 5) -> list[Pocket]:
    """Find the pockets of a protein, the best first.

    Args:
        positions: Of its heavy atoms, Angstrom.
        elements: Their elements.
        most: How many, at most.
    """
    if len(positions) < 50:
        return []
    centers, radii, touching = _spheres(np.asarray(positions, float))
    if len(centers) < _FEWEST:
        return []
    lipophilic = np.array([element.upper() in ("C", "S") for element in elements])
    tree = cKDTree(positions)
    buried = np.array([len(each) for each in tree.query_ball_point(centers, _AROUND)], float)
    apolar = lipophilic[touching].mean(axis=1) >= 0.75
    groups = fcluster(linkage(centers, "single"), _TOGETHER, "distance")
    found = []
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        if len(rows) < _FEWEST:
            continue
        for part in _compact(centers[rows]):
            mine = rows[part]
            if len(mine) >= _FEWEST:
                weight = buried[mine] / buried.mean() * (0.5 + apolar[mine])
                x, y, z = np.average(centers[mine], axis=0, weights=weight).round(3).tolist()
                found.append(
                    Pocket(
                        (x, y, z),
                        _volume(centers[mine], radii[mine]),
                        len(mine),
                        float(buried[mine].mean()),
                        float(weight.sum()),
                        tuple(np.unique(touching[mine]).tolist()),
                    )
                )
    return sorted(found, key=lambda pocket: -pocket.score)[:most]


def _spheres(positions: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Find the spheres through four atoms that hold no other: centres, radii, and the four."""
    try:
        corners = Delaunay(positions).simplices
    except QhullError:
        return np.empty((0, 3)), np.empty(0), np.empty((0, 4), np.intp)
    first = positions[corners[:, 0]]
    edges = positions[corners[:, 1:]] - first[:, None]
    right = 0.5 * (edges**2).sum(axis=2)
    good = np.abs(np.linalg.det(edges)) > 1e-6
    offsets = np.linalg.solve(edges[good], right[good][..., None])[..., 0]
    radii = np.linalg.norm(offsets, axis=1)
    wanted = (radii >= _SMALLEST) & (radii <= _LARGEST)
    return first[good][wanted] + offsets[wanted], radii[wanted], corners[good][wanted].astype(np.intp)


def _compact(centers: Floats) -> list[NDArray[np.intp]]:
    """Cut a chain of spheres that runs along the protein into parts of a ligand's size."""
    extent = float(np.ptp(centers, axis=0).max())
    if extent <= 24.0:
        return [np.arange(len(centers))]
    parts = fcluster(linkage(centers, "average"), 12.0, "distance")
    return [np.flatnonzero(parts == part) for part in np.unique(parts)]


def _volume(centers: Floats, radii: Floats) -> float:
    """Count the grid points that lie free in the spheres, an atom's radius away from the atoms that they touch."""
    low, high = centers.min(axis=0) - _LARGEST, centers.max(axis=0) + _LARGEST
    axes = [np.arange(a, b, _GRID) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    free = np.zeros(len(grid), bool)
    for center, radius in zip(centers, radii, strict=True):
        free |= ((grid - center) ** 2).sum(axis=1) <= (radius - _ATOM) ** 2
    return float(free.sum() * _GRID**3)
