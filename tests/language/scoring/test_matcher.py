import os
import signal
import time

import pytest

from tgsci_language.scoring.matcher import Matcher, TooSlow


def test_the_last_match_is_found_by_its_group():
    matcher = Matcher()
    assert matcher.last(r"x=(?P<answer>\d)(\d)", "x=12 x=34") == "3"
    assert matcher.last(r"x=(\d)", "x=1 x=2") == "2"
    assert matcher.last(r"\d+", "12 34") == "34"
    assert matcher.last(r"\d+", "none") is None
    assert matcher.last(r"x(\d)?", "x") == ""
    assert matcher.last(r"\w+", "\u00e9t\u00e9 \ud800 \u2028") == "\u00e9t\u00e9"


def test_what_takes_too_long_is_ended_and_the_next_text_is_matched():
    matcher = Matcher()
    matcher.last("a", "a")
    started = time.monotonic()
    with pytest.raises(TooSlow):
        matcher.last(r"(a|a)*$", "a" * 50 + "b", 0.3)
    assert time.monotonic() - started < 15
    assert matcher.last("b", "ab") == "b"


def test_a_process_that_was_killed_by_somebody_else_costs_no_text():
    matcher = Matcher()
    matcher.last("a", "a")
    os.kill(matcher._process.pid, signal.SIGKILL)
    assert matcher.last("b", "ab") == "b"
