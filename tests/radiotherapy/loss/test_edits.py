"""Edits of kind: what a plan that misses goals may become."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case
from tgsci_radiotherapy.goals import GoalResult, parse_sheet
from tgsci_radiotherapy.loss import edits
from tgsci_radiotherapy.loss.effects import Effects
from tgsci_radiotherapy.plan import Objective, PlanParameters

CASE = small_case()
SHEET = parse_sheet(
    'goals = ["PTV D95% >= 50 Gy", "PTV D10% <= 55 Gy", "Core D10% <= 25 Gy, priority 2"]\n[prescription]\nPTV = 50\n',
    "three",
)
START = PlanParameters(
    (
        Objective("PTV", "squared_deviation", 51.5, 100.0),
        Objective("Core", "squared_overdose", 22.0, 50.0),
        Objective("Body", "squared_overdose", 30.0, 80.0),
    )
)


def results(*values: float) -> list[GoalResult]:
    goals = SHEET.bind(CASE).goals
    return [GoalResult(goal, value, 50.0) for goal, value in zip(goals, values, strict=False)]


def made(*values: float) -> dict[str, PlanParameters]:
    found = edits.structural(CASE, results(*values), START)
    return {edit.kind.split()[0]: edit.parameters for edit in found}


def by_label(parameters: PlanParameters) -> dict[str, float]:
    return {o.label: o.weight for o in parameters.objectives}


def test_percentile_goals_become_dose_volume_objectives_beyond_their_limits() -> None:
    restated = by_label(made(48.0, 54.9, 30.0)["percentile"])
    assert restated["PTV min_dvh 50.5 Gy 95.3%"] == 100.0
    assert restated["PTV max_dvh 54.45 Gy 9.3%"] == 100.0
    assert restated["Core max_dvh 24.25 Gy 9.3%"] == 100.0
    # What no goal asks for and what said the same less well stand aside, and stay.
    assert restated["PTV squared_deviation 51.5 Gy"] == 0.1
    assert restated["Body squared_overdose 30 Gy"] == 0.08


def test_what_an_organ_asks_of_a_target_is_restated_with_it() -> None:
    restated = by_label(made(50.6, 52.0, 30.0)["percentile"])
    assert {"PTV min_dvh 50.5 Gy 95.3%", "PTV max_dvh 54.45 Gy 9.3%", "Core max_dvh 24.25 Gy 9.3%"} <= set(restated)


def test_a_structure_whose_goals_have_room_is_not_restated() -> None:
    labels = by_label(made(48.0, 52.0, 20.0)["percentile"])
    assert not any("Core max_dvh" in label for label in labels)
    assert labels["Core squared_overdose 22 Gy"] == 50.0


def test_where_the_coldest_voxels_have_a_goal_none_is_given_away() -> None:
    sheet = parse_sheet('goals = ["PTV D95% >= 50 Gy", "PTV D99% >= 46 Gy"]\n[prescription]\nPTV = 50\n', "cold")
    missed = [GoalResult(goal, 45.0, 50.0) for goal in sheet.bind(CASE).goals]
    assert not any("percentile" in edit.kind for edit in edits.structural(CASE, missed, START))


def test_a_deviation_is_split_where_its_target_misses_a_goal() -> None:
    split = made(48.0, 52.0, 20.0)["under-"]
    types = [o.type for o in split.objectives if o.structure == "PTV"]
    assert types == ["squared_underdose", "squared_overdose"]
    under, over = split.objectives[:2]
    assert under.weight == 4 * over.weight
    assert 50.0 < (under.dose_gy or 0) < (over.dose_gy or 0) < 55.0
    assert "under-" not in made(50.5, 52.0, 30.0)


def test_what_no_goal_asks_for_is_relaxed() -> None:
    (edit,) = edits.relaxed(CASE, results(48.0, 52.0, 20.0), START)
    assert by_label(edit.parameters) == {**by_label(START), "Body squared_overdose 30 Gy": 8.0}
    assert not list(edits.relaxed(CASE, results(50.5, 52.0, 20.0), START))


def effects(values: tuple[float, ...], per_doubling: list[list[float]]) -> Effects:
    none = np.zeros((3, 0))
    possible = tuple(replace(r, goal=replace(r.goal, least=math.nan)) for r in results(*values))
    return Effects(START, possible, np.array(per_doubling), np.zeros((3, 3)), (), none)


def test_what_does_nothing_or_hurts_is_left_out() -> None:
    idle = [[0.5, -0.3, 0.001], [0.5, -0.3, 0.001], [0.5, -1.0, 0.001]]
    (edit,) = edits.left_out(CASE, effects((51.0, 52.0, 24.0), idle))
    assert (edit.kind, edit.parameters.objectives) == ("left out what does nothing", START.objectives[:2])
    hurting = [[0.5, -0.3, -0.6], [0.5, -0.3, 0.2], [0.5, -1.0, 0.1]]
    (edit,) = edits.left_out(CASE, effects((49.0, 52.0, 24.0), hurting))
    assert (edit.kind, edit.parameters.objectives) == ("left out what hurts", START.objectives[:2])
    # Each pays: Core is missed, and both objectives lower it; what asks for dose stays, whatever it costs.
    paying = [[0.5, -0.3, -0.1], [0.5, -0.3, 0.2], [0.5, -1.0, -0.5]]
    assert not list(edits.left_out(CASE, effects((51.0, 52.0, 30.0), paying)))


def test_a_plan_that_meets_its_goals_is_not_edited_in_kind() -> None:
    assert made(50.5, 52.0, 20.0) == {}


def test_every_edit_is_a_plan_of_the_case() -> None:
    for parameters in made(48.0, 56.0, 30.0).values():
        assert parameters.checked(CASE) == parameters


@pytest.mark.parametrize(("dose", "lifts", "allowed"), [(2.0, False, 3.1), (1.0, False, 0.0), (1.0, True, 3.1)])
def test_doses_that_would_be_taken_for_those_of_a_fraction_are_moved(dose: float, lifts: bool, allowed: float) -> None:
    found = edits.allowed_dose(dose, lifts, START)
    assert found == pytest.approx(allowed, abs=0.05)
