"""The loss of a plan: goals of the solved plan in, one figure and its page out; the same every time."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case
from tgsci.errors import MeasurementError, UsageError
from tgsci.testing import check_loss
from tgsci_radiotherapy.case.store import save
from tgsci_radiotherapy.goals import evaluate, parse_sheet, read_sheet
from tgsci_radiotherapy.loss import PlanLoss
from tgsci_radiotherapy.loss import plan_loss as module
from tgsci_radiotherapy.loss.plan_loss import with_prescription
from tgsci_radiotherapy.notice import NOTICE
from tgsci_radiotherapy.plan import Objective, PlanParameters
from tgsci_radiotherapy.plan import file as plan_file
from tgsci_radiotherapy.planner import recent
from tgsci_radiotherapy.planner.recent import planner_of

EASIER = "tg119-easier"
INVALID = [
    "{}",
    "not JSON",
    '{"objectives": [{"structure": "Heart", "type": "mean", "weight": 1}]}',
    '{"objectives": [{"structure": "Core", "type": "squared_overdose", "dose_gy": 10, "weight": 1}]}',
    '{"objectives": [{"structure": "PTV", "type": "squared_deviation", "dose_gy": 5000, "weight": 1}]}',
]


def test_it_keeps_the_contract_of_losses(loss: PlanLoss) -> None:
    check_loss(loss, [loss.start.text(), loss.start.replaced(0, weight=700).text()], INVALID)


def test_what_is_measured_is_the_goals_of_the_planned_dose(loss: PlanLoss) -> None:
    feedback = loss.measure(loss.start.text())
    plan = plan_file.read_plan(feedback.artifacts["plan.json"])
    table = evaluate(loss.bound, loss.case, plan.dose(loss.case))
    for result in table.results:
        assert feedback.metrics[result.goal.name] == result.value
    assert feedback.metrics["goals met"] == table.met
    assert feedback.metrics["gap"] <= 1e-3
    assert plan.goals["met"] == table.met
    assert plan.parameters == loss.start
    assert (plan.case, plan.fractions, plan.fingerprint) == ("small", 25, loss.case.fingerprint)
    assert set(feedback.metrics) <= set(loss.units)
    assert NOTICE in feedback.text


def test_the_order_of_measurements_changes_nothing(loss: PlanLoss) -> None:
    texts = [loss.start.replaced(0, weight=w).text() for w in (30, 4000, 250)]
    first = [loss.measure(text) for text in texts]
    module.ANCHORS.clear()
    recent._PLANNERS.clear()
    second = [loss.measure(text) for text in reversed(texts)][::-1]
    for one, other in zip(first, second, strict=True):
        assert (one.loss, one.text, dict(one.metrics)) == (other.loss, other.text, dict(other.metrics))
        assert one.artifacts["sensitivities.json"] == other.artifacts["sensitivities.json"]


@pytest.mark.slow
def test_another_process_measures_the_same(tmp_path: Path) -> None:
    path = save(small_case(), tmp_path / "small.zarr")
    loss = PlanLoss(path, EASIER)
    text = loss.start.replaced(1, weight=321).text()
    (tmp_path / "loss.pickle").write_bytes(pickle.dumps(loss))
    assert (tmp_path / "loss.pickle").stat().st_size < 20_000, "the case itself must not travel"
    code = (
        "import pickle, sys\n"
        "loss = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(repr(loss.measure(sys.argv[2]).loss), loss.fingerprint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "loss.pickle"), text], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{loss.measure(text).loss!r} {loss.fingerprint}"


def test_a_case_file_that_changed_is_noticed(tmp_path: Path) -> None:
    path = save(small_case(), tmp_path / "small.zarr")
    loss = PlanLoss(path, EASIER)
    copy: PlanLoss = pickle.loads(pickle.dumps(loss))  # noqa: S301
    module.CASES.clear()
    other = small_case()
    save(replace(other, dij=replace(other.dij, values=other.dij.values * np.float32(2))), path, overwrite=True)
    with pytest.raises(UsageError, match="changed since the run was begun"):
        copy.measure(loss.start.text())


def test_everything_that_changes_figures_is_in_the_fingerprint(tmp_path: Path) -> None:
    case = small_case()
    start = PlanLoss(case, EASIER).start
    sheet = read_sheet(EASIER)
    other_sheet = replace(sheet, goals=(replace(sheet.goals[0], priority=2), *sheet.goals[1:]))
    losses = [
        PlanLoss(case, EASIER),
        PlanLoss(case, "tg119-harder"),
        PlanLoss(case, other_sheet),
        PlanLoss(case, EASIER, start.replaced(0, weight=200)),
        PlanLoss(case, EASIER, gap=1e-4),
        PlanLoss(case, EASIER, protocol="textgrad-paper"),
        PlanLoss(with_prescription(case, {"PTV": 50.2}), EASIER),
    ]
    assert len({loss.fingerprint for loss in losses}) == len(losses)
    assert PlanLoss(case, EASIER, start.text()).fingerprint == losses[0].fingerprint
    assert PlanLoss(case, EASIER, seconds=99).fingerprint == losses[0].fingerprint


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"gap": 0.5}, "gap must be a number from"),
        ({"gap": math.nan}, "gap must be a number from"),
        ({"seconds": True}, "seconds must be a number from"),
        ({"protocol": "paper"}, "no protocol 'paper'.*textgrad-paper"),
        ({"prescription": {"Core": 20}}, "Core is no target"),
        ({"prescription": {"PTV": 5000}}, "the prescription of PTV must be a number from"),
        ({"prescription": {"GTV": 50}}, "no structure 'GTV'"),
        ({"start": "{}"}, "start parameters cannot be used"),
    ],
)
def test_bad_settings_are_refused_with_the_reason(options: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        PlanLoss(small_case(), EASIER, **options)  # type: ignore[arg-type]


def test_another_prescription_goes_with_the_sheet() -> None:
    sheet = parse_sheet(
        'implied = false\ngoals = ["PTV D95% >= 100%", "PTV D10% <= 110%"]\n[prescription]\nPTV = 50\n', "percent"
    )
    loss = PlanLoss(small_case(), sheet, prescription={"PTV": 40})
    assert [goal.limit for goal in loss.bound.goals] == [40, 44]
    assert loss.case.prescription == 40
    assert 30 < loss.measure(loss.start.text()).metrics["PTV D95%"] < 44


def test_a_plan_that_takes_too_long_has_failed_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = PlanLoss(small_case(), EASIER, seconds=1.0)
    anchor = loss._anchor(planner_of(loss.case))
    clock = iter([0.0, 2.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    planner = planner_of(loss.case)
    monkeypatch.setattr(type(planner), "solve", lambda *a, **k: replace(anchor, converged=False, gap=0.02))
    feedback = loss.measure(loss.start.replaced(0, weight=999).text())
    assert not feedback.measured
    assert feedback.error is not None
    assert "did not get to a gap of 0.1% in 1 s (its gap is 2%)" in feedback.error


def test_a_plan_without_dose_is_measured_as_the_worst() -> None:
    case = small_case()
    start = PlanLoss(case, EASIER).start
    # So little asks for dose, so much against it, that the optimum is next to nothing.
    nothing = PlanParameters(
        (Objective("PTV", "squared_deviation", 50.0, 1e-6), Objective("Body", "mean", None, 1e9)),
    )
    loss = PlanLoss(case, EASIER, start)
    feedback = loss.measure(nothing.text())
    assert feedback.measured
    assert feedback.metrics["PTV D95%"] == pytest.approx(0.0, abs=1e-9)
    assert feedback.loss is not None
    assert feedback.loss > loss.measure(start.text()).loss  # type: ignore[operator]
    assert "ZERO DOSE" in feedback.text


@pytest.mark.slow
def test_sensitivities_of_conformity_and_volumes_are_those_of_finite_differences() -> None:
    sheet = parse_sheet(
        'goals = ["PTV D95% >= 50 Gy", "PTV CI >= 0.9", "PTV HI <= 0.1", "Core V20Gy <= 20%", "Core V20Gy[cc] <= 1 cc",'
        ' "Core Dmean <= 10 Gy", "Body V95% <= 10%"]\n[prescription]\nPTV = 50\n',
        "mixed",
    )
    start = PlanParameters(
        (
            Objective("PTV", "squared_deviation", 51.5, 100.0),
            Objective("Core", "squared_overdose", 18.0, 100.0),
            Objective("Body", "squared_overdose", 30.0, 25.0),
        )
    )
    loss = PlanLoss(small_case(), sheet, start, gap=1e-5)
    base = loss.solve(loss.start).effects

    def moved(step: float) -> np.ndarray:
        solved = (loss.start.replaced(0, weight=float(f"{100 * 2**h:.4g}")) for h in (step, -step))
        up, down = (loss.solve(parameters).effects.values for parameters in solved)
        return (up - down) / (2 * step)

    exact = moved(0.02)
    for i, result in enumerate(base.results):
        name = result.goal.name
        if result.goal.unit in ("Gy", "") and "CI" not in name:  # volumes jump from voxel to voxel
            assert base.per_doubling[i, 0] == pytest.approx(exact[i], rel=0.1, abs=0.002 * result.scale), name
    conformity = next(i for i, w in enumerate(base.results) if "CI" in w.goal.name)
    assert base.per_doubling[conformity, 0] != 0
    assert base.per_doubling[conformity, 0] * moved(1.0)[conformity] > 0  # whole voxels: it takes a doubling to see it


def test_what_an_addition_would_do_is_its_derivative(loss: PlanLoss) -> None:
    precise = PlanLoss(small_case(), EASIER, gap=1e-5)
    effects = precise.solve(precise.start).effects
    assert effects.additions
    for a, objective in enumerate(effects.additions):
        small = replace(objective, weight=float(f"{objective.weight / 50:.4g}"))
        after = precise.solve(precise.start.with_objectives([small])).effects.values
        wanted = effects.per_addition[:, a] * small.weight / objective.weight
        scale = np.abs(wanted).max()
        # A dose-volume objective is solved from majorant to majorant: its optimum is not that of one smooth problem.
        share = 0.7 if objective.type in ("max_dvh", "min_dvh") else 0.2
        assert np.abs(after - effects.values - wanted).max() <= share * scale + 4e-3, objective.label


def test_a_checked_value_is_not_parsed_again(loss: PlanLoss, monkeypatch: pytest.MonkeyPatch) -> None:
    value = loss.validate(loss.start.text())

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was parsed")

    monkeypatch.setattr("tgsci_radiotherapy.plan.parameters.json.loads", refuse)
    assert loss.evaluate(value).measured


def test_a_failure_of_the_planner_is_no_score(loss: PlanLoss, monkeypatch: pytest.MonkeyPatch) -> None:
    planner = planner_of(loss.case)
    loss.measure(loss.start.text())

    def fails(*_: object, **__: object) -> None:
        raise MeasurementError("the planner's objective is not finite")

    monkeypatch.setattr(type(planner), "solve", fails)
    feedback = loss.measure(loss.start.replaced(0, weight=12345).text())
    assert not feedback.measured
    assert "not finite" in feedback.text


def test_a_baseline_is_told_the_same_goals_without_what_moves_them(loss: PlanLoss, paper: PlanLoss) -> None:
    for measured in (loss, paper):
        parameters = measured.start.replaced(0, weight=150)
        assert measured.results(parameters) == measured.solve(parameters).effects.results
