"""How far a plan is from its goals, in one figure: what the search minimises."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..goals import GoalResult
from ..goals.goal import LOWEST_PRIORITY

#: A goal of each priority counts this many times one of the next priority.
PER_PRIORITY = 3.0
#: The same in words.
WEIGHTS = "27 : 9 : 3 : 1 for priority 1 : 2 : 3 : 4"
#: Relative margin that counts as half of all the room one could ask for.
HALF_ROOM = 0.03
#: A goal whose value is nan is missed by this much, relative: more than any dose would.
UNMEASURED = 2.0


def relative_shortfall(result: GoalResult) -> float:
    """Measure by how much a goal is missed, as a part of its scale; 0 where it is met."""
    return UNMEASURED if math.isnan(result.value) else max(0.0, -result.relative_margin)


def weight(result: GoalResult) -> float:
    """Weigh a goal by its priority: 27 at priority 1, then 9, 3 and 1."""
    return PER_PRIORITY ** (LOWEST_PRIORITY - min(max(result.goal.priority, 1), LOWEST_PRIORITY))


def parts(results: Sequence[GoalResult]) -> list[float]:
    """Split the loss of a plan that misses goals into what each goal adds to it; 0 for a goal that is met."""
    total = sum(weight(r) for r in results)
    return [100.0 * weight(r) * relative_shortfall(r) / total for r in results]


def loss(results: Sequence[GoalResult]) -> float:
    """Sum up a plan's goals in one figure; lower is better.

    Above 0 where a goal is missed: the sum of weight x shortfall, the weights adding up to 1, in % of the goals'
    scales: of the prescription for doses, of the structure for volumes. 0 where all goals are met and one exactly.
    Below 0 where all are met: minus the weighted geometric mean of m / (m + 0.03), m being a goal's margin as a part
    of its scale; it goes to -1 as all margins grow.
    """
    if not results:
        return 0.0
    missed = sum(parts(results))
    if missed > 0:
        return missed
    margins = [r.relative_margin for r in results]
    if min(margins) <= 0:
        return 0.0
    total = sum(weight(r) for r in results)
    return -math.exp(
        sum(weight(r) / total * math.log(m / (m + HALF_ROOM)) for r, m in zip(results, margins, strict=True))
    )
