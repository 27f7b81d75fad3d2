"""The curve of a run for the page: what `Result.plot` draws, as an SVG element whose points lead to their trials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...basics.texts import figure
from ...search.trial import State
from ..curve import OUTCOMES, Point, best_so_far, points
from .text import shortened

if TYPE_CHECKING:
    from ...runs.result import Result

#: Points from which on they are drawn smaller.
_DENSE = 500
#: A value so many times as far above the curve as the curve is high would press it flat.
_FLAT = 9


@dataclass(frozen=True)
class Mark:
    """A point as it is drawn.

    Args:
        x: On the picture, from its left.
        y: From its top.
        kind: Its classes in the style sheet.
        trial: The number of its trial.
        title: What is said where a mouse rests on it.
        step: True where the best so far goes down; only these are reached with the tabulator key.
    """

    x: float
    y: float
    kind: str
    trial: int
    title: str
    step: bool


class Plot:
    """The best loss so far against evaluations.

    Args:
        result: The result of a run.
    """

    width, height, left, top = 880, 330, 62, 32
    right, bottom = width - 14, height - 52

    def __init__(self, result: Result) -> None:
        found = points(result.trials)
        #: Measurements, judged or not.
        self.measured = sum(1 for trial in result.trials if trial.feedback)
        self.name = shortened(str(result.header.get("loss") or ""), 70)
        self.dense = self.measured > _DENSE
        self._last = max(2, self.measured + 1)
        led = [point.loss for point in best_so_far(found)]
        losses = [point.loss for point in found if point.trial.measured]
        top = _top(led, losses)
        self._ticks = _ticks([min(loss, top) for loss in losses] or [0.0, 1.0])
        #: How many measurements are above the picture; they are drawn on its upper edge.
        self.above = sum(loss > self._ticks[-1] for loss in losses)
        groups: dict[tuple[State, bool], list[Point]] = {
            (state, outside): [] for state in reversed(OUTCOMES) for outside in (True, False)
        }
        for point in found:
            groups[point.trial.state, point.outside].append(point)
        #: In the order they are drawn, the important ones on top.
        self.marks = [self._mark(point) for group in groups.values() for point in group]
        #: (kind, meaning, how many) of each kind that is there, the important ones first.
        self.legend = [(_kind(group[0]), group[0].outcome, len(group)) for group in reversed(groups.values()) if group]
        self.steps = [(self.x(point.evaluation), self.y(point.loss)) for point in best_so_far(found)]
        self.end = self.x(self.measured)

    def x(self, evaluation: float) -> float:
        """Place an evaluation on the picture, from its left."""
        return self.left + (self.right - self.left) * evaluation / self._last

    def y(self, loss: float) -> float:
        """Place a loss on the picture, from its top."""
        low, high = self._ticks[0] / 2, self._ticks[-1] / 2  # halves: their difference is always finite
        share = min((loss / 2 - low) / (high - low), 1.0) if high > low else 0.5
        return self.bottom - (self.bottom - self.top) * share

    @property
    def losses(self) -> list[tuple[float, str]]:
        """Place and text of each line."""
        step = self._ticks[1] - self._ticks[0]
        decimals = max(0, -math.floor(math.log10(step))) if 1e-4 < step < 1e5 else -1
        return [(self.y(loss), f"{loss:.{decimals}f}" if decimals >= 0 else f"{loss:.3g}") for loss in self._ticks]

    @property
    def evaluations(self) -> list[tuple[float, str]]:
        """Place and text of each mark on the axis."""
        step = max(1, round(_nice(self._last / 8)))
        return [(self.x(evaluation), str(evaluation)) for evaluation in range(0, self._last + 1, step)]

    def _mark(self, point: Point) -> Mark:
        trial = point.trial
        loss = f"loss {figure(trial.loss)}" if trial.measured else "not measured"
        title = f"trial {trial.number}, {trial.state.value}, {loss}: {shortened(trial.value, 120)}"
        step = trial.state is State.ACCEPTED
        return Mark(self.x(point.evaluation), self.y(point.loss), _kind(point), trial.number, title, step)


def _kind(point: Point) -> str:
    return f"{point.trial.state.value}{' outside' if point.outside else ''}"


def _top(led: list[float], losses: list[float]) -> float:
    """Choose how high the picture reaches: where one bad value would press the curve flat, not as high as that."""
    spread = max(led, default=0.0) / 2 - min(led, default=0.0) / 2
    if spread <= 0 or max(losses) / 2 - max(led) / 2 < _FLAT * spread:
        return math.inf
    return max(led) + spread


def _ticks(losses: list[float]) -> list[float]:
    """Choose the losses that get a line: a handful, even of losses that a float can hardly hold."""
    low, high = min(losses), max(losses)
    step = _nice(high / 4 - low / 4) or max(abs(low), abs(high)) or 1.0
    ticks = [step * i for i in range(math.floor(low / step), math.ceil(high / step) + 1)][:12]
    if len(ticks) > 1 and all(map(math.isfinite, ticks)):
        return ticks
    return [low, high] if low < high else [low - 1.0, low + 1.0]


def _nice(step: float) -> float:
    """Round a step up to 1, 2, 5, 10, 20, ...; 0.0 for no step at all."""
    if not (0 < step < 1e300):
        return 0.0
    power = 10.0 ** math.floor(math.log10(step))
    return next((power * m for m in (1, 2, 5) if step <= power * m * 1.000001), power * 10)
