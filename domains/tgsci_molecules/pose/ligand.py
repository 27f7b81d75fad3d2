"""The docked molecule as contacts need it: Vina's kinds, a chemist's donors and acceptors, the order of its SMILES."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rdkit import Chem

from tgsci.basics.texts import quote
from tgsci.errors import MeasurementError

from ..molecule.patterns import query
from ..molecule.smiles import molecule
from .atoms import read_pdbqt
from .receptor import Ring
from .terms import Floats, Kinds

#: What takes a hydrogen bond, on a molecule with explicit hydrogens.
_ACCEPTORS = (
    "[OX1]",
    "[OX2;!$(O(C=[O,S,N])[#6]);!$([OX2](a)[#6,#14,#15,#16])]",
    "[nX2]",
    "[NX1]",
    "[NX2;!$(N=[N+]);!$([N-])]",
    "[NX3;+0;!$(N[#6,#16]=[O,N,S]);!$(N-a);!$(N[CX2]);!$(N-N=*);!$(N-C=[#6])]",
)
#: They take one reluctantly: an ester's or an aryl ether's bridging oxygen, a ring oxygen as in furan.
_WEAK_ACCEPTORS = ("[OX2;$(O(C=[O,S,N])[#6])]", "[OX2;$(O(a)[#6,#14,#15,#16])]", "[oX2]")
#: More ways to lay a molecule onto itself than this are not looked through.
_MAX_MATCHES = 500


@dataclass(frozen=True)
class Polar:
    """A donor or acceptor of the ligand.

    Args:
        atom: Index in the posed molecule.
        hydrogens: A donor's hydrogens.
        turns: A donor's hydrogens turn about a bond, and docking says nothing about where they point.
        weak: An acceptor that often goes without.
    """

    atom: int
    hydrogens: tuple[int, ...] = ()
    turns: bool = False
    weak: bool = False


@dataclass(frozen=True)
class PosedLigand:
    """A molecule in the receptor's frame.

    Args:
        mol: With all hydrogens and one conformer; the heavy atoms come first.
        to_smiles: Index of each heavy atom in `MolFromSmiles` of the canonical SMILES.
        kinds: Vina's kinds of the heavy atoms.
        axes: The bonds that Vina turns, as pairs of heavy atoms.
    """

    mol: Chem.Mol
    to_smiles: tuple[int, ...]
    kinds: Kinds
    axes: tuple[tuple[int, int], ...]

    @cached_property
    def xyz(self) -> Floats:
        """The positions of all atoms, Angstrom."""
        positions: Floats = np.asarray(self.mol.GetConformer().GetPositions(), dtype=float)
        return positions

    @cached_property
    def bonds(self) -> Floats:
        """The number of bonds between each two atoms."""
        counts: Floats = Chem.GetDistanceMatrix(self.mol)
        return counts

    @property
    def heavy(self) -> int:
        """The number of atoms that are no hydrogens."""
        return len(self.to_smiles)

    def rotors(self, without: frozenset[int] = frozenset()) -> float:
        """The rotatable bonds as Vina's score counts them: half a bond less for each end without another heavy atom.

        Args:
            without: Heavy atoms to leave out, as if hydrogens were there instead.
        """
        count = 0.0
        for bond in self.axes:
            if without.intersection(bond):
                continue
            further = [
                sum(n.GetAtomicNum() > 1 and n.GetIdx() not in without for n in atom.GetNeighbors()) > 1
                for atom in map(self.mol.GetAtomWithIdx, bond)
            ]
            if not all(further) and self._is_methyl(bond[further.index(False)], without):
                continue
            count += 0.5 * sum(further)
        return count

    def _is_methyl(self, atom: int, without: frozenset[int]) -> bool:
        """Tell whether a carbon is an end: Vina does not turn it."""
        return bool(without) and self.mol.GetAtomWithIdx(atom).GetSymbol() == "C"

    @cached_property
    def donors(self) -> tuple[Polar, ...]:
        polar = []
        for atom in self.mol.GetAtoms():
            hydrogens = tuple(n.GetIdx() for n in atom.GetNeighbors() if n.GetAtomicNum() == 1)
            if atom.GetSymbol() in ("N", "O") and hydrogens:
                polar.append(Polar(atom.GetIdx(), hydrogens, turns=_turns(atom)))
        return tuple(polar)

    @cached_property
    def acceptors(self) -> tuple[Polar, ...]:
        strong = {i for (i, *_) in _matches(self.mol, _ACCEPTORS)}
        weak = {i for (i, *_) in _matches(self.mol, _WEAK_ACCEPTORS)} - strong
        return tuple(Polar(i, weak=i in weak) for i in sorted(strong | weak))

    @cached_property
    def charges(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Sign and atoms of each charged group: resonance shares an amidinium's and a carboxylate's charge."""
        groups: set[tuple[int, tuple[int, ...]]] = set()
        for atom in self.mol.GetAtoms():
            charge = atom.GetFormalCharge()
            if not charge or any(n.GetFormalCharge() * charge < 0 for n in atom.GetNeighbors()):
                continue
            groups.add((1 if charge > 0 else -1, _sharing_charge(atom)))
        return tuple(sorted(groups))

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        aromatic = []
        for ring in self.mol.GetRingInfo().AtomRings():
            if all(self.mol.GetAtomWithIdx(i).GetIsAromatic() for i in ring):
                points = self.xyz[list(ring)]
                center = points.mean(axis=0)
                aromatic.append(Ring(tuple(ring), -1, center, np.linalg.svd(points - center)[2][2]))
        return tuple(aromatic)


def posed(smiles: str, pose: Chem.Mol, pdbqt: str) -> PosedLigand:
    """Put the atoms of a docked molecule into the order of its SMILES, with Vina's kinds.

    Args:
        smiles: Canonical; the atoms of a report are numbered as in it.
        pose: With all hydrogens.
        pdbqt: The ligand that Vina was given, with meeko's remarks: `pose` has the atoms of its SMILES in order.

    Raises:
        MeasurementError: The pose and the SMILES are not the same molecule.
    """
    heavy = [atom.GetIdx() for atom in pose.GetAtoms() if atom.GetAtomicNum() > 1]
    if heavy != list(range(len(heavy))):
        pose = Chem.RenumberAtoms(pose, heavy + [i for i in range(pose.GetNumAtoms()) if i not in set(heavy)])
    atoms = read_pdbqt(pdbqt, f"the pdbqt of {quote(smiles)}")
    places = _smiles_order(pdbqt)
    rows = np.full(len(heavy), -1, np.intp)
    for i in atoms.heavy.tolist():
        place = places.get(atoms.serials[i], -1)
        if not 0 <= place < len(heavy) or pose.GetAtomWithIdx(place).GetSymbol() != atoms.elements[i]:
            raise MeasurementError(f"pose: the atoms of {quote(smiles)} and of its pdbqt are not the same")
        rows[place] = i
    if (rows < 0).any():
        raise MeasurementError(f"pose: the pdbqt of {quote(smiles)} lacks some of its atoms")
    axes = [line.split()[1:3] for line in pdbqt.splitlines() if line.startswith("BRANCH")]
    return PosedLigand(
        mol=pose,
        to_smiles=numbers_in(smiles, pose),
        kinds=atoms.kinds.take(rows),
        axes=tuple((places[int(begin)], places[int(end)]) for begin, end in axes),
    )


def _smiles_order(pdbqt: str) -> dict[int, int]:
    """Map the numbers of a pdbqt to the order of its SMILES, by meeko's remarks."""
    figures: list[int] = []
    for line in pdbqt.splitlines():
        if line.startswith("REMARK SMILES IDX"):
            figures += [int(word) for word in line.split()[3:]]
    return {serial: place - 1 for place, serial in zip(figures[::2], figures[1::2], strict=True)}


def numbers_in(smiles: str, pose: Chem.Mol) -> tuple[int, ...]:
    """Find for each heavy atom of the pose the atom of the SMILES: protonation moves charges and double bonds.

    Args:
        smiles: Canonical.
        pose: The pose; its heavy atoms come first.

    Raises:
        MeasurementError: The pose and the SMILES are not the same molecule.
    """
    mol, heavy = molecule(smiles), pose.GetNumHeavyAtoms()
    exact = pose.GetSubstructMatch(mol, useChirality=True)
    if len(exact) == heavy and all(
        atom.GetFormalCharge() == pose.GetAtomWithIdx(exact[atom.GetIdx()]).GetFormalCharge() for atom in mol.GetAtoms()
    ):
        return _turned_round(exact)
    bare = Chem.RWMol()
    for atom in mol.GetAtoms():
        bare.AddAtom(Chem.AtomFromSmarts(f"[#{atom.GetAtomicNum()}]"))
    for bond in mol.GetBonds():
        bare.AddBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), Chem.BondType.UNSPECIFIED)
        bare.ReplaceBond(bare.GetNumBonds() - 1, Chem.BondFromSmarts("~"))
    matches = pose.GetSubstructMatches(bare.GetMol(), uniquify=False, maxMatches=_MAX_MATCHES)
    if not matches or mol.GetNumAtoms() != heavy:
        raise MeasurementError(f"pose: it is not the molecule {quote(smiles)}")
    codes = [_codes(each) for each in (mol, pose)]

    def agreement(match: Sequence[int]) -> int:
        agreed = 0
        for atom in mol.GetAtoms():
            i, j = atom.GetIdx(), match[atom.GetIdx()]
            other = pose.GetAtomWithIdx(j)
            agreed += 4 * (atom.GetFormalCharge() == other.GetFormalCharge())
            agreed += 2 * (atom.GetTotalNumHs() == other.GetTotalNumHs(includeNeighbors=True))
            agreed += codes[0][i] == codes[1][j]
        for bond in mol.GetBonds():
            ends = match[bond.GetBeginAtomIdx()], match[bond.GetEndAtomIdx()]
            agreed += 4 * (bond.GetBondType() == pose.GetBondBetweenAtoms(*ends).GetBondType())
        return agreed

    return _turned_round(max(matches, key=agreement))


def _turned_round(match: Sequence[int]) -> tuple[int, ...]:
    back = dict(zip(match, range(len(match)), strict=True))
    return tuple(back[i] for i in range(len(match)))


def _codes(mol: Chem.Mol) -> dict[int, str]:
    """Find R or S of each stereocentre, "" elsewhere."""
    mol = Chem.Mol(mol)
    if mol.GetNumConformers():
        Chem.AssignStereochemistryFrom3D(mol)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    return {a.GetIdx(): a.GetProp("_CIPCode") if a.HasProp("_CIPCode") else "" for a in mol.GetAtoms()}


def _turns(atom: Chem.Atom) -> bool:
    """Tell whether a donor turns: on one plain single bond, as a hydroxyl or ammonium; not an amide or aniline."""
    heavy = [n for n in atom.GetNeighbors() if n.GetAtomicNum() > 1]
    if len(heavy) != 1:
        return False
    return bool(atom.GetSymbol() == "O" or atom.GetHybridization() == Chem.HybridizationType.SP3)


def _sharing_charge(atom: Chem.Atom) -> tuple[int, ...]:
    """Find the atoms that share an atom's charge by resonance: the same element on a common neighbour."""
    group = {atom.GetIdx()}
    for middle in atom.GetNeighbors():
        bonds = [b.GetBondTypeAsDouble() for b in middle.GetBonds()]
        if middle.GetSymbol() not in ("C", "P", "S", "N") or max(bonds) == 1.0:
            continue
        for other in middle.GetNeighbors():
            terminal = other.GetDegree() == 1 or atom.GetSymbol() == "N"
            if other.GetAtomicNum() == atom.GetAtomicNum() and terminal and not other.GetIsAromatic():
                group.add(other.GetIdx())
    return tuple(sorted(group))


def _matches(mol: Chem.Mol, patterns: Sequence[str]) -> list[tuple[int, ...]]:
    return [match for smarts in patterns for match in mol.GetSubstructMatches(query(smarts))]
