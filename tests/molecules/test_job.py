"""The [molecules] table: typed, explained once, and read without RDKit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest

from tgsci.errors import UsageError
from tgsci_molecules import Settings
from tgsci_molecules.job import KEYS, SETTINGS, TERM_KEYS, read_job


def test_each_key_says_what_it_means_and_each_docking_setting_has_a_key() -> None:
    assert all(KEYS.values())
    assert all(TERM_KEYS.values())
    assert set(SETTINGS) <= set(KEYS)
    assert set(SETTINGS.values()) == {field.name for field in fields(Settings)} - {"whole_box"}


def test_docking_keys_go_to_the_settings_and_a_message_names_the_key() -> None:
    job = read_job({"target": "ABL1", "start": "CCO", "docking_seed": 3, "box": 20})
    assert job.docking == Settings(seed=3, box=20.0)
    assert read_job({}).docking == Settings()
    with pytest.raises(UsageError, match=r"^docking_seed must be a whole number"):
        read_job({"docking_seed": 0})


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"traget": "ABL1"}, "unknown key 'traget'; did you mean target?"),
        ({"target": 5}, "target must be text .the protein, for example ABL1"),
        ({"start": ["CCO", 5]}, "start must be text or a list of text"),
        ({"terms": [{"metric": "QED"}, {"weight": 2.0}]}, "term 2: the key 'metric' is missing"),
        ({"terms": [{"metric": "QED", "wieght": 2.0}]}, "term 1: unknown key 'wieght'; did you mean weight?"),
        ({"limits": ["MW < 500"]}, "limits must be a table"),
        ({"qed_weight": -1}, "qed_weight must be a number from 0 to 1000000 kcal/mol, not -1"),
    ],
)
def test_a_bad_table_is_refused_with_what_to_write(table: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_job(table)


def test_the_keys_are_known_without_rdkit() -> None:
    code = "import sys, tgsci_molecules.job; print({'rdkit', 'numpy', 'vina'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
