"""A check returns what was given, or says what it must be."""

from __future__ import annotations

import math

import pytest

from tgsci.basics.checks import choice, flag, keys, number, text, whole
from tgsci.errors import InvalidValue, UsageError


def test_numbers_are_numbers_numpys_included():
    numpy = pytest.importorskip("numpy")
    assert number("gap", 1) == 1.0
    assert number("gap", numpy.float32(0.5)) == 0.5
    assert whole("seed", numpy.int64(3)) == 3
    assert type(whole("seed", numpy.int64(3))) is int
    assert type(number("gap", 1)) is float


@pytest.mark.parametrize("value", ["5", True, None, math.nan, math.inf, 10**400, [1], 2.5, -1])
def test_what_is_no_number_of_the_range_is_refused_with_the_range(value):
    with pytest.raises(UsageError, match=r"^gap must be a number from 0 to 1 %, not "):
        number("gap", value, 0, 1, unit="%")


@pytest.mark.parametrize("value", ["5", True, None, math.nan, 1.0, 1.5, 0])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(UsageError, match=r"^evaluations must be a whole number above 0, not "):
        whole("evaluations", value, above=0)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, "a number"),
        ({"low": 0}, "a number of 0 or more"),
        ({"high": 9}, "a number of 9 or less"),
        ({"unit": "Gy"}, "a number in Gy"),
        ({"above": 0, "high": 2e9, "unit": "s"}, "a number above 0 and up to 2000000000 s"),
    ],
)
def test_a_range_is_said_in_words(limits, said):
    with pytest.raises(UsageError) as caught:
        number("x", "y", **limits)
    assert str(caught.value) == f"x must be {said}, not 'y'"


def test_who_proposes_gets_another_error():
    with pytest.raises(InvalidValue):
        number("weight", "much", error=InvalidValue)


def test_flags_and_texts():
    assert flag("optional", False) is False
    assert text("case", "tg119") == "tg119"
    with pytest.raises(UsageError, match="optional must be true or false, not 1"):
        flag("optional", 1)
    with pytest.raises(UsageError, match="case must be a built-in case, not '  '"):
        text("case", "  ", "a built-in case")


def test_one_of_some_names_and_nothing_else():
    assert choice("engine", "auto", ["auto", "builtin"]) == "auto"
    with pytest.raises(UsageError, match=r"^engine cannot be 'bultin'; did you mean builtin\?$"):
        choice("engine", "bultin", ["auto", "builtin"])
    with pytest.raises(UsageError, match=r"^engine cannot be \['auto'\]; there are: auto, builtin$"):
        choice("engine", ["auto"], ["auto", "builtin"])


def test_keys_of_a_table():
    keys({"a": 1}, ["a", "b"])
    with pytest.raises(UsageError, match=r"^unknown key 'wieght' in \[plan\]; did you mean weight\?$"):
        keys({"wieght": 1}, ["weight"], "[plan]")
    with pytest.raises(UsageError, match="unknown key 3; there are: weight"):
        keys({3: 1}, ["weight"])
