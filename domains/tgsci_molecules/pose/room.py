"""The room around a pose: a lattice of probe atoms, with what each feels and how far the molecule is."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .ligand import Posed
from .probes import SPACING
from .receptor import Receptor
from .terms import Flags, Floats

#: How far from its atom a growth vector is followed, Angstrom, and how wide its cone opens to either side.
REACH = 7.0
_OPENING = math.cos(math.radians(55.0))
#: A probe atom feels welcome below this, kcal/mol.
_FREE = 0.5
#: Receptor atoms within 6 A of a point that lies in a pocket; fewer, and it lies in water.
_POCKET = 14


class Room:
    """The lattice around a pose: where a probe can be, what it feels, how far the molecule is."""

    def __init__(self, ligand: Posed, receptor: Receptor) -> None:
        self.ligand, self.receptor = ligand, receptor
        heavy = ligand.xyz[: ligand.heavy]
        self.low = np.floor((heavy.min(axis=0) - REACH) / SPACING).astype(np.intp)
        high = np.ceil((heavy.max(axis=0) + REACH) / SPACING).astype(np.intp)
        values = receptor.probes.region(self.low, high, heavy, REACH)
        self.energies, count = values[:-1], values[-1]
        self.ligand_tree = cKDTree(heavy)
        free = self.energies.min(axis=0) <= _FREE
        self.own = np.zeros(free.shape)
        self.own[free] = self.ligand_tree.query(self.points(np.argwhere(free)), distance_upper_bound=REACH)[0]
        self.free: Flags = free & (self.own <= REACH)
        self.pocket: Flags = self.free & (count >= _POCKET)

    def points(self, places: NDArray[np.intp]) -> Floats:
        xyz: Floats = (places + self.low) * SPACING
        return xyz

    def around(self, atom: int, direction: Floats) -> tuple[NDArray[np.intp], Floats, Flags, tuple[slice, ...]]:
        """The cone of a vector: lattice indices, distances from the atom, and which points it holds."""
        origin = self.ligand.xyz[atom]
        middle = np.rint(origin / SPACING).astype(np.intp) - self.low
        half = int(REACH / SPACING)
        begin = np.maximum(middle - half, 0)
        end = np.minimum(middle + half + 1, self.free.shape)
        window = tuple(slice(a, b) for a, b in zip(begin.tolist(), end.tolist(), strict=True))
        axes = [
            (np.arange(a, b) + low) * SPACING - o for a, b, low, o in zip(begin, end, self.low, origin, strict=True)
        ]
        x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
        distance = np.sqrt(x * x + y * y + z * z)
        ahead = x * direction[0] + y * direction[1] + z * direction[2]
        inside = (ahead >= _OPENING * distance) & (distance <= REACH) & (distance >= 1.0)
        return begin, distance, inside, window

    def lining(self, xyz: Floats, most: int = 4) -> tuple[str, ...]:
        """The residues within 4.5 A of these points, the one that touches most of them first."""
        receptor = self.receptor
        touched: dict[str, int] = {}
        for near in receptor.tree.query_ball_point(xyz[:: max(1, len(xyz) // 60)], 4.5):
            for residue in sorted({int(receptor.residue[receptor.heavy[i]]) for i in near}):
                touched[receptor.labels[residue]] = touched.get(receptor.labels[residue], 0) + 1
        return tuple(sorted(touched, key=lambda label: (-touched[label], label))[:most])
