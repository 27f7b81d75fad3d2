"""`tgsci molecules dock` on salts, files and long screens, and `tgsci molecules cache`, as typed."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rdkit import Chem

from tests.molecules.commands.typed import run
from tgsci.errors import UsageError

GROUPS = ("F", "Cl", "Br", "C", "N", "O", "CN", "CO", "NC(=O)", "N#C", "CS", "FC")
QUICK = ["--exhaustiveness", "1", "--max-evals", "1000", "--conformers", "1", "--workers", "1"]


def table(printed: str) -> list[list[str]]:
    return [line.split("\t") for line in printed.splitlines() if "\t" in line]


@pytest.mark.slow
def test_every_row_of_a_file_comes_back_with_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.csv").write_text("name,smiles,IC50\n=ethanol,OCC,5\nsalt,CCN.Cl,6\nagain,CCO,7\n")
    out = tmp_path / "out"
    assert run("dock", "--target", "ABL1", str(tmp_path / "in.csv"), "Cc1ccccc1", "--out", str(out), *QUICK) == 0
    printed = capsys.readouterr()
    header, *rows = table(printed.out)
    assert header == ["name", "SMILES", "vina (kcal/mol)", "QED", "loss", "seconds"]
    assert [row[:2] for row in rows] == [["'=ethanol", "CCO"], ["salt", "CCN"], ["again", "CCO"], ["", "Cc1ccccc1"]]
    assert rows[0][2] == rows[2][2]
    assert "salt: hydrogen chloride left out" in printed.err
    assert "again: the same molecule as line 2, =ethanol" in printed.err
    with (out / "scores.csv").open() as file:
        scores = list(csv.DictReader(file))
    assert [row["name"] for row in scores] == ["'=ethanol", "salt", "again", ""]
    assert scores[1]["notes"] == "hydrogen chloride left out"
    assert [row["IC50"] for row in scores] == ["5", "6", "7", ""]
    assert scores[2]["where it stood"] == "line 4"
    poses = list(Chem.SDMolSupplier(str(out / "poses.sdf")))
    assert len(poses) == 3
    assert (poses[0].GetProp("IC50"), poses[0].GetProp("name")) == ("5; 7", "=ethanol")
    assert "ATOM" in (out / "ABL1.pdb").read_text()


@pytest.mark.slow
def test_faults_of_a_file_stop_or_are_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.smi").write_text("CCO\nC1CC bad\n")
    with pytest.raises(UsageError, match=r"line 2 \(bad\).*unclosed ring[\s\S]*--skip-faults"):
        run("dock", "--target", "ABL1", str(tmp_path / "in.smi"), *QUICK)
    assert run("dock", "--target", "ABL1", str(tmp_path / "in.smi"), "--skip-faults", *QUICK) == 1
    printed = capsys.readouterr()
    assert [row[0] for row in table(printed.out)[1:]] == ["CCO"]
    assert "line 2 (bad)" in printed.err
    with pytest.raises(UsageError, match="there is no file"):
        run("dock", "--target", "ABL1", str(tmp_path / "none.sdf"), *QUICK)


@pytest.mark.slow
def test_what_was_docked_before_is_said_and_not_docked_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dock", "--target", "ABL1", "Fc1ccccc1C", *QUICK) == 0
    first = capsys.readouterr()
    assert run("dock", "--target", "ABL1", "Fc1ccccc1C", "FCC", *QUICK) == 0
    again = capsys.readouterr()
    assert "docked before" not in first.err
    assert "1 of 2 were docked before and come from the cache" in again.err
    assert table(again.out)[1][1] == table(first.out)[1][1]


@pytest.mark.slow
def test_the_full_setting_shows_both_scores(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dock", "--target", "ABL1", "FC(F)F", "--full", *QUICK) == 0
    header, row = table(capsys.readouterr().out)
    assert header[1:3] == ["vina (kcal/mol)", "vina, full (kcal/mol)"]
    assert float(row[2]) <= float(row[1]) + 0.4
    assert row[1].startswith("-")  # a figure is none that a spreadsheet would run


@pytest.mark.slow
def test_an_interrupted_screen_goes_on_where_it_stopped(tmp_path: Path) -> None:
    (tmp_path / "in.smi").write_text("\n".join(f"{group}c1ccccc1" for group in GROUPS))
    command = [sys.executable, "-m", "tgsci", "molecules", "dock", "--target", "ABL1", str(tmp_path / "in.smi"), *QUICK]
    command += ["--max-evals", "30000"]  # long enough to be interrupted among them
    environment = {**os.environ, "TGSCI_CACHE": str(tmp_path / "cache")}
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 120
    while _docked(tmp_path / "cache") < 2 and started.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 130, err
    assert "of 12 are docked and kept; the same command goes on" in err
    assert "not docked" in out
    again = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert again.returncode == 0, again.stderr
    assert "of 12 were docked before and come from the cache" in again.stderr
    assert len(table(again.stdout)) == 13


def _docked(directory: Path) -> int:
    from tgsci_molecules.docking.cache import Cache

    cache = Cache(directory / "molecules.db")
    try:
        return cache.statistics().entries.get("docking", 0)
    finally:
        cache.close()
