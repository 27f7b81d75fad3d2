"""The best change of weights and doses by the sensitivities, and which goals conflict: linear programmes.

What is minimised is how badly the goals are missed, by priority; then how narrowly they are met; then how many
parameters change how much. Where all goals are met, it is how much room they have.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..goals import GoalResult
from . import scoring
from .effects import Effects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

#: Relative margin that a goal must have to count as met here, and the one that is aimed at: the model is linear, the
#: plan is not.
SAFE, AIM = 0.001, 0.004
#: What a relative shortfall within the aim costs, as a share of one beyond the limit.
AIM_PRICE = 0.3
#: What a change of one radius costs beside a relative shortfall of 1 of a goal of average weight.
_CHANGE_PRICE = 2e-4
#: How much more the shortfall of a goal costs that is met: a step that loses one is seldom worth it.
_KEEP = 10.0
#: How often a step is found anew, aimed further beyond the limits of goals that move.
_PASSES = 2
#: Relative shortfall at which a goal counts half, where near ones come first.
_NEAR = 0.02
#: What all the room costs beside a relative shortfall of 1 of a goal of average weight; relative margins from the
#: present one on between which more room is priced alike.
_ROOM_PRICE, _LEVELS = 0.01, (-0.05, 0.0, 0.01, 0.03, 0.1)


@dataclass(frozen=True)
class Region:
    """How far a step may go.

    Args:
        doublings: Most change of a weight, doublings.
        grays: Most change of a dose, Gy.
        additions: Most of each addition, as a multiple of the weight that it is listed with; 0 adds none.
    """

    doublings: float
    grays: float
    additions: float = 0.0

    def scaled(self, factor: float) -> Region:
        """Scale the changes of weights and doses by a factor."""
        return Region(self.doublings * factor, self.grays * factor, self.additions)


@dataclass(frozen=True)
class Step:
    """A change of parameters.

    Args:
        doublings: Change of each weight, doublings, (k,).
        grays: Change of each dose, Gy, (k,).
        additions: Multiple of each addition's weight, (a,).
        predicted: The goals' values after it, (m,).
    """

    doublings: Floats
    grays: Floats
    additions: Floats
    predicted: Floats


def best_step(effects: Effects, region: Region, weights: Floats | None = None, *, risk: float = 0.0) -> Step:
    """Find the step from a plan that meets its goals best, to first order.

    Args:
        effects: At the plan.
        region: How far the step may go.
        weights: What each goal's relative shortfall costs, (m,); by priority where None.
        risk: What part of a goal's change it is aimed at beyond its limit: so much of it may fail to come.
    """
    k = len(effects.parameters.objectives)
    matrix = np.nan_to_num(np.hstack([effects.per_doubling, effects.per_gray, effects.per_addition]))
    low, high = box(effects, region)
    change = best_change(effects.results, effects.values, matrix, low, high, weights)
    scale = np.array([r.scale for r in effects.results])
    for _ in range(_PASSES if risk else 0):
        aims = AIM + risk * np.abs(matrix @ change) / scale
        change = best_change(effects.results, effects.values, matrix, low, high, weights, aims)
    return Step(change[:k], change[k : 2 * k], change[2 * k :], effects.values + matrix @ change)


def box(effects: Effects, region: Region) -> tuple[Floats, Floats]:
    """Give the least and the most change of each weight, dose and addition, (2k + a,); no dose falls below 0."""
    objectives, a = effects.parameters.objectives, len(effects.additions)
    weights = np.array([region.doublings if o.weight > 0 else 0.0 for o in objectives])
    doses = np.array([0.0 if o.dose_gy is None else region.grays for o in objectives])
    least = np.array([0.0 if o.dose_gy is None else min(region.grays, o.dose_gy) for o in objectives])
    low = np.concatenate([-weights, -least, np.zeros(a)])
    return low, np.concatenate([weights, doses, np.full(a, region.additions)])


def best_change(
    results: Sequence[GoalResult],
    values: Floats,
    matrix: Floats,
    low: Floats,
    high: Floats,
    weights: Floats | None = None,
    aim: float | Floats = AIM,
    near: bool = False,
    room: bool | None = None,
) -> Floats:
    """Find the change within a box that meets the goals best, in a linear model.

    Args:
        results: The goals, m of them.
        values: Their values where the change is 0, (m,).
        matrix: Change of each value per unit of each coordinate, (m, n).
        low: Least change, (n,), at most 0.
        high: Most change, (n,), at least 0.
        weights: What each goal's relative shortfall costs, (m,); by priority where None.
        aim: Relative margin beyond the limit that is aimed at, for all or for each goal, (m,).
        near: Whether goals that are nearly met count more than those that are far from it: a goal met is worth more
            than two that come nearer.
        room: Whether room beyond the limits is worth something; where None, once all is met that can be.

    Returns:
        The change, (n,).
    """
    from scipy.optimize import linprog

    n, m = matrix.shape[1], len(results)
    if not n or not m:
        return np.zeros(n)
    sign, scale = np.array([r.goal.sign for r in results]), np.array([r.scale for r in results])
    # Of what the targets forbid, the least that they leave is aimed at.
    wanted = [r.goal.least if r.goal.forbidden else r.goal.limit for r in results]
    here = np.nan_to_num(sign * (values - wanted) / scale, nan=-scoring.UNMEASURED)
    rise = sign[:, None] * matrix / scale[:, None]
    levels: list[tuple[Rows, Floats, Floats]] = []
    if weights is None:
        possible = np.array([not r.goal.forbidden for r in results])
        weights = possible * np.where(here >= 0, _KEEP, 1.0) * prices(results)
        if near:
            weights = weights / (1.0 + np.maximum(-here, 0.0) / _NEAR)
        if room or (room is None and (here[possible] >= 0).all()):
            levels = _room(results, here)
    everyone, priced = np.arange(m), bool(levels)
    aims = np.broadcast_to(aim, m)
    levels += [(everyone, np.minimum(SAFE, aims), weights), (everyone, aims, AIM_PRICE * weights)]
    # Variables: the change up, the change down, and by how much each goal stays below each level; all at least 0.
    span = np.maximum(np.maximum(high, -low), 1e-12)
    of_change = (_ROOM_PRICE if priced else 1.0) * _CHANGE_PRICE / span
    price = np.concatenate([of_change, of_change, *(cost for _, _, cost in levels)])
    eye = np.eye(sum(len(rows) for rows, _, _ in levels))
    moves = np.vstack([np.hstack([-rise[rows], rise[rows]]) for rows, _, _ in levels])
    limits = np.concatenate([here[rows] - level for rows, level, _ in levels])
    bounds = [(0.0, float(b)) for b in high] + [(0.0, float(-b)) for b in low] + [(0.0, None)] * len(eye)
    optimum = linprog(price, A_ub=np.hstack([moves, -eye]), b_ub=limits, bounds=bounds, method="highs")
    if optimum.x is None:
        return np.zeros(n)
    change: Floats = optimum.x[:n] - optimum.x[n : 2 * n]
    return change


def prices(results: Sequence[GoalResult]) -> Floats:
    """Price each goal's relative shortfall by its priority, (m,); the prices add up to 1."""
    weights = np.array([scoring.weight(r) for r in results])
    return weights / weights.sum() if len(weights) else weights


def _room(results: Sequence[GoalResult], here: Floats) -> list[tuple[Rows, Floats, Floats]]:
    """Price the room of goals, level by level: the further a goal is better than its limit, the less more is worth.

    Args:
        results: The goals, m of them.
        here: Their relative margins, (m,); of a forbidden goal to the least that the targets leave.

    Returns:
        For each level the goals that are priced, their relative margins at it, and what each 1 below it costs.
    """
    worth = _ROOM_PRICE * np.array(scoring.room_weights(results))
    forbidden = np.array([r.goal.forbidden for r in results])
    levels = []
    for low, high in itertools.pairwise(_LEVELS):
        middle = here + (low + high) / 2.0
        # Of a forbidden goal room is worth the more the nearer the least is: it is priced as here.
        beyond = np.where(forbidden, np.maximum(-here, 0.0), np.maximum(middle, 0.0))
        slope = worth * scoring.HALF_ROOM / (beyond + scoring.HALF_ROOM) ** 2
        levels.append((middle, slope))
    priced = []
    for j, (_, slope) in enumerate(levels):
        steeper = slope - levels[j + 1][1] if j + 1 < len(levels) else slope
        rows = np.flatnonzero((steeper > 0) & (forbidden | (here + _LEVELS[j + 1] > 0)))
        priced.append((rows, here[rows] + _LEVELS[j + 1], steeper[rows]))
    return priced


@dataclass(frozen=True)
class Conflict:
    """How far goals can be improved together near a plan, to first order.

    Args:
        gain: The most by which every missed goal can be improved at once, relative to its limit, while no met goal is
            lost.
        shares: Of each goal in what stands in the way, (m,), adding up to 1: these goals exclude each other where the
            gain is next to nothing.
    """

    gain: float
    shares: Floats


def conflict(effects: Effects, region: Region) -> Conflict | None:
    """Find which goals stand in each other's way within a region; None where no goal is missed.

    Args:
        effects: At the plan.
        region: How far weights, doses and additions may change.
    """
    from scipy.optimize import linprog

    results = effects.results
    missed = np.array([not r.met for r in results], bool)
    if not missed.any():
        return None
    matrix = np.nan_to_num(np.hstack([effects.per_doubling, effects.per_gray, effects.per_addition]))
    low, high = box(effects, region)
    scale = np.array([r.scale for r in results])
    rise = np.array([r.goal.sign for r in results])[:, None] * matrix / scale[:, None]
    slack = np.where(missed, 0.0, np.maximum(np.nan_to_num([r.relative_margin for r in results]), 0.0))
    # The largest t so that rise @ change >= t for what is missed and >= -slack for what is met.
    upper = np.hstack([-rise, missed.astype(float)[:, None]])
    bounds = [(float(a), float(b)) for a, b in zip(low, high, strict=True)] + [(0.0, None)]
    price = np.zeros(len(low) + 1)
    price[-1] = -1.0
    optimum = linprog(price, A_ub=upper, b_ub=slack, bounds=bounds, method="highs")
    if optimum.x is None:
        return None
    duals = np.maximum(-np.asarray(optimum.ineqlin.marginals), 0.0)
    total = duals.sum()
    return Conflict(float(optimum.x[-1]), duals / total if total > 0 else duals)
