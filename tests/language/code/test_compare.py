"""Results beside what they must be: Python's equality, numbers within a tolerance, and where they differ in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tgsci_language.code.compare import difference
from tgsci_language.sandbox.inside.values import Opaque

NAN = float("nan")


@pytest.mark.parametrize(
    "value",
    [1, 1.5, True, None, "a", b"a", 2j, [1, [2]], (1, 2), {"a": [1.0]}, {1, 2}, frozenset({1}), NAN, [NAN], 1e999,
     np.arange(4.0), np.array(["a"]), 10**400],
)  # fmt: skip
def test_what_is_equal_differs_in_nothing(value: object) -> None:
    assert difference(value, value) == ""


@pytest.mark.parametrize(
    ("got", "expected", "says"),
    [
        (2, 3, "off by 1"),
        (0.1 + 0.2, 0.3, "off by 5.55e-17"),
        ([1, 2, 4], [1, 2, 3], "at [2]: off by 1"),
        ([1, 2], [1, 2, 3], "2 items in place of 3"),
        ((1, 2), [1, 2], "a tuple in place of a list"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "at ['a']['b']: off by 1"),
        ({"a": 1}, {}, "the key 'a' is too much"),
        ({}, {"a": 1}, "the key 'a' is missing"),
        ({1, 5}, {1, 2}, "5 too much, 2 missing"),
        ("1", 1, "a str in place of a int"),
        (None, 1, "a NoneType in place of a int"),
        (NAN, 1.0, "nan against a number"),
        (float("inf"), 1e300, "off by inf"),
        (10**400, 1.5, "not equal"),
        ("b", "a", "not equal"),
        (Opaque("Evil", "6"), 6, "a Opaque in place of a int"),
        (np.zeros(3), np.zeros(4), "shape (3,) in place of (4,)"),
        ([0.0, 0.0], np.zeros(2), "a list in place of a ndarray"),
        (np.array([0.0, 1.0, 5.0]), np.array([0.0, 2.0, 2.0]), "2 of 3 numbers are off, by up to 3;"),
        (np.array([2**53 + 1]), np.array([2**53]), "1 of 1 numbers are off"),
    ],
)
def test_a_difference_is_said_with_its_place(got: object, expected: object, says: str) -> None:
    assert says in difference(got, expected)


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (1.0 + 1e-10, 1.0, True),
        (1.0 + 1e-8, 1.0, False),
        (1e9 + 0.5, 1e9, True),
        (1e-10, 0.0, True),
        ([1e9 + 0.5, 2], [1e9, 2], True),
        (np.array([1e9 + 0.5]), np.array([1e9]), True),
        (np.array([1.0 + 1e-8]), np.array([1.0]), False),
        (np.array([NAN]), np.array([NAN]), True),
        (1 + 1e-10j, 1 + 0j, True),
        (float("inf"), 1.0, False),
    ],
)
def test_a_tolerance_is_absolute_and_relative_above_one(got: Any, expected: Any, same: bool) -> None:
    assert (difference(got, expected, 1e-9) == "") is same


def test_loose_sequences_stand_for_each_other() -> None:
    assert difference((1, (2,)), [1, [2]], loose=True) == ""
    assert difference(np.array([1, 2]), [1, 2], loose=True) == ""
    assert difference({1, 2}, [1, 2], loose=True) != ""


def test_what_is_nested_for_ever_is_given_up() -> None:
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    assert "nested too deeply" in difference(deep, deep)
