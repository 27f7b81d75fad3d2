"""Convex constraints of the dose: no dose that meets a goal is left out, and supports bound it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgsci_radiotherapy.planner.constraints import Constraint


def constraint_met_by(dose: np.ndarray, kind: str, upper: bool, spare: int, exponent: float) -> Constraint:
    """The tightest constraint of a kind that a dose satisfies."""
    rows = np.arange(len(dose))
    if kind == "mean":
        return Constraint("mean", upper, rows, float(dose.mean()))
    if kind == "eud":
        value = float(np.mean(dose**exponent) ** (1 / exponent))
        return Constraint("eud", upper, rows, value, exponent=exponent)
    ordered = np.sort(dose)[::-1] if upper else np.sort(dose)
    return Constraint("voxels", upper, rows, float(ordered[spare]), ordered[:spare])


@pytest.mark.parametrize(
    ("kind", "upper", "exponent"),
    [
        ("voxels", True, 1.0),
        ("voxels", False, 1.0),
        ("mean", True, 1.0),
        ("mean", False, 1.0),
        ("eud", True, 1.0),
        ("eud", True, 8.0),
        ("eud", False, -10.0),
        ("eud", False, 0.5),
    ],
)
@settings(deadline=None)
@given(seed=st.integers(0, 10_000), spare=st.integers(0, 11))
def test_a_dose_that_meets_it_is_inside_and_within_every_support(
    kind: str, upper: bool, exponent: float, seed: int, spare: int
) -> None:
    rng = np.random.default_rng(seed)
    dose = rng.uniform(0.5, 70.0, 12)
    constraint = constraint_met_by(dose, kind, upper, spare, exponent)
    assert constraint.violation(dose, 1e-9) <= 1e-9
    weights = rng.exponential(1.0, 12) * (rng.random(12) < 0.7)
    reached, bound = float(weights @ dose), constraint.support(weights)
    assert reached <= bound * (1 + 1e-9) if upper else reached >= bound * (1 - 1e-9) - 1e-9


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_support_of_spared_voxels_is_reached(seed: int) -> None:
    """It is the best bound there is: a dose that the goal allows has it."""
    rng = np.random.default_rng(seed)
    weights = rng.exponential(1.0, 10)
    spared = np.array([70.0, 60.0, 60.0])
    constraint = Constraint("voxels", True, np.arange(10), 50.0, spared)
    dose = np.full(10, 50.0)
    dose[np.argsort(-weights)[:3]] = spared
    assert constraint.support(weights) == pytest.approx(weights @ dose)
    assert constraint.violation(dose, 1e-9) <= 1e-6


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), upper=st.booleans(), kind=st.sampled_from(["voxels", "mean", "eud"]))
def test_weights_are_the_slopes_of_the_violation(seed: int, upper: bool, kind: str) -> None:
    rng = np.random.default_rng(seed)
    dose, change = rng.uniform(20.0, 70.0, 12), rng.normal(size=12)
    exponent = 3.0 if upper else -3.0
    constraint = Constraint(kind, upper, np.arange(12), 45.0, exponent=exponent)  # type: ignore[arg-type]
    step = 1e-5
    ahead, behind = (constraint.violation(dose + sign * step * change, 2.0) for sign in (1, -1))
    slope = (1.0 if upper else -1.0) * float(constraint.weights(dose, 2.0) @ change)
    assert (ahead - behind) / (2 * step) == pytest.approx(slope, rel=1e-3, abs=1e-4)


def test_what_the_hottest_voxels_may_get() -> None:
    rows = np.arange(4)
    assert Constraint("voxels", True, rows, 50.0).hottest().tolist() == [50.0]
    spared = Constraint("voxels", True, rows, 50.0, np.array([60.0, 55.0]), (1, np.array([0.0, 5.0, 0.0, 1.0])))
    assert spared.hottest().tolist() == [65.0, 55.0, 50.0]
