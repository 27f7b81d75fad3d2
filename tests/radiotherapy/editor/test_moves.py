"""Edits of a plan: what they set, predict and are called."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.radiotherapy.editor.runs import run
from tests.radiotherapy.goal_results import goal_result
from tgsci_radiotherapy.editor import moves
from tgsci_radiotherapy.editor.rules import RuleEditor
from tgsci_radiotherapy.editor.surrogate import points
from tgsci_radiotherapy.loss import PlanLoss, scoring
from tgsci_radiotherapy.loss.edits import allowed_dose
from tgsci_radiotherapy.plan import Objective, PlanParameters


def test_predictions_stay_within_what_can_be() -> None:
    results = [goal_result("Core V20Gy <= 10%", 5.0), goal_result("PTV HI <= 0.1", 0.1)]
    after = moves.predicted_results(results, np.array([120.0, -0.3]))
    assert [w.value for w in after] == [100.0, 0.0]


def test_room_is_taken_as_predicted_and_care_only_says_what_is_lost() -> None:
    results = [goal_result("PTV D95% >= 50 Gy", 50.01), goal_result("Core Dmean <= 25 Gy", 20.0)]
    gain = np.array([50.01, 19.0])  # the target stays, as narrowly as it is met
    after = moves.predicted_results(results, gain)
    assert moves.careful_loss(results, gain) == scoring.loss(after) < scoring.loss(results)
    nearly = np.array([50.001, 15.0])  # part of what is taken from the target may be more than it has
    assert scoring.loss(moves.predicted_results(results, nearly)) < 0 < moves.careful_loss(results, nearly)


def test_edits_are_told_by_what_changes() -> None:
    before = PlanParameters(
        (
            Objective("PTV", "squared_deviation", 50.0, 100.0),
            Objective("PTV", "squared_overdose", 53.0, 10.0),
            Objective("Core", "mean", None, 0.0),
        )
    )
    after = before.replaced(0, weight=250).replaced(1, dose_gy=52).replaced(2, weight=4)
    assert moves.changes(before, after) == [
        "weight of PTV squared_deviation x2.5",
        "dose of PTV squared_overdose 53 -> 52 Gy",
        "weight of Core 0 -> 4",
    ]
    more = after.with_objectives([Objective("Body", "squared_overdose", 35.0, 7.0)])
    assert moves.changes(after, more) == ["add Body squared_overdose 35 Gy with weight 7"]


@given(st.floats(-5, 200), st.booleans())
def test_a_dose_that_is_set_is_one_that_is_taken(dose: float, lifts: bool) -> None:
    parameters = PlanParameters((Objective("PTV", "squared_deviation", 50.0, 1.0),))
    found = allowed_dose(dose, lifts, parameters)
    assert found == 0 or found >= 0.05 * 50
    assert not (lifts and found == 0)
    assert found == pytest.approx(max(dose, 0.0), abs=3.0)


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
