"""Predictions of one structure are made to fit each other: what can be stays, what contradicts is moved and marked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.goal_results import goal_result
from tgsci_radiotherapy.goals.table import GoalResult
from tgsci_radiotherapy.loss.consistent import consistent

GOALS = (
    ("PTV D2% <= 53 Gy", 52.0),
    ("PTV D50% <= 52 Gy", 51.0),
    ("PTV D95% >= 50 Gy", 50.2),
    ("PTV D99% >= 47 Gy", 48.0),
    ("PTV Dmean >= 50 Gy", 50.9),
    ("PTV V50Gy >= 95%", 95.6),
    ("PTV CV48Gy <= 2%", 1.0),
    ("PTV HI <= 0.1", 0.07),
    ("PTV CI >= 0.6", 0.8),
    ("Core Dmax <= 40 Gy", 38.0),
    ("Core D10% <= 25 Gy", 24.0),
    ("Core Dmean <= 20 Gy", 15.0),
)


def results() -> list[GoalResult]:
    return [goal_result(text, value) for text, value in GOALS]


def now() -> np.ndarray:
    return np.array([value for _, value in GOALS])


def test_predictions_that_fit_stay_as_they_are() -> None:
    values, moved = consistent(small_case(), results(), now())
    assert values.tolist() == pytest.approx(now().tolist())
    assert not any(moved)


@pytest.mark.parametrize(
    ("name", "value", "least", "most"),
    [
        ("PTV D99%", 51.5, 50.0, 51.5),  # not above D95%: both meet in between
        ("PTV HI", 0.366, 0.05, 0.09),  # D2% and D99% stay, so the index does
        ("PTV HI", -0.2, 0.0, 0.08),
        ("PTV CI", 1.3, 1.0, 1.0),
        ("PTV V50Gy", 107.0, 95.0, 99.0),  # D99% is below 50 Gy
        ("PTV CV48Gy", -3.0, 0.0, 1.0),
        ("PTV Dmean", 40.0, 50.0, 52.0),  # 95% of it get 50.2 Gy and more
        ("Core Dmean", 60.0, 15.0, 26.0),  # 10% up to 38 Gy, the rest up to 24
        ("Core D10%", -5.0, 0.0, 0.0),
    ],
)
def test_what_contradicts_is_moved_and_marked(name: str, value: float, least: float, most: float) -> None:
    place = next(i for i, r in enumerate(results()) if r.goal.name == name)
    wanted = now()
    wanted[place] = value
    values, moved = consistent(small_case(), results(), wanted)
    assert least <= values[place] <= most
    assert moved[place]


def test_the_index_may_go_where_the_near_extremes_go() -> None:
    wanted = now()
    wanted[0], wanted[3], wanted[7] = 54.0, 44.0, 0.19
    values, moved = consistent(small_case(), results(), wanted)
    assert values[7] == pytest.approx(0.19)
    assert not moved[7]


def test_what_has_no_value_stays_without_one() -> None:
    wanted = now()
    wanted[2] = np.nan
    values, moved = consistent(small_case(), results(), wanted)
    assert np.isnan(values[2])
    assert not moved[2]


@settings(max_examples=60, deadline=None)
@given(shift=st.lists(st.floats(-60.0, 60.0), min_size=len(GOALS), max_size=len(GOALS)))
def test_whatever_is_predicted_one_histogram_could_have_it(shift: list[float]) -> None:
    case = small_case()
    values, _ = consistent(case, results(), now() + np.array(shift))
    by_name = {r.goal.name: float(v) for r, v in zip(results(), values, strict=True)}
    assert by_name["PTV D2%"] >= by_name["PTV D50%"] >= by_name["PTV D95%"] >= by_name["PTV D99%"] >= 0
    assert by_name["Core Dmax"] >= by_name["Core D10%"] >= 0
    assert 0 <= by_name["PTV V50Gy"] <= 100
    assert by_name["PTV V50Gy"] <= 100 - by_name["PTV CV48Gy"] + 1e-9
    assert by_name["PTV HI"] >= 0
    assert 0 <= by_name["PTV CI"] <= 1
    assert by_name["PTV Dmean"] >= 0.45 * by_name["PTV D95%"] + 0.48 * by_name["PTV D50%"] - 1e-6
    again, moved = consistent(case, [replace(r) for r in results()], values)
    assert again.tolist() == pytest.approx(values.tolist(), abs=1e-6)
    assert not any(moved)
