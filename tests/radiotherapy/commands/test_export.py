"""`tgsci radiotherapy export`, as typed; and the files that a run leaves."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.radiotherapy.commands.typed import run
from tgsci.errors import UsageError
from tgsci_radiotherapy import NOTICE
from tgsci_radiotherapy.commands.dose import open_dose


@pytest.mark.slow
def test_the_files_say_what_the_plan_has(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pydicom

    names = {"rtdose": "d.dcm", "csv": "g.csv", "json": "g.json", "dvh": "d.png", "wash": "w.png"}
    words = [word for name, file in names.items() for word in (f"--{name}", tmp_path / file)]
    assert run("export", place / "run", *words) == 0
    assert NOTICE in capsys.readouterr().out
    plan = open_dose(place / "run")
    data = pydicom.dcmread(tmp_path / "d.dcm")
    assert data.Modality == "RTDOSE"
    assert (str(data.PatientName), str(data.PatientID)) != ("run", "run")
    cube = data.pixel_array * float(data.DoseGridScaling)
    assert cube == pytest.approx(plan.case.cube(plan.dose), abs=1e-4)
    goals = json.loads((tmp_path / "g.json").read_text())
    with (tmp_path / "g.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["value"]) for row in rows] == pytest.approx([g["value"] for g in goals["goals"]], rel=1e-5)
    assert {row["grid"] for row in rows} == {str(plan.case.grid)}
    with pytest.raises(UsageError, match="exists already"):
        run("export", place / "run", *words)


def test_nothing_is_written_where_a_word_is_wrong(place: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a file to write"):
        run("export", place / "run")
    with pytest.raises(UsageError, match="there is no directory"):
        run("export", place / "run", "--csv", tmp_path / "g.csv", "--rtdose", tmp_path / "no" / "d.dcm")
    with pytest.raises(UsageError, match="--patient-from goes with --rtdose"):
        run("export", place / "run", "--csv", tmp_path / "g.csv", "--patient-from", tmp_path / "x.dcm")
    with pytest.raises(UsageError, match="no sheet of goals is called"):
        run("export", place / "run", "--csv", tmp_path / "g.csv", "--goals", "nowhere")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "options"),
    [("export", ["rtdose", "csv", "json", "dvh", "wash"]), ("compare", ["dvh"]), ("evaluate", ["dvh", "wash"])],
)
def test_a_place_that_takes_no_file_is_named_before_any_work(
    place: Path, monkeypatch: pytest.MonkeyPatch, command: str, options: list[str]
) -> None:
    def none(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    inputs = ["nothing.json"] * (2 if command == "compare" else 1)  # would be named if it were looked at
    for option in options:
        with pytest.raises(UsageError, match=r"there is no directory .*no to write a\.png into"):
            run(command, *inputs, f"--{option}", place / "no" / "a.png")
        with pytest.raises(UsageError, match=r"a+ cannot be written"):
            run(command, *inputs, f"--{option}", place / f"{'a' * 300}.png")
        with monkeypatch.context() as patch:
            patch.setattr("tempfile.mkstemp", none)  # as in /proc
            with pytest.raises(UsageError, match=r"cannot write a\.png into the directory .*no file can be made"):
                run(command, *inputs, f"--{option}", place / "a.png")
    assert not list(place.glob(".a.png*"))


def test_a_run_leaves_its_files_and_explains_every_column(place: Path) -> None:
    run = place / "run"
    with (run / "plans.csv").open() as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        titles = list(reader.fieldnames or ())
    with (run / "columns.csv").open() as file:
        explained = {row["column"] for row in csv.DictReader(file) if row["file"] == "plans.csv" and row["meaning"]}
    assert set(titles) == explained
    assert [row["rank"] for row in rows] == [str(i) for i in range(1, len(rows) + 1)]
    assert float(rows[0]["loss"]) <= float(rows[-1]["loss"])
    assert json.loads(rows[0]["parameters"])["objectives"]
    best = json.loads((run / "plan.json").read_text())
    assert best["goals"]["met"] == int(float(rows[0]["goals met"]))
    assert "static dose cloud" in (run / "robustness.txt").read_text()
    assert "SENSITIVITIES" in (run / "page.txt").read_text()
