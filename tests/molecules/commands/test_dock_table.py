"""`tgsci molecules dock`, as typed: its table, its files, and what is refused before the first docking."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from rdkit import Chem

from tests.molecules.commands.typed import run
from tgsci.errors import UsageError

QUICK = ["--exhaustiveness", "1", "--max-evals", "2000", "--conformers", "1", "--workers", "1"]


@pytest.mark.slow
def test_dock_prints_a_table_and_writes_poses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "directory"
    assert run("dock", "--target", "abl1", "OCC", "Cc1ccccc1", "--out", str(out), *QUICK) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split("\t") == ["SMILES", "vina (kcal/mol)", "QED", "loss", "seconds"]
    assert [row.split("\t")[0] for row in rows[:2]] == ["CCO", "Cc1ccccc1"]
    assert all(float(row.split("\t")[1]) < 0 for row in rows[:2])
    poses = Chem.SDMolSupplier(str(out / "poses.sdf"))
    assert [mol.GetProp("smiles") for mol in poses] == ["CCO", "Cc1ccccc1"]


@pytest.mark.slow
def test_the_enantiomer_that_counts_of_a_racemate_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.smi").write_text("C[C@@H](O)CC |&1:1| racemate\nCCO ethanol\n")
    out = tmp_path / "out"
    assert run("dock", "--target", "ABL1", str(tmp_path / "in.smi"), "--out", str(out), *QUICK) == 0
    with (out / "scores.csv").open() as file:
        racemate, ethanol = csv.DictReader(file)
    assert racemate["SMILES"] == "CCC(C)O"
    assert racemate["isomer"] in ("CC[C@@H](C)O", "CC[C@H](C)O")
    assert ethanol["isomer"] == ""


@pytest.mark.slow
def test_one_failure_is_a_row_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dock", "--target", "ABL1", "C1=C2CC1C2", "CCO", "--report", *QUICK) == 1
    printed = capsys.readouterr().out
    assert "failed" in printed
    assert "embedding: no three-dimensional shape" in printed
    assert "LOSS " in printed


def test_all_input_is_checked_before_anything_is_docked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"C1CC.*unclosed ring[\s\S]*two molecules[\s\S]*Nothing was docked"):
        run("dock", "--target", "ABL1", "CCO", "C1CC", "CCCCCN.CCCCCO", "--out", str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()
    with pytest.raises(UsageError, match="did you mean ABL1"):
        run("dock", "--target", "ABLX", "CCO")


def test_a_directory_that_cannot_be_made_is_said_before_docking(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write to"):
        run("dock", "--target", "ABL1", "CCO", "--out", str(tmp_path / "file"))
