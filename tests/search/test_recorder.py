"""A recorded reply is used again only where all that made it is the same; a resumed run ends as if never stopped."""

from __future__ import annotations

import itertools
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted


class Rounds(tg.Proposer):
    """Two new values a round."""

    name = "rounds"

    def ask(self, trials, n, rng):
        return [tg.Proposal(chr(ord(trials[-1].value) + i + 1)) for i in range(n)]


class Judged(tg.Loss):
    """A loss that asks models; `stop_at` is interrupted after it asked."""

    name = "judged"

    def __init__(self, ask, stop_at=""):
        self._ask, self._stop_at = ask, stop_at

    def evaluate(self, value):
        loss, text = self._ask(value)
        if value == self._stop_at:
            raise KeyboardInterrupt
        return tg.Feedback(loss, text)


def searched(ask, run=None, stop_at="", budget=5, **options):
    result = tg.minimize(Judged(ask, stop_at), "a", Rounds(), budget=budget, proposals=2, run=run, **options)
    return [(t.value, t.feedback and t.feedback.text) for t in result.trials], result.spent.model_calls


@pytest.mark.parametrize("stop_at", "abcde")
def test_a_run_stopped_while_a_model_judges_ends_like_one_that_never_was(tmp_path, stop_at):
    """The same question for every value: each trial gets the reply that it got, and no other's."""

    def judge():
        case = itertools.count(1)
        engine = tg.as_engine(lambda prompt: str(next(case)))
        return lambda value: (1.0, " ".join(engine("invent a case").text for _ in range(2)))

    whole = searched(judge())
    ask = judge()
    searched(ask, tmp_path, stop_at)
    assert searched(ask, tmp_path) == whole


def test_a_switch_that_stops_a_loss_in_the_middle_is_none_of_its_settings(tmp_path):
    def session(run, stop):
        case = itertools.count(1)

        def maker(prompt):
            return str(next(case))

        class Random(tg.Loss):
            name = "random case"

            def evaluate(self, value):
                invented = tg.as_engine(maker)("invent a test case").text
                if stop and value == "c":
                    raise KeyboardInterrupt
                return tg.Feedback(float(invented), invented)

        return [t.loss for t in tg.minimize(Random(), "a", Rounds(), budget=3, proposals=2, run=run).trials]

    session(tmp_path, True)
    assert session(tmp_path, False) == session(None, False) == [1.0, 2.0, 3.0]


def test_judges_of_one_name_never_get_each_others_replies(tmp_path):
    strict, lenient = (lambda prompt: "strict"), (lambda prompt: "lenient")
    engines = [tg.as_engine(strict), tg.as_engine(lenient)]
    assert engines[0].name == engines[1].name

    def ask(order):
        return lambda value: (1.0, " ".join(sorted(f"{i}{engines[i]('rate').text}" for i in order)))

    searched(ask((0, 1)), tmp_path, stop_at="b")
    told, calls = searched(ask((1, 0)), tmp_path)
    assert {text for _, text in told} == {"0strict 1lenient"}
    assert calls == 10, "nothing is asked twice"


def test_an_engine_with_other_parameters_is_asked_itself(tmp_path):
    class Model(tg.Engine):
        def __init__(self, name, temperature):
            self.name, self.temperature = name, temperature

        def complete(self, prompt, system="", images=()):
            return f"at {self.temperature}"

    for temperature in (0.0, 1.0):
        engine = Model("m", temperature)
        told, _ = searched(
            lambda value, engine=engine: (1.0, engine("rate").text), tmp_path, stop_at="a" * (not temperature)
        )
    assert told[0] == ("a", "at 1.0")


def test_the_order_in_which_threads_ask_does_not_matter(tmp_path):
    def judge(gap):
        """Two threads of the loss's own, which the second time ask in the other order."""

        def one(prompt):
            turn[prompt].wait(5)
            reply = engine(prompt).text
            for event in turn.values():
                event.set()
            return reply

        def ask(value):
            nonlocal turn
            turn = {"first": threading.Event(), "second": threading.Event()}
            turn[gap].set()
            with ThreadPoolExecutor(2) as pool:
                return 1.0, " ".join(pool.map(one, ["first", "second"]))

        turn = {}
        return ask

    engine = tg.as_engine(lambda prompt: f"{prompt} reply")
    searched(judge("second"), tmp_path, stop_at="a", budget=1)
    told, calls = searched(judge("first"), tmp_path, budget=1)
    assert told == [("a", "first reply second reply")]
    assert calls == 2, "a loss's own threads are recorded, and nothing is asked twice"


@pytest.mark.parametrize("workers", [0, 2])
def test_what_a_loss_asks_counts_in_the_budget_wherever_it_is_measured(tmp_path, workers):
    engine = Scripted(lambda prompt, system: tg.Reply("well", tokens_in=5, usd=0.25))

    def ask(value):
        with ThreadPoolExecutor(2) as pool:
            replies = list(pool.map(engine, [f"rate {value}", f"check {value}"]))
        return 1.0, " ".join(reply.text for reply in replies)

    budget = tg.Budget(None, model_calls=6)
    result = tg.minimize(Judged(ask), "a", Rounds(), budget=budget, proposals=2, workers=workers, run=tmp_path)
    assert (result.stopped, result.spent.evaluations) == ("the budget of 6 model calls is used up", 3)
    assert (result.spent.usd, result.spent.tokens_in) == (1.5, 30)
    with tg.Ledger.open(tmp_path) as ledger:
        assert sorted(prompt for _, _, prompt, _ in ledger.calls()) == sorted(
            f"{what} {value}" for value in "abc" for what in ("rate", "check")
        )


def test_what_is_asked_while_a_run_is_finished_is_recorded(tmp_path):
    engine = Scripted(lambda prompt, system: "fine")

    def finish(result, finishing):
        for trial, outcome in finishing.each(lambda trial: engine("look again").text, result.trials[:2], "again"):
            finishing.keep(trial, tg.Feedback(1.0, outcome))

    for workers in (0, 1):
        result = tg.minimize(
            Judged(lambda value: (1.0, "")), "a", Rounds(), budget=3, finish=finish, workers=workers, run=tmp_path
        )
        assert result.spent.model_calls == 2 * (workers + 1), "the same question is asked anew"


@pytest.mark.parametrize("stop_at", "abde")
def test_scripts_of_a_proposer_and_of_a_judge_each_go_on_where_they_stopped(tmp_path, stop_at):
    """Recorded replies are counted for each engine: one's do not move the other's script on."""

    def script(name, replies):
        return Scripted(replies, name=name)

    def run(directory, stop_at=""):
        values = [f"<IMPROVED_VARIABLE>{value}</IMPROVED_VARIABLE>" for value in "bcde"]
        judge = script("judge", [f"{grade}" for grade in range(20)])

        def ask(value):
            return float(judge("rate").text), judge("explain").text

        proposer = tg.TGD(engine=script("writer", values))
        loss = Judged(ask, stop_at)
        result = tg.minimize(loss, "a", proposer, budget=5, proposals=1, run=directory)
        return [(t.value, t.loss, t.feedback and t.feedback.text) for t in result.trials]

    run(tmp_path, stop_at)
    assert run(tmp_path) == run(None)


def test_a_run_of_the_older_format_can_be_looked_at_and_goes_on(tmp_path):
    """Format 1 kept no trial with a call, and engines by name alone."""
    import sqlite3

    engine = tg.as_engine(lambda prompt: "well")
    ask = lambda value: (1.0, engine("rate").text)  # noqa: E731
    searched(ask, tmp_path, budget=3)
    with sqlite3.connect(tmp_path / "run.db") as db:
        db.executescript(
            """DROP INDEX prices;
            CREATE TABLE old AS SELECT id, round, question, id AS occurrence, system, prompt, reply, model, tokens_in,
                tokens_out, usd, seconds, finish, asked_at FROM calls;
            DROP TABLE calls;
            ALTER TABLE old RENAME TO calls;
            CREATE INDEX prices ON calls (usd, tokens_in, tokens_out);
            DELETE FROM header WHERE key = 'keep_ties';
            PRAGMA user_version = 1;"""
        )
    assert tg.Result.load(tmp_path).spent.model_calls == 3
    assert searched(ask, tmp_path, budget=5)[1] == 5
    with tg.Ledger.open(tmp_path) as ledger:
        assert [reply.text for *_, reply in ledger.calls()] == ["well"] * 5


def test_threads_that_ask_the_same_at_once_are_each_answered():
    """None is handed, as if from the record, what another was just told."""
    number = itertools.count(1)
    engine = tg.as_engine(lambda prompt: str(next(number)))
    together = threading.Barrier(16)

    def sample(_):
        together.wait()
        return engine("how good is it?").text

    def ask(value):
        with ThreadPoolExecutor(16) as pool:
            return 1.0, " ".join(sorted(pool.map(sample, range(16)), key=int))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        trials, calls = searched(ask, budget=20)
    finally:
        sys.setswitchinterval(before)
    assert calls == 320
    assert len({text for _, text in trials}) == 20
    assert [int(n) for _, text in trials for n in text.split()] == list(range(1, 321))


def test_what_a_search_within_a_loss_asks_counts_in_both_budgets(tmp_path):
    number = itertools.count(1)
    engine = tg.as_engine(lambda prompt: str(next(number)))
    inner = []

    def ask(value):
        def judge(text):
            with ThreadPoolExecutor(1) as pool:
                return float(engine(text)) + float(pool.submit(engine, text).result())

        found = tg.minimize(judge, value, Rounds(), budget=3, proposals=2)
        inner.append(found.spent.model_calls)
        return found.best.loss, ""

    _, calls = searched(ask, run=tmp_path / "run")
    assert inner == [6] * 5
    assert calls == 30
