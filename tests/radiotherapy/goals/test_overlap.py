"""Goals that the targets alone forbid: which they are, the least that is left, and how it is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.goals.sheets import case_of, sheet
from tgsci_radiotherapy.case.model import Structure
from tgsci_radiotherapy.goals import Goal, evaluate
from tgsci_radiotherapy.goals.overlap import FALL_PER_MM, Floor


def bound_goal(text: str, inside: int, modality: str = "photons") -> tuple[Goal, tuple[str, ...]]:
    """A goal on an organ of 20 voxels in a line, 3 mm apart, the first of which lie in the target."""
    case = case_of(("PTV", "target", 50.0), ("Gland", "oar", None), ("Body", "external", None))
    gland = Structure("Gland", "oar", np.arange(20 - inside, 40 - inside, dtype=np.int32), 0.54)
    case = replace(case, structures=(case.structures[0], gland, case.structures[2]), modality=modality)
    bound = sheet(text).bind(case)
    return bound.goals[0], bound.notes


def test_an_overlap_that_alone_makes_the_mean_is_named_with_its_volume() -> None:
    goal, notes = bound_goal("Gland Dmean <= 20 Gy", 10, "protons")
    assert goal.forbidden
    assert goal.least == pytest.approx(0.95 * 50 * 10 / 20)
    assert notes == (
        "Gland Dmean <= 20 Gy cannot be met: of its 0.54 cc, 0.27 cc in PTV need the dose there, which alone makes it "
        "23.8 Gy or more.",
    )
    assert not bound_goal("Gland Dmean <= 24 Gy", 10, "protons")[0].forbidden


def test_beside_a_target_photons_fall_by_no_more_than_a_tenth_a_mm() -> None:
    goal, notes = bound_goal("Gland Dmean <= 24 Gy", 10)
    beside = [max(0.0, 1 - FALL_PER_MM * 3 * k) for k in range(1, 11)]
    assert goal.least == pytest.approx(47.5 * (10 + sum(beside)) / 20)
    assert "0.27 cc in PTV, and the rest lies so near" in notes[0]
    assert "a fall of 10% a mm" in notes[0]


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("Gland D0.1cc <= 40 Gy", 47.5),
        ("Gland Dmax <= 45 Gy", 47.5),
        ("Gland V40Gy <= 30%", 50.0),
        ("Gland V40Gy <= 0.1 cc", 0.27),
        ("Gland D0.1cc <= 48 Gy", None),
        ("Gland V40Gy <= 50%", None),
        ("Gland Dmean >= 10 Gy", None),
        ("PTV D2% <= 53 Gy", None),
        ("PTV HI <= 0.01", None),
    ],
)
def test_every_kind_of_goal_that_rises_with_dose(text: str, least: float | None) -> None:
    goal, _ = bound_goal(text, 10, "protons")
    assert goal.forbidden == (least is not None)
    if least is not None:
        assert goal.least == pytest.approx(least)


def test_a_plan_that_treats_the_target_is_never_below_the_floor() -> None:
    """The floor of a phantom under its own plan, scaled to 95% in the coldest voxel of the target."""
    from tgsci_radiotherapy.goals import default_parameters
    from tgsci_radiotherapy.planner import Planner

    case = small_case()
    goals = sheet("PTV D95% >= 50 Gy", "Core Dmean <= 10 Gy")
    dose = Planner(case).solve(default_parameters(case, goals)).dose.astype(float)
    dose *= 0.95 * 50 / dose[case.rows("PTV")].min()
    floor = Floor(case, {"PTV": 50.0})
    core = case.rows("Core")
    assert floor.dose[core].mean() <= dose[core].mean()
    assert (floor.inside <= floor.dose).all()
    assert (floor.dose <= 0.95 * 50).all()


def test_a_forbidden_goal_is_marked_in_the_table() -> None:
    case = case_of(("PTV", "target", 50.0), ("Gland", "oar", None), ("Body", "external", None))
    gland = Structure("Gland", "oar", np.arange(5, 25, dtype=np.int32), 0.54)
    case = replace(case, structures=(case.structures[0], gland, case.structures[2]))
    table = evaluate(sheet("Gland Dmean <= 20 Gy").bind(case), case, np.full(len(case.voxels), 50.0))
    assert "0 of 1 met, 1 that the targets forbid" in " ".join(table.text().split())
    assert "fail, forbidden" in table.text()
    assert "cannot be met" in table.text()
    assert table.as_dict()["goals"][0]["forbidden"]
