"""Trials: their order, what is best, and that a long run costs no more a round than a short one."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.search.proposer import ModelProposer
from tgsci.search.trial import Idea, Trial, of_each


def measured(number, loss, parent=None, state=tg.State.REJECTED, violation=0.0):
    feedback = tg.Feedback(loss, f"report {number}", violations={"limit": violation})
    return tg.Trial(number, number, f"v{number}", parent=parent, state=state, feedback=feedback)


def test_the_best_and_the_order_do_not_depend_on_when_a_measurement_comes_in():
    losses = [(3.0, 0.0), (1.0, 0.0), (1.0, 0.0), (0.5, 2.0), (2.0, 0.0)]
    for seed in range(20):
        order = list(range(len(losses)))
        random.Random(seed).shuffle(order)
        trials = tg.Trials([tg.Trial(i, 0, f"v{i}") for i in range(len(losses))])
        for i in order:
            trials.update(measured(i, *losses[i][:1], violation=losses[i][1]))
        for i in order:  # judged: measured already
            trials.update(measured(i, losses[i][0], violation=losses[i][1]))
        assert [t.number for t in trials.ranked()] == [1, 2, 4, 0, 3]
        assert [t.number for t in trials.ranked(2)] == [1, 2]
        assert trials.best.number == 1


def test_of_equals_the_last_is_best_where_ties_are_kept():
    trials = tg.Trials([measured(i, loss) for i, loss in enumerate([2.0, 1.0, 1.0, 3.0])], keep_ties=True)
    assert trials.best.number == 2
    assert [t.number for t in trials.ranked()] == [2, 1, 0, 3]


def test_the_latest_that_did_not_help_are_found_whether_a_run_is_resumed_or_not():
    failed = tg.Feedback.failed("no convergence")
    rows = [
        measured(0, 5.0, state=tg.State.ACCEPTED),
        tg.Trial(1, 1, "v1", parent=0, feedback=failed),
        tg.Trial(2, 1, "x", state=tg.State.INVALID),
        tg.Trial(3, 1, "", state=tg.State.INVALID),
        measured(4, 6.0, parent=0),
        measured(5, 7.0, parent=4),
        tg.Trial(6, 2, "v0", parent=0, state=tg.State.DUPLICATE),
    ]
    trials = tg.Trials(rows)
    trials.update(tg.Trial(1, 1, "v1", parent=0, state=tg.State.FAILED, feedback=failed))
    assert [t.number for t in trials.unsuccessful()] == [1, 2, 4]
    assert [t.number for t in trials.unsuccessful(2)] == [2, 4]
    assert [t.number for t in tg.Trials(trials).unsuccessful()] == [1, 2, 4]


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: tg.Proposal(5), "the value of a proposal is text, not 5"),
        (lambda: tg.Proposal("a", None), "the reason of a proposal is text"),
        (lambda: tg.Proposal("a", parent="b"), "the parent of a proposal must be a whole number"),
        (lambda: tg.Proposal("a", fault=5), "the fault of a proposal is text or None"),
    ],
)
def test_a_proposal_of_wrong_types_is_said_where_it_is_made(made, says):
    with pytest.raises(tg.UsageError, match=says):
        made()


def test_asking_a_model_at_two_thousand_trials_costs_what_it_costs_at_a_hundred():
    replies = "".join(f"<IMPROVED_VARIABLE_{i}>w{i}</IMPROVED_VARIABLE_{i}>" for i in range(1, 5))
    proposer = ModelProposer(tg.TGD(engine=Scripted(lambda prompt, system: replies)))

    def seconds(n):
        chance, trials = random.Random(1), tg.Trials([], tg.as_loss(float))
        for i in range(n):
            trials.append(measured(i, chance.random(), chance.randrange(i) if i else None))
        best = 1.0
        for _ in range(7):
            began = time.perf_counter()
            for _ in range(20):
                assert len(proposer.ask(trials, 4, chance)) == 4
            best = min(best, time.perf_counter() - began)
        return best

    assert seconds(2000) < 1.5 * seconds(100)
    lengths = [len(prompt) for prompt, _ in proposer.engine.calls]
    assert max(lengths) < 1.2 * min(lengths), "the prompt does not grow with the run"


def test_what_was_known_before_a_round_stays_as_it_was_while_the_search_goes_on():
    insight = tg.Insight(family=lambda value: value[0], change=lambda a, b: f"{a} to {b}")
    pending = [tg.Trial(2, 2, "w2"), tg.Trial(3, 2, "", state=tg.State.INVALID)]
    trials = tg.Trials([measured(0, 3.0), measured(1, 2.0, parent=0), *pending], insight=insight)
    ideas = [Idea(tg.Proposal("w4"), "model", 2, rank=1)]
    for measured_meanwhile in (False, True):
        if measured_meanwhile:
            trials.update(replace(pending[0], feedback=tg.Feedback(1.0), state=tg.State.ACCEPTED, decision="better"))
        view = trials.before(2, evaluations_left=7, proposals=2, ideas=ideas)
        assert (len(view), view.best.number, [t.number for t in view.ranked()]) == (2, 1, [1, 0])
        assert (view.evaluations_left, view.proposals, [*view.ideas], [*view.pending]) == (7, 2, ideas, pending)
    assert trials.best.number == 2
    assert (view.family("v1"), view.change(view[1]), view.change(view[0])) == ("v", "v0 to v1", "")
    with pytest.raises(tg.InvalidValue, match="proposed before as trial 2: pending"):
        view.check("w2")
    assert view.check("w4") == "w4", "an idea of the pool may be had again"


def test_a_careful_measurement_ranks_in_place_of_the_first():
    trials = tg.Trials([measured(0, 3.0), measured(1, 1.0), measured(2, 2.0)])
    trials.update(trials[1].with_care(tg.Feedback(2.5)))
    assert [t.number for t in trials.ranked()] == [2, 1, 0]
    assert trials.best.number == 2
    assert (trials[1].loss, trials[1].first.loss) == (2.5, 1.0)
    trials.update(trials[0].with_care(tg.Feedback(0.5)))
    assert trials.best is trials[0]
    assert trials[2].with_care(tg.Feedback.failed("no convergence")) is trials[2]


def test_what_a_domain_cannot_name_has_no_name():
    def refuse(*values):
        raise tg.InvalidValue("no ring")

    trials = tg.Trials([measured(0, 3.0), measured(1, 2.0, parent=0)], insight=tg.Insight(family=refuse, change=refuse))
    assert trials.family("v0") == trials.change(trials[1]) == ""
    assert tg.Trials([measured(0, 1.0)]).family("v0") == ""


def test_of_near_twins_two_are_taken_while_there_are_others() -> None:
    trials = [Trial(n, 0, value) for n, value in enumerate(["a1", "a2", "a3", "b1", "x", "y", "a4"])]

    def name(value: str) -> str:
        return value[0] if value[0] in "ab" else ""

    assert [t.value for t in of_each(trials, name, 4)] == ["a1", "a2", "b1", "x"]
    assert [t.value for t in of_each(trials, name, 7)] == ["a1", "a2", "b1", "x", "y", "a3", "a4"]
    assert [t.value for t in of_each(trials[:3], name, 3)] == ["a1", "a2", "a3"]
    assert of_each([], name, 3) == []
