"""A molecule on the pose of another: the common part stays, the rest grows, and Vina relaxes all of it in place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem

from tgsci.errors import MeasurementError
from tgsci_molecules import Settings, dock
from tgsci_molecules.docking.vina import Docking
from tgsci_molecules.molecule.common import common_part
from tgsci_molecules.molecule.smiles import canonical
from tgsci_molecules.pose import place as module
from tgsci_molecules.pose.place import place
from tgsci_molecules.target.targets import Target

QUICK = Settings(exhaustiveness=2, max_evals=2_000, conformers=1)
PARENT, CHILD = "CC(=O)Nc1ccc(O)cc1", "CC(=O)Nc1ccc(O)c(F)c1"
ABL1 = Target("ABL1")


@pytest.fixture(scope="module")
def parent() -> Docking:
    return dock(PARENT, ABL1, QUICK)


def test_a_molecule_in_its_own_pose_loses_nothing(parent: Docking) -> None:
    again = place(PARENT, parent.pose, ABL1, QUICK, parent)
    assert again is not None
    assert again.score <= parent.score + 0.002
    assert again.forms[0].smiles == parent.ligand.docked_smiles


@pytest.mark.parametrize(
    "smiles",
    [
        "CN1CCN(Cc2ccccc2)CC1",  # a protonated nitrogen is no stereocentre, though it has four neighbours
        "CC(O)C(N)c1ccccc1",  # open stereo: the pose shows one of four
        "NC(=N)c1ccc(CO)cc1",
        "C=CC=Cc1ccncc1",
    ],
)
def test_whatever_form_was_docked_its_own_pose_loses_nothing(smiles: str) -> None:
    settings = replace(QUICK, isomers=2)
    docking = dock(smiles, ABL1, settings)
    again = place(smiles, docking.pose, ABL1, settings, docking)
    assert again is not None
    assert again.score <= docking.score + 0.005
    assert again.ligand.docked_smiles == docking.ligand.docked_smiles


def test_a_child_lies_where_its_parent_lies(parent: Docking) -> None:
    child = place(CHILD, parent.pose, ABL1, QUICK, None)
    assert child is not None
    here, there = (Chem.RemoveHs(pose) for pose in (parent.pose, child.pose))
    xyz, other = (mol.GetConformer().GetPositions() for mol in (here, there))
    off = [np.sqrt(np.mean([((xyz[a] - other[b]) ** 2).sum() for a, b in pairs])) for pairs in common_part(here, there)]
    assert min(off) < 1.5
    assert child.score < 0
    assert child.ligand.smiles == CHILD


def test_the_same_arguments_give_the_same_pose(parent: Docking) -> None:
    first, second = (place(CHILD, parent.pose, ABL1, QUICK, None) for _ in range(2))
    assert first is not None
    assert second is not None
    assert (first.score, first.pose_pdbqt) == (second.score, second.pose_pdbqt)


def test_nothing_is_placed_where_little_is_common_or_there_is_no_pose(parent: Docking) -> None:
    assert place("CCCCC", parent.pose, ABL1, QUICK, None) is None
    assert place(CHILD, Chem.MolFromSmiles(PARENT), ABL1, QUICK, None) is None


def test_what_preparation_raises_is_that_molecules_failure(parent: Docking, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (MeasurementError("atom typing"), Chem.KekulizeException("c1"), RuntimeError("Pre-condition")):

        def refuse(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(module, "ready", refuse)
        assert place(CHILD, parent.pose, ABL1, QUICK, None) is None


@pytest.mark.parametrize(
    ("parent_smiles", "child"),
    [
        ("N#Cc1ccc(C(=O)NCc2cccc3c2CCC3)cc1", "N#Cc1ccc(C(=O)NCc2ccc(F)c3c2CCC3)cc1"),
        ("N#Cc1ccc(C(=O)NCc2cccc3c2CCC3)cc1", "N#Cc1ccc(C(=O)NCc2c(C)ccc3c2CCC3)cn1"),
        ("O=C(Nc1cccc2c1CCC2)C1CCCCC1", "O=C(Nc1cccc2c1CCC2)C1CCC(F)CC1"),
    ],
)
def test_nearly_all_atoms_given_is_no_reason_to_find_no_shape(parent_smiles: str, child: str) -> None:
    docking = dock(parent_smiles, ABL1, QUICK)
    placed = place(canonical(child), docking.pose, ABL1, QUICK, docking)
    assert placed is not None
    assert placed.score < 0


@pytest.mark.parametrize(
    ("parent_smiles", "child"),
    [
        ("C[C@H](O)c1ccc(O)cc1", "C[C@@H](O)c1ccc(O)cc1"),
        ("C[C@H](O)c1ccc(O)cc1", "C[C@@H](O)c1ccc(O)c(F)c1"),
        ("C/C(F)=C/c1ccncc1", "C/C(F)=C\\c1ccncc1"),
    ],
)
def test_the_isomer_of_a_child_stays_its_own_in_its_parents_pose(parent_smiles: str, child: str) -> None:
    docking = dock(parent_smiles, ABL1, QUICK)
    smiles = canonical(child)
    placed = place(smiles, docking.pose, ABL1, QUICK, None)
    assert placed is not None
    assert placed.ligand.docked_smiles == smiles
    in_space = Chem.Mol(placed.pose)
    Chem.AssignStereochemistryFrom3D(in_space)
    assert Chem.MolToSmiles(Chem.RemoveHs(in_space)) == smiles


@pytest.mark.slow
def test_a_stiff_core_of_many_centres_is_laid_onto_its_parent() -> None:
    parent_smiles = canonical("C[C@]12CC[C@H]3[C@@H](CCc4cc(O)ccc43)[C@@H]1CC[C@@H]2O")
    docking = dock(parent_smiles, ABL1, QUICK)
    child = canonical("C[C@]12CC[C@H]3[C@@H](CCc4cc(O)ccc43)[C@@H]1CC[C@@]2(C)O")
    placed = place(child, docking.pose, ABL1, QUICK, docking)
    assert placed is not None
    here, there = (Chem.RemoveHs(pose) for pose in (docking.pose, placed.pose))
    xyz, other = (mol.GetConformer().GetPositions() for mol in (here, there))
    off = [np.sqrt(np.mean([((xyz[a] - other[b]) ** 2).sum() for a, b in pairs])) for pairs in common_part(here, there)]
    assert min(off) < 1.5
