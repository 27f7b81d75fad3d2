"""What is kept of a plan's sensitivities."""

from __future__ import annotations

import pytest

from tests.radiotherapy.cases import small_case
from tgsci.search.trial import State, Trial
from tgsci_radiotherapy.loss import PlanLoss, scoring
from tgsci_radiotherapy.loss.effects import Effects, effects_of

EASIER = "tg119-easier"


def test_effects_are_read_back_as_they_were_written(loss: PlanLoss) -> None:
    effects = loss.solve(loss.start).effects
    again = Effects.read(effects.text())
    assert again is not None
    assert again.text() == effects.text()
    assert again.parameters == effects.parameters
    assert again.per_gray == pytest.approx(effects.per_gray, nan_ok=True, rel=1e-4)
    feedback = loss.measure(loss.start.text())
    kept = effects_of(Trial(0, 0, loss.start.text(), state=State.ACCEPTED, feedback=feedback))
    assert kept is not None
    assert kept.text() == feedback.artifacts["sensitivities.json"]
    assert kept.values == pytest.approx(effects.values, rel=1e-6)
    assert kept.tries
    assert [t.parameters for t in kept.tries] == [t.parameters for t in again.tries]
    assert kept.tries[0].values == pytest.approx(again.tries[0].values, rel=1e-3)


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"objectives": 3}', b"\xff"])
def test_effects_that_are_none_are_none(text: str | bytes) -> None:
    assert Effects.read(text) is None


def test_what_scores_a_goal_is_read_back_with_it() -> None:
    """Implied, sparing and forbidden goals, on regions too, score the same in the process that reads the record."""
    loss = PlanLoss(small_case(), EASIER)
    effects = loss.solve(loss.start).effects
    assert any(r.goal.implied for r in effects.results)
    assert any(r.goal.forbidden for r in effects.results)
    assert any("ring(" in r.goal.structure for r in effects.results)
    again = Effects.read(effects.text())
    assert again is not None
    assert scoring.loss(again.results) == pytest.approx(scoring.loss(effects.results), rel=1e-5)
    for ours, theirs in zip(effects.results, again.results, strict=True):
        assert (theirs.goal.implied, theirs.goal.spares) == (ours.goal.implied, ours.goal.spares)
        assert theirs.goal.forbidden == ours.goal.forbidden
