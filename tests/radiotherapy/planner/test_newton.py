"""The quadratic programs of Newton's steps, and factors that serve nearby sets of variables, beside dense algebra."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from tgsci_radiotherapy.planner.newton import Factor, Program


def _problem(seed: int, n: int):
    """A positive definite matrix with a diagonal near 1, a gradient, and a point with some variables at 0."""
    rng = np.random.default_rng(seed)
    rows = rng.random((2 * n, n)) * (rng.random((2 * n, n)) < 0.5)
    full = rows.T @ rows
    root = np.sqrt(np.diag(full) + 1e-3)
    full = full / root[:, None] / root + 1e-2 * np.eye(n)
    point = np.maximum(rng.standard_normal(n), 0)
    # The upper triangle is never read: it holds nan.
    lower = np.asfortranarray(np.tril(full) + np.triu(np.full((n, n), np.nan), 1), np.float32)
    return full, lower, rng.standard_normal(n), point, rng


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40))
def test_a_step_is_the_best_one(seed, n) -> None:
    full, lower, gradient, point, rng = _problem(seed, n)
    program = Program(lower, np.empty(n * n, np.float32), gradient.astype(np.float32), point.astype(np.float32))
    solved = program.solve(rng.random(n) < 0.5)
    if solved is None:  # it cycles: the caller makes the diagonal larger
        return
    step, free = solved

    def evaluate(s):
        return float(gradient @ s + s @ full @ s / 2), gradient + full @ s

    best = minimize(evaluate, step, jac=True, method="L-BFGS-B", bounds=[(-p, None) for p in point]).fun
    assert (point + step >= -1e-6).all()
    assert evaluate(step)[0] <= best + 1e-4 * (1 + abs(best))
    np.testing.assert_allclose((point + step)[~free], 0, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 40), share=st.floats(0, 1))
def test_a_factor_serves_other_variables_as_well(seed, n, share) -> None:
    full, lower, right, fixed, rng = _problem(seed, n)
    factor = Factor.of(lower, rng.random(n) < 0.6, np.empty(n * n, np.float32))
    assert factor is not None
    for _ in range(3):
        free = factor.free ^ (rng.random(n) < share)
        out = factor.free & ~free
        own, other = factor.solve(free, right.astype(np.float32), fixed.astype(np.float32))
        expected = np.zeros(n)
        expected[out] = fixed[out]
        index = np.flatnonzero(free)
        expected[index] = np.linalg.solve(full[np.ix_(index, index)], (right - full @ expected)[index])
        np.testing.assert_allclose(own, expected[factor.free], rtol=2e-2, atol=2e-3)
        np.testing.assert_allclose(other, expected[free & ~factor.free], rtol=2e-2, atol=2e-3)
