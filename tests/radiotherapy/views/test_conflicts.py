"""The account of goals that were not met together."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.radiotherapy.goal_results import AGAINST
from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial, Trials
from tgsci_radiotherapy.loss.possibility import Answer
from tgsci_radiotherapy.notice import NOTICE
from tgsci_radiotherapy.views.conflicts import account, questions


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


def test_what_is_proven_stands_before_what_was_only_seen() -> None:
    trials = Trials([trial(0, 48.0, 26.0), trial(1, 50.5, 28.0)])
    goals = tuple(result.goal for result in AGAINST.results)
    answer = Answer(goals, goals[:2], 26.1)
    text = account(trials, [answer])
    assert "Proven: no fluence of these beams meets PTV D95% >= 50 Gy and Core D10% <= 25 Gy together" in text
    assert "Core D10% stays above 26.1 Gy: at least 1.1 Gy is missing" in text
    assert text.index("Proven:") < text.index("Seen in these plans, which is no proof:")


def test_only_goals_that_no_plan_met_together_are_asked_about() -> None:
    goals = tuple(result.goal for result in AGAINST.results)
    assert questions(Trials([trial(0, 48.0, 24.0), trial(1, 50.5, 28.0)]), goals) == [goals]
    assert questions(Trials([trial(0, 51.0, 24.0)]), goals) == []
    assert questions(Trials([]), goals) == []
