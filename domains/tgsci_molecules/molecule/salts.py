"""Counter-ions and solvents by name: what comes with a drug in a bottle and does not bind the protein."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from ..tables import read_table
from .smiles import Molecule


@dataclass(frozen=True)
class Counterpart:
    """An acid, base or solvent that comes with a drug, a row of `salts.tsv`.

    Args:
        name: A chemist's name of it.
        kind: "acid", "base" or "solvent".
        smiles: The neutral molecule.
    """

    name: str
    kind: str
    smiles: Molecule


def counterpart_of(row: Mapping[str, str]) -> Counterpart:
    """Make the acid, base or solvent of a row.

    Raises:
        ValueError: The row has another kind, or RDKit cannot read its SMILES.
    """
    mol = Chem.MolFromSmiles(row["smiles"])
    if mol is None:
        raise ValueError(f"{row['smiles']!r} is no SMILES")
    if row["kind"] not in ("acid", "base", "solvent"):
        raise ValueError(f"no kind {row['kind']!r}")
    return Counterpart(row["name"], row["kind"], Molecule(row["smiles"], mol))


COUNTERPARTS: Mapping[str, Counterpart] = {
    each.name: each for each in read_table(Path(__file__).with_name("salts.tsv"), counterpart_of)
}


def counterpart(mol: Chem.Mol) -> str | None:
    """Name a counter-ion or solvent; None for anything else, which is then what a person wants to dock.

    Args:
        mol: One part of what was written, sanitised.
    """
    first = mol.GetAtomWithIdx(0)
    if mol.GetNumAtoms() == 1 and _is_metal(first):
        return f"{Chem.GetPeriodicTable().GetElementName(first.GetAtomicNum()).lower()} ion"
    if mol.GetNumAtoms() == 1 and first.GetFormalCharge() == -1 and first.GetSymbol() in _HALIDES:
        return _HALIDES[first.GetSymbol()]
    neutral = neutralised(mol)
    return _names().get(Chem.MolToSmiles(neutral)) or _names().get(Chem.MolToSmiles(neutral, isomericSmiles=False))


def neutralised(mol: Chem.Mol) -> Chem.Mol:
    """Add or remove protons until no charge is left that protons can take away."""
    with rdBase.BlockLogs():
        return rdMolStandardize.Uncharger(canonicalOrder=True).uncharge(mol)


def without_metal_bonds(mol: Chem.Mol) -> Chem.Mol:
    """Make ions of sodium and its like where they are written with a bond, as in `[Na]OC(C)=O`."""
    editable = Chem.RWMol(mol)
    for bond in list(mol.GetBonds()):
        metal, other = bond.GetBeginAtom(), bond.GetEndAtom()
        if other.GetSymbol() in _COUNTER_METALS:
            metal, other = other, metal
        if metal.GetSymbol() not in _COUNTER_METALS or other.GetSymbol() not in ("N", "O", "S", "F", "Cl", "Br", "I"):
            continue
        editable.RemoveBond(metal.GetIdx(), other.GetIdx())
        for atom, charge in ((metal, 1), (other, -1)):
            held = editable.GetAtomWithIdx(atom.GetIdx())
            held.SetFormalCharge(held.GetFormalCharge() + charge)
            held.SetNoImplicit(True)
    return editable.GetMol()


def complexed(mol: Chem.Mol) -> str | None:
    """Name a metal that forms complexes and no salts, as platinum, gallium or copper do; None where there is none.

    A metal that forms salts, too, is one in a complex where it is written with three bonds or more.

    Args:
        mol: What was written, sanitised or not.
    """
    for atom in mol.GetAtoms():
        if _is_metal(atom) and (atom.GetSymbol() not in _SALT_METALS or atom.GetDegree() > _MOST_BONDS):
            return str(Chem.GetPeriodicTable().GetElementName(atom.GetAtomicNum())).lower()
    return None


#: Metals whose ions come with drugs as salts, and the bonds that such a salt may be written with.
_SALT_METALS = ("Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Zn", "Al", "Ag")
_MOST_BONDS = 2
_COUNTER_METALS = _SALT_METALS
_HALIDES = {"F": "fluoride", "Cl": "chloride", "Br": "bromide", "I": "iodide"}
_NONMETALS = "H He B C N O F Ne Si P S Cl Ar As Se Br Kr Te I Xe".split()  # noqa: SIM905


def _is_metal(atom: Chem.Atom) -> bool:
    return atom.GetAtomicNum() > 0 and atom.GetSymbol() not in _NONMETALS


@cache
def _names() -> dict[str, str]:
    """Read the names by canonical SMILES, with stereochemistry and without."""
    names: dict[str, str] = {}
    for name, each in COUNTERPARTS.items():
        mol = neutralised(each.smiles.mol)
        names[Chem.MolToSmiles(mol)] = name
        names.setdefault(Chem.MolToSmiles(mol, isomericSmiles=False), name)
    names[Chem.MolToSmiles(Chem.MolFromSmiles("OC(=O)C=CC(=O)O"))] = "maleic or fumaric acid"
    return names
