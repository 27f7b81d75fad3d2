"""The pair terms of Vina 1.2 (Eberhardt 2021; the weights are Trott and Olson's of 2010), for whole arrays.

Every atom is four figures: a radius and whether it is hydrophobic, a donor, an acceptor. All lengths are in
Angstrom, all energies in kcal/mol.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Vina looks no further.
CUTOFF = 8.0
#: Vina tabulates its terms over the squared distance, this many bins to one A^2, and takes the mean of a bin's ends.
BINS = 32
_GAUSS_1, _GAUSS_2, _REPULSION, _HYDROPHOBIC, _HYDROGEN_BOND = -0.035579, -0.005156, 0.840245, -0.035069, -0.587439
#: The score is the energy of the contacts over 1 + this for each rotor.
TORSION_WEIGHT = 0.05846
#: Vina's "curl": a clash of one atom is never worth more than this.
_WORST = 1000.0


@dataclass(frozen=True)
class Kinds:
    """What Vina knows of some atoms.

    Args:
        radius: Angstrom.
        hydrophobic: Carbon without a heteroatom as neighbour, or halogen.
        donor: Nitrogen or oxygen that bears a polar hydrogen, or metal.
        acceptor: Nitrogen or oxygen with a lone pair to give.
    """

    radius: Floats
    hydrophobic: Flags
    donor: Flags
    acceptor: Flags

    def __len__(self) -> int:
        return len(self.radius)

    def take(self, chosen: NDArray[np.intp] | Flags | list[int]) -> Kinds:
        """Take some of the atoms, by index or mask."""
        return Kinds(self.radius[chosen], self.hydrophobic[chosen], self.donor[chosen], self.acceptor[chosen])


def pair_energies(xyz: Floats, kinds: Kinds, others_xyz: Floats, others: Kinds) -> Floats:
    """Compute Vina's energy of every pair, kcal/mol, as Vina's own tables have it (rows are `xyz`)."""
    squared = ((xyz[:, None, :] - others_xyz[None, :, :]) ** 2).sum(axis=2)
    rows, columns = np.nonzero(squared < CUTOFF**2)
    first, second = kinds.take(rows), others.take(columns)
    sums = first.radius + second.radius
    hydrophobic = first.hydrophobic & second.hydrophobic
    bonding = (first.donor & second.acceptor) | (first.acceptor & second.donor)
    bins = np.floor(squared[rows, columns] * BINS)
    energies = np.zeros(squared.shape)
    energies[rows, columns] = 0.5 * (
        pair_energy(np.sqrt(bins / BINS), sums, hydrophobic, bonding)
        + pair_energy(np.sqrt((bins + 1) / BINS), sums, hydrophobic, bonding)
    )
    return energies


def pair_energy(distance: Floats, radii: Floats, hydrophobic: Flags, bonding: Flags) -> Floats:
    """Compute Vina's terms at these distances, kcal/mol, zero from 8 Angstrom on.

    Args:
        distance: Between the two atoms, Angstrom.
        radii: The sum of the two radii, Angstrom.
        hydrophobic: Both are.
        bonding: One can donate a hydrogen bond to the other.
    """
    gap = distance - radii
    energy = _GAUSS_1 * np.exp(-((gap / 0.5) ** 2)) + _GAUSS_2 * np.exp(-(((gap - 3.0) / 2.0) ** 2))
    energy += _REPULSION * np.square(np.minimum(gap, 0.0))
    energy += _HYDROPHOBIC * hydrophobic * np.clip(1.5 - gap, 0.0, 1.0)
    energy += _HYDROGEN_BOND * bonding * np.clip(gap / -0.7, 0.0, 1.0)
    return np.where(distance < CUTOFF, energy, 0.0)


def dampen(energies: Floats) -> Floats:
    """Bound the clashes of each ligand atom (a row) as Vina does."""
    total = energies.sum(axis=1, keepdims=True)
    bounded: Floats = energies * np.where(total > 0, _WORST / (_WORST + total), 1.0)
    return bounded
