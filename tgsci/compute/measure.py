"""Measure values, and apply any function to items, where a run measures: here, in workers, or on a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed, wait
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from ..engine import Call, Recorder, Reply, recording
from ..errors import EngineError, MeasurementError, TgsciError
from ..feedback import Feedback
from ..loss import Loss
from .executors import DaskExecutor, Threads
from .interrupt import wait_for
from .workers import WorkerPool

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that an engine answered, as a record keeps it.

    Args:
        question: `Call.question`: by what the question is recognised.
        engine: `Engine.identity` of who answered.
        system: The system prompt.
        prompt: The prompt.
        reply: The engine's reply.
    """

    question: str
    engine: str
    system: str
    prompt: str
    reply: Reply

    @classmethod
    def to(cls, call: Call, reply: Reply) -> Answer:
        """Make the answer to a call."""
        return cls(call.question, call.engine.identity, call.system, call.prompt, reply)


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurement of one value.

    Args:
        index: The value's position among those that were to be measured.
        feedback: What the loss said of it; a failure where its process died or took too long.
        seconds: Wall time, s.
        answers: See `Applied`.
    """

    index: int
    feedback: Feedback
    seconds: float
    answers: Sequence[Answer] = ()


@dataclass(frozen=True, slots=True)
class Applied(Generic[R]):
    """What a function returned for one item.

    Args:
        index: The item's position.
        result: What the function returned; or a `MeasurementError` where it raised one, its process died, or it took
            too long.
        answers: What the function asked models elsewhere, in order. Questions asked in this process went through the
            recorder when they were asked.
    """

    index: int
    result: R | MeasurementError
    answers: Sequence[Answer] = ()


def measure(
    loss: Loss,
    values: Sequence[str],
    executor: Executor | None = None,
    *,
    recorders: Sequence[Recorder] = (),
    others: Sequence[Feedback | None] = (),
) -> Generator[Measured, None, None]:
    """Measure values, each as the loss's `validate` returned it. A failure that may pass is tried once more.

    Args:
        loss: Measures; its `timeout` is kept by `WorkerPool` and `DaskExecutor`.
        values: What to measure.
        executor: Where to; None for this process.
        recorders: For each value, what records the questions that its measurement asks in this process.
        others: For each value, the other measurement that `loss.reconsider` is given, None for none. They travel to
            workers only where the loss reconsiders anything.

    Yields:
        The measurements as they come, whatever their order.

    Raises:
        TgsciError: The executor broke.
        Exception: A bug in the loss, as it was raised.
    """
    with_other = list(zip(values, others, strict=True)) if others and loss.reconsiders else [(v, None) for v in values]
    for done in apply(partial(_measure, loss), with_other, executor, timeout=loss.timeout, recorders=recorders):
        if isinstance(done.result, MeasurementError):
            feedback, seconds = Feedback.failed(str(done.result), transient=done.result.transient), 0.0
        else:
            feedback, seconds = done.result
        yield Measured(done.index, feedback, seconds, done.answers)


def apply(
    function: Callable[[T], R],
    items: Sequence[T],
    executor: Executor | None = None,
    *,
    timeout: float | None = None,
    recorders: Sequence[Recorder] = (),
) -> Generator[Applied[R], None, None]:
    """Apply a function to every item.

    Args:
        function: Called once for each item; it and the items must be picklable where another process runs it.
        items: What to apply it to.
        executor: Where to; None for this process.
        timeout: Longest that one item may take, s; None for no limit. Kept by `WorkerPool` and `DaskExecutor`.
        recorders: For each item, what records the questions that the function asks in this process.

    Yields:
        The results as they come, whatever their order.

    Raises:
        TgsciError: The executor broke.
        Exception: Anything but a `MeasurementError` that the function raised.
    """
    if executor is None:
        for index, item in enumerate(items):
            with recording(recorders[index]) if recorders else nullcontext():
                result = _attempt(function, item)
            yield Applied(index, result)
        return
    futures: dict[Future[tuple[R | MeasurementError, list[Answer]]], int] = {}
    try:
        for index, item in enumerate(items):
            if isinstance(executor, Threads):
                recorder = recorders[index] if recorders else None
                future = executor.submit(_apply_here, executor, function, item, recorder)
            elif isinstance(executor, WorkerPool | DaskExecutor):
                future = executor.submit_within(timeout, _apply_elsewhere, function, item)
            else:
                future = executor.submit(_apply_elsewhere, function, item)
            futures[future] = index
        for future in as_completed(futures):
            try:
                yield Applied(futures[future], *future.result())
            except MeasurementError as error:  # of the executor: the process died, or took too long
                yield Applied(futures[future], error)
            except BrokenExecutor as error:
                raise TgsciError(
                    f"the executor broke ({error}); nothing measured is lost, the run can be resumed"
                ) from error
    except Exception:
        if isinstance(executor, Threads):  # replies that are on their way were paid for: they are recorded first
            executor.stop()
            wait(futures)
        raise
    finally:
        for future in futures:
            future.cancel()


def _attempt(function: Callable[[T], R], item: T) -> R | MeasurementError:
    try:
        return function(item)
    except MeasurementError as error:
        return error


def _apply_here(
    threads: Threads, function: Callable[[T], R], item: T, recorder: Recorder | None
) -> tuple[R | MeasurementError, list[Answer]]:
    """Apply a function in a thread of this process, under the item's recorder, which asks nothing after a stop."""

    def unless_stopped(call: Call, ask: Callable[[], Reply]) -> Reply:
        if threads.stopped:
            raise EngineError("the run was stopped")
        return recorder(call, ask) if recorder else ask()

    with recording(unless_stopped):
        return _attempt(function, item), []


def _apply_elsewhere(function: Callable[[T], R], item: T) -> tuple[R | MeasurementError, list[Answer]]:
    """Apply a function where there is no ledger: the answers of models come back with its result."""
    answers: list[Answer] = []

    def keep(call: Call, ask: Callable[[], Reply]) -> Reply:
        reply = wait_for(ask)
        answers.append(Answer.to(call, reply))
        return reply

    with recording(keep):
        return _attempt(function, item), answers


def _measure(loss: Loss, value_and_other: tuple[str, Feedback | None]) -> tuple[Feedback, float]:
    value, other = value_and_other
    started = time.perf_counter()
    feedback = loss.measure(value)
    if feedback.transient:
        feedback = loss.measure(value)
    return loss.measure_again(value, feedback, other), time.perf_counter() - started
