"""Ctrl-C ends a run within two seconds, whatever is in flight, and the process really exits."""

from __future__ import annotations

import signal
import threading
import time

import pytest

import tgsci as tg
from tgsci.compute import interrupt

#: Two seconds on a quiet machine, s.
LONGEST = 4.0

RUN = """
    import sys, time, threading
    from concurrent.futures import ThreadPoolExecutor
    import tgsci as tg

    def busy(prompt=""):
        print("busy", flush=True)
        time.sleep(60)
        return "1"

    def power(value):  # holds Python's lock, and hears no signal
        print("busy", flush=True)
        return float(len(str(pow(7, 40_000_000))) > 0)

    ENGINE = tg.as_engine(busy)

    def asks(value):
        return float(ENGINE("rate").text)

    def maps(value):
        return sum(float(r.text) for r in tg.map(ENGINE, ["a", "b"]))

    def pools(value):
        with ThreadPoolExecutor(2) as pool:
            return sum(float(r.text) for r in pool.map(ENGINE, ["a", "b"]))

    class Any(tg.Proposer):
        name = "any"
        def ask(self, trials, n, rng):
            return [tg.Proposal(str(len(trials) + i)) for i in range(n)]

    if __name__ == "__main__":
        what, workers = sys.argv[1], int(sys.argv[2])
        if workers < 0:
            workers = ThreadPoolExecutor(-workers)
        loss = (lambda value: 1.0) if what == "proposer" else globals()[what]
        proposer = tg.TGD(engine=ENGINE) if what == "proposer" else Any()
        result = tg.minimize(loss, ["a", "b"], proposer, budget=9, workers=workers, run=sys.argv[3])
        print("ended:", result.stopped, flush=True)
"""


@pytest.mark.parametrize(
    ("what", "workers"),
    [
        ("proposer", 0),
        ("asks", 0),
        ("maps", 0),
        ("pools", 0),
        ("busy", 0),
        ("busy", 2),
        ("power", 2),
        ("pools", 1),
        ("asks", -2),
    ],
)
def test_ctrl_c_ends_a_run_whatever_is_in_flight(start_script, tmp_path, what, workers):
    process = start_script(RUN, what, str(workers), str(tmp_path / "run"))
    assert "busy" in process.stdout.readline()
    time.sleep(0.2)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < LONGEST
    assert "ended: interrupted" in output
    assert errors == ""
    assert tg.Result.load(tmp_path / "run").stopped == "interrupted"


def test_a_wait_in_a_thread_ends_and_none_begins_after_it():
    never, caught = threading.Event(), []

    def wait():
        for _ in range(2):
            try:
                interrupt.wait_for(never.wait)
            except tg.EngineError as error:
                caught.append(str(error))

    with interrupt.interruptible():
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.1)
        interrupt.stop()
        thread.join(5)
    assert caught == ["the run was interrupted"] * 2


def test_the_handlers_of_signals_are_put_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with interrupt.interruptible():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_run_that_does_not_end_is_overdue(monkeypatch):
    overdue = threading.Event()
    monkeypatch.setattr(interrupt, "PATIENCE", 0.2)
    with interrupt.when_overdue(overdue.set):
        with interrupt.interruptible():
            interrupt.stop()
        assert not overdue.wait(0.5)
        with interrupt.interruptible():
            interrupt.stop()
            assert overdue.wait(5)


DOMAIN = """
    import sys, threading, time
    from concurrent.futures import ThreadPoolExecutor
    import tgsci as tg
    from tgsci.cli.main import main
    from tgsci.runs.domain import Domains

    def slow(_):
        print("busy", flush=True)
        time.sleep(60)
        return 1.0

    def simulate(value):  # waits for threads of its own when it is interrupted, as Python does
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(slow, "ab"))

    class Rules(tg.Proposer):
        def ask(self, trials, n, rng):
            return []

    class Slow(tg.Domain):
        name = "slow"
        def problem(self, config):
            return tg.Problem(loss=tg.as_loss(simulate), start="a", rules=Rules(), task="t", domain="slow", config={})

    class Entry:
        def load(self):
            return Slow()

    Domains.installed = classmethod(lambda cls: Domains({"slow": Entry()}))
    open(sys.argv[1], "w").write('domain = "slow"')
    sys.exit(main(["run", sys.argv[1], "--workers", "0", "--run", sys.argv[2]]))
"""


def test_the_command_line_exits_whatever_a_simulator_does_in_threads_of_its_own(start_script, tmp_path):
    process = start_script(DOMAIN, str(tmp_path / "job.toml"), str(tmp_path / "run"))
    assert "busy" in process.stdout.readline()
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < LONGEST
    assert process.returncode == 130
    assert "interrupted; nothing" in (output + errors).lower()  # said by whoever came to an end first
