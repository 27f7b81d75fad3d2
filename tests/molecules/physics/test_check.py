"""The check on finalists: impossible geometry by its atoms, and figures with words."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Geometry import Point3D

from tests.molecules.conformers import embedded
from tgsci_molecules import Docking, Target
from tgsci_molecules.physics import check, strain_of
from tgsci_molecules.physics.geometry import faults
from tgsci_molecules.physics.receptor import Receptor


def empty() -> Receptor:
    nothing = np.zeros(0)
    return Receptor(np.zeros((0, 3)), nothing, nothing, nothing, (), (), (), 0, 0.0)


def test_impossible_geometry_is_named_by_its_atoms() -> None:
    mol = embedded("Cc1ccccc1")
    names = [f"C{n}" for n in range(1, 8)]
    assert faults(mol, empty(), names) == []
    long = Chem.Mol(mol)
    methyl = np.array(mol.GetConformer().GetAtomPosition(0))
    ipso = np.array(mol.GetConformer().GetAtomPosition(1))
    long.GetConformer().SetAtomPosition(0, Point3D(*(ipso + 1.6 * (methyl - ipso))))
    assert any(fault.startswith("bond C1-C2 is 2.") for fault in faults(long, empty(), names))
    bent = Chem.Mol(mol)
    normal = np.cross(methyl - ipso, np.array(mol.GetConformer().GetAtomPosition(2)) - ipso)
    place = np.array(mol.GetConformer().GetAtomPosition(4)) + 0.8 * normal / np.linalg.norm(normal)
    bent.GetConformer().SetAtomPosition(4, Point3D(*place))
    assert any("not flat" in fault for fault in faults(bent, empty(), names))


@pytest.mark.slow
def test_the_check_gives_figures_and_words(docking: Docking, abl1: Target) -> None:
    found = check(docking.pose, abl1, docking.ligand.smiles)
    assert found.concerns == ()
    assert found.verdict == "nothing speaks against it"
    assert set(found.figures) == {"strain", "refined strain", "refined interaction", "refined RMSD"}
    assert found.figures["strain"] == pytest.approx(strain_of(docking), abs=5e-4)  # rounded there
    assert found.text.startswith("CHECK of the pose: nothing speaks against it.")
    assert len(found.text.splitlines()) <= 12
