"""Goals as points of a histogram: where a structure's curve has to pass, and on which side."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tgsci.errors import UsageError

if TYPE_CHECKING:
    from ..case.model import Case
    from ..goals import Goal, GoalResult


@dataclass(frozen=True)
class Mark:
    """A goal as a point of a histogram.

    Args:
        structure: Name in the case.
        dose: Gy.
        volume: % of the structure.
        side: Where the curve has to pass, seen from the point: "<" at less dose, ">" at more, "v" or "^" at less or
            more volume.
        met: Whether it does.
    """

    structure: str
    dose: float
    volume: float
    side: str
    met: bool


def marks(case: Case, results: Iterable[GoalResult]) -> list[Mark]:
    """The goals that are points of a histogram; means, gEUD, HI and CI are none.

    Args:
        case: Its structures are those of the goals.
        results: Rows of a goal table.
    """
    found = []
    for result in results:
        try:
            structure = case.structure(result.goal.structure)
        except UsageError:
            continue  # an optional goal on a structure that this case does not have
        volume, prescription = len(structure.voxels) * case.grid.voxel_cc, structure.prescription or case.prescription
        placed = place(result.goal, volume, prescription)
        if placed is not None and result.status != "not evaluated":
            found.append(Mark(structure.name, *placed, met=result.margin >= 0))
    return found


def place(goal: Goal, volume_cc: float, prescription: float) -> tuple[float, float, str] | None:
    """Dose in Gy, volume in % and side of a goal; None where it is no point of a histogram.

    Args:
        goal: Bound to the case: its limit is in the metric's unit.
        volume_cc: Of the structure's voxels.
        prescription: That a dose in % refers to, Gy.
    """
    metric, more = goal.metric, goal.comparison == ">="
    if metric.kind in ("D%", "Dcc", "Dmax", "Dmin"):
        shares = {"D%": metric.amount, "Dcc": 100 * metric.amount / volume_cc, "Dmax": 0.0, "Dmin": 100.0}
        return goal.limit, min(shares[metric.kind], 100.0), ">" if more else "<"
    if metric.kind not in ("VGy", "V%", "CVGy", "CV%"):
        return None
    dose = metric.amount if metric.kind.endswith("Gy") else metric.amount * prescription / 100
    share = goal.limit if metric.unit == "%" else 100 * goal.limit / volume_cc
    if metric.kind.startswith("CV"):
        share, more = 100 - share, not more
    return (dose, min(max(share, 0.0), 100.0), "^" if more else "v") if math.isfinite(share) else None
