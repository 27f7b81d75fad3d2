"""Poses that people bring: read from a file, typed for Vina, proven to lie in the binding site."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase

from tgsci.errors import InvalidValue, UsageError

from ..docking.ligand import write_pdbqt
from ..molecule.smiles import canonical
from ..target.targets import Target

#: A larger file is no set of poses that somebody wants to read about, bytes.
MAX_BYTES = 20_000_000
MAX_POSES = 200
#: Hydrogens included; the largest molecule that can be docked has some 150.
MAX_ATOMS = 400
#: Vina rounds its box up to whole grid steps, and people dock with boxes of their own, Angstrom.
_MARGIN = 1.0


def read_poses(path: Path) -> list[Chem.Mol | str]:
    """Read the poses of an SDF file, or the best one of a pdbqt file that Vina wrote.

    Raises:
        UsageError: The file cannot be read, or holds no poses; says which record is wrong, and why.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{str(path)!r} is larger than {MAX_BYTES // 1_000_000} MB; give the poses that matter")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror}") from None
    if path.suffix.lower() == ".pdbqt":
        first = data.decode("ascii", "replace").partition("ENDMDL")[0]
        return ["".join(line for line in first.splitlines(keepends=True) if not line.startswith("MODEL"))]
    if path.suffix.lower() not in (".sdf", ".sd", ".mol"):
        raise UsageError(f"{path.name!r} is no .sdf and no .pdbqt file; convert the pose to SDF")
    if not data.strip():
        raise UsageError(f"{path.name!r} holds no molecule")
    supplier = Chem.SDMolSupplier()
    poses: list[Chem.Mol | str] = []
    with rdBase.BlockLogs():
        supplier.SetData(data.decode("utf-8", "replace"), sanitize=False, removeHs=False)
        for number, mol in enumerate(supplier, 1):
            if number > MAX_POSES:
                raise UsageError(f"{path.name!r} holds more than {MAX_POSES} poses; give those that matter")
            poses.append(_sane(mol, f"record {number} of {path.name!r}"))
    return poses


def _sane(mol: Chem.Mol | None, record: str) -> Chem.Mol:
    """Check that a molecule from a file is small enough to look at closely."""
    if mol is None:
        raise UsageError(f"{record} is no molecule that RDKit can read")
    if mol.GetNumAtoms() > MAX_ATOMS:
        raise UsageError(f"{record} has {mol.GetNumAtoms()} atoms; only small molecules can be explained")
    try:
        Chem.SanitizeMol(mol)
    except ValueError as error:  # RDKit's own are of this kind
        raise UsageError(f"{record} is no possible molecule ({str(error).partition(chr(10))[0][:100]})") from None
    return mol


def typed(pose: Chem.Mol) -> str:
    """Write a pose as pdbqt, with hydrogens where it lacks them.

    Raises:
        UsageError: No conformer in space, or no molecule that can be docked.
        MeasurementError: Meeko has no type for an atom.
    """
    if pose.GetNumConformers() != 1 or not pose.GetConformer().Is3D():
        raise UsageError("the pose has no coordinates in space; give a docked or crystal pose in the receptor's frame")
    if not np.isfinite(pose.GetConformer().GetPositions()).all():
        raise UsageError("the pose has coordinates that are no numbers")
    mol = Chem.Mol(pose)
    with rdBase.BlockLogs():
        Chem.AssignStereochemistryFrom3D(mol)
    _checked(mol)
    return write_pdbqt(Chem.AddHs(mol, addCoords=True))


def from_pdbqt(text: str) -> Chem.Mol:
    """Read the molecule of a pdbqt, with all hydrogens.

    Raises:
        UsageError: Meeko's remarks are missing, without which a pdbqt has no bonds.
    """
    from meeko import PDBQTMolecule, RDKitMolCreate

    smiles = re.search(r"^REMARK SMILES (?!IDX)(\S+)$", text, re.MULTILINE)
    if smiles is None or "REMARK SMILES IDX" not in text or len(text) > MAX_BYTES // 10:
        raise UsageError("the pdbqt has no REMARK SMILES lines, so its bonds are not known; give the pose as SDF")
    try:
        canonical(smiles[1])
    except InvalidValue as error:
        raise UsageError(f"the pose: {error}") from None
    try:
        with rdBase.BlockLogs():
            mol = RDKitMolCreate.from_pdbqt_mol(PDBQTMolecule(text, skip_typing=True))[0]
    except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(f"meeko cannot read the pdbqt ({str(error).partition(chr(10))[0][:80]})") from None
    if mol is None or mol.GetNumConformers() == 0:
        raise UsageError("the pdbqt's remarks and its atoms do not belong together")
    _checked(mol)
    return Chem.Mol(mol, confId=mol.GetConformers()[0].GetId())


def check_inside(pose: Chem.Mol, target: Target) -> None:
    """Refuse a pose that lies outside the binding site.

    Raises:
        UsageError: The pose lies elsewhere; says where, and what the reason may be.
    """
    heavy = [atom.GetIdx() for atom in pose.GetAtoms() if atom.GetAtomicNum() > 1]
    xyz = pose.GetConformer().GetPositions()[heavy]
    offset = np.abs(xyz - np.array(target.center)) - (np.array(target.box) / 2 + _MARGIN)
    outside = int((offset > 0).any(axis=1).sum())
    if outside:
        away = float(np.linalg.norm(xyz.mean(axis=0) - np.array(target.center)))
        edges = " x ".join(f"{edge:g}" for edge in target.box)
        raise UsageError(
            f"{outside} of {len(heavy)} atoms of the pose lie outside the box of {target} ({edges} A); its middle is "
            f"{away:.1f} A from the box's. Was it docked into another structure? Superpose that onto the receptor first"
        )


def _checked(mol: Chem.Mol) -> None:
    try:
        canonical(Chem.MolToSmiles(Chem.RemoveHs(mol)))
    except InvalidValue as error:
        raise UsageError(f"the pose: {error}") from None
