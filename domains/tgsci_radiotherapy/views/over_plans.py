"""A run's plans side by side as pictures: how each goal's margin and each objective's weight went from plan to plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.patches import Rectangle

from tgsci.basics.texts import compact
from tgsci.search.trial import State, Trial, Trials
from tgsci.show.canvas import NotebookFigure, label

from ..editor.surrogate import Point, points, slots_of
from ..goals.table import written
from .style import INK, QUIET, caption

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..goals import Goal, GoalResult

#: Plans side by side, rows of goals and of objectives: at most.
_PLANS, _GOALS, _OBJECTIVES = 14, 45, 40
#: Relative margin, and doublings of a weight, from which on colours stay the same.
_MOST_MARGIN, _MOST_DOUBLINGS = 0.05, 4.0
#: From missed to met: orange against blue, which the colour-blind tell apart too.
_MARGINS = LinearSegmentedColormap.from_list("margins", ["#c8500a", "#f6c9a4", "#f7f7f7", "#b5d3ea", "#2b6ca8"])
#: From a smaller weight to a larger one.
_WEIGHTS = LinearSegmentedColormap.from_list("weights", ["#8a6d1d", "#e6d9ae", "#f7f7f7", "#cfc4e3", "#5e4b9b"])


@dataclass(frozen=True)
class Shown:
    """The plans of a run that are shown, in the order in which they were made.

    Args:
        plans: With their goals.
        best: The number of the best one's trial.
        left_out: Measured plans that there is no room for.
    """

    plans: tuple[Point, ...]
    best: int
    left_out: int

    @classmethod
    def of(cls, trials: Trials) -> Shown | None:
        """Choose the plans: all where there is room, else the start, those that led, and the best; None for none."""
        measured = points(trials)
        same = [p for p in measured if p.criteria == measured[0].criteria] if measured else []
        if not same:
            return None
        first = min(p.trial.number for p in same)
        led = [p for p in same if p.trial.number == first or p.trial.state is State.ACCEPTED]
        chosen = {p.trial.number: p for p in [same[0], *led[-1:], *led, *same][: 4 * _PLANS]}
        kept = sorted(list(chosen.values())[:_PLANS], key=lambda p: p.trial.number)
        return cls(tuple(kept), same[0].trial.number, len(measured) - len(kept))

    @property
    def titles(self) -> list[str]:
        """What stands above each plan."""
        return [f"{p.trial.number}" for p in self.plans]


def goals_figure(trials: Trials) -> NotebookFigure | None:
    """Draw each goal's value in each plan, coloured by its margin: blue is met, orange is missed.

    Args:
        trials: All of a run.

    Returns:
        None where no plan was measured.
    """
    shown = Shown.of(trials)
    if shown is None:
        return None
    rows = [list(column) for column in zip(*(p.effects.results for p in shown.plans), strict=True)]
    rows.sort(key=lambda row: (row[0].goal.implied, row[0].goal.priority))
    left_out = max(0, len(rows) - _GOALS)
    rows = rows[:_GOALS]
    margins = np.array([[r.relative_margin for r in row] for row in rows])
    texts = [[_value(r) for r in row] for row in rows]
    names = [_named(row[0].goal) for row in rows]
    counts = [[f"{_met(p.effects.results)}" for p in shown.plans]]
    figure, ax = _frame(len(rows) + 1, len(shown.plans), longest=max(map(len, names)))
    norm = TwoSlopeNorm(0.0, -_MOST_MARGIN, _MOST_MARGIN)
    _cells(ax, np.vstack([margins, np.full((1, len(shown.plans)), np.nan)]), [*texts, *counts], _MARGINS, norm)
    _label(ax, [*names, "goals met"], shown)
    words = "blue: met, orange: missed, by colour up to 5% of the prescription or volume; frame: the best plan"
    _told(figure, words, shown, f"{left_out} goals", left_out)
    return figure


def weights_figure(trials: Trials) -> NotebookFigure | None:
    """Draw each objective's weight and dose in each plan, coloured by the weight beside that of the first plan.

    Args:
        trials: All of a run.

    Returns:
        None where no plan was measured.
    """
    shown = Shown.of(trials)
    if shown is None:
        return None
    tables = [dict(zip(p.slots, p.parameters.objectives, strict=True)) for p in shown.plans]
    slots = list(dict.fromkeys(slot for p in shown.plans for slot in slots_of(p.parameters)))
    left_out, slots = max(0, len(slots) - _OBJECTIVES), slots[:_OBJECTIVES]
    colours = np.full((len(slots), len(tables)), np.nan)
    texts, names = [], []
    for i, slot in enumerate(slots):
        first = next(t[slot] for t in tables if slot in t)
        names.append(f"{label(first.structure, 34)} {first.type}")
        row = []
        for j, table in enumerate(tables):
            o = table.get(slot)
            if o is not None and o.weight > 0 and first.weight > 0:
                colours[i, j] = math.log2(o.weight / first.weight)
            dose = "" if o is None or o.dose_gy is None else f"\n{compact(o.dose_gy)} Gy"
            row.append("" if o is None else f"{compact(o.weight, 3)}{dose}")
        texts.append(row)
    figure, ax = _frame(len(slots), len(tables), longest=max(map(len, names)), tall=True)
    _cells(ax, colours, texts, _WEIGHTS, TwoSlopeNorm(0.0, -_MOST_DOUBLINGS, _MOST_DOUBLINGS))
    _label(ax, names, shown)
    words = "weight, and the objective's dose below it; purple: larger than at first, brown: smaller, up to 16 times"
    _told(figure, words, shown, f"{left_out} objectives", left_out)
    return figure


def near_miss(trials: Trials) -> tuple[Trial, str] | None:
    """Find the plan that meets most of what the best meets, or something else, and say what it gains and what it loses.

    Args:
        trials: All of a run.

    Returns:
        The trial and a sentence; None where no plan meets other goals than the best.
    """
    measured = points(trials)
    if not measured:
        return None
    best = measured[0].effects.results
    met = [r.met for r in best]
    others = [
        p for p in measured[1:] if p.criteria == measured[0].criteria and [r.met for r in p.effects.results] != met
    ]
    if not others:
        return None

    def rank(plan: Point) -> tuple[int, bool, float]:
        new = any(b.met and not a.met for a, b in zip(best, plan.effects.results, strict=True))
        return _met(plan.effects.results), new, -plan.trial.loss

    near = max(others, key=rank)
    pairs = list(zip(best, near.effects.results, strict=True))
    gains = [f"{b.goal.criterion} ({b.value_text})" for a, b in pairs if b.met and not a.met]
    loses = [f"{b.goal.criterion} ({b.value_text})" for a, b in pairs if a.met and not b.met]
    parts = [f"meets {', '.join(gains)}, which the best does not"] if gains else []
    parts += [f"misses {', '.join(loses)}, which the best meets"] if loses else []
    asked = sum(not r.goal.implied for r in best)
    counts = f"{_met(near.effects.results)} of {asked} goals met beside {_met(best)} of the best"
    return near.trial, (
        f"The best near miss is trial {near.trial.number}: {counts}, trial {measured[0].trial.number}. "
        f"It {' and '.join(parts)}."
    )


def _met(results: Sequence[GoalResult]) -> int:
    """Count the sheet's goals that are met."""
    return sum(r.met for r in results if not r.goal.implied)


def _named(goal: Goal) -> str:
    return f"{label(goal.criterion, 52)}  ({'implied' if goal.implied else f'P{goal.priority}'})"


def _value(result: GoalResult) -> str:
    return "-" if math.isnan(result.value) else written(result.goal, result.value, unit=False)


def _frame(rows: int, columns: int, *, longest: int, tall: bool = False) -> tuple[NotebookFigure, Axes]:
    width = 1.2 + 0.085 * longest + 0.62 * columns
    height = 1.1 + rows * (0.34 if tall else 0.23)
    figure = NotebookFigure(figsize=(max(width, 7.0), height), layout="constrained")
    return figure, figure.add_subplot()


def _told(figure: NotebookFigure, words: str, shown: Shown, rows: str, left_out: int) -> None:
    """Write what colours mean below a picture, and what there was no room for."""
    more = [f"{shown.left_out} plans and {rows} more"] if shown.left_out or left_out else []
    caption(figure, [words, *more], 150)


def _cells(
    ax: Axes, values: NDArray[np.float64], texts: Sequence[Sequence[str]], cmap: Any, norm: TwoSlopeNorm
) -> None:
    low, high = float(norm.vmin or 0.0), float(norm.vmax or 0.0)
    ax.imshow(np.clip(values, low, high), cmap=cmap, norm=norm, aspect="auto", interpolation="nearest")
    for i, row in enumerate(texts):
        for j, text in enumerate(row):
            ink = "white" if abs(float(values[i, j])) > 0.75 * high else INK  # nan is not
            ax.text(j, i, text, ha="center", va="center", fontsize=7, color=ink, linespacing=0.95)


def _label(ax: Axes, names: Sequence[str], shown: Shown) -> None:
    ax.set_yticks(range(len(names)), names, fontsize=8, color=INK)
    ax.set_xticks(range(len(shown.plans)), shown.titles, fontsize=8, color=INK)
    ax.xaxis.tick_top()
    ax.set_xlabel("trial", fontsize=8, color=QUIET)
    ax.xaxis.set_label_position("top")
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    place = next(j for j, p in enumerate(shown.plans) if p.trial.number == shown.best)
    around = Rectangle((place - 0.5, -0.5), 1.0, len(names), fill=False, edgecolor=INK, linewidth=1.6, clip_on=False)
    ax.add_patch(around)
