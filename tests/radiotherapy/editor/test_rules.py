"""The rule editor and its menu: what it proposes, how far it dares to go, and where it ends."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.editor.runs import PLAIN, begun, plan, run
from tgsci.feedback import Feedback
from tgsci.loss import Loss
from tgsci.runs.result import Result
from tgsci.search.trial import State, Trial, Trials
from tgsci_radiotherapy.editor import moves, rules
from tgsci_radiotherapy.editor.rules import PROBE, RuleEditor, trust
from tgsci_radiotherapy.editor.surrogate import Surrogate, points
from tgsci_radiotherapy.goals import parse_sheet
from tgsci_radiotherapy.loss import PlanLoss, scoring
from tgsci_radiotherapy.loss.effects import Try, effects_of
from tgsci_radiotherapy.loss.linear import Region
from tgsci_radiotherapy.plan import Objective, PlanParameters
from tgsci_radiotherapy.views.conflicts import account


@pytest.fixture(scope="module")
def excluded() -> PlanLoss:
    sheet = parse_sheet(
        'goals = ["PTV D95% >= 50 Gy", "PTV D10% <= 55 Gy", "Core D10% <= 29 Gy, priority 2"]', "excluded"
    )
    return PlanLoss(small_case(), sheet, PLAIN, implied=False)


@pytest.fixture(scope="module")
def stuck(excluded: PlanLoss) -> Result:
    """A run whose goals exclude each other, to its end."""
    return run(excluded, RuleEditor(), 40)


def test_goals_that_can_be_met_are_met_in_few_plans(reachable: PlanLoss) -> None:
    result = run(reachable, RuleEditor(), 10)
    assert result.best is not None
    assert result.best.loss <= 0, [t.loss for t in result.trials]
    assert len(result.trials) <= 6


def test_what_is_predicted_comes_true_to_first_order(reachable: PlanLoss) -> None:
    trials = begun(reachable)
    (best,) = points(trials)
    surrogate = Surrogate.of([best], best.slots, 1.5)
    move = moves.tune(best, surrogate, Region(0.3, 0.5))
    assert move is not None
    measured = reachable.solve(move.parameters).effects.values
    before = best.effects.values
    assert np.abs(measured - move.predicted).max() <= 0.25 * np.abs(measured - before).max()


def test_a_reason_is_one_that_a_physicist_would_sign(reachable: PlanLoss) -> None:
    trials = begun(reachable)
    (proposal,) = RuleEditor().ask(trials, 1, random.Random(0))
    missed = next(r for r in points(trials)[0].effects.results if not r.met)
    assert f"{missed.goal.name} is {-missed.margin:.3g} Gy" in proposal.reason
    assert re.search(r"(predicted|solved to 1%) .*\d Gy", proposal.reason)
    assert proposal.parent == 0
    assert proposal.edit
    assert proposal.edit[1:] in proposal.reason
    assert reachable.validate(proposal.value) == proposal.value


@pytest.mark.slow
def test_it_is_a_pure_function_of_the_trials(stuck: Result, excluded: PlanLoss) -> None:
    for count in (1, 3, len(stuck.trials)):
        trials = Trials(stuck.trials[:count], excluded)
        first, second = (RuleEditor().ask(trials, 4, random.Random(seed)) for seed in (1, 2))
        assert first == second


def test_several_proposals_of_a_round_differ(reachable: PlanLoss) -> None:
    trials = begun(reachable)
    found = RuleEditor().ask(trials, 5, random.Random(0))
    assert len({p.value for p in found}) == len(found) >= 3
    assert any("add " in p.edit for p in found)


@pytest.mark.slow
def test_where_goals_exclude_each_other_the_run_ends_and_the_record_shows_it(stuck: Result) -> None:
    assert stuck.stopped == "nothing is left to propose"
    assert len(stuck.trials) < 30
    assert any(PROBE in t.edit for t in stuck.trials), "no plan shows what a missed goal would cost"
    assert any("add " in t.edit for t in stuck.trials), "no plan with one objective more was tried"
    text = account(stuck.trials)
    assert re.search(r"PTV D95% >= 50 Gy \(met in \d+ plans?\) and Core D10% <= 29 Gy \(met in \d+ plans?\)", text)
    # Priority 1 is not given up for priority 2.
    plans = points(stuck.trials)
    assert rules.missed_by_priority(plans[0])[0] == min(rules.missed_by_priority(p)[0] for p in plans)


@pytest.mark.slow
def test_a_run_that_was_interrupted_goes_on_as_if_it_had_not_been(
    stuck: Result, excluded: PlanLoss, tmp_path_factory: pytest.TempPathFactory
) -> None:
    where = tmp_path_factory.mktemp("interrupted") / "run"

    class Interrupting(RuleEditor):
        def ask(self, trials: Trials, n: int, rng: random.Random) -> list:  # type: ignore[type-arg]
            if len(trials) == 5:
                raise KeyboardInterrupt
            return super().ask(trials, n, rng)

    first = run(excluded, Interrupting(), 40, run=where)
    assert first.stopped == "interrupted"
    second = run(excluded, RuleEditor(), 40, run=where)
    assert [(t.value, t.loss, t.reason, t.state) for t in second.trials] == [
        (t.value, t.loss, t.reason, t.state) for t in stuck.trials
    ]
    pages, wanted = ([t.feedback.text for t in r.trials if t.feedback] for r in (second, stuck))
    assert pages == wanted


def test_weights_only_is_kept_where_the_protocol_wants_it() -> None:
    loss = PlanLoss(small_case(), "tg119-easier", implied=False, protocol="textgrad-paper")
    result = run(loss, RuleEditor(structural=False), 6)
    for trial in result.trials:
        parameters = PlanParameters.read(trial.value)
        assert [o.label for o in parameters.objectives] == [o.label for o in loss.start.objectives]
        assert trial.measured
    assert result.best is not None
    assert result.best.loss < result.trials[0].loss


def test_nothing_is_proposed_without_a_measured_plan(reachable: PlanLoss) -> None:
    failed = Trial(0, 0, reachable.start.text(), state=State.FAILED, feedback=Feedback.failed("no"))
    for trials in (Trials([], reachable), Trials([failed], reachable)):
        assert RuleEditor().ask(trials, 3, random.Random(0)) == []
        assert RuleEditor().options(trials, 3, random.Random(0)) == []
    strange = Trial(0, 0, "x", feedback=Feedback(1.0, artifacts={"sensitivities.json": "nonsense"}))
    assert RuleEditor().ask(Trials([strange], reachable), 3, random.Random(0)) == []


@pytest.mark.parametrize(
    ("value", "factor"),
    [(44.0, 1.0), (42.6, 0.5), (40.2, 0.25)],  # of 4 Gy that were predicted: all, 65% and next to nothing
    ids=["came true", "in part", "not"],
)
def test_a_step_goes_further_where_predictions_came_true(value: float, factor: float) -> None:
    trials = Trials([plan(0, None, 100, 40.0), plan(1, 0, 400, value)])
    found = points(trials)
    # Two doublings were half of the region.
    allowed = trust(found, found[0], Region(4.0, 1.0))
    assert allowed == pytest.approx({44.0: 1.0, 42.6: 1.0, 40.2: 0.25}[value])
    assert factor > 0


def test_a_step_that_failed_halves_the_next_one() -> None:
    trials = Trials([plan(0, None, 100, 45.0), plan(1, 0, 400, 42.0)])
    found = points(trials)
    assert found[0].trial.number == 0
    assert trust(found, found[0], Region(4.0, 1.0)) == pytest.approx(0.25)


def test_options_are_legal_new_and_told_with_what_they_would_do(reachable: PlanLoss) -> None:
    trials = begun(reachable)
    options = RuleEditor().options(trials, 12, random.Random(0))
    assert len(options) == 12
    assert len({trials.check(o.value) for o in options}) == 12
    for option in options:
        assert option.parent == 0
        assert option.label == option.edit
        assert all(f"predicted {g.criterion}" in option.facts for g in reachable.bound.goals)
        assert re.fullmatch(r"[\d.e+-]+ (Gy )?\((met|missed)\)", str(next(iter(option.facts.values()))))
    singles = [o for o in options if "," not in o.edit]
    assert len(singles) >= 4


def test_the_menu_of_weights_has_weights_only() -> None:
    loss = PlanLoss(small_case(), "tg119-easier", implied=False, protocol="textgrad-paper")
    options = RuleEditor(structural=False).options(begun(loss), 8, random.Random(0))
    assert options
    assert all(re.fullmatch(r"(weight of \w+ x[\d.e+-]+(, )?)+", o.label) for o in options)


def test_the_plans_worth_editing_are_the_best_other_sets_of_objectives_and_the_near_miss() -> None:
    other = plan(2, 0, 100, 43.0)
    parameters = PlanParameters.read(other.value).with_objectives([Objective("Core", "mean", None, 5.0)])
    effects = effects_of(other)
    assert effects is not None
    grown = replace(
        effects,
        parameters=parameters,
        per_doubling=np.zeros((1, 4)),
        per_gray=np.zeros((1, 4)),
    )
    feedback = Feedback(7.0, artifacts={"sensitivities.json": grown.text()})
    other = replace(other, value=parameters.text(), feedback=feedback)
    trials = Trials([plan(0, None, 100, 45.0), plan(1, 0, 200, 44.0), other, plan(3, 0, 50, 40.0)])
    assert [p.trial.number for p in rules.bases(points(trials))] == [0, 2, 1]
    near = rules.near_miss(points(trials))
    assert near is not None
    assert near.trial.number == 1


def test_what_was_seen_counts_whole_and_what_slopes_predict_in_part() -> None:
    (base,) = points(Trials([plan(0, None, 100, 45.0)]))
    told = moves.Move(base, base.parameters, np.array([50.5]))
    assert told.loss < 0 < rules.expected(told), "5.5 Gy by a slope: the limit is passed by less than may fail to come"
    assert rules.expected(replace(told, seen=True)) < 0


def test_edits_that_were_solved_again_are_proposed_with_what_was_seen() -> None:
    trial = plan(0, None, 100, 45.0, slope=0.0)
    (base,) = points(Trials([trial]))
    kind = base.parameters.with_objectives([Objective("PTV", "min_dvh", 51.0, 100.0, volume_percent=95.0)])
    effects = replace(base.effects, tries=(Try("percentile goals as dose-volume objectives", kind, np.array([50.2])),))
    trial = replace(trial, feedback=Feedback(5.0, artifacts={"sensitivities.json": effects.text()}))
    (proposal,) = RuleEditor().ask(Trials([trial], Steps()), 1, random.Random(0))
    assert PlanParameters.read(proposal.value) == kind
    assert proposal.edit.startswith("percentile goals as dose-volume objectives: add PTV min_dvh 51 Gy 95%")
    assert "solved to 1% PTV D95% 50.2 Gy" in proposal.reason


def test_a_line_that_does_not_pay_is_left_for_a_plan_of_another_kind() -> None:
    first = plan(0, None, 100, 49.0, slope=0.0)
    (base,) = points(Trials([first]))
    kind = base.parameters.with_objectives([Objective("PTV", "min_dvh", 51.0, 100.0, volume_percent=95.0)])
    effects = replace(base.effects, tries=(Try("percentile goals as dose-volume objectives", kind, np.array([48.9])),))
    loss = scoring.loss(effects.results)
    first = replace(first, feedback=Feedback(loss, artifacts={"sensitivities.json": effects.text()}))
    (proposal,) = RuleEditor().ask(Trials([first], Steps()), 1, random.Random(0))
    assert PlanParameters.read(proposal.value) == kind


class Steps(Loss):
    """Accepts every plan and measures none."""

    name = "steps"

    def validate(self, value: str) -> str:
        return value

    def evaluate(self, value: str) -> Feedback:
        raise NotImplementedError
