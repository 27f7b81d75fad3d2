"""Small planning problems whose optimum a general solver finds, and random ones."""

from __future__ import annotations

import numpy as np
import piqp

from tgsci_radiotherapy.case.model import Case, Dij, Grid, Structure, own_rows
from tgsci_radiotherapy.plan import Objective, PlanParameters


def parameters(*objectives: tuple) -> PlanParameters:
    """Parameters from (structure, type, dose, weight, volume, exponent) tuples; the last two may be left out."""
    return PlanParameters(tuple(Objective(*objective) for objective in objectives))


def dense(case: Case) -> np.ndarray:
    """The dose-influence matrix with its zeros, float64."""
    out = np.zeros((case.dij.rows, case.dij.beamlets))
    for row in range(case.dij.rows):
        entries = slice(case.dij.starts[row], case.dij.starts[row + 1])
        np.add.at(out[row], case.dij.columns[entries], case.dij.values[entries].astype(float))
    return out


def random_case(seed: int, beamlets: int = 8, voxels: int = 40) -> Case:
    """A target, an organ that overlaps it and the body; entries at random, one beamlet that touches nothing."""
    rng = np.random.default_rng(seed)
    grid = Grid((1, 1, voxels), (5.0, 5.0, 5.0))
    third = voxels // 3
    structures = (
        Structure("PTV", "target", np.arange(third, dtype=np.int32), 1.0, 50.0),
        Structure("OAR", "oar", np.arange(third - 2, 2 * third, dtype=np.int32), 1.0),
        Structure("Body", "external", np.arange(voxels, dtype=np.int32), 1.0),
    )
    matrix = rng.uniform(0.1, 1.0, (voxels, beamlets)) * (rng.random((voxels, beamlets)) < 0.6)
    matrix[:third, 0] += 0.5
    matrix[:, -1] = 0.0
    rows, order = own_rows(structures, grid)
    matrix = matrix[rows].astype(np.float32)
    filled = matrix != 0
    dij = Dij(
        starts=np.concatenate([[0], np.cumsum(filled.sum(axis=1))]).astype(np.int64),
        columns=np.nonzero(filled)[1].astype(np.uint16),
        values=matrix[filled],
        beamlets=beamlets,
        beams=np.zeros(beamlets, np.int16),
    )
    return Case("random", grid, structures, dij, rows, order, 25)


def optimum(case: Case, plan_parameters: PlanParameters) -> tuple[float, np.ndarray]:
    """Least objective and its fluence by piqp, for squared and mean objectives.

    Each penalty gets a variable for its excess: s = d - ref (deviation), s >= d - ref or s >= ref - d, s >= 0.
    """
    matrix = dense(case)
    n = case.dij.beamlets
    linear = np.zeros(n)
    blocks = []
    for objective in plan_parameters.objectives:
        own = matrix[case.own(objective.structure)]
        if objective.type == "mean":
            linear += objective.weight * own.mean(axis=0)
            continue
        sign = -1.0 if objective.type == "squared_underdose" else 1.0
        equal = objective.type == "squared_deviation"
        blocks.append((sign * own, sign * objective.dose_gy, objective.weight / len(own), equal))
    sizes = [len(block[0]) for block in blocks]
    total = n + sum(sizes)
    weights = np.concatenate([np.zeros(n), *(np.full(len(own), 2 * weight) for own, _, weight, _ in blocks)])
    equations, inequalities, right, limits = [], [], [], []
    lower = np.zeros(total)
    at = n
    for (own, reference, _, equal), size in zip(blocks, sizes, strict=True):
        row = np.zeros((size, total))
        row[:, :n] = own
        row[:, at : at + size] = -np.eye(size)
        (equations if equal else inequalities).append(row)
        (right if equal else limits).append(np.full(size, reference))
        if equal:
            lower[at : at + size] = -np.inf
        at += size
    solver = piqp.DenseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = 1e-10
    solver.settings.check_duality_gap = True
    a, b = (np.vstack(equations), np.concatenate(right)) if equations else (np.zeros((0, total)), np.zeros(0))
    g, h = (np.vstack(inequalities), np.concatenate(limits)) if inequalities else (np.zeros((0, total)), np.zeros(0))
    solver.setup(
        np.diag(weights), np.concatenate([linear, np.zeros(total - n)]), a, b, g, np.full(len(h), -np.inf), h, lower
    )
    assert solver.solve() == piqp.PIQP_SOLVED
    x = np.maximum(solver.result.x[:n], 0.0)
    return value(case, plan_parameters, x), x


def value(case: Case, plan_parameters: PlanParameters, x: np.ndarray) -> float:
    """The objective, by its formulas, in float64."""
    dose = dense(case) @ x
    total = 0.0
    for o in plan_parameters.objectives:
        d = dose[case.own(o.structure)]
        if o.type == "mean":
            worth = d.mean()
        elif o.type == "squared_deviation":
            worth = np.mean((d - o.dose_gy) ** 2)
        elif o.type == "squared_overdose":
            worth = np.mean(np.maximum(d - o.dose_gy, 0) ** 2)
        elif o.type == "squared_underdose":
            worth = np.mean(np.maximum(o.dose_gy - d, 0) ** 2)
        elif o.type == "eud":
            with np.errstate(divide="ignore"):
                eud = np.mean(d**o.exponent) ** (1 / o.exponent)
            worth = max((eud - o.dose_gy) * np.sign(o.exponent), 0.0) ** 2
        else:
            edge = np.quantile(d, 1 - o.volume_percent / 100)
            inside = (d >= o.dose_gy) & (d <= edge) if o.type == "max_dvh" else (d <= o.dose_gy) & (d >= edge)
            worth = np.sum(np.where(inside, d - o.dose_gy, 0.0) ** 2) / len(d)
        total += o.weight * worth
    return total
