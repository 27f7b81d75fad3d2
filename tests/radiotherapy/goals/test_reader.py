"""Sheets of goals: what comes with the package, how a person's own is read, and how it meets a case."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.radiotherapy.goals.sheets import CSHAPE, case_of, sheet
from tgsci.errors import UsageError
from tgsci_radiotherapy.goals import parse_sheet, read_sheet, sheet_names
from tgsci_radiotherapy.goals.goal import parse_goal


def refusal(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_sheet(text, "mine")
    message = str(caught.value)
    assert message.startswith("goals mine: ")
    assert message.isprintable()
    assert len(message) < 600
    return message.removeprefix("goals mine: ")


# -- the sheets of the package


def test_the_sheets_that_come_with_the_package() -> None:
    assert sheet_names() == (
        "headneck-70-63-56",
        "prostate-70.2",
        "quantec-head-and-neck",
        "quantec-prostate",
        "tg119-easier",
        "tg119-harder",
    )


def test_tg119_as_the_task_group_has_it() -> None:
    easier, harder = read_sheet("tg119-easier"), read_sheet("tg119-harder")
    assert [g.criterion for g in easier.goals] == ["PTV D95% >= 50 Gy", "PTV D10% <= 55 Gy", "Core D10% <= 25 Gy"]
    assert [g.criterion for g in harder.goals] == ["PTV D95% >= 50 Gy", "PTV D10% <= 55 Gy", "Core D10% <= 10 Gy"]
    bound = easier.bind(CSHAPE).goals
    assert [g.name for g in bound if not g.implied] == ["PTV D95%", "PTV D10%", "Core D10%"]


def test_the_example_to_copy_is_a_sheet() -> None:
    organs = [(name, "oar", None) for name in ("Bladder", "Rectum", "Femur_Head_L", "Femur_Head_R")]
    case = case_of(("PTV", "target", 70.2), *organs, ("Body", "external", None), fractions=39)
    found = read_sheet(Path(__file__).parents[3] / "data" / "sheets" / "prostate-clinic.toml")
    bound = found.bind(case)
    assert [goal.name for goal, _ in bound.missing] == ["PenileBulb Dmean"]
    assert sum(not goal.implied for goal in bound.goals) == len(found.goals) - 1


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
            "line 3: the prescription of 'PTV' must be a number above 0 total Gy",
        ),
        ('goals = ["PTV D95% >= 50 Gy"]\n[prescription]\nPTV = nan', "a number above 0"),
        ('goals = ["PTV D95% >= 50 Gy"]\nprescription = 50', "[prescription] is a table"),
        ('goals = ["Core Dmax <= 160 Gy"]\n[prescription]\nPTV = 50', "more than 3 times the prescription"),
        ('[structures]\nCore = ["x"]\ngoals = ["Core Dmax <= 40 Gy"]', "line 3: goals stands in [structures]"),
        ('goals = ["Core Dmax <= 40 Gy"]\n[structures]\ntitle = "x"', "line 3: title stands in [structures]"),
        ('goals = ["Core Dmax <= 40 Gy"]\n[structures]\nA = ["x"]\nB = ["X "]', "'X ' is a name of both A and B"),
        ('goals = ["Core Dmax <= 40 Gy"]\n[structures]\nA = [1]', "a list of texts"),
        ('goals = ["Core Dmax <= 40 Gy"]\nfractions = "25"', "line 2: fractions must be a whole number from 1 to 100"),
        ('goals = ["Core Dmax <= 40 Gy"]\nfractions = 0', "from 1 to 100"),
        ('goals = ["Core Dmax <= 40 Gy"]\ntitle = 3', "line 2: title is a text"),
        ('goals = ["Core Dmax <= 40 Gy"]\noptional = 1', "optional must be true or false"),
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


def test_priorities_are_those_that_the_loss_tells_apart() -> None:
    assert [parse_goal(f"PTV D95% >= 50 Gy, priority {n}").priority for n in (1, 2, 3, 4)] == [1, 2, 3, 4]
    for text in ('"PTV D95% >= 50 Gy, priority 9"', '{ goal = "PTV D95% >= 50 Gy", priority = 5 }'):
        message = refusal(f"goals = [{text}]")
        assert "no priority '" in message
        assert "from 1 (most important) to 4; write 1, 2, 3 or 4, which count 27, 9, 3 and 1" in message


def test_names_from_a_sheet_are_harmless() -> None:
    found = parse_sheet('title = "A <b>sheet</b>\\u001b[31m\\nwith lines"\ngoals = ["../../PTV ; rm D95% >= 50 Gy"]\n')
    assert found.title == "A <b>sheet</b> [31m with lines"
    assert found.goals[0].structure == "PTV _ rm"


def test_sheets_are_read_without_numpy() -> None:
    """`tgsci radiotherapy goals` answers at once."""
    code = "from tgsci_radiotherapy.goals import read_sheet, sheet_names; [read_sheet(n) for n in sheet_names()]"
    check = "import sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", f"{code}; {check}"], timeout=60).returncode == 0
