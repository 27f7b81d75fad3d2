"""Ctrl-C ends a run at once, also where threads of a loss wait for a model."""

from __future__ import annotations

import contextlib
import contextvars
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from types import FrameType
from typing import Any, ClassVar, TypeVar

from ..errors import EngineError

T = TypeVar("T")

#: How long a run may take to end once it was interrupted, s.
PATIENCE = 1.2


class Interrupt:
    """Ends every wait for a model when a run is interrupted.

    Python raises KeyboardInterrupt in the main thread only. Where a loss asks models in threads of its own, the main
    thread would then wait for these, and so would the end of the program, until the last model has answered.
    """

    #: Called where a run has not ended `PATIENCE` seconds after it was interrupted: something in it hears nothing. The
    #: command line ends the process; None, in a notebook for instance, goes on waiting.
    overdue: ClassVar[Callable[[], object] | None] = None

    def __init__(self) -> None:
        self._stopped = False
        self._ended = threading.Event()
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
        if Interrupt.overdue and not self._stopped:
            threading.Thread(target=self._wait_for_the_end, args=(Interrupt.overdue,), daemon=True).start()
        self._stopped = True
        for answer in list(self._waiting):
            with contextlib.suppress(InvalidStateError):
                answer.set_exception(EngineError("the run was interrupted"))

    def _wait_for_the_end(self, overdue: Callable[[], object]) -> None:
        if not self._ended.wait(PATIENCE):
            overdue()

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Within this block Ctrl-C, and a termination that Python handles, end all waits before anything else."""
        changed: dict[int, Callable[[int, FrameType | None], object]] = {}
        if threading.current_thread() is threading.main_thread():

            def handle(number: int, frame: FrameType | None) -> None:
                self.stop()
                changed[number](number, frame)

            for each in (signal.SIGINT, signal.SIGTERM):
                before = signal.getsignal(each)
                if callable(before):
                    changed[each] = before
                    signal.signal(each, handle)
        try:
            yield
        finally:
            self._ended.set()
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
