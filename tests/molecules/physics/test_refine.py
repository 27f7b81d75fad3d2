"""Refinement: a good pose holds, a disturbed one comes back, and what is no pose is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from tests.molecules.conformers import embedded, shifted
from tgsci.cli.main import main
from tgsci.compute.workers import WorkerPool
from tgsci.errors import MeasurementError
from tgsci_molecules import Docking, Target
from tgsci_molecules.physics import check, refine, strain, strain_of
from tgsci_molecules.physics.mmff import KCAL, typed
from tgsci_molecules.physics.receptor import receptor
from tgsci_molecules.physics.refine import POCKET, Pair, refine_pose, rmsd_in_place
from tgsci_molecules.physics.strain import SOLVENT


@pytest.mark.slow
def test_openmm_and_the_residue_table_have_the_same_energy(docking: Docking, abl1: Target) -> None:
    import openmm

    mol = docking.pose
    places = np.array(mol.GetConformer().GetPositions())
    pocket = receptor(abl1).near(places, POCKET)
    pair = Pair(mol, typed(mol, SOLVENT), pocket)
    system = openmm.System()
    for _ in range(len(places) + len(pocket)):
        system.addParticle(1.0)
    system.addForce(pair.force())
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(np.vstack([places, pocket.positions]) / 10)
    energy = context.getState(energy=True).getPotentialEnergy()._value / KCAL
    assert pair.energies(places)[0].sum() == pytest.approx(energy, rel=1e-5)


def test_refinement_lowers_the_energy_and_a_good_pose_holds(docking: Docking, abl1: Target) -> None:
    found = refine(docking, abl1)
    assert found.interaction < -15
    assert found.interaction_before < -15
    assert 0 < found.rmsd < 1.0
    assert found.held
    assert sum(found.residues.values()) == pytest.approx(found.interaction)
    assert found.strain >= 0
    assert Chem.CanonSmiles(Chem.MolToSmiles(Chem.RemoveHs(found.pose))) == Chem.CanonSmiles(
        docking.ligand.docked_smiles
    )
    again = refine(docking, abl1)
    assert np.array_equal(again.pose.GetConformer().GetPositions(), found.pose.GetConformer().GetPositions())
    text = found.text()
    assert "the pose held" in text
    assert "MMFF94s" in text
    assert "Amber ff14SB" in text
    assert "not a binding free energy" in text
    assert text.count("\n") < 8


def test_a_disturbed_pose_comes_back(docking: Docking, abl1: Target) -> None:
    found = refine(docking, abl1)
    back = refine_pose(shifted(found.pose, (0.15, -0.1, 0.1)), abl1)
    assert back.interaction == pytest.approx(found.interaction, abs=1.5)
    assert rmsd_in_place(back.pose, found.pose) < 0.3


def test_a_pose_outside_or_inside_the_protein_is_no_pose(docking: Docking, abl1: Target) -> None:
    with pytest.raises(MeasurementError, match="not in the receptor"):
        refine_pose(shifted(docking.pose, (300.0, 0.0, 0.0)), abl1)
    middle = receptor(abl1).positions.mean(axis=0) - docking.pose.GetConformer().GetPositions().mean(axis=0)
    found = check(shifted(docking.pose, middle), abl1)
    assert found.verdict.startswith(found.concerns[0])
    assert any(" A from " in concern for concern in found.concerns)


@pytest.mark.slow
def test_two_processes_refine_alike(docking: Docking, abl1: Target) -> None:
    here = refine(docking, abl1)
    with WorkerPool(1) as pool:
        there = pool.submit(check, docking.pose, abl1).result()
    assert there.refined is not None
    assert there.refined.interaction == here.interaction
    assert there.figures["strain"] == pytest.approx(strain_of(docking), abs=5e-4)  # rounded there
    # RDKit sends coordinates between processes in single precision.
    assert np.allclose(there.refined.pose.GetConformer().GetPositions(), here.pose.GetConformer().GetPositions(), 1e-6)


def test_symmetric_atoms_do_not_count_as_moved() -> None:
    mol = embedded("c1ccccc1C(=O)[O-]")
    turned = Chem.Mol(mol)
    ends = [a.GetIdx() for a in mol.GetAtoms() if a.GetSymbol() == "O"]
    for one, two in (ends, ends[::-1]):
        turned.GetConformer().SetAtomPosition(one, mol.GetConformer().GetAtomPosition(two))
    assert rmsd_in_place(turned, mol) == pytest.approx(0.0, abs=1e-6)
    assert rmsd_in_place(shifted(mol, (2.0, 0.0, 0.0)), mol) > 1.0


def test_without_parameters_there_is_no_figure(abl1: Target) -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("OB(O)c1ccccc1"))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=5) == 0
    with pytest.raises(MeasurementError, match="MMFF94 has no parameters"):
        refine_pose(mol, abl1)
    found = strain(mol, 3)
    assert found.force_field.startswith("UFF")
    assert found.total is not None
    assert 0 <= found.local <= found.total + 1e-6 < 100
    bare = Chem.RemoveHs(embedded("CCO"))
    with pytest.raises(MeasurementError, match="hydrogens are missing"):
        strain(bare)
    with pytest.raises(MeasurementError, match="no three-dimensional"):
        strain(Chem.AddHs(Chem.MolFromSmiles("CCO")))


@pytest.mark.slow
def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    code = "import sys, tgsci_molecules.physics; print({'openmm', 'pdbfixer', 'vina', 'meeko'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


@pytest.mark.slow
def test_the_command_refines_poses_of_a_file(
    docking: Docking, abl1: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poses, out = tmp_path / "poses.sdf", tmp_path / "refined.sdf"
    far = Chem.MolToMolBlock(shifted(docking.pose, (300.0, 0.0, 0.0)))
    poses.write_text(f"{docking.sdf().replace('ABL1', 'LCK')}far{far}$$$$\n")
    assert main(["molecules", "refine", "--target", "ABL1", "--pose", str(poses), "--out", str(out), "--report"]) == 1
    told = capsys.readouterr()
    assert "pose 2: could not be checked further: refinement: the pose is not in the receptor" in told.err
    assert "pose 1: its file says that it was docked into LCK, not ABL1" in told.err
    assert told.out.splitlines()[1].split("\t")[1] == docking.ligand.docked_smiles
    assert "the pose held" in told.out
    assert "CHECK of the pose: nothing speaks against it." in told.out
    assert told.out.splitlines()[1].endswith("\tnothing speaks against it")
    (record,) = Chem.SDMolSupplier(str(out), removeHs=False)
    assert float(record.GetProp("refined_interaction_kcal_per_mol")) < -15
    assert "MMFF94s" in record.GetProp("force_field")
    assert rmsd_in_place(record, refine(docking, abl1).pose) < 0.2
    assert main(["molecules", "refine", "--target", "ABL1", "--pose", str(tmp_path / "none.sdf")]) == 2
