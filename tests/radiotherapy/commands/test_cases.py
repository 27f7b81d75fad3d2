"""`tgsci radiotherapy cases`, as typed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tests.radiotherapy.commands.typed import run
from tgsci.errors import UsageError
from tgsci_radiotherapy.views.summary import HEADER, structure_rows


def table(printed: str) -> list[list[str]]:
    """The lines of a tab-separated table."""
    return [line.split("\t") for line in printed.splitlines() if "\t" in line]


def test_cases_are_listed_and_looked_into(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("cases") == 0
    assert [row[0] for row in table(capsys.readouterr().out)] == ["case", "cshape", "prostate", "headneck"]
    assert run("cases", place / "small.zarr") == 0
    printed = capsys.readouterr().out
    rows = {row[0]: row for row in table(printed)[1:]}
    assert rows["PTV"][1:3] == ["target", "50"]
    assert printed.startswith("case small: 50 Gy in 25 fractions, 2 Gy a fraction, photons")
    assert run("cases", place / "small.zarr", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fingerprint"] == small_case().fingerprint
    assert [s["voxels"] for s in said["structures"]] == [len(s.voxels) for s in small_case().structures]


def test_overlaps_are_said_with_who_owns_them() -> None:
    rows = {row[0]: row for row in structure_rows(tiny_case())}  # voxels of 1 cc; one is both in PTV and OAR
    assert rows["PTV"][5:8] == ["4", "4", "OAR 1.0 cc"]
    assert rows["OAR"][5:8] == ["4", "3", "PTV 1.0 cc"]
    assert rows["Body"][7] == ""


@pytest.mark.parametrize(
    ("drawn", "remark"),
    [
        (4.0, ""),
        (3.85, ""),
        (3.5, "14% larger on the grid, which goals use"),
        (4.3, "7.0% smaller on the grid, which goals use"),
    ],
)
def test_volumes_are_shown_as_drawn_and_as_goals_use_them(drawn: float, remark: str) -> None:
    case = tiny_case()
    ptv = replace(case.structure("PTV"), volume_cc=drawn)
    case = replace(case, structures=tuple(ptv if s.name == "PTV" else s for s in case.structures))
    row = next(dict(zip(HEADER, row, strict=True)) for row in structure_rows(case) if row[0] == "PTV")
    assert (row["drawn (cc)"], row["on the grid (cc)"], row["remark"]) == (f"{drawn:.1f}", "4.0", remark)


def test_a_case_that_is_damaged_or_not_there_is_named(place: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        run("cases", tmp_path / "nowhere.zarr")
    broken = tmp_path / "broken.zarr"
    content = bytearray((place / "small.zarr").read_bytes())
    content[len(content) // 2] ^= 0xFF
    broken.write_bytes(bytes(content[: len(content) * 3 // 4]))
    with pytest.raises(UsageError, match="broken"):
        run("cases", broken)
