"""Edits of a plan: other weights, other doses, one objective more; with what they are predicted to do, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tgsci.basics.texts import compact

from ..goals import GoalResult
from ..loss import scoring
from ..loss.edits import stepped
from ..loss.effects import Effects, short_name
from ..loss.linear import AIM, AIM_PRICE, SAFE, Region, best_change, box
from ..plan import PlanParameters
from .surrogate import Point, Surrogate, slots_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Rounds of linear programmes on the surrogate, and how the inner region shrinks where one did not help.
_INNER, _SHRINK = 6, 0.4
#: What part of a predicted change may fail to come.
RISK = 0.3
#: A change that is predicted to be more than this part of a goal's scale is further than a slope can tell.
_FAR = 0.2
#: Changes of an edit that are named, at most.
_CHANGES_NAMED = 5
#: Goals that a reason names, at most.
_GOALS_NAMED = 3


@dataclass(frozen=True)
class Move:
    """An edit of a measured plan.

    Args:
        base: The plan.
        parameters: The new parameters.
        predicted: The goals' values after it, (m,).
        wanted: What the edit is for, or its kind, in words; "" for weights and doses that meet the goals.
        seen: True where the values were found by solving, loosely; False where slopes predict them.
    """

    base: Point
    parameters: PlanParameters
    predicted: Floats
    wanted: str = ""
    seen: bool = False

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
            state = "" if _far(b, a) and not self.seen else " (met)" if a.met else " (missed)"
            facts[f"predicted {a.goal.criterion}"] = f"{predicted_text(b, a, self.seen)}{state}"
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
        predictions = [f"{b.goal.name} {predicted_text(b, a, self.seen)}" for b, a in moved if _worth(b, a)][
            : _GOALS_NAMED + 1
        ]
        how = "solved to 1%" if self.seen else "predicted"
        predicted = f"{how} {', '.join(predictions)}" if predictions else f"{how} to change little"
        purpose = self.edit[:1].upper() + self.edit[1:]
        return f"{state}. {purpose}: {predicted}."[:1500]


def changes(before: PlanParameters, after: PlanParameters) -> list[str]:
    """Name what differs between two plans' parameters, objective by objective; what is new comes first."""
    old, new = (dict(zip(slots_of(p), p.objectives, strict=True)) for p in (before, after))
    names = [f"add {o.label} with weight {compact(o.weight, 3)}" for slot, o in new.items() if slot not in old]
    names += [f"leave out {o.label}" for slot, o in old.items() if slot not in new]
    for slot, o in new.items():
        if slot not in old:
            continue
        name, was = short_name(o, after.objectives), old[slot]
        if o.weight != was.weight:
            times = o.weight / was.weight if was.weight else math.inf
            how = f"x{times:.3g}" if math.isfinite(times) else f"0 -> {compact(o.weight, 3)}"
            names.append(f"weight of {name} {how}")
        if o.dose_gy is not None and was.dose_gy is not None and o.dose_gy != was.dose_gy:
            names.append(f"dose of {name} {was.dose_gy:g} -> {o.dose_gy:g} Gy")
    more = len(names) - _CHANGES_NAMED
    return names if more <= 0 else [*names[:_CHANGES_NAMED], f"{more} more"]


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
    room: bool | None = None,
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
        room: Whether room beyond the limits is worth something; where None, once all is met that can be.
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
    scale = np.array([r.scale for r in effects.results])
    change = np.zeros(2 * k)
    best = _score(effects, surrogate.predict(start), weights, aim)
    share, aims = 1.0, np.full(len(scale), aim)
    for _ in range(_INNER):
        values, matrix = surrogate.linear(start + change)
        inner_low = np.minimum(np.maximum(low - change, share * low), 0)
        inner_high = np.maximum(np.minimum(high - change, share * high), 0)
        found = []
        for near in (False, True) if weights is None else (False,):
            step = best_change(effects.results, values, matrix, inner_low, inner_high, weights, aims, near, room)
            found.append((_score(effects, surrogate.predict(start + change + step), weights, aim), step))
        score, step = min(found, key=lambda pair: pair[0])
        if score < best - 1e-9:
            change, best = change + step, score
        else:
            share *= _SHRINK
        if weights is None:  # the further a goal is to move, the further beyond its limit it is aimed
            moved = np.abs(surrogate.predict(start + change + (step if score > best else 0.0)) - effects.values)
            aims = aim + RISK * np.nan_to_num(moved) / scale
    return _made(base, surrogate, change, wanted)


def _made(base: Point, surrogate: Surrogate, change: Floats, wanted: str) -> Move | None:
    k = len(base.slots)
    parameters = stepped(base.effects, change[:k], change[k:], np.zeros(len(base.effects.additions)))
    if parameters is None:
        return None
    return Move(base, parameters, surrogate.predict(base.place(base.slots) + change), wanted)


def add_objective(base: Point, region: Region, weights: Floats | None = None) -> list[Move]:
    """Add one objective to a plan and tune the others to match: a move for each addition, the most promising first."""
    effects = base.effects
    k = len(effects.parameters.objectives)
    matrix = np.nan_to_num(np.hstack([effects.per_doubling, effects.per_gray, effects.per_addition]))
    low, high = box(effects, Region(region.doublings / 2, region.grays / 2, 1.0))  # the new one's effect is a guess
    moves = []
    for a in range(len(effects.additions)):
        allowed = high.copy()
        allowed[2 * k :] = 0.0
        allowed[2 * k + a] = 1.0
        change = best_change(effects.results, effects.values, matrix, low, allowed, weights)
        parameters = stepped(effects, change[:k], change[k : 2 * k], change[2 * k :])
        if parameters is None or len(parameters.objectives) == k:
            continue
        moves.append(Move(base, parameters, effects.values + matrix @ change))
    return sorted(moves, key=lambda move: move.loss)


def tried(base: Point) -> list[Move]:
    """Give the edits that were solved again with a plan as moves, the best first."""
    moves = [Move(base, t.parameters, t.values, t.kind, seen=True) for t in base.effects.tries]
    return sorted(moves, key=lambda move: move.loss)


def _score(effects: Effects, values: Floats, weights: Floats | None, aim: float) -> float:
    """Score predicted values: by the loss, each goal taken worse than predicted; or by the weights given."""
    if weights is None:
        return careful_loss(effects.results, values)
    after = predicted_results(effects.results, values)
    missed = [max(0.0, SAFE - r.relative_margin) + AIM_PRICE * max(0.0, aim - r.relative_margin) for r in after]
    return 100.0 * float(weights @ np.array(missed))


def cautious(results: Sequence[GoalResult], values: Floats, risk: float = RISK) -> list[GoalResult]:
    """Take each goal worse than predicted, by a part of its change: a step that just meets a goal will just miss it.

    A goal that stays where it is stays met.
    """
    careful = []
    for r, after in zip(results, predicted_results(results, values), strict=True):
        change = abs(after.value - r.value)
        worse = (min(SAFE * after.scale, change) if r.met else SAFE * after.scale) + risk * change
        careful.append(replace(after, value=after.value - after.goal.sign * worse))
    return careful


def careful_loss(results: Sequence[GoalResult], values: Floats, risk: float = RISK) -> float:
    """Give the loss to reckon with: with care as to which goals are met, and as predicted as to the room beyond them.

    What fails to come of a change fails in gains and costs alike: it makes a goal lost, and room only smaller. From a
    plan that misses a goal no room is bought by slopes: the further step that buys it may cost the goal.
    """
    told = scoring.loss(cautious(results, values, risk))
    if told > 0:
        return told
    return 0.0 if risk and scoring.loss(results) > 0 else scoring.loss(predicted_results(results, values))


def _far(before: GoalResult, after: GoalResult) -> bool:
    """Tell whether a prediction is so far off that the slope does not hold."""
    return abs(after.value - before.value) > _FAR * before.scale


def predicted_text(before: GoalResult, after: GoalResult, seen: bool = False) -> str:
    """Write a predicted value; only its direction where a slope predicts it and does not hold that far."""
    if _far(before, after) and not seen:
        return f"{'higher' if after.value > before.value else 'lower'}, further than its slope tells"
    return f"{after.value:.4g} {before.goal.unit}".rstrip()


def _worth(before: GoalResult, after: GoalResult) -> bool:
    """Tell whether a prediction should be named: the goal is missed, would be missed, or changes visibly."""
    return not before.met or not after.met or abs(after.value - before.value) > 0.005 * before.scale
