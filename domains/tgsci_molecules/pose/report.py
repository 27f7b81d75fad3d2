"""The page about a docked pose: what binds, what does not, what is missing, and where there is room."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from rdkit import Chem

from ..docking import Docking
from ..protein.targets import Target
from ..smiles import canonical, molecule
from .contacts import Aromatic, Contacts, HalogenBond, HBond, Repulsive, Touch, Unsatisfied, burial
from .given import check_inside, from_pdbqt, typed
from .growth import Growth, Pocket, Room, growth_vectors, pockets
from .ligand import Posed, posed
from .receptor import Receptor, receptor_of
from .terms import TORSION_WEIGHT, Floats, dampened, pair_energies

#: What `PoseReport.missing` knows.
CONTACT_KINDS = ("hbond", "salt bridge", "aromatic", "contact")
#: Where a molecule turns: single bonds outside rings between atoms that are no ends, but not next to a triple bond.
_TURNING = Chem.MolFromSmarts("[!$(*#*)&!D1]-&!@[!$(*#*)&!D1]")
_STIFF = Chem.MolFromSmarts("[CX3](=[OX1,SX1])-!@[#7,#8]")


@dataclass(frozen=True)
class AtomEnergy:
    """An atom of the ligand.

    Args:
        index: In the SMILES, counted from 0.
        symbol: Its element.
        energy: Of all its contacts with the protein, kcal/mol.
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
        atoms: That would go.
        smiles: Of them.
        vina: What the rest would score where it lies, kcal/mol.
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


@dataclass(frozen=True)
class PoseReport:
    """Everything that can be said about one docked pose. Energies are kcal/mol, lengths Angstrom.

    Atoms are indices of `smiles`, counted from 0; the page counts them from 1 and prints the numbered SMILES.

    Args:
        smiles: Canonical.
        docked_smiles: As it was docked: protonated, stereo set.
        target: Its name.
        numbering: Whose residue numbers these are, one sentence.
        vina: Vina's score.
        inter: Vina's energy of the contacts with the protein, before the torsion factor.
        recomputed: The sum of `atoms`: agrees with `inter` to 0.02.
        torsion_penalty: What the rotatable bonds cost in the score.
        torsions: How many Vina turns.
        strain: Of the ligand, if it was measured.
    """

    smiles: str
    docked_smiles: str
    target: str
    numbering: str
    vina: float
    inter: float
    recomputed: float
    torsion_penalty: float
    torsions: int
    atoms: tuple[AtomEnergy, ...]
    fragments: tuple[Fragment, ...]
    trims: tuple[Trim, ...]
    residues: tuple[ResidueEnergy, ...]
    hbonds: tuple[HBond, ...]
    salt_bridges: tuple[Touch, ...]
    metals: tuple[Touch, ...]
    halogen_bonds: tuple[HalogenBond, ...]
    aromatic: tuple[Aromatic, ...]
    unsatisfied: tuple[Unsatisfied, ...]
    repulsive: tuple[Repulsive, ...]
    growth: tuple[Growth, ...]
    pockets: tuple[Pocket, ...]
    strain: float | None = None
    _missing: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict, repr=False)

    @property
    def metrics(self) -> dict[str, float]:
        """The page in figures."""
        total = sum(atom.burial for atom in self.atoms)
        return {
            "contacts (kcal/mol)": self.recomputed,
            "hydrogen bonds": float(len(self.hbonds)),
            "salt bridges": float(len(self.salt_bridges)),
            "aromatic contacts": float(len(self.aromatic)),
            "metal bonds": float(len(self.metals)),
            "unsatisfied polar atoms": float(len(self.unsatisfied)),
            "repulsion (kcal/mol)": float(sum(r.energy for r in self.repulsive if r.kind == "clash")),
            "burial": total / len(self.atoms),
        }

    def missing(self, kind: str, residue: str) -> float:
        """How far the pose is from a contact, Angstrom: 0 where it is made, nan if there is no such residue.

        A group that comes near enough but from the wrong side still misses 0.1. Where the ligand has no group of
        the kind, its nearest atom counts, and it misses 1.5 at least: a bond has to be made. A residue that
        cannot make the contact gives nan.

        Args:
            kind: One of `CONTACT_KINDS`: "hbond", "salt bridge", "aromatic", "contact".
            residue: As the page names it, such as "Met318"; upper and lower case are the same.

        Raises:
            ValueError: No such kind.
        """
        if kind not in CONTACT_KINDS:
            raise ValueError(f"a contact is one of {', '.join(CONTACT_KINDS)}, not {kind!r}")
        wanted = residue.strip().lower()
        found = [
            figures[CONTACT_KINDS.index(kind)] for label, figures in self._missing.items() if label.lower() == wanted
        ]
        usable = [figure for figure in found if not math.isnan(figure)]
        return min(usable, default=math.nan)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; atoms count from 0."""
        plain = {name: value for name, value in asdict(self).items() if name != "_missing"}
        found: dict[str, Any] = _rounded(plain)
        return found

    def text(self) -> str:
        """The page, for a chemist or a language model."""
        from .page import page

        return page(self)

    def _repr_html_(self) -> str:
        from .drawing import html

        return html(self)


def explain(docking: Docking, target: Target, strain: float | None = None) -> PoseReport:
    """Explain a docked pose. Takes 50 to 100 ms where the receptor was seen before, 0.3 s more where not.

    Args:
        docking: What `dock` found.
        target: Where it was docked.
        strain: Of the ligand, kcal/mol, where somebody measured it; it is only printed.

    Raises:
        UsageError: The receptor cannot be read.
        MeasurementError: The pose is not the molecule.
    """
    ligand = posed(docking.ligand.smiles, docking.pose, docking.ligand.pdbqt)
    return _report(
        ligand,
        target,
        smiles=docking.ligand.smiles,
        docked_smiles=docking.ligand.docked_smiles,
        vina=docking.score,
        inter=docking.inter,
        torsion_penalty=docking.torsion_penalty,
        torsions=docking.ligand.torsions,
        strain=strain,
    )


def explain_in_place(pose: Chem.Mol | str, target: Target, strain: float | None = None) -> PoseReport:
    """Explain a pose that came from elsewhere, scored with Vina's terms where it lies; nothing is docked or moved.

    Args:
        pose: A molecule with one conformer in the receptor's frame, protonated as it shall be read (hydrogens that
            are missing are added), or the pdbqt of one with meeko's remarks.
        target: Whose binding site it lies in.
        strain: As in `explain`.

    Raises:
        UsageError: It is no pose, no molecule that can be docked, or does not lie in the target's box.
        MeasurementError: Vina has no type for an atom.
    """
    text = pose if isinstance(pose, str) else typed(pose)
    mol = from_pdbqt(text)
    check_inside(mol, target)
    docked_smiles = canonical(Chem.MolToSmiles(Chem.RemoveHs(mol)))
    ligand = posed(docked_smiles, mol, text)
    inter = float(energies_of(ligand, receptor_of(target)).sum())
    vina = inter / (1.0 + TORSION_WEIGHT * ligand.rotors())
    return _report(
        ligand,
        target,
        smiles=docked_smiles,
        docked_smiles=docked_smiles,
        vina=vina,
        inter=inter,
        torsion_penalty=vina - inter,
        torsions=sum(line.startswith("BRANCH") for line in text.splitlines()),
        strain=strain,
    )


def energies_of(ligand: Posed, receptor: Receptor) -> Floats:
    """Vina's energy between each heavy atom of the ligand (rows) and of the receptor, kcal/mol."""
    return dampened(pair_energies(ligand.xyz[: ligand.heavy], ligand.kinds, receptor.xyz, receptor.kinds))


def _report(ligand: Posed, target: Target, smiles: str, **figures: Any) -> PoseReport:
    receptor = receptor_of(target)
    energies = energies_of(ligand, receptor)
    covered = burial(ligand, receptor)
    contacts, room = Contacts(ligand, receptor), Room(ligand, receptor)
    return PoseReport(
        smiles=smiles,
        target=target.name,
        numbering=target.numbering,
        recomputed=float(energies.sum()),
        atoms=_atoms(ligand, energies, covered),
        fragments=_fragments(ligand, energies, smiles),
        trims=_trims(ligand, energies, smiles, figures["vina"]),
        residues=_residues(receptor, energies),
        hbonds=tuple(contacts.hbonds),
        salt_bridges=tuple(contacts.salt_bridges),
        metals=tuple(contacts.metals),
        halogen_bonds=tuple(contacts.halogen_bonds),
        aromatic=tuple(contacts.aromatic),
        unsatisfied=tuple(contacts.unsatisfied(covered)),
        repulsive=tuple(contacts.repulsive(energies)),
        growth=tuple(growth_vectors(room, smiles, contacts.hbonds)),
        pockets=tuple(pockets(room)),
        _missing=contacts.missing(),
        **figures,
    )


def _atoms(ligand: Posed, energies: Floats, covered: Floats) -> tuple[AtomEnergy, ...]:
    rows = energies.sum(axis=1)
    found = [
        AtomEnergy(number, ligand.mol.GetAtomWithIdx(i).GetSymbol(), float(rows[i]), float(covered[i]))
        for i, number in enumerate(ligand.to_smiles)
    ]
    return tuple(sorted(found, key=lambda atom: atom.index))


def _fragments(ligand: Posed, energies: Floats, smiles: str) -> tuple[Fragment, ...]:
    """The pieces between rotatable bonds, the one that binds best first."""
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
    found = [
        Fragment(tuple(piece), Chem.MolFragmentToSmiles(mol, list(piece)), sum(by_number[i] for i in piece))
        for piece in pieces
    ]
    return tuple(sorted(found, key=lambda fragment: (fragment.energy, fragment.atoms)))


def _trims(ligand: Posed, energies: Floats, smiles: str, vina: float) -> tuple[Trim, ...]:
    """Each end of the molecule beyond a rotatable bond, up to half of it, the most welcome cut first.

    The rest keeps its place, and the score counts its rotatable bonds anew.
    """
    mol, rows = molecule(smiles), energies.sum(axis=1)
    places = {number: i for i, number in enumerate(ligand.to_smiles)}
    found: dict[tuple[int, ...], Trim] = {}
    for bond in ligand.axes:
        for near, far in (bond, bond[::-1]):
            gone = _beyond(ligand.mol, near, far)
            if not gone or len(gone) > ligand.heavy // 2:
                continue
            atoms = tuple(sorted(ligand.to_smiles[i] for i in gone))
            inter = float(sum(rows[places[n]] for n in range(mol.GetNumAtoms()) if n not in atoms))
            left = inter / (1.0 + TORSION_WEIGHT * ligand.rotors(gone))
            found[atoms] = Trim(atoms, Chem.MolFragmentToSmiles(mol, list(atoms)), left, left - vina)
    return tuple(sorted(found.values(), key=lambda trim: (trim.change, trim.atoms)))


def _beyond(mol: Chem.Mol, near: int, far: int) -> frozenset[int]:
    """The heavy atoms on the far side of a bond that is in no ring."""
    found, ahead = {near, far}, [far]
    while ahead:
        for neighbour in mol.GetAtomWithIdx(ahead.pop()).GetNeighbors():
            if neighbour.GetAtomicNum() > 1 and neighbour.GetIdx() not in found:
                found.add(neighbour.GetIdx())
                ahead.append(neighbour.GetIdx())
    return frozenset(found - {near})


def _residues(receptor: Receptor, energies: Floats) -> tuple[ResidueEnergy, ...]:
    """Those that matter, best first; residues of one label count as one."""
    sums = np.bincount(receptor.residue[receptor.heavy], energies.sum(axis=0), len(receptor.labels))
    by_label: dict[str, float] = {}
    for label, energy in zip(receptor.labels, sums.tolist(), strict=True):
        by_label[label] = by_label.get(label, 0.0) + energy
    found = [ResidueEnergy(label, energy) for label, energy in by_label.items() if abs(energy) >= 0.05]
    return tuple(sorted(found, key=lambda residue: (residue.energy, residue.name)))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
