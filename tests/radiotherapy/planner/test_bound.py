"""The lower bound is one: never above the optimum that a general solver finds, and near it for good multipliers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.radiotherapy.planning_problems import dense, optimum, parameters, random_case, value
from tgsci_radiotherapy.planner import Planner, bound
from tgsci_radiotherapy.planner.penalties import Penalty

_DOSE = st.floats(0.1, 80)
_WEIGHT = st.floats(0.01, 1000)
_SIDE = st.one_of(st.just(0.0), st.floats(0.05, 5))


@st.composite
def problems(draw):
    """A case and objectives of every convex squared type, several on one structure at times."""
    chosen = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["PTV", "OAR", "Body"]),
                st.sampled_from(["squared_deviation", "squared_overdose", "squared_underdose", "mean"]),
                _DOSE,
                _WEIGHT,
            ),
            min_size=1,
            max_size=5,
            unique_by=lambda o: o[:2],
        )
    )
    objectives = [(name, kind, None if kind == "mean" else dose, weight) for name, kind, dose, weight in chosen]
    return random_case(draw(st.integers(0, 999)), draw(st.integers(2, 10)), draw(st.integers(9, 30))), parameters(
        *objectives
    )


@settings(max_examples=40, deadline=None)
@given(problem=problems(), data=st.data())
def test_no_plan_is_below_the_bound(problem, data) -> None:
    case, wanted = problem
    best, x = optimum(case, wanted)
    solver = Planner(case)
    terms = solver.terms(wanted)
    # From any plan at all: good, bad, no dose.
    scale = data.draw(st.sampled_from([0.0, 0.3, 1.0, 1.001, 5.0]))
    full = dense(case)
    dose = (full @ (scale * x)).astype(np.float32)
    tolerance = 1e-6 * best + 1e-9 * value(case, wanted, 0 * x)
    assert bound.lower_bound(solver.matrix, terms, dose) <= best + tolerance
    ahead = full @ np.random.default_rng(0).standard_normal(len(x))
    assert bound.lower_bound(solver.matrix, terms, dose, ahead) <= best + tolerance
    # And that of the solver is near.
    plan = solver.solve(wanted, gap=1e-4)
    assert plan.bound <= best + tolerance
    assert plan.value <= best * (1 + 2e-4) + tolerance
    assert plan.gap <= 1e-4 or plan.value <= 1e-6 * value(case, wanted, 0 * x)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 99), dose=st.floats(5, 40), exponent=st.sampled_from([1, 3, 12]), weight=st.floats(0.1, 30))
def test_no_plan_is_below_the_bound_with_eud_objectives(seed, dose, exponent, weight) -> None:
    case = random_case(seed)
    wanted = parameters(
        ("PTV", "squared_deviation", 50, 10),
        ("OAR", "eud", dose, weight, None, exponent),
        ("PTV", "eud", 49, weight, None, -exponent),
    )
    plan = Planner(case).solve(wanted, gap=1e-3)
    rng = np.random.default_rng(seed)
    for size in (1e-3, 1e-2, 0.1, 1.0):
        for _ in range(20):
            other = np.maximum(plan.fluence * (1 + size * rng.standard_normal(len(plan.fluence))), 0)
            assert value(case, wanted, other) >= plan.bound * (1 - 1e-9)
    assert 0 <= plan.bound <= plan.value


@settings(max_examples=60, deadline=None)
@given(
    bends=st.lists(st.floats(0, 60), min_size=1, max_size=4, unique=True),
    weights=st.lists(st.tuples(_SIDE, _SIDE), min_size=4, max_size=4),
    multiplier=st.floats(-20, 20),
)
def test_the_conjugate_is_the_maximum(bends, weights, multiplier) -> None:
    over, under = np.array(weights[: len(bends)]).T
    assume(over.any() or under.any())
    p = Penalty("PTV", slice(0, 1), np.sort(bends), over, under)
    low, high = p.range
    multiplier = float(np.clip(multiplier, low, high))
    found = p.conjugate(np.array([multiplier]))
    # The maximum lies where phi' is the multiplier: at most 20 / (2 * 0.05) Gy from a bend.
    doses = np.concatenate([np.linspace(-300, 300, 6001), p.bends])
    away = doses[:, None] - p.bends
    phi = np.maximum(away, 0) ** 2 @ over + np.maximum(-away, 0) ** 2 @ under
    tried = float((multiplier * doses - phi).max())
    assert found >= tried - 1e-9 * max(1, abs(tried))
    # Between two of the doses tried the maximum is higher by no more than the curvature allows.
    assert found <= tried + p.stiffness.max() * 0.1**2 + 1e-9 * max(1, abs(tried))
