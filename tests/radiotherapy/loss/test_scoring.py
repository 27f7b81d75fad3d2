"""The loss of evaluated goals: one figure, lower is better."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.radiotherapy.goal_results import goal_result
from tgsci_radiotherapy.goals.goal import parse_goal
from tgsci_radiotherapy.goals.table import GoalResult, scale_of
from tgsci_radiotherapy.loss import scoring

EASIER = "tg119-easier"


results = st.builds(
    lambda value, limit, comparison, priority, scale: GoalResult(
        replace(parse_goal("PTV D95% >= 50 Gy"), comparison=comparison, limit=limit, priority=priority), value, scale
    ),
    value=st.floats(0, 100),
    limit=st.floats(1, 100),
    comparison=st.sampled_from([">=", "<="]),
    priority=st.integers(1, 5),
    scale=st.floats(1, 100),
)


@given(st.lists(results, min_size=1, max_size=6))
def test_the_loss_is_above_0_exactly_where_a_goal_is_missed(found: list[GoalResult]) -> None:
    loss = scoring.loss(found)
    assert (loss > 0) == any(not w.met for w in found)
    assert loss >= -1


@given(st.lists(results, min_size=1, max_size=6), st.data())
def test_a_better_value_never_costs(found: list[GoalResult], data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(found) - 1))
    by = data.draw(st.floats(0, 50))
    better = [replace(w, value=w.value + w.goal.sign * by) if j == i else w for j, w in enumerate(found)]
    assert scoring.loss(better) <= scoring.loss(found) + 1e-9


def test_a_goal_of_higher_priority_counts_more() -> None:
    first, second = (goal_result("PTV D95% >= 50 Gy", 49.0, priority=p) for p in (1, 2))
    met, met_second = (goal_result("PTV D98% >= 50 Gy", 60.0, priority=p) for p in (1, 2))
    assert scoring.loss([first, met_second]) > scoring.loss([second, met])
    assert scoring.loss([goal_result("PTV D95% >= 50 Gy", math.nan)]) > 100.0
    assert scoring.loss([]) == 0.0


def test_scales_make_a_gray_a_gray() -> None:
    scales = {
        "PTV D95% >= 10 Gy": 50.0,
        "PTV D95% >= 50 Gy": 50.0,
        "Core V20Gy <= 15%": 100.0,
        "Core V20Gy <= 3 cc": 3.0,
        "PTV HI <= 0.1": 1.0,
    }
    assert {text: scale_of(parse_goal(text), 50.0) for text in scales} == scales


def _with(result: GoalResult, **changes: Any) -> GoalResult:
    return replace(result, goal=replace(result.goal, **changes))


@given(st.lists(results, min_size=2, max_size=8), st.data())
def test_no_gain_below_is_worth_a_goal_that_is_lost(found: list[GoalResult], data: st.DataObject) -> None:
    """One goal goes from met to missed, within its tolerance or beyond; every goal of lower priority gets perfect."""
    i = data.draw(st.integers(0, len(found) - 1))
    one = found[i]
    by = data.draw(st.floats(scoring.LOST, 0.5)) * one.scale
    met = replace(one, value=one.goal.limit)
    lost = replace(one, value=one.goal.limit - one.goal.sign * by)
    tolerance = data.draw(st.sampled_from([0.0, one.scale]))
    met, lost = _with(met, tolerance=tolerance), _with(lost, tolerance=tolerance)
    if abs(lost.relative_margin) < scoring.LOST * (1 + 1e-9):
        return
    before = [met if j == i else r for j, r in enumerate(found)]
    after = [
        lost if j == i else replace(r, value=r.goal.limit + 1e3 * r.goal.sign * r.scale)
        if r.goal.priority > one.goal.priority else r
        for j, r in enumerate(found)
    ]  # fmt: skip
    assert scoring.loss(after) > scoring.loss(before)


def test_a_hair_does_not_decide() -> None:
    hair = goal_result("PTV D95% >= 50 Gy", 49.999)
    assert scoring.lost(hair) == 0.0
    assert scoring.lost(goal_result("PTV D95% >= 50 Gy", 49.9)) == 1.0
    others = [goal_result("Core D10% <= 25 Gy", 26.0, priority=p) for p in (2, 3, 4)]
    met = [goal_result("Core D10% <= 25 Gy", 24.0, priority=p) for p in (2, 3, 4)]
    assert scoring.loss([hair, *met]) < scoring.loss([replace(hair, value=50.0), *others])


def test_within_tolerance_a_goal_costs_two_thirds() -> None:
    near = goal_result("PTV D95% >= 50 Gy, tolerance 1 Gy", 49.5)
    assert scoring.lost(near) == scoring.TOLERATED
    assert scoring.lost(replace(near, value=48.0)) == 1.0


def test_once_all_is_met_lower_organs_are_better_and_the_targets_are_held() -> None:
    target = goal_result("PTV D95% >= 50 Gy", 50.5)
    organ = _with(goal_result("Core Dmean <= 25 Gy", 20.0, priority=2), spares=True)
    here = scoring.loss([target, organ])
    assert -1 < here < 0
    lower, hotter = replace(organ, value=19.0), replace(target, value=51.5)
    assert scoring.loss([target, lower]) < scoring.loss([hotter, organ]) < here


def test_what_the_targets_forbid_counts_as_room_above_the_least() -> None:
    target = goal_result("PTV D95% >= 50 Gy", 50.5)
    parotid = _with(goal_result("Parotid Dmean <= 26 Gy", 40.0, priority=2), spares=True, least=33.0)
    assert scoring.relative_shortfall(parotid) == 0.0
    assert -1 < scoring.loss([target, parotid]) < 0
    assert scoring.loss([target, replace(parotid, value=36.0)]) < scoring.loss([target, parotid])
    missed = replace(target, value=48.0)
    assert scoring.loss([missed, replace(parotid, value=33.0)]) > scoring.loss([target, replace(parotid, value=60.0)])


def test_no_dose_at_all_is_no_way_to_meet_goals() -> None:
    organs = [goal_result(f"Organ{i} Dmean <= 20 Gy", 0.0, priority=1) for i in range(3)]
    none = [goal_result("PTV D95% >= 50 Gy", 0.0), *organs]
    treated = [goal_result("PTV D95% >= 50 Gy", 47.0), *(replace(o, value=24.0) for o in organs)]
    assert scoring.loss(none) > scoring.loss(treated)


def test_the_loss_is_explained_with_every_weight() -> None:
    found = [goal_result("PTV D95% >= 50 Gy", 48.0), _with(goal_result("PTV CI >= 0.7", 0.6, 1.0, 5), implied=True)]
    head, first, second, left = scoring.explain(found)
    assert "C is P1 27, P4 1, implied 0.333" in head
    assert first.startswith("- PTV D95% >= 50 Gy (P1): 27 x (1 + ")
    assert "(implied): 0.333 x (1 + " in second
    assert left.startswith("- room")
    assert scoring.explain([]) == []
    (met,) = scoring.explain([goal_result("PTV D95% >= 50 Gy", 55.0)])
    assert "minus the room" in met
