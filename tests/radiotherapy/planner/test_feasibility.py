"""Proofs that no fluence satisfies constraints, beside a linear program that knows."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import linprog

from tests.radiotherapy.planning_problems import dense, random_case
from tgsci_radiotherapy.planner import Planner
from tgsci_radiotherapy.planner.constraints import Constraint
from tgsci_radiotherapy.planner.feasibility import certify, prove, strongest


def least_violation(matrix: np.ndarray, constraints: list[Constraint]) -> float:
    """The least t for which a fluence satisfies all constraints with t Gy more in each: a linear program.

    Of spared voxels: sum max(+-(d - limit), 0) <= sum |spared - limit|, each excess a variable.
    """
    n = matrix.shape[1]
    sizes = [len(c.rows) if c.kind == "voxels" else 0 for c in constraints]
    total = n + sum(sizes) + 1
    left, right = [], []
    at = n
    for c, size in zip(constraints, sizes, strict=True):
        sign = 1.0 if c.upper else -1.0
        own = matrix[c.rows]
        if c.kind == "mean":
            row = np.zeros(total)
            row[:n], row[-1] = sign * own.mean(axis=0), -1.0
            left.append(row)
            right.append(sign * c.limit)
            continue
        for i in range(size):
            row = np.zeros(total)
            row[:n], row[at + i], row[-1] = sign * own[i], -1.0, -1.0
            left.append(row)
            right.append(sign * c.limit)
        row = np.zeros(total)
        row[at : at + size] = 1.0
        left.append(row)
        right.append(float(np.abs(np.asarray(c.spared) - c.limit).sum()))
        at += size
    cost = np.zeros(total)
    cost[-1] = 1.0
    result = linprog(cost, A_ub=np.array(left), b_ub=np.array(right), bounds=(0, None), method="highs")
    assert result.status == 0
    return float(result.fun)


def random_constraints(seed: int) -> tuple[Planner, np.ndarray, list[Constraint]]:
    """Goals of a random kind on a random case: dose for the target, less of it for the others."""
    rng = np.random.default_rng(seed)
    case = random_case(seed, beamlets=10, voxels=45)
    target, organ, body = (case.rows(name) for name in ("PTV", "OAR", "Body"))
    low, hot = 50.0, rng.uniform(60.0, 120.0)
    spare = int(rng.integers(0, 4))
    constraints = [
        Constraint("voxels", False, target, low, np.zeros(spare)),
        Constraint("voxels", True, body, hot),
        Constraint("mean", True, organ, rng.uniform(5.0, 45.0)),
        Constraint("voxels", True, organ, rng.uniform(20.0, 55.0), np.full(int(rng.integers(1, 5)), hot)),
    ]
    return Planner(case), dense(case), constraints


@pytest.mark.parametrize("seed", range(12))
def test_what_a_linear_program_calls_impossible_is_proven_and_nothing_else(seed: int) -> None:
    planner, matrix, constraints = random_constraints(seed)
    least = least_violation(matrix, constraints)
    verdict = prove(planner, constraints)
    if verdict.proof is not None:
        assert least > 0
        assert not verdict.possible
        assert 0 < verdict.proof.strength <= 1
    if least > 0.5:
        assert verdict.proof is not None
    if verdict.possible:
        assert least < 0.2


def test_both_come_up() -> None:
    """The seeds above hold problems of both kinds, well apart."""
    least = [least_violation(*random_constraints(seed)[1:]) for seed in range(12)]
    assert sum(t > 0.5 for t in least) >= 3
    assert sum(t == 0 for t in least) >= 3


@pytest.mark.parametrize("seed", range(6))
def test_no_weights_whatever_prove_a_possible_case_impossible(seed: int) -> None:
    """A proof does not depend on where its weights come from: of constraints that a dose satisfies there is none."""
    rng = np.random.default_rng(seed)
    case = random_case(seed)
    planner = Planner(case)
    dose = dense(case) @ rng.exponential(1.0, case.dij.beamlets)
    target, organ, body = (case.rows(name) for name in ("PTV", "OAR", "Body"))
    constraints = [
        Constraint("voxels", False, target, float(dose[target].min())),
        Constraint("voxels", True, body, float(dose.max())),
        Constraint("mean", True, organ, float(dose[organ].mean())),
        Constraint("eud", True, organ, float(np.mean(dose[organ] ** 4) ** 0.25), exponent=4.0),
    ]
    most = strongest(planner, constraints)
    for _ in range(200):
        weights = [rng.exponential(1.0, len(c.rows)) * rng.choice([0.0, 0.1, 1.0, 10.0]) for c in constraints]
        assert certify(planner.matrix, constraints, most, weights) is None
    assert prove(planner, constraints).proof is None


def test_a_beamlet_alone_stays_below_every_limit() -> None:
    planner, matrix, constraints = random_constraints(0)
    most = strongest(planner, constraints)
    body, organ = constraints[1], constraints[2]
    assert most == pytest.approx(
        np.minimum(
            body.limit / np.maximum(matrix[body.rows].max(axis=0), 1e-300),
            organ.limit / np.maximum(matrix[organ.rows].mean(axis=0), 1e-300),
        ),
        rel=1e-5,
    ) or np.isinf(most[-1])


def test_time_that_has_run_out_is_said() -> None:
    planner, _, constraints = random_constraints(0)
    verdict = prove(planner, constraints, deadline=time.monotonic())
    assert not verdict.finished
    assert prove(planner, []).possible
