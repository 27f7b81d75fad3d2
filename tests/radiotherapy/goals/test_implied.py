"""What a sheet implies: the goals that are added to it, those that are not, and how they are counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.goals.sheets import CSHAPE
from tgsci.errors import UsageError
from tgsci_radiotherapy.case.library import open_case
from tgsci_radiotherapy.case.model import Structure, own_rows
from tgsci_radiotherapy.goals import evaluate, parse_sheet, read_sheet
from tgsci_radiotherapy.goals.goal import IMPLIED_PRIORITY, parse_goal


def implied(*goals: str, case=None, more: str = "") -> dict[str, float]:
    text = f"{more}\ngoals = {list(goals)!r}".replace("'", '"')
    bound = parse_sheet(text, "mine").bind(case or small_case())
    return {f"{g.name} {g.comparison}": g.limit for g in bound.goals if g.implied}


def test_a_sheet_of_one_minimum_implies_the_rest() -> None:
    case = small_case()
    cc = case.structure("PTV").volume_cc
    found = implied("PTV D95% >= 50 Gy")
    assert found == {
        "PTV D98% >=": 47.5,
        "PTV D2% <=": 53.5,
        "[external] - [targets] D0.03cc <=": 53.5,
        "[external] - [targets] V50Gy[cc] <=": pytest.approx(len(case.structure("PTV").voxels) * 0.064 / 2, rel=1e-3),
        "ring([targets], 10 mm, 20 mm) Dmean <=": 35.0,
        "ring([targets], 20 mm, 30 mm) Dmean <=": 25.0,
        "PTV CI >=": 0.7,
    }
    assert cc > 0


def test_what_the_sheet_says_itself_is_not_implied() -> None:
    found = implied(
        "PTV D99% >= 40 Gy",
        "PTV D1% <= 56 Gy",
        "PTV CI >= 0.3",
        "[external] - [targets] D0.03cc <= 52 Gy",
        "ring(PTV, 3 mm, 13 mm) Dmean <= 40 Gy",
        "[external] - [targets] V50Gy <= 1 cc",
    )
    assert found == {}
    assert "[external] - [targets] D0.03cc <=" in implied("PTV D95% >= 50 Gy", "[external] Dmax <= 60 Gy")
    # Goals that would contradict the sheet's own are left out.
    assert "PTV D2% <=" not in implied("PTV D50% >= 54 Gy", "PTV D98% >= 50 Gy")


def test_lower_targets_have_an_upper_side() -> None:
    case = open_case("headneck")
    found = {g.name: g for g in read_sheet("headneck-70-63-56").bind(case).goals if g.implied}
    assert found["PTV63 D50%"].limit == 66.15
    assert found["PTV56 D50%"].limit == 58.8
    assert found["PTV63 - (PTV70 + 10 mm) D5%"].limit == 69.3
    assert found["PTV56 - ((PTV70 | PTV63) + 10 mm) D5%"].limit == 61.6
    assert all(g.priority == IMPLIED_PRIORITY for g in found.values())
    assert all(g.note for g in found.values()), "each says where it comes from"
    assert "PTV70 D50%" not in found


def test_a_lower_target_that_holds_a_higher_one_is_looked_at_without_it() -> None:
    case = small_case()
    outer = Structure(
        "PTV40", "target", np.flatnonzero(case.mask("ring(PTV, 0 mm, 8 mm) | PTV")).astype(np.int32), 1, 40.0
    )
    structures = (*case.structures[:2], outer, case.structures[2])
    voxels, owners = own_rows(structures, case.grid)
    nested = replace(case, structures=structures, voxels=voxels, owners=owners)
    found = implied("PTV D95% >= 50 Gy", case=nested)
    assert found["PTV40 - PTV D50% <="] == 42.0
    assert "PTV40 D50% <=" not in found


def test_the_switch_leaves_the_sheet_as_it_is_written() -> None:
    assert implied("PTV D95% >= 50 Gy", more="implied = false") == {}
    sheet = parse_sheet('implied = false\ngoals = ["PTV D95% >= 50 Gy"]')
    assert not sheet.implied
    assert parse_sheet(sheet.toml()).implied is False
    assert parse_sheet('goals = ["PTV D95% >= 50 Gy"]').fingerprint != sheet.fingerprint
    with pytest.raises(UsageError, match="implied"):
        parse_sheet('implied = "no"\ngoals = ["PTV D95% >= 50 Gy"]')
    with pytest.raises(UsageError, match="1 \\(most important\\) to 4"):
        parse_goal("PTV D95% >= 50 Gy, priority 5")


def test_regions_of_next_to_no_volume_are_left_out() -> None:
    """The case of sheets' tests is a line of voxels, less than 1 cc all together."""
    found = implied("PTV D95% >= 50 Gy", case=CSHAPE)
    assert found == {"PTV D98% >=": 47.5, "PTV D2% <=": 53.5, "PTV CI >=": 0.7}


def test_implied_goals_are_counted_apart_and_marked() -> None:
    case = small_case()
    bound = parse_sheet('goals = ["PTV D95% >= 50 Gy", "Core Dmean <= 60 Gy"]').bind(case)
    dose = np.full(case.dij.rows, 51.0, np.float32)
    table = evaluate(bound, case, dose)
    assert table.passed
    assert table.met == 2
    assert "2 of 2 met, and 3 of 7 implied" in table.text().replace("\n", " ")
    stored = table.as_dict()
    assert (stored["met"], stored["evaluated"], stored["implied"]) == (2, 2, {"met": 3, "evaluated": 7})
    (line,) = [text for text in table.text().splitlines() if text.startswith("PTV D2%")]
    assert line.split()[5] == "i"
    assert ">implied<" in table._repr_html_()
