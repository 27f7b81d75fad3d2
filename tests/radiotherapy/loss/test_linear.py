"""The best step and the conflict of goals, by linear programmes on the sensitivities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.radiotherapy.goal_results import AGAINST, effects
from tgsci_radiotherapy.loss import linear


def test_a_linear_step_meets_what_can_be_met_with_the_least_change() -> None:
    reachable = effects(("PTV D95%", 49.5, 50.0, True, [1.0, -0.1]), ("Core D10%", 20.0, 25.0, False, [0.5, -0.5]))
    step = linear.best_step(reachable, linear.Region(2.0, 1.0))
    assert step.predicted[0] == pytest.approx(50.0 + linear.AIM * 50.0, abs=1e-6)
    assert step.doublings[0] == pytest.approx(0.7, abs=0.01)
    assert step.doublings[1] == pytest.approx(0.0, abs=1e-6)


def test_a_step_never_leaves_its_region_nor_makes_a_dose_negative() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        k = rng.normal(size=(2, 2))
        found = replace(AGAINST, per_doubling=k, per_gray=3 * rng.normal(size=(2, 2)))
        region = linear.Region(float(rng.uniform(0.1, 3)), float(rng.uniform(1, 60)))
        step = linear.best_step(found, region)
        assert np.abs(step.doublings).max() <= region.doublings + 1e-9
        assert np.abs(step.grays).max() <= region.grays + 1e-9
        assert (np.array([50.0, 20.0]) + step.grays >= -1e-9).all()
