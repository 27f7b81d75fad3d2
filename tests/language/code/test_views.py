"""What an edit gained and lost, what limits a solution, and the sections of the report."""

from __future__ import annotations

import tgsci as tg
from tests.language.code.tasks import AREA, WRONG_AREA, area, total
from tgsci.search.trial import State, Trial
from tgsci_language.code.views import columns, contrast, limiting, passed_of


def trial(number: int, value: str, failing: tuple[str, ...] = (), **metrics: float) -> Trial:
    figures = {"visible tests passed": 3.0 - len(failing), **metrics}
    feedback = tg.Feedback(len(failing) / 3, "page", figures, dict.fromkeys(failing, 1.0))
    return Trial(number, number, value, state=State.REJECTED, feedback=feedback)


def test_a_contrast_tells_tests_time_and_lines() -> None:
    parent = trial(0, WRONG_AREA, ("test 1", "test 2"), time=20.0)
    child = trial(1, AREA, ("test 2", "test 3"), time=5.0)
    assert contrast(parent, child) == (
        "gained test 1; lost test 3; time 20.00 -> 5.000 ms\nlines: - return w + h | + return w * h"
    )


def test_a_contrast_of_the_same_tests_says_so() -> None:
    assert contrast(trial(0, AREA), trial(1, AREA + "# x\n")).startswith("all tests still pass")
    same = contrast(trial(0, AREA, ("test 1",)), trial(1, WRONG_AREA, ("test 1",)))
    assert same.startswith("the same tests fail")


def test_a_contrast_is_short_whatever_changed() -> None:
    labels = tuple(f"test {n}" for n in range(500))
    found = contrast(trial(0, AREA), trial(1, "x = 1\n" * 900, labels))
    assert len(found) < 400
    assert "and 492 more" in found
    assert "lines came" in found


def test_what_was_not_measured_has_no_contrast() -> None:
    failed = Trial(1, 1, AREA, state=State.FAILED, feedback=tg.Feedback.failed("no sandbox"))
    assert contrast(trial(0, AREA), failed) == ""
    assert contrast(Trial(0, 0, AREA), trial(1, AREA)) == ""


def test_what_limits_a_solution() -> None:
    for found, says in (
        (trial(0, AREA, ("test 2",)), "test 2 fails"),
        (trial(0, AREA, ("test 1", "test 2")), "test 1, test 2 fail"),
        (trial(0, AREA, time=3.0), "run time"),
        (trial(0, AREA), ""),
    ):
        assert found.feedback is not None
        assert limiting(found.feedback) == says


def test_passed_tests_are_told_of_all() -> None:
    found = trial(0, AREA, ("test 2",)).feedback
    assert found is not None
    assert passed_of(found, "visible") == "2 of 3"
    assert passed_of(found, "hidden") == ""


def test_columns_follow_what_is_minimised() -> None:
    assert columns(area(), "") == ["visible tests passed"]
    assert columns(total(), "start") == ["visible tests passed", "time", "baseline time", "speed-up"]
    assert columns(total(), "") == ["visible tests passed", "time"]
    assert columns(total(minimise="memory"), "") == ["visible tests passed", "memory"]
