"""A set as a whole: pass@k, and visible against hidden."""

from __future__ import annotations

from tgsci_language.code.scoreboard import Row, summary, table

ROWS = [
    Row("a", [True, True], [True, False], True, True, 2),
    Row("b", [False, False], [False, False], True, False, 5),
]


def test_the_summary_tells_samples_the_search_and_what_was_hidden() -> None:
    text = summary(ROWS)
    assert "2 tasks, 7 model calls" in text
    assert "pass@1 of the samples: 25.0 % (on the visible tests 50.0 %)" in text
    assert "pass@5" not in text
    assert "50.0 % pass the hidden tests (100.0 % the visible ones)" in text
    assert "of 2 samples that pass all visible tests 1 fail hidden ones" in text


def test_a_set_of_which_nothing_was_run_says_so() -> None:
    assert summary([]) == "0 tasks, 0 model calls"


def test_the_table_has_a_row_a_task() -> None:
    header, rows = table(ROWS)
    assert len(header) == len(rows[0])
    assert rows[1] == ["b", "2", "0", "0", "yes", "no", "5"]
