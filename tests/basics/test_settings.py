"""Typed settings from plain tables: what is wrong is named as the person wrote it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Literal

import pytest

from tgsci.basics.settings import check, meanings, read, setting
from tgsci.errors import InvalidValue, UsageError


@dataclass(frozen=True)
class Term:
    metric: str = setting("what the term is about: vina, QED, MW")
    weight: float = setting("what one unit of it is worth", 1.0, low=-100, high=100)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Job:
    target: str = setting("the protein, for example ABL1")
    box: float = setting("smallest edge of the search box", 22.0, low=10.0, high=60.0, unit="Angstrom")
    exhaustiveness: int = setting("restarts of the search", 8, low=1, high=256)
    whole_box: bool = setting("search the target's own box", False)
    engine: Literal["auto", "builtin"] = setting("what computes it", "auto")
    finalists: int | None = setting("how many are docked again", None, low=0, high=100)
    off_targets: str | list[str] = setting("further targets", factory=list)
    prescription: dict[str, float] = setting("total Gy by target", factory=dict)
    terms: list[Term] = setting("terms of the loss", factory=list)

    def __post_init__(self) -> None:
        check(self)


def test_a_table_becomes_settings():
    job = read(Job, {"target": "ABL1", "box": 24, "off_targets": ("LCK",), "terms": [{"metric": "QED"}]})
    assert job == Job("ABL1", 24.0, off_targets=["LCK"], terms=[Term("QED")])
    assert type(job.box) is float


def test_numpys_values_are_plain_values():
    numpy = pytest.importorskip("numpy")
    job = read(Job, {"target": "ABL1", "exhaustiveness": numpy.int64(4), "prescription": {"PTV": numpy.float32(50)}})
    assert job.exhaustiveness == 4
    assert job.prescription == {"PTV": 50.0}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"box": "big"}, "box must be a number from 10 to 60 Angstrom, not 'big'"),
        ({"box": 5}, "box must be a number from 10 to 60 Angstrom, not 5"),
        ({"exhaustiveness": 1.5}, "exhaustiveness must be a whole number from 1 to 256, not 1.5"),
        ({"whole_box": 1}, "whole_box must be true or false, not 1"),
        ({"engine": "bultin"}, "engine cannot be 'bultin'; did you mean builtin?"),
        ({"finalists": -1}, "finalists must be a whole number from 0 to 100, not -1"),
        ({"target": 3}, "target must be the protein, for example ABL1, not 3"),
        ({"target": " "}, "target must be the protein, for example ABL1, not ' '"),
        ({"off_targets": 3}, "off_targets must be text or a list of text (further targets), not 3"),
        ({"off_targets": ["a", 3]}, "off_targets must be text or a list of text (further targets), not ['a', 3]"),
        ({"prescription": {"PTV": "x"}}, "prescription must be a table (total Gy by target), not {'PTV': 'x'}"),
        ({"prescription": [50]}, "prescription must be a table (total Gy by target), not [50]"),
        ({"terms": 3}, "terms must be a list of tables (terms of the loss), not 3"),
        ({"terms": [{"metric": "QED"}, {"metrik": "MW"}]}, "term 2: unknown key 'metrik'; did you mean metric?"),
        ({"terms": [{"weight": 2}]}, "term 1: the key 'metric' is missing: what the term is about: vina, QED, MW"),
        ({"terms": [{"metric": "MW", "weight": "x"}]}, "term 1: weight must be a number from -100 to 100, not 'x'"),
        ({"traget": "ABL1"}, "unknown key 'traget' in [molecules]; did you mean target?"),
        ({3: "ABL1"}, "unknown key 3 in [molecules]; there are: " + ", ".join(meanings(Job))),
    ],
)  # fmt: skip
def test_a_message_names_the_setting_what_it_must_be_and_what_it_was(given, message):
    with pytest.raises(UsageError) as caught:
        read(Job, {"target": "ABL1", **given}, "[molecules]")
    assert str(caught.value) == message


def test_a_missing_key_and_no_table_at_all():
    with pytest.raises(UsageError, match=r"^the key 'target' is missing in \[molecules\]: the protein, for example"):
        read(Job, {}, "[molecules]")
    with pytest.raises(UsageError, match=r"^\[molecules\] must be a table of target, box, .*; not 'ABL1'$"):
        read(Job, "ABL1", "[molecules]")


def test_settings_made_in_python_are_checked_as_well():
    assert Job("ABL1", box=24).box == 24.0
    with pytest.raises(UsageError, match="box must be a number from 10 to 60 Angstrom, not nan"):
        Job("ABL1", box=float("nan"))


def test_a_proposer_gets_its_own_error():
    with pytest.raises(InvalidValue):
        read(Job, {"box": 1}, error=InvalidValue)


def test_the_library_is_loaded_only_where_it_is_needed():
    code = "import sys, tgsci.basics.settings; print('msgspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
