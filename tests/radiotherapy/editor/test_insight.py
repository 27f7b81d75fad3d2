"""What a search is told of plans: families, named changes, contrasts beside predictions, and honest outlooks."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tests.radiotherapy.editor.runs import plan, run
from tgsci.feedback import Feedback
from tgsci.search.trial import Trial, Trials
from tgsci_radiotherapy.editor import insight
from tgsci_radiotherapy.editor.rules import RuleEditor
from tgsci_radiotherapy.editor.surrogate import points
from tgsci_radiotherapy.goals import parse_sheet
from tgsci_radiotherapy.loss import PlanLoss, scoring
from tgsci_radiotherapy.loss.effects import Effects, Try, effects_of
from tgsci_radiotherapy.plan import Objective, PlanParameters


def text(*objectives: tuple[str, str, float | None, float]) -> str:
    return PlanParameters(tuple(Objective(*each) for each in objectives)).text()


PTV, CORE = ("PTV", "squared_deviation", 50.0, 100.0), ("Core", "squared_overdose", 20.0, 100.0)
BODY, MEAN = ("Body", "squared_overdose", 30.0, 100.0), ("Core", "mean", None, 10.0)


def weighed(objective: tuple[str, str, float | None, float], by: float) -> tuple[str, str, float | None, float]:
    return (*objective[:3], objective[3] * by)


def test_a_family_is_a_set_of_objectives_whatever_their_order_weights_and_doses() -> None:
    assert insight.family(text(PTV, CORE)) == "Core overdose, PTV deviation"
    assert insight.family(text(weighed(CORE, 7), ("PTV", "squared_deviation", 52.0, 1.0))) == insight.family(
        text(PTV, CORE)
    )
    assert insight.family(text(PTV, CORE, MEAN)) == "Core mean, Core overdose, PTV deviation"
    assert insight.family(text(PTV, ("PTV", "squared_deviation", 52.0, 1.0))) == "PTV deviation x2"
    assert insight.family("no plan") == ""


def test_a_family_of_many_objectives_has_a_short_name_of_its_own() -> None:
    many = [(f"a long name of structure {i}", "mean", None, 1.0) for i in range(20)]
    names = {insight.family(text(*many)), insight.family(text(*many[:-1])), insight.family(text(*many[:-2]))}
    assert len(names) == 3
    assert all(len(name) < 110 for name in names)
    assert any("20 objectives" in name for name in names)


@pytest.mark.parametrize(
    ("child", "name"),
    [
        ((PTV, weighed(CORE, 2), BODY), "weight of Core x2"),
        ((PTV, weighed(CORE, 2.1), BODY), "weight of Core x2"),
        ((weighed(PTV, 5), weighed(CORE, 10), weighed(BODY, 5)), "weight of Core x2"),  # only ratios count
        ((PTV, BODY, weighed(CORE, 0.5)), "weight of Core x0.5"),
        ((("PTV", "squared_deviation", 51.1, 100.0), CORE, BODY), "dose of PTV deviation +1 Gy"),
        ((PTV, CORE, BODY, MEAN), "add Core mean"),
        ((PTV, CORE), "leave out Body overdose"),
        ((PTV, weighed(CORE, 0), BODY), "Core on or off"),
        ((PTV, CORE, BODY), ""),
        ((weighed(PTV, 2), weighed(CORE, 8), ("Body", "squared_overdose", 33.0, 100.0)), ""),
    ],
)
def test_equal_changes_have_equal_names(child: tuple[tuple[str, str, float | None, float], ...], name: str) -> None:
    assert insight.change(text(PTV, CORE, BODY), text(*child)) == name


def test_a_change_of_what_is_no_plan_has_no_name() -> None:
    assert insight.change("x", text(PTV)) == insight.change(text(PTV), "x") == ""


def test_a_contrast_tells_what_came_beside_what_was_predicted() -> None:
    parent, child = plan(0, None, 100, 45.0), plan(1, 0, 400, 51.0)  # two doublings of 2 Gy each were predicted
    said = insight.contrast(parent, child)
    assert said.startswith("gained PTV D95% >= 50 Gy; loss ")
    assert said.endswith("; moved most: PTV D95% 45.00 -> 51.00 Gy (predicted 49 Gy)")
    came, told = map(float, re.search(r"-> (\S+) \(predicted (\S+?)\)", said).groups())  # type: ignore[union-attr]
    assert came == pytest.approx(scoring.loss(effects(child).results), rel=5e-3)
    assert told == pytest.approx(insight.foretold(parent, child), rel=5e-3)
    assert "moved most: PTV D95% 51.00 -> 45.00 Gy" in insight.contrast(child, parent)
    assert insight.contrast(parent, replace(parent, number=1, parent=0)).endswith("no goal moved")


def test_what_was_solved_loosely_is_the_prediction_of_that_plan() -> None:
    parent, child = plan(0, None, 100, 45.0), plan(1, 0, 400, 51.0)
    assert parent.feedback is not None
    seen = replace(effects(parent), tries=(Try("weights", effects(child).parameters, np.array([50.7])),))
    parent = replace(parent, feedback=replace(parent.feedback, artifacts={"sensitivities.json": seen.text()}))
    assert insight.contrast(parent, child).endswith("45.00 -> 51.00 Gy (predicted 50.7 Gy)")


def effects(trial: Trial) -> Effects:
    found = effects_of(trial)
    assert found is not None
    return found


def test_a_contrast_says_where_nothing_was_predicted() -> None:
    parent = plan(0, None, 100, 45.0)
    child = plan(1, 0, 0, 40.0)
    assert insight.contrast(parent, child).endswith("not predicted: the sensitivities do not reach so far")
    assert insight.contrast(parent, Trial(1, 1, "x")) == ""
    assert insight.contrast(parent, replace(child, feedback=Feedback(1.0, artifacts={"sensitivities.json": "{"}))) == ""


def test_what_limits_a_plan_are_the_goals_that_make_its_loss() -> None:
    feedback = plan(0, None, 100, 45.0).feedback
    assert feedback is not None
    assert insight.limiting(feedback) == "PTV D95% >= 50 Gy (33.8 of the loss)"
    met = plan(0, None, 100, 51.0).feedback
    assert met is not None
    assert insight.limiting(met) == "PTV D95% >= 50 Gy, met by 1.00 Gy"
    assert insight.limiting(Feedback(3.0)) == ""


def test_outlooks_are_given_near_a_measured_plan_and_nowhere_else() -> None:
    trials = Trials([plan(0, None, 100, 45.0), plan(1, 0, 200, 47.0)])
    near, far, other, none = insight.predict(
        trials,
        [plan(2, 0, 250, 0.0).value, plan(2, 0, 1e8, 0.0).value, text(PTV, CORE, MEAN), "no plan"],
    )
    assert near is not None
    there = replace(points(trials)[1].effects.results[0], value=47.0 + 2 * math.log2(1.25))
    assert near.loss == pytest.approx(scoring.loss([there]), abs=0.3)
    assert near.sd > 0
    assert (far, other, none) == (None, None, None)
    assert insight.predict(Trials([]), [text(PTV)]) == [None]


def test_predictions_that_failed_widen_those_to_come() -> None:
    kept = Trials([plan(0, None, 100, 45.0), plan(1, 0, 200, 47.0)])
    failed = Trials([plan(0, None, 100, 45.0), plan(1, 0, 200, 37.0)])
    value = plan(2, 0, 130, 0.0).value
    (well,), (badly,) = insight.predict(kept, [value]), insight.predict(failed, [value])
    assert well is not None
    assert badly is not None
    assert badly.sd > 1.1 * well.sd


def test_a_suggested_objective_is_foreseen() -> None:
    parent = plan(0, None, 100, 45.0)
    effects = insight.effects_of(parent)
    assert effects is not None
    extra = Objective("Core", "mean", None, 10.0)
    effects = replace(effects, additions=(extra,), per_addition=np.array([[1.5]]))
    step = insight.Step.of(effects, effects.parameters.with_objectives([replace(extra, weight=20.0)]))
    assert step is not None
    assert step.values(effects) == pytest.approx([45.0 + 3.0])
    assert insight.Step.of(effects, effects.parameters.with_objectives([Objective("Body", "mean", None, 1.0)])) is None


def test_the_setting_says_where_organs_lie() -> None:
    said = insight.setting(small_case())
    assert "PTV 50 Gy in 25 fractions" in said
    assert "3 beams from gantry angles of 0, 120, 240 degrees" in said
    assert "Core, 3.08 cc, 4 mm posterior of the edge of PTV" in said
    assert "OAR, 4 cc, reaches into PTV" in insight.setting(tiny_case())


@pytest.mark.slow
def test_outlooks_of_a_real_run_hold() -> None:
    """Each plan of the rule editor's run, predicted from those before it, lies often within two deviations."""
    hard = 'goals = ["PTV D95% >= 50 Gy", "PTV D10% <= 55 Gy", "Core D10% <= 29 Gy, priority 2"]'
    loss = PlanLoss(small_case(), parse_sheet(hard, "hard"), implied=False)
    result = run(loss, RuleEditor(), 12, goal=None)
    held = []
    for trial in result.trials[1:]:
        (outlook,) = insight.predict(Trials(result.trials[: trial.number]), [trial.value])
        if outlook is not None:
            held.append(abs(trial.loss - outlook.loss) <= 2 * outlook.sd)
    assert len(held) >= 3
    assert sum(held) >= len(held) / 3


def test_a_model_is_told_how_steps_came_true_and_of_the_near_miss() -> None:
    trials = Trials([plan(0, None, 100, 45.0), plan(1, 0, 200, 47.0), plan(2, 1, 400, 44.0)])
    said = insight.advice(trials)
    assert said == (
        "of 2 steps in weights and doses, 1 gained most of what the slopes predicted; the best near miss is trial 0, "
        "which misses PTV D95% >= 50 Gy by 5 Gy"
    )
    assert insight.advice(Trials([plan(0, None, 100, 45.0)])) == ""
    assert insight.advice(Trials([])) == ""
