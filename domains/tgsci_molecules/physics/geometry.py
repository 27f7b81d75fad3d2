"""Is a pose a possible molecule in a possible place? Geometry alone, after PoseBusters.

Thresholds are those of M. Buttenschoen, G. Morris and C. Deane, Chem. Sci. 15 (2024), 3130: bond lengths and angles
within 25% of distance geometry's bounds, rings and double bonds flat to 0.25 Angstrom, no two heavy atoms of ligand and
receptor closer than 0.75 of the sum of their van der Waals radii.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from .receptor import METALS, Array, Receptor

_STRETCH = 0.25
_FLAT = 0.25
_CLASH = 0.75
#: Atoms of the ligand that are not bonded may come 30% closer than distance geometry's lower bound.
_INTERNAL = 0.30
_TABLE = Chem.GetPeriodicTable()
#: A metal's contact distance is not that of its van der Waals radius, Angstrom from its centre.
_METAL_CONTACT = 1.6
_DOUBLE = Chem.MolFromSmarts("[*]~[#6;X3]=[#6;X3]~[*]")


def faults(mol: Chem.Mol, receptor: Receptor, names: Sequence[str]) -> list[str]:
    """List what is wrong with a pose, in words; empty where nothing is.

    Args:
        mol: With all hydrogens and one conformer, Angstrom.
        receptor: Around it.
        names: The names of the heavy atoms, in their order.
    """
    solid = Chem.RemoveAllHs(mol)
    places = np.array(solid.GetConformer().GetPositions())
    return [
        *_distances(solid, places, names),
        *_flatness(solid, places, names),
        *_clashes(solid, places, names, receptor),
    ]


def _distances(mol: Chem.Mol, places: Array, names: Sequence[str]) -> list[str]:
    """Check bonds, angles (by the distance of their ends) and contacts inside the ligand."""
    bounds = rdDistGeom.GetMoleculeBoundsMatrix(mol)
    separation = Chem.GetDistanceMatrix(mol)
    faults_found = []
    for i in range(mol.GetNumAtoms()):
        for j in range(i):
            distance = float(np.linalg.norm(places[i] - places[j]))
            high, low = float(bounds[j, i]), float(bounds[i, j])
            near = separation[i, j] <= 2
            tolerance = _STRETCH if near else _INTERNAL
            if distance < low * (1 - tolerance) or (near and distance > high * (1 + tolerance)):
                kind = {1: "bond", 2: "angle"}.get(int(separation[i, j]), "contact inside the ligand")
                expected = f"{low:.2f} to {high:.2f}" if near else f"above {low:.2f}"
                faults_found.append(f"{kind} {names[j]}-{names[i]} is {distance:.2f} A, expected {expected}")
    return faults_found


def _flatness(mol: Chem.Mol, places: Array, names: Sequence[str]) -> list[str]:
    """Check aromatic rings of five and six, and carbon-carbon double bonds with their four neighbours."""
    groups = [("aromatic ring", ring) for ring in mol.GetRingInfo().AtomRings() if _is_aromatic(mol, ring)]
    groups += [("double bond", match) for match in mol.GetSubstructMatches(_DOUBLE)]
    faults_found = []
    for kind, atoms in groups:
        off = _out_of_plane(places[list(atoms)])
        if off > _FLAT:
            which = "-".join(names[i] for i in atoms)
            faults_found.append(f"{kind} {which} is not flat: an atom lies {off:.2f} A off the plane")
    return faults_found


def _clashes(mol: Chem.Mol, places: Array, names: Sequence[str], receptor: Receptor) -> list[str]:
    heavy = [i for i, symbol in enumerate(receptor.elements) if symbol != "H"]
    distances = np.linalg.norm(places[:, None] - receptor.positions[heavy][None], axis=-1)
    mine = np.array([_TABLE.GetRvdw(atom.GetAtomicNum()) for atom in mol.GetAtoms()])
    theirs = np.array([_TABLE.GetRvdw(receptor.elements[i]) for i in heavy])
    limit = _CLASH * (mine[:, None] + theirs[None])
    limit[:, [receptor.elements[i] in METALS for i in heavy]] = _METAL_CONTACT
    clashes = []
    for i, n in zip(*np.nonzero(distances < limit), strict=True):
        other = heavy[int(n)]
        clashes.append(
            f"{names[i]} is {distances[i, n]:.2f} A from {receptor.elements[other]} of "
            f"{receptor.residues[other]}, below {limit[i, n]:.2f}"
        )
    return clashes


def _is_aromatic(mol: Chem.Mol, ring: tuple[int, ...]) -> bool:
    return len(ring) in (5, 6) and all(mol.GetAtomWithIdx(i).GetIsAromatic() for i in ring)


def _out_of_plane(points: np.ndarray[Any, Any]) -> float:
    """Measure the largest distance of a point from the best plane, Angstrom."""
    centred = points - points.mean(axis=0)
    normal = np.linalg.svd(centred)[2][2]
    return float(np.abs(centred @ normal).max())
