"""A pose report as text: ranked, every figure with its unit, atoms numbered from 1."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rdkit import Chem

from ..docking.ligand import large_ring
from ..molecule.smiles import molecule
from .geometry import HYDROGEN_BOND
from .growth import NOTHING, REACH
from .terms import TORSION_WEIGHT

if TYPE_CHECKING:
    from .growth import Growth
    from .report import PoseReport

#: A fragment binds well below the first and poorly above the second, kcal/mol per heavy atom.
_GOOD, _POOR = -0.40, -0.20
#: An atom that does less than this does nothing, kcal/mol.
_IDLE = -0.10
#: An end is not worth its bonds where the score without it is better by more than this, kcal/mol.
_NOT_WORTH = -0.1
_UNIT = "kcal/mol"


def text_of(report: PoseReport) -> str:
    """Write a pose report as text, at most about 60 lines."""
    names = _names(report.smiles)
    lines = [
        *_head(report),
        *_fragment_lines(report, names),
        *_trim_lines(report, names),
        *_residue_lines(report),
        *_bond_lines(report, names),
        *_problem_lines(report, names),
        *_growth_lines(report, names),
    ]
    return "\n".join(lines)


def numbered(smiles: str) -> str:
    """Write the SMILES with the map number k on atom k, counted from 1."""
    mol = Chem.Mol(molecule(smiles))
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(atom.GetIdx() + 1)
    return str(Chem.MolToSmiles(mol, canonical=False))


def _names(smiles: str) -> list[str]:
    return [f"{atom.GetSymbol()}{atom.GetIdx() + 1}" for atom in molecule(smiles).GetAtoms()]


def _head(report: PoseReport) -> list[str]:
    bonds = f"{report.torsions} rotatable bond{'s' if report.torsions != 1 else ''}"
    cheaper = ""
    if report.torsions:
        cheaper = f" One rotatable bond less at the same contacts: vina {_one_less(report):.2f}."
    strain = "" if report.strain is None else f" Strain of the ligand {report.strain:.1f} {_UNIT}."
    count = len(report.atoms)
    buried = sum(atom.burial for atom in report.atoms) / count
    return [
        f"POSE in {report.target}: vina {report.vina:.2f} {_UNIT} = {report.inter:+.2f} contacts with the protein "
        f"{report.torsion_penalty:+.2f} for {bonds}; LE {-report.vina / count:.2f} {_UNIT} per heavy atom; "
        f"{100 * buried:.0f}% buried.{cheaper}{strain}",
        *_ring_lines(report),
        f"ATOMS are numbered as in {numbered(report.smiles)}",
        *([f"DOCKED AS {report.docked_smiles}"] if report.docked_smiles != report.smiles else []),
    ]


def _ring_lines(report: PoseReport) -> list[str]:
    size = large_ring(molecule(report.smiles))
    if not size:
        return []
    return [
        f"  The bonds of the ring of {size} atoms are not among them: Vina keeps the shape that it is given, and "
        "charges nothing for its flexibility."
    ]


def _one_less(report: PoseReport) -> float:
    """Compute the score with one rotor less, kcal/mol: Vina divides the contacts by 1 + w for each."""
    return report.inter / max(1.0, report.inter / report.vina - TORSION_WEIGHT)


def _fragment_lines(report: PoseReport, names: Sequence[str]) -> list[str]:
    lines = [f"FRAGMENTS between rotatable bonds, contacts in {_UNIT} (per heavy atom):"]
    burial = {atom.index: atom.burial for atom in report.atoms}
    for fragment in [f for f in report.fragments if len(f.atoms) > 1][:10]:
        each = fragment.energy / len(fragment.atoms)
        word = "good" if each <= _GOOD else "poor" if each > _POOR else "fair"
        buried = 100 * sum(burial[i] for i in fragment.atoms) / len(fragment.atoms)
        lines.append(
            f"  {fragment.energy:+.2f} ({each:+.2f}, {word}; {buried:.0f}% buried) {fragment.smiles}: "
            f"{_ranges(fragment.atoms, names)}"
        )
    single = [f"{names[f.atoms[0]]} {f.energy:+.2f}" for f in report.fragments if len(f.atoms) == 1]
    if single:
        lines.append(f"  single atoms between them: {', '.join(single)}")
    idle = sorted((atom for atom in report.atoms if atom.energy > _IDLE), key=lambda atom: -atom.energy)
    if idle:
        figures = ", ".join(f"{names[atom.index]} {atom.energy:+.2f}" for atom in idle[:8])
        lines.append(f"  atoms that bring nothing, or cost: {figures}")
    return lines


def _trim_lines(report: PoseReport, names: Sequence[str]) -> list[str]:
    """Write the ends that cost more than they bring, one inside the other left out."""
    lines: list[str] = []
    seen: set[int] = set()
    for trim in report.trims:
        if trim.change > _NOT_WORTH or seen.intersection(trim.atoms):
            continue
        seen.update(trim.atoms)
        lines.append(f"  {_ranges(trim.atoms, names)} ({trim.smiles}): vina {trim.vina:.2f} ({trim.change:+.2f})")
    if not lines:
        return []
    head = f"ENDS THAT DO NOT PAY for their rotatable bonds; what is left would score, in {_UNIT} (solubility aside):"
    return [head, *lines[:4]]


def _residue_lines(report: PoseReport) -> list[str]:
    best = ", ".join(f"{r.name} {r.energy:+.2f}" for r in report.residues[:12] if r.energy < 0)
    return [f"RESIDUES, contacts in {_UNIT}: {best or 'none'}. Their numbers: {_numbering(report)}."]


def _numbering(report: PoseReport) -> str:
    """Say whose residue numbers these are; a mark is explained only where a residue near the pose has it."""
    whose, *marks = report.numbering.split("; ")
    near = [
        *(residue.name for residue in report.residues),
        *(name for growth in report.growth for name in growth.residues),
        *(name for pocket in report.pockets for name in pocket.residues),
    ]
    used = {name[-1] for name in near}
    return "; ".join([whose, *(mark for mark in marks if not mark[1:].startswith(" marks ") or mark[0] in used)])


def _bond_lines(report: PoseReport, names: Sequence[str]) -> list[str]:
    lines = ["INTERACTIONS"]
    for bond in report.hbonds:
        angle = "the hydrogen can turn" if bond.angle is None else f"{bond.angle:.0f} degrees"
        lines.append(
            f"  hydrogen bond: {names[bond.atom]} ({bond.role}) - {bond.residue} {bond.receptor_atom} "
            f"{bond.distance:.1f} A, {angle}"
        )
    for name, touches in (("salt bridge", report.salt_bridges), ("metal bond", report.metals)):
        lines += [f"  {name}: {names[t.atom]} - {t.residue} {t.receptor_atom} {t.distance:.1f} A" for t in touches]
    for halogen in report.halogen_bonds:
        lines.append(
            f"  halogen bond: {names[halogen.atom]} - {halogen.residue} {halogen.receptor_atom} "
            f"{halogen.distance:.1f} A, {halogen.angle:.0f} degrees"
        )
    for ring in report.aromatic:
        lines.append(f"  aromatic, {ring.kind}: {_ranges(ring.atoms, names)} - {ring.residue} {ring.distance:.1f} A")
    return lines if len(lines) > 1 else ["INTERACTIONS none of direction: only van der Waals contacts."]


def _problem_lines(report: PoseReport, names: Sequence[str]) -> list[str]:
    lines = []
    for push in report.repulsive[:6]:
        pair = f"{names[push.atom]} - {push.residue} {push.receptor_atom}"
        if push.kind == "clash":
            lines.append(f"  clash: {pair} {push.distance:.1f} A, {push.energy:+.2f} {_UNIT}")
        else:
            lines.append(f"  {push.kind} face each other: {pair} {push.distance:.1f} A")
    for polar in report.unsatisfied[:6]:
        near = "no partner within 6 A"
        if polar.distance is not None:
            wrong = ", but from a wrong direction" if polar.distance <= HYDROGEN_BOND else ""
            near = f"nearest partner {polar.nearest} {polar.nearest_atom} {polar.distance:.1f} A{wrong}"
        what = f"unsatisfied {polar.role}" if not polar.charge else f"buried {'+' if polar.charge > 0 else '-'} charge"
        lines.append(f"  {what} {names[polar.atom]}, {100 * polar.burial:.0f}% buried; {near}")
    return ["PROBLEMS", *lines] if lines else ["PROBLEMS none: no clash, no buried polar atom without a partner."]


def _growth_lines(report: PoseReport, names: Sequence[str]) -> list[str]:
    useful = [g for g in report.growth if g.character not in ("closed", "solvent") and g.fits != NOTHING]
    factor = report.inter / report.vina
    lines = [
        f"GROWTH in place of a hydrogen, best for its size first: what fits the pose as it is, {_UNIT} of new "
        f"contacts (the score takes 1/{factor:.2f} of it):"
    ]
    lines += [_growth_line(growth, names) for growth in useful[:8]]
    others = {
        NOTHING: [f"{names[g.atom]} ({_reach(g)})" for g in report.growth if g.fits == NOTHING],
        "open to solvent, no gain expected, room for solubility": [
            names[g.atom] for g in report.growth if g.character == "solvent"
        ],
        "no room": [names[g.atom] for g in report.growth if g.character == "closed"],
    }
    lines += [f"  {words}: {', '.join(where)}" for words, where in others.items() if where]
    if len(lines) == 1:
        lines = ["GROWTH: no hydrogen has room next to it."]
    for pocket in report.pockets:
        lines.append(
            f"UNFILLED POCKET, {pocket.character}, {pocket.volume:.0f} A^3, {pocket.distance:.1f} A from "
            f"{names[pocket.atom]}, best probe atom {pocket.energy:+.2f} {_UNIT}; lined by {', '.join(pocket.residues)}"
        )
    return lines


def _growth_line(growth: Growth, names: Sequence[str]) -> str:
    room = f"Room {_reach(growth)}, {growth.volume:.0f} A^3"
    isomer = f"; as {growth.isomer}" if growth.isomer else ""
    return (
        f"  {names[growth.atom]}{_hydrogen(growth)}: {growth.fits}. {room}, {growth.character} (best probe atom "
        f"{growth.energy:+.2f}); lined by {', '.join(growth.residues)}{isomer}"
    )


def _hydrogen(growth: Growth) -> str:
    """Say where the hydrogen points, and which of two is meant; those of a methyl turn."""
    toward = f"toward {growth.toward}" if growth.toward else ""
    which = f"of {growth.hydrogens} hydrogens the one" if growth.hydrogens == 2 and toward else ""
    words = " ".join(filter(None, (which, toward)))
    return f" ({words})" if words else ""


def _reach(growth: Growth) -> str:
    return f"{growth.reach:.0f} A or more" if growth.reach >= REACH - 0.5 else f"{growth.reach:.1f} A"


def _ranges(atoms: Iterable[int], names: Sequence[str]) -> str:
    """Write atoms by element, runs of numbers joined: C3-C6 N7."""
    runs: list[list[int]] = []
    for atom in sorted(atoms):
        if runs and atom == runs[-1][-1] + 1:
            runs[-1].append(atom)
        else:
            runs.append([atom])
    groups: dict[str, None] = defaultdict(None)
    for run in runs:
        groups[names[run[0]] if len(run) == 1 else f"{names[run[0]]}-{names[run[-1]]}"] = None
    return " ".join(groups)
