import copy
import time

import pytest

from tgsci.errors import UsageError
from tgsci_language.datasets.example import Example
from tgsci_language.scoring.texts import Exact, Pattern

SORTED = Example("Sort", "acid bond cell", "1")


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("acid bond cell", ""),
        ("First ...\nAnswer:  Acid  bond cell.", ""),
        ("**Answer:** acid bond cell\nI hope this helps.", ""),
        ("The answer is: acid bond cell", ""),
        ("Answer:\nacid bond cell", ""),
        ("Answer: acid cell bond", "other order"),
        ("Answer: acid bond", "incomplete"),
        ("Answer: acid bond base", "wrong answer"),
        ("acid bond cell is the order.", "format"),
        ("Answer: acid, bond, cell", "format"),
        ("", "no answer"),
    ],
)
def test_the_exact_string_says_what_went_wrong(reply, fault):
    found = Exact().score(SORTED, reply)
    assert (found.fault, found.right) == (fault, float(not fault))


def test_case_counts_where_it_is_asked_for():
    example = Example("Unit?", "mGy", "1")
    assert Exact().score(example, "Answer: MGY").right == 1
    assert Exact(case=True).score(example, "Answer: MGY").right == 0
    assert Exact(case=True).score(example, "Answer: mGy").right == 1


def test_a_pattern_reads_its_group_of_the_last_match():
    example = Example("Colour?", "blue", "1")
    pattern = Pattern(r"colour=(?P<answer>\w+)")
    assert pattern.score(example, "colour=red, no: colour=Blue").right == 1
    assert pattern.score(example, "colour=red").fault == "wrong answer"
    assert pattern.score(example, "none").fault == "no answer"
    assert Pattern(r"b\w+").score(example, "it is blue").right == 1
    assert copy.deepcopy(pattern).score(example, "colour=blue").right == 1


@pytest.mark.slow
def test_a_pattern_that_never_ends_costs_one_reply_and_a_second_or_so():
    pattern = Pattern(r"(a+)+$")
    example = Example("?", "a", "1")
    assert pattern.score(example, "a").right == 1  # the process is there
    started = time.perf_counter()
    assert pattern.score(example, "a" * 40 + "b").fault == "format"
    assert time.perf_counter() - started < 20
    assert pattern.score(example, "xa").right == 1


@pytest.mark.parametrize("pattern", ["(", "*", "", 3])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(UsageError, match="pattern"):
        Pattern(pattern)
