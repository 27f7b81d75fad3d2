"""Edits of a plan: other weights, other doses, one objective more; with what they are predicted to do, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tgsci.basics.texts import compact
from tgsci.errors import InvalidValue

from ..goals import GoalResult
from ..loss import scoring
from ..loss.effects import short_name
from ..loss.linear import AIM, AIM_PRICE, SAFE, Region, best_change, box, prices
from ..plan import PlanParameters
from .surrogate import Point, Surrogate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Doses between 0 and this share of the highest one that is asked for are refused where they are read.
_LEAST = 0.06
#: Changes smaller than this are left out: doublings, and a share of the region's dose.
_LEAST_DOUBLINGS, _LEAST_SHARE = 0.03, 0.005
#: Rounds of linear programmes on the surrogate, and how the inner region shrinks where one did not help.
_INNER, _SHRINK = 6, 0.4
#: Smallest and largest weight that an edit sets.
_LEAST_WEIGHT, _MOST_WEIGHT = 1e-3, 1e7
#: A change that is predicted to be more than this part of a goal's scale is further than a slope can tell.
_FAR = 0.2
#: Changes of an edit that are named, at most.
_CHANGES_NAMED = 5
#: Goals that a reason names, at most.
_GOALS_NAMED = 3


def highest_dose(parameters: PlanParameters) -> float:
    """Find the highest dose that is asked for, Gy: steps of doses are measured by it."""
    return max((o.dose_gy or 0.0 for o in parameters.objectives if o.lifts), default=0.0) or 50.0


def allowed_dose(dose: float, lifts: bool, parameters: PlanParameters) -> float:
    """Round a dose to two decimals, and move one that parameters may not have to the nearest one they may.

    Between 0 and 6% of the highest dose a figure would be taken for the dose of one fraction.

    Args:
        dose: Gy.
        lifts: Whether the objective asks for dose.
        parameters: What it belongs to.
    """
    dose, least = round(max(dose, 0.0), 2), _LEAST * highest_dose(parameters)
    if dose >= least:
        return dose
    return 0.0 if dose < least / 2 and not lifts else math.ceil(100 * least) / 100


@dataclass(frozen=True)
class Move:
    """An edit of a measured plan.

    Args:
        base: The plan.
        parameters: The new parameters.
        predicted: The goals' values after it, (m,).
        wanted: What the edit is for, in words; "" for meeting the goals.
    """

    base: Point
    parameters: PlanParameters
    predicted: Floats
    wanted: str = ""

    @property
    def loss(self) -> float:
        """The predicted loss."""
        return scoring.loss(predicted_results(self.base.effects.results, self.predicted))

    @property
    def met(self) -> int:
        """How many goals it is predicted to meet."""
        return sum(r.met for r in predicted_results(self.base.effects.results, self.predicted))

    @property
    def edit(self) -> str:
        """The edit's name: "weight of Core x2, dose of PTV 51.5 -> 52 Gy"."""
        named = ", ".join(changes(self.base.parameters, self.parameters)) or "nothing"
        return f"{self.wanted}: {named}" if self.wanted else named

    @property
    def facts(self) -> dict[str, float | str]:
        """The predicted value of each goal, by "predicted" and the goal in words."""
        before = self.base.effects.results
        after = predicted_results(before, self.predicted)
        facts: dict[str, float | str] = {}
        for b, a in zip(before, after, strict=True):
            state = "" if _far(b, a) else " (met)" if a.met else " (missed)"
            facts[f"predicted {a.goal.criterion}"] = f"{predicted_text(b, a)}{state}"
        return facts

    def reason(self) -> str:
        """Say why the edit should help: which goal is missed by how much, what changes, what is predicted."""
        before = self.base.effects.results
        after = predicted_results(before, self.predicted)
        missed = sorted(
            (r for r in before if not r.met), key=lambda r: -scoring.weight(r) * scoring.relative_shortfall(r)
        )
        state = "; ".join(_miss(r) for r in missed[:_GOALS_NAMED])
        if len(missed) > _GOALS_NAMED:
            state += f" and {len(missed) - _GOALS_NAMED} more are missed"
        if not missed:
            least = min(before, key=lambda r: r.relative_margin)
            state = f"all goals are met, {least.goal.criterion} by {abs(least.margin):.3g} {least.goal.unit}".rstrip()
        concerned = [r.goal.name for r in missed]
        moved = sorted(
            zip(before, after, strict=True),
            key=lambda pair: (pair[0].goal.name not in concerned, -abs(pair[1].value - pair[0].value) / pair[0].scale),
        )
        predictions = [f"{b.goal.name} {predicted_text(b, a)}" for b, a in moved if _worth(b, a)][: _GOALS_NAMED + 1]
        predicted = f"predicted {', '.join(predictions)}" if predictions else "predicted to change little"
        purpose = self.edit[:1].upper() + self.edit[1:]
        return f"{state}. {purpose}: {predicted}."[:1500]


def changes(before: PlanParameters, after: PlanParameters) -> list[str]:
    """Name what differs between two plans' parameters, objective by objective."""
    names = []
    for i, new in enumerate(after.objectives):
        name = short_name(new, after.objectives)
        if i >= len(before.objectives):
            names.append(f"add {new.label} with weight {compact(new.weight, 3)}")
            continue
        old = before.objectives[i]
        if new.weight != old.weight:
            times = new.weight / old.weight if old.weight else math.inf
            how = f"x{times:.3g}" if math.isfinite(times) else f"0 -> {compact(new.weight, 3)}"
            names.append(f"weight of {name} {how}")
        if new.dose_gy is not None and old.dose_gy is not None and new.dose_gy != old.dose_gy:
            names.append(f"dose of {name} {old.dose_gy:g} -> {new.dose_gy:g} Gy")
    return names[:_CHANGES_NAMED]


def _miss(result: GoalResult) -> str:
    """Say by how much a goal is missed: "Core D10% is 2.1 Gy above 25 Gy"."""
    if math.isnan(result.value):
        return f"{result.goal.name} has no value"
    side = "below" if result.goal.comparison == ">=" else "above"
    unit = f" {result.goal.unit}" if result.goal.unit else ""
    return f"{result.goal.name} is {abs(result.margin):.3g}{unit} {side} {result.goal.limit:g}{unit}"


def predicted_results(results: Sequence[GoalResult], values: Floats) -> list[GoalResult]:
    """Give goals their predicted values, none below 0 and no volume above 100%."""
    highest = [100.0 if r.goal.unit == "%" else math.inf for r in results]
    return [
        replace(r, value=min(max(float(v), 0.0), high)) for r, v, high in zip(results, values, highest, strict=True)
    ]


def tune(
    base: Point,
    surrogate: Surrogate,
    region: Region,
    weights: Floats | None = None,
    *,
    aim: float = AIM,
    fixed: Sequence[bool] | None = None,
    wanted: str = "",
) -> Move | None:
    """Tune the weights and doses of a plan within a region, so that the surrogate meets the goals best.

    Args:
        base: The plan.
        surrogate: Over its coordinates.
        region: How far weights and doses may go.
        weights: What each goal's relative shortfall costs; by priority where None.
        aim: Relative margin that is aimed at.
        fixed: Coordinates (2k,) that stay.
        wanted: What it is for, where it is not all goals.

    Returns:
        None where nothing worth a plan changes.
    """
    effects = base.effects
    k = len(effects.parameters.objectives)
    low, high = (b[: 2 * k] for b in box(effects, region))
    if fixed is not None:
        low, high = np.where(fixed, 0.0, low), np.where(fixed, 0.0, high)
    start = base.place(base.slots)
    change = np.zeros(2 * k)
    best = _score(effects.results, surrogate.predict(start), weights, aim)
    share = 1.0
    for _ in range(_INNER if len(surrogate.places) > 1 else 1):
        values, matrix = surrogate.linear(start + change)
        inner_low = np.maximum(low - change, share * low)
        inner_high = np.minimum(high - change, share * high)
        step = best_change(
            effects.results, values, matrix, np.minimum(inner_low, 0), np.maximum(inner_high, 0), weights, aim
        )
        score = _score(effects.results, surrogate.predict(start + change + step), weights, aim)
        if score < best - 1e-9:
            change, best = change + step, score
        else:
            share *= _SHRINK
    return _made(base, surrogate, region, change, wanted)


def _made(base: Point, surrogate: Surrogate, region: Region, change: Floats, wanted: str) -> Move | None:
    k = len(base.slots)
    change = change.copy()
    change[:k] -= common(base, change)
    change[:k][np.abs(change[:k]) < _LEAST_DOUBLINGS] = 0.0
    change[k:][np.abs(change[k:]) < _LEAST_SHARE * region.grays] = 0.0
    if not change.any():
        return None
    parameters = base.parameters
    for i, objective in enumerate(parameters.objectives):
        if change[i]:
            weight = float(np.clip(objective.weight * 2.0 ** change[i], _LEAST_WEIGHT, _MOST_WEIGHT))
            parameters = parameters.replaced(i, weight=float(f"{weight:.3g}"))
        if change[k + i] and objective.dose_gy is not None:
            dose = allowed_dose(objective.dose_gy + change[k + i], objective.lifts, base.parameters)
            parameters = parameters.replaced(i, dose_gy=dose)
    predicted = surrogate.predict(base.place(base.slots) + change)
    return Move(base, parameters, predicted, wanted)


def common(base: Point, change: Floats) -> float:
    """Find the change that all weights have in common, doublings; only ratios count, so it can be left out."""
    counted = [i for i, objective in enumerate(base.parameters.objectives) if objective.weight > 0]
    return float(np.sort(change[counted])[(len(counted) - 1) // 2]) if counted else 0.0


def add_objective(base: Point, region: Region, weights: Floats | None = None) -> list[Move]:
    """Add one objective to a plan and tune the others to match: a move for each addition, the most promising first."""
    effects = base.effects
    k = len(effects.parameters.objectives)
    matrix = np.nan_to_num(np.hstack([effects.per_doubling, effects.per_gray, effects.per_addition]))
    low, high = box(effects, Region(region.doublings / 2, region.grays / 2, 1.0))  # the new one's effect is a guess
    moves = []
    for a, objective in enumerate(effects.additions):
        allowed = high.copy()
        allowed[2 * k :] = 0.0
        allowed[2 * k + a] = 1.0
        change = best_change(effects.results, effects.values, matrix, low, allowed, weights)
        share = change[2 * k + a]
        if share < 0.05:
            continue
        try:
            weight = share * objective.weight * 2.0 ** -common(base, change)
            new = replace(objective, weight=float(f"{weight:.3g}"))
        except InvalidValue:
            continue
        tune = _made(base, _linear(base), region, change[: 2 * k], "")
        parameters = (tune.parameters if tune else base.parameters).with_objectives([new])
        moves.append(Move(base, parameters, effects.values + matrix @ change))
    return sorted(moves, key=lambda move: move.loss)


def _linear(base: Point) -> Surrogate:
    return Surrogate.of([base], base.slots, 1.0)


def _score(results: Sequence[GoalResult], values: Floats, weights: Floats | None, aim: float) -> float:
    """Score predicted values as the linear programme does: shortfalls first, then shortfalls of the aims."""
    after = predicted_results(results, values)
    if weights is None and all(r.relative_margin >= aim for r in after):
        return scoring.loss(after)
    prices_ = prices(results) if weights is None else weights
    missed = [max(0.0, SAFE - r.relative_margin) + AIM_PRICE * max(0.0, aim - r.relative_margin) for r in after]
    return 100.0 * float(prices_ @ np.array(missed))


def _far(before: GoalResult, after: GoalResult) -> bool:
    """Tell whether a prediction is so far off that the slope does not hold."""
    return abs(after.value - before.value) > _FAR * before.scale


def predicted_text(before: GoalResult, after: GoalResult) -> str:
    """Write a predicted value; only its direction where the slope does not hold that far."""
    if _far(before, after):
        return f"{'higher' if after.value > before.value else 'lower'}, further than its slope tells"
    return f"{after.value:.4g} {before.goal.unit}".rstrip()


def _worth(before: GoalResult, after: GoalResult) -> bool:
    """Tell whether a prediction should be named: the goal is missed, would be missed, or changes visibly."""
    return not before.met or not after.met or abs(after.value - before.value) > 0.005 * before.scale
