"""Sensitivities agree with plans that were solved again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.planning_problems import parameters
from tgsci_radiotherapy.planner import Planner

USUAL = parameters(
    ("PTV", "squared_deviation", 51.5, 1000),
    ("PTV", "squared_underdose", 50, 500),
    ("Core", "squared_overdose", 18, 300),
    ("Body", "squared_overdose", 30, 100),
    ("Core", "mean", None, 50),
)
WITH_EUD = parameters(
    ("PTV", "squared_deviation", 51.5, 1000),
    ("PTV", "eud", 51, 500, None, -8),
    ("Core", "eud", 15, 100, None, 5),
    ("Body", "squared_overdose", 30, 100),
)


@dataclass(frozen=True)
class Weighted:
    """A linear figure of a dose: the mean, or one that looks at part of the voxels."""

    power: float

    def gradient(self, dose):
        weights = np.linspace(0.1, 1, len(dose)) ** self.power
        return weights / weights.sum()

    def value(self, dose):
        return float(self.gradient(dose) @ dose)


METRICS = [
    ("PTV", Weighted(0)),
    ("PTV", Weighted(4)),
    ("Core", Weighted(0)),
    ("Core", Weighted(2)),
    ("Body", Weighted(0)),
]


@pytest.mark.parametrize("wanted", [USUAL, WITH_EUD], ids=["squared", "eud"])
def test_they_are_finite_differences_of_plans(wanted) -> None:
    case = small_case()
    solver = Planner(case)
    plan = solver.solve(wanted, gap=1e-8)
    found = solver.sensitivities(plan, METRICS)
    rows = [case.rows(name) for name, _ in METRICS]

    def figures(changed):
        again = solver.solve(changed, start=plan, gap=1e-8)
        return np.array(
            [metric.value(again.dose[r].astype(float)) for (_, metric), r in zip(METRICS, rows, strict=True)]
        )

    def agree(derivative, numeric) -> None:
        # 5%, or where a figure hardly moves, 5% of a tenth of what moves most.
        np.testing.assert_allclose(derivative, numeric, rtol=0.05, atol=0.005 * np.abs(numeric).max())

    for k, objective in enumerate(wanted.objectives):
        more, less = (wanted.replaced(k, weight=objective.weight * 2**step) for step in (0.02, -0.02))
        doublings = np.log2(more.objectives[k].weight / less.objectives[k].weight)
        agree(found.per_doubling[:, k], (figures(more) - figures(less)) / doublings)
        if objective.dose_gy is None:
            assert np.isnan(found.per_gray[:, k]).all()
        else:
            more, less = (wanted.replaced(k, dose_gy=objective.dose_gy + step) for step in (0.05, -0.05))
            agree(found.per_gray[:, k], (figures(more) - figures(less)) / 0.1)


def test_a_larger_weight_lets_its_own_objective_shrink() -> None:
    case = small_case()
    solver = Planner(case)
    plan = solver.solve(USUAL)
    found = solver.sensitivities(plan, [("Core", Weighted(0))])
    assert found.per_doubling.shape == found.per_gray.shape == (1, 5)
    assert found.per_doubling[0, 4] < 0  # weight of the core's mean dose
    assert found.per_doubling[0, 0] > 0  # weight of the target
    assert found.per_gray[0, 2] > 0  # more dose allowed to the core


def test_nothing_moves_what_nothing_changes() -> None:
    case = small_case()
    solver = Planner(case)
    plan = solver.solve(USUAL.replaced(2, weight=0))
    found = solver.sensitivities(plan, METRICS)
    assert (found.per_doubling[:, 2] == 0).all()
    assert (found.per_gray[:, 2] == 0).all()
    dark = solver.solve(parameters(("Core", "mean", None, 5)))
    assert (solver.sensitivities(dark, METRICS).per_doubling == 0).all()


def test_they_do_not_depend_on_what_was_solved_before() -> None:
    case = small_case()
    used = Planner(case)
    plan = used.solve(USUAL)
    used.solve(USUAL.replaced(3, weight=3000), start=plan)
    again = used.sensitivities(plan, METRICS)
    fresh = Planner(case)
    assert (again.per_doubling == fresh.sensitivities(plan, METRICS).per_doubling).all()
    # Just after the solve its own matrices serve: the same but for rounding.
    solved = used.solve(USUAL.replaced(3, weight=200), start=plan)
    own, summed = used.sensitivities(solved, METRICS), fresh.sensitivities(solved, METRICS)
    np.testing.assert_allclose(own.per_doubling, summed.per_doubling, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(own.per_gray, summed.per_gray, rtol=1e-3, atol=1e-4)


def test_objectives_can_be_tried_beside_a_plan() -> None:
    case = small_case()
    solver = Planner(case)
    start = solver.solve(USUAL)
    plan = solver.solve(USUAL.replaced(0, weight=900), start=start, gap=1e-8)
    weight = 1e-3
    tried = plan.parameters.with_objectives(parameters(("Body", "mean", None, weight)).objectives)
    found = solver.sensitivities(dataclasses.replace(plan, parameters=tried), METRICS)
    per_unit = found.per_doubling[:, 5] / (weight * np.log(2))
    added = plan.parameters.with_objectives(parameters(("Body", "mean", None, 2.0)).objectives)
    again = solver.solve(added, start=start, gap=1e-8)
    rows = [case.rows(name) for name, _ in METRICS]
    moved = [
        (metric.value(again.dose[r].astype(float)) - metric.value(plan.dose[r].astype(float))) / 2.0
        for (_, metric), r in zip(METRICS, rows, strict=True)
    ]
    np.testing.assert_allclose(per_unit, moved, rtol=0.05, atol=0.005 * np.abs(moved).max())


def test_dvh_objectives_have_them_too() -> None:
    case = small_case()
    solver = Planner(case)
    wanted = parameters(("PTV", "squared_deviation", 50, 100), ("Core", "max_dvh", 15, 300, 20))
    found = solver.sensitivities(solver.solve(wanted), [("Core", Weighted(0))])
    assert found.per_doubling[0, 1] < 0
    assert np.isfinite(found.per_gray).all()
