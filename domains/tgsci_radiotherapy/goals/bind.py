"""Binding a sheet to a case: its names are looked up there, percentages become Gy, missing structures are named."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tgsci.basics.texts import compact, nearest, quote
from tgsci.errors import UsageError

from ..case.regions import EXTERNAL, TARGETS, looks_like_region, parse
from ..names import folded
from .goal import ABSENT, Goal, absolute, contradiction, same_structure
from .implied import implied_goals
from .overlap import Floor
from .table import GoalResult, GoalTable, scale_of

if TYPE_CHECKING:
    from ..case.model import Case, Structure
    from .sheet import Sheet

#: A dose to this % of the body or less is one to its hottest part.
_HOTTEST_PERCENT = 5.0
#: How far a case's prescription may be from the sheet's.
_SAME_DOSE = 0.005


@dataclass(frozen=True)
class BoundSheet:
    """A sheet's goals on a case.

    Args:
        sheet: As it was written.
        goals: What can be evaluated: the case's names, limits in the unit of the metric's value; implied ones last.
        missing: Optional goals that cannot be, each with why.
        prescriptions: Of each structure in `goals`, total Gy: its own; of organs the highest of the case.
        notes: What a person should know, in sentences.
    """

    sheet: Sheet
    goals: tuple[Goal, ...]
    missing: tuple[tuple[Goal, str], ...]
    prescriptions: Mapping[str, float]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the sheet."""
        return self.sheet.name

    def table(self, case: Case, values: Sequence[float]) -> GoalTable:
        """Put the goals and their values into a table.

        Args:
            case: The case that the sheet is bound to.
            values: Of `goals`, in their order and units; nan where a dose gives none.
        """
        results = [
            GoalResult(
                goal,
                value,
                scale_of(goal, self.prescriptions[goal.structure]),
                "there is no dose" if math.isnan(value) else "",
            )
            for goal, value in zip(self.goals, values, strict=True)
        ]
        results += [GoalResult(goal, math.nan, note=why) for goal, why in self.missing]
        return GoalTable(self.name, case.name, str(case.grid), tuple(results), self.notes)


def bind(sheet: Sheet, case: Case) -> BoundSheet:
    """Bind a sheet to a case; see `Sheet.bind`."""
    try:
        return _bind(sheet, case)
    except UsageError as error:
        raise UsageError(f"goals {sheet.name}: {error}") from None


def _bind(sheet: Sheet, case: Case) -> BoundSheet:
    own = _prescriptions(sheet, case)
    highest = max([case.prescription, *own.values()])
    goals: list[Goal] = []
    missing: list[tuple[Goal, str]] = []
    prescriptions: dict[str, float] = {}
    for goal in sheet.goals:
        try:
            structures = _structures(goal, sheet, case)
        except UsageError as error:
            if not goal.optional:
                raise UsageError(f"{error}; or add ', optional' to {quote(goal.text)}") from None
            missing.append((goal, f"{ABSENT} {goal.structure}"))
            continue
        for structure in structures:
            if not len(structure.voxels):
                if not goal.optional:
                    raise UsageError(
                        f"{structure.name} has no voxel on the dose grid, and {quote(goal.text)} needs one; "
                        "take the goal out, or plan on a finer grid"
                    )
                missing.append((replace(goal, structure=structure.name), "it has no voxel on the dose grid"))
                continue
            if fault := _too_much(goal, structure, case):
                if not goal.optional:
                    raise UsageError(
                        f"{quote(goal.text)} cannot be evaluated: {fault}; write fewer cc, or a % of the structure, or "
                        "add ', optional' to leave the goal out where the structure is too small"
                    )
                missing.append((replace(goal, structure=structure.name), fault))
                continue
            prescription = own.get(structure.name, structure.prescription or highest)
            goals.append(_in_gray(replace(goal, structure=structure.name), prescription))
            prescriptions[structure.name] = prescription
    small = [f"{goal.structure}: {why}" for goal, why in missing if not why.startswith(ABSENT)]
    if not goals and small:
        raise UsageError(f"none of its goals can be evaluated on this case: {'; '.join(small[:3])}")
    if not goals:
        raise UsageError(f"none of its structures is in the case, which has {_list_names(case.names)}")
    _check_twice(goals)
    _check_together(goals, case, prescriptions)
    notes = _notes(sheet, case, goals)
    targets = {t.name: own.get(t.name, t.prescription or 0.0) for t in case.targets if len(t.voxels)}
    if sheet.implied:
        for goal, prescription in implied_goals(case, targets, goals):
            prescriptions.setdefault(goal.structure, prescription)
            group = [g for g in goals if g.structure == goal.structure] + [goal]
            if not contradiction(group, _volume(case.structure(goal.structure), case)):
                goals.append(goal)
    floor = Floor(case, targets)
    goals = [floor.limited(replace(goal, spares=_spares(goal, case))) for goal in goals]
    notes += [floor.explain(goal) for goal in goals if goal.forbidden]
    return BoundSheet(sheet, tuple(goals), tuple(missing), prescriptions, tuple(notes))


def _spares(goal: Goal, case: Case) -> bool:
    """Tell whether a plan is the better the further it goes beyond the limit: of organs, wide dose and conformity.

    Not of a target's own dose, nor of the body's hottest part, which lies in a target or at its edge.
    """
    kind, amount = goal.metric.kind, goal.metric.amount
    if kind == "CI":
        return True
    structure = case.structure(goal.structure)
    hottest = kind == "Dmax" or (kind == "D%" and amount <= _HOTTEST_PERCENT) or kind == "Dcc"
    of_body = structure.type == "external" or EXTERNAL in structure.name
    return goal.comparison == "<=" and structure.type != "target" and not (of_body and hottest)


def _prescriptions(sheet: Sheet, case: Case) -> dict[str, float]:
    """Give the sheet's prescriptions the case's names.

    Raises:
        UsageError: The case prescribes another dose, or not to a target.
    """
    prescriptions: dict[str, float] = {}
    for target, dose in sheet.prescription.items():
        try:
            structure = _find(target, sheet, case)
        except UsageError:
            if any(same_structure(g.structure) == folded(target) and not g.optional for g in sheet.goals):
                raise
            continue
        if structure.type != "target":
            raise UsageError(
                f"it prescribes {compact(dose)} Gy to {structure.name}, which is no target in this case; "
                "take it out of [prescription], or make it a target when the case is imported"
            )
        there = structure.prescription
        if there is not None and abs(there - dose) > _SAME_DOSE * dose:
            raise UsageError(
                f"it is for {compact(dose)} Gy to {structure.name}, and the case prescribes {compact(there)} Gy; take "
                f"a sheet for {compact(there)} Gy, or change [prescription] and the goals in a copy of this one"
            )
        prescriptions[structure.name] = dose
    return prescriptions


def _structures(goal: Goal, sheet: Sheet, case: Case) -> list[Structure]:
    if goal.structure == TARGETS:
        targets = [s for s in case.structures if s.type == "target"]
        if not targets:
            raise UsageError("the case has no target")
        return targets
    if goal.structure == EXTERNAL:
        if len(case.outlines) != 1:
            raise UsageError(f"the case has {len(case.outlines)} outlines of the body, and {EXTERNAL} needs one")
        return list(case.outlines)
    if looks_like_region(goal.structure):
        region = parse(goal.structure).renamed(partial(_in_region, sheet=sheet, case=case))
        return [case.structure(str(region))]
    return [_find(goal.structure, sheet, case)]


def _in_region(name: str, sheet: Sheet, case: Case) -> str:
    return name if name in (TARGETS, EXTERNAL) else _find(name, sheet, case).name


def _find(name: str, sheet: Sheet, case: Case) -> Structure:
    """Find the structure that a sheet means: by its name, then by the other names that the sheet lists."""
    key = next((known for known in sheet.aliases if folded(known) == folded(name)), name)
    wanted = [name, *sheet.aliases.get(key, ())]
    for spellings in (wanted[:1], wanted[1:]):
        keys = {folded(spelling) for spelling in spellings}
        matching = [s for s in case.structures if folded(s.name) in keys]
        if len(matching) > 1:
            raise UsageError(
                f"{name} could be {' or '.join(s.name for s in matching[:4])}; write the one you mean in the goals"
            )
        if matching:
            return matching[0]
    targets = case.targets
    if len(targets) == 1 and [folded(t) for t in sheet.prescription] == [folded(name)]:
        return targets[0]  # one target prescribed, one target there
    near = nearest(name, case.names, 2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has {_list_names(case.names)}."
    raise UsageError(f"the case has no {name}; {hint} If it has another name there, write it under [structures]")


def _too_much(goal: Goal, structure: Structure, case: Case) -> str:
    """Say that a goal is about more cc than the structure has; "" where it is not."""
    asked = _cc(goal) if goal.metric.kind == "Dcc" or goal.comparison == ">=" else 0.0
    if asked <= _volume(structure, case) * (1.0 + 1e-9):
        return ""
    return f"it is about {compact(asked)} cc, and {structure.name} has {_volumes(structure, case)}"


def _cc(goal: Goal) -> float:
    """Give the volume that a goal is about, cc; 0 for a goal that is not in cc."""
    return goal.metric.amount if goal.metric.kind == "Dcc" else goal.limit if goal.metric.unit == "cc" else 0.0


def _volume(structure: Structure, case: Case) -> float:
    """Give the volume of a structure's voxels, cc: goals use it, not the drawn volume."""
    return len(structure.voxels) * case.grid.voxel_cc


def _volumes(structure: Structure, case: Case) -> str:
    return f"{compact(_volume(structure, case))} cc on the dose grid ({compact(structure.volume_cc)} cc drawn)"


def _in_gray(goal: Goal, prescription: float) -> Goal:
    """Turn a limit in % of the prescription into Gy."""
    if goal.metric.unit != "Gy" or goal.unit != "%":
        return goal
    share = prescription / 100.0
    origin = f"{compact(goal.limit)}% of {compact(prescription)} Gy"
    return replace(
        goal,
        limit=round(goal.limit * share, 9),
        tolerance=round(goal.tolerance * share, 9),
        unit="Gy",
        note=f"{goal.note}; {origin}" if goal.note else origin,
    )


def _check_twice(goals: Iterable[Goal]) -> None:
    seen: dict[str, Goal] = {}
    for goal in goals:
        first = seen.setdefault(f"{goal.name} {goal.comparison}", goal)
        if first is not goal:
            raise UsageError(
                f"{quote(first.text)} and {quote(goal.text)} are both about {goal.name} in this case; keep one of them"
            )


def _check_together(goals: Iterable[Goal], case: Case, prescriptions: Mapping[str, float]) -> None:
    by_name: dict[str, list[Goal]] = {}
    for goal in goals:
        known = absolute(goal, prescriptions.get(goal.structure, math.nan))
        if known is not None:
            by_name.setdefault(goal.structure, []).append(known)
    for name, group in by_name.items():
        if fault := contradiction(group, _volume(case.structure(name), case)):
            raise UsageError(fault)


def _notes(sheet: Sheet, case: Case, goals: Iterable[Goal]) -> list[str]:
    notes = [
        f"{goal.criterion} is met by any dose: {goal.structure} has {_volumes(case.structure(goal.structure), case)}."
        for goal in goals
        if goal.metric.unit == "cc"
        and goal.comparison == "<="
        and _cc(goal) > _volume(case.structure(goal.structure), case) * (1.0 + 1e-9)
    ]
    if sheet.fractions is None or sheet.fractions == case.fractions:
        return notes
    return [
        *notes,
        f"The goals of {sheet.name} are for {sheet.fractions} fractions; the case has {case.fractions}, "
        "and doses are not converted.",
    ]


def _list_names(names: Iterable[str], most: int = 12) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
