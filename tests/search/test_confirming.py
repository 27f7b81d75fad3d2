"""What would become the best is measured with care before it leads; that is counted, bounded and never paid twice."""

from __future__ import annotations

import contextlib

import pytest

import tgsci as tg
from tgsci.search.insight import Careful

#: What the quick loss says of each value; with care it is what `TRUE` says, or the same.
QUICK = {"start": 0.0, "a": -1.0, "b": -3.0, "c": -2.0, "d": -2.5, "e": -0.5, "f": -4.0, "g": -2.2}
TRUE = {"b": -1.5, "c": -1.8, "f": -1.0}


class Quick(tg.Loss):
    name = "quick"

    def evaluate(self, value):
        return tg.Feedback(QUICK[value], f"quick {value}", artifacts={"pose": f"quick {value}"})


class WithCare(tg.Loss):
    name = "careful"

    def __init__(self, log=None, fails=()):
        self._log, self.fails = [] if log is None else log, fails

    def evaluate(self, value):
        self._log.append(value)
        if value in self.fails:
            raise tg.MeasurementError("it takes too long")
        return tg.Feedback(TRUE.get(value, QUICK[value]), f"careful {value}", artifacts={"pose": f"careful {value}"})


class Script(tg.Proposer):
    name = "script"

    def __init__(self, *rounds):
        self.rounds = rounds
        self.seen = []

    def ask(self, trials, n, rng):
        self.seen.append([(t.number, t.loss, t.state.value) for t in trials])
        done = trials[-1].round
        return [
            tg.Proposal(v, parent=trials.best.number) for v in (self.rounds[done] if done < len(self.rounds) else ())
        ]


def search(*rounds, share=1.0, margin=0.0, fails=(), log=None, **more):
    careful = Careful(WithCare(log, fails), margin, share)
    return tg.minimize(Quick(), "start", Script(*rounds), insight=tg.Insight(careful=careful), proposals=5, **more)


def test_first_figures_that_err_alike_are_compared_with_the_first_figure_of_the_best(monkeypatch):
    """The best is -3 at first and -9 with care; another one is -4 at first, which is better on equal terms."""
    monkeypatch.setattr(f"{__name__}.TRUE", {"b": -9.0, "f": -10.0})
    for alike, measured in ((False, ["start", "b"]), (True, ["start", "b", "f"])):
        log = []
        careful = Careful(WithCare(log), share=1.0, alike=alike)
        insight = tg.Insight(careful=careful)
        found = tg.minimize(Quick(), "start", Script(["b"], ["f", "c"]), insight=insight, proposals=5, budget=4)
        assert log == measured
        assert found.best.value == measured[-1]


def told(result):
    return [(t.value, t.state.value, t.loss, t.first and t.first.loss) for t in result.trials]


def test_the_best_first_until_what_is_left_does_not_lead():
    log = []
    result = search("abcde", log=log)
    assert log == ["start", "b", "d"], "c, at first -2.0, would not lead after d with -2.5"
    assert told(result) == [
        ("start", "accepted", 0.0, 0.0),
        ("a", "rejected", -1.0, None),
        ("b", "accepted", -1.5, -3.0),
        ("c", "rejected", -2.0, None),
        ("d", "accepted", -2.5, -2.5),
        ("e", "rejected", -0.5, None),
    ]
    assert [t.decision for t in result.trials] == [
        "the first measured value; measured with care: 0.000, at first 0.000",
        "not better than trial 4 (loss -2.500)",
        "better than trial 0 (loss 0.000); measured with care: -1.500, at first -3.000",
        "not better than trial 4 (loss -2.500)",
        "better than trial 2 (loss -1.500); measured with care: -2.500, at first -2.500",
        "not better than trial 4 (loss -2.500)",
    ]
    assert result.best.value == "d"
    assert dict(result.best.feedback.artifacts) == {"pose": "careful d"}
    assert dict(result.best.first.artifacts) == {"pose": "quick d"}
    assert (result.spent.evaluations, result.spent.confirmations) == (6, 3)
    assert result.spent.confirmation_seconds > 0


def test_what_comes_within_the_margin_of_the_best_is_measured_with_care_too():
    log = []
    search("abcde", margin=0.6, log=log)
    assert log == ["start", "b", "d", "c"]


def test_what_only_comes_near_the_best_leaves_the_last_measurement_to_what_leads():
    log = []
    search("d", "ga", "c", "b", margin=0.6, share=0.5, log=log)
    # Of 4 evaluations 2: g comes near d, and leaves the second one to d. Of 5 evaluations 3: c leaves one to b.
    assert log == ["start", "d", "b"]


def test_a_goal_is_met_by_a_confirmed_figure_only():
    result = search("b", "ae", "dg", share=0.3, goal=-2.4)
    assert result.trials[1].first.loss == -3.0, "which met the goal, and could not be confirmed at once"
    assert result.stopped == "nothing is left to propose"
    assert search("b", "ae", "dg", "c", "f", share=0.5, goal=-2.4).stopped == "the goal is met by trial 4"
    assert search("b", goal=-2.4, confirm=False).stopped == "the goal is met by trial 1"


def test_what_was_confirmed_is_there_when_a_run_is_opened_again(tmp_path):
    result = search("abcde", "f", run=tmp_path)
    again = tg.Result.load(tmp_path)
    assert told(again) == told(result)
    assert [t.decision for t in again.trials] == [t.decision for t in result.trials]
    assert dict(again.trials[2].first.artifacts) == {"pose": "quick b"}
    assert (again.spent.confirmations, again.best.value) == (4, "d")


def test_where_the_share_is_used_up_the_leader_stands_unconfirmed_and_is_confirmed_as_soon_as_may_be():
    log, script = [], Script("b", "ae", "d", "")
    careful = Careful(WithCare(log), share=0.3)
    result = tg.minimize(Quick(), "start", script, insight=tg.Insight(careful=careful), proposals=2)
    # Of 1 evaluation one, for the start; of 2 still one: b leads by its first figure; of 4 two: b is confirmed.
    assert script.seen[1][1] == (1, -3.0, "accepted")
    assert script.seen[2] == [(0, 0.0, "accepted"), (1, -1.5, "accepted"), (2, -1.0, "rejected"), (3, -0.5, "rejected")]
    assert script.seen[3][-1] == (4, -2.5, "accepted")
    assert log == ["start", "b"]
    assert result.trials[1].decision == (
        "better than trial 0 (loss 0.000); measured with care: -1.500, at first -3.000"
    )
    assert result.trials[4].decision.endswith("not confirmed yet: the share of careful measurements is used up")


@pytest.mark.parametrize("kept", [False, True])
def test_a_leader_that_falls_gives_way_to_the_best_of_the_others(kept, tmp_path):
    class Ends(Script):
        def ask(self, trials, n, rng):
            if kept and trials[-1].round == 3:
                raise tg.EngineError("stop here")
            return super().ask(trials, n, rng)

    rounds = ["f", "g", "ae"]
    careful = Careful(WithCare(), share=0.26)

    def run(proposer):
        insight = tg.Insight(careful=careful)
        return tg.minimize(Quick(), "start", proposer, insight=insight, proposals=2, run=tmp_path)

    if kept:
        with pytest.raises(tg.EngineError):
            run(Ends(*rounds))
    result = run(Script(*rounds))
    assert told(result)[1:3] == [("f", "rejected", -1.0, -4.0), ("g", "accepted", -2.2, None)]
    assert result.best.value == "g"
    assert [t.decision for t in result.trials][1:3] == [
        "not better than trial 2 (loss -2.200); measured with care: -1.000, at first -4.000",
        "leads since trial 1 was measured with care; not confirmed yet: the share of careful measurements is used up",
    ]


def test_a_careful_measurement_that_fails_keeps_the_first_figure_and_says_so():
    log = []
    result = search("abc", log=log, fails=("b",))
    assert log == ["start", "b"]
    assert told(result)[2] == ("b", "accepted", -3.0, None)
    assert result.trials[2].decision.endswith(
        "; the first figure stands: it could not be measured with care (it takes too long)"
    )
    assert result.spent.confirmations == 2


def test_a_run_that_confirms_nothing_is_as_it_was():
    plain = tg.minimize(Quick(), "start", Script("abcde"), proposals=5)
    assert told(search("abcde", confirm=False)) == told(plain)
    assert plain.spent.confirmations == 0


def test_the_number_of_careful_measurements_is_bounded_by_the_share():
    class Better(tg.Proposer):
        name = "better"

        def ask(self, trials, n, rng):
            return [tg.Proposal(str(-len(trials) - i)) for i in range(n)]

    log = []

    class Same(WithCare):
        def evaluate(self, value):
            self._log.append(value)
            return tg.Feedback(float(value))

    insight = tg.Insight(careful=Careful(Same(log), share=0.25))
    result = tg.minimize(float, "0", Better(), insight=insight, budget=40, proposals=2)
    assert result.spent.confirmations == len(log) == len(set(log)) == 10


def test_the_careful_loss_sees_the_first_measurement():
    class Best(WithCare):
        def reconsider(self, value, feedback, other):
            return other if other.loss < feedback.loss else feedback

    insight = tg.Insight(careful=Careful(Best(), share=1.0))
    result = tg.minimize(Quick(), "start", Script("b"), insight=insight)
    assert (result.best.loss, result.best.feedback.text) == (-3.0, "quick b")


def test_in_workers_too():
    expected = search("abcde", "f")
    assert told(search("abcde", "f", workers=1)) == told(expected)


@pytest.mark.parametrize("point", range(14))
def test_a_run_that_stops_at_any_commit_goes_on_from_there_and_measures_nothing_twice(point, tmp_path):
    class Dies(BaseException):
        pass

    def run(directory, log, die_at=None):
        writes = 0

        def tick(self, real=tg.Ledger._tick):
            nonlocal writes
            writes += 1
            if writes == die_at:
                raise Dies
            real(self)

        with pytest.MonkeyPatch().context() as patch:
            patch.setattr(tg.Ledger, "_tick", tick)
            if die_at:
                patch.setattr(tg.Ledger, "end_session", lambda self, reason: None)
            with contextlib.suppress(Dies):
                search("bc", "f", "g", "ae", share=0.4, log=log, run=directory)

    whole, first, again = [], [], []
    run(tmp_path / "whole", whole)
    run(tmp_path / "cut", first, point + 2)
    done = [t.value for t in tg.Result.load(tmp_path / "cut").trials if t.first] if point else []
    run(tmp_path / "cut", again)
    assert not set(done) & set(again)
    expected, found = tg.Result.load(tmp_path / "whole"), tg.Result.load(tmp_path / "cut")
    assert told(found) == told(expected)
    assert [t.decision for t in found.trials] == [t.decision for t in expected.trials]
    assert found.best.value == expected.best.value
