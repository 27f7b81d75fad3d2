"""What a run leaves: an SVG for a page, a table that no spreadsheet executes, poses best first."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rdkit import Chem
from tgsci_molecules import DockingLoss, Settings, dock, svg
from tgsci_molecules.output import export

from tgsci.feedback import Feedback
from tgsci.trial import State, Trial, Trials


@pytest.fixture(scope="module")
def result() -> Any:
    quick = Settings(exhaustiveness=1, max_evals=2_000, conformers=1)
    loss = DockingLoss("ABL1", quick)
    sdf = dock("Cc1ccccc1", "ABL1", quick).sdf()
    worse = Feedback(1.0, "r", {"vina": -4.0, "QED": 0.5}, artifacts={"pose.sdf": sdf})
    better = Feedback(-2.0, "r", {"vina": -6.0, "QED": 0.6}, {"MW <= 300": 0.0}, {"pose.sdf": sdf.encode()})
    trials = [
        Trial(0, 0, "CC", state=State.ACCEPTED, feedback=worse),
        Trial(1, 1, "=cmd|'/c calc'!A1", reason="+1\n\t\x1b[31mline", state=State.INVALID, proposer="@rules"),
        Trial(2, 1, "CCC", reason="longer\n$$$$\n>  <x>", parent=0, edit="add", state=State.ACCEPTED, feedback=better),
        Trial(3, 1, "CCCC", state=State.FAILED, feedback=Feedback.failed("embedding: no")),
    ]
    return SimpleNamespace(trials=Trials(trials, loss), units=dict(loss.units))


def test_the_table_has_every_trial_best_first(result: Any, tmp_path: Path) -> None:
    table, _ = export(result, tmp_path)
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["number"] for row in rows] == ["2", "0", "1", "3"]
    assert [row["rank"] for row in rows] == ["1", "2", "", ""]
    assert rows[0]["vina (kcal/mol)"] == "-6"
    assert rows[0]["violation of MW <= 300"] == "0"
    assert rows[0]["parent"] == "0"
    assert rows[3]["loss"] == ""
    assert rows[3]["state"] == "failed"


def test_no_cell_is_a_formula_or_breaks_a_line(result: Any, tmp_path: Path) -> None:
    table, _ = export(result, tmp_path)
    with open(table, newline="") as file:
        bad = list(csv.DictReader(file))[2]
    assert bad["smiles"].startswith("'=cmd")
    assert bad["reason"] == "'+1 [31mline"
    assert bad["proposer"] == "'@rules"
    assert len(table.read_text().splitlines()) == 5


def test_the_poses_are_best_first_and_carry_their_figures(result: Any, tmp_path: Path) -> None:
    _, poses = export(result, tmp_path)
    records = list(Chem.SDMolSupplier(str(poses), removeHs=False))
    assert [r.GetProp("number") for r in records] == ["2", "0"]
    assert records[0].GetProp("vina (kcal/mol)") == "-6"
    assert records[0].GetProp("reason") == "longer $$$$ > <x>"
    assert all(r.GetNumConformers() for r in records)


def test_the_picture_stands_in_a_page() -> None:
    text = svg("Cc1ccccc1[C@H](F)Cl")
    assert text.startswith("<svg")
    assert ET.fromstring(text).tag.endswith("svg")
