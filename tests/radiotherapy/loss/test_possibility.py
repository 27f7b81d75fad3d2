"""Which goals exclude each other on a case, in words."""

from __future__ import annotations

import pytest

from tests.radiotherapy.cases import small_case
from tgsci_radiotherapy.case.library import open_case
from tgsci_radiotherapy.goals import BoundSheet, parse_sheet
from tgsci_radiotherapy.loss.possibility import Possibility
from tgsci_radiotherapy.planner.recent import planner_of


def bound(*goals: str) -> BoundSheet:
    text = f"goals = {list(goals)!r}\n[prescription]\nPTV = 50".replace("'", '"')
    return parse_sheet(text, "mine").bind(small_case())


def ask(sheet: BoundSheet, seconds: float = 10.0):  # type: ignore[no-untyped-def]
    return Possibility(planner_of(small_case()), sheet.prescriptions, seconds).ask(sheet.goals)


@pytest.mark.slow
def test_goals_that_exclude_each_other_are_named_with_what_is_missing() -> None:
    """The core overlaps the target, so both cannot be; what else is asked for is left out of the proof."""
    sheet = bound(
        "PTV D98% >= 49 Gy",
        "Body D0.03cc <= 60 Gy",
        "Core Dmean <= 5 Gy, priority 2",
        "Body Dmean <= 40 Gy, priority 3",
    )
    answer = ask(sheet)
    assert [goal.criterion for goal in answer.conflict][-1] == "Core Dmean <= 5 Gy"
    assert "Body Dmean <= 40 Gy" not in [goal.criterion for goal in answer.conflict]
    assert answer.least > 5.2
    assert answer.ceiling is None
    sentence = answer.sentence()
    assert sentence.startswith("Proven: no fluence of these beams meets")
    assert "Core Dmean stays above" in sentence


def test_what_is_possible_is_not_called_impossible() -> None:
    answer = ask(bound("PTV D95% >= 45 Gy", "Core Dmean <= 45 Gy, priority 2", "Body D0.03cc <= 60 Gy"))
    assert not answer.conflict
    assert answer.possible
    assert "No proof" in answer.sentence()


@pytest.mark.slow
def test_without_a_limit_on_hot_spots_the_proof_names_the_dose_that_it_assumes() -> None:
    answer = ask(bound("PTV D99% >= 45 Gy", "Body V20Gy <= 0.5%, priority 2"))
    assert answer.conflict
    assert answer.ceiling == pytest.approx(75.0)
    assert "as long as no voxel gets more than 75 Gy" in answer.sentence()


def test_time_that_was_not_enough_is_said() -> None:
    answer = ask(bound("PTV D98% >= 49 Gy", "Core Dmean <= 5 Gy, priority 2"), seconds=0.0)
    assert not answer.conflict
    assert not answer.finished
    assert "Not decided" in answer.sentence()


@pytest.mark.slow
def test_a_relaxation_that_can_be_met_is_found_in_a_structure_of_thousands_of_voxels() -> None:
    case = open_case("cshape")
    goals = '["PTV D95% >= 50 Gy", "PTV D10% <= 55 Gy", "Core D10% <= 4 Gy"]'
    bound = parse_sheet(f"goals = {goals}\nimplied = false\n", "mine").bind(case)
    answer = Possibility(planner_of(case), bound.prescriptions).ask(bound.goals)
    assert answer.possible, answer.sentence()
