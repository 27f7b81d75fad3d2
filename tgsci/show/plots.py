"""A run as a matplotlib figure. Imported when a plot is asked for: matplotlib takes its time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..search.trial import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..runs.result import Result

_LINE = "#1a7f5a"
_STYLES = ("-", "--", ":", "-.")
_LONGEST_NAME = 60
_MARKS = {
    State.ACCEPTED: ("best so far", "o", _LINE),
    State.REJECTED: ("not better", "o", "#b8bec6"),
    State.FAILED: ("could not be measured", "x", "#c0392b"),
}


class _ShownFigure(Figure):
    """A figure that shows itself in Jupyter without pyplot, which would keep every figure alive."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


def progress(result: Result, ax: Axes | None = None) -> Figure:
    """The best loss so far against evaluations, with every rejected, infeasible and failed trial.

    Args:
        result: A run's.
        ax: Where to draw; a figure of its own where None.
    """
    if ax is None:
        ax = _ShownFigure(figsize=(7, 4), layout="constrained").add_subplot()
    measured = [t for t in result.trials if t.feedback]
    worst = max((t.loss for t in measured if t.measured), default=1.0)
    for state, (label, marker, colour) in _MARKS.items():
        for feasible in (True, False):
            shown = [
                (i, t.loss if t.measured else worst)
                for i, t in enumerate(measured, 1)
                if t.state is state and t.feedback and t.feedback.feasible is feasible
            ]
            if shown:
                x, y = zip(*shown, strict=True)
                title = label if feasible else f"{label}, outside a hard limit"
                fill = colour if feasible or marker == "x" else "none"
                edge = None if marker == "x" else colour
                ax.scatter(x, y, s=26, c=fill, marker=marker, edgecolors=edge, label=title, zorder=3)
    accepted = [(i, t.loss) for i, t in enumerate(measured, 1) if t.state is State.ACCEPTED]
    if accepted:
        steps, best = zip(*accepted, strict=True)
        ax.step([*steps, len(measured)], [*best, best[-1]], where="post", color=_LINE, linewidth=1.6, zorder=2)
    ax.set_xlabel("evaluations")
    ax.set_ylabel(_label(result))
    ax.set_xlim(0, max(2, len(measured) + 1))
    ax.grid(alpha=0.25)
    if measured:
        ax.legend(frameon=False, fontsize=8)
    return cast("Figure", ax.figure)


def overlay(runs: Mapping[str, Result], ax: Axes | None = None, note: str = "") -> Figure:
    """The best loss so far of several runs against evaluations, one curve each.

    Args:
        runs: The runs by the names in the legend.
        ax: Where to draw; a figure of its own where None.
        note: Said above the curves.
    """
    if ax is None:
        ax = _ShownFigure(figsize=(7, 4), layout="constrained").add_subplot()
    longest = 1
    for i, (name, result) in enumerate(runs.items()):
        measured = [t for t in result.trials if t.feedback]
        accepted = [(step, t.loss) for step, t in enumerate(measured, 1) if t.state is State.ACCEPTED]
        longest = max(longest, len(measured))
        if accepted:
            steps, best = zip(*accepted, strict=True)
            label = name if len(name) <= _LONGEST_NAME else f"...{name[-_LONGEST_NAME:]}"
            # A name from outside is no formula, and one that begins with _ would be left out of the legend.
            label = label.replace("$", r"\$").lstrip("_")
            x, y = [*steps, len(measured)], [*best, best[-1]]
            ax.step(x, y, where="post", label=label, linewidth=1.6, linestyle=_STYLES[i // 10 % len(_STYLES)])
    ax.set_xlabel("evaluations")
    ax.set_ylabel(" or ".join(dict.fromkeys(f"best {_label(result)}" for result in runs.values())))
    ax.set_xlim(0, longest + 1)
    ax.grid(alpha=0.25)
    if note:
        ax.set_title(note, fontsize=9)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize=8)
    return cast("Figure", ax.figure)


def _label(result: Result) -> str:
    """The loss with its unit, where it has one."""
    name = str(result.header.get("loss") or "lower is better")
    unit = result.units.get("loss", "")
    return f"loss: {name} ({unit})" if unit else f"loss: {name}"
