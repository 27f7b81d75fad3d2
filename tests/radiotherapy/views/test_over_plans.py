"""A run's plans side by side: every plan and goal is there, in words that hold; one plan and none are drawn too."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

import tgsci as tg
from tests.radiotherapy.cases import small_case
from tests.radiotherapy.views.doses import words
from tgsci.basics.texts import compact
from tgsci.search.trial import State, Trial, Trials
from tgsci_radiotherapy import PlanLoss, RuleEditor
from tgsci_radiotherapy.loss.effects import effects_of
from tgsci_radiotherapy.views.over_plans import Shown, goals_figure, near_miss, weights_figure


@cache
def result() -> Any:
    """Four plans of the small case."""
    loss = PlanLoss(small_case(), "tg119-harder", implied=False)
    return tg.minimize(loss, [loss.start.text()], RuleEditor(), budget=4, workers=0)


def without(trials: Trials, *numbers: int) -> Trials:
    """The same trials, those of these numbers not measured."""
    kept = [
        Trial(t.number, t.round, t.value, state=State.INVALID, decision="x") if t.number in numbers else t
        for t in trials
    ]
    return Trials(kept, trials.loss)


def test_every_goal_of_every_plan_is_written_and_coloured_by_its_margin() -> None:
    trials = result().trials
    figure = goals_figure(trials)
    assert figure is not None
    said = words(figure)
    (image,) = figure.axes[0].get_images()
    shown = Shown.of(trials)
    assert shown is not None
    assert [p.trial.number for p in shown.plans] == [t.number for t in trials if t.measured]
    first = effects_of(trials[0])
    assert first is not None
    order = sorted(range(len(first.results)), key=lambda i: first.results[i].goal.priority)
    for row, i in enumerate(order):
        for column, plan in enumerate(shown.plans):
            r = plan.effects.results[i]
            assert f"{r.value:.2f}" in said
            assert np.sign(image.get_array()[row, column]) == np.sign(round(r.relative_margin, 9))
    assert "not for clinical use" in said
    assert "goals met" in said


def test_weights_are_beside_those_of_the_first_plan() -> None:
    trials = result().trials
    figure = weights_figure(trials)
    assert figure is not None
    (image,) = figure.axes[0].get_images()
    shown = Shown.of(trials)
    assert shown is not None
    colours = np.asarray(image.get_array())
    assert np.nanmax(np.abs(colours[:, 0])) == 0
    changed = shown.plans[-1].parameters.objectives[0].weight / shown.plans[0].parameters.objectives[0].weight
    assert colours[0, -1] == np.clip(np.log2(changed), -4, 4)
    for o in shown.plans[-1].parameters.objectives:
        assert compact(o.weight, 3) in words(figure)


def test_one_plan_and_none() -> None:
    trials = result().trials
    one = without(trials, *range(1, len(trials)))
    assert goals_figure(one) is not None
    assert near_miss(one) is None
    none = without(trials, *range(len(trials)))
    assert goals_figure(none) is None
    assert weights_figure(none) is None
    assert near_miss(none) is None


def test_of_many_plans_the_first_the_leaders_and_the_best_are_shown() -> None:
    trials = result().trials
    best = trials.best
    assert best is not None
    many = [replace(t, number=n, round=n, state=State.REJECTED) for n, t in enumerate([trials[0], *[trials[1]] * 40])]
    many.append(replace(best, number=41, round=41, state=State.ACCEPTED))
    shown = Shown.of(Trials(many, trials.loss))
    assert shown is not None
    assert len(shown.plans) == 14
    assert shown.left_out == 28
    numbers = [p.trial.number for p in shown.plans]
    assert numbers == sorted(numbers)
    assert {0, 41} <= set(numbers)
    figure = goals_figure(Trials(many, trials.loss))
    assert figure is not None
    assert "28 plans and 0 goals more" in words(figure)


def test_the_near_miss_says_what_it_gains_and_loses() -> None:
    trials = result().trials
    found = near_miss(trials)
    assert found is not None
    trial, said = found
    assert trial.number != trials.best.number
    assert f"trial {trial.number}: " in said
    assert f"of the best, trial {trials.best.number}" in said
    best, near = effects_of(trials.best), effects_of(trial)
    assert best is not None
    assert near is not None
    for a, b in zip(best.results, near.results, strict=True):
        assert (f"{b.goal.criterion} ({b.value_text})" in said) == (a.met != b.met)
