"""Worker processes for measurements: one that dies or hangs costs its own trial and nothing else.

Each slot is an executor of the standard library with a single process, so a broken pool names the
one task that broke it. Losses travel by value (cloudpickle): a class from a notebook works.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import current_process, get_all_start_methods, get_context, parent_process
from multiprocessing.connection import wait
from types import ModuleType
from typing import Any, TypeVar

import cloudpickle

from ..errors import MeasurementError, TgsciError, UsageError

T = TypeVar("T")

_starting = threading.Lock()


class WorkerPool(Executor):
    """Runs tasks in `workers` processes that live on between tasks and keep their caches.

    Args:
        workers: Number of processes.
        timeout: Longest that one task may take, s, unless it is submitted with a timeout of its own; None for no limit.

    A task whose process dies or takes too long raises `MeasurementError`; the process is replaced.
    """

    def __init__(self, workers: int, timeout: float | None = None) -> None:
        self.timeout = timeout
        #: Last in, first out: where few are busy at once, the others never start.
        self._slots: queue.LifoQueue[_Slot] = queue.LifoQueue()
        self._all = [_Slot() for _ in range(workers)]
        for slot in self._all:
            self._slots.put(slot)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="tgsci-worker")

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return self.submit_within(self.timeout, fn, *args, **kwargs)

    def submit_within(self, timeout: float | None, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Submit a task that may take so long, s, in place of the pool's own timeout."""
        return self._threads.submit(self._run, packed(fn, args, kwargs), timeout)

    def _run(self, payload: bytes, timeout: float | None) -> Any:
        slot = self._slots.get()
        try:
            return unpacked(slot.run(payload, timeout))
        finally:
            self._slots.put(slot)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes. With `wait=False` at once, whatever they are doing."""
        if not wait:
            for slot in self._all:
                slot.kill()
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for slot in self._all:
            slot.close()


class _Slot:
    """One worker process, started when first used and again after each death."""

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None
        self._pid = 0
        self.stopped = False

    def run(self, payload: bytes, timeout: float | None) -> bytes:
        """Run a packed call in this slot's process.

        Raises:
            MeasurementError: The process died, or it took too long.
        """
        executor = self._start()
        future = executor.submit(_run_payload, payload)
        try:
            return future.result(timeout)
        except FutureTimeout:
            self._discard()
            raise MeasurementError(f"it took longer than {timeout:g} s and was stopped") from None
        except BrokenProcessPool:
            self._discard()
            raise MeasurementError("the worker process died while measuring this value") from None

    def _start(self) -> ProcessPoolExecutor:
        if self.stopped:
            raise TgsciError("the workers were stopped")
        if self._executor is None:
            method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
            self._executor = ProcessPoolExecutor(1, mp_context=get_context(method), initializer=_prepare_worker)
            try:
                with _without_main():
                    pid = self._executor.submit(os.getpid)
                self._pid = pid.result()
            except BrokenProcessPool as error:
                self._discard()
                raise TgsciError(
                    "a worker process could not start (out of memory, or too many processes?); "
                    "try fewer workers, or workers=0 to measure in this process"
                ) from error
            if self.stopped:  # while the process began: nobody else knew it yet
                self._discard()
                raise TgsciError("the workers were stopped")
        return self._executor

    def kill(self) -> None:
        self.stopped = True
        self._end_process()

    def _discard(self) -> None:
        self._end_process()
        self.close()

    def _end_process(self) -> None:
        """End the process, and the programs that a simulator may have started from it."""
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                if hasattr(os, "killpg"):
                    os.killpg(self._pid, signal.SIGKILL)
                else:
                    os.kill(self._pid, signal.SIGTERM)

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor, self._pid = None, 0


def packed(function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> bytes:
    """Pack a call, by value, to be run in another process.

    Raises:
        UsageError: It holds what cannot be sent.
    """
    try:
        payload: bytes = cloudpickle.dumps((function, arguments, named))
    except Exception as error:
        raise UsageError(
            f"this cannot be sent to a worker process ({error}); keep open files, locks and connections "
            "in a module instead of the loss, or measure in this process with workers=0"
        ) from error
    return payload


def unpacked(answer: bytes) -> Any:
    """Unpack what a call in another process returned.

    Raises:
        Exception: What it raised.
    """
    returned, result = cloudpickle.loads(answer)
    if not returned:
        raise result
    return result


# -- on the workers of a cluster ---------------------------------------------------------------------

#: Processes of this cluster worker: those at rest, and those at work by the token of their run.
_resting: list[_Slot] = []
_busy: dict[_Slot, str] = {}
_slots_lock = threading.Lock()


def run_guarded(payload: bytes, timeout: float | None, token: str) -> bytes:
    """Run a packed call in a process of its own on this machine, which is kept for the next one.

    On a cluster a call runs in a thread of a worker that others share: in there a crash would take the worker along,
    nobody could stop what hangs, and simulators would meet others of their kind. So it gets a process, as at home.
    """
    with _slots_lock:
        slot = _resting.pop() if _resting else _Slot()
        _busy[slot] = token
    try:
        _allow_children()
        return slot.run(payload, timeout)
    except TgsciError as error:
        answer: bytes = cloudpickle.dumps((False, error))
        return answer
    finally:
        with _slots_lock:
            del _busy[slot]
            if not slot.stopped:
                _resting.append(slot)


def end_guarded(token: str) -> None:
    """End this machine's processes that rest, and those that work for the run of this token."""
    with _slots_lock:
        ending = [*_resting, *(slot for slot, its in _busy.items() if its == token)]
        _resting.clear()
    for slot in ending:
        slot.kill()
        slot.close()


def _allow_children() -> None:
    """Let this process have children. A cluster's worker is often a daemon, which may have none; ours end with it."""
    getattr(current_process(), "_config", {}).pop("daemon", None)


def _run_payload(payload: bytes) -> bytes:
    """Run a packed call; pack its result, or what it raised, by value.

    The standard library sends an exception by reference: one of the user's `__main__` would be lost, and
    one that does not unpickle would look like a worker that died.
    """
    try:
        function, args, kwargs = cloudpickle.loads(payload)
        answer: bytes = cloudpickle.dumps((True, function(*args, **kwargs)))
        return answer
    except Exception as error:
        error.add_note(f"in the worker process:\n{traceback.format_exc()}")
        try:
            answer = cloudpickle.dumps((False, error))
            cloudpickle.loads(answer)
        except Exception:
            lost = RuntimeError(f"{type(error).__name__}: {error}")
            lost.add_note(error.__notes__[-1])
            answer = cloudpickle.dumps((False, lost))
        return answer


def _prepare_worker() -> None:
    """Ctrl-C is for the process that holds the ledger; if that one is killed, so is the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        os.setsid()  # a group of its own: what the simulator starts can be ended with it
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Start a process that does not run the user's script again.

    multiprocessing imports the parent's `__main__` into every child; a script without the
    `if __name__ == "__main__"` guard would start the whole run once more in each. Nothing here needs it.
    """
    with _starting:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
