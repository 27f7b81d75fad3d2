"""Passes over the matrix, penalties and their derivatives, beside the same in plain numpy."""

from __future__ import annotations

import dataclasses

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.planning_problems import dense, parameters, random_case, value
from tgsci_radiotherapy.planner import kernels
from tgsci_radiotherapy.planner.kernels import LANES
from tgsci_radiotherapy.planner.matrix import Matrix
from tgsci_radiotherapy.planner.penalties import equivalent_dose
from tgsci_radiotherapy.planner.planner import Planner

TYPES = [
    ("PTV", "squared_deviation", 50, 3),
    ("PTV", "squared_underdose", 60, 3),
    ("OAR", "squared_overdose", 10, 2),
    ("OAR", "mean", None, 2),
    ("PTV", "eud", 60, 2, None, -8),
    ("OAR", "eud", 5, 2, None, 1),
    ("OAR", "eud", 5, 2, None, 6),
    ("OAR", "max_dvh", 5, 2, 30),
    ("PTV", "min_dvh", 60, 2, 60),
]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), beamlets=st.sampled_from([1, 2, 7, 8, 9, 33]), voxels=st.integers(6, 50))
def test_passes_are_those_of_the_matrix(seed, beamlets, voxels) -> None:
    case = random_case(seed, beamlets, voxels)
    rng = np.random.default_rng(seed)
    matrix, full = Matrix(case.dij), dense(case)
    x, pull = rng.random(beamlets), rng.standard_normal(voxels) * (rng.random(voxels) < 0.5)
    np.testing.assert_allclose(matrix.dose(x), full @ x, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(matrix.dose(x, exact=True), full @ x, rtol=1e-12)
    np.testing.assert_allclose(matrix.transposed(pull), full.T @ pull, rtol=1e-10, atol=1e-12)
    rows = np.flatnonzero(rng.random(voxels) < 0.5)
    weights = np.zeros(voxels)
    weights[rows] = rng.standard_normal(len(rows))
    for places in (None, np.stack(np.unravel_index(np.arange(voxels), (2, 5, 5)), axis=1)):
        total = np.ones((beamlets + LANES,) * 2, np.float32, order="F")
        Matrix(case.dij, places).add_gram(weights, total)
        total = total[:beamlets, :beamlets]
        np.testing.assert_allclose(np.tril(total), np.tril(1 + full.T @ (weights[:, None] * full)), atol=1e-4)


def test_threads_share_a_hessian_and_do_not_change_it(monkeypatch) -> None:
    case = random_case(5, beamlets=40, voxels=2400)
    matrix, weights = Matrix(case.dij), np.random.default_rng(0).standard_normal(2400)
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
        total = np.zeros((40 + LANES,) * 2, np.float32, order="F")
        matrix.add_gram(weights, total)
        found.append(total)
    assert (found[0] == found[1]).all()
    full = dense(case)
    np.testing.assert_allclose(
        np.tril(found[0][:40, :40]), np.tril(full.T @ (weights[:, None] * full)), rtol=1e-3, atol=5e-3
    )


def test_no_two_threads_add_to_the_same_element() -> None:
    # Threads are at different groups of voxels at a time: what one adds while another does would be lost. Each group
    # has its own band of columns here, so that their blocks would begin anywhere.
    case = random_case(0, beamlets=200, voxels=600)
    shift = np.random.default_rng(0).integers(0, 150, 15).repeat(40)
    row = np.repeat(np.arange(600), np.diff(case.dij.starts))
    band = case.dij.columns < 30
    starts = np.concatenate([[0], np.cumsum(np.bincount(row[band], minlength=600))])
    columns = (case.dij.columns[band] + shift[row[band]]).astype(np.uint16)
    matrix = Matrix(dataclasses.replace(case.dij, starts=starts, columns=columns, values=case.dij.values[band]))
    weights, rows, ends = np.ones(600), np.arange(600), np.arange(40, 601, 40)
    changed = []
    for part in range(3):
        total = np.zeros((200 + LANES,) * 2, np.float32, order="F")
        kernels.gram(*matrix.arrays, rows, ends, weights, part, 3, total)
        changed.append(total != 0)
    assert np.sum(changed, axis=0).max() == 1


def test_columns_in_any_order_and_given_twice() -> None:
    case = random_case(3, beamlets=20)
    dij = case.dij
    columns, values = dij.columns.copy(), dij.values.copy()
    for row in range(dij.rows):
        entries = slice(dij.starts[row], dij.starts[row + 1])
        columns[entries], values[entries] = columns[entries][::-1], values[entries][::-1]
    twice = dataclasses.replace(
        dij,
        starts=2 * dij.starts,
        columns=np.repeat(columns, 2),
        values=np.repeat(values / 2, 2),
    )
    x = np.random.default_rng(0).random(20)
    np.testing.assert_allclose(Matrix(twice).dose(x), dense(case) @ x, rtol=1e-5)


def test_runs_of_neighbours_are_stored_without_their_columns() -> None:
    case = random_case(0, beamlets=64, voxels=30)
    matrix = Matrix(case.dij)
    blocks = matrix.nbytes / (4 * LANES + 2)
    assert blocks < case.dij.nonzeros / 4


@pytest.mark.parametrize("objective", TYPES, ids=lambda o: f"{o[1]}{o[5] if len(o) > 5 else ''}")
def test_values_and_gradients_of_each_type(objective) -> None:
    case = random_case(7, beamlets=9, voxels=60)
    wanted = parameters(objective)
    solver = Planner(case)
    terms = solver.terms(wanted)
    full = dense(case)
    x = np.random.default_rng(1).uniform(5, 15, 9)

    def objective_of(x: np.ndarray) -> float:
        return terms.slopes(full @ x)[0] + float(terms.linear @ x)

    assert objective_of(x) == pytest.approx(value(case, wanted, x))
    assert objective_of(x) > 0
    gradient = full.T @ terms.slopes(full @ x)[1] + terms.linear
    for j in range(9):
        step = np.zeros(9)
        step[j] = 1e-5
        numeric = (objective_of(x + step) - objective_of(x - step)) / 2e-5
        assert gradient[j] == pytest.approx(numeric, rel=1e-5, abs=1e-6)
    if not terms.pooled:
        fused, fused_gradient = solver.matrix.value_gradient(terms, x)
        assert fused == pytest.approx(objective_of(x), rel=1e-5)
        np.testing.assert_allclose(fused_gradient, gradient, rtol=1e-4)


def test_thinned_rows_count_for_the_others() -> None:
    case = random_case(7, beamlets=9, voxels=60)
    solver = Planner(case)
    terms = solver.terms(parameters(("Body", "squared_overdose", 1, 3), ("PTV", "squared_deviation", 50, 5)))
    x = np.ones(9)
    full = dense(case)
    body = (full[case.own("Body")] @ x)[::4]
    target = full[case.own("PTV")] @ x
    value_, _ = solver.matrix.value_gradient(terms, x, {"Body": 4})
    expected = 4 * 3 * np.sum(np.maximum(body - 1, 0) ** 2) / len(full[case.own("Body")])
    assert value_ == pytest.approx(expected + 5 * np.mean((target - 50) ** 2), rel=1e-6)


@settings(deadline=None)
@given(
    doses=st.lists(st.floats(0, 80), min_size=1, max_size=20),
    exponent=st.sampled_from([1.0, 2.0, 8.0, 50.0, -1.0, -10.0, -50.0]),
)
def test_equivalent_doses(doses, exponent) -> None:
    dose = np.array(doses)
    eud, slope = equivalent_dose(dose, exponent)
    assert np.isfinite(eud)
    assert np.isfinite(slope).all()
    assert dose.min() * (1 - 1e-9) <= eud <= dose.max() * (1 + 1e-9)
    assert slope @ dose == pytest.approx(eud, rel=1e-6, abs=1e-9)  # Euler, for a homogeneous function
    other = np.roll(dose, 1)
    tangent = slope @ other
    their = equivalent_dose(other, exponent)[0]
    assert their >= tangent - 1e-6 if exponent >= 1 else their <= tangent + 1e-6
