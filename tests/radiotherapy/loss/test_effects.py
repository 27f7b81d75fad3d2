"""What is kept of a plan's sensitivities."""

from __future__ import annotations

import pytest

from tgsci.search.trial import State, Trial
from tgsci_radiotherapy.loss import PlanLoss
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
