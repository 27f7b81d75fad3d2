"""Who proposes plans without a model: the rule editor, its menu, random plans and Optuna."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.cases import small_case
from tgsci.feedback import Feedback
from tgsci.runs.result import Result
from tgsci.runs.run import minimize
from tgsci.search.proposer import Proposer
from tgsci.search.trial import State, Trial, Trials
from tgsci_radiotherapy.editor import moves
from tgsci_radiotherapy.editor.doses import sensible
from tgsci_radiotherapy.editor.history import points, slots_of
from tgsci_radiotherapy.editor.linear import Region
from tgsci_radiotherapy.editor.random_plans import RandomPlans
from tgsci_radiotherapy.editor.rules import PROBE, RuleEditor, trusted
from tgsci_radiotherapy.editor.space import Space
from tgsci_radiotherapy.editor.surrogate import Surrogate
from tgsci_radiotherapy.editor.tpe import OptunaPlans
from tgsci_radiotherapy.goals import parse_sheet
from tgsci_radiotherapy.loss import PlanLoss, wording
from tgsci_radiotherapy.loss.conflicts import account
from tgsci_radiotherapy.loss.effects import Effects, Wish
from tgsci_radiotherapy.plan import Objective, PlanParameters

#: Goals that the small case can meet, but not from the start.
REACHABLE = (
    'goals = ["PTV D95% >= 47 Gy", "PTV D10% <= 55 Gy", "Core D10% <= 28 Gy, priority 2"]\n[prescription]\nPTV = 50\n'
)


@pytest.fixture(scope="module")
def reachable() -> PlanLoss:
    return PlanLoss(small_case(), parse_sheet(REACHABLE, "reachable"))


@pytest.fixture(scope="module")
def excluded() -> PlanLoss:
    return PlanLoss(small_case(), "tg119-easier")


@pytest.fixture(scope="module")
def stuck(excluded: PlanLoss) -> Result:
    """A run whose goals exclude each other, to its end."""
    return run(excluded, RuleEditor(), 40)


def run(loss: PlanLoss, optimizer: Proposer, budget: int, **options: object) -> Result:
    settings = {"goal": 0.0, "proposals": 1, **options}
    return minimize(loss, [loss.start.text()], optimizer, budget=budget, **settings)  # type: ignore[arg-type]


def begun(loss: PlanLoss) -> Trials:
    text = loss.start.text()
    return Trials([Trial(0, 0, text, state=State.ACCEPTED, feedback=loss.measure(text))], loss)


def test_goals_that_can_be_met_are_met_in_few_plans(reachable: PlanLoss) -> None:
    result = run(reachable, RuleEditor(), 10)
    assert result.best is not None
    assert result.best.loss <= 0, [t.loss for t in result.trials]
    assert len(result.trials) <= 6


def test_what_is_predicted_comes_true_to_first_order(reachable: PlanLoss) -> None:
    trials = begun(reachable)
    (best,) = points(trials)
    surrogate = Surrogate.of([best], best.slots, 1.5)
    move = moves.tuned(best, surrogate, Region(0.3, 0.5))
    assert move is not None
    measured = reachable.solve(move.parameters).effects.values
    before = best.effects.values
    assert np.abs(measured - move.predicted).max() <= 0.25 * np.abs(measured - before).max()


def test_a_reason_is_one_that_a_physicist_would_sign(reachable: PlanLoss) -> None:
    trials = begun(reachable)
    (proposal,) = RuleEditor().ask(trials, 1, random.Random(0))
    missed = next(w for w in points(trials)[0].effects.wishes if not w.met)
    assert f"{missed.name} is {-missed.margin:.3g} Gy" in proposal.reason
    assert re.search(r"predicted .*\d Gy", proposal.reason)
    assert proposal.parent == 0
    assert proposal.edit
    assert proposal.edit[1:] in proposal.reason
    assert reachable.validate(proposal.value) == proposal.value


def test_it_is_a_pure_function_of_the_trials(stuck: Result, excluded: PlanLoss) -> None:
    for count in (1, 3, len(stuck.trials)):
        trials = Trials(stuck.trials[:count], excluded)
        first, second = (RuleEditor().ask(trials, 4, random.Random(seed)) for seed in (1, 2))
        assert first == second


def test_several_proposals_of_a_round_differ(reachable: PlanLoss) -> None:
    trials = begun(reachable)
    found = RuleEditor().ask(trials, 5, random.Random(0))
    assert len({p.value for p in found}) == len(found) >= 4
    assert any("add " in p.edit for p in found)


def test_where_goals_exclude_each_other_the_run_ends_and_the_record_shows_it(stuck: Result) -> None:
    assert stuck.stopped == "nothing is left to propose"
    assert len(stuck.trials) < 30
    assert any(PROBE in t.edit for t in stuck.trials), "no plan shows what a missed goal would cost"
    assert any("add " in t.edit for t in stuck.trials), "no plan with one objective more was tried"
    text = account(stuck.trials)
    assert re.search(r"PTV D95% >= 50 Gy \(met in \d+ plans?\) and Core D10% <= 25 Gy \(met in \d+ plans?\)", text)
    best = stuck.best
    assert best is not None
    assert best.feedback is not None
    # Priority 1 is not given up for priority 2.
    assert best.feedback.metrics["PTV D95%"] >= 49.5
    assert best.feedback.metrics["Core D10%"] > 25


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
    loss = PlanLoss(small_case(), "tg119-easier", protocol="textgrad-paper")
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


# -- how far it dares to go ----------------------------------------------------------------------------


def plan(number: int, parent: int | None, weight: float, value: float, slope: float = 2.0) -> Trial:
    """A plan with one goal, PTV D95% >= 50, and one weight besides the body's, which moves it by so much a doubling."""
    objectives = (
        Objective("PTV", "squared_deviation", 50.0, weight),
        Objective("Core", "squared_overdose", 20.0, 100.0),
        Objective("Body", "squared_overdose", 30.0, 100.0),
    )
    wish = Wish("PTV D95%", value, 50.0, True, "Gy", 1, 0.0, "PTV", 50.0)
    found = Effects(
        PlanParameters(objectives),
        (wish,),
        np.array([[slope, -slope / 2, -slope / 2]]),
        np.zeros((1, 3)),
        (),
        np.zeros((1, 0)),
    )
    feedback = Feedback(max(0.0, 50 - value), artifacts={"sensitivities.json": found.text()})
    return Trial(number, number, PlanParameters(objectives).text(), parent=parent, feedback=feedback)


@pytest.mark.parametrize(
    ("value", "factor"),
    [(44.0, 1.0), (42.6, 0.5), (40.2, 0.25)],  # of 4 Gy that were predicted: all, 65% and next to nothing
    ids=["came true", "in part", "not"],
)
def test_a_step_goes_further_where_predictions_came_true(value: float, factor: float) -> None:
    trials = Trials([plan(0, None, 100, 40.0), plan(1, 0, 400, value)])
    found = points(trials)
    # Two doublings were half of the region.
    allowed = trusted(found, found[0], Region(4.0, 1.0))
    assert allowed == pytest.approx({44.0: 1.0, 42.6: 1.0, 40.2: 0.25}[value])
    assert factor > 0


def test_a_step_that_failed_halves_the_next_one() -> None:
    trials = Trials([plan(0, None, 100, 45.0), plan(1, 0, 400, 42.0)])
    found = points(trials)
    assert found[0].trial.number == 0
    assert trusted(found, found[0], Region(4.0, 1.0)) == pytest.approx(0.25)


def test_the_blend_keeps_every_measured_plan_and_its_slopes() -> None:
    trials = Trials([plan(0, None, 100, 45.0), plan(1, 0, 400, 48.0, slope=1.0)])
    found = points(trials)
    blend = Surrogate.of(found, found[0].slots, 1.0)
    for point in found:
        values, slopes = blend.linear(point.place(found[0].slots))
        assert values == pytest.approx(point.effects.values, abs=1e-4)
        assert slopes[:, :3] == pytest.approx(point.effects.per_doubling, abs=1e-3)
    # Only ratios of weights count: the same plan, written with other weights.
    place = found[0].place(found[0].slots)
    doubled = place + np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    assert blend.predict(doubled) == pytest.approx(blend.predict(place), abs=1e-6)


def test_objectives_are_recognised_when_they_change_places() -> None:
    a, b = Objective("PTV", "squared_deviation", 50.0, 1.0), Objective("Core", "mean", None, 2.0)
    c = Objective("PTV", "squared_deviation", 52.0, 3.0)
    assert sorted(slots_of(PlanParameters((a, b, c))), key=str) == sorted(slots_of(PlanParameters((b, a, c))), key=str)
    assert len(set(slots_of(PlanParameters((a, b, c))))) == 3


def test_predictions_stay_within_what_can_be() -> None:
    wishes = [Wish("V20Gy", 5.0, 10.0, False, "%", 1), Wish("HI", 0.1, 0.1, False, "", 1)]
    after = moves.predicted_wishes(wishes, np.array([120.0, -0.3]))
    assert [w.value for w in after] == [100.0, 0.0]


def test_edits_are_told_by_what_changes() -> None:
    before = PlanParameters(
        (
            Objective("PTV", "squared_deviation", 50.0, 100.0),
            Objective("PTV", "squared_overdose", 53.0, 10.0),
            Objective("Core", "mean", None, 0.0),
        )
    )
    after = before.replaced(0, weight=250).replaced(1, dose_gy=52).replaced(2, weight=4)
    assert wording.changes(before, after) == [
        "weight of PTV squared_deviation x2.5",
        "dose of PTV squared_overdose 53 -> 52 Gy",
        "weight of Core 0 -> 4",
    ]
    more = after.with_objectives([Objective("Body", "squared_overdose", 35.0, 7.0)])
    assert wording.changes(after, more) == ["add Body squared_overdose 35 Gy with weight 7"]


@given(st.floats(-5, 200), st.booleans())
def test_a_dose_that_is_set_is_one_that_is_taken(dose: float, lifts: bool) -> None:
    parameters = PlanParameters((Objective("PTV", "squared_deviation", 50.0, 1.0),))
    found = sensible(dose, lifts, parameters)
    assert found == 0 or found >= 0.05 * 50
    assert not (lifts and found == 0)
    assert found == pytest.approx(max(dose, 0.0), abs=3.0)


# -- the menu ------------------------------------------------------------------------------------------


def test_options_are_legal_new_and_told_with_what_they_would_do(reachable: PlanLoss) -> None:
    trials = begun(reachable)
    options = RuleEditor().options(trials, 12, random.Random(0))
    assert len(options) == 12
    assert len({trials.check(o.value) for o in options}) == 12
    for option in options:
        assert option.parent == 0
        assert option.label == option.edit
        assert all(f"predicted {g.wish}" in option.facts for g in reachable.bound.goals)
        assert re.fullmatch(r"[\d.e+-]+ (Gy )?\((met|missed)\)", str(next(iter(option.facts.values()))))
    singles = [o for o in options if "," not in o.edit]
    assert len(singles) >= 4


def test_the_menu_of_weights_has_weights_only() -> None:
    loss = PlanLoss(small_case(), "tg119-easier", protocol="textgrad-paper")
    options = RuleEditor(structural=False).options(begun(loss), 8, random.Random(0))
    assert options
    assert all(re.fullmatch(r"(weight of \w+ x[\d.e+-]+(, )?)+", o.label) for o in options)


# -- baselines -----------------------------------------------------------------------------------------


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
    loss = PlanLoss(small_case(), "tg119-easier", protocol="textgrad-paper")
    trials = begun(loss)
    for baseline in (RandomPlans(doses=False), OptunaPlans(doses=False)):
        for proposal in baseline.ask(trials, 3, random.Random(0)):
            assert loss.validate(proposal.value)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_every_point_of_the_box_can_be_planned(shares: list[float]) -> None:
    case = small_case()
    space = Space.of(PlanLoss(case, "tg119-easier").start)
    values = [a.low + s * (a.high - a.low) for a, s in zip(space.axes, [*shares, *shares], strict=False)]
    assert space.parameters(values).checked(case)


def test_trials_with_other_objectives_lie_outside_the_box(reachable: PlanLoss) -> None:
    space = Space.of(reachable.start)
    start = Trial(0, 0, reachable.start.text())
    assert space.values(start) == [getattr(reachable.start.objectives[a.place], a.field) for a in space.axes]
    assert space.values(replace(start, value=reachable.start.without(2).text())) is None
    assert space.values(replace(start, value="nonsense")) is None


def test_a_prediction_further_than_a_slope_tells_is_no_figure(reachable: PlanLoss) -> None:
    measured = run(reachable, RuleEditor(), 1)
    base = points(measured.trials)[0]
    wild = base.effects.values.copy()
    wild[1] -= 45.0  # PTV D10% far below PTV D95%: no dose has that
    near = base.effects.values + 0.5
    parameters = base.parameters.replaced(0, weight=777)
    said = moves.Move(base, parameters, wild).reason()
    assert "PTV D10% lower, further than its slope tells" in said
    assert f"{wild[1]:.4g}" not in said
    assert f"PTV D95% {near[0]:.4g} Gy" in moves.Move(base, parameters, near).reason()
