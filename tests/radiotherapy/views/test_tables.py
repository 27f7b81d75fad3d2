"""Goal tables of a run's trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.goal_results import goal_result
from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial
from tgsci_radiotherapy.loss import PlanLoss
from tgsci_radiotherapy.loss.effects import Effects
from tgsci_radiotherapy.plan import Objective, PlanParameters
from tgsci_radiotherapy.views.tables import goal_table


@pytest.fixture(scope="module")
def loss() -> PlanLoss:
    return PlanLoss(small_case(), "tg119-easier")


def effects(*rows: tuple[str, float, float, bool, list[float]], doses: bool = True) -> Effects:
    """Two objectives, and goals given as name, value, limit, above, per doubling of the two weights."""
    objectives = (
        Objective("PTV", "squared_deviation", 50.0, 100.0),
        Objective("Core", "squared_overdose", 20.0, 100.0),
    )
    results = tuple(
        goal_result(f"{name} {'>=' if above else '<='} {limit} Gy, tolerance 0.5 Gy", value)
        for name, value, limit, above, _ in rows
    )
    doubling = np.array([e for *_, e in rows])
    gray = np.zeros_like(doubling) if doses else np.full_like(doubling, np.nan)
    return Effects(PlanParameters(objectives), results, doubling, gray, (), np.zeros((len(rows), 0)))


AGAINST = effects(("PTV D95%", 48.0, 50.0, True, [0.6, -0.6]), ("Core D10%", 27.0, 25.0, False, [1.9, -1.9]))


def test_a_goal_within_its_tolerance_is_still_missed() -> None:
    near = effects(("PTV D95%", 49.8, 50.0, True, [0.1, -0.1]))
    trial = Trial(3, 1, "", feedback=Feedback(1.0, artifacts={"sensitivities.json": near.text()}))
    assert "-0.20 Gy  tolerance 0.5 Gy" in goal_table(trial)
    assert "has no goals" in goal_table(Trial(3, 1, "", decision="took too long"))


def trial(number: int, ptv: float, core: float) -> Trial:
    found = replace(
        AGAINST,
        results=(replace(AGAINST.results[0], value=ptv), replace(AGAINST.results[1], value=core)),
    )
    loss = max(0.0, 50 - ptv) + max(0.0, core - 25)
    feedback = Feedback(loss, "page", artifacts={"sensitivities.json": found.text()})
    return Trial(number, number, f"value {number}", state=State.ACCEPTED, feedback=feedback)
