"""Choices are read from any reply; one that went astray takes no time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci.engine import Reply
from tgsci.search.choices import found_choices, read_choices


@pytest.mark.parametrize(
    ("reply", "reason", "expected"),
    [
        ("REASON: the pocket stays unfilled\nEXPECT: -9.4\nCHOICE: 2", "the pocket stays unfilled", -9.4),
        ("EXPECT: \u22129.4\nREASON: two\nlines\nCHOICE: 2", "two lines", -9.4),
        ('EVIDENCE: "vina -9.87"\nCHOICE: 2', "vina -9.87", None),
        ("**Reason:** it is near\n**Expected loss:** 0.25\n**Choice:** option 2", "it is near", 0.25),
        ("<REASON>it is near</REASON><EXPECT>3</EXPECT><CHOICE>2</CHOICE>", "it is near", 3.0),
        ('{"reason": "it is near", "expect": 3, "choice": 2}', "it is near", 3.0),
        ("CHOICE: 2", "", None),
        ("EXPECT: about the same\nCHOICE: 2", "", None),
    ],
)
def test_a_choice_comes_with_its_reason_and_what_is_expected(reply, reason, expected):
    chosen, faults = read_choices(Reply(reply), 1, 3)
    assert {position: (choice.reason, choice.expected) for position, choice in chosen.items()} == {
        1: (reason, expected)
    }
    assert faults == []


@given(st.text(alphabet="EVIDNCHOXPTRASevidnchoiceptras:<>{}[]\"'*_#/ \n0123456789", max_size=300))
def test_no_reply_breaks_the_reading(text):
    for number, choice in found_choices(text):
        assert isinstance(choice.reason, str)
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
        "EXPECT" * 30_000 + " " * 100_000,
        "EXPECT: " * 20_000 + "CHOICE: 99",
        *('{"choice":' + "[" * n + "]" * n + "}" for n in range(DEEP, DEEP + 60, 3)),
        *('{"evidence":' + "[" * n + "]" * n + ',"choice":1}' for n in range(DEEP, DEEP + 60, 3)),
        '{"a":[' * 450 + "]}" * 450,
    ],
    ids=lambda reply: reply[:14],
)
def test_a_reply_that_went_astray_takes_no_time_and_ends_no_run(reply):
    began = time.process_time()
    _, faults = read_choices(Reply(reply), 4, 12)
    assert time.process_time() - began < 5
    assert 1 <= len(faults) <= 8, "a model is not asked again with thousands of faults"
