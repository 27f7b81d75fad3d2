"""The account of goals that were not met together."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.radiotherapy.goal_results import AGAINST
from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial, Trials
from tgsci_radiotherapy.notice import NOTICE
from tgsci_radiotherapy.views.conflicts import account


def trial(number: int, ptv: float, core: float) -> Trial:
    found = replace(
        AGAINST,
        results=(replace(AGAINST.results[0], value=ptv), replace(AGAINST.results[1], value=core)),
    )
    loss = max(0.0, 50 - ptv) + max(0.0, core - 25)
    feedback = Feedback(loss, "page", artifacts={"sensitivities.json": found.text()})
    return Trial(number, number, f"value {number}", state=State.ACCEPTED, feedback=feedback)


def test_the_account_says_what_each_goal_costs_the_other() -> None:
    trials = [trial(0, 48.0, 26.0), trial(1, 50.5, 28.0), trial(2, 51.0, 29.0), trial(3, 45.0, 24.0)]
    random.Random(0).shuffle(trials)
    text = account(Trials(sorted(trials, key=lambda t: t.number)))
    assert NOTICE in text
    assert "PTV D95% >= 50 Gy (met in 2 plans) and Core D10% <= 25 Gy (met in 1 plan): no plan met both" in text
    assert "with PTV D95% met, Core D10% came to 28.00 Gy at best (trial 1)" in text
    assert "with Core D10% met, PTV D95% came to 45.00 Gy at best (trial 3)" in text
    assert "not a proof" in text


def test_a_goal_that_no_plan_met_is_told_with_the_nearest() -> None:
    text = account(Trials([trial(0, 50.5, 30.0), trial(1, 49.0, 27.0)]))
    assert "Core D10% <= 25 Gy: met in no plan. The nearest was 27.00 Gy in trial 1, where it missed PTV D95%" in text
    assert "All goals but Core D10% <= 25 Gy were met in 1 plan" in text


def test_where_all_is_met_there_is_nothing_to_account_for() -> None:
    assert account(Trials([trial(0, 48.0, 26.0), trial(1, 51.0, 24.0)])) == ""
    assert account(Trials([])) == ""
    assert account(Trials([Trial(0, 0, "x", feedback=Feedback(1.0, "page"))])) == ""
