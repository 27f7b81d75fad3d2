"""Ctrl-C ends a run at once, also where threads of a loss wait for a model."""

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


class Interrupt:
    """Ends every wait for a model when a run is interrupted.

    Python raises KeyboardInterrupt in the main thread only. Where a loss asks models in threads of its own, the main
    thread would then wait for these, and so would the end of the program, until the last model has answered.
    """

    def __init__(self) -> None:
        self._stopped = False
        self._waiting: set[Future[Any]] = set()

    def wait_for(self, ask: Callable[[], T]) -> T:
        """Ask a question and wait for its answer, or until the run is interrupted.

        Raises:
            EngineError: The run was interrupted.
        """
        thread = threading.current_thread()
        if thread is threading.main_thread() or thread.daemon:  # it can be interrupted, or nobody waits for it
            return ask()
        answer: Future[T] = Future()
        self._waiting.add(answer)
        try:
            if self._stopped:
                raise EngineError("the run was interrupted")
            asking = contextvars.copy_context().run
            threading.Thread(target=asking, args=(_answer, answer, ask), name="tgsci-ask", daemon=True).start()
            return answer.result()
        finally:
            self._waiting.discard(answer)

    def stop(self) -> None:
        """End all waits, now and later."""
        self._stopped = True
        for answer in list(self._waiting):
            with contextlib.suppress(InvalidStateError):
                answer.set_exception(EngineError("the run was interrupted"))

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Within this block Ctrl-C, and a termination that Python handles, end all waits before anything else."""
        changed: dict[int, Callable[[int, FrameType | None], object]] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.getsignal(number)
                if callable(before):
                    changed[number] = before

                    def handle(number: int, frame: FrameType | None) -> None:
                        self.stop()
                        changed[number](number, frame)

                    signal.signal(number, handle)
        try:
            yield
        finally:
            for number, handler in changed.items():
                signal.signal(number, handler)


def _answer(answer: Future[T], ask: Callable[[], T]) -> None:
    try:
        result = ask()
    except BaseException as error:
        with contextlib.suppress(InvalidStateError):
            answer.set_exception(error)
    else:
        with contextlib.suppress(InvalidStateError):  # the run was interrupted meanwhile
            answer.set_result(result)
