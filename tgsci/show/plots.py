"""A run as a matplotlib figure. Imported when a plot is asked for: matplotlib takes its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..search.trial import State
from .canvas import NotebookFigure, label
from .curve import Point, best_so_far, points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..runs.result import Result

_LINE = "#1a7f5a"
_STYLES = ("-", "--", ":", "-.")
_LONGEST_NAME = 60
#: Marker and colour of each outcome.
_MARKS = {State.ACCEPTED: ("o", _LINE), State.REJECTED: ("o", "#b8bec6"), State.FAILED: ("x", "#c0392b")}


def progress(result: Result, ax: Axes | None = None) -> Figure:
    """Plot the best loss so far against evaluations, with every rejected, infeasible and failed trial.

    Args:
        result: The result of a run.
        ax: Where to draw; a figure of its own where None.
    """
    if ax is None:
        ax = NotebookFigure(figsize=(7, 4), layout="constrained").add_subplot()
    measured = sum(1 for trial in result.trials if trial.feedback)
    found = points(result.trials)
    for state, (marker, colour) in _MARKS.items():
        for outside in (False, True):
            group = [point for point in found if point.trial.state is state and point.outside is outside]
            if group:
                ax.scatter(
                    [point.evaluation for point in group],
                    [point.loss for point in group],
                    s=26,
                    c="none" if outside else colour,
                    marker=marker,
                    edgecolors=None if marker == "x" else colour,
                    label=group[0].outcome,
                    zorder=3,
                )
    _step(ax, found, measured, color=_LINE, linewidth=1.6, zorder=2)
    ax.set_xlabel("evaluations")
    ax.set_ylabel(_label(result))
    ax.set_xlim(0, max(2, measured + 1))
    ax.grid(alpha=0.25)
    if found:
        ax.legend(frameon=False, fontsize=8)
    return cast("Figure", ax.figure)


def overlay(runs: Mapping[str, Result], ax: Axes | None = None, note: str = "") -> Figure:
    """Plot the best loss so far of several runs against evaluations, one curve each.

    Args:
        runs: The runs by the names in the legend.
        ax: Where to draw; a figure of its own where None.
        note: Said above the curves.
    """
    if ax is None:
        ax = NotebookFigure(figsize=(7, 4), layout="constrained").add_subplot()
    longest = 1
    for i, (name, result) in enumerate(runs.items()):
        measured = sum(1 for trial in result.trials if trial.feedback)
        longest = max(longest, measured)
        # Runs are named by their directories: the end of a path tells them apart.
        short = name if len(name) <= _LONGEST_NAME else f"...{name[-_LONGEST_NAME:]}"
        style = _STYLES[i // 10 % len(_STYLES)]
        _step(ax, points(result.trials), measured, label=label(short, 80), linewidth=1.6, linestyle=style)
    ax.set_xlabel("evaluations")
    ax.set_ylabel(" or ".join(dict.fromkeys(f"best {_label(result)}" for result in runs.values())))
    ax.set_xlim(0, longest + 1)
    ax.grid(alpha=0.25)
    if note:
        ax.set_title(note, fontsize=9)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize=8)
    return cast("Figure", ax.figure)


def _step(ax: Axes, found: Sequence[Point], measured: int, **style: Any) -> None:
    """Draw the best so far up to the last measurement; nothing where there is none."""
    steps = best_so_far(found)
    if steps:
        x, y = [point.evaluation for point in steps], [point.loss for point in steps]
        ax.step([*x, measured], [*y, y[-1]], where="post", **style)


def _label(result: Result) -> str:
    """Name the loss, with its unit where it has one."""
    name = str(result.header.get("loss") or "lower is better")
    unit = result.units.get("loss", "")
    return f"loss: {name} ({unit})" if unit else f"loss: {name}"
