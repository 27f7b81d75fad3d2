"""The report about a docked pose: what binds, what does not, what is missing, and where there is room."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rdkit import Chem

from tgsci.basics.texts import literal
from tgsci.errors import UsageError

from ..docking.vina import Docking
from ..molecule.patterns import Pattern
from ..molecule.smiles import canonical, molecule
from ..target.targets import Target, as_target
from .contacts import NO_GROUP, Aromatic, Contacts, HalogenBond, HBond, Repulsive, Touch, UnsatisfiedAtom, missing
from .files import check_inside, from_pdbqt, typed
from .growth import Growth, Pocket, Room, growth_vectors, pockets
from .ligand import PosedLigand, posed
from .receptor import Receptor, receptor_of
from .shares import (
    AtomEnergy,
    Fragment,
    ResidueEnergy,
    Trim,
    atoms_of,
    burial,
    fragments_of,
    residues_of,
    trims_of,
)
from .terms import TORSION_WEIGHT, Floats, dampen, pair_energies

#: A pose with less contact than this has none, kcal/mol.
_LEAST = 0.01
#: The kinds of contacts that `PoseReport.missing` measures.
CONTACT_KINDS = ("hbond", "salt bridge", "aromatic", "contact")


@dataclass(frozen=True)
class PoseReport:
    """What a docked pose shows. Energies are kcal/mol, lengths Angstrom.

    Atoms are indices of `smiles`, counted from 0; the text counts them from 1 and prints the numbered SMILES.

    Args:
        smiles: Canonical.
        docked_smiles: The form that was docked: protonated, stereo set.
        target: The target's name.
        numbering: A sentence on whose residue numbers these are.
        vina: Vina's score.
        inter: Vina's energy of the contacts with the protein, before the torsion factor.
        recomputed: The sum of `atoms`: agrees with `inter` to 0.02.
        torsion_penalty: The price of the rotatable bonds in the score.
        torsions: How many bonds Vina turns.
        strain: The ligand's strain, if it was measured.
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
    unsatisfied: tuple[UnsatisfiedAtom, ...]
    repulsive: tuple[Repulsive, ...]
    growth: tuple[Growth, ...]
    pockets: tuple[Pocket, ...]
    strain: float | None = None
    _missing: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict, repr=False)

    @property
    def metrics(self) -> dict[str, float]:
        """The report in numbers, by name and unit."""
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
        """Measure how far the pose is from a contact, Angstrom: 0 where it is made, nan without such a residue.

        A group that comes near enough but from the wrong side still misses 0.1. Where the ligand has no group of
        the kind, its nearest atom counts, and it misses 1.5 at least: a bond has to be made. A residue that
        cannot make the contact gives nan.

        Args:
            kind: One of `CONTACT_KINDS`: "hbond", "salt bridge", "aromatic", "contact".
            residue: A label of the report, such as "Met318"; upper and lower case are the same.

        Raises:
            ValueError: No such kind.
        """
        return _gap(self._missing, kind, residue)

    def as_dict(self) -> dict[str, Any]:
        """Write the report as a table for JSON; atoms count from 0."""
        plain = {name: value for name, value in asdict(self).items() if name != "_missing"}
        table: dict[str, Any] = _rounded(plain)
        return table

    def text(self) -> str:
        """Write the report as text, for a chemist or a language model."""
        from .text import text_of

        return text_of(self)

    def _repr_html_(self) -> str:
        from .drawing import html

        return html(self)


def explain(docking: Docking, target: Target | str, strain: float | None = None) -> PoseReport:
    """Explain a docked pose. Takes 50 to 100 ms where the receptor was seen before, 0.3 s more where not.

    Args:
        docking: The result of `dock`.
        target: The target that it was docked into, or its name.
        strain: The ligand's strain, kcal/mol, where it was measured; it is only printed.

    Raises:
        UsageError: `docking` is no `Docking`, or the receptor cannot be read.
        MeasurementError: The pose is not the molecule.
    """
    if not isinstance(docking, Docking):
        raise UsageError(f"explain() takes what dock() found, not {literal(docking)}")
    target = as_target(target)
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


def shortfall(docking: Docking, target: Target, kind: str, residue: str, *, role: str = "", smarts: str = "") -> float:
    """Measure how far a docked pose is from a contact by a certain group of the ligand, as `PoseReport.missing` does.

    Args:
        docking: The result of `dock`.
        target: The target that it was docked into.
        kind: One of `CONTACT_KINDS`.
        residue: A label of the report, such as "Met318".
        role: What the ligand is in a hydrogen bond: "donor", "acceptor", or "" for either.
        smarts: Atoms of the ligand that count: those with a map number, as [n:1], or all that the pattern matches.
            Where the molecule has no such group, `NO_GROUP` lacks.

    Raises:
        UsageError: The text is no SMARTS.
        ValueError: No such kind.
    """
    ligand = posed(docking.ligand.smiles, docking.pose, docking.ligand.pdbqt)
    contacts = Contacts(ligand, receptor_of(target))
    partners = Pattern(smarts).marked(molecule(docking.ligand.smiles)) if smarts else None
    if smarts and not partners:
        return NO_GROUP
    return min(_gap(missing(contacts, partners, role), kind, residue), NO_GROUP - 1.0)


def _gap(missing: Mapping[str, tuple[float, float, float, float]], kind: str, residue: str) -> float:
    if kind not in CONTACT_KINDS:
        raise ValueError(f"a contact is one of {', '.join(CONTACT_KINDS)}, not {kind!r}")
    wanted = residue.strip().lower()
    gaps = [figures[CONTACT_KINDS.index(kind)] for label, figures in missing.items() if label.lower() == wanted]
    return min((figure for figure in gaps if not math.isnan(figure)), default=math.nan)


def explain_in_place(pose: Chem.Mol | str, target: Target | str, strain: float | None = None) -> PoseReport:
    """Explain a pose that came from elsewhere, scored with Vina's terms where it lies; nothing is docked or moved.

    Args:
        pose: A molecule with one conformer in the receptor's frame, protonated as it shall be read (hydrogens that
            are missing are added), or the pdbqt of one with meeko's remarks.
        target: The target whose binding site it lies in.
        strain: As in `explain`.

    Raises:
        UsageError: The pose is no molecule that can be docked, or does not lie in the target's box.
        MeasurementError: Vina has no type for an atom.
    """
    target = as_target(target)
    text = pose if isinstance(pose, str) else typed(pose)
    mol = from_pdbqt(text)
    check_inside(mol, target)
    docked_smiles = canonical(Chem.MolToSmiles(Chem.RemoveHs(mol)))
    try:
        ligand = posed(docked_smiles, mol, text)
    except (ValueError, LookupError):
        raise UsageError("the remarks of the pdbqt and its atoms do not belong together") from None
    inter = float(energies_of(ligand, receptor_of(target)).sum())
    if abs(inter) < _LEAST:
        raise UsageError(f"the pose touches nothing of {target}; it lies in the water of the binding site's box")
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


def energies_of(ligand: PosedLigand, receptor: Receptor) -> Floats:
    """Compute Vina's energy between each heavy atom of the ligand (rows) and of the receptor, kcal/mol."""
    return dampen(pair_energies(ligand.xyz[: ligand.heavy], ligand.kinds, receptor.xyz, receptor.kinds))


def _report(ligand: PosedLigand, target: Target, smiles: str, **figures: Any) -> PoseReport:
    receptor = receptor_of(target)
    energies = energies_of(ligand, receptor)
    covered = burial(ligand, receptor)
    contacts, room = Contacts(ligand, receptor), Room(ligand, receptor)
    return PoseReport(
        smiles=smiles,
        target=target.name,
        numbering=target.numbering,
        recomputed=float(energies.sum()),
        atoms=atoms_of(ligand, energies, covered),
        fragments=fragments_of(ligand, energies, smiles),
        trims=trims_of(ligand, energies, smiles, figures["vina"]),
        residues=residues_of(receptor, energies),
        hbonds=tuple(contacts.hbonds),
        salt_bridges=tuple(contacts.salt_bridges),
        metals=tuple(contacts.metals),
        halogen_bonds=tuple(contacts.halogen_bonds),
        aromatic=tuple(contacts.aromatic),
        unsatisfied=tuple(contacts.unsatisfied(covered)),
        repulsive=tuple(contacts.repulsive(energies)),
        growth=tuple(growth_vectors(room, smiles, contacts.hbonds)),
        pockets=tuple(pockets(room)),
        _missing=missing(contacts),
        **figures,
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
