"""The lexicographic proposer: level after level, the same whatever was measured."""

from __future__ import annotations

import random

import pytest

from tests.radiotherapy.cases import small_case
from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial, Trials
from tgsci_radiotherapy.editor.priority import PriorityPlans, Steering
from tgsci_radiotherapy.goals import parse_sheet
from tgsci_radiotherapy.loss import PlanLoss

GOALS = """goals = ["PTV D95% >= 48 Gy, priority 1", "PTV D2% <= 56 Gy, priority 1", "Core D10% <= {} Gy, priority 2",
  "Body Dmean <= 30 Gy, priority 3"]
implied = false
[prescription]
PTV = 50
"""


def loss(core: float = 45.0) -> PlanLoss:
    return PlanLoss(small_case(), parse_sheet(GOALS.format(core), "mine"))


def trials_of(problem: PlanLoss, *values: str) -> Trials:
    measured = [
        Trial(i, i, problem.validate(value), state=State.ACCEPTED, feedback=Feedback(1.0, "page"))
        for i, value in enumerate(values)
    ]
    return Trials(measured, loss=problem)


@pytest.mark.slow
def test_each_level_holds_those_above_and_meets_its_own() -> None:
    problem = loss()
    levels = list(Steering(problem).levels())
    assert [level.name for level in levels] == ["priority 1", "priority 2", "priority 3", "as low as can be"]
    for level in levels:
        results = problem.results(level.parameters)
        assert all(r.met for r in results if r.goal.priority == 1), level.reason
    assert all(r.met for r in problem.results(levels[-1].parameters))
    assert "1 of 1 goals of this level reached" in levels[1].reason
    last, first = (problem.results(levels[k].parameters) for k in (-1, 0))
    assert last[3].value < first[3].value  # the body's mean, which nothing but the last level lowers


@pytest.mark.slow
def test_what_cannot_be_met_does_not_cost_what_stands_above() -> None:
    problem = loss(core=3.0)
    levels = list(Steering(problem).levels())
    second = next(level for level in levels if level.name == "priority 2")
    results = problem.results(second.parameters)
    assert all(r.met for r in results if r.goal.priority == 1)
    assert not results[2].met
    assert "as near as what is held allows: Core D10% <= 3 Gy" in second.reason
    assert results[2].value <= problem.results(levels[0].parameters)[2].value + 0.1
    last = problem.results(levels[-1].parameters)
    assert last[2].value <= results[2].value + 0.5, "what was reached is held to the end"


@pytest.mark.slow
def test_a_run_that_is_resumed_proposes_what_the_first_would_have() -> None:
    problem = loss()
    editor, rng = PriorityPlans(problem), random.Random(0)
    start = problem.start.text()
    first = editor.ask(trials_of(problem, start), 1, rng)
    assert len(first) == 1
    assert first[0].edit == "priority 1"
    assert "goals of this level reached" in first[0].reason
    second = editor.ask(trials_of(problem, start, first[0].value), 1, rng)
    again = PriorityPlans(problem).ask(trials_of(problem, start, first[0].value), 1, random.Random(7))
    assert second == again
    everything = [level.parameters.text() for level in Steering(problem).levels()]
    assert editor.ask(trials_of(problem, start, *everything), 1, rng) == []
