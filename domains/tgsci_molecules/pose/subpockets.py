"""The binding site in parts: sub-pockets with their residues, their size and what they like; once for each target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ..target.targets import Target
from .growth import partner_of
from .probes import MAPPED, SPACING
from .receptor import Receptor, receptor_of
from .terms import Floats

#: How far from the middle of the box the site is looked at, Angstrom.
_REACH = 11.0
#: A lipophilic probe is welcome below this, kcal/mol, where so many receptor atoms lie within 6 A.
_WELCOME, _BURIED = -0.35, 16
#: Sub-pockets lie at least this far apart, and reach this far from their middle, Angstrom.
_APART, _RADIUS = 5.0, 3.6
#: Smaller ones are gaps, cubic Angstrom (of the centre of an atom); and how many there are, at most.
_SMALLEST, _MOST = 6.0, 9
#: A polar probe bonds below this, kcal/mol.
_BONDED = -0.65
#: A group is in a sub-pocket where its middle lies within this of the sub-pocket's, Angstrom.
_WITHIN = 4.5


@dataclass(frozen=True)
class SubPocket:
    """A part of a binding site.

    Args:
        name: Two residues that line it, such as "Leu855/Val863"; unique in the site.
        center: Angstrom, in the receptor's frame.
        volume: Where the centre of a carbon is welcome, cubic Angstrom.
        energy: The energy of the best lipophilic probe, kcal/mol.
        residues: The residues that line it, the one that touches most of it first.
        donors: What answers a donor of the ligand there: residue and atom.
        acceptors: What answers an acceptor.
    """

    name: str
    center: tuple[float, float, float]
    volume: float
    energy: float
    residues: tuple[str, ...]
    donors: tuple[str, ...]
    acceptors: tuple[str, ...]


@lru_cache(maxsize=64)
def subpockets(target: Target) -> tuple[SubPocket, ...]:
    """Find the sub-pockets of a target's binding site, the best first. Takes 0.2 s once, then nothing.

    Raises:
        UsageError: The receptor cannot be read.
    """
    receptor = receptor_of(target)
    middle = np.asarray(target.center)
    half = np.minimum(np.asarray(target.box) / 2, _REACH)
    low = np.floor((middle - half) / SPACING).astype(np.intp)
    high = np.ceil((middle + half) / SPACING).astype(np.intp)
    values = receptor.probes.region(low, high, middle[None, :], _REACH)
    energies, count = values[:-1], values[-1]
    lipophilic = energies[MAPPED.index("lipophilic")]
    usable = (lipophilic <= _WELCOME) & (count >= _BURIED)
    places = np.argwhere(usable)
    if not len(places):
        return ()
    # A single good point is a niche for one atom; a pocket is where many are good side by side.
    smooth = ndimage.gaussian_filter(np.where(usable, lipophilic, 0.0), sigma=1.0 / SPACING)
    xyz = (places + low) * SPACING
    centers = xyz[_peaks(xyz, smooth[tuple(places.T)])]
    distance, owner = cKDTree(centers).query(xyz)
    parts: list[SubPocket] = []
    for number in range(len(centers)):
        mine = (owner == number) & (distance <= _RADIUS)
        volume = float(mine.sum()) * SPACING**3
        if volume >= _SMALLEST and len(parts) < _MOST:
            parts.append(_part(receptor, xyz[mine], energies[(slice(None), *places[mine].T)], volume, parts))
    return tuple(parts)


def nearest(parts: Sequence[SubPocket], point: Floats) -> str:
    """Name the sub-pocket that a point lies in; "" for none."""
    if not parts:
        return ""
    distances = [float(np.linalg.norm(np.asarray(part.center) - point)) for part in parts]
    closest = int(np.argmin(distances))
    return parts[closest].name if distances[closest] <= _WITHIN else ""


def _peaks(xyz: Floats, field: Floats) -> list[int]:
    """Choose points of the lowest field that lie apart, best first."""
    chosen: list[int] = []
    left = np.ones(len(xyz), bool)
    while left.any() and len(chosen) < 2 * _MOST:
        best = int(np.where(left, np.round(field, 4), np.inf).argmin())
        chosen.append(best)
        left &= np.linalg.norm(xyz - xyz[best], axis=1) >= _APART
    return chosen


def _part(
    receptor: Receptor, xyz: Floats, energies: NDArray[np.float32], volume: float, others: Sequence[SubPocket]
) -> SubPocket:
    residues = _lining(receptor, xyz)
    weight = -energies[MAPPED.index("lipophilic")].astype(np.float64)
    center = (xyz * weight[:, None]).sum(axis=0) / weight.sum()
    x, y, z = (round(float(c), 2) for c in center)
    return SubPocket(
        name=_name(residues, {part.name for part in others}),
        center=(x, y, z),
        volume=volume,
        energy=round(float(energies[MAPPED.index("lipophilic")].min()), 2),
        residues=residues,
        donors=_answers(receptor, xyz, energies, "donor"),
        acceptors=_answers(receptor, xyz, energies, "acceptor"),
    )


def _lining(receptor: Receptor, xyz: Floats, most: int = 5) -> tuple[str, ...]:
    touched: dict[str, int] = {}
    for near in receptor.tree.query_ball_point(xyz[:: max(1, len(xyz) // 60)], 4.5):
        for residue in {int(receptor.residue[receptor.heavy[i]]) for i in near}:
            label = receptor.labels[residue]
            touched[label] = touched.get(label, 0) + 1
    return tuple(sorted(touched, key=lambda label: (-touched[label], label))[:most])


def _name(residues: Sequence[str], taken: set[str]) -> str:
    """Name a sub-pocket by the first two of its residues that no other has for its name."""
    pairs = [f"{a}/{b}" for n, b in enumerate(residues) for a in residues[:n]]
    return next((pair for pair in pairs if pair not in taken), "/".join(residues))


def _answers(receptor: Receptor, xyz: Floats, energies: NDArray[np.float32], character: str) -> tuple[str, ...]:
    """List the atoms that answer a polar probe, the best place first."""
    polar = energies[MAPPED.index(character)]
    found: dict[str, None] = {}
    for i in np.argsort(np.round(polar, 3), kind="stable")[:40].tolist():
        if polar[i] <= _BONDED and (partner := partner_of(receptor, xyz[i], character)):
            found[partner] = None
    return tuple(found)[:2]
