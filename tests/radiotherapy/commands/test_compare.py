"""`tgsci radiotherapy compare`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.radiotherapy.commands.typed import run
from tgsci.errors import UsageError
from tgsci_radiotherapy import NOTICE


def table(printed: str) -> list[list[str]]:
    """The lines of a tab-separated table."""
    return [line.split("\t") for line in printed.splitlines() if "\t" in line]


@pytest.mark.slow
def test_two_plans_side_by_side(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = json.loads((place / "run" / "plan.json").read_text())
    plan["fluence"] = [0.9 * x for x in plan["fluence"]]
    (tmp_path / "lower.json").write_text(json.dumps(plan))
    case = place / "small.zarr"
    assert run("compare", place / "run", tmp_path / "lower.json", "--case", case, "--dvh", tmp_path / "d.png") == 0
    printed = capsys.readouterr().out
    header, *rows = table(printed)
    assert header == ["goal", "priority", "run", "status", "lower", "status", "change"]
    first, second = (float(rows[0][i].removesuffix(" Gy")) for i in (2, 4))
    assert second == pytest.approx(0.9 * first, rel=1e-3)
    # The change is that of the figures themselves, not of their rounded texts.
    assert float(rows[0][6].removesuffix(" Gy")) == pytest.approx(second - first, abs=0.011)
    assert "gamma 3% / 2 mm (global)" in printed
    assert printed.rstrip().endswith(NOTICE)
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")


def test_a_plan_agrees_with_its_own_rtdose(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", place / "run", "--rtdose", tmp_path / "dose.dcm") == 0
    capsys.readouterr()
    assert run("compare", tmp_path / "dose.dcm", place / "run", "--json", "--gamma", "1/1", "--local") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["gamma"]["pass_rate"] == 100.0
    assert said["gamma"]["local"] is True
    a, b = (said["plans"][name]["goals"] for name in ("dose", "run"))
    assert [goal["value"] for goal in a] == pytest.approx([goal["value"] for goal in b], abs=1e-4)


def test_what_cannot_be_compared_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=r"--gamma is PERCENT/MM.*'3%2mm'"):
        run("compare", place / "run", place / "run", "--gamma", "3%2mm")
    with pytest.raises(UsageError, match="came without a dose of its own"):
        run("compare", place / "run", "reference", "--gamma", "0")
    assert run("compare", place / "run", place / "run", "--gamma", "0") == 0
    assert "A run" in table(capsys.readouterr().out)[0]


def test_a_dose_on_another_scan_is_compared_only_if_that_is_wanted(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from tgsci_radiotherapy.case import load, save
    from tgsci_radiotherapy.importers.dicom.dose_writer import write_rtdose

    case = load(place / "small.zarr")
    dose = np.full(len(case.voxels), 50.0)
    write_rtdose(case, dose, tmp_path / "a.dcm")
    write_rtdose(replace(case, ct=None, ct_grid=None), dose, tmp_path / "b.dcm")
    mine = save(replace(case, origin={"frame": "0" * 16}), tmp_path / "mine.zarr")
    words = [
        "compare",
        tmp_path / "a.dcm",
        tmp_path / "b.dcm",
        "--case",
        mine,
        "--goals",
        "tg119-easier",
        "--gamma",
        "0",
    ]
    with pytest.raises(UsageError, match=r"b\.dcm is a dose on another scan"):
        run(*words)
    assert run(*words, "--anyway") == 0
    assert "note: b.dcm is a dose on another scan" in capsys.readouterr().out
