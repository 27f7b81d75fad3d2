"""What a run leaves: a table that explains itself and that no spreadsheet executes, poses best first, the protein."""

from __future__ import annotations

import csv
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rdkit import Chem

from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial, Trials
from tgsci.show.tables import cell
from tgsci_molecules import DockingLoss, Settings, Target, dock, svg
from tgsci_molecules.preparation.repair import receptor_pdb
from tgsci_molecules.views import export
from tgsci_molecules.views.cells import figure, tag, tag_value
from tgsci_molecules.views.poses import with_tags
from tgsci_molecules.views.receptors import numbered

QUICK = Settings(exhaustiveness=1, max_evals=1_000, conformers=1, box=14.0)


@pytest.fixture(scope="module")
def result() -> Any:
    loss = DockingLoss("ABL1", QUICK)
    sdf = dock("Cc1ccccc1", "ABL1", QUICK).sdf({"loss": "99.000", "QED": "0.111"})
    figures = {"vina": -4.0, "QED": 0.5, "MW": 92.14123, "HBD": 0.0}
    better = {"vina": -12.0, "QED": 0.61237, "MW": 376.4561, "HBD": 2.0}
    trials = [
        Trial(0, 0, "CC", state=State.ACCEPTED, feedback=Feedback(1.0, "r", figures, artifacts={"pose.sdf": sdf})),
        Trial(1, 1, "=cmd|'/c calc'!A1", reason="+1\n\t\x1b[31mline", state=State.INVALID, proposer="@rules"),
        Trial(
            2,
            1,
            "CCC",
            reason="longer\n$$$$\n>  <x>",
            parent=0,
            edit="$$$$",
            state=State.ACCEPTED,
            feedback=Feedback(-2.0, "r", better, {"MW <= 300": 76.4561}, {"pose.sdf": sdf.encode()}),
        ),
        Trial(3, 1, "CCCC", state=State.FAILED, feedback=Feedback.failed("embedding: no")),
    ]
    again = Feedback(-1.5, "r", {"vina": -11.5, "QED": 0.61237}, {"MW <= 300": 76.5}, {"pose.sdf": sdf})
    return SimpleNamespace(
        trials=Trials(trials, loss),
        units=dict(loss.units),
        loss=loss,
        problem=SimpleNamespace(loss=loss),
        header={
            "loss": loss.name,
            "config": {
                "names": {"CC": "ethane", "CCC": "=2+5\n\x1b[3mlead"},
                "tags": {"CC": {"IC50 (nM)": "12", "Loss": "=1"}},
            },
        },
        finals={2: again},
    )


@pytest.fixture(scope="module")
def files(result: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    written = export(result, directory)
    assert {path.name for path in written} == {path.name for path in directory.iterdir()}
    return directory


def test_pandas_reads_the_table_best_first(files: Path) -> None:
    table = pd.read_csv(files / "molecules.csv")
    assert table["number"].tolist() == [0, 2, 1, 3]  # trial 2 has the lower loss, and breaks a limit
    assert table["vina (kcal/mol)"].tolist()[:2] == [-4.0, -12.0]
    assert table["MW (g/mol)"][1] == 376.456
    assert table["violation of MW <= 300"][1] == 76.456
    assert table["finalist vina (kcal/mol)"].tolist()[1] == -11.5
    assert table["finalist vina (kcal/mol)"].isna().sum() == 3
    assert table["state"].tolist()[2:] == ["invalid", "failed"]
    assert (
        table["finalist verdict"][1]
        == "0.5 kcal/mol worse than the fast search found: trust the pose of the lower figure"
    )
    assert table["finalist limits broken"][1] == "MW <= 300 by 76.5"
    assert "finalist QED" not in table.columns  # docking does not change it
    assert table["docked as"][0] == "Cc1ccccc1"
    assert table["name"].tolist()[:2] == ["ethane", "'=2+5 [3mlead"]
    assert table["name"].isna().tolist()[2:] == [True, True]


def test_what_the_start_file_says_is_in_the_table_and_in_the_poses(files: Path) -> None:
    with (files / "molecules.csv").open() as file:
        rows = {row["smiles"]: row for row in csv.DictReader(file)}
    assert rows["CC"]["IC50 (nM)"] == "12"
    assert rows["CC"]["Loss (in the file)"] == "'=1"
    assert rows["CCC"]["IC50 (nM)"] == ""
    poses = {mol.GetProp("number"): mol for mol in Chem.SDMolSupplier(str(files / "poses.sdf"))}
    assert poses["0"].GetProp("IC50_nM") == "12"
    assert poses["0"].GetProp("loss") == "1.0"
    assert not poses["2"].HasProp("IC50_nM")


def test_tags_are_added_to_a_record_and_hide_none(result: Any) -> None:
    record = dock("Cc1ccccc1", "ABL1", QUICK).sdf({"QED": "0.111"})
    written = with_tags(record, {"IC50 (nM)": "12", "QED": "0.9", "empty": "", "odd": "$$$$"})
    supplier = Chem.SDMolSupplier()
    supplier.SetData(written)
    (mol,) = supplier
    assert (mol.GetProp("IC50_nM"), mol.GetProp("QED"), mol.GetProp("QED_in_the_file")) == ("12", "0.111", "0.9")
    assert not mol.HasProp("empty")
    assert with_tags("", {"a": "b"}) == ""


def test_figures_keep_their_places_and_counts_have_none(files: Path) -> None:
    with open(files / "molecules.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["vina (kcal/mol)"] == "-12.0"
    assert rows[1]["HBD"] == "2"
    assert rows[3]["loss"] == ""


def test_every_column_is_explained(files: Path) -> None:
    with open(files / "molecules.csv", newline="") as file:
        columns = next(csv.reader(file))
    sheet = pd.read_csv(files / "molecules-columns.csv", keep_default_na=False).set_index("column")
    assert sheet.index.tolist() == columns
    assert (sheet["meaning"].str.len() > 3).all()
    assert sheet.loc["vina (kcal/mol)", "unit"] == "kcal/mol"
    assert sheet.loc["vina (kcal/mol)", "better"] == "lower"
    assert sheet.loc["QED", "better"] == "higher"
    assert sheet.loc["MW (g/mol)", "better"] == ""
    assert sheet.loc["violation of MW <= 300", "kind"] == "limit"
    assert sheet.loc["finalist vina (kcal/mol)", "kind"] == "finalist"


def test_a_transformed_figure_stands_beside_the_raw_one(tmp_path: Path) -> None:
    from tgsci_molecules.objective import Objective, Term, Transform

    fit = Transform("reverse_sigmoid", low=-12.0, high=-6.0)
    loss = Objective("ABL1", [Term("vina", fit), Term("QED")], aggregate="geometric_mean", settings=QUICK)
    feedback = loss.measure("Cc1ccccc1")
    trials = Trials([Trial(0, 0, "Cc1ccccc1", state=State.ACCEPTED, feedback=feedback)], loss)
    problem = SimpleNamespace(loss=loss)
    result: Any = SimpleNamespace(trials=trials, units=loss.units, loss=loss, problem=problem, header={}, finals={})
    export(result, tmp_path)
    table = pd.read_csv(tmp_path / "molecules.csv")
    sheet = pd.read_csv(tmp_path / "molecules-columns.csv", keep_default_na=False).set_index("column")
    assert 0.0 < table["vina (term)"][0] < 1.0
    assert sheet.loc["vina (term)", ["kind", "better"]].tolist() == ["transformed", "higher"]
    assert sheet.loc["vina (kcal/mol)", "kind"] == "raw"


def test_an_off_target_is_bound_the_better_the_weaker(tmp_path: Path) -> None:
    from tgsci_molecules.objective import Objective, Term

    loss = Objective(["JAK2", "LCK", "KIT"], [Term("vina"), Term("LCK vina", weight=-0.5)])
    figures = dict.fromkeys(loss.metrics, 1.0)
    trials = Trials([Trial(0, 0, "CC", state=State.ACCEPTED, feedback=Feedback(1.0, "r", figures))], loss)
    problem = SimpleNamespace(loss=loss)
    result: Any = SimpleNamespace(trials=trials, units=loss.units, loss=loss, problem=problem, header={}, finals={})
    export(result, tmp_path)
    sheet = pd.read_csv(tmp_path / "molecules-columns.csv", keep_default_na=False).set_index("column")
    assert [sheet.loc[f"{name} vina (kcal/mol)", "better"] for name in ("JAK2", "LCK", "KIT")] == [
        "lower",
        "higher",
        "",
    ]
    assert sheet.loc["JAK2 LE (kcal/mol per heavy atom)", "better"] == "higher"
    assert sheet.loc["LCK LE (kcal/mol per heavy atom)", "better"] == ""


def test_no_cell_is_a_formula_or_breaks_a_line(files: Path) -> None:
    with open(files / "molecules.csv", newline="") as file:
        bad = list(csv.DictReader(file))[2]
    assert bad["smiles"].startswith("'=cmd")
    assert bad["reason"] == "'+1 [31mline"
    assert bad["proposer"] == "'@rules"
    assert len((files / "molecules.csv").read_text().splitlines()) == 5


def test_the_poses_are_best_first_and_carry_each_figure_once(files: Path) -> None:
    records = list(Chem.SDMolSupplier(str(files / "poses.sdf"), removeHs=False))
    assert [r.GetProp("number") for r in records] == ["0", "2"]
    assert records[1].GetProp("vina_kcal_per_mol") == "-12.0"
    assert records[1].GetProp("QED") == "0.6124"
    assert records[1].GetProp("limits_broken") == "MW <= 300 by 76.456"
    assert records[1].GetProp("reason") == "longer $$$$ > <x>"
    assert records[1].GetProp("edit") == "'$$$$"
    assert records[0].GetProp("name") == "ethane"
    assert records[1].GetProp("_Name") == "trial_2"
    assert records[1].GetProp("target") == "ABL1"
    assert all(r.GetNumConformers() for r in records)
    names = re.findall(r"^>  <(.*)>$", (files / "poses.sdf").read_text(), re.MULTILINE)
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", name) for name in names)
    assert [name for name in names if "vina" in name] == ["vina_kcal_per_mol"] * 2


def test_a_finalist_has_both_scores(files: Path) -> None:
    (record,) = Chem.SDMolSupplier(str(files / "finalists.sdf"))
    assert record.GetProp("vina_kcal_per_mol") == "-12.0"
    assert record.GetProp("finalist_vina_kcal_per_mol") == "-11.5"
    assert record.GetProp("finalist_loss") == "-1.5"
    assert record.GetProp("finalist_limits_broken") == "MW <= 300 by 76.5"


def test_a_run_without_finalists_has_no_file_of_them(result: Any, tmp_path: Path) -> None:
    written = export(SimpleNamespace(**{**vars(result), "finals": {}}), tmp_path)  # type: ignore[arg-type]
    assert [path.name for path in written] == ["molecules.csv", "molecules-columns.csv", "poses.sdf", "receptor.pdb"]


def test_the_receptor_lies_around_the_pose_with_uniprots_numbers(files: Path) -> None:
    protein = Chem.MolFromPDBFile(str(files / "receptor.pdb"), sanitize=False)
    pose = next(iter(Chem.SDMolSupplier(str(files / "poses.sdf"))))
    names = {
        (a.GetPDBResidueInfo().GetResidueName(), a.GetPDBResidueInfo().GetResidueNumber()) for a in protein.GetAtoms()
    }
    assert {("THR", 315), ("MET", 318), ("ASP", 381)} <= names
    near = [
        (place - other).Length()
        for place in map(pose.GetConformer().GetAtomPosition, range(pose.GetNumAtoms()))
        for other in map(protein.GetConformer().GetAtomPosition, range(protein.GetNumAtoms()))
    ]
    assert 1.5 < min(near) < 4.5


@pytest.mark.parametrize("name", ["ABL1", "DRD2", "PGR"])
def test_renumbering_moves_no_atom(name: str) -> None:
    target = Target(name)
    before = receptor_pdb(target)
    after = numbered(before, target)
    atoms = [[line for line in text.splitlines() if line.startswith(("ATOM", "HETATM"))] for text in (before, after)]
    assert [line[30:] for line in atoms[0]] == [line[30:] for line in atoms[1]]
    assert [line[:21] for line in atoms[0]] == [line[:21] for line in atoms[1]]
    assert len({line[12:27] for line in atoms[1]}) == len({line[12:27] for line in atoms[0]})


def test_several_targets_have_a_receptor_each(result: Any, tmp_path: Path) -> None:
    loss = SimpleNamespace(targets=(Target("JAK2"), Target("LCK")))
    several = SimpleNamespace(**{**vars(result), "finals": {}, "loss": loss, "problem": SimpleNamespace(loss=loss)})
    written = {path.name for path in export(several, tmp_path)}  # type: ignore[arg-type]
    assert {"JAK2.receptor.pdb", "LCK.receptor.pdb"} <= written


def test_a_run_of_another_loss_is_exported_without_a_receptor(result: Any, tmp_path: Path) -> None:
    trials = Trials(list(result.trials), None)
    other = SimpleNamespace(trials=trials, units={}, loss=trials.loss, problem=None, header={}, finals={})
    written = [path.name for path in export(other, tmp_path)]  # type: ignore[arg-type]
    assert written == ["molecules.csv", "molecules-columns.csv", "poses.sdf"]


def test_the_picture_stands_in_a_page() -> None:
    text = svg("Cc1ccccc1[C@H](F)Cl")
    assert text.startswith("<svg")
    assert ET.fromstring(text).tag.endswith("svg")


@pytest.mark.parametrize(
    ("value", "text"),
    [(-12.0, "-12.0"), (376.4561, "376.456"), (0.61237, "0.6124"), (-0.0, "0.0"), (-9.87654, "-9.877"), (None, "")],
)
def test_a_figure_is_written_as_it_is_read(value: float | None, text: str) -> None:
    assert figure(value) == text


@given(st.text())
@example("-0")
@example("-4.6 Gy")
@example("-A1")
def test_no_text_begins_a_formula_a_tag_or_a_record(text: str) -> None:
    # A sign may begin a number, which a spreadsheet takes as one: "-0" stays as it is.
    assert not cell(text).startswith(("=", "+", "-", "@")) or math.isfinite(float(cell(text).split()[0]))
    assert not tag_value(text).startswith((">", "$$$$"))
    assert len(tag_value(text).splitlines()) <= 1
    assert re.fullmatch(r"[A-Za-z0-9_]+", tag(text))
