"""The loss of evaluated goals: one figure, lower is better."""

from __future__ import annotations

import math
from dataclasses import replace

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
