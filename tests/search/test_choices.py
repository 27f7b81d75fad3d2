"""Choices are read from any reply; one that went astray takes no time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci.engine import Reply
from tgsci.search.choices import pairs, read_choices


@pytest.mark.parametrize(
    ("evidence", "grounded"),
    [
        ("vina is -9.87", True),
        ("\u22129.87 kcal/mol", True),
        ("the pocket lined by Ala380 stays unfilled", True),
        ("it looks nice", False),
        ("QED 0.99", False),
        ("3 options", False),
        ("", False),
    ],
)
def test_evidence_is_a_figure_or_three_words_of_what_was_shown(evidence, grounded):
    source = "vina -9.87 kcal/mol; UNFILLED POCKET lined by Ala380; 3. add F: QED 0.71"
    chosen, _ = read_choices(Reply(f"EVIDENCE: {evidence}\nCHOICE: 1"), 1, 3, source, strict=True)
    assert bool(chosen) is grounded


@given(st.text(alphabet="EVIDNCHOevidnchoice:<>{}[]\"'*_#/ \n0123456789", max_size=300))
def test_no_reply_breaks_the_reading(text):
    for evidence, number in pairs(text):
        assert isinstance(evidence, str)
        assert number >= 0


DEEP = 900


@pytest.mark.parametrize(
    "reply",
    [
        "CHOICE:" + " " * 150_000,
        "1" * 60 + " is my answer",
        "1" * 5_000,
        "3, " + "9" * 5_000,
        '{"a":[' * 33_000,
        ('{"a":[' + "0," * 200) * 400,
        "EVIDENCE: nothing of it CHOICE: 1\n" * 6_000,
        *('{"choice":' + "[" * n + "]" * n + "}" for n in range(DEEP, DEEP + 60, 3)),
        *('{"evidence":' + "[" * n + "]" * n + ',"choice":1}' for n in range(DEEP, DEEP + 60, 3)),
        '{"a":[' * 450 + "]}" * 450,
    ],
    ids=lambda reply: reply[:14],
)
def test_a_reply_that_went_astray_takes_no_time_and_ends_no_run(reply):
    began = time.process_time()
    _, faults = read_choices(Reply(reply), 4, 12, "costs 100.00 EUR; the pump is worn " * 300, strict=True)
    assert time.process_time() - began < 1.0
    assert 1 <= len(faults) <= 8, "a model is not asked again with thousands of faults"
