"""Tests as people write them: read as data, never run, and refused with the text that is wrong."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tgsci.errors import UsageError
from tgsci_language.code.tests import UNKNOWN, Test, TestSet, read_test, shown


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("f(1, [2, 3]) == (4, None)", (1, [2, 3]), (4, None)),
        ("assert f('a') == {'a': 1}", ("a",), {"a": 1}),
        ("f(-1.5) is None", (-1.5,), None),
        ("candidate({1, 2}) == True", ({1, 2},), True),
        ("not f(2)", (2,), False),
        ("f(float('inf')) == -float('inf')", (math.inf,), -math.inf),
        ("Solution().f(1) == 2", (1,), 2),
    ],
)
def test_a_text_is_a_call_and_what_it_must_give(text: str, arguments: tuple[Any, ...], expected: object) -> None:
    test = read_test(text, "f", "visible test 1")
    assert (test.arguments, test.expected, test.loose) == (arguments, expected, False)


def test_keywords_and_open_results() -> None:
    test = read_test("f(1, scale=2.0)", "f", "visible test 1")
    assert test.keywords == {"scale": 2.0}
    assert test.open
    assert test.expected is UNKNOWN
    assert test.call("f") == "f(1, scale=2.0)"


def test_a_table_is_a_test_and_its_lists_stand_for_any_sequence() -> None:
    test = read_test({"arguments": [1, [2]], "keywords": {"k": 3}, "expected": [4]}, "f", "visible test 1")
    assert (test.arguments, test.keywords, test.expected, test.loose) == ((1, [2]), {"k": 3}, [4], True)
    raising = read_test({"arguments": [0], "raises": "ValueError"}, "f", "visible test 1")
    assert not raising.open
    assert raising.shown_expected() == "raises ValueError"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("f(x) == 2", "visible test 3 must hold literals only"),
        ("f(open('/etc/passwd')) == 2", "not 'open('/etc/passwd')'"),
        ("f([i for i in range(3)]) == 2", "key 'inputs'"),
        ("g(1) == 2", "must call f(...)"),
        ("f(1", "no Python expression"),
        ("f(*[1]) == 2", "without * and **"),
        ("f(" * 500 + ")" * 500, "no Python expression"),
        (3, "visible test 3 must be a text"),
        ({"argument": [1]}, "unknown key 'argument' in visible test 3; did you mean arguments?"),
        ({"arguments": 1}, "must be a list of the function's arguments"),
        ({"arguments": [1], "expected": 1, "raises": "E"}, "expected and raises: give one"),
        ("f('" + "x" * 1_000_001 + "') == 1", "belong in the key 'inputs'"),
    ],
)
def test_what_is_no_test_is_refused_with_its_text(given: object, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_test(given, "f", "visible test 3")
    assert says in str(refused.value)
    assert len(str(refused.value)) < 600


def test_equal_calls_have_equal_keys() -> None:
    assert read_test("f(1,  2) == 3", "f", "x").key == read_test("f(1, 2) == 4", "f", "y").key
    assert read_test("f(1, 2)", "f", "x").key != read_test("f(1, 2.0)", "f", "y").key


def test_values_are_shown_cut_and_on_one_line() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown(list(range(1000)), 50)) == 50
    assert "int" in shown(10**10000)


def test_a_set_of_tests_knows_what_is_measured_and_how_each_is_called() -> None:
    listed, made = [Test((1,))], [Test((2,)), Test((3,))]
    assert TestSet(listed, ()).measured == listed
    assert TestSet(listed, made).measured == made
    assert len(TestSet(listed, made)) == 3
    assert TestSet(listed, made).label == "input"
    assert TestSet(listed, (), "hidden").label == "hidden test"


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("abs(f(2) - 1.414) < 0.001", 1.4142, 1.5),
        ("len(f('a')) == 3", [1, 2, 3], [1]),
        ("sorted(f(1)) == [1, 2]", [2, 1], [2]),
        ("f(1) in (1, 2)", 2, 3),
        ("f(1) != 0", 1, 0),
    ],
)
def test_a_condition_on_the_result_is_a_test(text: str, good: object, bad: object) -> None:
    test = read_test(f"assert {text}", "f", "visible test 1")
    assert not test.open
    assert test.condition is not None
    assert test.condition.holds([good])
    assert not test.condition.holds([bad])
    assert test.shown_expected() == text
