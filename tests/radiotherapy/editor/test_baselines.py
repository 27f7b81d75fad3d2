"""The baselines: random plans and Optuna's."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.editor.runs import PLAIN, begun, run
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Trial, Trials
from tgsci_radiotherapy.editor.baselines import OptunaPlans, RandomPlans, Space
from tgsci_radiotherapy.loss import PlanLoss
from tgsci_radiotherapy.plan import PlanParameters


@pytest.mark.parametrize("baseline", [RandomPlans(), OptunaPlans(startup=2)], ids=["random", "optuna"])
def test_baselines_are_pure_and_stay_in_their_box(baseline: Proposer, reachable: PlanLoss) -> None:
    result = run(reachable, baseline, 5, proposals=2, seed=3, goal=-1.0)
    assert len(result.trials) == 5
    trials = Trials(result.trials, reachable)
    first, second = (baseline.ask(trials, 3, random.Random(7)) for _ in range(2))
    assert first == second
    assert len(first) == 3
    assert baseline.ask(trials, 3, random.Random(8)) != first
    space = Space.of(reachable.start)
    for trial in result.trials[1:]:
        parameters = PlanParameters.read(trial.value)
        for axis in space.axes:
            value = getattr(parameters.objectives[axis.place], axis.field)
            assert axis.low * (1 - 1e-3) - 0.01 <= value <= axis.high * (1 + 1e-3) + 0.01


def test_optuna_learns_from_the_trials(reachable: PlanLoss) -> None:
    result = run(reachable, OptunaPlans(startup=2), 5, goal=-1.0)
    assert any("TPE over" in t.reason for t in result.trials)
    assert any("to begin with" in t.reason for t in result.trials)


def test_baselines_of_the_protocol_change_weights_only() -> None:
    loss = PlanLoss(small_case(), "tg119-easier", implied=False, protocol="textgrad-paper")
    trials = begun(loss)
    for baseline in (RandomPlans(doses=False), OptunaPlans(doses=False)):
        for proposal in baseline.ask(trials, 3, random.Random(0)):
            assert loss.validate(proposal.value)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_every_point_of_the_box_can_be_planned(shares: list[float]) -> None:
    case = small_case()
    space = Space.of(PLAIN)
    values = [a.low + s * (a.high - a.low) for a, s in zip(space.axes, [*shares, *shares], strict=False)]
    assert space.parameters(values).checked(case)


def test_trials_with_other_objectives_lie_outside_the_box(reachable: PlanLoss) -> None:
    space = Space.of(reachable.start)
    start = Trial(0, 0, reachable.start.text())
    assert space.values(start) == [getattr(reachable.start.objectives[a.place], a.field) for a in space.axes]
    assert space.values(replace(start, value=reachable.start.without(2).text())) is None
    assert space.values(replace(start, value="nonsense")) is None
