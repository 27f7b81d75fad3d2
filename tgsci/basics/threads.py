"""Threads: many questions at the same time, a bound on how many, and coroutines among them."""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..errors import UsageError

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
R = TypeVar("R")


class Gate:
    """Lets only so many in at the same time.

    Whoever is inside already, and what it starts in turn, passes: an engine that asks itself does not wait for itself.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.closed = False
        self._inside = self._waiting = 0
        self._lock = threading.Lock()
        self._left = threading.Condition(self._lock)

    def admits(self, limit: int) -> bool:
        """Go in, if fewer than the limit are inside. It may be another limit each time."""
        with self._lock:
            admitted = self._inside < limit
            self._inside += admitted
        return admitted

    def enter(self, limit: int | None = None) -> None:
        """Go in as soon as fewer than the limit are inside."""
        with self._lock:
            self._waiting += 1
            try:
                self._left.wait_for(lambda: self._inside < (limit or self.limit or 1))
                self._inside += 1
            finally:
                self._waiting -= 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._waiting:
                self._left.notify_all()

    def run(self, limit: int, function: Callable[..., R], *arguments: Any) -> R:
        """Call a function as one of those inside."""
        held = _held.get()
        if self in held:
            return function(*arguments)
        if not self.admits(limit):
            with _SEAT_LENT:
                self.enter(limit)
        token = _held.set(held | {self})
        try:
            return function(*arguments)
        finally:
            _held.reset(token)
            self.leave()


#: The gates that this thread, or whoever started it, is inside of.
_held: contextvars.ContextVar[frozenset[Gate]] = contextvars.ContextVar("tgsci_held", default=frozenset())
#: The bound of the outermost `run_all` around this thread: the nested ones share it.
_seats: contextvars.ContextVar[Gate | None] = contextvars.ContextVar("tgsci_seats", default=None)


def run_all(function: Callable[[T], R], items: Sequence[T], limit: int) -> list[R]:
    """Apply a function to every item, at most `limit` at the same time, in threads; results in the items' order.

    Within a function that is itself run by `run_all`, the bound of the outermost one holds for all together. The
    threads are daemons: Ctrl-C, and the end of the program, do not wait for a call that nobody needs any more.

    Raises:
        Exception: Whatever the first failing item raised. Items that already run are not waited for, and no further
            ones are begun.
    """
    if len(items) < 2:
        return [awaited(function(item)) for item in items]
    outer = _seats.get()
    seats = outer or Gate(limit)

    def run(item: T) -> R:
        if seats.closed:
            raise CancelledError
        seats.enter()
        try:
            _seats.set(seats)
            return awaited(function(item))
        finally:
            seats.leave()

    tasks = [(Future[R](), contextvars.copy_context(), item) for item in items]
    waiting = deque(tasks)
    try:
        with _SEAT_LENT:
            if limit < 2:
                return [context.run(run, item) for _, context, item in tasks]
            for _ in range(min(limit, len(items))):
                threading.Thread(target=_work, args=(run, waiting), name="tgsci", daemon=True).start()
            return [future.result() for future, _, _ in tasks]
    except BaseException:
        waiting.clear()
        seats.closed = seats.closed or not outer  # whatever runs within begins nothing more either
        raise


class _SeatLent:
    """Gives up this thread's seat while it only waits for others: else all seats could be taken by those who wait."""

    def __enter__(self) -> None:
        if seats := _seats.get():
            seats.leave()

    def __exit__(self, *_: object) -> None:
        if seats := _seats.get():
            seats.enter()


_SEAT_LENT = _SeatLent()


def _work(run: Callable[[T], R], waiting: deque[tuple[Future[R], contextvars.Context, T]]) -> None:
    while True:
        try:
            future, context, item = waiting.popleft()
        except IndexError:
            return
        try:
            future.set_result(context.run(run, item))
        except BaseException as error:  # raised where the result is asked for
            future.set_exception(error)


# -- coroutines --------------------------------------------------------------------------------------


def awaited(result: R | Awaitable[R]) -> R:
    """Wait for an awaitable from code that is not asynchronous, in a notebook too; return anything else as it is."""
    if not hasattr(type(result), "__await__"):
        return cast(R, result)
    import asyncio  # a third of the time that `import tgsci` takes

    loop = _event_loop()
    with contextlib.suppress(RuntimeError):
        if asyncio.get_running_loop() is loop:
            if inspect.iscoroutine(result):
                result.close()  # else Python warns that it was never awaited
            raise UsageError(
                "a coroutine that is itself waited for cannot wait like this for another one: write `await` before "
                "the call, or `await asyncio.to_thread(engine, prompt)` to ask an engine"
            )
    future: Future[R] = asyncio.run_coroutine_threadsafe(_whole(cast(Awaitable[R], result)), loop)
    try:
        return future.result()
    finally:
        future.cancel()  # where Ctrl-C ended the wait; what is done stays done


async def _whole(result: Awaitable[R]) -> R:
    return await result


_loops: dict[int, asyncio.AbstractEventLoop] = {}
_starting = threading.Lock()


def _event_loop() -> asyncio.AbstractEventLoop:
    """Get the one event loop for all coroutines of this process: clients keep their connections from call to call."""
    import asyncio

    with _starting:
        if os.getpid() not in _loops:  # a forked worker has none of its parent's threads
            _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=_loops[os.getpid()].run_forever, name="tgsci coroutines", daemon=True).start()
        return _loops[os.getpid()]
