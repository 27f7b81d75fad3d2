"""`tgsci molecules cache`, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.molecules.commands.typed import run
from tgsci_molecules import Settings, dock


@pytest.mark.slow
def test_the_cache_is_shown_and_cleared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TGSCI_CACHE", str(tmp_path / "c"))
    assert run("cache") == 0
    assert "molecules.db" in capsys.readouterr().out
    assert not (tmp_path / "c").exists()  # looking makes nothing
    dock("CCO", "ABL1", Settings(exhaustiveness=1, max_evals=500, conformers=1))
    assert run("cache") == 0
    assert "docking: 1\n" in capsys.readouterr().out
    assert run("cache", "--clear") == 0
    assert "deleted" in capsys.readouterr().out
    assert run("cache") == 0
    assert "docking" not in capsys.readouterr().out
    monkeypatch.setenv("TGSCI_CACHE", "")
    assert run("cache") == 0
    assert "no cache" in capsys.readouterr().out
