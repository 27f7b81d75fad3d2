"""Goals as convex constraints: whatever meets the goals satisfies them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.planning_problems import dense, random_case
from tgsci_radiotherapy.goals import evaluate, parse_sheet
from tgsci_radiotherapy.loss.relaxation import least_at, most_above, relax
from tgsci_radiotherapy.planner import Planner
from tgsci_radiotherapy.planner.feasibility import prove

METRICS = [
    "PTV D95% >= {}",
    "PTV D98% >= {}",
    "PTV D2% <= {}",
    "PTV D50% <= {}",
    "PTV V40Gy >= {}",
    "PTV CV45Gy <= {}",
    "PTV Dmin >= {}",
    "PTV HI <= {}",
    "PTV CI >= {}",
    "PTV gEUD(-10) >= {}",
    "PTV Dmean >= {}",
    "OAR Dmean <= {}",
    "OAR D10% <= {}",
    "OAR D0.3cc <= {}",
    "OAR V20Gy <= {}",
    "OAR V30Gy[cc] <= {}",
    "OAR gEUD(8) <= {}",
    "OAR Dmin <= {}",
    "Body D0.03cc <= {}",
    "Body D0.2cc <= {}",
    "Body V25Gy <= {}",
]


def sheet_met_by(case, dose: np.ndarray, metrics: list[str]):  # type: ignore[no-untyped-def]
    """Goals whose limits are what a dose has: it meets them all, and barely."""
    lines = []
    for metric in metrics:
        unit = {"V": "%", "C": "%", "H": "", "D": " Gy", "g": " Gy"}[metric.split()[1][0]]
        unit = " cc" if "[cc]" in metric else "" if " CI " in metric or " HI " in metric else unit
        lines.append(metric.format(f"1{unit}"))
    # One by one: beside each other figures of 1 would be refused.
    sheets = [parse_sheet(f'goals = ["{line}"]\n[prescription]\nPTV = 50', "mine").bind(case) for line in lines]
    prescriptions = {name: dose for each in sheets for name, dose in each.prescriptions.items()}
    bound = replace(sheets[0], goals=tuple(each.goals[0] for each in sheets), prescriptions=prescriptions)
    values = [r.value for r in evaluate(bound, case, dose).results]
    goals = tuple(replace(goal, limit=value) for goal, value in zip(bound.goals, values, strict=True))
    assert all(r.met for r in evaluate(replace(bound, goals=goals), case, dose).results)
    return replace(bound, goals=goals)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_a_plan_that_meets_goals_satisfies_their_constraints(seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    case = random_case(seed % 7)
    x = rng.exponential(1.0, case.dij.beamlets)
    dose = dense(case) @ x
    x *= 50.0 / np.median(dose[case.rows("PTV")])
    dose = (dense(case) @ x).astype(np.float32)
    metrics = data.draw(st.lists(st.sampled_from(METRICS), min_size=1, max_size=8, unique=True))
    bound = sheet_met_by(case, dose, metrics)
    relaxation = relax(case, bound.goals, bound.prescriptions, assumed=float(dose.max()))
    for constraint in relaxation.constraints:
        assert constraint.violation(dose, 1e-9) <= 1e-4
        weights = rng.exponential(1.0, len(constraint.rows))
        reached = float(weights @ dose[constraint.rows].astype(float))
        slack = 1e-6 * abs(reached) + 1e-6
        if constraint.upper:
            assert reached <= constraint.support(weights) + slack
        else:
            assert reached >= constraint.support(weights) - slack


@pytest.mark.parametrize("seed", range(8))
def test_goals_that_a_plan_meets_are_never_proven_impossible(seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = random_case(seed)
    planner = Planner(case)
    x = rng.exponential(1.0, case.dij.beamlets)
    x *= 50.0 / np.median((dense(case) @ x)[case.rows("PTV")])
    bound = sheet_met_by(case, planner.dose(x), METRICS)
    relaxation = relax(case, bound.goals, bound.prescriptions)
    assert prove(planner, relaxation.constraints).proof is None


def goal(text: str):  # type: ignore[no-untyped-def]
    return parse_sheet(f'goals = ["{text}"]\n[prescription]\nPTV = 50', "mine").goals[0]


@pytest.mark.parametrize(
    ("text", "spared"),
    [
        ("OAR Dmax <= 50 Gy", 0),
        ("OAR D0.03cc <= 50 Gy", 1),  # rank 1.11 of 0.027 cc
        ("OAR D2% <= 50 Gy", 2),  # rank 2.0: d(2) is at most 50 Gy; of 100 voxels only one may be above
        ("OAR D2.5% <= 50 Gy", 2),
        ("OAR V20Gy <= 7%", 7),
        ("OAR V20Gy <= 7.9%", 7),
        ("OAR CV20Gy >= 90%", 10),
        ("OAR Dmean <= 20 Gy", None),
        ("PTV D95% >= 50 Gy", None),
    ],
)
def test_how_many_voxels_may_get_more(text: str, spared: int | None) -> None:
    expected = 1 if text == "OAR D2% <= 50 Gy" else spared
    assert most_above(goal(text), 100, 0.027) == expected


@pytest.mark.parametrize(
    ("text", "many"),
    [
        ("PTV D95% >= 50 Gy", 95),
        ("PTV D95.5% >= 50 Gy", 95),
        ("PTV Dmin >= 40 Gy", 100),
        ("PTV V45Gy >= 95.2%", 96),
        ("PTV CV45Gy <= 5%", 95),
        ("PTV D2% <= 50 Gy", None),
    ],
)
def test_how_many_voxels_have_to_get_a_dose(text: str, many: int | None) -> None:
    assert least_at(goal(text), 100, 0.027) == many


def test_a_hot_spot_s_goal_is_a_ceiling_for_all_others() -> None:
    case = small_case()
    text = 'goals = ["Core D10% <= 20 Gy", "Body D0.03cc <= 60 Gy"]\n[prescription]\nPTV = 50'
    bound = parse_sheet(text, "mine").bind(case)
    relaxation = relax(case, bound.goals, bound.prescriptions)
    assert relaxation.ceiling is not None
    assert relaxation.ceiling.dose == pytest.approx(60.0)
    assert not relaxation.silent
    alone = relax(case, bound.goals[:1], bound.prescriptions)
    assert alone.ceiling is None
    assert alone.silent == bound.goals[:1]  # what spares 10% says nothing where these may get any dose
    assert not relax(case, bound.goals[:1], bound.prescriptions, assumed=75.0).silent
