"""Docking settings: typed, in their ranges, and a message that says what to write."""

from __future__ import annotations

from typing import Any

import pytest

from tgsci.errors import UsageError
from tgsci_molecules import Settings


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"exhaustiveness": 0}, "exhaustiveness must be a whole number from 1 to 256, not 0"),
        ({"exhaustiveness": 2.5}, r"exhaustiveness must be a whole number from 1 to 256, not 2\.5"),
        ({"max_evals": True}, "max_evals must be a whole number from 0 to 100000000, not True"),
        ({"box": 50}, "box must be a number from 10 to 38 Angstrom, not 50"),
        ({"box": "22"}, "box must be a number from 10 to 38 Angstrom, not '22'"),
        ({"whole_box": 1}, "whole_box must be true or false, not 1"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(setting: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Settings(**setting)


def test_the_full_setting_keeps_the_rest() -> None:
    full = Settings.full(settings=Settings(seed=7, conformers=3))
    assert (full.exhaustiveness, full.max_evals, full.whole_box) == (8, 0, True)
    assert (full.seed, full.conformers, full.capped) == (7, 3, False)
    assert Settings(box=24) == Settings(box=24.0)
