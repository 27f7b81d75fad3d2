"""The docking score against drug-likeness as a matplotlib figure. Imported when it is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tgsci.errors import UsageError
from tgsci.search.trial import Trial
from tgsci.show.canvas import NotebookFigure

from ..docking.vina import NOISE
from .table import checked, columns_of

if TYPE_CHECKING:
    from tgsci.runs.result import Result

_FRONT, _NOTE = "#9c4221", "#4a5568"


def plot_tradeoff(result: Result, x: str = "", y: str = "QED", ax: Axes | None = None) -> Figure:
    """Plot two metrics of every molecule against each other, coloured by round, the Pareto front marked.

    On the front stands what no other molecule beats in both figures at once; only molecules that keep all hard
    limits can be on it.

    Args:
        result: A molecules run's.
        x: A metric; the first docking score where "".
        y: A metric.
        ax: The axes to draw on; those of a new figure where None.

    Raises:
        UsageError: The run has no such metric.
    """
    better = {column.title.partition(" (")[0]: column.better for column in columns_of(checked(result))}
    x = x or next((name for name in better if name.split()[-1] == "vina"), "vina")
    plotted = [t for t in result.trials if t.measured and t.feedback and {x, y} <= t.feedback.metrics.keys()]
    if not plotted:
        names = ", ".join(dict.fromkeys(n for t in result.trials if t.feedback for n in t.feedback.metrics))
        raise UsageError(f"no molecule of this run has both {x!r} and {y!r}; there are: {names or 'no figures at all'}")
    if ax is None:
        ax = NotebookFigure(figsize=(7, 4.4), layout="constrained").add_subplot()
    figure = cast("Figure", ax.figure)
    upwards = better.get(y) == "higher"
    rightwards = better.get(x) == "higher"
    rounds = [t.round for t in plotted]
    scale = {"cmap": "viridis_r", "vmin": 0, "vmax": max(1, *rounds)}
    for kept in (True, False):
        some = [t for t in plotted if t.feedback and t.feedback.feasible is kept]
        if some:
            colours = {"c": [t.round for t in some], **scale} if kept else {"c": "none", "edgecolors": "#8a929c"}
            label = "molecule" if kept else "outside a hard limit"
            points = ax.scatter(_all(some, x), _all(some, y), s=30, zorder=3, label=label, **colours)
            if kept:
                figure.colorbar(points, ax=ax, label="round of proposals", pad=0.02, ticks=MaxNLocator(integer=True))
    front = _front(plotted, x, y, -1 if rightwards else 1, -1 if upwards else 1)
    if front:
        ax.plot(_all(front, x), _all(front, y), "-o", color=_FRONT, mfc="none", ms=10, lw=1, label="Pareto front")
    starts = [t for t in plotted if t.round == 0]
    if starts:
        ax.scatter(_all(starts, x), _all(starts, y), s=90, marker="D", c="none", edgecolors="#1a202c", label="start")
    best = result.best
    if best in plotted:
        ax.scatter(_all([best], x), _all([best], y), s=160, marker="*", c=_FRONT, zorder=4, label="lowest loss")
    if x.split()[-1] == "vina":
        at, right = ax.get_xaxis_transform(), max(_all(plotted, x))
        ax.plot([right - NOISE, right], [1.03, 1.03], "|-", color=_NOTE, transform=at, clip_on=False)
        note = f"seed noise {NOISE:g} kcal/mol "
        ax.text(right - NOISE, 1.03, note, ha="right", va="center", fontsize=8, color=_NOTE, transform=at)
    for axis, name, more in ((ax.set_xlabel, x, rightwards), (ax.set_ylabel, y, upwards)):
        axis(f"{result.titled(name)}, {'higher' if more else 'lower'} is better" if better.get(name) else name)
    ax.grid(alpha=0.25)
    ax.legend(frameon=False, fontsize=8)
    return figure


def _all(trials: Sequence[Trial], metric: str) -> list[float]:
    return [t.feedback.metrics[metric] for t in trials if t.feedback]


def _front(trials: Sequence[Trial], x: str, y: str, x_sign: int, y_sign: int) -> list[Trial]:
    """Find the trials not beaten in both figures, in the order of the first; a sign is -1 where higher is better."""
    kept = [t for t in trials if t.feedback and t.feedback.feasible]
    kept = [t for t in kept if all(math.isfinite(v) for v in (*_all([t], x), *_all([t], y)))]
    front: list[Trial] = []
    least = math.inf
    for trial in sorted(kept, key=lambda t: (x_sign * _all([t], x)[0], y_sign * _all([t], y)[0])):
        if y_sign * _all([trial], y)[0] < least:
            least = y_sign * _all([trial], y)[0]
            front.append(trial)
    return front
