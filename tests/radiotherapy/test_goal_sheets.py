"""Sheets of goals: what comes with the package, how a person's own is read, and how it meets a case."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgsci.errors import UsageError
from tgsci_radiotherapy.case.model import Case, Dij, Grid, Structure, own_rows
from tgsci_radiotherapy.goals import Metric, Sheet, parse_sheet, read_sheet, sheet_names
from tgsci_radiotherapy.goals.goal import Goal, parse_goal


def case_of(*structures: tuple[str, str, float | None], fractions: int = 25, empty: str = "") -> Case:
    """A case with structures of 20 voxels each (0.027 cc): name, type, prescription."""
    grid = Grid((20 * len(structures), 1, 1), (3.0, 3.0, 3.0))
    found = tuple(
        Structure(name, kind, np.arange(20 * i, 20 * i + (0 if name == empty else 20), dtype=np.int32), 0.54, dose)  # type: ignore[arg-type]
        for i, (name, kind, dose) in enumerate(structures)
    )
    voxels, owners = own_rows(found, grid)
    starts, values = np.zeros(len(voxels) + 1, np.int64), np.zeros(0, np.float32)
    dij = Dij(starts, np.zeros(0, np.uint16), values, 1, np.zeros(1, np.int16))
    return Case("mine", grid, found, dij, voxels, owners, fractions)


CSHAPE = case_of(("PTV", "target", 50.0), ("Core", "oar", None), ("Body", "external", None))


def sheet(*goals: str, more: str = "\n[prescription]\nPTV = 50") -> Sheet:
    return parse_sheet(f"goals = {list(goals)!r}\n{more}".replace("'", '"'), "mine")


def refusal(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_sheet(text, "mine")
    message = str(caught.value)
    assert message.startswith("goals mine: ")
    assert message.isprintable()
    assert len(message) < 600
    return message.removeprefix("goals mine: ")


def bind_refusal(goals: Sheet, case: Case = CSHAPE) -> str:
    with pytest.raises(UsageError) as caught:
        goals.bind(case)
    assert str(caught.value).startswith(f"goals {goals.name}: ")
    return str(caught.value)


# -- the sheets of the package


def test_the_sheets_that_come_with_the_package() -> None:
    assert sheet_names() == (
        "prostate-70.2",
        "quantec-head-and-neck",
        "quantec-prostate",
        "tg119-easier",
        "tg119-harder",
    )


@pytest.mark.parametrize("name", sheet_names())
def test_every_sheet_has_sources_and_reads_back_from_its_own_text(name: str) -> None:
    found = read_sheet(name)
    assert found.name == name
    assert len(found.source) > 40
    again = parse_sheet(found.toml(), name)
    assert again.toml() == found.toml()
    assert again.fingerprint == found.fingerprint
    assert [str(g) for g in again.goals] == [str(g) for g in found.goals]
    assert [g.note for g in again.goals] == [g.note for g in found.goals]


def test_tg119_as_the_task_group_has_it() -> None:
    easier, harder = read_sheet("tg119-easier"), read_sheet("tg119-harder")
    assert [g.criterion for g in easier.goals] == ["PTV D95% >= 50 Gy", "PTV D10% <= 55 Gy", "Core D10% <= 25 Gy"]
    assert [g.criterion for g in harder.goals] == ["PTV D95% >= 50 Gy", "PTV D10% <= 55 Gy", "Core D10% <= 10 Gy"]
    assert [g.name for g in easier.bind(CSHAPE).goals] == ["PTV D95%", "PTV D10%", "Core D10%"]


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


def test_the_example_to_copy_is_a_sheet() -> None:
    organs = [(name, "oar", None) for name in ("Bladder", "Rectum", "Femur_Head_L", "Femur_Head_R")]
    case = case_of(("PTV", "target", 70.2), *organs, ("Body", "external", None), fractions=39)
    found = read_sheet(Path(__file__).parents[2] / "data" / "sheets" / "prostate-clinic.toml")
    bound = found.bind(case)
    assert [goal.name for goal, _ in bound.missing] == ["PenileBulb Dmean"]
    assert len(bound.goals) == len(found.goals) - 1


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


def test_a_sheet_of_ones_own_by_path(tmp_path: Path) -> None:
    path = tmp_path / "my clinic.toml"
    path.write_text('goals = ["PTV D95% >= 95%"]\n', encoding="utf-8")
    assert read_sheet(path).name == "my clinic"
    assert read_sheet(str(path)).goals[0].criterion == "PTV D95% >= 95%"


def test_what_is_no_sheet(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean tg119-easier"):
        read_sheet("tg119-easy")
    with pytest.raises(UsageError, match="there is no file"):
        read_sheet(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_sheet(tmp_path / "binary.toml")
    (tmp_path / "big.toml").write_text("# " + "x" * 100_001, encoding="utf-8")
    with pytest.raises(UsageError, match="at most 100000"):
        read_sheet(tmp_path / "big.toml")
    with pytest.raises(UsageError, match="no file"):
        read_sheet(tmp_path)
    with pytest.raises(UsageError):
        read_sheet("\x00")


# -- goals as sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PTV D95% >= 50 Gy, priority 1", Goal("PTV", Metric("D%", 95.0), ">=", 50.0, "Gy", 0.0, 1)),
        ("PTV D95%>=50Gy", Goal("PTV", Metric("D%", 95.0), ">=", 50.0, "Gy")),
        ("PTV D95% > 95%", Goal("PTV", Metric("D%", 95.0), ">=", 95.0, "%")),
        ("Parotid L Dmean < 25 Gy, tolerance 1 Gy", Goal("Parotid L", Metric("Dmean"), "<=", 25.0, "Gy", 1.0)),
        ("Lung V 20 Gy <= 30 %", Goal("Lung", Metric("VGy", 20.0, "%"), "<=", 30.0, "%")),
        ("Bowel V15Gy ≤ 120 cc, optional", Goal("Bowel", Metric("VGy", 15.0, "cc"), "<=", 120.0, "cc", optional=True)),
        ("Bowel V15Gy[cc] <= 120 cm3", Goal("Bowel", Metric("VGy", 15.0, "cc"), "<=", 120.0, "cc")),
        ("PTV V95% >= 98%", Goal("PTV", Metric("V%", 95.0, "%"), ">=", 98.0, "%")),
        ("PTV HI <= 0.1, Priority: 3", Goal("PTV", Metric("HI", 0.0, ""), "<=", 0.1, "", 0.0, 3)),
        ("[TARGETS] CI >= 0.8", Goal("[targets]", Metric("CI", 0.0, ""), ">=", 0.8, "")),
        ("CTV 70.2 Gy D98% >= 66 Gy", Goal("CTV 70.2 Gy", Metric("D%", 98.0), ">=", 66.0, "Gy")),
    ],
)
def test_goals_are_read(text: str, expected: Goal) -> None:
    found = parse_goal(text)
    assert replace(found, text="") == expected
    assert replace(parse_goal(str(found)), text="") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PTV D95% 50 Gy", "has 0"),
        ("PTV 40 Gy <= D95% <= 50 Gy", "has 2"),
        ("PTV D95% = 50 Gy", "write <= or >=, not ="),
        ("PTV D95% => 50 Gy", "write <= or >=, not =>"),
        ("D95% >= 50 Gy", "needs a structure and a metric"),
        ("PTV D95 >= 50 Gy", "write D95% or D95cc"),
        ("PTV coverage >= 50 Gy", "no metric 'coverage'"),
        ("PTV D95% >= 50", "its limit has no unit"),
        ("PTV D95% >= 50 cc", "its limit is in cc"),
        ("PTV D95% >= 5000 cGy", "write 50 Gy"),
        ("PTV D95% >= 5000 Gy", "write 50 Gy"),
        ("PTV D95% >= fifty Gy", "must be a number and its unit"),
        ("PTV D95% >= nan Gy", "must be a number and its unit"),
        ("PTV D95% >= -5 Gy", "negative"),
        ("PTV D95% >= 0 Gy", "cannot be"),
        ("Lung V20Gy <= 30", "write 30% or 30 cc"),
        ("Lung V20Gy <= 30 Gy", "is a volume"),
        ("Lung V20Gy <= 130%", "write 0 to 100%"),
        ("Lung V20Gy[cc] <= 30%", "leave [cc] out"),
        ("Lung V2000cGy <= 30%", "write V20Gy"),
        ("PTV HI <= 10%", "HI has no unit"),
        ("PTV D95% >= 50 Gy, priority high", "a priority is a whole number from 1"),
        ("PTV D95% >= 50 Gy, priority 0", "a priority is a whole number from 1"),
        ("PTV D95% >= 50 Gy, priority 1, priority 2", "priority stands twice"),
        ("PTV D95% >= 50 Gy, tolerance 2%", "tolerance must be in the limit's unit"),
        ("PTV D95% >= 50 Gy, tolerance -1 Gy", "negative"),
        ("PTV D95% >= 50 Gy, important", "is none of: priority 1, tolerance 1 Gy, optional"),
        ("<script> D95% >= 50 Gy", "has 3"),
        ("\u202e\u202e D95% >= 50 Gy", "names no structure"),
        ("x" * 300, "at most 200 characters"),
    ],
)
def test_what_is_no_goal_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_goal(text)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


@settings(deadline=None)
@given(
    st.sampled_from(["PTV", "Parotid_L", "[targets]", "CTV 70"]),
    st.sampled_from(
        [("D95%", "Gy"), ("D2cc", "%"), ("V20Gy", "%"), ("V20Gy", "cc"), ("HI", ""), ("Dmean", "Gy"), ("CV5Gy", "cc")]
    ),
    st.sampled_from(["<=", ">="]),
    st.integers(1, 9000).map(lambda n: n / 100),
    st.integers(0, 500).map(lambda n: n / 100),
    st.integers(1, 4),
    st.booleans(),
)
def test_a_goal_reads_back_from_its_own_words(
    structure: str, what: tuple[str, str], sign: str, limit: float, tolerance: float, priority: int, optional: bool
) -> None:
    metric, unit = what
    more = ", optional" if optional else ""
    first = parse_goal(
        f"{structure} {metric} {sign} {limit} {unit}, tolerance {tolerance} {unit}, priority {priority}{more}"
    )
    assert replace(parse_goal(str(first)), text="") == replace(first, text="")
    assert (first.limit, first.tolerance, first.priority, first.optional) == (limit, tolerance, priority, optional)


# -- sheets as files


def test_a_goal_may_be_a_table_and_optional_may_hold_for_all() -> None:
    found = parse_sheet(
        """
        title = "Mine"
        optional = true
        goals = [
          "Core Dmax <= 40 Gy",
          { goal = "PTV D95% >= 95%", priority = 2, tolerance = 1.5, optional = false, note = "a paper" },
        ]
        """
    )
    assert [g.optional for g in found.goals] == [True, False]
    assert (found.goals[1].priority, found.goals[1].tolerance, found.goals[1].note) == (2, 1.5, "a paper")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there are no goals"),
        ("goals = []", "goals is a list"),
        ('goals = "PTV D95% >= 50 Gy"', "line 1: goals is a list"),
        ("goals = [1]", "a goal is a text"),
        ('goals = [\n"PTV D95% >= 50 Gy",\n"PTV D95% >= 50",\n]', "line 3: D95% is a dose and its limit has no unit"),
        ('gaols = ["PTV D95% >= 50 Gy"]', "line 1: unknown key 'gaols'; did you mean goals?"),
        ('goals = ["PTV D95% >= 50 Gy"]\naliases = 1', "line 2: unknown key 'aliases'; did you mean structures?"),
        (
            'goals = [{ goal = "PTV D95% >= 50 Gy", prio = 1 }]',
            "line 1: unknown key 'prio' of a goal; did you mean priority?",
        ),
        ("goals = [{ priority = 1 }]", "the key goal is missing"),
        ('goals = [{ goal = "PTV D95% >= 50 Gy", priority = true }]', "priority of"),
        ('goals = [{ goal = "PTV D95% >= 50 Gy", priority = 1.5 }]', "priority is a whole number"),
        ('goals = ["PTV D95% >= 50 Gy", "ptv D95% >= 48 Gy"]', "repeats"),
        (
            'goals = ["PTV D95% >= 50 Gy"]\n[prescription]\nPTV = 5000',
            "line 3: 5000 Gy prescribed to 'PTV' looks like cGy; write 50",
        ),
        (
            'goals = ["PTV D95% >= 50 Gy"]\n[prescription]\nPTV = "50 Gy"',
            "line 3: the prescription of 'PTV' is total Gy",
        ),
        ('goals = ["PTV D95% >= 50 Gy"]\n[prescription]\nPTV = nan', "a number above 0"),
        ('goals = ["PTV D95% >= 50 Gy"]\nprescription = 50', "[prescription] is a table"),
        ('goals = ["Core Dmax <= 160 Gy"]\n[prescription]\nPTV = 50', "more than 3 times the prescription"),
        ('[structures]\nCore = ["x"]\ngoals = ["Core Dmax <= 40 Gy"]', "line 3: goals stands in [structures]"),
        ('goals = ["Core Dmax <= 40 Gy"]\n[structures]\ntitle = "x"', "line 3: title stands in [structures]"),
        ('goals = ["Core Dmax <= 40 Gy"]\n[structures]\nA = ["x"]\nB = ["X "]', "'X ' is a name of both A and B"),
        ('goals = ["Core Dmax <= 40 Gy"]\n[structures]\nA = [1]', "a list of texts"),
        ('goals = ["Core Dmax <= 40 Gy"]\nfractions = "25"', "line 2: fractions is a whole number"),
        ('goals = ["Core Dmax <= 40 Gy"]\nfractions = 0', "from 1 to 100"),
        ('goals = ["Core Dmax <= 40 Gy"]\ntitle = 3', "line 2: title is a text"),
        ('goals = ["Core Dmax <= 40 Gy"]\noptional = 1', "optional is true or false"),
        ('goals = ["PTV D95% >= 50 Gy"', "not a TOML file"),
        ("goals = " + "[" * 50_000, "not a"),
        ("[structures]\n" + "\n".join(f'S{i} = ["a{i}"]' for i in range(301)), "at most 300"),
        ("goals = [" + '"PTV D95% >= 50 Gy",' * 201 + "]", "at most 200"),
        ("fractions = " + "9" * 6000, "not a sheet"),
        ("title = '" + "x" * 100_001 + "'", "at most 100000"),
    ],
)
def test_a_faulty_sheet_says_the_line_and_what_to_write(text: str, said: str) -> None:
    assert said in refusal(text)


@pytest.mark.parametrize(
    "goals",
    [
        ("PTV D95% >= 50 Gy", "PTV Dmax <= 45 Gy"),
        ("PTV D95% >= 100%", "PTV D2% <= 98%"),
        ("PTV D95% >= 50 Gy", "PTV Dmean <= 40 Gy"),
        ("PTV V95% >= 98%", "PTV D50% <= 90%"),
        ("PTV V47.5Gy >= 95%", "PTV V45Gy <= 90%"),
        ("Core Dmean >= 30 Gy", "Core Dmax <= 25 Gy"),
        ("Core Dmean >= 30 Gy", "Core Dmean <= 25 Gy"),
        ("Core Dmin >= 30 Gy", "core D0.03cc <= 25 Gy"),
        ("Core CV20Gy >= 60%", "Core V19Gy >= 50%", "Core V30Gy >= 45%"),
        ("PTV V50Gy >= 95%", "PTV D95% <= 45 Gy"),  # D95% >= 50 Gy
        ("PTV V100% >= 95%", "PTV D95% <= 90%"),
        ("PTV CV50Gy <= 5%", "PTV D95% <= 45 Gy"),
        ("Core V50Gy <= 30%", "Core D30% >= 60 Gy"),  # D30% <= 50 Gy
        ("Core V50Gy >= 30%", "Core V45Gy <= 30%"),
        ("Core V50Gy <= 0%", "Core Dmax >= 55 Gy"),
        ("Core V50Gy[cc] >= 0.27 cc", "Core D50% <= 45 Gy"),
    ],
)
def test_goals_that_exclude_each_other_are_refused_before_a_plan_is_made(goals: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="cannot both be met; change one of them"):
        sheet(*goals).bind(CSHAPE)


@pytest.mark.parametrize(
    "goals",
    [
        ("PTV D95% >= 50 Gy", "PTV D10% <= 55 Gy", "PTV Dmean <= 52 Gy"),
        ("PTV D95% >= 50 Gy", "PTV D2% <= 50 Gy"),  # a uniform dose
        ("PTV D50% >= 50 Gy", "PTV D95% <= 45 Gy"),
        ("Core V20Gy <= 30%", "Core Dmax >= 40 Gy"),
        ("PTV D95% >= 50 Gy", "Core Dmax <= 45 Gy"),
        ("PTV V50Gy >= 95%", "PTV D95% <= 50 Gy"),
        ("PTV V50Gy >= 95%", "PTV D96% <= 45 Gy"),
        ("Core V50Gy <= 100%", "Core Dmin >= 55 Gy"),  # any dose meets the first
        ("Core V50Gy >= 0%", "Core Dmax <= 45 Gy"),
    ],
)
def test_goals_that_can_be_met_together_are_not(goals: tuple[str, ...]) -> None:
    assert len(sheet(*goals).bind(CSHAPE).goals) == len(goals)


# -- sheets on cases


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


def test_priorities_are_those_that_the_loss_tells_apart() -> None:
    assert [parse_goal(f"PTV D95% >= 50 Gy, priority {n}").priority for n in (1, 2, 3, 4)] == [1, 2, 3, 4]
    for text in ('"PTV D95% >= 50 Gy, priority 9"', '{ goal = "PTV D95% >= 50 Gy", priority = 5 }'):
        message = refusal(f"goals = [{text}]")
        assert "no priority '" in message
        assert "from 1 (most important) to 4; write 1, 2, 3 or 4, which count 27, 9, 3 and 1" in message


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


def test_names_from_a_sheet_are_harmless() -> None:
    found = parse_sheet('title = "A <b>sheet</b>\\u001b[31m\\nwith lines"\ngoals = ["../../PTV ; rm D95% >= 50 Gy"]\n')
    assert found.title == "A <b>sheet</b> [31m with lines"
    assert found.goals[0].structure == "PTV _ rm"


def test_a_sheet_with_any_title_and_many_digits_reads_back() -> None:
    found = parse_sheet(
        r"""
        title = 'Zürich "A" \ 患者 😀'
        source = """
        + '"""quotes \' and \\" and a # and\n two lines"""'
        + """
        goals = ["PTV D95.123456% >= 49.1234567 Gy, tolerance 0.0123456 Gy", "PTV V47.500001Gy <= 12.3456789 cc"]
        [prescription]
        "PTV 1" = 50.000001
        """
    )
    assert found.title == r'Zürich "A" \ 患者 😀'
    assert found.source == "quotes ' and \" and a # and two lines"
    again = parse_sheet(found.toml())
    assert again.toml() == found.toml()
    assert (again.title, again.source) == (found.title, found.source)
    assert [replace(g, text="") for g in again.goals] == [replace(g, text="") for g in found.goals]
    assert again.prescription == found.prescription


def test_sheets_are_read_without_numpy() -> None:
    """`tgsci radiotherapy goals` answers at once."""
    code = "from tgsci_radiotherapy.goals import read_sheet, sheet_names; [read_sheet(n) for n in sheet_names()]"
    check = "import sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", f"{code}; {check}"], timeout=60).returncode == 0


def test_the_fingerprint_changes_with_what_changes_a_result_only() -> None:
    base = sheet("PTV D95% >= 50 Gy", "Core Dmax <= 30 Gy")
    assert replace(base, title="other", source="other", name="other").fingerprint == base.fingerprint
    for other in ("PTV D95% >= 50.1 Gy", "PTV D95% >= 50 Gy, priority 2", "PTV D95% >= 50 Gy, tolerance 1 Gy"):
        assert sheet(other, "Core Dmax <= 30 Gy").fingerprint != base.fingerprint
