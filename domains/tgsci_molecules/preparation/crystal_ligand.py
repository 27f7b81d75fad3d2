"""Ligands and cofactors of a crystal structure as molecules: a PDB file has their atoms, but not their bonds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import gemmi
from rdkit import Chem, rdBase
from rdkit.Chem import rdDetermineBonds
from rdkit.Geometry import Point3D

from tgsci.basics.texts import quote
from tgsci.errors import InvalidValue, UsageError

from ..molecule.smiles import MAX_LENGTH, molecule
from ..tables import read_table
from .structures import Group

#: Net charges that are tried where a ligand has hydrogens and nothing else says its bonds.
_CHARGES = (0, 1, -1, 2, -2, -3, -4)
#: Combinations of bond orders that are tried before perception gives up.
_MAX_ITERATIONS = 20_000


@cache
def known_smiles() -> dict[str, tuple[str, str]]:
    """Read name and SMILES of common drugs and cofactors, by their code in the PDB; `ligands.tsv` beside this file."""
    return dict(read_table(Path(__file__).with_name("ligands.tsv"), _code_and_smiles))


def _code_and_smiles(row: Mapping[str, str]) -> tuple[str, tuple[str, str]]:
    return row["code"], (row["name"], row["smiles"])


def ligand_molecule(group: Group, smiles: str | None = None, blocks: Sequence[gemmi.cif.Block] = ()) -> Chem.Mol:
    """Make a molecule of a group at its place in the crystal: heavy atoms, bond orders, stereo as in space.

    Bond orders come from the first of these that there is: `smiles`, the file's own _chem_comp_bond table (mmCIF),
    `known_smiles`, RDKit's perception where the file has the group's hydrogens.

    Args:
        group: The group as it stands in the file.
        smiles: The SMILES of the same molecule, in any protonation state.
        blocks: The mmCIF blocks that may define its bonds.

    Raises:
        UsageError: Its bonds are not known, or the SMILES is of another molecule.
    """
    if smiles is not None:
        return _from_template(group, _template(smiles), f"--ligand-smiles {quote(smiles)}")
    for block in blocks:
        defined = _from_dictionary(group, block)
        if defined is not None:
            return defined
    if group.name in known_smiles():
        name, known = known_smiles()[group.name]
        return _from_template(group, _template(known), f"the known SMILES of {group.name}, {name}")
    perceived = _perceive(group)
    if perceived is not None:
        return perceived
    raise UsageError(
        f"the bond orders of {group} ({len(group.heavy)} heavy atoms, {_formula(group)}) are not in the file: "
        f"give its SMILES with --ligand-smiles 'CC(=O)N...' (the page of {group.name} at the PDB has it)"
    )


def skeleton(mol: Chem.Mol) -> Chem.Mol:
    """Reduce a molecule to heavy atoms and bonds: what survives protonation and a change of tautomer.

    The conformer stays.
    """
    with rdBase.BlockLogs():
        bare = Chem.RWMol(Chem.RemoveHs(mol, sanitize=False))
    for index in reversed([a.GetIdx() for a in bare.GetAtoms() if a.GetAtomicNum() == 1]):
        bare.RemoveAtom(index)
    for atom in bare.GetAtoms():
        atom.SetFormalCharge(0)
        atom.SetIsAromatic(False)
        atom.SetNoImplicit(True)
        atom.SetNumExplicitHs(0)
        atom.SetNumRadicalElectrons(0)
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
        atom.SetAtomMapNum(0)
    for bond in bare.GetBonds():
        bond.SetBondType(Chem.BondType.SINGLE)
        bond.SetIsAromatic(False)
        bond.SetStereo(Chem.BondStereo.STEREONONE)
    mol = bare.GetMol()
    mol.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(mol)
    return mol


def rmsd(pose: Chem.Mol, crystal: Chem.Mol) -> float:
    """Compute the RMSD of the heavy atoms, Angstrom: in place, the best over all symmetries.

    Raises:
        ValueError: The two molecules are not the same.
    """
    from rdkit.Chem import rdMolAlign

    probe, reference = skeleton(pose), skeleton(crystal)
    same = probe.GetNumAtoms() == reference.GetNumAtoms() and probe.GetNumBonds() == reference.GetNumBonds()
    if not same or not probe.HasSubstructMatch(reference):
        raise ValueError("the pose and the crystal's ligand are not the same molecule")
    return float(rdMolAlign.CalcRMS(probe, reference))


def template_molecule(mol: Chem.Mol) -> Chem.Mol:
    """Reduce a molecule with a conformer to its heavy atoms, with its stereo as in space."""
    with rdBase.BlockLogs():
        return _with_stereo(Chem.RemoveHs(mol))


def _template(smiles: str) -> Chem.Mol:
    if len(smiles) > MAX_LENGTH:
        raise UsageError(f"the SMILES is longer than {MAX_LENGTH} characters; it begins {quote(smiles)}")
    try:
        return Chem.RemoveHs(molecule(smiles.strip()))
    except (InvalidValue, ValueError, RuntimeError) as error:  # RDKit's own are of these kinds
        raise UsageError(f"--ligand-smiles: {error}") from None


def _from_template(group: Group, template: Chem.Mol, source: str) -> Chem.Mol:
    atoms = group.heavy
    formula, wanted = _formula(group), _formula_of(template)
    if len(atoms) != template.GetNumAtoms() or formula != wanted:
        missing = template.GetNumAtoms() - len(atoms)
        hint = f": {missing} atoms are missing in the crystal" if missing > 0 else ""
        raise UsageError(
            f"{group} has the heavy atoms {formula}, but {source} has {wanted}{hint}; use the SMILES of it"
        )
    raw = _connect(group)
    match = skeleton(raw).GetSubstructMatch(skeleton(template))
    if len(match) != len(atoms) or raw.GetNumBonds() != template.GetNumBonds():
        raise UsageError(
            f"{group} has the atoms of {source}, but they are bonded in another way; check the SMILES, "
            "and that the crystal's ligand is whole"
        )
    mol = Chem.RWMol(template)
    conformer = Chem.Conformer(len(atoms))
    for index, source_index in enumerate(match):
        position = atoms[source_index].pos
        conformer.SetAtomPosition(index, Point3D(position.x, position.y, position.z))
    mol.RemoveAllConformers()
    mol.AddConformer(conformer)
    return _with_stereo(mol.GetMol())


def _with_stereo(mol: Chem.Mol) -> Chem.Mol:
    """Give a molecule the stereo that its coordinates show, whatever the template has."""
    for atom in mol.GetAtoms():
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    for bond in mol.GetBonds():
        bond.SetStereo(Chem.BondStereo.STEREONONE)
        bond.SetBondDir(Chem.BondDir.NONE)
    with rdBase.BlockLogs():
        Chem.AssignStereochemistryFrom3D(mol, replaceExistingTags=True)
    return mol


def _raw(atoms: list[gemmi.Atom]) -> Chem.RWMol:
    mol = Chem.RWMol()
    conformer = Chem.Conformer(len(atoms))
    for index, atom in enumerate(atoms):
        mol.AddAtom(Chem.Atom(atom.element.atomic_number))
        conformer.SetAtomPosition(index, Point3D(atom.pos.x, atom.pos.y, atom.pos.z))
    mol.AddConformer(conformer)
    return mol


def _connect(group: Group) -> Chem.Mol:
    """Bond the heavy atoms of a group where they are close enough."""
    mol = _raw(group.heavy)
    if mol.GetNumAtoms() > 1:
        with rdBase.BlockLogs():
            rdDetermineBonds.DetermineConnectivity(mol)
    return mol.GetMol()


def _perceive(group: Group) -> Chem.Mol | None:
    """Find bond orders by geometry and valence: possible only where the file has the hydrogens."""
    atoms = list(group.residue)
    if len(atoms) - len(group.heavy) < len(group.heavy) / 4:
        return None
    for charge in _CHARGES:
        mol = _raw(atoms)
        try:
            with rdBase.BlockLogs():
                rdDetermineBonds.DetermineBonds(mol, charge=charge, maxIterations=_MAX_ITERATIONS)
                Chem.SanitizeMol(mol)
                bare = Chem.RemoveHs(mol)
        except (ValueError, RuntimeError, Chem.MolSanitizeException):
            continue
        if not any(atom.GetNumRadicalElectrons() for atom in bare.GetAtoms()):
            return _with_stereo(bare)
    return None


def _from_dictionary(group: Group, block: gemmi.cif.Block) -> Chem.Mol | None:
    """Read bond orders from the _chem_comp_bond table of some mmCIF files; None where it lacks this group."""
    orders = {
        "SING": Chem.BondType.SINGLE,
        "DOUB": Chem.BondType.DOUBLE,
        "TRIP": Chem.BondType.TRIPLE,
        "AROM": Chem.BondType.AROMATIC,
    }
    rows: list[tuple[str, ...]] = []
    for order_column in ("value_order", "type"):  # the PDB's dictionary, and those of refinement programs
        table = block.find("_chem_comp_bond.", ["comp_id", "atom_id_1", "atom_id_2", order_column])
        rows = rows or [tuple(gemmi.cif.as_string(cell) for cell in row) for row in table]
    atoms = group.heavy
    index = {atom.name: n for n, atom in enumerate(atoms)}
    mol = _raw(atoms)
    charges = block.find("_chem_comp_atom.", ["comp_id", "atom_id", "charge"])
    for row in charges:
        comp, name, charge = (gemmi.cif.as_string(cell) for cell in row)
        if comp == group.name and name in index and charge.lstrip("+-").isdigit():
            mol.GetAtomWithIdx(index[name]).SetFormalCharge(int(charge))
    for comp, first, second, order in rows:
        if comp == group.name and first in index and second in index:
            mol.AddBond(index[first], index[second], orders.get(order.upper()[:4], Chem.BondType.SINGLE))
            if order.upper()[:4] == "AROM":
                for name in (first, second):
                    mol.GetAtomWithIdx(index[name]).SetIsAromatic(True)
    if mol.GetNumBonds() == 0 and len(atoms) > 1:
        return None
    for atom in mol.GetAtoms():  # dictionaries of refinement programs give no charges
        if atom.GetSymbol() == "N" and not atom.GetFormalCharge():
            orders_here = sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds())
            atom.SetFormalCharge(int(orders_here == 4.0))
    try:
        with rdBase.BlockLogs():
            Chem.SanitizeMol(mol)
    except (ValueError, Chem.MolSanitizeException):
        return None
    return _with_stereo(mol.GetMol()) if len(Chem.GetMolFrags(mol)) == 1 else None


def _formula(group: Group) -> str:
    return _counted([atom.element.name for atom in group.heavy])


def _formula_of(mol: Chem.Mol) -> str:
    return _counted([atom.GetSymbol() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1])


def _counted(symbols: list[str]) -> str:
    return " ".join(f"{symbol}{symbols.count(symbol)}" for symbol in sorted(set(symbols)))
