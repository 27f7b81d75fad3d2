"""Objectives, edits and missed goals as a physicist calls them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..plan import Objective, PlanParameters
from ..words import figure
from .effects import Wish

#: Changes of an edit that are named, at most.
_CHANGES_SAID = 5


def miss(wish: Wish) -> str:
    """By how much a goal is missed: Core D10% is 2.1 Gy above 25 Gy."""
    if math.isnan(wish.value):
        return f"{wish.name} has no value"
    side = "below" if wish.above else "above"
    unit = f" {wish.unit}" if wish.unit else ""
    return f"{wish.name} is {abs(wish.margin):.3g}{unit} {side} {wish.limit:g}{unit}"


def changes(before: PlanParameters, after: PlanParameters) -> list[str]:
    """What differs between two plans' parameters, objective by objective."""
    found = []
    for i, new in enumerate(after.objectives):
        name = label(new, after.objectives)
        if i >= len(before.objectives):
            found.append(f"add {new.label} with weight {figure(new.weight, 3)}")
            continue
        old = before.objectives[i]
        if new.weight != old.weight:
            times = new.weight / old.weight if old.weight else math.inf
            how = f"x{times:.3g}" if math.isfinite(times) else f"0 -> {figure(new.weight, 3)}"
            found.append(f"weight of {name} {how}")
        if new.dose_gy is not None and old.dose_gy is not None and new.dose_gy != old.dose_gy:
            found.append(f"dose of {name} {old.dose_gy:g} -> {new.dose_gy:g} Gy")
    return found[:_CHANGES_SAID]


def label(objective: Objective, among: Sequence[Objective]) -> str:
    """An objective as short as it is still clear: its structure, with the type where the structure has several."""
    same = [o for o in among if o.structure == objective.structure]
    if len(same) == 1:
        return objective.structure
    if sum(o.type == objective.type for o in same) == 1:
        return f"{objective.structure} {objective.type}"
    return objective.label
