"""Asking: a model thinks while the simulator works, its ideas wait in a pool, and nothing depends on who was faster."""

from __future__ import annotations

import threading
import time

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.search.team import Team
from tgsci.search.trial import Idea


def digits(value: str) -> str:
    if not value.strip().isdigit():
        raise tg.InvalidValue(f"{value!r} is no number")
    return str(int(value))


class Slow(tg.Loss):
    """Distance to 500."""

    name = "distance"

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds

    def validate(self, value):
        return digits(value)

    def evaluate(self, value):
        time.sleep(self._seconds)
        return tg.Feedback(abs(int(value) - 500) / 3, f"{value} is off")


class Thinker(tg.Proposer):
    """Asks an engine for numbers, ahead; the prompt tells all that it sees."""

    name = "thinker"
    ahead = True

    def __init__(self, engine) -> None:
        self.engine = engine
        self.seen: list[tg.Trials] = []

    def ask(self, trials, n, rng):
        self.seen.append(trials)
        prompt = repr(
            [
                n,
                trials.proposals,
                trials.evaluations_left,
                [(t.number, t.value, t.state.value, t.decision, t.loss) for t in trials],
                [(t.number, t.value, t.state.value, t.decision, t.loss) for t in trials.pending],
                [(i.proposal.value, i.rank, i.why) for i in trials.ideas],
                rng.random(),
            ]
        )
        reply = self.engine(prompt)
        return [
            tg.Proposal(word, f"of {len(trials)}", trials.best.number, expected=1.0, role="refine")
            for word in reply.text.split()
        ]


def numbers(prompt: str, system: str) -> tg.Reply:
    """Five numbers that follow from the prompt, one of them no number."""
    seed = sum(prompt.encode())
    words = [str(seed * k % 997) for k in range(1, 6)]
    return tg.Reply(" ".join([*words, "x"]), tokens_in=10, tokens_out=5, usd=0.01)


def shown(result):
    return [
        (
            t.number,
            t.round,
            t.value,
            t.proposer,
            t.state.value,
            t.decision,
            t.expected,
            t.role,
            t.contrast,
            repr(t.loss),
        )
        for t in result.trials
    ]


def search(loss=None, proposer=None, start="900", **more):
    proposer = proposer or Thinker(Scripted(numbers))
    return tg.minimize(loss or Slow(), start, proposer, **{"budget": 20, "proposals": 3, "ideas": 6, **more})


def test_the_trials_are_the_same_however_fast_anybody_is_and_however_many_workers():
    class Sleepy(Scripted):
        def complete(self, prompt, system="", images=()):
            time.sleep(0.01)
            return super().complete(prompt, system, images)

    expected = shown(search())
    assert shown(search(Slow(0.004))) == expected
    assert shown(search(proposer=Thinker(Sleepy(numbers)))) == expected
    assert shown(search(Slow(0.004), workers=2)) == expected
    assert {row[4] for row in expected} >= {"accepted", "rejected", "invalid"}


def test_the_next_round_is_thought_of_from_the_rounds_before_this_one():
    proposer = Thinker(Scripted(numbers))
    result = search(proposer=proposer)
    seen = [([t.round for t in trials][-1], {t.round for t in trials.pending}) for trials in proposer.seen]
    assert seen[1:] == [(0, {1}), (1, {2}), (2, {3}), (3, {4}), (4, {5}), (5, {6})]
    for trials in proposer.seen[1:]:
        assert all(t.state is not tg.State.PENDING for t in trials)
        assert all(t.feedback is None and not t.contrast for t in trials.pending)
        under_way = trials.pending[0].round
        assert trials.evaluations_left == 20 - sum(t.measured for t in result.trials if t.round <= under_way)
    assert result.spent.evaluations == 20
    assert result.spent.model_calls == 7, "nobody is asked when no round will follow"


def test_ideas_wait_in_the_pool_with_their_rank_until_they_are_measured(tmp_path):
    proposer = Thinker(Scripted(["501 502 503 504 505", "501 700", "1 2 3 4"]))
    result = search(proposer=proposer, budget=8, run=tmp_path)
    assert [t.value for t in result.trials] == ["900", "501", "502", "503", "700", "504", "505", "501", "1"]
    assert result.trials[7].decision == "proposed before as trial 1"
    waiting = proposer.seen[1].ideas
    assert [(i.proposal.value, i.rank, i.why) for i in waiting] == [
        ("504", 1, "newer ideas came first"),
        ("505", 2, "newer ideas came first"),
    ]
    assert [(t.expected, t.role, t.reason) for t in result.trials][1] == (1.0, "refine", "of 1")
    with tg.Ledger.open(tmp_path) as ledger:
        left = ledger.ideas().values()
        assert [(i.proposal.value, i.round, i.proposer, i.rank) for i in left] == [
            ("2", 3, "thinker", 1), ("3", 3, "thinker", 2), ("4", 3, "thinker", 3),
        ]  # fmt: skip
        assert all(isinstance(idea, Idea) for idea in left)


def test_an_idea_that_is_had_again_counts_as_new():
    proposer = Thinker(Scripted(["501 502 503 504 505", "505 601", "1 2 3 4"]))
    result = search(proposer=proposer, budget=8)
    assert [t.value for t in result.trials] == ["900", "501", "502", "503", "505", "601", "504", "1"]


def test_what_a_domain_expects_ranks_the_pool_anew_each_round():
    def predict(trials, values):
        if len(trials) < 4:
            raise tg.MeasurementError("too few")
        return [tg.Outlook(abs(int(v) - 500) / 3, 0.0) for v in values]

    proposer = Thinker(Scripted(["600 610 620 501 502", "700", "701 1 2 3 4"]))
    result = search(proposer=proposer, budget=8, insight=tg.Insight(predict=predict))
    assert [t.value for t in result.trials] == ["900", "600", "610", "620", "501", "502", "700", "701"]


@pytest.mark.slow
def test_wall_time_is_that_of_the_slower_of_the_two():
    def model(prompt, system):
        time.sleep(0.1)
        return numbers(prompt, system)

    def seconds(ahead):
        proposer = Thinker(Scripted(model))
        proposer.ahead = ahead
        began = time.perf_counter()
        search(Slow(0.1), proposer, budget=17, proposals=1)
        return time.perf_counter() - began

    # Of a machine that does other things meanwhile, the best of three pairs tells.
    assert any(seconds(True) <= 0.6 * seconds(False) for _ in range(3))


def test_an_engine_that_fails_stops_the_run_once_the_round_is_recorded(tmp_path):
    broken = Thinker(Scripted([numbers("a", ""), numbers("b", ""), tg.EngineError("no network")]))
    with pytest.raises(tg.EngineError, match="no network"):
        search(Slow(0.01), broken, run=tmp_path)
    stopped = tg.Result.load(tmp_path)
    assert "no network" in stopped.stopped
    assert [t.round for t in stopped.trials if t.measured] == [0, 1, 1, 1, 2, 2, 2]
    assert all(t.state is not tg.State.PENDING for t in stopped.trials)


def test_an_engine_that_fails_does_not_undo_a_goal_that_was_met():
    broken = Thinker(Scripted(["501 502", tg.EngineError("no network")]))
    assert search(proposer=broken, goal=1.0).stopped == "the goal is met by trial 1"


def test_a_bug_in_the_loss_loses_no_reply(tmp_path):
    def buggy(value):
        if value != "900":
            time.sleep(0.02)
            raise ZeroDivisionError
        return 1.0

    def model(prompt, system):
        if "'901'" in prompt:
            time.sleep(0.1)
        return "901 902"

    with pytest.raises(ZeroDivisionError):
        search(buggy, Thinker(Scripted(model)), run=tmp_path)
    assert tg.Result.load(tmp_path).spent.model_calls == 2


@pytest.mark.parametrize(("budget", "calls"), [
    (tg.Budget(None, model_calls=3), 3),
    (tg.Budget(None, tokens=45), 3),
    (tg.Budget(None, usd=0.03), 3),
])  # fmt: skip
def test_a_budget_of_calls_ends_the_asking_and_what_was_paid_for_is_measured(budget, calls):
    result = search(budget=budget)
    assert result.spent.model_calls == calls
    assert result.trials[-1].round == calls
    assert result.trials.last_round()[0].measured
    assert "is used up" in result.stopped


def test_a_proposer_of_nonsense_ends_after_ten_rounds_and_is_not_asked_ahead():
    proposer = Thinker(Scripted(lambda prompt, system: "x y"))
    result = search(proposer=proposer)
    assert "10 rounds in a row gave no new value" in result.stopped
    assert {t.state for t in result.trials[1:]} == {tg.State.INVALID}
    assert all(not trials.pending for trials in proposer.seen)
    assert search(proposer=Thinker(Scripted(lambda p, s: ""))).stopped == "nothing is left to propose"


def test_a_run_that_a_proposer_of_nonsense_ended_goes_on_with_another_one(tmp_path):
    nonsense = Scripted(lambda prompt, system: "x y")
    stuck = search(proposer=tg.TGD(engine=nonsense), run=tmp_path)
    asked = len(nonsense.calls)
    assert search(proposer=tg.TGD(engine=nonsense), run=tmp_path).stopped == stuck.stopped
    assert len(nonsense.calls) == asked, "the same one is not asked again"
    thinks = Thinker(nonsense)
    assert "10 rounds in a row" in search(proposer=thinks, run=tmp_path).stopped
    assert len(nonsense.calls) == asked + 10
    assert "10 rounds in a row" in search(proposer=thinks, run=tmp_path).stopped
    assert len(nonsense.calls) == asked + 10
    team = Team([thinks, Count()])
    assert search(proposer=team, run=tmp_path).spent.evaluations > 1


def test_a_person_is_not_asked_ahead():
    class Person(Scripted):
        answered_by_person = True

    proposer = Thinker(Person(numbers))
    search(proposer=proposer, budget=7)
    assert all(not trials.pending for trials in proposer.seen)
    assert threading.active_count() < 20


def test_what_was_interrupted_in_mid_thought_goes_on_and_no_reply_of_the_past_session_is_kept(tmp_path):
    go_on = threading.Event()

    def model(prompt, system):
        if "'901'" in prompt:
            go_on.wait(10)
        return "901" if len(prompt) < 200 else numbers(prompt, system)

    def loss(value):
        if value == "901":
            raise KeyboardInterrupt
        return float(value)

    began = time.perf_counter()
    result = search(loss, Thinker(Scripted(model)), run=tmp_path)
    assert result.stopped == "interrupted"
    assert time.perf_counter() - began < 8
    go_on.set()
    time.sleep(0.05)
    assert tg.Result.load(tmp_path).spent.model_calls == 1


class Count(tg.Proposer):
    """A rule: the next numbers that nobody had."""

    name = "count"

    def ask(self, trials, n, rng):
        free = (str(number) for number in range(500, 900) if trials.find(str(number)) is None)
        return [tg.Proposal(next(free), "counted", 0) for _ in range(n)]


def test_a_larger_budget_goes_on_with_a_finished_run_and_its_pool(tmp_path):
    search(run=tmp_path, budget=8)
    waiting = tg.Result.load(tmp_path).ideas
    assert waiting
    result = search(run=tmp_path, budget=14)
    assert result.spent.evaluations == 14
    proposer = Thinker(Scripted(lambda prompt, system: ""))
    left = search(proposer=proposer, run=tmp_path, budget=16)
    assert left.spent.evaluations == 16, "one that has no idea any more leaves the pool to be measured"
    assert proposer.seen[0].ideas


def test_another_proposer_may_take_over_and_hand_back(tmp_path):
    search(run=tmp_path, budget=8)
    had = {idea.proposal.value for idea in tg.Result.load(tmp_path).ideas}
    counted = search(proposer=Count(), run=tmp_path, budget=12)
    assert {t.proposer for t in counted.trials.last_round()} == {"count"}
    assert {idea.proposal.value for idea in counted.ideas} == had
    result = search(proposer=Team([Thinker(Scripted(numbers)), Count()]), run=tmp_path, budget=20)
    assert result.spent.evaluations == 20
    assert {"thinker", "count"} <= {t.proposer for t in result.trials if t.round > 4}


def test_a_parent_may_be_a_trial_that_is_being_measured_and_no_other():
    class Near(Thinker):
        offset = 0

        def ask(self, trials, n, rng):
            parent = len(trials) + len(trials.pending) - 1 + (self.offset if trials.pending else 0)
            return [tg.Proposal(str(600 + parent * 10 + i), "near", parent) for i in range(3)]

    result = search(proposer=Near(None), budget=10)
    assert [t.parent for t in result.trials] == [None, 0, 0, 0, 3, 3, 3, 6, 6, 6]
    wrong = Near(None)
    wrong.offset = 1
    with pytest.raises(tg.UsageError, match="made from trial 4; there are 4 trials"):
        search(proposer=wrong, budget=10)


def test_an_object_of_ones_own_is_asked_ahead_where_it_says_so():
    class Own:
        ahead = True

        def ask(self, trials, n, rng):
            self.pending = len(trials.pending)
            return [tg.Proposal(str(rng.randint(0, 999))) for _ in range(n)]

    own = Own()
    assert search(proposer=own).spent.evaluations == 20
    assert own.pending == 3


class Judged(Slow):
    """Asks the same engine as the thinker, in threads of this process."""

    threads = 3

    def __init__(self, engine):
        super().__init__()
        self.engine = engine

    def evaluate(self, value):
        self.engine(f"rate {value}")
        return super().evaluate(value)


def test_what_a_loss_asks_meanwhile_belongs_to_its_own_trial(tmp_path):
    engine = Scripted(numbers)
    result = search(Judged(engine), Thinker(engine), run=tmp_path, budget=13)
    with tg.Ledger.open(tmp_path) as ledger:
        asked = [(round, prompt) for round, _, prompt, _ in ledger.calls()]
    rated = {(t.round, f"rate {t.value}") for t in result.trials if t.measured}
    assert {(round, prompt) for round, prompt in asked if prompt.startswith("rate")} == rated
    thought = [round for round, prompt in asked if not prompt.startswith("rate")]
    assert sorted(thought) == list(range(1, result.trials[-1].round + 1))
    assert result.spent.model_calls == len(asked) == 13 + len(thought)
