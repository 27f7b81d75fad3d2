"""Strain: none in a relaxed molecule, some in a twisted one, and words to judge it by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rdkit.Chem import rdForceFieldHelpers, rdMolTransforms

from tests.molecules.conformers import embedded
from tgsci_molecules.physics import strain
from tgsci_molecules.physics.mmff import VACUUM, typed


def test_a_relaxed_molecule_has_no_strain_and_a_twisted_one_has() -> None:
    butane = embedded("CCCC")
    assert strain(butane).local == pytest.approx(0.0, abs=0.05)
    acid = embedded("O=C(O)c1ccccc1")
    assert strain(acid).total == pytest.approx(0.0, abs=0.1)
    rdMolTransforms.SetDihedralDeg(acid.GetConformer(), 0, 1, 3, 4, 90.0)
    twisted = strain(acid)
    assert twisted.local > 0.5
    assert twisted.total is not None
    assert twisted.total >= twisted.local
    assert replace(strain(acid), seconds=0.0) == replace(twisted, seconds=0.0)


def test_an_extended_zwitterion_is_not_called_strained() -> None:
    # gamma-aminobutyric acid: in vacuum it folds onto itself and its open form looks 40 kcal/mol worse.
    mol = embedded("[NH3+]CCCC(=O)[O-]", relaxed=False)
    for atoms in ((0, 1, 2, 3), (1, 2, 3, 4)):
        rdMolTransforms.SetDihedralDeg(mol.GetConformer(), *atoms, 180.0)
    assert strain(mol).total < 10.0  # type: ignore[operator]
    field = rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, typed(mol, VACUUM))
    extended = field.CalcEnergy()
    field.Minimize(maxIts=5_000)
    assert extended - field.CalcEnergy() > 20.0


def test_strain_says_its_force_field_and_what_to_think() -> None:
    text = strain(embedded("CCCC"), conformers=0).text()
    assert "MMFF94s" in text
    assert "dielectric" in text
    assert "usual for a docked drug" in text
    assert "conformers" not in text
