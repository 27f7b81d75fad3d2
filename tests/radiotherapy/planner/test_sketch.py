"""Rough solves beside exact ones."""

from __future__ import annotations

import numpy as np

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.planning_problems import parameters
from tgsci_radiotherapy.planner.recent import planner_of
from tgsci_radiotherapy.planner.sketch import sketch

PLAN = (
    ("PTV", "squared_deviation", 50.0, 300.0),
    ("Core", "squared_overdose", 20.0, 100.0),
    ("Core", "mean", None, 5.0),
    ("Body", "squared_overdose", 30.0, 30.0),
)


def worth(plan, x: np.ndarray) -> float:  # type: ignore[no-untyped-def]
    planner = planner_of(small_case())
    terms = planner.terms(plan)
    return float(terms.slopes(planner.dose(x).astype(float))[0] + terms.linear @ x)


def test_a_rough_solve_comes_near_the_optimum() -> None:
    planner, plan = planner_of(small_case()), parameters(*PLAN)
    best = planner.solve(plan, gap=1e-4).value
    rough = sketch(planner, plan, None, 60)
    assert (rough >= 0).all()
    assert best * (1 - 1e-4) <= worth(plan, rough) <= 1.02 * best
    other = parameters(("PTV", "squared_deviation", 52.0, 300.0), *PLAN[1:])
    assert worth(other, sketch(planner, other, rough, 60)) <= 1.02 * planner.solve(other, gap=1e-4).value


def test_beamlets_stay_useful_where_a_region_limits_the_dose_of_a_target_too() -> None:
    """A penalty on all targets must not hide that one of them asks for dose."""
    planner = planner_of(small_case())
    plan = parameters(("PTV", "squared_underdose", 50.0, 300.0), ("[targets]", "squared_overdose", 53.0, 100.0))
    assert planner.terms(plan).useful(planner.matrix).any()
    assert sketch(planner, plan, None, 60).any()


def test_voxels_that_a_dvh_objective_lets_off_are_chosen_at_the_start() -> None:
    planner = planner_of(small_case())
    plan = parameters(*PLAN[:2], ("Core", "max_dvh", 10.0, 50.0, 20.0))
    x = sketch(planner, plan, sketch(planner, parameters(*PLAN), None, 60), 40)
    assert np.isfinite(x).all()
    assert x.any()
