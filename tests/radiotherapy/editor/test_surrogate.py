"""Measured plans as points, and the blend of their linear models."""

from __future__ import annotations

import numpy as np
import pytest

from tests.radiotherapy.editor.runs import plan
from tgsci.search.trial import Trials
from tgsci_radiotherapy.editor.surrogate import Surrogate, points, slots_of
from tgsci_radiotherapy.plan import Objective, PlanParameters


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
