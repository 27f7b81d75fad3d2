"""Refinement, strain and the check on finalists, with real poses in real receptors."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers, rdMolTransforms
from rdkit.Geometry import Point3D

from tgsci.cli.main import main
from tgsci.compute.workers import WorkerPool
from tgsci.errors import MeasurementError
from tgsci_molecules import Docking, Settings, Target, dock
from tgsci_molecules.physics import check, refine, strain, strain_of
from tgsci_molecules.physics.geometry import faults
from tgsci_molecules.physics.mmff import KCAL, VACUUM, typed
from tgsci_molecules.physics.receptor import Receptor, ligand_spheres, receptor
from tgsci_molecules.physics.refine import POCKET, Pair, refine_pose, rmsd_in_place
from tgsci_molecules.physics.strain import SOLVENT

PARACETAMOL = "CC(=O)Nc1ccc(O)cc1"
QUICK = Settings(exhaustiveness=2, max_evals=4_000, conformers=1)


@pytest.fixture(scope="module")
def abl1() -> Target:
    return Target("ABL1")


@pytest.fixture(scope="module")
def docking(abl1: Target) -> Docking:
    return dock(PARACETAMOL, abl1, QUICK)


def shifted(mol: Chem.Mol, by: tuple[float, float, float]) -> Chem.Mol:
    moved = Chem.Mol(mol)
    moved.GetConformer().SetPositions(mol.GetConformer().GetPositions() + np.array(by))
    return moved


def embedded(smiles: str, relaxed: bool = True) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=5) == 0
    if relaxed:
        rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, typed(mol, SOLVENT)).Minimize(maxIts=5_000)
    return mol


# The receptor


def test_the_receptor_has_all_hydrogens_whole_charge_and_keeps_the_files_polar_ones(abl1: Target) -> None:
    found = receptor(abl1)
    assert found.elements.count("H") > found.elements.count("C")
    assert "Met318" in found.residues
    protein = [charge for charge, name in zip(found.charges, found.residues, strict=True) if name not in found.others]
    assert sum(protein) == pytest.approx(round(sum(protein)), abs=1e-3)
    lines = [line for line in abl1.receptor.read_text().splitlines() if line[77:].strip() == "HD"]
    given = np.array([[float(line[n : n + 8]) for n in (30, 38, 46)] for line in lines])
    nearest = np.linalg.norm(given[:, None] - found.positions[None], axis=-1).min(1)
    assert (nearest < 1e-3).mean() > 0.95  # the rest: ends of chains that were cut


def test_a_metal_is_in_the_receptor_and_said_to_be_generic() -> None:
    found = receptor(Target("CA2"))
    zinc = found.elements.index("Zn")
    assert found.residues[zinc] in found.others
    assert found.charges[zinc] > 0
    near = np.flatnonzero(np.linalg.norm(found.positions - found.positions[zinc], axis=1) < 2.4)
    bound = [found.residues[i] for i in near]
    assert {"His94", "His96", "His119"} <= set(bound)


def test_a_receptor_that_is_damaged_is_a_known_failure(abl1: Target, tmp_path) -> None:
    unknown = "HETATM    1  X   UNL     1       0.000   0.000   0.000  1.00  0.00     0.000 Xx"
    for number, text in enumerate(["", "ATOM      1  N   VAL     7      61.1 x", unknown]):
        path = tmp_path / f"{number}.pdbqt"
        path.write_text(text)
        broken = replace(abl1)
        object.__setattr__(broken, "receptor", path)
        object.__setattr__(broken, "sha256", f"broken {number}")
        with pytest.raises(MeasurementError, match="force field"):
            receptor(broken)


# Refinement


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


def test_two_processes_refine_alike(docking: Docking, abl1: Target) -> None:
    here = refine(docking, abl1)
    with WorkerPool(1) as pool:
        there = pool.submit(check, docking.pose, abl1).result()
    assert there.refined is not None
    assert there.refined.interaction == here.interaction
    assert there.figures["strain"] == strain_of(docking)
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
    for measure in (strain, lambda pose: refine_pose(pose, abl1)):
        with pytest.raises(MeasurementError, match="MMFF94 has no parameters"):
            measure(mol)
    bare = Chem.RemoveHs(embedded("CCO"))
    with pytest.raises(MeasurementError, match="hydrogens are missing"):
        strain(bare)
    with pytest.raises(MeasurementError, match="no three-dimensional"):
        strain(Chem.AddHs(Chem.MolFromSmiles("CCO")))


def test_spheres_follow_the_surroundings_of_an_atom() -> None:
    radii, depths = ligand_spheres(embedded("CC(=O)OC"))
    mol = embedded("CC(=O)OC")
    oxygens = [a.GetIdx() for a in mol.GetAtoms() if a.GetSymbol() == "O"]
    assert [round(float(radii[i]), 4) for i in oxygens] == [1.6612, 1.6837]  # carbonyl, ester
    methyls = [float(radii[a.GetIdx()]) for a in mol.GetAtoms() if a.GetSymbol() == "H"]
    assert sorted(set(methyls)) == [1.387, 1.487]  # on O-CH3, on C-CH3
    assert (depths > 0).all()


# Strain


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


# The check


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


def test_the_check_gives_figures_and_words(docking: Docking, abl1: Target) -> None:
    found = check(docking.pose, abl1, docking.ligand.smiles)
    assert found.concerns == ()
    assert found.verdict == "nothing speaks against it"
    assert set(found.figures) == {"strain", "refined strain", "refined interaction", "refined RMSD"}
    assert found.figures["strain"] == strain_of(docking)
    assert found.text.startswith("CHECK of the pose: nothing speaks against it.")
    assert len(found.text.splitlines()) <= 12


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    code = "import sys, tgsci_molecules.physics; print({'openmm', 'pdbfixer', 'vina', 'meeko'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


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
