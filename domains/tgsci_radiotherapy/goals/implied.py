"""What every clinic means without writing it: goals of lowest priority that `Sheet.bind` adds to a sheet.

A sheet that bounds a lower-dose target from below alone is met by a plan that gives it the dose of the higher one; no
clinic would treat so. Implied goals say the rest, and only the rest: one is left out where the sheet has a goal of its
kind on the structure, stricter or not, since whoever wrote that has thought of it.

    near-minimum and near-maximum   each target: D98% >= 95% of its prescription; the highest: D2% <= 107%
                                    (ICRU Reports 62 and 83)
    the upper side of lower targets D50% <= 105% of its own prescription, and D5% <= 110% of what of it lies more than
                                    10 mm from higher ones
    hot spots outside targets       D0.03cc <= 107% of the highest prescription; at most half as many cc as the targets
                                    have above the lowest prescription
    fall-off around targets         mean dose 10 to 20 mm outside them <= 70%, 20 to 30 mm outside <= 50% of the lowest
                                    prescription
    conformity                      the highest target's CI >= 0.7 (Paddick)

The limits without a source are what the clinical plans of public head-and-neck cases (OpenKBP) meet in most cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..case.regions import EXTERNAL, TARGETS, Region
from .goal import IMPLIED_PRIORITY, Goal
from .metrics import Metric, Unit

if TYPE_CHECKING:
    from ..case.model import Case

#: Shares of the prescription: near-minimum, near-maximum, median and near-maximum of a lower target away from others.
_NEAR_MIN, _NEAR_MAX, _MEDIAN, _UPPER = 0.95, 1.07, 1.05, 1.10
#: A near-maximum of a lower target up to this share says the same as its upper side.
_SIMILAR = 1.15
#: How far from higher targets a lower one's own dose is looked at, mm.
MARGIN_MM = 10.0
#: Highest share outside the targets; volume above the lowest prescription there, as a share of the targets' volume.
_HOT, _SPILL = 1.07, 0.5
#: Rings around all targets: from and to, mm, and the mean dose as a share of the lowest prescription.
_RINGS = ((10.0, 20.0, 0.70), (20.0, 30.0, 0.50))
_CONFORMITY = 0.7
#: Least volume of a region that a goal is put on, cc and voxels.
_LEAST_CC, _LEAST_VOXELS = 1.0, 20
#: A goal in % of the volume up to this speaks of the hottest part; from 100% less this on, of the coldest.
_NEAR_PERCENT, _NEAR_CC = 10.0, 2.0


def implied_goals(
    case: Case, prescriptions: Mapping[str, float], written: Sequence[Goal]
) -> Iterator[tuple[Goal, float]]:
    """List the goals that a sheet implies, each with the prescription that it refers to, total Gy.

    Args:
        case: The patient.
        prescriptions: Total Gy of each target that has voxels.
        written: The sheet's goals, bound to the case.
    """
    ordered = sorted((-dose, name) for name, dose in prescriptions.items() if dose > 0)
    if not ordered:
        return
    highest, lowest = -ordered[0][0], -ordered[-1][0]
    for minus_dose, name in ordered:
        dose = -minus_dose
        own = [goal for goal in written if goal.structure == name]
        higher = [other for other_dose, other in ordered if -other_dose > dose * 1.001]
        if not any(_says_minimum(goal) for goal in own):
            note = "near-minimum, ICRU 83: 95% of the prescription"
            yield _goal(name, "D98%", ">=", _NEAR_MIN * dose, "Gy", note), dose
        if higher:
            yield from _upper_side(case, name, dose, higher, own)
        elif not any(_says_maximum(goal) for goal in own):
            note = "near-maximum, ICRU 62: 107% of the prescription"
            yield _goal(name, "D2%", "<=", _NEAR_MAX * dose, "Gy", note), dose
    yield from _outside(case, highest, lowest, written)
    if not any(goal.metric.kind == "CI" for goal in written):
        yield _goal(ordered[0][1], "CI", ">=", _CONFORMITY, "", "conformity, Paddick"), highest


def _upper_side(
    case: Case, name: str, dose: float, higher: Sequence[str], own: Sequence[Goal]
) -> Iterator[tuple[Goal, float]]:
    """List what is implied above a lower target: it stays a level of its own, away from higher ones altogether."""
    if not any(_says_middle(goal) for goal in own) and (alone := _without(case, name, higher)):
        note = f"a lower level stays one: {100 * _MEDIAN:g}% of its prescription"
        yield _goal(alone, "D50%", "<=", _MEDIAN * dose, "Gy", note), dose
    if any(_says_maximum(goal) and goal.unit == "Gy" and goal.limit <= _SIMILAR * dose for goal in own):
        return
    if away := _large_enough(case, f"{quoted(name)} - ({_union(higher)} + {MARGIN_MM:g} mm)"):
        note = f"what of it lies {MARGIN_MM:g} mm and more from higher targets: {100 * _UPPER:g}% of its prescription"
        yield _goal(away, "D5%", "<=", _UPPER * dose, "Gy", note), dose


def _outside(case: Case, highest: float, lowest: float, written: Sequence[Goal]) -> Iterator[tuple[Goal, float]]:
    """List what is implied outside the targets; nothing in a case without the body's outline."""
    outlines = [s.name for s in case.outlines]
    outside = _large_enough(case, f"{EXTERNAL} - {TARGETS}")
    if len(outlines) != 1 or not outside:
        return
    body = [g for g in written if g.structure in (outlines[0], outside)]
    said = any(_says_maximum(g) and g.unit == "Gy" and g.limit <= _HOT * highest * 1.001 for g in body)
    if not said:
        note = "no hot spot outside the targets: 107% of the highest prescription"
        yield _goal(outside, "D0.03cc", "<=", _HOT * highest, "Gy", note), highest
    volume = case.structure(TARGETS).volume_cc
    if not any(g.structure == outside and g.metric.kind == "VGy" for g in body):
        note = f"above the lowest prescription outside the targets: half of their {volume:.4g} cc"
        yield _goal(outside, f"V{lowest:.6g}Gy[cc]", "<=", _SPILL * volume, "cc", note), highest
    if any("ring(" in g.structure for g in written):
        return
    for first, last, share in _RINGS:
        if ring := _large_enough(case, f"ring({TARGETS}, {first:g} mm, {last:g} mm)"):
            note = f"fall-off around the targets: {100 * share:g}% of the lowest prescription"
            yield _goal(ring, "Dmean", "<=", share * lowest, "Gy", note), highest


def _goal(structure: str, metric: str, comparison: str, limit: float, unit: Unit, note: str) -> Goal:
    limit = float(f"{limit:.4g}")
    return Goal(
        structure, Metric.parse(metric), comparison, limit, unit, 0.0, IMPLIED_PRIORITY, note=note, implied=True
    )


def _without(case: Case, name: str, higher: Sequence[str]) -> str:
    """Give a target without the higher ones that it holds, as it is where it holds none; "" where nothing is left."""
    shared = [other for other in higher if np.isin(case.rows(name), case.rows(other), assume_unique=True).any()]
    if not shared:
        return name
    return _large_enough(case, f"{quoted(name)} - {_union(shared)}")


def _large_enough(case: Case, text: str) -> str:
    """Give a region's canonical name where a goal on it means something, else ""."""
    region = case.structure(text)
    return region.name if region.volume_cc >= _LEAST_CC and len(region.voxels) >= _LEAST_VOXELS else ""


def quoted(name: str) -> str:
    """Write a structure's name as it stands in a region."""
    return str(Region("name", name=name))


def _union(names: Sequence[str]) -> str:
    union = " | ".join(quoted(name) for name in names)
    return f"({union})" if len(names) > 1 else union


def _says_minimum(goal: Goal) -> bool:
    """Tell whether a goal bounds the coldest part of a target."""
    kind, amount = goal.metric.kind, goal.metric.amount
    if kind in ("V%", "VGy") and goal.unit == "%" and goal.comparison == ">=":
        return goal.limit >= 97.0
    return goal.comparison == ">=" and (kind == "Dmin" or (kind == "D%" and amount >= 97.0))


def _says_maximum(goal: Goal) -> bool:
    """Tell whether a goal bounds the hottest part of a structure."""
    kind, amount = goal.metric.kind, goal.metric.amount
    if goal.comparison != "<=":
        return False
    if kind in ("V%", "VGy"):
        return goal.limit <= (_NEAR_PERCENT if goal.unit == "%" else _NEAR_CC)
    return kind == "Dmax" or (kind == "D%" and amount <= _NEAR_PERCENT) or (kind == "Dcc" and amount <= _NEAR_CC)


def _says_middle(goal: Goal) -> bool:
    """Tell whether a goal bounds the middle of a target from above."""
    kind, amount = goal.metric.kind, goal.metric.amount
    return goal.comparison == "<=" and (kind == "Dmean" or (kind == "D%" and 20.0 <= amount <= 80.0))
