"""`tgsci molecules targets`, as typed."""

from __future__ import annotations

import pytest

from tests.molecules.commands.typed import run
from tgsci.errors import UsageError


def test_targets_are_one_a_line_where_no_terminal_listens(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("targets") == 0
    assert len(capsys.readouterr().out.splitlines()) == 58
    assert run("targets", "--match", "kinase") == 0
    kinases = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert len(kinases) == 21
    assert {"ABL1", "EGFR", "KDR", "KIT", "MET"} <= set(kinases)  # receptors too, whatever UniProt calls them
    assert run("targets", "--match", "ppar") == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == ["PPARA", "PPARD", "PPARG"]
    assert run("targets", "--match", "thrombin") == 0
    assert capsys.readouterr().out.startswith("F2\tProthrombin\tP00734\thuman\tthrombin, ")
    with pytest.raises(UsageError, match="no target contains"):
        run("targets", "--match", "zzz")
