"""The forms in which a molecule may bind: stereoisomers that its SMILES leaves open, tautomers, states of protonation.

Each form costs a docking, so that all three are bounded; a note says what was left out.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from rdkit import Chem, rdBase
from rdkit.Chem import rdCIPLabeler, rdDistGeom
from rdkit.Chem.MolStandardize import rdMolStandardize

from ..failures import calling
from .protonation import PH, open_in_water, states_of
from .smiles import Molecule, as_molecule, atom_name, molecule

#: The most combinations of centres, and the most tautomers, that are tried: a molecule may have thousands.
_MOST_COMBINATIONS = 64
_MOST_TAUTOMERS = 64
#: How an isomer that may not exist is embedded: iterations, and whether from random coordinates.
_ATTEMPTS = ((5, False), (20, True))
#: A tautomer this much below the one that was written in RDKit's score (Sitzmann 2010) is not expected in water.
_TAUTOMER_MARGIN = 3


@dataclass(frozen=True)
class Form:
    """One form of a molecule.

    Args:
        smiles: Protonated, with all stereochemistry that the isomer has.
        isomer: Labels of the centres that were left open, such as "S at C4"; empty where none was.
        tautomer: The neutral tautomer as SMILES where it is not the one that was written, else empty.
        state: Formal charge and share where it is not the state that is most probable at pH 7.4, such as
            "charge +2, 23% at pH 7.4".
    """

    smiles: Molecule
    isomer: str = ""
    tautomer: str = ""
    state: str = ""

    @property
    def label(self) -> str:
        """What sets it apart from the other forms; empty for a molecule that has only one."""
        parts = [f"({self.isomer})" if self.isomer else "", self.tautomer and f"tautomer {self.tautomer}", self.state]
        return ", ".join(part for part in parts if part)


def stereoisomers(smiles: str) -> Iterator[tuple[Molecule, str]]:
    """List the stereoisomers that a SMILES leaves open, each once, as SMILES and label, always in the same order.

    One of each relative configuration (cis, trans) comes first, then their mirror images: docking a pair of
    enantiomers alone would say nothing of the diastereomers. What has no shape in space (a bridge across the wrong
    sides) is among them.

    Args:
        smiles: Canonical; without open stereochemistry it comes back alone, with an empty label.
    """
    written = as_molecule(smiles)
    centres, bonds = _open(written)
    if not centres and not bonds:
        yield written, ""
        return
    seen = set()
    for choice in _choices(len(centres), len(bonds)):
        isomer = _isomer(written.mol, centres, bonds, choice)
        spelled = Molecule(Chem.MolToSmiles(isomer))
        if spelled not in seen:
            seen.add(spelled)
            yield spelled, _label(isomer, centres, [index for index, _ in bonds])


def possible_stereoisomers(smiles: str) -> int:
    """Count the stereoisomers that a SMILES leaves open, at most: some may have no shape in space.

    Centres that depend on each other are told apart only where there are few.
    """
    written = as_molecule(smiles)
    centres, bonds = _open(written)
    count = int(2 ** (len(centres) + len(bonds)))
    if count > _MOST_COMBINATIONS:
        return count
    choices = _choices(len(centres), len(bonds))
    return len({_spelled(_isomer(written.mol, centres, bonds, choice)) for choice in choices})


def has_shape(smiles: str, seed: int) -> bool:
    """Tell whether an isomer can exist in space; a bridge across the wrong sides of a ring cannot.

    Only where rings share atoms is there a doubt. There some attempts tell: what exists embeds at one of them, in
    milliseconds; giving up properly takes many seconds.

    Args:
        smiles: With all stereochemistry.
        seed: The seed of the embedding.
    """
    mol = molecule(smiles)
    rings = mol.GetRingInfo()
    if not any(rings.NumAtomRings(n) > 1 for n, _ in Chem.FindMolChiralCenters(mol, useLegacyImplementation=False)):
        return True
    mol = Chem.AddHs(mol)
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed
    for parameters.maxIterations, parameters.useRandomCoords in _ATTEMPTS:
        with rdBase.BlockLogs(), calling("embedding"):
            if rdDistGeom.EmbedMolecule(mol, parameters) >= 0:
                return True
    return False


def tautomers(smiles: str, most: int) -> list[Molecule]:
    """List the tautomers that are plausible in water; the one that was written comes first.

    Only hydrogens on nitrogen, oxygen and sulfur move (pyridones, azoles, amidines): a carbon acid that docks as its
    enol would be a surprise. RDKit's enumeration and score; aromatic rings stay, amides do not become imidic acids.

    Args:
        smiles: Canonical.
        most: How many, at most.
    """
    plausible = [as_molecule(smiles)]
    if most <= 1:
        return plausible
    written = plausible[0].mol
    enumerator = rdMolStandardize.TautomerEnumerator()
    enumerator.SetMaxTautomers(_MOST_TAUTOMERS)
    enumerator.SetMaxTransforms(4 * _MOST_TAUTOMERS)
    enumerator.SetRemoveSp3Stereo(False)
    enumerator.SetRemoveBondStereo(False)
    with rdBase.BlockLogs():
        others = sorted(enumerator.Enumerate(written), key=lambda mol: (-enumerator.ScoreTautomer(mol), _spelled(mol)))
        least = enumerator.ScoreTautomer(written) - _TAUTOMER_MARGIN
        for mol in others:
            spelled = _spelled(mol)
            if spelled in plausible or enumerator.ScoreTautomer(mol) < least:
                continue
            same_carbons = _carbon_hydrogens(mol) == _carbon_hydrogens(written)
            if same_carbons and _unlikely(mol) <= _unlikely(written) and _stereo(mol) == _stereo(written):
                plausible.append(Molecule(spelled))
    return plausible[:most]


def forms(smiles: str, isomers: int, tautomeric: int, states: int) -> Iterator[list[Form]]:
    """List the forms to dock, isomer by isomer: for each its tautomers and states, the most probable first.

    The caller stops after as many isomers as it wants: one without a shape in space does not count.

    Args:
        smiles: Canonical.
        isomers: 1 takes the SMILES as it is: where it leaves stereochemistry open, the conformer chooses.
        tautomeric: Tautomers of each isomer, at most.
        states: States of protonation of each tautomer at pH 7.4, at most.

    Raises:
        MeasurementError: No state was found.
    """
    for isomer, label in stereoisomers(smiles) if isomers > 1 else [(as_molecule(smiles), "")]:
        forms_of_isomer: dict[str, Form] = {}
        for tautomer in tautomers(isomer, tautomeric):
            first, *others = states_of(tautomer, states)
            for state in (first, *others):
                charge = Chem.GetFormalCharge(state.smiles.mol)
                share = f"{f'charge {charge:+d}' if charge else 'neutral'}, {state.share:.0%} at pH {PH}"
                written = "" if tautomer == isomer else tautomer
                form = Form(state.smiles, label, written, share if state is not first else "")
                forms_of_isomer.setdefault(state.smiles, form)
        yield list(forms_of_isomer.values())


#: Double bonds with one substituent at each end, from which their sides are told.
_Bonds = Sequence[tuple[int, tuple[int, int]]]


def _open(smiles: Molecule) -> tuple[list[int], _Bonds]:
    """Find the centres and double bonds that are open and stay so in water."""
    centres, bonds = [], []
    for info in open_in_water(smiles):
        if info.type == Chem.StereoType.Atom_Tetrahedral:
            centres.append(info.centeredOn)
        else:
            ends = list(info.controllingAtoms)
            bonds.append((info.centeredOn, (ends[0], ends[2])))
    return centres, bonds


def _isomer(mol: Chem.Mol, centres: Sequence[int], bonds: _Bonds, choice: Sequence[bool]) -> Chem.Mol:
    """Choose a side for each open centre, and then for each open double bond."""
    isomer = Chem.Mol(mol)
    for index, first in zip(centres, choice, strict=False):
        tag = Chem.ChiralType.CHI_TETRAHEDRAL_CCW if first else Chem.ChiralType.CHI_TETRAHEDRAL_CW
        isomer.GetAtomWithIdx(index).SetChiralTag(tag)
    for (index, ends), first in zip(bonds, choice[len(centres) :], strict=True):
        bond = isomer.GetBondWithIdx(index)
        bond.SetStereoAtoms(*ends)
        bond.SetStereo(Chem.BondStereo.STEREOCIS if first else Chem.BondStereo.STEREOTRANS)
    Chem.SetDoubleBondNeighborDirections(isomer)
    Chem.AssignStereochemistry(isomer, cleanIt=True, force=True)
    return isomer


def _choices(centres: int, bonds: int) -> Iterator[Sequence[bool]]:
    """List every combination of sides, or a fixed selection of them, no two mirror images before all are through."""
    first = [(True,)] if centres else []  # the others are told by it
    sides = [*first, *[(True, False)] * (centres + bonds - len(first))]
    relative = list(itertools.product(*sides)) if 2 ** len(sides) <= _MOST_COMBINATIONS else _drawn(sides)
    yield from relative
    if centres:
        yield from (tuple(not side for side in each[:centres]) + each[centres:] for each in relative)


def _drawn(sides: Sequence[Sequence[bool]]) -> list[tuple[bool, ...]]:
    """Draw half as many combinations as are looked at, always the same."""
    rng = random.Random(len(sides))
    return [tuple(map(rng.choice, sides)) for _ in range(_MOST_COMBINATIONS // 2)]


def _label(mol: Chem.Mol, centres: Sequence[int], bonds: Sequence[int]) -> str:
    """Name the descriptors of what was open: "R", or "R at C2, E at C5=C6" where there are several."""
    rdCIPLabeler.AssignCIPLabels(mol)
    parts = []
    for index in centres:
        atom = mol.GetAtomWithIdx(index)
        if atom.HasProp("_CIPCode"):
            parts.append((atom.GetProp("_CIPCode"), atom_name(mol, index)))
    for index in bonds:
        bond = mol.GetBondWithIdx(index)
        if bond.HasProp("_CIPCode"):
            ends = (atom_name(mol, i) for i in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
            parts.append((bond.GetProp("_CIPCode"), "=".join(ends)))
    if len(parts) == 1:
        return str(parts[0][0])
    return ", ".join(f"{code} at {where}" for code, where in parts)


def _spelled(mol: Chem.Mol) -> str:
    return str(Chem.MolToSmiles(mol))


def _carbon_hydrogens(mol: Chem.Mol) -> list[int]:
    return [atom.GetTotalNumHs() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 6]


def _stereo(mol: Chem.Mol) -> int:
    return sum(atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for atom in mol.GetAtoms())


def _unlikely(mol: Chem.Mol) -> int:
    return sum(len(mol.GetSubstructMatches(pattern)) for pattern in _unlikely_groups())


@cache
def _unlikely_groups() -> tuple[Chem.Mol, ...]:
    """Find imidic acids, and imines or methides at an aromatic ring: in water they are amides, anilines and phenols."""
    return tuple(map(Chem.MolFromSmarts, ("[OX2H,SX2H][CX3]=[NX2;!$(N[OX2])]", "c=[#6,#7]")))
