"""`tgsci radiotherapy goals`, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.radiotherapy.commands.typed import run
from tgsci.errors import UsageError


def table(printed: str) -> list[list[str]]:
    """The lines of a tab-separated table."""
    return [line.split("\t") for line in printed.splitlines() if "\t" in line]


def test_sheets_are_listed_printed_and_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("goals") == 0
    names = [row[0] for row in table(capsys.readouterr().out)[1:]]
    shipped = {"tg119-easier", "tg119-harder", "prostate-70.2", "quantec-prostate", "quantec-head-and-neck"}
    assert shipped | {"headneck-70-63-56"} <= set(names)
    for name in names:
        assert run("goals", name) == 0
        assert "source: " in capsys.readouterr().out
    assert run("goals", "tg119-easier", "--toml") == 0
    (tmp_path / "mine.toml").write_text(capsys.readouterr().out)
    assert run("goals", tmp_path / "mine.toml") == 0
    assert "PTV D95% >= 50 Gy" in capsys.readouterr().out
    with pytest.raises(UsageError, match="did you mean tg119-easier"):
        run("goals", "tg119-easyer")
    with pytest.raises(UsageError, match="name it"):
        run("goals", "--toml")


def test_goals_are_bound_to_a_case(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("goals", "tg119-easier", "--case", place / "small.zarr") == 0
    assert "on the case small:" in capsys.readouterr().out
    with pytest.raises(UsageError, match="prostate"):
        run("goals", "prostate-70.2", "--case", place / "small.zarr")


def test_whether_goals_are_possible_is_asked_before_any_plan(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("goals", "tg119-easier", "--case", place / "small.zarr", "--possible", "--seconds", "3") == 0
    printed = capsys.readouterr().out
    assert any(word in printed for word in ("Proven:", "No proof against it", "Not decided"))
    with pytest.raises(UsageError, match="--possible needs a sheet and a case"):
        run("goals", "tg119-easier", "--possible")
    with pytest.raises(UsageError, match="--seconds"):
        run("goals", "tg119-easier", "--case", place / "small.zarr", "--possible", "--seconds", "0")
