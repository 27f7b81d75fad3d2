"""What a dose may be: a plan, a run, an RTDOSE file; and what is said of other files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import tgsci as tg
from tests.radiotherapy.cases import small_case
from tests.radiotherapy.commands.typed import run
from tgsci.errors import UsageError
from tgsci_radiotherapy import domain
from tgsci_radiotherapy.case import save
from tgsci_radiotherapy.commands.dose import goals_of, open_dose


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("nothing.json", "there is no file .*nothing.json"),
        ("", "a directory without a plan.json"),
        ("small.zarr", "neither a plan .* nor an RTDOSE|a directory without a plan.json"),
        ("broken.json", "broken.json: not a plan file, but broken JSON"),
        ("other.json", "other.json: not a plan file: the key 'tgsci_plan' is missing"),
        ("bytes.json", "bytes.json: a plan file is UTF-8 text"),
        ("stranger.json", "stranger.json: the plan was made for another case"),
        ("negative.json", "negative.json: the plan file's fluence"),
        ("dose.dcm", "dose.dcm is no RTDOSE"),
    ],
)
def test_what_is_no_plan_of_this_case_is_named(place: Path, what: str, message: str) -> None:
    plan = json.loads((place / "run" / "plan.json").read_text())
    (place / "broken.json").write_text("{")
    (place / "other.json").write_text("{}")
    (place / "bytes.json").write_bytes(b"\xff\xfe{")
    (place / "dose.dcm").write_bytes(b"no DICOM at all")
    stranger = {**plan, "case": {"name": "elsewhere", "fingerprint": "0" * 64}}
    (place / "stranger.json").write_text(json.dumps(stranger))
    (place / "negative.json").write_text(json.dumps({**plan, "fluence": [-1.0, *plan["fluence"][1:]]}))
    with pytest.raises(UsageError, match=message):
        run("evaluate", place / what, "--case", place / "small.zarr", "--goals", "tg119-easier")


def test_a_run_that_was_killed_is_to_be_resumed_first(place: Path, tmp_path: Path) -> None:
    ended = tmp_path / "my run"
    ended.mkdir()
    shutil.copy(place / "run" / "run.db", ended)
    with pytest.raises(UsageError, match=r"is not finished and has no plan\.json yet.*tgsci runs resume '.*/my run'$"):
        run("compare", place / "run", ended)
    shutil.copy(place / "run" / "plans.csv", ended)  # it ended, and its record is all that it has to say
    with pytest.raises(UsageError, match=r"none of its plans could be measured.*tgsci runs resume '.*/my run'$"):
        run("compare", ended, place / "run")


def test_what_a_plan_calls_its_case_is_never_opened_as_a_file(place: Path, tmp_path: Path) -> None:
    plan = json.loads((place / "run" / "plan.json").read_text())
    plan["case"]["name"] = str(place / "small.zarr")
    (tmp_path / "moved.json").write_text(json.dumps(plan))
    with pytest.raises(UsageError, match=r"say which file that is: --case CASE\.zarr"):
        run("evaluate", tmp_path / "moved.json", "--goals", "tg119-easier")
    assert run("evaluate", tmp_path / "moved.json", "--goals", "tg119-easier", "--case", place / "small.zarr") in (
        0,
        1,
    )
    plan["goals"]["sheet"] = "../../etc/passwd"
    (tmp_path / "moved.json").write_text(json.dumps(plan))
    with pytest.raises(UsageError, match="which goals"):
        run("evaluate", tmp_path / "moved.json", "--case", place / "small.zarr")


def test_a_run_with_another_prescription_is_evaluated_as_it_was_planned(tmp_path: Path) -> None:
    save(small_case(), tmp_path / "small.zarr")
    config = {"case": str(tmp_path / "small.zarr"), "goals": "tg119-easier", "prescription": {"PTV": 48.0}}
    tg.solve(domain.problem(config), engine="rules", budget=1, workers=0, run=tmp_path / "run")
    found = open_dose(tmp_path / "run")
    assert found.case.prescription == 48.0
    assert goals_of(found).prescriptions["PTV"] == 48.0
    assert run("evaluate", tmp_path / "run") in (0, 1)


def test_the_directory_of_a_run_can_be_moved(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "run", tmp_path / "elsewhere")
    assert open_dose(tmp_path / "elsewhere").label == "elsewhere"
