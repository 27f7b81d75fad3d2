"""The curve of a run: every measurement in its order, what became of it, and the best loss so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..search.trial import State, Trial

#: What became of a measured trial, in words.
OUTCOMES = {
    State.ACCEPTED: "best so far",
    State.REJECTED: "not better",
    State.FAILED: "could not be measured",
}


@dataclass(frozen=True)
class Point:
    """One measurement on the curve.

    Args:
        evaluation: Its number among the measurements, from 1.
        trial: What was measured.
        loss: Where it stands: its loss, or the worst one where it could not be measured.
        outside: True where it breaks a hard limit.
    """

    evaluation: int
    trial: Trial
    loss: float
    outside: bool

    @property
    def outcome(self) -> str:
        """What became of it, in words."""
        return OUTCOMES[self.trial.state] + (", outside a hard limit" if self.outside else "")


def points(trials: Iterable[Trial]) -> list[Point]:
    """List every judged measurement, in order."""
    measured = [trial for trial in trials if trial.feedback]
    worst = max((trial.loss for trial in measured if trial.measured), default=1.0)
    return [
        Point(
            number,
            trial,
            trial.loss if trial.measured else worst,
            trial.state is not State.FAILED and trial.feedback is not None and not trial.feedback.feasible,
        )
        for number, trial in enumerate(measured, 1)
        if trial.state in OUTCOMES
    ]


def best_so_far(points: Iterable[Point]) -> list[Point]:
    """Pick the points where the curve goes down: each is better than everything before it."""
    return [point for point in points if point.trial.state is State.ACCEPTED]
