"""Molecules that may be proposed: what they were made from and how; and recombination of two trials."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem

from tgsci.search.trial import Trial

from ..molecule.smiles import Molecule, molecule
from .descriptors import Descriptors, descriptors
from .transformations import finish

#: Heavy atoms of a piece, at least: the transformations attach smaller ones anyway.
MIN_PIECE = 4


@dataclass(frozen=True)
class Candidate:
    """A molecule that may be proposed.

    Args:
        smiles: Canonical SMILES.
        parent: The trial it was made from.
        steps: Names of the edits that lead from the parent to it; none for the parent itself.
        path: The molecule after each step, canonical SMILES; the last is its own.
        evidence: What in the parent's pose asks for it; "" where it was not the pose.
    """

    smiles: Molecule
    parent: Trial
    steps: tuple[str, ...] = ()
    path: tuple[Molecule, ...] = ()
    evidence: str = ""

    @property
    def edit(self) -> str:
        """Its steps in a line."""
        return ", then ".join(self.steps)

    @property
    def descriptors(self) -> Descriptors:
        """What can be calculated of it."""
        return descriptors(self.smiles)


@lru_cache(maxsize=4096)
def molecule_of(value: str) -> Molecule | None:
    """Read a trial's value as RDKit's canonical SMILES, whatever loss it belongs to; None where it is no molecule."""
    if isinstance(value, Molecule) and value.is_canonical:
        return value
    mol = Chem.MolFromSmiles(value)
    if mol is None:
        return None
    smiles = Chem.MolToSmiles(mol)
    return Molecule(smiles, mol if smiles == value else None)


def roots_of(trials: Iterable[Trial]) -> list[Candidate]:
    """Make candidates without edits of the trials that are molecules, in their order."""
    return [Candidate(smiles, trial) for trial in trials if (smiles := molecule_of(trial.value))]


def recombine(roots: Sequence[Candidate], count: int, rng: random.Random) -> list[Candidate]:
    """Join a part of one molecule to a part of another.

    Each is cut at one acyclic single bond; the parts are joined where they were cut. The better ranked a
    molecule is, the likelier it is taken.

    Args:
        roots: Molecules, best first.
        count: How often to try; fewer come out.
        rng: Draws the molecules and the parts.
    """
    if len(roots) < 2:
        return []
    made: dict[str, Candidate] = {}
    weights = [1 / (rank + 1) for rank in range(len(roots))]
    for _ in range(count):
        first, second = rng.choices(roots, weights, k=2)
        if first is second:
            continue
        here, there = pieces(first.smiles), pieces(second.smiles)
        if not here or not there:
            continue
        product = join(rng.choice(here), rng.choice(there), first.smiles)
        if product is not None and product not in (first.smiles, second.smiles):
            step = f"recombine with trial {second.parent.number}"
            made.setdefault(product, Candidate(product, first.parent, (step,), (product,)))
    return list(made.values())


@lru_cache(maxsize=2048)
def pieces(smiles: str) -> tuple[str, ...]:
    """Cut a molecule at each acyclic single bond: the pieces as SMILES with one `*` each.

    Bonds of amides, sulfonamides and the like count as well: that is where chemists take molecules apart.
    """
    mol = molecule(smiles)
    pieces_of: dict[str, None] = {}
    for bond in mol.GetBonds():
        if bond.GetBondType() != Chem.BondType.SINGLE or bond.IsInRing():
            continue
        cut = Chem.FragmentOnBonds(mol, [bond.GetIdx()], dummyLabels=[(0, 0)])
        for piece in Chem.GetMolFrags(cut, asMols=True):
            if piece.GetNumHeavyAtoms() - 1 >= MIN_PIECE:
                pieces_of.setdefault(Chem.MolToSmiles(piece))
    return tuple(pieces_of)


def join(first: str, second: str, parent: str) -> Molecule | None:
    """Join two pieces where they were cut; None where that is no legal molecule.

    Args:
        first: SMILES with one `*`.
        second: The same.
        parent: Canonical SMILES of what it is made from: unwelcome motifs that it has are no fault of the product.
    """
    mol = Chem.RWMol(Chem.CombineMols(molecule(first), molecule(second)))
    dummies = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]
    if len(dummies) != 2:
        return None
    first_end, second_end = [mol.GetAtomWithIdx(i).GetNeighbors()[0].GetIdx() for i in dummies]
    mol.AddBond(first_end, second_end, Chem.BondType.SINGLE)
    for i in sorted(dummies, reverse=True):
        mol.RemoveAtom(i)
    return finish(mol, parent)
