"""The paper's protocol: its start, its scaling, and that weights alone are tuned."""

from __future__ import annotations

import pytest

from tgsci.errors import InvalidValue
from tgsci_radiotherapy.goals import evaluate
from tgsci_radiotherapy.loss import PlanLoss
from tgsci_radiotherapy.plan import Objective
from tgsci_radiotherapy.plan import file as plan_file

EASIER = "tg119-easier"


def test_the_papers_protocol_starts_at_100_and_scales_to_the_prescription(paper: PlanLoss) -> None:
    assert [(o.structure, o.dose_gy, o.weight) for o in paper.start.objectives] == [
        ("PTV", 50, 100),
        ("Core", 0, 100),
        ("Body", 30, 100),
    ]
    feedback = paper.measure(paper.start.text())
    assert 50.0 <= feedback.metrics["PTV D95%"] <= 50.001
    plan = plan_file.read_plan(feedback.artifacts["plan.json"])
    read = evaluate(paper.bound, paper.case, plan.dose(paper.case)).results[0]
    assert read.value == feedback.metrics["PTV D95%"]
    assert read.status == "pass"
    assert "PROTOCOL textgrad-paper: every dose is scaled by" in feedback.text


def test_the_papers_protocol_tunes_weights_only(paper: PlanLoss) -> None:
    assert paper.validate(paper.start.replaced(0, weight=7).text())
    for changed in (
        paper.start.replaced(0, dose_gy=51),
        paper.start.without(2),
        paper.start.with_objectives([Objective("Core", "mean", None, 1.0)]),
    ):
        with pytest.raises(InvalidValue, match="tunes weights only"):
            paper.validate(changed.text())


def test_sensitivities_are_those_of_the_scaled_plan(paper: PlanLoss) -> None:
    effects = paper.solve(paper.start).effects
    step = 0.05
    for k in range(3):
        up, down = (
            paper.solve(paper.start.replaced(k, weight=float(f"{100 * 2**h:.4g}"))).effects.values
            for h in (step, -step)
        )
        exact = (up - down) / (2 * step)
        assert effects.per_doubling[:, k] == pytest.approx(exact, rel=0.1, abs=0.03)
    assert effects.per_doubling[0] == pytest.approx([0, 0, 0], abs=0.02)  # D95% is what is scaled to
    assert not effects.additions
