"""AutoDock's atom types for a receptor: meeko's where it can, the same rules by hand where it cannot.

meeko reads bonds from distances and gives up on a whole protein where two hydrogens of one residue are close, and it
knows no cofactors. Vina uses only the types; the charges stand in the file for other programs.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from rdkit import Chem, rdBase

from ..target.numbering import standard

#: AutoDock's atom types that are no element's symbol, with their element.
AUTODOCK_ELEMENTS = {"A": "C", "OA": "O", "NA": "N", "NS": "N", "OS": "O", "SA": "S", "HD": "H", "HS": "H", "W": "O"}
#: Rings whose carbons are aromatic for AutoDock (type A).
_AROMATIC = {
    "HIS": ("CG", "CD2", "CE1"),
    "PHE": ("CG", "CD1", "CD2", "CE1", "CE2", "CZ"),
    "TRP": ("CG", "CD1", "CD2", "CE2", "CE3", "CZ2", "CZ3", "CH2"),
    "TYR": ("CG", "CD1", "CD2", "CE1", "CE2", "CZ"),
}
#: Types of everything that is not C, N, O, S or H; Vina knows these and no others.
METALS = {"MG": "Mg", "MN": "Mn", "ZN": "Zn", "CA": "Ca", "FE": "Fe"}
_OTHERS = {**METALS, "F": "F", "CL": "Cl", "BR": "Br", "I": "I", "P": "P", "SI": "Si"}
#: Longest bond from a nitrogen to a metal, Angstrom: 2.0 in heme.
_METAL_BOND = 2.6


@dataclass(frozen=True)
class Atom:
    """One atom of a PDB file."""

    name: str
    resname: str
    chain: str
    number: str
    position: tuple[float, float, float]
    element: str


def protein_pdbqt(pdb: str) -> tuple[str, str]:
    """Write a protein with waters as pdbqt lines, and say who chose the types."""
    try:
        return _by_meeko(pdb), "meeko's residue templates"
    except (RuntimeError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0][:120]
        return _lines([(atom, kind, 0.0) for atom, kind in typed(atoms_of(pdb))]), f"AutoDock's rules (meeko: {reason})"


def atoms_of(pdb: str) -> list[Atom]:
    """Read the atoms of a PDB text."""
    return [
        Atom(
            line[12:16].strip(),
            line[17:20].strip(),
            line[21],
            line[22:27],
            (float(line[30:38]), float(line[38:46]), float(line[46:54])),
            line[76:78].strip().upper(),
        )
        for line in pdb.splitlines()
        if line.startswith(("ATOM", "HETATM"))
    ]


def typed(atoms: Sequence[Atom]) -> list[tuple[Atom, str]]:
    """Assign AutoDock's types to proteins and waters with all hydrogens; leave out non-polar hydrogens."""
    residues: dict[tuple[str, str, str], list[Atom]] = {}
    for atom in atoms:
        residues.setdefault((atom.chain, atom.number, atom.resname), []).append(atom)
    types = []
    for residue in residues.values():
        heavy = [atom for atom in residue if atom.element != "H"]
        bearing: dict[str, int] = {}
        polar = []
        for hydrogen in (atom for atom in residue if atom.element == "H"):
            nearest = min(heavy, key=lambda atom: math.dist(atom.position, hydrogen.position))
            bearing[nearest.name] = bearing.get(nearest.name, 0) + 1
            if nearest.element in ("N", "O", "S"):
                polar.append(hydrogen)
        types += [(atom, _type(atom, bearing.get(atom.name, 0))) for atom in heavy]
        types += [(atom, "HD") for atom in polar]
    return types


def _type(atom: Atom, hydrogens: int) -> str:
    resname = standard(atom.resname)
    if atom.element == "C":
        return "A" if atom.name in _AROMATIC.get(resname, ()) else "C"
    if atom.element == "N":
        return "NA" if resname == "HIS" and atom.name in ("ND1", "NE2") and not hydrogens else "N"
    return {"O": "OA", "S": "SA"}.get(atom.element) or _OTHERS.get(atom.element, atom.element.capitalize())


def _by_meeko(pdb: str) -> str:
    from meeko import MoleculePreparation, PDBQTWriterLegacy, Polymer, ResidueChemTemplates

    with rdBase.BlockLogs(), redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
        templates = ResidueChemTemplates.create_from_defaults()
        polymer = Polymer.from_pdb_string(pdb, templates, MoleculePreparation(), allow_bad_res=False)
        rigid, flexible = PDBQTWriterLegacy.write_from_polymer(polymer)
    if flexible:
        raise ValueError("flexible residues")
    heavy = sum(atom.element != "H" for atom in atoms_of(pdb))
    lines = [line for line in rigid.splitlines() if line.startswith(("ATOM", "HETATM"))]
    written = sum(line[77:].strip() not in ("HD", "HS", "H") for line in lines)
    if written != heavy:
        raise ValueError(f"{heavy - written} atoms without a type")
    return "".join(line + "\n" for line in lines)


def group_atoms(mol: Chem.Mol, own: Sequence[Atom]) -> tuple[list[Atom], list[tuple[Atom, str]]]:
    """Type a cofactor of known bonds: its atoms with all hydrogens, and AutoDock's types of those that count.

    Args:
        mol: At its place, heavy atoms.
        own: The same atoms as the file has them, for their names.
    """
    full = Chem.AddHs(mol, addCoords=True)
    positions = full.GetConformer().GetPositions()
    every, chosen = [], []
    first = own[0]
    for count, atom in enumerate(full.GetAtoms(), 1):
        symbol = atom.GetSymbol().upper()
        x, y, z = (float(v) for v in positions[atom.GetIdx()])
        name = f"H{count}" if symbol == "H" else min(own, key=lambda each: math.dist(each.position, (x, y, z))).name
        made = Atom(name[:4], first.resname, first.chain, first.number, (x, y, z), symbol)
        every.append(made)
        kind = _type_in(atom)
        if kind is not None:
            chosen.append((made, kind))
    return every, chosen


def bare_atoms(atoms: Sequence[Atom]) -> list[tuple[Atom, str]]:
    """Type a metal, or a cofactor of unknown bonds, by element; its N and O accept, and donate nothing.

    A nitrogen that holds a metal, as in heme, has no lone pair left to accept with.
    """
    kinds = {"C": "C", "N": "NA", "O": "OA", "S": "SA"}
    metals = [atom.position for atom in atoms if atom.element in METALS]

    def kind(atom: Atom) -> str:
        if atom.element == "N" and any(math.dist(atom.position, metal) < _METAL_BOND for metal in metals):
            return "N"
        return kinds.get(atom.element) or _OTHERS.get(atom.element, "")

    return [(atom, kind(atom)) for atom in atoms if atom.element != "H"]


def known_element(element: str) -> bool:
    """Tell whether Vina has a type for an element."""
    return element.upper() in {"H", "C", "N", "O", "S", *_OTHERS}


def group_pdbqt(atoms: Sequence[tuple[Atom, str]]) -> str:
    """Write atoms with types as lines of a pdbqt file."""
    return _lines([(atom, kind, 0.0) for atom, kind in atoms])


def _type_in(atom: Chem.Atom) -> str | None:
    symbol = atom.GetSymbol()
    if symbol == "H":
        return "HD" if atom.GetNeighbors()[0].GetSymbol() in ("N", "O", "S") else None
    if symbol == "C":
        return "A" if atom.GetIsAromatic() else "C"
    if symbol == "N":
        # A lone pair that a hydrogen, a charge or the neighbouring double bonds take up accepts nothing.
        taken = atom.GetTotalNumHs(includeNeighbors=True) or atom.GetFormalCharge() > 0
        shared = atom.GetTotalDegree() == 3 and atom.GetHybridization() == Chem.HybridizationType.SP2
        return "N" if taken or shared else "NA"
    return {"O": "OA", "S": "SA"}.get(symbol) or _OTHERS.get(symbol.upper(), symbol)


def _lines(atoms: Sequence[tuple[Atom, str, float]]) -> str:
    lines = []
    for serial, (atom, kind, charge) in enumerate(atoms, 1):
        spelled = atom.name if len(atom.name) == 4 else f" {atom.name:<3}"
        x, y, z = atom.position
        lines.append(
            f"ATOM  {serial % 100_000:5d} {spelled} {atom.resname[:3]:>3} {atom.chain}{atom.number}   "
            f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00    {charge:+6.3f} {kind:<2}\n"
        )
    return "".join(lines)
