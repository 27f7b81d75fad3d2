"""Vina's energy of single probe atoms in a receptor: anywhere, and on a lattice that is kept.

Lattice points are computed in cubes of 4 A where they are first asked for: the second pose in a pocket finds
them there.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .terms import BINS, CUTOFF, Floats, Kinds, pair_energy

#: Between lattice points, Angstrom.
SPACING = 0.5
_EDGE = 8
#: Radius, hydrophobic, donor, acceptor of each probe, as Vina types such an atom.
PROBES: Mapping[str, tuple[float, bool, bool, bool]] = {
    "lipophilic": (1.9, True, False, False),
    "donor": (1.8, False, True, False),
    "acceptor": (1.7, False, False, True),
    "carbon": (1.9, False, False, False),
    "hydroxyl": (1.7, False, True, True),
    "nitrogen": (1.8, False, False, True),
    "fluorine": (1.5, True, False, False),
    "chlorine": (1.8, True, False, False),
}
#: The probes of the lattice.
MAPPED = ("lipophilic", "donor", "acceptor")
_NAMES = tuple(PROBES)
#: The energy where no probe can be, kcal/mol.
BLOCKED = 9.0
#: Nearer to a heavy atom than this no probe can be, and further from all of them it only meets water, Angstrom.
_TOO_NEAR, _TOO_FAR = 2.6, 5.5
#: Nearer to a heavy atom than this, nothing is worth computing, Angstrom.
_CLASH = 2.3
#: Atoms within this radius tell a pocket from water, Angstrom.
_SURROUNDINGS = 6.0


class Probes:
    """Probe atoms in one receptor.

    Args:
        xyz: The positions of its heavy atoms, Angstrom.
        kinds: The kinds of these atoms.
    """

    def __init__(self, xyz: Floats, kinds: Kinds) -> None:
        figures = np.stack([kinds.radius, kinds.hydrophobic, kinds.donor, kinds.acceptor], axis=1)
        classes, which = np.unique(figures, axis=0, return_inverse=True)
        # About their own middle: single precision has no digits to spare far from the origin.
        self._middle = xyz.mean(axis=0)
        self._xyz, self._tree = (xyz - self._middle).astype(np.float32), cKDTree(xyz)
        self._rows = (which.reshape(-1) * _ROW).astype(np.int32)
        self._tables = np.stack([_table(probe, classes) for probe in PROBES.values()])
        self._cubes: dict[tuple[int, int, int], NDArray[np.float32]] = {}

    def energies(self, points: Floats, probes: NDArray[np.intp]) -> Floats:
        """Compute the energy of a probe at each point, kcal/mol; at most `BLOCKED` where an atom is in the way.

        Args:
            points: Angstrom; the closer together, the faster.
            probes: The kind of each, an index into the names of `PROBES`.
        """
        values = np.full(len(points), BLOCKED)
        free = np.flatnonzero(self._tree.query(points, distance_upper_bound=_CLASH)[0] > _CLASH)
        if not len(free):
            return values
        here: Floats = points[free]
        center = here.mean(axis=0)
        radius = float(np.linalg.norm(here - center, axis=1).max())
        near = np.array(self._tree.query_ball_point(center, radius + CUTOFF), np.intp)
        bins, _ = self._bins(here, near)
        bins += (probes[free] * len(self._tables[0])).astype(np.int32)[:, None]
        values[free] = np.minimum(self._tables.ravel()[bins].sum(axis=1), BLOCKED)
        return values

    def region(self, low: NDArray[np.intp], high: NDArray[np.intp], near: Floats, reach: float) -> NDArray[np.float32]:
        """Compute energies of the `MAPPED` probes and count the receptor atoms around, on a box of lattice points.

        Args:
            low: Lattice indices of the first corner.
            high: Lattice indices of the last corner, included.
            near: Cubes further from these points than `reach` are left out and count as blocked.
            reach: Angstrom.

        Returns:
            One array for each mapped probe, and one of counts, along the first axis.
        """
        first, last = low // _EDGE, high // _EDGE
        cubes = np.stack(
            np.meshgrid(*[np.arange(a, b + 1) for a, b in zip(first, last, strict=True)], indexing="ij"), -1
        )
        shape = tuple(((last - first + 1) * _EDGE).tolist())
        full = np.full((len(MAPPED) + 1, *shape), BLOCKED, np.float32)
        full[-1] = 0.0
        centers = (cubes.reshape(-1, 3) * _EDGE + (_EDGE - 1) / 2) * SPACING
        half = (_EDGE - 1) / 2 * SPACING * 3**0.5
        wanted = cKDTree(near).query(centers)[0] <= reach + half
        for cube in cubes.reshape(-1, 3)[wanted]:
            x, y, z = ((cube - first) * _EDGE).tolist()
            full[:, x : x + _EDGE, y : y + _EDGE, z : z + _EDGE] = self._cube(tuple(cube.tolist()))
        begin, end = low - first * _EDGE, high - first * _EDGE + 1
        return full[:, begin[0] : end[0], begin[1] : end[1], begin[2] : end[2]]

    def _cube(self, cube: tuple[int, int, int]) -> NDArray[np.float32]:
        values = self._cubes.get(cube)
        if values is None:
            values = self._cubes[cube] = self._compute(cube)
        return values

    def _compute(self, cube: tuple[int, int, int]) -> NDArray[np.float32]:
        values = np.full((len(MAPPED) + 1, _EDGE**3), BLOCKED, np.float32)
        values[-1] = 0.0
        points: Floats = np.asarray((np.array(cube) * _EDGE + _WITHIN) * SPACING, dtype=np.float64)
        distance = self._tree.query(points, distance_upper_bound=_TOO_FAR)[0]
        values[: len(MAPPED), distance > _TOO_FAR] = 0.0  # water
        used = np.flatnonzero((distance >= _TOO_NEAR) & (distance <= _TOO_FAR))
        if len(used):
            center = points.mean(axis=0)
            near = np.array(self._tree.query_ball_point(center, CUTOFF + _EDGE * SPACING * 3**0.5 / 2), np.intp)
            bins, squared = self._bins(points[used], near)
            for row, name in enumerate(MAPPED):
                values[row, used] = self._tables[_NAMES.index(name)][bins].sum(axis=1)
            values[-1, used] = (squared < _SURROUNDINGS**2).sum(axis=1)
        values[:-1] = np.minimum(values[:-1], BLOCKED)
        return values.reshape(-1, _EDGE, _EDGE, _EDGE)

    def _bins(self, points: Floats, near: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Find the place of each pair in a table, and its squared distance."""
        around, others = (points - self._middle).astype(np.float32), self._xyz[near]
        squared = (around**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None, :] - 2.0 * around @ others.T
        bins = np.minimum(squared * BINS, _ROW - 1).astype(np.int32)
        bins += self._rows[near]
        return bins, squared


#: Bins of a table, the last for everything beyond the cutoff.
_ROW = int(CUTOFF**2 * BINS) + 1
_WITHIN = np.stack(np.meshgrid(*[np.arange(_EDGE)] * 3, indexing="ij"), -1).reshape(-1, 3)


def _table(probe: tuple[float, bool, bool, bool], classes: Floats) -> NDArray[np.float32]:
    """Tabulate energies over the squared distance, for one probe and each class of receptor atom in turn."""
    radius, hydrophobic, donor, acceptor = probe
    distance = np.sqrt((np.arange(_ROW) + 0.5) / BINS)
    rows = []
    for other_radius, other_hydrophobic, other_donor, other_acceptor in classes:
        bonding = (donor and other_acceptor) or (acceptor and other_donor)
        flags = [np.full(_ROW, bool(flag)) for flag in (hydrophobic and other_hydrophobic, bonding)]
        row = pair_energy(distance, np.full(_ROW, radius + other_radius), *flags)
        row[-1] = 0.0
        rows.append(row)
    return np.concatenate(rows).astype(np.float32)
