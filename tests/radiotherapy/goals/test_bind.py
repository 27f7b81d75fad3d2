"""Sheets on cases: names, percentages, prescriptions and what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.radiotherapy.goals.sheets import CSHAPE, case_of, sheet
from tgsci.errors import UsageError
from tgsci_radiotherapy.case.model import Case
from tgsci_radiotherapy.goals import Sheet, parse_sheet, read_sheet


def bind_refusal(goals: Sheet, case: Case = CSHAPE) -> str:
    with pytest.raises(UsageError) as caught:
        goals.bind(case)
    assert str(caught.value).startswith(f"goals {goals.name}: ")
    return str(caught.value)


def test_the_prostate_sheet_on_a_case_as_textgrads_paper_has_it() -> None:
    organs = [("Bladder", "oar", None), ("Rectum", "oar", None)]
    heads = [("Femur_Head_L", "oar", None), ("Femur_Head_R", "oar", None)]
    case = case_of(("PTV", "target", 70.2), *organs, *heads, ("Body", "external", None), fractions=39)
    bound = read_sheet("prostate-70.2").bind(case)
    assert {g.structure for g in bound.goals} == set(case.names)
    assert not bound.missing
    assert not bound.notes
    (hot,) = [g for g in bound.goals if g.name == "PTV D2%"]
    assert hot.limit == pytest.approx(75.114)
    assert hot.tolerance == pytest.approx(2.106)
    assert hot.unit == "Gy"


def test_quantec_finds_organs_under_the_names_that_clinics_give_them() -> None:
    names = ["BRAIN STEM", "Cord", "Parotid Left", "RightParotid", "OralCavity", "mandible", "pharyngeal constrictors"]
    targets = [("PTV70", "target", 70.0), ("PTV56", "target", 56.0)]
    case = case_of(*targets, *[(name, "oar", None) for name in names], ("SKIN", "external", None), fractions=35)
    bound = read_sheet("quantec-head-and-neck").bind(case)
    assert {g.structure for g in bound.goals} == set(case.names) - {"SKIN"}
    assert "it is about 2 cc, and SKIN has 0.54 cc on the dose grid (0.54 cc drawn)" in dict(bound.missing).values()
    coverage = {g.structure: g.limit for g in bound.goals if str(g.metric) == "D95%"}
    assert coverage == {"PTV70": pytest.approx(66.5), "PTV56": pytest.approx(53.2)}
    assert "Larynx" in {goal.structure for goal, _ in bound.missing}


def test_names_are_found_spelling_apart_then_by_the_sheets_other_names() -> None:
    case = case_of(("PTV-50", "target", 50.0), ("spinal_cord", "oar", None), ("OAR", "oar", None))
    goals = ("ptv 50 D95% >= 95%", "SpinalCord Dmax <= 45 Gy", "Core Dmean <= 25 Gy")
    bound = sheet(*goals, more='[structures]\nCore = ["OAR"]').bind(case)
    assert [g.structure for g in bound.goals] == ["PTV-50", "spinal_cord", "OAR"]
    assert bound.prescriptions == {"PTV-50": 50.0, "spinal_cord": 50.0, "OAR": 50.0}


def test_the_only_target_is_the_one_that_the_sheet_prescribes_to() -> None:
    case = case_of(("Prostate_PTV_final", "target", 50.0), ("Body", "external", None))
    assert sheet("PTV D95% >= 50 Gy").bind(case).goals[0].structure == "Prostate_PTV_final"


def test_a_missing_structure_names_its_neighbours_and_the_way_out() -> None:
    message = bind_refusal(sheet("Cord Dmax <= 45 Gy"))
    assert "the case has no Cord; did you mean Core?" in message
    assert "[structures]" in message
    assert "optional" in message
    bound = sheet("Cord Dmax <= 45 Gy, optional", "PTV D95% >= 50 Gy").bind(CSHAPE)
    assert [(g.structure, why) for g, why in bound.missing] == [("Cord", "the case has no Cord")]
    assert "none of its structures is in the case" in bind_refusal(sheet("Cord Dmax <= 45 Gy, optional"))


def test_two_structures_of_one_meaning_are_not_guessed() -> None:
    case = case_of(("PTV", "target", 50.0), ("Cord", "oar", None), ("Spine", "oar", None))
    message = bind_refusal(sheet("SpinalCord Dmax <= 45 Gy", more='[structures]\nSpinalCord = ["Cord", "Spine"]'), case)
    assert "could be Cord or Spine" in message


def test_a_structure_without_voxels() -> None:
    case = case_of(("PTV", "target", 50.0), ("Core", "oar", None), empty="Core")
    assert "Core has no voxel on the dose grid" in bind_refusal(sheet("Core Dmax <= 45 Gy"), case)
    bound = sheet("Core Dmax <= 45 Gy, optional", "PTV D95% >= 50 Gy").bind(case)
    assert bound.missing[0][1] == "it has no voxel on the dose grid"


@pytest.mark.parametrize(
    ("goal", "asked"),
    [
        ("PTV V95% >= 98 cc", "98 cc"),
        ("PTV CV20Gy >= 0.6 cc", "0.6 cc"),
        ("Core D100cc <= 10 Gy", "100 cc"),
        ("Core D0.6cc >= 10 Gy", "0.6 cc"),
    ],
)
def test_a_goal_about_more_cc_than_the_structure_has(goal: str, asked: str) -> None:
    organ = goal.split()[0]
    message = bind_refusal(sheet(goal))
    assert f"'{goal}' cannot be evaluated: it is about {asked}" in message
    assert f"{organ} has 0.54 cc on the dose grid (0.54 cc drawn); write fewer cc" in message
    bound = sheet(f"{goal}, optional", "PTV D95% >= 50 Gy").bind(CSHAPE)
    assert [g.name for g in bound.goals] == ["PTV D95%"]
    assert bound.missing[0][1] == f"it is about {asked}, and {organ} has 0.54 cc on the dose grid (0.54 cc drawn)"
    assert "none of its goals can be evaluated" in bind_refusal(sheet(f"{goal}, optional"))


def test_goals_in_cc_that_the_structure_has_or_that_any_dose_meets() -> None:
    whole = sheet("Core D0.54cc <= 10 Gy", "PTV V95% >= 0.54 cc").bind(CSHAPE)
    assert len(whole.goals) == 2
    assert not whole.notes
    assert sheet("Core V20Gy <= 120 cc").bind(CSHAPE).notes == (
        "Core V20Gy[cc] <= 120 cc is met by any dose: Core has 0.54 cc on the dose grid (0.54 cc drawn).",
    )


def test_another_prescription_is_refused_and_other_fractions_are_noted() -> None:
    message = bind_refusal(read_sheet("tg119-easier"), case_of(("PTV", "target", 60.0), ("Core", "oar", None)))
    assert "for 50 Gy to PTV, and the case prescribes 60 Gy" in message
    assert "no target in this case" in bind_refusal(sheet("PTV D95% >= 50 Gy"), case_of(("PTV", "oar", None)))
    bound = sheet("PTV D95% >= 50 Gy", more="[prescription]\nPTV = 50").bind(replace(CSHAPE, fractions=5))
    assert not bound.notes
    fractioned = parse_sheet('fractions = 25\ngoals = ["PTV D95% >= 50 Gy"]')
    assert "for 25 fractions; the case has 5" in fractioned.bind(replace(CSHAPE, fractions=5)).notes[0]


def test_one_goal_for_each_target_and_the_outline_whatever_its_name() -> None:
    case = case_of(("High", "target", 70.0), ("Low", "target", 54.0), ("SKIN", "external", None))
    bound = sheet("[targets] D95% >= 95%, tolerance 1%", "[external] Dmax <= 110%", more="").bind(case)
    assert [(g.name, g.limit, g.tolerance) for g in bound.goals] == [
        ("High D95%", pytest.approx(66.5), pytest.approx(0.7)),
        ("Low D95%", pytest.approx(51.3), pytest.approx(0.54)),
        ("SKIN Dmax", pytest.approx(77.0), 0.0),
    ]
    assert bound.goals[2].note == "110% of 70 Gy"
    assert "both about High D95%" in bind_refusal(sheet("[targets] D95% >= 95%", "High D95% >= 97%", more=""), case)
    assert "0 outlines of the body" in bind_refusal(
        sheet("[external] Dmax <= 110%", more=""), case_of(("P", "target", 50.0))
    )


def test_goals_on_regions_are_read_bound_and_evaluated() -> None:
    case = case_of(("PTV-50", "target", 50.0), ("OAR", "oar", None), ("Body", "external", None))
    goals = sheet(
        "ptv 50 D95% >= 95%",
        "ring(PTV 50, 3 mm, 13 mm) & Core V45Gy <= 10%, priority 3",
        "[external] - [targets] Dmax <= 107%, priority 2",
        more='[structures]\nCore = ["OAR"]',
    )
    bound = goals.bind(case)
    names = [g.structure for g in bound.goals]
    assert names == ["PTV-50", "ring(PTV-50, 3 mm, 13 mm) & OAR", "[external] - [targets]"]
    assert bound.goals[2].limit == pytest.approx(53.5)
    assert parse_sheet(goals.toml()).goals == tuple(replace(g, text=str(g)) for g in goals.goals)


def test_what_spares_organs_is_told_from_what_holds_targets() -> None:
    goals = sheet(
        "PTV D95% >= 50 Gy",
        "PTV D2% <= 53.5 Gy",
        "PTV CI >= 0.7",
        "Core Dmean <= 40 Gy",
        "Core Dmax <= 50 Gy",
        "[external] D0.03cc <= 55 Gy",
        "[external] V25Gy <= 40%",
        "[external] - [targets] Dmax <= 53 Gy",
    )
    spared = [goal.name for goal in goals.bind(CSHAPE).goals if goal.spares]
    assert spared == ["PTV CI", "Core Dmean", "Core Dmax", "Body V25Gy"]
