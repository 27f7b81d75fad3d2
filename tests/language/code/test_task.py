"""Tasks from a file or a notebook: what is wrong is said before any call is paid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.language.code.tasks import AREA, INPUTS, area, total
from tgsci.errors import UsageError
from tgsci_language.code.task import read_task

TABLE: dict[str, Any] = {
    "signature": "def area(w, h)",
    "statement": "Compute the area.",
    "visible": ["area(2, 3) == 6"],
    "hidden": ["area(4, 5) == 20"],
}


def test_a_task_is_read_from_a_table_and_from_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "start.py").write_text(AREA)
    task = read_task({**TABLE, "start_file": "start.py"}, "the task", tmp_path)
    assert task.start == AREA
    assert task.entry.called == "area"
    assert [test.expected for test in task.visible_tests] == [6]
    assert task.visible_part.hidden == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"visibel": []}, "unknown key 'visibel' in the task; did you mean visible?"),
        ({"minimize": "time"}, "did you mean minimise?"),
        ({"timeout": 3}, "seconds"),
        ({"signature": "area(w, h)"}, "signature must be the line"),
        ({"statement": " "}, "statement"),
        ({"visible": []}, "there are no tests to drive the search"),
        ({"visible": ["area(2, x) == 6"]}, "visible test 1 must hold literals only"),
        ({"hidden": ["area(1, 1) == 1", 7]}, "hidden test 2 must be a text"),
        ({"hidden": ["area(2, 3) == 6"]}, "hidden test 1 is the same call as visible test 1 (area(2, 3))"),
        ({"hidden": ["area( 2,3 ) == 7"]}, "what is visible cannot be hidden"),
        ({"visible": ["area(2, 3) == 6", "area(2, 3) == 6"]}, "visible tests 1 and 2 are the same call"),
        ({"visible": ["area(2, 3)"]}, "visible test 1 says no result; write one (==), or give a reference"),
        ({"inputs": INPUTS}, "the key 'reference' or 'start'"),
        ({"minimise": "speed"}, "minimise"),
        ({"minimise": "score"}, "go together"),
        ({"score": "def score(r): return r"}, "go together"),
        ({"minimise": "returned"}, "needs the key 'penalty'"),
        ({"seconds": 0}, "seconds must be a number above 0"),
        ({"tolerance": "1e-9"}, "tolerance must be a number"),
        ({"packages": ["numpy; import os"]}, "packages must be names that Python imports"),
        ({"start": AREA, "start_file": "x.py"}, "give start or start_file, not both"),
        ({"start_file": "no/such.py"}, "cannot read"),
    ],
)
def test_what_is_wrong_with_a_task_is_said(more: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_task({**TABLE, **more}, "the task")
    assert says in str(refused.value)


@pytest.mark.parametrize("missing", ["signature", "statement"])
def test_a_missing_key_is_named_with_its_meaning(missing: str) -> None:
    with pytest.raises(UsageError, match=f"the key '{missing}' is missing in the task: "):
        read_task({key: value for key, value in TABLE.items() if key != missing}, "the task")


def test_units_follow_what_is_minimised() -> None:
    assert area().unit == ""
    assert total().unit == "ms"
    assert total(minimise="memory").unit == "MB"
