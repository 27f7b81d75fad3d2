"""One way to run a function where measurements run, and to measure: here and in worker processes."""

from __future__ import annotations

import os
import time
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor

import pytest

import tgsci as tg
from tgsci.compute.measure import apply, measure
from tgsci.compute.workers import WorkerPool
from tgsci.engines.scripted import Scripted

ENGINE = Scripted(lambda prompt, system: tg.Reply("fine", usd=0.5))


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(2, timeout=60) as pool:
        yield pool


def work(item):
    if item == "fails":
        raise tg.MeasurementError("no convergence")
    if item == "dies":
        os._exit(1)
    if item == "hangs":
        time.sleep(60)
    if item == "asks":
        return ENGINE("well?").text
    return item.upper()


@pytest.mark.parametrize("here", [True, False])
def test_every_item_has_its_result_or_why_there_is_none(pool, here):
    done = sorted(apply(work, ["a", "fails", "b"], None if here else pool), key=lambda each: each.index)
    assert [each.index for each in done] == [0, 1, 2]
    assert [str(each.result) for each in done] == ["A", "no convergence", "B"]
    assert isinstance(done[1].result, tg.MeasurementError)


@pytest.mark.slow
def test_a_timeout_belongs_to_the_call_and_a_death_costs_one_item(pool):
    done = {each.index: str(each.result) for each in apply(work, ["a", "dies", "hangs"], pool, timeout=2)}
    assert done[0] == "A"
    assert "died" in done[1]
    assert "longer than 2 s" in done[2]
    assert pool.timeout == 60


def test_what_is_asked_elsewhere_comes_back_with_the_result(pool):
    (here,) = apply(work, ["asks"])
    (there,) = apply(work, ["asks"], pool)
    assert here.answers == ()
    assert [(answer.prompt, answer.reply.text, answer.reply.usd) for answer in there.answers] == [
        ("well?", "fine", 0.5)
    ]


class Flaky(tg.Loss):
    name = "flaky"

    def evaluate(self, value):
        Flaky.tried = getattr(Flaky, "tried", 0) + 1
        if value == "busy" or Flaky.tried < 2:
            raise tg.MeasurementError("server busy", transient=True)
        return tg.Feedback(float(Flaky.tried), "measured")


@pytest.mark.parametrize("here", [True, False])
def test_a_failure_that_may_pass_is_tried_once_more(here, pool):
    Flaky.tried = 0
    first, busy = sorted(measure(Flaky(), ["a", "busy"], None if here else pool), key=lambda each: each.index)
    assert first.feedback.loss == 2.0 or not here
    assert first.feedback.measured
    assert busy.feedback.transient
    assert busy.feedback.error == "server busy"


def test_an_executor_that_breaks_is_said():
    def breaks(item):
        raise BrokenExecutor("gone")

    with ThreadPoolExecutor(1) as threads, pytest.raises(tg.TgsciError, match=r"gone.*the run can be resumed"):
        list(apply(breaks, ["a"], threads))


def test_a_bug_is_raised(pool):
    for executor in (None, pool):
        with pytest.raises(AttributeError):
            list(apply(work, [5], executor))


class Nearer(tg.Loss):
    """Goes on from where the other measurement was."""

    name = "nearer"

    def evaluate(self, value):
        return tg.Feedback(9.0, artifacts={"pose": "9"})

    def reconsider(self, value, feedback, other):
        return tg.Feedback(float(other.artifacts["pose"]) - 1)


class Unshippable(tg.Feedback):
    def __reduce__(self):
        raise AssertionError("a loss that reconsiders nothing needs no other measurement")


@pytest.mark.parametrize("here", [True, False])
def test_another_measurement_is_at_hand_where_a_loss_asks_for_it(pool, here):
    executor = None if here else pool
    others = [tg.Feedback(1.0, artifacts={"pose": "5"}), None]
    found = sorted((m.index, m.feedback.loss) for m in measure(Nearer(), ["a", "b"], executor, others=others))
    assert found == [(0, 4.0), (1, 9.0)]
    plain = tg.FunctionLoss(len, name="length")
    assert [m.feedback.loss for m in measure(plain, ["a"], executor, others=[Unshippable(1.0)])] == [1.0]
