"""Measured plans as points, and the blend of their linear models."""

from __future__ import annotations

import numpy as np
import pytest

from tests.radiotherapy.goal_results import goal_result
from tgsci.feedback import Feedback
from tgsci.search.trial import Trial, Trials
from tgsci_radiotherapy.editor.surrogate import Surrogate, points, slots_of
from tgsci_radiotherapy.loss.effects import Effects
from tgsci_radiotherapy.plan import Objective, PlanParameters


def plan(number: int, parent: int | None, weight: float, value: float, slope: float = 2.0) -> Trial:
    """A plan with one goal, PTV D95% >= 50, and one weight besides the body's, which moves it by so much a doubling."""
    objectives = (
        Objective("PTV", "squared_deviation", 50.0, weight),
        Objective("Core", "squared_overdose", 20.0, 100.0),
        Objective("Body", "squared_overdose", 30.0, 100.0),
    )
    found = Effects(
        PlanParameters(objectives),
        (goal_result("PTV D95% >= 50 Gy", value),),
        np.array([[slope, -slope / 2, -slope / 2]]),
        np.zeros((1, 3)),
        (),
        np.zeros((1, 0)),
    )
    feedback = Feedback(max(0.0, 50 - value), artifacts={"sensitivities.json": found.text()})
    return Trial(number, number, PlanParameters(objectives).text(), parent=parent, feedback=feedback)


def test_the_blend_keeps_every_measured_plan_and_its_slopes() -> None:
    trials = Trials([plan(0, None, 100, 45.0), plan(1, 0, 400, 48.0, slope=1.0)])
    found = points(trials)
    blend = Surrogate.of(found, found[0].slots, 1.0)
    for point in found:
        values, slopes = blend.linear(point.place(found[0].slots))
        assert values == pytest.approx(point.effects.values, abs=1e-4)
        assert slopes[:, :3] == pytest.approx(point.effects.per_doubling, abs=1e-3)
    # Only ratios of weights count: the same plan, written with other weights.
    place = found[0].place(found[0].slots)
    doubled = place + np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    assert blend.predict(doubled) == pytest.approx(blend.predict(place), abs=1e-6)


def test_objectives_are_recognised_when_they_change_places() -> None:
    a, b = Objective("PTV", "squared_deviation", 50.0, 1.0), Objective("Core", "mean", None, 2.0)
    c = Objective("PTV", "squared_deviation", 52.0, 3.0)
    assert sorted(slots_of(PlanParameters((a, b, c))), key=str) == sorted(slots_of(PlanParameters((b, a, c))), key=str)
    assert len(set(slots_of(PlanParameters((a, b, c))))) == 3
