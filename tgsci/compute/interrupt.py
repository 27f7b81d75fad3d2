"""Ctrl-C ends a run at once, also where threads of a loss wait for a model.

Python raises KeyboardInterrupt in the main thread only. Where a loss asks models in threads of its own, the main thread
would then wait for these, and so would the end of the program, until the last model has answered.
"""

from __future__ import annotations

import contextlib
import contextvars
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from types import FrameType
from typing import Any, TypeVar

from ..errors import EngineError

T = TypeVar("T")

#: How long a run may take to end once it was interrupted, s.
PATIENCE = 1.0


class _Interruption:
    """Whether this process was interrupted, and what waits in it: Ctrl-C concerns all of the process."""

    def __init__(self) -> None:
        self.stopped = False
        self.waiting: set[Future[Any]] = set()
        self.ended = threading.Event()
        self.overdue: Callable[[], object] | None = None


_state = _Interruption()


def wait_for(ask: Callable[[], T]) -> T:
    """Ask a question and wait for its answer, or until the run is interrupted.

    Raises:
        EngineError: The run was interrupted.
    """
    thread = threading.current_thread()
    if thread is threading.main_thread() or thread.daemon:  # it can be interrupted, or nobody waits for it
        return ask()
    answer: Future[T] = Future()
    _state.waiting.add(answer)
    try:
        if _state.stopped:
            raise EngineError("the run was interrupted")
        asking = contextvars.copy_context().run
        threading.Thread(target=asking, args=(_answer, answer, ask), name="tgsci-ask", daemon=True).start()
        return answer.result()
    finally:
        _state.waiting.discard(answer)


def stop() -> None:
    """End all waits, now and until the next run begins."""
    if _state.overdue and not _state.stopped:
        threading.Thread(target=_wait_for_the_end, args=(_state.ended, _state.overdue), daemon=True).start()
    _state.stopped = True
    for answer in list(_state.waiting):
        with contextlib.suppress(InvalidStateError):  # it has just been answered
            answer.set_exception(EngineError("the run was interrupted"))


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within this block Ctrl-C, and a termination that Python handles, end all waits before anything else."""
    _state.stopped, _state.ended = False, threading.Event()
    before: dict[int, Callable[[int, FrameType | None], object]] = {}

    def handle(number: int, frame: FrameType | None) -> None:
        stop()
        before[number](number, frame)

    if threading.current_thread() is threading.main_thread():
        for each in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(each)
            if callable(handler):
                before[each] = handler
                signal.signal(each, handle)
    try:
        yield
    finally:
        _state.ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def when_overdue(overdue: Callable[[], object]) -> Iterator[None]:
    """Within this block, call a function where a run has not ended `PATIENCE` seconds after it was interrupted.

    Something in it hears nothing then, a simulator in a thread for instance. The command line ends the process; a
    notebook goes on waiting.
    """
    _state.overdue = overdue
    try:
        yield
    finally:
        _state.overdue = None


def _wait_for_the_end(ended: threading.Event, overdue: Callable[[], object]) -> None:
    if not ended.wait(PATIENCE):
        overdue()


def _answer(answer: Future[T], ask: Callable[[], T]) -> None:
    try:
        result = ask()
    except BaseException as error:
        with contextlib.suppress(InvalidStateError):
            answer.set_exception(error)
    else:
        with contextlib.suppress(InvalidStateError):  # the run was interrupted meanwhile
            answer.set_result(result)
