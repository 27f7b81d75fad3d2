"""The best loss so far against evaluations, as an SVG element; the same picture as `Result.plot`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...figures import figure
from ...runs.result import Result
from ...search.trial import State, Trial
from .text import attribute, shortened, shown

_WIDTH, _HEIGHT = 880, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 32, 52
#: Points from which on they are drawn smaller.
_DENSE = 500

#: (state, feasible) in the order they are drawn, the important ones on top: class, and what it means.
_KINDS = {
    (State.FAILED, True): ("failed", "could not be measured"),
    (State.FAILED, False): ("failed", "could not be measured"),
    (State.REJECTED, False): ("rejected outside", "not better, outside a hard limit"),
    (State.REJECTED, True): ("rejected", "not better"),
    (State.ACCEPTED, False): ("accepted outside", "best so far, outside a hard limit"),
    (State.ACCEPTED, True): ("accepted", "best so far"),
}


def plot(result: Result) -> str:
    """The plot with its legend as HTML; every point links to its trial. "" where nothing was measured."""
    measured = [t for t in result.trials if t.feedback]
    if not measured:
        return ""
    losses = [t.loss for t in measured if t.measured] or [0.0, 1.0]
    scale = _Scale(len(measured), min(losses), max(losses))
    points: dict[tuple[str, str], list[str]] = {kind: [] for kind in _KINDS.values()}
    for i, trial in enumerate(measured, 1):
        kind = _KINDS.get((trial.state, trial.feedback.feasible if trial.feedback else True))
        if kind:
            points[kind].append(
                _point(trial, kind[0], scale.x(i), scale.y(trial.loss if trial.measured else scale.top))
            )
    name = shortened(str(result.header.get("loss") or ""), 70)
    title = f"Best loss so far against evaluations: {len(measured)} trials"
    dense = " dense" if len(measured) > _DENSE else ""
    return (
        f'<svg class="plot{dense}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="group" aria-label="{attribute(title)}">'
        f"{_axes(scale)}"
        f'<text class="label" x="{_LEFT}" y="16">loss{f": {shown(name)}" if name else ""} (lower is better)</text>'
        f'<text class="label" x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 4}" text-anchor="end">evaluations</text>'
        f"{_steps(measured, scale)}{''.join(mark for marks in points.values() for mark in marks)}</svg>"
        f"{_legend({kind: len(marks) for kind, marks in points.items()})}"
    )


class _Scale:
    """Where a trial stands on the plot."""

    def __init__(self, evaluations: int, low: float, high: float) -> None:
        self.last = max(2, evaluations + 1)
        self.top = high
        step = _nice(high / 4 - low / 4) or max(abs(low), abs(high)) or 1.0
        #: Losses that get a line. A handful even of losses that a float can hardly hold.
        self.ticks = [step * i for i in range(math.floor(low / step), math.ceil(high / step) + 1)][:12]
        if len(self.ticks) < 2 or not all(map(math.isfinite, self.ticks)):
            self.ticks = [low, high] if low < high else [low - 1.0, low + 1.0]
        self.step = self.ticks[1] - self.ticks[0]

    def x(self, evaluation: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * evaluation / self.last

    def y(self, loss: float) -> float:
        low, high = self.ticks[0] / 2, self.ticks[-1] / 2  # halves: their difference is always finite
        share = (loss / 2 - low) / (high - low) if high > low else 0.5
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def _nice(step: float) -> float:
    """The next larger of 1, 2, 5, 10, 20, ...; 0.0 for no step at all."""
    if not (0 < step < 1e300):
        return 0.0
    power = 10.0 ** math.floor(math.log10(step))
    return next((power * m for m in (1, 2, 5) if step <= power * m * 1.000001), power * 10)


def _axes(scale: _Scale) -> str:
    marks = []
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for loss in scale.ticks:
        y = scale.y(loss)
        text = f"{loss:.{max(0, -math.floor(math.log10(scale.step)))}f}" if 1e-4 < scale.step < 1e5 else f"{loss:.3g}"
        marks.append(f'<path class="grid" d="M{_LEFT},{y:.1f}H{right}"/>')
        marks.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    step = max(1, round(_nice(scale.last / 8)))
    for evaluation in range(0, scale.last + 1, step):
        x = scale.x(evaluation)
        marks.append(f'<path class="grid" d="M{x:.1f},{bottom}v5"/>')
        marks.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{evaluation}</text>')
    return "".join(marks)


def _steps(measured: Sequence[Trial], scale: _Scale) -> str:
    """The best so far as a line that goes down in steps."""
    accepted = [(scale.x(i), scale.y(t.loss)) for i, t in enumerate(measured, 1) if t.state is State.ACCEPTED]
    if not accepted:
        return ""
    (x, y), *rest = accepted
    path = f"M{x:.1f},{y:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in rest) + f"H{scale.x(len(measured)):.1f}"
    return f'<path class="best-so-far" d="{path}"/>'


def _point(trial: Trial, kind: str, x: float, y: float) -> str:
    outcome = f"loss {figure(trial.loss)}" if trial.measured else "not measured"
    title = shown(f"trial {trial.number}, {trial.state.value}, {outcome}: {shortened(trial.value, 120)}")
    # Only the steps are reached with the tabulator key; all the others would bury what comes next.
    skipped = "" if trial.state is State.ACCEPTED else ' tabindex="-1"'
    return f'<a href="#trial-{trial.number}"{skipped}><title>{title}</title>{_mark(kind, x, y)}</a>'


def _mark(kind: str, x: float, y: float) -> str:
    if kind == "failed":
        return f'<path class="failed" d="M{x - 4:.1f},{y - 4:.1f}l8,8m0,-8l-8,8"/>'
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{5 if "accepted" in kind else 4}"/>'


def _legend(counts: dict[tuple[str, str], int]) -> str:
    entries = [
        f'<li><svg class="plot" width="14" height="14" aria-hidden="true">{_mark(kind, 7, 7)}</svg> '
        f"{meaning} ({count})</li>"
        for (kind, meaning), count in reversed(counts.items())
        if count
    ]
    return f'<ul class="legend">{"".join(entries)}</ul>'
