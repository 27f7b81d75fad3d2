"""Goals with the values that a dose gives them: one result, the table of a sheet, and how both are written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Any, Literal

from ..case.regions import looks_like_region
from .goal import ABSENT, Goal, with_unit

Status = Literal["pass", "tolerance", "fail", "not evaluated"]
#: Widest line of a table, characters, and the widest goal in it.
WIDTH, _GOAL_WIDTH = 80, 35
#: Decimals of a figure, at most.
_MOST_DECIMALS = 6
_COLOURS: dict[Status, str] = {"pass": "#1a7f37", "tolerance": "#9a6700", "fail": "#cf222e", "not evaluated": "#57606a"}
_MARKS: dict[Status, str] = {"pass": "\u2713", "tolerance": "~", "fail": "\u2717", "not evaluated": "\u2013"}


@dataclass(frozen=True)
class GoalResult:
    """A goal and what a dose makes of it.

    Args:
        goal: Bound to the case.
        value: In the goal's unit; nan where it is not evaluated.
        scale: What makes its margin comparable with those of other goals, in the goal's unit: see `scale_of`.
        note: Why it is not evaluated.
    """

    goal: Goal
    value: float
    scale: float = 1.0
    note: str = ""

    @property
    def margin(self) -> float:
        """How much better than the limit, in the goal's unit; below 0 the goal is missed by that much."""
        return self.goal.margin(self.value)

    @property
    def relative_margin(self) -> float:
        """The margin as a part of the scale; nan where there is no value."""
        return self.margin / self.scale

    @property
    def status(self) -> Status:
        """ "pass", "tolerance" (missed by no more than the tolerance), "fail" or "not evaluated"."""
        if math.isnan(self.value):
            return "not evaluated"
        return "pass" if self.met else "tolerance" if -self.margin <= self.goal.tolerance else "fail"

    @property
    def met(self) -> bool:
        """True where the limit is reached, without its tolerance."""
        return self.margin >= 0

    @property
    def excused(self) -> bool:
        """True where it is not evaluated and the sheet says that it need not be."""
        return self.status == "not evaluated" and self.goal.optional

    @property
    def shortfall(self) -> float:
        """By how much it is missed, in the goal's unit; 0 where it is met or not evaluated."""
        return max(0.0, -self.margin) if math.isfinite(self.margin) else 0.0

    @property
    def value_text(self) -> str:
        """The value with its unit: 49.20 Gy, 12.00%, with digits enough to see its side of the limit; "" for none."""
        return "" if math.isnan(self.value) else written(self.goal, self.value)

    @property
    def margin_text(self) -> str:
        """The margin with its sign and unit: +0.20 Gy, -1.30%; "" where there is none."""
        if math.isnan(self.margin):
            return ""
        text = _fixed(self.margin, self.goal.unit)
        return text if text.startswith("-") else f"+{text}"


def scale_of(goal: Goal, prescription: float) -> float:
    """Choose what a goal's margin is compared with, in the goal's unit.

    Of doses the prescription, so that a Gy is a Gy wherever it is missed; of volumes in % the whole structure; of
    volumes in cc the limit; of figures without a unit (HI, CI: parts of a dose or volume) 1.

    Args:
        goal: Bound to a case.
        prescription: That of its structure, total Gy.
    """
    if goal.unit == "Gy":
        return prescription if prescription > 0 else max(goal.limit, 1.0)
    return {"%": 100.0, "cc": max(goal.limit, 1.0)}.get(goal.unit, 1.0)


@dataclass(frozen=True)
class GoalTable:
    """The goals of a sheet and what a dose makes of them.

    Args:
        sheet: The sheet's name.
        case: The case's name.
        grid: The dose grid in words; figures depend on it.
        results: In the order of the sheet; what could not be evaluated comes last.
        notes: Sentences for people.
    """

    sheet: str
    case: str
    grid: str
    results: tuple[GoalResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def evaluated(self) -> tuple[GoalResult, ...]:
        """The results that have a value."""
        return tuple(r for r in self.results if r.status != "not evaluated")

    @property
    def passed(self) -> bool:
        """True where every goal of the sheet is met, optional ones that cannot be evaluated apart.

        Within tolerance is not met; implied goals do not count.
        """
        return bool(self.evaluated) and all(r.status == "pass" or r.excused for r in self._written)

    @property
    def acceptable(self) -> bool:
        """True where every goal of the sheet is met or within its tolerance."""
        return bool(self.evaluated) and all(r.status in ("pass", "tolerance") or r.excused for r in self._written)

    @property
    def _written(self) -> list[GoalResult]:
        return [r for r in self.results if not r.goal.implied]

    @property
    def met(self) -> int:
        """How many of the sheet's goals are met; implied ones are counted apart."""
        return sum(r.met for r in self.results if not r.goal.implied)

    @property
    def implied(self) -> tuple[GoalResult, ...]:
        """The results of implied goals."""
        return tuple(r for r in self.evaluated if r.goal.implied)

    def shortfalls(self) -> tuple[GoalResult, ...]:
        """List the goals that are missed, the most important first, then the one that misses most of its limit."""
        missed = [r for r in self.evaluated if r.status != "pass"]
        return tuple(sorted(missed, key=lambda r: (r.goal.priority, -r.shortfall / max(r.goal.limit, 1e-9))))

    def text(self) -> str:
        """Write the table in plain text, at most 80 characters wide."""
        lines = wrap(f"GOALS {self.sheet} on {self.case}, dose grid {self.grid}: {self._sum()}", WIDTH)
        lines += goal_lines([r for r in self.results if not r.note.startswith(ABSENT)])
        absent = list(dict.fromkeys(r.goal.structure for r in self.results if r.note.startswith(ABSENT)))
        if absent:
            lines += wrap(f"not in the case, so not evaluated: {', '.join(absent)}", WIDTH)
        return "\n".join([*lines, *(line for note in self.notes for line in wrap(note, WIDTH))])

    def as_dict(self) -> dict[str, Any]:
        """Give the table as JSON has it; nan becomes null."""
        return {
            "sheet": self.sheet,
            "case": self.case,
            "grid": self.grid,
            "passed": self.passed,
            "met": self.met,
            "evaluated": len(self.evaluated) - len(self.implied),
            "implied": {"met": sum(r.met for r in self.implied), "evaluated": len(self.implied)},
            "notes": list(self.notes),
            "goals": [_row(r) for r in self.results],
        }

    def _repr_html_(self) -> str:
        """For notebooks."""
        from tgsci.show.html import Cell, html_table

        from ..notice import NOTICE

        rows = [
            [
                Cell(result.goal.criterion, hint="; ".join(filter(None, [result.goal.note, result.note]))),
                Cell("implied" if result.goal.implied else str(result.goal.priority), figure=True),
                Cell(result.value_text, figure=True),
                Cell(result.margin_text, figure=True),
                Cell(f"{_MARKS[result.status]} {result.status}", style=f"color:{_COLOURS[result.status]}"),
            ]
            for result in self.results
        ]
        figures = [Cell(name, figure=True) for name in ("priority", "value", "margin")]
        caption = f"{self.sheet} on {self.case}, dose grid {self.grid}: {self._sum()}. {NOTICE}"
        return html_table(["goal", *figures, "status"], rows, caption=caption, notes=self.notes)

    def __str__(self) -> str:
        return self.text()

    def _sum(self) -> str:
        missing = len(self.results) - len(self.evaluated)
        more = [f"{missing} not evaluated"] if missing else []
        return ", ".join([count_met(self.evaluated), *more])


def valued(results: Sequence[GoalResult], values: Iterable[float]) -> list[GoalResult]:
    """Give goals other values, in their order, each in the goal's unit."""
    return [replace(r, value=float(v)) for r, v in zip(results, values, strict=True)]


def count_met(results: Sequence[GoalResult]) -> str:
    """Count in words what is met, implied goals apart: "18 of 20 met, 1 within tolerance, and 9 of 11 implied"."""
    written = [r for r in results if not r.goal.implied]
    implied = [r for r in results if r.goal.implied]
    near = sum(r.status == "tolerance" for r in written)
    forbidden = sum(r.goal.forbidden and not r.met for r in written)
    parts = [f"{sum(r.met for r in written)} of {len(written)} met"]
    parts += [f"{near} within tolerance"] if near else []
    parts += [f"{forbidden} that the targets forbid"] if forbidden else []
    parts += [f"and {sum(r.met for r in implied)} of {len(implied)} implied"] if implied else []
    return ", ".join(parts)


def goal_lines(results: Sequence[GoalResult]) -> list[str]:
    """Write goals as a table in plain text, at most 80 characters wide: a header, then a line each.

    Args:
        results: In the order of the lines.
    """
    width = max([4, *(len(_criterion(r.goal)) for r in results)])
    lines = [f"{'goal':{width}}  P  {'value':>10}  {'margin':>10}  status"]
    for result in results:
        if _stands_above(result.goal):
            lines += wrap(result.goal.structure, WIDTH)
        lines.append(_line(result, width))
    return lines


def _line(result: GoalResult, width: int) -> str:
    tolerance = f" {with_unit(result.goal.tolerance, result.goal.unit, 3)}" if result.status == "tolerance" else ""
    forbidden = ", forbidden" if result.goal.forbidden and result.status in ("fail", "tolerance") else ""
    status = f"{result.status}{tolerance}{forbidden}" + (f": {result.note}" if result.note else "")
    figures = f"{_priority(result.goal)}  {result.value_text:>10}  {result.margin_text:>10}"
    line = f"{_criterion(result.goal):{width}}  {figures}  {status}"
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."


def _priority(goal: Goal) -> str:
    """Write a goal's priority; i marks an implied one."""
    return "i" if goal.implied else str(goal.priority)


def _criterion(goal: Goal) -> str:
    """Write a goal, a long structure name cut so that its figures stay readable; a long region stands above."""
    if _stands_above(goal):
        return f"  {goal.criterion[len(goal.structure) + 1 :]}"
    over = len(goal.criterion) - _GOAL_WIDTH
    return goal.criterion if over <= 0 else f"{goal.structure[: -over - 2]}..{goal.criterion[len(goal.structure) :]}"


def written(goal: Goal, value: float, *, unit: bool = True) -> str:
    """Write a value of a goal, with as many digits as show on which side of the limit it is: 69.997 Gy misses 70 Gy.

    Args:
        goal: What it is compared with.
        value: In the goal's unit.
        unit: Whether its unit is written behind it.
    """
    decimals = _decimals(value, goal.unit)
    while decimals < _MOST_DECIMALS and (goal.margin(round(value, decimals)) >= 0) != (goal.margin(value) >= 0):
        decimals += 1
    return _with_decimals(value, decimals, goal.unit if unit else "")


def _stands_above(goal: Goal) -> bool:
    """Tell whether a goal's structure has a line of its own: a long region, which is no name when it is cut."""
    return len(goal.criterion) > _GOAL_WIDTH and looks_like_region(goal.structure)


def _fixed(value: float, unit: str) -> str:
    """Write two decimals, three without a unit; more where a small figure would read as zero: -0.004 misses a goal."""
    return _with_decimals(value, _decimals(value, unit), unit)


def _decimals(value: float, unit: str) -> int:
    decimals = 2 if unit else 3
    while decimals < _MOST_DECIMALS and value and abs(value) < 0.5 * 10.0**-decimals:
        decimals += 1
    return decimals


def _with_decimals(value: float, decimals: int, unit: str) -> str:
    text = f"{value:.{decimals}f}"
    text = text.removeprefix("-") if float(text) == 0 else text
    return f"{text}{'' if unit in ('', '%') else ' '}{unit}"


def _row(result: GoalResult) -> dict[str, Any]:
    goal = result.goal
    return {
        "structure": goal.structure,
        "metric": str(goal.metric),
        "comparison": goal.comparison,
        "limit": goal.limit,
        "unit": goal.unit,
        "tolerance": goal.tolerance,
        "priority": goal.priority,
        "implied": goal.implied,
        "forbidden": goal.forbidden,
        "least": _number(goal.least),
        "value": _number(result.value),
        "margin": _number(result.margin),
        "status": result.status,
        "note": "; ".join(filter(None, [goal.note, result.note])),
        "text": goal.text,
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
