"""Where trials come from, in words, and what each proposer gave to a run."""

from __future__ import annotations

from dataclasses import replace

import tgsci as tg
from tgsci.search.trial import State, Trial
from tgsci.show.origin import confirmation, expectation, proposed, shares

START = Trial(0, 0, "a", proposer="you", state=State.ACCEPTED, feedback=tg.Feedback(5.0))
MADE = Trial(1, 1, "b", "why", 0, proposer="model", state=State.ACCEPTED, feedback=tg.Feedback(4.0))


def test_who_proposed_and_what_for():
    assert proposed(START) == ""
    assert proposed(MADE) == "by model"
    assert proposed(replace(MADE, role="new")) == "by model, to begin a new family"
    assert proposed(replace(MADE, role="something else")) == "by model"


def test_what_was_expected_stands_beside_what_came():
    assert expectation(MADE) == ""
    assert expectation(replace(MADE, expected=3.5)) == "expected 3.500, got 4.000"
    assert expectation(replace(MADE, expected=3.5, feedback=tg.Feedback.failed("no"))) == ""


def test_what_care_changed():
    assert confirmation(MADE) == ""
    assert confirmation(replace(MADE, first=tg.Feedback(3.0))) == (
        "first measured 3.000; with care 4.000, which counts"
    )


def test_shares_count_trials_measurements_and_gains_but_for_the_start():
    failed = Trial(2, 1, "c", proposer="rules", state=State.FAILED, feedback=tg.Feedback.failed("no"))
    worse = Trial(3, 1, "d", proposer="rules", state=State.REJECTED, feedback=tg.Feedback(4.5))
    trials = tg.Trials([START, MADE, failed, worse])
    model, rules = shares(trials, trials.ranked())
    assert (model.proposer, model.trials, model.measured, model.gains, model.best) == ("model", 1, 1, 1, MADE)
    assert (rules.trials, rules.measured, rules.gains, rules.best) == (2, 1, 0, worse)
    assert rules.words() == "rules 2 trials, 1 measured, 0 of them gains, best 4.500 (trial 3)"
    assert shares([START], [START]) == []
