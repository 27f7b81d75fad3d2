"""`tgsci radiotherapy evaluate`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.commands.typed import run
from tgsci.errors import UsageError
from tgsci_radiotherapy import NOTICE
from tgsci_radiotherapy.commands.dose import open_dose


def test_a_run_knows_its_case_and_its_goals(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run("evaluate", place / "run")
    printed = capsys.readouterr().out
    assert "GOALS tg119-easier on small, dose grid 4 x 4 x 4 mm" in printed
    assert printed.rstrip().endswith(NOTICE)
    wanted = json.loads((place / "run" / "goals.json").read_text())
    assert code == (0 if wanted["met"] == wanted["evaluated"] else 1)


def test_the_exit_code_says_whether_the_goals_are_met(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for limit, tolerance, code in ((1, 0, 0), (60, 0, 1), (60, 40, 0)):
        sheet = tmp_path / "sheet.toml"
        sheet.write_text(f'goals = ["PTV D95% >= {limit} Gy, tolerance {tolerance} Gy"]\n[prescription]\nPTV = 50\n')
        assert run("evaluate", place / "run", "--goals", sheet) == code
    assert "tolerance 40 Gy" in capsys.readouterr().out


def test_json_says_the_same_as_the_table(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("evaluate", place / "run" / "plan.json", "--robust", "--shift", "4", "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["notice"] == NOTICE
    plan = open_dose(place / "run")
    assert said["fingerprint"] == small_case().fingerprint == plan.case.fingerprint
    d95 = next(goal["value"] for goal in said["goals"] if goal["metric"] == "D95%")
    own = np.sort(plan.dose[plan.case.rows("PTV")])
    assert own[0] <= d95 <= own[len(own) // 10]
    assert said["robustness"]["shift_mm"] == 4
    assert said["robustness"]["method"] == "cloud"  # this case is not a built-in one


def test_a_goal_that_a_shift_loses_fails_with_robust_only(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = open_dose(place / "run")
    limit = np.percentile(plan.dose[plan.case.rows("Core")], 90) * 1.05
    sheet = tmp_path / "sheet.toml"
    sheet.write_text(f'goals = ["Core D10% <= {limit:.2f} Gy"]\n[prescription]\nPTV = 50\n')
    assert run("evaluate", place / "run", "--goals", sheet) == 0
    assert run("evaluate", place / "run", "--goals", sheet, "--robust") == 1
    assert "are lost within 3 mm and 3% of density: Core D10%" in capsys.readouterr().out


@pytest.mark.slow
def test_pictures_are_written_and_never_over_others(place: Path, tmp_path: Path) -> None:
    files = ["--dvh", tmp_path / "d.svg", "--wash", tmp_path / "w.png"]
    run("evaluate", place / "run", *files)
    assert (tmp_path / "d.svg").read_text().lstrip().startswith("<?xml")
    assert (tmp_path / "w.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match=r"d\.svg exists already"):
        run("evaluate", place / "run", *files)
    assert run("evaluate", place / "run", *files, "--force") in (0, 1)
    with pytest.raises(UsageError, match=r"\.png or \.svg"):
        run("evaluate", place / "run", "--dvh", tmp_path / "d.pdf")


def test_the_dose_of_another_patient_is_refused_and_with_anyway_said(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from tgsci_radiotherapy.case import save
    from tgsci_radiotherapy.importers.dicom.dose_writer import write_rtdose

    plan = open_dose(place / "run")
    mine = save(replace(plan.case, origin={"frame": "0" * 16}), tmp_path / "mine.zarr")
    write_rtdose(plan.case, plan.dose / 25, tmp_path / "own.dcm")
    other = replace(plan.case, ct=None, ct_grid=None)  # in another frame of reference
    write_rtdose(other, plan.dose, tmp_path / "other.dcm")
    words = ["--case", mine, "--goals", "tg119-easier"]
    run("evaluate", tmp_path / "own.dcm", *words)
    assert "note: it gives PTV 2" in (printed := capsys.readouterr().out)
    assert "dose of one fraction?" in printed
    with pytest.raises(UsageError, match=r"other\.dcm is a dose on another scan than the case's.*--anyway"):
        run("evaluate", tmp_path / "other.dcm", *words)
    run("evaluate", tmp_path / "other.dcm", *words, "--anyway")
    assert "note: other.dcm is a dose on another scan than the case's" in capsys.readouterr().out
    run("evaluate", tmp_path / "other.dcm", *words, "--anyway", "--json")
    assert "another scan" in json.loads(capsys.readouterr().out)["notes"][0]
