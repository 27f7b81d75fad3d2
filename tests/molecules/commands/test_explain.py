"""`tgsci molecules explain`, as typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from tests.molecules.commands.typed import run
from tgsci.errors import UsageError
from tgsci_molecules import Settings, dock

QUICK = ["--exhaustiveness", "1", "--max-evals", "1000", "--conformers", "1"]
POSES = Path(__file__).parents[1] / "pose" / "poses.pdbqt"


@pytest.fixture(scope="module")
def sdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("poses") / "poses.sdf"
    quick = Settings(exhaustiveness=1, max_evals=1_000, conformers=1)
    path.write_text("".join(dock(smiles, "ABL1", quick).sdf() for smiles in ("Oc1ccccc1", "CC(=O)NC")))
    return path


@pytest.mark.slow
def test_it_docks_and_prints_the_page_with_properties_and_alerts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "--target", "abl1", "Oc1ccccc1", "[O-]c1ccccc1.[Na+]", "C1=C2CC1C2", "CC=NC", *QUICK) == 1
    said = capsys.readouterr()
    assert said.out.count("POSE in ABL1: vina ") == said.out.count("PROPERTIES QED ") == 2
    assert "ALERTS (PAINS, BRENK, UNSTABLE): none." in said.out
    assert "None above the usual limits of oral drugs (MW 500, cLogP 5" in said.out
    assert "Docked as written in a box of 22 x 22 x 22 A, exhaustiveness 1, 1000 evaluations each, seed 1" in said.out
    assert "BRENK imine_1: C=N at C2, N3" in said.out
    assert "'C1=C2CC1C2': " in said.err
    assert "Oc1ccccc1: sodium ion left out" in said.err


@pytest.mark.slow
def test_the_page_says_which_form_was_docked_and_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "--target", "ABL1", "CC(O)CN", *QUICK) == 0
    said = capsys.readouterr().out
    assert re.search(r"^DOCKED AS C\[C@@?H\]\(O\)C\[NH3\+\]$", said, re.MULTILINE)
    assert "Stereo undefined: stereocentre C2. Docked: both isomers" in said
    assert "Docked in a box of" in said


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str], sdf: Path) -> None:
    assert run("explain", "--target", "ABL1", "--pose", str(sdf), "--json") == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["smiles"], second["smiles"]) == ("Oc1ccccc1", "CNC(C)=O")
    assert {a["index"] for a in first["atoms"]} == set(range(7))


def test_a_pose_is_explained_where_it_lies(capsys: pytest.CaptureFixture[str], sdf: Path, tmp_path: Path) -> None:
    assert run("explain", "--target", "ABL1", "--pose", str(sdf)) == 0
    said = [float(figure) for figure in re.findall(r"vina (-?\d+\.\d+) kcal/mol =", capsys.readouterr().out)]
    scores = [float(mol.GetProp("vina_kcal_per_mol")) for mol in Chem.SDMolSupplier(str(sdf))]
    assert said == pytest.approx(scores, abs=0.03)
    pdbqt = tmp_path / "vina.pdbqt"
    pdbqt.write_text(POSES.read_text().split("ENDMDL")[0] + "ENDMDL\n")
    assert run("explain", "--target", "ABL1", "--pose", str(pdbqt)) == 0
    assert "POSE in ABL1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "either molecules to dock as SMILES, or --pose"),
        (["CCO", "--pose", "x.sdf"], "either molecules"),
        (["C1CC", "Oc1ccccc1.Nc1ccccc1"], r"unclosed ring[\s\S]*two molecules[\s\S]*Nothing was docked"),
        (["--pose", "nowhere.sdf"], "cannot read 'nowhere.sdf'"),
    ],
)
def test_bad_input_is_refused_before_any_work(words: list[str], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        run("explain", "--target", "ABL1", *words)


def test_files_that_are_no_poses_are_refused(tmp_path: Path, sdf: Path) -> None:
    def refused(name: str, text: str, target: str = "ABL1") -> str:
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError) as error:
            run("explain", "--target", target, "--pose", str(tmp_path / name))
        return str(error.value)

    assert "no .sdf and no .pdbqt" in refused("pose.txt", "x")
    assert "holds no molecule" in refused("empty.sdf", "")
    assert "record 1" in refused("broken.sdf", "x\ny\nz\n  1  0  0 nonsense\n$$$$\n")
    flat = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    assert "pose 1: the pose has no coordinates in space" in refused("flat.sdf", flat + "$$$$\n")
    assert "no REMARK SMILES" in refused("bare.pdbqt", "ATOM      1  C   UNL     1       1.0\n")
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    rdDistGeom.EmbedMolecule(mol, randomSeed=1)
    assert "outside the box of JAK2" in refused("elsewhere.sdf", Chem.MolToMolBlock(mol) + "$$$$\n", "JAK2")
    salt = Chem.CombineMols(mol, mol)
    assert "2 parts" in refused("salt.sdf", Chem.MolToMolBlock(salt) + "$$$$\n")
