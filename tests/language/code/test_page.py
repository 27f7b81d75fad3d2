"""The page of a run: failing tests first, bounded, and the same for the same outcome."""

from __future__ import annotations

from tgsci_language.code.page import LONGEST, bounded, page_of_tests, profile_page
from tgsci_language.code.verdict import Verdict

SOURCE = "def f(x):\n    return 1 / x\n"


def test_failing_tests_come_first_and_passing_ones_in_a_line() -> None:
    verdicts = [
        Verdict("test 1", "f(1)", "1", True, got="1.0", seconds=0.001),
        Verdict("test 2", "f(0)", "0", False, error="ZeroDivisionError: division by zero", line=2, seconds=0.001),
        Verdict("test 3", "f(9)", "2", False, slow=True),
        Verdict("test 4", "f(2)", "0.5", True, got="0.5", seconds=1.23456),
    ]
    text = page_of_tests(verdicts, SOURCE, 2.0, "visible")
    assert text == (
        "2 of 4 visible tests pass.\n"
        "test 2: f(0)\n"
        "  expected: 0\n"
        "  failed: ZeroDivisionError: division by zero at line 2: return 1 / x\n"
        "  time: under 20 ms\n"
        "test 3: f(9)\n"
        "  expected: 2\n"
        "  stopped: no result after 2 s, the time limit\n"
        "passed: test 1 (under 20 ms), test 4 (1.2 s)"
    )


def test_a_profile_names_the_lines_that_take_the_time() -> None:
    text = profile_page({1: (1, 0.0), 2: (1500, 0.9), 7: (3, 0.1)}, SOURCE + "\n\n\n\nx = 1\n")
    assert " 90.0 %      1,500 times  line 2: return 1 / x" in text
    assert "line 1:" not in text
    assert profile_page({}, SOURCE) == ""


def test_a_page_has_an_end() -> None:
    assert bounded(["a", "", "b"]) == "a\n\nb"
    cut = bounded(["x" * 100_000])
    assert len(cut) <= LONGEST
    assert cut.endswith("(the page is cut here)")
