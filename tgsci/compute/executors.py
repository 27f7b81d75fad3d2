"""Where measurements run: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import queue
import re
import sys
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from types import TracebackType
from typing import Any, TypeVar

from ..basics.imports import needs
from ..errors import MeasurementError, TgsciError, UsageError
from .workers import WorkerPool, end_guarded, packed, run_guarded, unpacked

T = TypeVar("T")

logger = logging.getLogger("tgsci")

#: How long a scheduler may take to answer, s.
CONNECT_SECONDS = 8.0
_ADDRESS = re.compile(r"(dask|tls)://([^\s/:@]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})/?")


def check(workers: object) -> None:
    """Check what was given as `workers`; nothing is started.

    Raises:
        UsageError: It is no number of processes, no cluster's address and no executor.
    """
    if isinstance(workers, Executor):
        return
    if isinstance(workers, str):
        if not _ADDRESS.fullmatch(workers):
            raise UsageError(f"{workers!r} is no address of a cluster; write dask://HOST:PORT (or tls://HOST:PORT)")
        return
    if isinstance(workers, bool) or not isinstance(workers, int):
        raise UsageError(
            f"workers must be a whole number, an address such as 'dask://HOST:PORT', or an executor; not {workers!r}"
        )
    if workers < 0:
        raise UsageError(f"workers must be 0 or more, not {workers}")


class Threads(Executor):
    """Measures in threads of this process: what a loss asks a model there is recorded when it is answered.

    The threads are daemons: Ctrl-C, and the end of the program, do not wait for a model that nobody needs any more.

    Args:
        workers: Measurements at the same time.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        #: True once what runs should end: it asks no model any more.
        self.stopped = False
        self._waiting: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name="tgsci-measure", daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        self._waiting.put((future, partial(contextvars.copy_context().run, fn, *args, **kwargs)))
        return future

    def _work(self) -> None:
        while (task := self._waiting.get()) is not None:
            future, call = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # raised where the result is asked for
                future.set_exception(error)

    def stop(self) -> None:
        """Let what runs end as soon as the models that it asked have answered; what was not begun is cancelled."""
        self.stopped = True
        self._cancel()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Begin nothing more once what was submitted is done; with `cancel_futures` it is not begun."""
        if cancel_futures:
            self.stop()
        for _ in self._threads:
            self._waiting.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _cancel(self) -> None:
        while True:
            try:
                task = self._waiting.get_nowait()
            except queue.Empty:
                return
            if task is not None:
                task[0].cancel()
                task[0].set_running_or_notify_cancel()


class Measurers:
    """The executor of a run, as a context manager: ended when the block is left, at once where something went wrong.

    Args:
        workers: As `minimize` takes it; an executor that was given is used and never ended.
        timeout: Longest that one measurement may take, s; None for no limit. Not kept in threads.
        threads: Measure in so many threads in place of processes of this machine: `Loss.threads`.

    Raises:
        UsageError: The cluster cannot be used; says why.
    """

    def __init__(self, workers: int | str | Executor, timeout: float | None, threads: int = 0) -> None:
        check(workers)
        self._own: WorkerPool | DaskExecutor | Threads | None = None
        if threads and isinstance(workers, int):
            workers = threads
            self._own = Threads(threads)
        elif isinstance(workers, str):
            self._own = DaskExecutor(workers, timeout)
        elif isinstance(workers, int) and workers:
            self._own = WorkerPool(workers, timeout)
        self._executor = workers if isinstance(workers, Executor) else self._own
        #: Measurements at the same time; 0 where they run in this process, or where it is not known.
        self.workers = workers if isinstance(workers, int) else _capacity(self._executor)

    @property
    def destination(self) -> str:
        """What leaves the machine for being measured, in plain words; "" where nothing does."""
        return self._own.destination if isinstance(self._own, DaskExecutor) else ""

    def __enter__(self) -> Executor | None:
        return self._executor

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(wait=kind is None)

    def close(self, *, wait: bool = False) -> None:
        """End what was started, once; with `wait=False` whatever it is doing."""
        own, self._own = self._own, None
        if own:
            own.shutdown(wait=wait, cancel_futures=not wait)


def _capacity(executor: object) -> int:
    """Tell how many tasks an executor runs at the same time; 0 where it does not say."""
    for name in ("workers", "_max_workers"):  # ours, and the standard library's
        found = getattr(executor, name, None)
        if isinstance(found, int):
            return found
    return 0


def destination(workers: object) -> str:
    """Say what leaves the machine to be measured, before a cluster is asked; "" where nothing does."""
    if not isinstance(workers, str):
        return ""
    return (
        f"Measurements run on the Dask cluster at {_scheduler(workers)}: "
        "every value, the loss with its settings, and every result go there."
    )


class DaskExecutor(Executor):
    """A Dask cluster as an executor: `minimize(..., workers="dask://HOST:PORT")` makes one.

    Each task runs in a process of its own on the cluster's machines, as it would at home: one that crashes or takes
    too long costs its own trial and harms no worker of the cluster. Where a whole machine is lost, the cluster
    runs its tasks again on another one.

    Args:
        address: `dask://HOST:PORT`, or `tls://HOST:PORT` with the certificates of Dask's own configuration.
        timeout: Longest that one task may take once it has begun, s; None for no limit.

    Raises:
        UsageError: Dask is not installed, no scheduler answers, or the cluster's Python or tgsci is another one.
    """

    def __init__(self, address: str, timeout: float | None = None) -> None:
        check(address)
        self.timeout = timeout
        self.destination = destination(address)
        self._address = _scheduler(address)
        self._token = uuid.uuid4().hex
        self._client = _connected(self._address)
        try:
            _check_versions(self._client, self._address)
            #: Tasks that the cluster runs at the same time, as it stands now.
            self.workers = sum(self._client.nthreads().values())
        except BaseException:
            self._client.close(timeout=1)
            raise
        if not self.workers:
            logger.warning("the cluster at %s has no workers now; the run waits until it gets one", self._address)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return self.submit_within(self.timeout, fn, *args, **kwargs)

    def submit_within(self, timeout: float | None, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Submit a task that may take so long, s, in place of the executor's own timeout."""
        payload = packed(fn, args, kwargs)
        future: Future[T] = Future()
        # pure=False: Dask must not take two measurements for one; retries=0: what failed has failed.
        there = self._client.submit(
            run_guarded, payload, timeout, self._token, pure=False, retries=0, key=f"tgsci-{uuid.uuid4().hex}"
        )
        future.add_done_callback(lambda done: there.cancel() if done.cancelled() else None)
        there.add_done_callback(lambda done: self._hand_on(done, future))
        return future

    def _hand_on(self, there: Any, future: Future[Any]) -> None:
        """Give the future the outcome of its task on the cluster."""
        if not future.set_running_or_notify_cancel():
            return
        try:
            answer = there.result()
        except BaseException as error:
            future.set_exception(self._explained(error))
            return
        try:
            future.set_result(unpacked(answer))
        except ModuleNotFoundError as error:
            future.set_exception(self._explained(error))
        except BaseException as error:  # the task's own, whatever it is
            future.set_exception(error)

    def _explained(self, error: BaseException) -> BaseException:
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return MeasurementError(
                "several workers of the cluster were lost while measuring this value", transient=True
            )
        if isinstance(error, ModuleNotFoundError):
            return TgsciError(
                f"a worker of the cluster at {self._address} lacks a package ({error}); install the same packages "
                "there, then resume the run"
            )
        if isinstance(error, CancelledError | OSError) or type(error).__module__.startswith("distributed"):
            return BrokenExecutor(f"the Dask cluster at {self._address} was lost: {error or type(error).__name__}")
        return error

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, ending this run's processes there. With `wait=False` whatever they are doing."""
        with contextlib.suppress(Exception):  # a cluster that is gone needs no goodbye
            self._client.run(end_guarded, self._token, wait=True, on_error="ignore")
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)


def _scheduler(address: str) -> str:
    return re.sub(r"^dask://", "tcp://", address).rstrip("/")


def _connected(address: str) -> Any:
    distributed = needs("distributed", "a Dask cluster", "dask")
    import asyncio  # slow, and not for everyone who imports tgsci

    # Asked first, in a thread (Jupyter has a loop of its own): a client that fails to connect hangs when it is dropped.
    with ThreadPoolExecutor(1) as thread:
        failure = thread.submit(lambda: asyncio.run(_knock(address))).result()
    if failure:
        raise UsageError(f"no Dask scheduler answers at {address} ({failure}); start one with: dask scheduler")
    return distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="tgsci")


async def _knock(address: str) -> str:
    """Find out why no scheduler answers; "" where one does."""
    import asyncio

    from distributed.comm.core import connect
    from distributed.security import Security

    try:
        options = Security().get_connection_args("client")  # type: ignore[no-untyped-call]
        connecting = connect(address, timeout=CONNECT_SECONDS, **options)  # type: ignore[no-untyped-call]
        comm = await asyncio.wait_for(connecting, CONNECT_SECONDS)
        try:
            await comm.write({"op": "identity", "reply": True})
            answer = await asyncio.wait_for(comm.read(), CONNECT_SECONDS)
        finally:
            comm.abort()
    except Exception as error:  # whatever it is that is there
        if isinstance(error, MemoryError):  # what another protocol's greeting looks like, read as a length
            return "what is there does not speak Dask's language"
        return "it takes too long" if isinstance(error, TimeoutError) else _first_line(error)
    return "" if str(answer.get("type", "")).endswith("Scheduler") else f"a {answer.get('type')} is there"


def _check_versions(client: Any, address: str) -> None:
    """Check that the cluster's workers can run what is sent to them.

    Raises:
        UsageError: They cannot: another Python, another tgsci, or none.
    """
    ours = (f"{sys.version_info[0]}.{sys.version_info[1]}", version("tgsci"))
    for name, found in client.get_versions().get("workers", {}).items():
        python = ".".join(str(found.get("host", {}).get("python", "")).split(".")[:2])
        if python and python != ours[0]:
            raise UsageError(f"the worker {name} of the cluster at {address} runs Python {python}, this is {ours[0]}")
    for name, found in client.run(version, "tgsci", on_error="return").items():
        if isinstance(found, Exception):
            raise UsageError(f"tgsci {ours[1]} is not installed for the worker {name} of the cluster at {address}")
        if found != ours[1]:
            raise UsageError(f"the worker {name} of the cluster at {address} has tgsci {found}, this is {ours[1]}")


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200] or type(error).__name__
