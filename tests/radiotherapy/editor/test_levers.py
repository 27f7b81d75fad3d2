"""Objectives through which a plan is steered, and how they are turned."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.planning_problems import parameters
from tgsci_radiotherapy.editor.levers import Lever, Setting, levers_of, missed_by
from tgsci_radiotherapy.goals import BoundSheet, GoalResult, default_parameters, parse_sheet
from tgsci_radiotherapy.goals.goal import parse_goal
from tgsci_radiotherapy.plan import PlanParameters

GOALS = (
    "PTV D95% >= 48 Gy, priority 1",
    "PTV HI <= 0.15, priority 2",
    "PTV CI >= 0.6, priority 2",
    "Core D10% <= 20 Gy, priority 2",
    "Core Dmean <= 15 Gy, priority 3",
    "Core gEUD(8) <= 25 Gy, priority 3",
    "Body V40Gy <= 10%, priority 4",
)


def bound(*goals: str):  # type: ignore[no-untyped-def]
    text = f"goals = {list(goals)!r}\nimplied = false\n[prescription]\nPTV = 50"
    return parse_sheet(text.replace("'", '"'), "mine").bind(small_case())


def levers(sheet: BoundSheet) -> list[Lever]:
    return levers_of(small_case(), sheet, default_parameters(small_case(), sheet))


def test_every_goal_has_a_lever_and_the_start_is_a_plan() -> None:
    sheet = bound(*GOALS)
    made = levers(sheet)
    assert {k for lever in made for k in lever.goals} == set(range(len(GOALS)))
    assert {lever.objective for lever in made if not lever.added} == {
        o for o in default_parameters(small_case(), sheet).objectives if o.kind.convex
    }
    plan = Setting.start(made).parameters(made, small_case(), {})
    assert PlanParameters.parse(plan.text(), small_case()) == plan


def test_a_goal_that_is_missed_is_pulled_harder_and_one_with_room_less() -> None:
    sheet = bound("PTV D95% >= 48 Gy", "Core D10% <= 20 Gy", "Core Dmean <= 15 Gy")
    only = parameters(("PTV", "squared_deviation", 50.0, 100.0))
    made = levers_of(small_case(), sheet, only)
    dose, limit, mean = (next(i for i, lever in enumerate(made) if k in lever.goals) for k in range(3))
    start = Setting.start(made)
    missed = [math.nan] * len(made)
    missed[dose], missed[limit], missed[mean] = 1.0, 0.5, 2.0
    turned = start.turned(made, missed, None, small_case())
    assert turned.doses[dose] > start.doses[dose]
    assert turned.doses[limit] < start.doses[limit]
    assert turned.weights[mean] > start.weights[mean]
    back = turned.turned(made, [-off for off in missed], None, small_case())
    assert start.doses[dose] <= back.doses[dose] < turned.doses[dose]
    assert turned.doses[limit] < back.doses[limit] <= start.doses[limit]
    assert back.weights[mean] < turned.weights[mean]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-60.0, 60.0), min_size=1, max_size=12))
def test_whatever_is_missed_the_levers_stay_a_plan(offs: list[float]) -> None:
    made = levers(bound(*GOALS))
    setting, last = Setting.start(made), None
    for off in offs:
        missed = [off] * len(made)
        setting, last = setting.turned(made, missed, last, small_case()), (setting, missed)
        plan = setting.parameters(made, small_case(), {})
        assert PlanParameters.parse(plan.text(), small_case()) == plan


@pytest.mark.parametrize(
    ("goal", "value", "missed"),
    [
        ("PTV D95% >= 48 Gy", 47.0, 1.0),
        ("Core D10% <= 20 Gy", 18.0, -2.0),
        ("Body V40Gy <= 10%", 12.0, 0.02 * 0.3 * 50.0),
        ("PTV HI <= 0.1", 0.2, 0.1 * 0.3 * 50.0),
        ("PTV D95% >= 48 Gy", math.nan, 5.0),
    ],
)
def test_how_far_a_goal_is_missed_in_gray(goal: str, value: float, missed: float) -> None:
    scale = 100.0 if "V40" in goal else 1.0
    assert missed_by(GoalResult(parse_goal(goal), value, scale), 50.0) == pytest.approx(missed)
