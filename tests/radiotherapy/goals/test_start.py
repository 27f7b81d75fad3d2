"""Parameters to start from, as the goals ask for them."""

from __future__ import annotations

import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tgsci_radiotherapy.goals import (
    default_parameters,
    parse_sheet,
    read_sheet,
)
from tgsci_radiotherapy.plan import PlanParameters


@pytest.mark.parametrize("name", ["tg119-easier", "tg119-harder", "quantec-prostate", "quantec-head-and-neck"])
def test_parameters_to_start_from(name: str) -> None:
    case = small_case()
    start = default_parameters(case, read_sheet(name))
    assert PlanParameters.parse(start.text(), case) == start
    assert {o.weight for o in start.objectives} == {100.0}
    assert len({o.structure for o in start.objectives}) == len(start.objectives)
    first = start.objectives[0]
    assert first.structure == "PTV"
    assert first.type == "squared_deviation"
    assert 50.0 < (first.dose_gy or 0.0) < 53.5


def test_the_start_of_tg119_follows_its_goals() -> None:
    start = default_parameters(small_case(), read_sheet("tg119-easier").bind(small_case()))
    assert [o.label for o in start.objectives] == [
        "PTV squared_deviation 51.5 Gy",  # 50 Gy + 0.3 of the way to 55 Gy
        "Core squared_overdose 21.94 Gy",  # 0.9 of 25 Gy, less a quarter of the 10% that may exceed it
        "Body squared_overdose 30 Gy",
    ]


@pytest.mark.parametrize(
    ("goal", "label"),
    [
        ("Core V20Gy <= 50%", "Core squared_overdose 15.75 Gy"),
        ("Core Dmax <= 2 Gy", "Core squared_overdose 0 Gy"),
        ("Core D50% >= 20 Gy", ""),
    ],
)
def test_an_organ_starts_below_its_strictest_goal(goal: str, label: str) -> None:
    start = default_parameters(small_case(), parse_sheet(f'goals = ["PTV D95% >= 95%", "{goal}"]'))
    assert [o.label for o in start.objectives if o.structure == "Core"] == ([label] if label else [])


def test_the_start_of_a_mean_allows_for_the_voxels_that_the_target_owns() -> None:
    """Of the OAR's four voxels one is the PTV's and gets 10 Gy: for a mean of 4 Gy the others may have 2 Gy."""
    start = default_parameters(tiny_case(), parse_sheet('goals = ["PTV D95% >= 95%", "OAR Dmean <= 4 Gy"]'))
    assert "OAR eud 2 Gy a=1" in [o.label for o in start.objectives]
    impossible = default_parameters(tiny_case(), parse_sheet('goals = ["PTV D95% >= 95%", "OAR Dmean <= 2 Gy"]'))
    assert "OAR eud 0 Gy a=1" in [o.label for o in impossible.objectives]
