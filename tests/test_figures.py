"""Figures for people keep their decimals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci.figures import column, figure, metric


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-12.0, "-12.00"),
        (-12.003, "-12.00"),
        (-9.8732, "-9.873"),
        (0.5, "0.5000"),
        (489.6, "489.6"),
        (12345.6, "12346"),
        (0.0, "0.000"),
        (-0.0, "0.000"),
        (9.99996, "10.00"),
        (0.00012, "0.0001200"),
        (1e-9, "1e-09"),
        (1e12, "1e+12"),
        (math.nan, ""),
        (None, ""),
        (math.inf, "inf"),
    ],
)
def test_a_figure_keeps_its_decimals(value, shown):
    assert figure(value) == shown


def test_whole_figures_without_a_unit_are_counts():
    assert metric(3.0) == "3"
    assert metric(-12.0, "kcal/mol") == "-12.00"
    assert metric(0.853) == "0.8530"
    assert metric(math.nan) == ""


def test_a_column_has_the_same_decimals_throughout():
    assert column([-12.003, -9.8732, None, math.nan, 0.5], "kcal/mol") == ["-12.00", "-9.87", "", "", "0.50"]
    assert column([3.0, 12.0], "") == ["3", "12"]
    assert column([3.0, 12.0]) == ["3.00", "12.00"]
    assert column([3.0, 12.5], "") == ["3.00", "12.50"]
    assert column([]) == []


@given(st.floats(-1e300, 1e300))
def test_a_figure_is_what_it_stands_for(value):
    shown = float(figure(value))
    assert math.isclose(shown, value, rel_tol=5.1e-3, abs_tol=1e-300) or abs(shown - value) < 1e-3
    assert len(figure(value)) <= 12
