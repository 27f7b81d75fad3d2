"""Class solutions: what is written down for goals of each kind, and what a first plan makes of it."""

from __future__ import annotations

import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tgsci.errors import UsageError
from tgsci_radiotherapy.case.library import open_case
from tgsci_radiotherapy.goals import Sheet, default_parameters, evaluate, parse_sheet, read_sheet
from tgsci_radiotherapy.plan import Objective, PlanParameters


def start(*goals: str, case=None) -> dict[str, Objective]:
    case = case or small_case()
    found = default_parameters(case, parse_sheet(f"goals = {list(goals)!r}".replace("'", '"')))
    return {o.label: o for o in found.objectives}


@pytest.mark.parametrize("name", ["tg119-easier", "tg119-harder", "quantec-prostate", "quantec-head-and-neck"])
def test_parameters_to_start_from(name: str) -> None:
    case = small_case()
    found = default_parameters(case, read_sheet(name))
    assert PlanParameters.parse(found.text(), case) == found
    under, over = found.objectives[:2]
    assert (under.structure, under.type) == ("PTV", "squared_underdose")
    assert (over.structure, over.type) == ("PTV", "squared_overdose")
    assert 50.0 < (under.dose_gy or 0.0) < (over.dose_gy or 0.0) < 53.5
    assert under.weight > over.weight, "underdose strong, overdose mild"


def test_the_start_of_tg119_follows_its_goals() -> None:
    start = default_parameters(small_case(), read_sheet("tg119-easier").bind(small_case()))
    assert [o.label for o in start.objectives] == [
        "PTV squared_underdose 51.25 Gy",
        "PTV squared_overdose 51.75 Gy",
        "Core squared_overdose 21.25 Gy",  # of so small an organ 10% are its hottest part: 0.85 of 25 Gy
        "ring(PTV, 3 mm, 13 mm) - [targets] squared_overdose 40 Gy",
        "[external] - ([targets] + 13 mm) squared_overdose 30 Gy",
        "[external] - [targets] squared_overdose 50 Gy",
    ]


@pytest.mark.parametrize(
    ("goals", "labels"),
    [
        (["Core V20Gy <= 50%"], ["Core squared_overdose 15.75 Gy"]),
        (["Core Dmax <= 2 Gy"], ["Core squared_overdose 0 Gy"]),
        (["Core D0.03cc <= 40 Gy"], ["Core squared_overdose 34 Gy"]),
        (["Core Dmean <= 40 Gy, priority 2"], ["Core eud 34 Gy a=1"]),
        (["Core gEUD(8) <= 40 Gy"], ["Core eud 34 Gy a=8"]),
        (["Core Dmean <= 40 Gy", "Core D0.03cc <= 40 Gy"], ["Core eud 34 Gy a=1", "Core squared_overdose 34 Gy"]),
        (["Core Dmean <= 5 Gy"], ["Core mean"]),  # the target forbids it
        (["Core D50% >= 20 Gy"], []),
    ],
)
def test_an_organ_gets_the_objectives_of_its_goals(goals: list[str], labels: list[str]) -> None:
    found = start("PTV D95% >= 95%", *goals)
    assert [label for label, o in found.items() if o.structure == "Core"] == labels


def test_goals_on_regions_get_objectives_on_regions() -> None:
    found = start(
        "PTV D95% >= 95%",
        "ring(PTV, 4 mm, 12 mm) Dmean <= 30 Gy",
        "Body - (PTV + 8 mm) D1cc <= 40 Gy",
        "PTV - 4 mm D98% >= 50 Gy",
        "[external] Dmax <= 56 Gy",
    )
    assert "ring(PTV, 4 mm, 12 mm) eud 25.5 Gy a=1" in found
    assert "Body - (PTV + 8 mm) squared_overdose 38.8 Gy" in found
    assert "PTV - 4 mm squared_underdose 51.25 Gy" in found
    assert "[targets] squared_overdose 54.32 Gy" in found


def test_weights_follow_priorities() -> None:
    first, last = (
        start("PTV D95% >= 95%", f"Core D0.03cc <= 40 Gy, priority {p}")["Core squared_overdose 34 Gy"] for p in (1, 4)
    )
    assert first.weight > last.weight


def test_the_start_of_a_mean_allows_for_the_voxels_that_the_target_owns() -> None:
    """Of the OAR's four voxels one is the PTV's and gets 10 Gy: for a mean of 4 Gy the others may have 2 Gy."""
    assert "OAR eud 1.7 Gy a=1" in start("PTV D95% >= 95%", "OAR Dmean <= 4 Gy", case=tiny_case())
    # Of 3 Gy the others are left two thirds of a Gy, of 2 Gy less than nothing: as low as it gets.
    for limit in (3, 2):
        assert "OAR mean" in start("PTV D95% >= 95%", f"OAR Dmean <= {limit} Gy", case=tiny_case())


def test_levels_have_rings_and_the_lower_ones_stay_below_the_higher() -> None:
    case = open_case("headneck")
    found = [o.label for o in default_parameters(case, read_sheet("headneck-70-63-56")).objectives]
    for wanted in (
        "PTV56 squared_underdose 57.4 Gy",
        "PTV56 - ((PTV70 | PTV63) + 5 mm) squared_overdose 57.96 Gy",
        "ring(PTV63, 3 mm, 13 mm) - [targets] squared_overdose 50.4 Gy",
        "[external] - ([targets] + 13 mm) squared_overdose 33.6 Gy",
        "[targets] squared_overdose 74.69 Gy",  # 97% of what the body may get, and targets are the hottest part of it
    ):
        assert wanted in found
    narrow = parse_sheet(
        'goals = ["PTV70 D95% >= 70 Gy", "PTV63 D95% >= 63 Gy", "PTV56 D95% >= 56 Gy", "PTV56 D50% <= 57 Gy"]'
    )
    found = [o.label for o in default_parameters(case, narrow).objectives]
    assert "PTV56 squared_underdose 56.45 Gy" in found, "within the window that the goals leave"


def test_a_case_without_a_prescription_has_nothing_to_plan() -> None:
    from dataclasses import replace

    case = small_case()
    bare = replace(case, structures=tuple(replace(s, prescription=None) for s in case.structures))
    with pytest.raises(UsageError, match="nothing to plan"):
        default_parameters(bare, parse_sheet('goals = ["Core Dmean <= 25 Gy"]'))


def _planned(case_name: str, sheet: Sheet):
    from tgsci_radiotherapy.planner import Planner

    case = open_case(case_name)
    bound = sheet.bind(case)
    return evaluate(bound, case, Planner(case).solve(default_parameters(case, bound), gap=2e-3).dose)


@pytest.mark.slow
def test_a_first_plan_of_three_levels_is_one_that_a_planner_would_go_on_from() -> None:
    table = _planned("headneck", read_sheet("headneck-70-63-56"))
    missed = [r for r in table.evaluated if not r.met]
    assert all(r.goal.priority >= 2 for r in missed), table.text()
    assert table.met >= 18
    assert len([r for r in table.implied if r.met]) >= len(table.implied) - 1
    values = {r.goal.name: r.value for r in table.results}
    assert values["PTV56 D50%"] <= 60.0
    assert values["PTV63 D50%"] <= 66.15


@pytest.mark.slow
@pytest.mark.parametrize(("case", "sheet", "met"), [("prostate", "prostate-70.2", 19), ("cshape", "tg119-easier", 3)])
def test_a_first_plan_of_the_built_in_cases_meets_its_goals(case: str, sheet: str, met: int) -> None:
    table = _planned(case, read_sheet(sheet))
    assert table.met == met, table.text()
