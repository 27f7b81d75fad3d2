"""Worker processes: one that dies, hangs or raises costs what it should, and none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import psutil
import pytest

import tgsci as tg
from tgsci.compute.workers import WorkerPool


class Values(tg.Proposer):
    name = "values"

    def __init__(self, *values):
        super().__init__()
        self.values = values

    def ask(self, trials, n, rng):
        new = [v for v in self.values if trials.find(v) is None]
        return [tg.Proposal(v) for v in new[:n]]


def states(result):
    return {t.value: t.state.value for t in result.trials}


class Size(tg.Loss):
    """Picklable by the standard library."""

    name = "size"

    def evaluate(self, value):
        return tg.Feedback(float(len(value)), str(os.getpid()))


class Trouble(Exception):
    """A bug's own exception."""


class Awkward(Exception):
    """One that pickles and does not unpickle: in a plain pool it looks like a worker that died."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def dangerous(value):
    if value == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    if value == "leaves":
        os._exit(3)
    if value == "hangs":
        time.sleep(600)
    return float(len(value))


@pytest.mark.slow
def test_a_worker_that_dies_or_hangs_costs_its_own_trial():
    loss = tg.FunctionLoss(dangerous)
    loss.timeout = 1.5
    proposer = Values("dies", "ok", "hangs", "leaves", "o")
    result = tg.minimize(loss, "start", proposer, budget=6, proposals=5, workers=2)
    assert states(result) == {
        "start": "accepted",
        "dies": "failed",
        "ok": "accepted",
        "hangs": "failed",
        "leaves": "failed",
        "o": "accepted",
    }
    assert "process died" in result.trials.find("dies").feedback.error
    assert "longer than 1.5 s" in result.trials.find("hangs").feedback.error
    assert result.spent.evaluations == 6


def test_workers_stay_and_measure_somewhere_else():
    result = tg.minimize(Size(), "aaaa", Values("aaa", "aa", "a"), budget=4, proposals=1, workers=1)
    pids = {t.feedback.text for t in result.trials}
    assert len(pids) == 1
    assert str(os.getpid()) not in pids
    wait_until_gone(int(pids.pop()))


def test_no_more_processes_start_than_are_busy_at_once():
    pool = WorkerPool(8)
    try:
        pids = set()
        for _ in range(6):
            pids.update([future.result() for future in [pool.submit(os.getpid) for _ in range(2)]])
        assert len(pids) <= 2
    finally:
        pool.shutdown()


def test_a_bug_in_a_worker_stops_the_run_with_its_own_exception_and_traceback():
    def buggy(value):
        raise Trouble("wrong sign")

    with pytest.raises(Trouble, match="wrong sign") as caught:
        tg.minimize(buggy, "x", Values(), workers=1)
    assert "in buggy" in "".join(caught.value.__notes__)


def test_an_exception_that_cannot_travel_is_still_no_dead_worker():
    def buggy(value):
        raise Awkward(7, "wrong sign")

    with pytest.raises(RuntimeError, match="Awkward: wrong sign") as caught:
        tg.minimize(buggy, "x", Values(), workers=1)
    assert "in buggy" in "".join(caught.value.__notes__)


def test_a_timeout_error_of_the_loss_itself_is_a_bug_like_any_other():
    def buggy(value):
        raise TimeoutError("the licence server")

    with pytest.raises(TimeoutError, match="licence server"):
        tg.minimize(buggy, "x", Values(), workers=1)


def test_a_loss_that_cannot_travel_is_refused_with_a_way_out():
    lock = threading.Lock()
    with pytest.raises(tg.UsageError, match="workers=0"):
        tg.minimize(lambda v: float(lock.locked()), "x", Values(), workers=1)


def test_any_executor_may_be_given_and_is_left_running():
    with ThreadPoolExecutor(2) as threads:
        result = tg.minimize(lambda v: len(v), "aaa", Values("aa", "a"), budget=3, workers=threads)
        assert states(result) == {"aaa": "accepted", "aa": "accepted", "a": "accepted"}
        assert threads.submit(int, "3").result() == 3
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        result = tg.minimize(Size(), "aaa", Values("a"), budget=2, workers=processes)
        assert result.best.value == "a"


def test_an_executor_that_breaks_stops_the_run_and_loses_nothing(tmp_path):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes, pytest.raises(tg.TgsciError) as caught:
        tg.minimize(
            tg.FunctionLoss(dangerous), "start", Values("dies"), budget=3, workers=processes, run=tmp_path / "run"
        )
    assert "can be resumed" in str(caught.value)
    assert states(tg.Result.load(tmp_path / "run"))["start"] == "accepted"


def test_a_negative_number_of_workers_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(tg.UsageError, match="workers"):
        tg.minimize(len, "x", Values(), workers=-1, run=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_pool_ends_what_a_simulator_has_started(tmp_path):
    """A loss that runs an outside program: after a timeout the program must not go on."""

    def outside(path):
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        path.write_text(str(process.pid))
        process.wait()

    pool = WorkerPool(1, timeout=1.5)
    path = tmp_path / "pid"
    try:
        with pytest.raises(tg.MeasurementError, match="longer than"):
            pool.submit(outside, path).result()
        wait_until_gone(int(path.read_text()))
    finally:
        pool.shutdown()


UNGUARDED = """
    import sys
    import tgsci as tg

    class Trouble(Exception):
        pass

    class Mine(tg.Loss):
        name = "mine"
        def evaluate(self, value):
            return tg.Feedback(float(len(value)) * FACTOR)

    FACTOR = 2

    class Shorten(tg.Proposer):
        name = "shorten"
        def ask(self, trials, n, rng):
            return [tg.Proposal(trials.best.value[:-1])] if len(trials.best.value) > 1 else []

    def buggy(value):
        raise Trouble("mine")

    print("imported", flush=True)
    print(tg.minimize(Mine(), "aaaa", Shorten(), workers=2).best.loss)
    try:
        tg.minimize(buggy, "aaaa", Shorten(), workers=1)
    except Trouble as error:
        print("caught", error)
"""


def test_a_script_without_a_guard_may_use_workers_and_losses_of_its_own(script):
    assert script(UNGUARDED).splitlines() == ["imported", "2.0", "caught mine"]


ORPHANS = """
    import os, sys, time
    import tgsci as tg

    class Any(tg.Proposer):
        name = "any"
        def ask(self, trials, n, rng):
            return [tg.Proposal(str(rng.random())) for _ in range(n)]

    def slow(value):
        if value != "start":
            print("busy", os.getpid(), flush=True)
            while True:
                time.sleep(0.01)
        return 1.0

    result = tg.minimize(slow, "start", Any(), budget=9, proposals=2, workers=2, run=sys.argv[1])
    print("ended", result.stopped, len(result.trials), flush=True)
"""


def wait_until_gone(*pids):
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a process outlived its parent"
        time.sleep(0.02)


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_a_parent_that_is_killed(start_script, tmp_path, how):
    process = start_script(ORPHANS, str(tmp_path / "run"))
    pids = [int(process.stdout.readline().split()[1]) for _ in range(2)]
    assert all(alive(pid) for pid in pids)
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(how)
    process.wait(timeout=20)
    wait_until_gone(*pids, *children)


@pytest.mark.slow
def test_ctrl_c_ends_a_run_with_busy_workers_at_once_and_cleanly(start_script, tmp_path):
    process = start_script(ORPHANS, str(tmp_path / "run"))
    pids = [int(process.stdout.readline().split()[1]) for _ in range(2)]
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert "ended interrupted 3" in output
    assert "Traceback" not in errors
    assert process.returncode == 0
    wait_until_gone(*pids)
