"""What each part of a pose contributes: atoms with their burial, fragments, residues, and ends that cost too much."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from ..molecule.smiles import molecule
from .geometry import distances_between, heavy_neighbours
from .ligand import PosedLigand
from .receptor import Receptor
from .terms import TORSION_WEIGHT, Floats

#: Where a molecule turns: single bonds outside rings between atoms that are no ends, but not next to a triple bond.
_TURNING = Chem.MolFromSmarts("[!$(*#*)&!D1]-&!@[!$(*#*)&!D1]")
_STIFF = Chem.MolFromSmarts("[CX3](=[OX1,SX1])-!@[#7,#8]")
#: Radius of water, Angstrom, and how many points stand for the surface of an atom.
_WATER, _POINTS = 1.4, 96


@dataclass(frozen=True)
class AtomEnergy:
    """An atom of the ligand.

    Args:
        index: The atom's index in the SMILES, counted from 0.
        symbol: Its element.
        energy: The energy of all its contacts with the protein, kcal/mol.
        burial: Share of its surface that the protein covers.
    """

    index: int
    symbol: str
    energy: float
    burial: float


@dataclass(frozen=True)
class Fragment:
    """A stiff piece of the ligand, between rotatable bonds."""

    atoms: tuple[int, ...]
    smiles: str
    energy: float


@dataclass(frozen=True)
class Trim:
    """An end of the molecule that could be cut off.

    Args:
        atoms: The atoms that would go.
        smiles: The SMILES of these atoms.
        vina: The score of the rest where it lies, kcal/mol.
        change: Against the whole molecule, kcal/mol; below 0 the end does not pay for its rotatable bonds.
    """

    atoms: tuple[int, ...]
    smiles: str
    vina: float
    change: float


@dataclass(frozen=True)
class ResidueEnergy:
    """A residue and its share of the contacts, kcal/mol."""

    name: str
    energy: float


def atoms_of(ligand: PosedLigand, energies: Floats, covered: Floats) -> tuple[AtomEnergy, ...]:
    rows = energies.sum(axis=1)
    atoms = [
        AtomEnergy(number, ligand.mol.GetAtomWithIdx(i).GetSymbol(), float(rows[i]), float(covered[i]))
        for i, number in enumerate(ligand.to_smiles)
    ]
    return tuple(sorted(atoms, key=lambda atom: atom.index))


def fragments_of(ligand: PosedLigand, energies: Floats, smiles: str) -> tuple[Fragment, ...]:
    """Cut the ligand at its rotatable bonds; the piece that binds best comes first."""
    mol = molecule(smiles)
    by_number = {number: float(row) for number, row in zip(ligand.to_smiles, energies.sum(axis=1), strict=True)}
    stiff = {frozenset((match[0], match[2])) for match in mol.GetSubstructMatches(_STIFF)}
    cut = [
        mol.GetBondBetweenAtoms(*ends).GetIdx()
        for ends in mol.GetSubstructMatches(_TURNING)
        if frozenset(ends) not in stiff
    ]
    pieces: Iterable[Sequence[int]] = (
        Chem.GetMolFrags(Chem.FragmentOnBonds(mol, cut, addDummies=False)) if cut else [range(mol.GetNumAtoms())]
    )
    fragments = [
        Fragment(tuple(piece), Chem.MolFragmentToSmiles(mol, list(piece)), sum(by_number[i] for i in piece))
        for piece in pieces
    ]
    return tuple(sorted(fragments, key=lambda fragment: (fragment.energy, fragment.atoms)))


def trims_of(ligand: PosedLigand, energies: Floats, smiles: str, vina: float) -> tuple[Trim, ...]:
    """List the ends beyond a rotatable bond, up to half of the molecule, the most welcome cut first.

    The rest keeps its place, and the score counts its rotatable bonds anew.
    """
    mol, rows = molecule(smiles), energies.sum(axis=1)
    places = {number: i for i, number in enumerate(ligand.to_smiles)}
    trims: dict[tuple[int, ...], Trim] = {}
    for bond in ligand.axes:
        for near, far in (bond, bond[::-1]):
            gone = _beyond(ligand.mol, near, far)
            if not gone or len(gone) > ligand.heavy // 2:
                continue
            atoms = tuple(sorted(ligand.to_smiles[i] for i in gone))
            inter = float(sum(rows[places[n]] for n in range(mol.GetNumAtoms()) if n not in atoms))
            left = inter / (1.0 + TORSION_WEIGHT * ligand.rotors(gone))
            trims[atoms] = Trim(atoms, Chem.MolFragmentToSmiles(mol, list(atoms)), left, left - vina)
    return tuple(sorted(trims.values(), key=lambda trim: (trim.change, trim.atoms)))


def _beyond(mol: Chem.Mol, near: int, far: int) -> frozenset[int]:
    """Find the heavy atoms on the far side of a bond that is in no ring."""
    reached, ahead = {near, far}, [far]
    while ahead:
        for neighbour in mol.GetAtomWithIdx(ahead.pop()).GetNeighbors():
            if neighbour.GetAtomicNum() > 1 and neighbour.GetIdx() not in reached:
                reached.add(neighbour.GetIdx())
                ahead.append(neighbour.GetIdx())
    return frozenset(reached - {near})


def residues_of(receptor: Receptor, energies: Floats) -> tuple[ResidueEnergy, ...]:
    """List the residues that matter, best first; residues of one label count as one."""
    sums = np.bincount(receptor.residue[receptor.heavy], energies.sum(axis=0), len(receptor.labels))
    by_label: dict[str, float] = {}
    for label, energy in zip(receptor.labels, sums.tolist(), strict=True):
        by_label[label] = by_label.get(label, 0.0) + energy
    residues = [ResidueEnergy(label, energy) for label, energy in by_label.items() if abs(energy) >= 0.05]
    return tuple(sorted(residues, key=lambda residue: (residue.energy, residue.name)))


def burial(ligand: PosedLigand, receptor: Receptor) -> Floats:
    """Compute the share of each heavy atom's water-accessible surface (Shrake and Rupley 1973) that the protein covers.

    An atom that the molecule itself covers takes the mean of its neighbours.
    """
    count = ligand.heavy
    radii = ligand.kinds.radius + _WATER
    centers = ligand.xyz[:count]
    points = centers[:, None, :] + radii[:, None, None] * _sphere()[None, :, :]
    flat = points.reshape(-1, 3)
    own = distances_between(flat, centers) < radii[None, :] - 1e-6
    own[np.arange(len(flat)), np.repeat(np.arange(count), _POINTS)] = False
    free = ~own.any(axis=1)
    nearby = receptor.tree.query_ball_point(centers, 8.0)
    near = np.array(sorted({index for each in nearby for index in each}), np.intp)
    covered = np.zeros(len(flat), bool)
    if len(near):
        outer = receptor.kinds.radius[near] + _WATER
        exposed = np.flatnonzero(free)
        covered[exposed] = (distances_between(flat[exposed], receptor.xyz[near]) < outer[None, :]).any(axis=1)
    open_points = free.reshape(count, _POINTS).sum(axis=1)
    share = covered.reshape(count, _POINTS).sum(axis=1) / np.maximum(open_points, 1)
    hidden = open_points < 3
    for atom in np.flatnonzero(hidden).tolist():
        around = [n for n in heavy_neighbours(ligand.mol, atom) if not hidden[n]]
        share[atom] = float(share[around].mean()) if around else 1.0
    result: Floats = share
    return result


def _sphere() -> Floats:
    """Spread points evenly on a unit sphere (a golden spiral)."""
    steps = np.arange(_POINTS) + 0.5
    z = 1.0 - 2.0 * steps / _POINTS
    turn = steps * math.pi * (3.0 - math.sqrt(5.0))
    flat = np.sqrt(1.0 - z * z)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)
