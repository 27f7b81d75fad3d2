"""A run as a matplotlib figure. Imported when a plot is asked for: matplotlib takes its time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .trial import State

if TYPE_CHECKING:
    from .result import Result

_LINE = "#1a7f5a"
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
    ax.set_ylabel(f"loss: {result.header.get('loss') or 'lower is better'}")
    ax.set_xlim(0, max(2, len(measured) + 1))
    ax.grid(alpha=0.25)
    if measured:
        ax.legend(frameon=False, fontsize=8)
    return cast("Figure", ax.figure)
