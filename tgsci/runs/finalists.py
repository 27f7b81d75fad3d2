"""The end of a run, where a domain measures the finalists again: re-docks, refines, recalculates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeVar

from ..compute.measure import apply
from ..errors import MeasurementError
from ..feedback import Feedback
from ..search.trial import Trial
from .result import Result

T = TypeVar("T")
R = TypeVar("R")


class Say(Protocol):
    """Tells the person who waits what goes on."""

    def __call__(self, text: str, done: int = 0, total: int = 0, eta_seconds: float | None = None) -> None:
        """Say it.

        Args:
            text: What goes on, in a few words.
            done: How much of it is done.
            total: How much there is; 0 where it cannot be counted.
            eta_seconds: Time left, s; None where it is unknown.
        """


class Finishing:
    """What a domain's `finish` works with.

        def finish(result, finishing):
            todo = [t for t in result.trials.ranked(10) if t.number not in result.finals]
            for trial, outcome in finishing.each(redock, todo, "re-docking finalists", timeout=900):
                finishing.keep(trial, outcome if isinstance(outcome, Feedback) else Feedback.failed(str(outcome)))

    Args:
        result: The run's.
        executor: Where to measure; None for this process.
        workers: How many of `each`'s tasks run at the same time, as far as that is known.
        say: Tells the person who waits what goes on.
    """

    def __init__(self, result: Result, executor: Executor | None, workers: int, say: Say) -> None:
        self.executor = executor
        self.workers = workers
        self.say = say
        self._result = result

    @property
    def directory(self) -> Path | None:
        """The run's directory; None for one in memory."""
        return self._result.directory

    def keep(self, trial: Trial, feedback: Feedback, seconds: float = 0.0) -> None:
        """Record a finalist's second measurement: it is in `result.finals`, in the run and in its report from now on.

        Args:
            trial: The finalist. Its own measurement stays what it was, and so does the order of the trials.
            feedback: What was measured; metrics with the units of the loss.
            seconds: Wall time, s.
        """
        self._result.keep_final(trial.number, feedback, seconds)

    def each(
        self, function: Callable[[T], R], items: Sequence[T], text: str, *, timeout: float | None = None
    ) -> Iterator[tuple[T, R | MeasurementError]]:
        """Apply a function to every item where the run measures, and say how far it is.

        Args:
            function: Called once an item, in a worker process where there are any: it and the items must be picklable.
            items: What to apply it to.
            text: What goes on, for the person who waits.
            timeout: Longest that one item may take, s; None for no limit. Kept where tgsci's own workers or a Dask
                cluster measure.

        Yields:
            (item, result) as they come in, whatever their order; a `MeasurementError` in place of the result where
            the function raised one, its process died, or it took too long.

        Raises:
            TgsciError: The executor broke.
        """
        started = time.monotonic()
        self.say(text, 0, len(items))
        with closing(apply(function, items, self.executor, timeout=timeout)) as applied:
            for done, outcome in enumerate(applied, 1):
                self._result.keep_answers(outcome.answers)
                pace = (time.monotonic() - started) / done
                self.say(text, done, len(items), pace * (len(items) - done))
                yield items[outcome.index], outcome.result
