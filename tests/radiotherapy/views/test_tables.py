"""Goal tables of a run's trials."""

from __future__ import annotations

from tests.radiotherapy.goal_results import effects
from tgsci.feedback import Feedback
from tgsci.search.trial import Trial
from tgsci_radiotherapy.views.tables import goal_table


def test_a_goal_within_its_tolerance_is_still_missed() -> None:
    near = effects(("PTV D95%", 49.8, 50.0, True, [0.1, -0.1]))
    trial = Trial(3, 1, "", feedback=Feedback(1.0, artifacts={"sensitivities.json": near.text()}))
    assert "-0.20 Gy  tolerance 0.5 Gy" in goal_table(trial)
    assert "has no goals" in goal_table(Trial(3, 1, "", decision="took too long"))
