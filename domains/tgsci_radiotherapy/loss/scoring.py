"""How far a plan is from its goals, in one figure: what the search minimises.

A missed goal costs C x (lost + far). C is by priority; lost is 1 for a goal that is missed, 2/3 within its tolerance,
and less where it is missed by a hair; far is 0.5 s / (s + 0.1), s being the shortfall as a part of the goal's scale: of
the prescription for doses, of the structure for volumes. Where a minimum is asked for, far grows by 5 more per 1 beyond
s = 0.1: who lacks more than a tenth of the dose is not treated, and without dose most goals are met. C is 1 at priority
4, 3 times as much for each priority above, and more where it takes more to outweigh all goals below: no step that loses
a goal of higher priority is an improvement, whatever it gains below. Implied goals come below priority 4.

Once no goal is missed but those that the targets forbid, the loss is minus the room: how much better than their limits
goals are, by priority, m / (m + 0.1) each, m being the margin as a part of the scale. Organs, wide dose in the body and
conformity count in full, the targets' own dose and the hottest part of the body a tenth: they are held. Of a forbidden
goal the room is how near the plan comes to the least that the targets leave. While a goal is missed, the room counts
half an implied goal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..goals import GoalResult
from ..goals.goal import IMPLIED_PRIORITY, LOWEST_PRIORITY

#: A goal of each priority counts at least this many times one of the next priority.
PER_PRIORITY = 3.0
#: The same in words.
WEIGHTS = "27 : 9 : 3 : 1 for priority 1 : 2 : 3 : 4"
#: Relative shortfall up to which a goal is missed by a hair, and from which on it is lost in full. Figures wobble by
#: hundredths of a Gy from plan to plan: that must not decide.
HAIR, LOST = 0.0002, 0.002
#: What a goal within its tolerance costs, as a share of one beyond it.
TOLERATED = 2.0 / 3.0
#: Most that the distance adds to a lost goal, and the relative shortfall at which it adds half of that.
FAR, HALF_FAR = 0.5, 0.1
#: What each 1 of a minimum's relative shortfall beyond `HALF_FAR` adds.
COLD = 5.0
#: Relative margin that counts as half of all the room one could ask for.
HALF_ROOM = 0.1
#: What the room of a target's own goal counts beside that of an organ.
_HELD = 0.1
#: What all the room is worth while a goal is missed, in implied goals.
_ROOM = 0.5
#: A goal whose value is nan is missed by this much, relative: more than any dose would.
UNMEASURED = 2.0


def relative_shortfall(result: GoalResult) -> float:
    """Measure by how much a goal is missed, as a part of its scale; 0 where it is met, or forbidden by the targets."""
    if math.isnan(result.value):
        return UNMEASURED
    return 0.0 if result.goal.forbidden else max(0.0, -result.relative_margin)


def weight(result: GoalResult) -> float:
    """Weigh a goal by its priority: 27 at priority 1, then 9, 3 and 1; 1/3 implied, or forbidden by the targets."""
    priority = IMPLIED_PRIORITY if result.goal.forbidden else _priority(result)
    return float(PER_PRIORITY ** (LOWEST_PRIORITY - priority))


def costs(results: Sequence[GoalResult]) -> dict[int, float]:
    """Find what a lost goal of each priority costs beside one of priority 4; 5 are implied goals.

    Args:
        results: All goals of a plan: the more there are of lower priorities, the more one above them costs.
    """
    most = dict.fromkeys(range(1, IMPLIED_PRIORITY + 1), 0.0)
    for result in results:
        if not result.goal.forbidden:
            most[_priority(result)] += 1.0 + FAR + (COLD * (1.0 - HALF_FAR) if _is_minimum(result) else 0.0)
    cost = {IMPLIED_PRIORITY: 1.0}
    below = _ROOM
    for priority in range(LOWEST_PRIORITY, 0, -1):
        below += most[priority + 1] * cost[priority + 1]
        cost[priority] = max(PER_PRIORITY * cost[priority + 1], below / TOLERATED)
    return {priority: value / cost[LOWEST_PRIORITY] for priority, value in sorted(cost.items())}


def lost(result: GoalResult) -> float:
    """Tell how much a goal is lost: 0 where it is met, 2/3 within its tolerance, 1 beyond, and smoothly between."""
    short = relative_shortfall(result)
    beyond = short - result.goal.tolerance / result.scale
    return TOLERATED * _rise(short) + (1.0 - TOLERATED) * _rise(beyond)


def parts(results: Sequence[GoalResult]) -> list[float]:
    """Split the loss of a plan that misses goals into what each goal adds to it; 0 for a goal that is met."""
    cost = costs(results)
    found = []
    for result in results:
        found.append(cost[_priority(result)] * (lost(result) + far(result)))
    return found


def far(result: GoalResult) -> float:
    """Measure how far a goal is missed, beside that it is: see the module."""
    short = relative_shortfall(result)
    cold = COLD * max(0.0, min(short, 1.0) - HALF_FAR) if _is_minimum(result) else 0.0
    return FAR * short / (short + HALF_FAR) + cold


def room(results: Sequence[GoalResult]) -> float:
    """Measure how much better than their limits goals are, from 0 to 1: see the module."""
    return sum(share * room_of(result) for share, result in zip(room_weights(results), results, strict=True))


def room_weights(results: Sequence[GoalResult]) -> list[float]:
    """Weigh the room of each goal: by priority, a tenth of that for what only holds a target; they add up to 1."""
    weights = [PER_PRIORITY ** (LOWEST_PRIORITY - r.goal.priority) * (1.0 if r.goal.spares else _HELD) for r in results]
    return [w / sum(weights) for w in weights]


def room_of(result: GoalResult) -> float:
    """Measure one goal's room, from 0 to 1."""
    if math.isnan(result.value):
        return 0.0
    if result.goal.forbidden and not result.met:
        beyond = max(0.0, result.value - result.goal.least) / result.scale
        return HALF_ROOM / (beyond + HALF_ROOM)
    margin = max(0.0, result.relative_margin)
    return margin / (margin + HALF_ROOM)


def loss(results: Sequence[GoalResult]) -> float:
    """Sum up a plan's goals in one figure; lower is better.

    Above 0 where a goal is missed that could be met: the sum of `parts`, and a little for the room that is left. Else
    minus the room, from 0 to -1.
    """
    if not results:
        return 0.0
    missed = sum(parts(results))
    if missed > 0:
        return missed + _ROOM * costs(results)[IMPLIED_PRIORITY] * (1.0 - room(results))
    return -room(results)


def explain(results: Sequence[GoalResult], most: int = 5) -> list[str]:
    """Write the loss out: what each missed goal adds to it, and what every word in that means.

    Args:
        results: All goals of a plan.
        most: Terms that are written out, at most.
    """
    if not results:
        return []
    value = loss(results)
    if value <= 0:
        forbidden = sum(r.goal.forbidden and not r.met for r in results)
        but = f" but {forbidden} that the targets forbid" if forbidden else ""
        return [
            f"LOSS {value:.4g}: all goals are met{but}, so it is minus the room: the mean of m / (m + {HALF_ROOM:g}), "
            f"m being a goal's margin as a part of its scale, weighted {WEIGHTS}, 1/3 for implied goals; targets' own "
            f"goals and the body's hottest part count {_HELD:g} of that: lower organs, better conformity"
        ]
    cost = costs(results)
    counted = sorted({_priority(r) for r in results} | {LOWEST_PRIORITY})
    by = ", ".join(f"{'implied' if p == IMPLIED_PRIORITY else f'P{p}'} {cost[p]:.3g}" for p in counted)
    lines = [
        f"LOSS {value:.6g}, the sum of C x (lost + {FAR:g} s / (s + {HALF_FAR:g})) over missed goals: C is {by}, so "
        f"that a goal outweighs all below it (at least {WEIGHTS}); lost is 1, {TOLERATED:.2g} within tolerance, less "
        f"where missed by under {100 * LOST:g}% of the scale; s is the shortfall as a part of the scale; {COLD:g} more "
        f"per 1 beyond {HALF_FAR:g} where a minimum is missed"
    ]
    added = [(part, r) for part, r in zip(parts(results), results, strict=True) if part > 0]
    added.sort(key=lambda pair: -pair[0])
    for part, r in added[:most]:
        which = "implied" if r.goal.implied else f"P{r.goal.priority}"
        lines.append(
            f"- {r.goal.criterion} ({which}): {cost[_priority(r)]:.3g} x ({lost(r):.3g} + {far(r):.3g}) = {part:.4g}, "
            f"s = {100 * relative_shortfall(r):.3g}%"
        )
    if len(added) > most:
        lines.append(f"- and {len(added) - most} goals more: {sum(part for part, _ in added[most:]):.4g}")
    left = value - sum(part for part, _ in added)
    lines.append(f"- room that is left on organs and conformity: {left:.3g}")
    return lines


def _priority(result: GoalResult) -> int:
    return min(max(result.goal.priority, 1), IMPLIED_PRIORITY)


def _is_minimum(result: GoalResult) -> bool:
    """Tell whether a goal asks for dose: not CI, which is a ratio."""
    return result.goal.comparison == ">=" and result.goal.unit != ""


def _rise(short: float) -> float:
    """Rise smoothly from 0 at a hair to 1 where a goal is lost."""
    t = min(max((short - HAIR) / (LOST - HAIR), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)
