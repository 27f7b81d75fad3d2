"""Objectives that are not convex: a local optimum, found from the convex one, with a bound that holds for all plans."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.planning_problems import dense, parameters, random_case, value
from tgsci_radiotherapy.planner import Planner
from tgsci_radiotherapy.planner.penalties import DoseVolume

OTHERS = [("PTV", "squared_deviation", 50, 100), ("Body", "squared_overdose", 30, 100)]


@pytest.mark.parametrize(
    "objective",
    [
        ("Core", "max_dvh", 15, 300, 20),
        ("PTV", "min_dvh", 51, 300, 95),
        ("ring(PTV, 1 mm, 9 mm) - Core", "max_dvh", 20, 300, 30),
    ],
    ids=lambda o: o[1],
)
def test_it_does_its_work_and_the_others_bound_it(objective) -> None:
    case = small_case()
    solver = Planner(case)
    plain, wanted = solver.solve(parameters(*OTHERS), gap=1e-4), parameters(*OTHERS, objective)
    plan = solver.solve(wanted)
    assert plan.converged
    assert not plan.convex
    assert "local optimum" in plan.certificate
    # The bound is that of the others, for all that it is worth.
    assert 0.98 * plain.value <= plan.bound <= plain.value
    assert plan.gap == pytest.approx((plan.value - plan.bound) / plan.value)
    assert f"more than {100 * plan.gap:.2g}%" in plan.certificate
    name, kind, dose, *_ = objective

    def share(some) -> float:
        return 100 * float(np.mean(some.dose[case.own(name)] >= dose))

    if kind == "max_dvh":
        assert share(plan) < share(plain) - 5
    else:
        assert share(plan) > share(plain) + 5
    assert plan.value == pytest.approx(sum(plan.terms.values()))
    assert plan.value < value(case, wanted, plain.fluence)
    # From another plan, and with another one solved in between, it is the same each time.
    again, other = Planner(case), solver.solve(parameters(*OTHERS, ("Core", "mean", None, 1)))
    warm = solver.solve(wanted, start=plain)
    assert (warm.fluence == again.solve(wanted, start=plain).fluence).all()
    assert warm.value == pytest.approx(plan.value, rel=0.02)
    assert other.convex


def test_it_is_no_worse_than_with_no_voxel_let_off() -> None:
    """Without what limits a target's dose the convex optimum is far away: not where the choice is to begin."""
    case = small_case()
    asked = [("PTV", "squared_underdose", 50, 3000), ("Core", "mean", None, 20), ("Body", "squared_overdose", 40, 10)]
    solver = Planner(case)
    wanted = parameters(*asked, ("PTV", "max_dvh", 52, 1500, 10))
    none_off = solver.solve(parameters(*asked, ("PTV", "squared_overdose", 52, 1500)))
    assert solver.solve(wanted).value <= value(case, wanted, none_off.fluence) * 1.01


def test_nothing_is_proven_where_nothing_else_asks_for_dose() -> None:
    case = small_case()
    plan = Planner(case).solve(parameters(("PTV", "min_dvh", 50, 100, 90), ("Body", "squared_overdose", 20, 10)))
    assert plan.converged
    assert plan.bound == 0
    assert "not known" in plan.certificate
    assert np.quantile(plan.dose[case.own("PTV")], 0.1) > 45


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("kind", "dose", "volume"), [("max_dvh", 10, 25), ("min_dvh", 55, 75)])
def test_the_bound_is_below_the_best_of_all_choices(seed, kind, dose, volume) -> None:
    case = random_case(seed, beamlets=6, voxels=18)
    name = "OAR" if kind == "max_dvh" else "PTV"
    wanted = parameters(
        ("PTV", "squared_deviation", 50, 10), ("OAR", "squared_overdose", 30, 3), (name, kind, dose, 20, volume)
    )
    plan = Planner(case).solve(wanted, gap=1e-4)
    matrix, rows = dense(case), np.arange(case.dij.rows)[case.own(name)]
    target, organ = matrix[case.own("PTV")], matrix[case.own("OAR")]
    kept = int(0.75 * (len(rows) - 1)) + 1
    sign = 1.0 if kind == "max_dvh" else -1.0

    def best_with(chosen: np.ndarray) -> float:
        def evaluate(x):
            away, over = target @ x - 50, np.maximum(organ @ x - 30, 0)
            more = np.maximum(sign * (matrix[chosen] @ x - dose), 0)
            parts = 10 / len(target), 3 / len(organ), 20 / len(rows)
            gradient = 2 * (
                parts[0] * away @ target + parts[1] * over @ organ + sign * parts[2] * more @ matrix[chosen]
            )
            return parts[0] * away @ away + parts[1] * over @ over + parts[2] * more @ more, gradient

        found = minimize(evaluate, plan.fluence, jac=True, method="L-BFGS-B", bounds=[(0, None)] * 6)
        return float(found.fun)

    best = min(best_with(np.array(chosen)) for chosen in combinations(rows.tolist(), kept))
    assert plan.bound <= best * (1 + 1e-6)
    assert plan.value >= best * (1 - 1e-3)
    # It is the best one for its own choice.
    order = np.argsort(sign * (matrix[rows] @ plan.fluence), kind="stable")
    assert plan.value == pytest.approx(best_with(rows[order[:kept]]), rel=5e-3)


@settings(max_examples=60, deadline=None)
@given(
    doses=st.lists(st.floats(0, 80), min_size=1, max_size=12, unique=True),
    others=st.lists(st.floats(0, 80), min_size=12, max_size=12),
    volume=st.integers(0, 100),
    kind=st.sampled_from(["max_dvh", "min_dvh"]),
)
def test_a_majorant_is_nowhere_below_and_touches(doses, others, volume, kind) -> None:
    volume = min(volume, 99) if kind == "max_dvh" else max(volume, 1)
    (objective,) = parameters(("PTV", kind, 40, 3, volume)).objectives
    dose, other = np.array(doses), np.array(others[: len(doses)])
    exact = DoseVolume(objective, slice(0, len(dose)))
    majorant = exact.majorant(dose)

    def of(d: np.ndarray) -> float:
        return majorant.slopes(d, np.zeros(len(d)))

    assert of(dose) == pytest.approx(exact.value_slope(dose)[0], abs=1e-12)
    if len(set(others)) == len(others):  # equal doses at the edge are all counted
        assert of(other) >= exact.value_slope(other)[0] - 1e-9
    assert exact.majorant(None).slopes(other, np.zeros(len(other))) >= of(other) - 1e-9
