"""Edits of a plan in words: the best step along its slopes, predicted and solved, and edits beyond their reach."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ..goals import GoalResult
from ..goals.table import valued, written
from ..plan import Objective, PlanParameters
from . import scoring
from .ahead import ONE_STEP, after
from .consistent import consistent
from .edits import stepped
from .effects import Effects
from .linear import Region, best_step

if TYPE_CHECKING:
    from ..case.model import Case

#: Goals of a step's table; goals that a further edit names, and further edits; changes that are named: at most.
_ROWS, _NAMED, _EDITS, _CHANGES = 7, 6, 3, 12
#: A goal that moves by less than this share of its scale is not named.
_STILL = 2e-3
#: What marks a prediction that was moved to fit the others of its structure.
_MARK = "*"


def one_step(case: Case, effects: Effects, within: Region, shown: Collection[int]) -> list[str]:
    """Describe the best step along the slopes: what it changes, what every missed goal would be, and what it really is.

    Args:
        case: The patient.
        effects: The plan's; where the step was solved, it is among its tries.
        within: How far the step may go.
        shown: Places of the goals that may be named.
    """
    made = best_step(effects, within)
    parameters = stepped(effects, made.doublings, made.grays, made.additions)
    if parameters is None:
        return []
    values, moved = consistent(case, effects.results, made.predicted)
    told = valued(effects.results, values)
    tried = next((t for t in effects.tries if t.kind == ONE_STEP), None)
    solved = None if tried is None else after(effects, tried)
    came = told if solved is None else solved
    lines = [", ".join(changes(effects.parameters, parameters))]
    lines.append(f"predicted: {_outcome(effects.results, told)}")
    if solved is not None:
        lines[-1] += f"; solved again: {_outcome(effects.results, solved)}"
    if scoring.loss(told) >= scoring.loss(effects.results):
        lines.append("no step within reach lowers the loss: this one gives room to what is met narrowly")
    order = [i for i in _order(effects.results, came) if i in shown][:_ROWS]
    rows = [["goal", "now", "predicted", *([] if solved is None else ["solved"]), ""]]
    for i in order:
        r = effects.results[i]
        figures = [written(r.goal, r.value, unit=False), written(r.goal, told[i].value, unit=False) + _MARK * moved[i]]
        figures += [] if solved is None else [written(r.goal, solved[i].value, unit=False)]
        rows.append([r.goal.criterion, *figures, _turn(r, came[i])])
    lines += _columns(rows) if len(rows) > 1 else []
    if any(moved[i] for i in order):
        lines.append(
            f"{_MARK} its slope alone would contradict other goals of its structure: the nearest that fits them"
        )
    return lines


def further(effects: Effects, shown: Collection[int], most: int = _EDITS) -> list[str]:
    """Describe the edits further than slopes reach that came out better when they were solved again, the best first.

    Args:
        effects: The plan's, with its tries.
        shown: Places of the goals that may be named.
        most: Edits that are described, at most; those that are no better are only named.
    """
    here = scoring.loss(effects.results)
    tries = [(scoring.loss(reached), t, reached) for t in effects.tries if (reached := after(effects, t))]
    tries = sorted(((loss, t, r) for loss, t, r in tries if t.kind != ONE_STEP), key=lambda each: each[0])
    lines = []
    for _, tried, reached in [each for each in tries if each[0] < here][:most]:
        named = [
            f"{r.goal.name} {written(r.goal, r.value, unit=False)} -> {written(a.goal, a.value)}{_short_turn(r, a)}"
            for i in [i for i in _order(effects.results, reached) if i in shown][:_NAMED]
            for r, a in [(effects.results[i], reached[i])]
        ]
        lines.append(
            f"- {tried.kind}: {', '.join(changes(effects.parameters, tried.parameters))}. "
            f"{_outcome(effects.results, reached)}: {', '.join(named) or 'no goal moves'}"
        )
    worse = [f"{t.kind} (loss {loss:.4g})" for loss, t, _ in tries if loss >= here]
    return [*lines, *([f"- no better: {'; '.join(worse)}"] if worse else [])]


def changes(before: PlanParameters, after: PlanParameters) -> list[str]:
    """Say what an edit changes: objectives by their number on the page, new ones as they would be written.

    Args:
        before: The plan's parameters; their order gives the numbers.
        after: The edited ones.
    """
    left = list(after.objectives)
    named = []
    for number, old in enumerate(before.objectives, 1):
        new = _counterpart(old, left)
        if new is None:
            named.append(f"[{number}] left out")
            continue
        left.remove(new)
        parts = [f"weight {old.weight:g} -> {new.weight:g}"] if new.weight != old.weight else []
        if new.dose_gy != old.dose_gy:
            parts.append(f"dose {old.dose_gy:g} -> {new.dose_gy:g} Gy")
        if parts:
            named.append(f"[{number}] {' and '.join(parts)}")
    named += [f"new: {o.label}, weight {o.weight:g}" for o in left]
    more = f"and {len(named) - _CHANGES} more changes"
    return named if len(named) <= _CHANGES else [*named[:_CHANGES], more]


def _counterpart(old: Objective, among: Sequence[Objective]) -> Objective | None:
    """Find what became of an objective: the same but for weight and dose, the nearest dose first."""
    same = [
        o
        for o in among
        if (o.structure, o.type, o.volume_percent, o.exponent)
        == (old.structure, old.type, old.volume_percent, old.exponent)
    ]
    return min(same, key=lambda o: abs((o.dose_gy or 0.0) - (old.dose_gy or 0.0)), default=None)


def _outcome(before: Sequence[GoalResult], after: Sequence[GoalResult]) -> str:
    """Say what an edit does to the loss and to the number of goals met."""
    loss = f"loss {scoring.loss(before):.4g} -> {scoring.loss(after):.4g}"
    counts = f"goals met {_met(before, implied=False)} -> {_met(after, implied=False)}"
    if any(r.goal.implied for r in before):
        counts += f" and implied {_met(before, implied=True)} -> {_met(after, implied=True)}"
    return f"{loss}, {counts}"


def _met(results: Sequence[GoalResult], *, implied: bool) -> str:
    """Count what is met of the sheet's goals, or of those that it implies."""
    counted = [r.met for r in results if r.goal.implied is implied]
    return f"{sum(counted)} of {len(counted)}"


def _order(before: Sequence[GoalResult], after: Sequence[GoalResult]) -> list[int]:
    """Order the goals of a step: every missed one first, then those that it loses, then what moves most."""
    shift = [abs(a.value - b.value) / b.scale for b, a in zip(before, after, strict=True)]
    chosen = [i for i, by in enumerate(shift) if not before[i].met or not after[i].met or by > _STILL]

    def key(i: int) -> tuple[bool, bool, int, float]:
        return before[i].met, after[i].met, 0 if before[i].met else before[i].goal.priority, -shift[i]

    return sorted(chosen, key=key)


def _turn(before: GoalResult, after: GoalResult) -> str:
    """Say in a word what becomes of a goal."""
    if before.met:
        return "stays met" if after.met else "LOST"
    if after.met:
        return "MET"
    return "nearer" if after.margin > before.margin else "no nearer"


def _short_turn(before: GoalResult, after: GoalResult) -> str:
    word = _turn(before, after)
    return f" ({word})" if word in ("LOST", "MET") else " (missed)" if not after.met else ""


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Line up a table: the first and the last column at the left, figures at the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    last = len(widths) - 1
    return [
        "  ".join(
            cell.ljust(width) if i in (0, last) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
