"""Measurements on a Dask cluster: a real one of processes on this machine."""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
import time
import warnings
from pathlib import Path

import pytest

import tgsci as tg
import tgsci.compute.executors
from tgsci.compute.executors import DaskExecutor, Measurers
from tgsci.show import report

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(
            processes=True, n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as running:
            yield running


@pytest.fixture
def address(cluster):
    return cluster.scheduler_address.replace("tcp://", "dask://")


class Walk(tg.Proposer):
    name = "walk"

    def ask(self, trials, n, rng):
        return [
            tg.Proposal(str(int(trials.best.value) + rng.randint(-9, 9)), "a step", trials.best.number)
            for _ in range(n)
        ]


def simulator(log=None):
    """A loss that travels by value, as one from a notebook does."""

    class Distance(tg.Loss):
        name = "distance"
        units = {"x": "m"}
        timeout = 5.0

        def evaluate(self, value):
            import os
            import signal
            import time

            x = int(value)
            if log:
                with open(log, "a") as file:
                    file.write(f"{os.getpid()}\n")
                time.sleep(0.15)
            if x % 7 == 3:
                raise tg.MeasurementError("no ruler at hand")
            if x == 90:
                os.kill(os.getpid(), signal.SIGSEGV)
            if x == 91:
                time.sleep(600)
            return tg.Feedback(abs(x - 50), f"x = {x} m", {"x": x}, artifacts={"x.txt": value})

    return Distance()


def wait_for_lines(log, count, seconds=30):
    deadline = time.monotonic() + seconds
    while len(log.read_text().splitlines()) < count and time.monotonic() < deadline:
        time.sleep(0.01)


def story(result):
    return [
        (t.number, t.round, t.value, t.state, t.decision, repr(t.loss), t.feedback and t.feedback.text)
        for t in result.trials
    ]


@pytest.mark.slow
def test_a_cluster_gives_the_same_result_as_workers_of_this_machine(address):
    here = tg.minimize(simulator(), "12", Walk(), budget=30, workers=2)
    there = tg.minimize(simulator(), "12", Walk(), budget=30, workers=address)
    assert len(here.trials) >= 30
    assert story(there) == story(here)
    assert there.trials[0].feedback.artifacts["x.txt"] == "12"
    (where,) = there.header["measured_at"]
    assert where.startswith(f"Measurements run on the Dask cluster at {address.replace('dask', 'tcp')}: every value, ")
    page = report.html(there)
    assert where in page
    assert "Nothing: no model was asked" not in page
    assert "Nothing: no model was asked" in report.html(here)
    assert "Dask cluster" in there.sessions[0].description
    assert "measured_at" not in here.header


@pytest.mark.slow
def test_a_value_that_crashes_or_hangs_costs_its_own_trial_and_no_worker(address, cluster):
    class Values(tg.Proposer):
        name = "values"

        def ask(self, trials, n, rng):
            return [tg.Proposal(v) for v in ("90", "91", "51", "54") if trials.find(v) is None][:n]

    with distributed.Client(cluster, set_as_default=False) as client:
        before = client.run(os.getpid)
        loss = simulator()
        loss.timeout = 3.0
        result = tg.minimize(loss, "12", Values(), budget=5, workers=address)
        assert client.run(os.getpid) == before
    assert [t.state.value for t in result.trials] == ["accepted", "failed", "failed", "accepted", "rejected"]
    assert "the worker process died" in result.trials[1].decision
    assert "longer than 3 s" in result.trials[2].decision


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_costs_the_run_nothing(address, cluster, tmp_path):
    log = tmp_path / "log"
    log.touch()
    with distributed.Client(cluster, set_as_default=False) as client:
        pids = list(client.run(os.getpid).values())

        def kill():
            wait_for_lines(log, 4)
            os.kill(pids[0], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        result = tg.minimize(simulator(str(log)), "12", Walk(), budget=16, workers=address)
        killer.join()
        assert pids[0] not in client.run(os.getpid).values()
        assert result.stopped == "the budget of 16 evaluations is used up"
        assert story(result) == story(tg.minimize(simulator(str(log)), "12", Walk(), budget=16))
        client.wait_for_workers(2, timeout=30)  # the cluster starts another one


@pytest.mark.slow
def test_the_processes_of_a_run_end_with_it(address, cluster, tmp_path):
    log = tmp_path / "log"
    tg.minimize(simulator(str(log)), "12", Walk(), budget=6, workers=address)
    pids = {int(line) for line in log.read_text().split()}
    assert len(pids) >= 1
    deadline = time.monotonic() + 20
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in pids)


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_bug_stops_the_run_with_its_own_traceback(address):
    def buggy(value):
        raise ZeroDivisionError("wrong sign")

    with pytest.raises(ZeroDivisionError, match="wrong sign") as caught:
        tg.minimize(buggy, "x", Walk(), workers=address)
    assert "in buggy" in "".join(caught.value.__notes__)


def test_a_bug_about_a_file_is_not_taken_for_a_lost_cluster(address):
    def buggy(value):
        return float(Path("/no/such/table.csv").read_text())

    with pytest.raises(FileNotFoundError, match=r"table\.csv"):
        tg.minimize(buggy, "x", Walk(), workers=address)


@pytest.mark.slow
def test_finishing_runs_on_the_cluster_with_its_own_time_limit(address):
    kept = {}

    def finish(result, finishing):
        def again(trial):
            import time

            if trial.number == 1:
                time.sleep(60)
            return tg.Feedback(float(trial.number))

        for trial, outcome in finishing.each(again, result.trials[:3], "again", timeout=3.0):
            kept[trial.number] = outcome
        assert finishing.workers == 2

    tg.minimize(simulator(), "12", Walk(), budget=5, workers=address, finish=finish)
    assert kept[0].loss == 0.0
    assert kept[2].loss == 2.0
    assert "longer than 3 s" in str(kept[1])


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_said_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tgsci.compute.executors, "CONNECT_SECONDS", 5.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gone = distributed.LocalCluster(  # of threads: its end is what counts
            processes=False, protocol="tcp", n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50
        )
    address = gone.scheduler_address.replace("tcp://", "dask://")
    log = tmp_path / "log"
    log.touch()

    def end():
        wait_for_lines(log, 3)
        gone.close(timeout=5)

    ending = threading.Thread(target=end)
    ending.start()
    with pytest.raises(tg.TgsciError, match="nothing measured is lost, the run can be resumed"):
        tg.minimize(simulator(str(log)), "12", Walk(), budget=1000, workers=address, run=tmp_path / "run")
    ending.join()
    done = len([t for t in tg.Result.load(tmp_path / "run").trials if t.feedback])
    assert done >= 1
    resumed = tg.minimize(simulator(str(log)), "12", Walk(), budget=done + 2, run=tmp_path / "run")
    assert resumed.spent.evaluations == done + 2


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["dask", "tls"])
def test_a_scheduler_that_does_not_answer_is_said_before_any_work(tmp_path, scheme, monkeypatch):
    assert tgsci.compute.executors.CONNECT_SECONDS < 10
    monkeypatch.setattr(tgsci.compute.executors, "CONNECT_SECONDS", 1.0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(tg.UsageError, match="no Dask scheduler answers"):
        tg.minimize(simulator(), "12", Walk(), workers=f"{scheme}://127.0.0.1:{port}", run=tmp_path / "run")
    assert time.monotonic() - began < 5
    assert not (tmp_path / "run").exists()


def test_something_else_behind_the_address_is_no_scheduler():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(tg.UsageError, match="no Dask scheduler answers"):
            DaskExecutor(f"dask://127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ("0.0.1", "has tgsci 0.0.1, this is"),
        (ModuleNotFoundError("No module named 'tgsci'"), "is not installed for the worker"),
    ],
)
def test_another_version_on_the_cluster_is_said(address, monkeypatch, found, says):
    real = distributed.Client.run

    def run(self, function, *args, **kwargs):
        answers = real(self, function, *args, **kwargs)
        return dict.fromkeys(answers, found) if args == ("tgsci",) else answers

    monkeypatch.setattr(distributed.Client, "run", run)
    with pytest.raises(tg.UsageError, match=says):
        Measurers(address, None)


def test_many_tasks_at_once_come_back_to_their_own_futures(address):
    measurers = Measurers(address, None)
    with measurers as executor:
        numbers = [random.Random(0).randint(0, 999) for _ in range(50)]
        assert list(executor.map(lambda x: x * 2, numbers)) == [x * 2 for x in numbers]


INTERRUPTED = """
    import sys, time
    import tgsci as tg

    class Slow(tg.Loss):
        name = "slow"
        def __init__(self, log):
            self.log = log
        def evaluate(self, value):
            with open(self.log, "a") as file:
                file.write("busy\\\\n")
            pow(7, 60_000_000)
            time.sleep(60)
            return tg.Feedback(1.0)

    class Nothing(tg.Proposer):
        def ask(self, trials, n, rng):
            return []

    result = tg.minimize(Slow(sys.argv[2]), ["a", "b"], Nothing(), workers=sys.argv[1])
    print("ended:", result.stopped, flush=True)
"""


def test_ctrl_c_ends_a_run_on_a_cluster_at_once(address, start_script, tmp_path):
    log = tmp_path / "log"
    log.touch()
    process = start_script(INTERRUPTED, address, str(log))
    wait_for_lines(log, 1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert "ended: interrupted" in output
    assert time.monotonic() - began < 4, "two seconds on a quiet machine"
