"""Threads that measure: answers are recorded as soon as they are there, and the end of a program waits for none."""

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import tgsci as tg
from tgsci.compute.executors import Measurers, Threads
from tgsci.engines.scripted import Scripted
from tgsci.search.ledger import Ledger


class Asks(tg.Loss):
    """Asks its engine three questions, one after the other."""

    name = "asks"
    threads = 4

    def __init__(self, engine):
        self.engine = engine

    def evaluate(self, value):
        said = [self.engine(f"{value}, question {i}") for i in range(3)]
        return tg.Feedback(float(len(value)), " ".join(said))


class Nothing(tg.Proposer):
    def ask(self, trials, n, rng):
        return []


def test_values_are_measured_at_the_same_time_in_this_process():
    together = threading.Barrier(4, timeout=10)

    def answer(prompt, system):
        together.wait()
        return f"{threading.get_ident()}"

    result = tg.minimize(Asks(Scripted(answer)), ["a", "bb", "ccc", "dddd"], Nothing(), budget=4)
    assert [t.loss for t in result.trials] == [1, 2, 3, 4]
    assert len({t.feedback.text.split()[0] for t in result.trials}) == 4
    assert result.spent.model_calls == 12


def test_an_answer_is_recorded_before_its_measurement_ends(tmp_path):
    seen = []

    def answer(prompt, system):
        if prompt.endswith("question 2"):
            with Ledger.open(tmp_path / "run") as ledger:
                seen.append(len(ledger.calls()))
        return "yes"

    tg.minimize(Asks(Scripted(answer)), ["a"], Nothing(), budget=1, run=tmp_path / "run")
    assert seen == [2]


def test_what_fails_in_a_thread_is_raised_and_a_resumed_run_pays_for_the_rest_only(tmp_path):
    def broken(prompt, system):
        if prompt == "bb, question 1":
            raise tg.EngineError("no answer")
        return "yes"

    class Named(Scripted):
        identity = "one and the same"

    first, second = Named(broken), Named(lambda prompt, system: "yes")
    loss = Asks(first)
    loss.threads = 1
    with pytest.raises(tg.EngineError, match="no answer"):
        tg.minimize(loss, ["a", "bb"], Nothing(), budget=2, run=tmp_path / "run")
    loss = Asks(second)
    loss.threads = 1
    result = tg.minimize(loss, ["a", "bb"], Nothing(), budget=2, run=tmp_path / "run")
    assert [prompt for prompt, _ in second.calls] == ["bb, question 1", "bb, question 2"]
    assert result.spent.model_calls == 6


def test_what_was_not_begun_is_cancelled():
    threads, begun, go = Threads(1), threading.Event(), threading.Event()
    running = threads.submit(lambda: (begun.set(), go.wait(10)))
    waiting = threads.submit(lambda: 1 / 0)
    begun.wait(10)
    threads.shutdown(wait=False, cancel_futures=True)
    assert waiting.cancelled()
    go.set()
    assert running.result(10)


def test_the_end_of_the_program_waits_for_no_thread():
    code = (
        "import time; from tgsci.compute.executors import Threads; Threads(2).submit(time.sleep, 60); time.sleep(0.1)"
    )
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    assert time.monotonic() - started < 20


def test_where_one_fails_the_others_end_with_the_replies_that_were_on_their_way(tmp_path):
    together = threading.Barrier(3, timeout=10)

    def answer(prompt, system):
        if prompt.endswith("question 0"):
            together.wait()
            if prompt.startswith("bb"):
                raise tg.EngineError("no answer")
            time.sleep(0.3)
        return "yes"

    engine = Scripted(answer)
    with pytest.raises(tg.EngineError, match="no answer"):
        tg.minimize(Asks(engine), ["a", "bb", "ccc"], Nothing(), budget=3, run=tmp_path / "run")
    with Ledger.open(tmp_path / "run") as ledger:
        assert sorted(prompt for _, _, prompt, _ in ledger.calls()) == ["a, question 0", "ccc, question 0"]
    assert len(engine.calls) == 3  # nothing was asked after the failure


def test_after_ctrl_c_nothing_more_is_asked():
    def answer(prompt, system):
        if len(engine.calls) == 6:
            signal.raise_signal(signal.SIGINT)
        time.sleep(0.02)
        return "yes"

    engine = Scripted(answer)
    values = [f"{i:04d}" + "x" * i for i in range(40)]
    result = tg.minimize(Asks(engine), values, Nothing(), budget=40)
    assert result.stopped == "interrupted"
    asked = len(engine.calls)
    assert asked < 30
    time.sleep(0.3)
    assert len(engine.calls) <= asked + 4
    assert result.spent.model_calls >= 5


def test_who_names_an_executor_gets_it():
    with ThreadPoolExecutor(1) as own:
        result = tg.minimize(
            Asks(Scripted(lambda prompt, system: "yes")), ["a", "bb"], Nothing(), budget=2, workers=own
        )
    assert result.spent.model_calls == 6
    with Measurers(own, None, threads=3) as executor:
        assert executor is own
    with Measurers(2, None, threads=3) as executor:
        assert isinstance(executor, Threads)
