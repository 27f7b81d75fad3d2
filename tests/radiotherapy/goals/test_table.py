"""What a dose makes of goals: values, margins, status; the table; histograms; parameters to start from."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.radiotherapy.cases import tiny_case
from tests.radiotherapy.goals.tables import DOSE, table
from tgsci_radiotherapy.goals import GoalResult, evaluate, parse_sheet
from tgsci_radiotherapy.goals.goal import parse_goal


def test_a_table_by_hand() -> None:
    found = table(
        "PTV D50% >= 10 Gy, priority 2",
        "PTV Dmin >= 90%, tolerance 20%",
        "PTV Dmin >= 85%, tolerance 4%, priority 3".replace("Dmin", "D100%"),
        "OAR Dmean <= 3 Gy",  # 8 4 2 1: voxel 3 counts though the PTV owns it
        "OAR V4Gy <= 1 cc",
        "PTV CI >= 0.7",
        "[external] Dmax <= 110%",
    )
    rows = {r.goal.name: r for r in found.results}
    assert (rows["PTV D50%"].value, rows["PTV D50%"].margin, rows["PTV D50%"].status) == (10.0, 0.0, "pass")
    assert (rows["PTV Dmin"].value, rows["PTV Dmin"].margin, rows["PTV Dmin"].status) == (8.0, -1.0, "tolerance")
    assert rows["PTV D100%"].status == "fail"
    assert (rows["OAR Dmean"].value, rows["OAR Dmean"].margin) == (3.75, -0.75)
    assert (rows["OAR V4Gy[cc]"].value, rows["OAR V4Gy[cc]"].margin) == (2.0, -1.0)
    assert rows["PTV CI"].value == pytest.approx(2.0**2 / (4 * 2))  # 10 and 11 of the PTV get 10 Gy, and no other
    assert (rows["Body Dmax"].value, rows["Body Dmax"].margin) == (11.0, pytest.approx(0.0, abs=1e-12))
    assert found.met == 2
    assert not found.passed
    assert not found.acceptable
    assert [r.goal.name for r in found.shortfalls()] == ["OAR V4Gy[cc]", "PTV CI", "OAR Dmean", "PTV Dmin", "PTV D100%"]
    assert rows["OAR Dmean"].shortfall == 0.75
    assert rows["PTV D50%"].shortfall == 0.0


def test_tolerance_is_acceptable_but_not_passed() -> None:
    found = table("PTV Dmin >= 9 Gy, tolerance 1 Gy")
    assert (found.passed, found.acceptable, found.met) == (False, True, 0)
    assert "tolerance 1 Gy" in found.text()
    assert table("PTV Dmin >= 8 Gy").passed


def test_what_cannot_be_evaluated_is_not_counted_and_passes_only_where_it_is_optional() -> None:
    goals = ("PTV Dmin >= 8 Gy", "Cord Dmax <= 1 Gy, optional")
    found = table(*goals)
    assert [r.status for r in found.results] == ["pass", "not evaluated"]
    assert math.isnan(found.results[1].value)
    assert found.passed
    assert "not in the case, so not evaluated: Cord" in found.text()
    undefined = table(*goals, "OAR HI <= 0.1", dose=DOSE * (np.arange(12) < 4))  # 0/0: only its hottest voxel has dose
    assert [r.status for r in undefined.results] == ["pass", "not evaluated", "not evaluated"]
    assert "not evaluated: there is no dose" in undefined.text()
    assert not undefined.passed
    assert not undefined.acceptable


def test_the_text_fits_a_terminal_and_shows_small_margins() -> None:
    found = table("PTV Dmin >= 8.004 Gy", "OAR V4Gy <= 100 cc", "PTV HI <= 0.1")
    text = found.text()
    assert text.splitlines()[0] == "GOALS mine on tiny, dose grid 10 x 10 x 10 mm: 1 of 3 met"
    assert "-0.004 Gy  fail" in text
    assert "+98.00 cc  pass" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_long_names_are_cut_and_figures_are_not() -> None:
    case = tiny_case()
    long = "Glnd_Submandibular_Left_Spared_X"
    case = replace(case, structures=tuple(replace(s, name=long) if s.name == "OAR" else s for s in case.structures))
    goals = f'notes-free Dmax <= 1 Gy, optional", "{long} V4.25Gy <= 12.25 cc, tolerance 1234.5 cc'
    found = evaluate(parse_sheet(f'goals = ["{goals}"]').bind(case), case, DOSE * 100)
    lines = found.text().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert any("V4.25Gy[cc] <= 12.25 cc" in line for line in lines)


def test_the_table_as_json_and_html() -> None:
    found = table("PTV Dmin >= 8 Gy", "Cord Dmax <= 1 Gy, optional")
    stored = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert stored["goals"][0]["value"] == 8.0
    assert stored["goals"][1]["value"] is None
    assert stored["grid"] == "10 x 10 x 10 mm"
    assert (stored["passed"], stored["met"], stored["evaluated"]) == (True, 1, 1)
    hostile = replace(found, case="<script>alert(1)</script>", notes=("<img src=x onerror=y>",))
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(hostile._repr_html_())
    assert set(tags) <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "p", "small"}
    assert "not for clinical use" in hostile._repr_html_()


@pytest.mark.parametrize(
    ("goal", "value", "text"),
    [
        ("PTV D95% >= 70 Gy", 69.99661, "69.997 Gy"),
        ("PTV D95% >= 70 Gy", 69.9999966, "69.999997 Gy"),
        ("PTV D95% >= 70 Gy", 70.004, "70.00 Gy"),
        ("PTV D1% <= 77 Gy", 77.0041, "77.004 Gy"),
        ("Core V20Gy <= 30%", 30.004, "30.004%"),
        ("PTV HI <= 0.12", 0.12003, "0.12003"),
        ("PTV HI <= 0.12", 0.11997, "0.120"),
    ],
)
def test_a_value_shows_on_which_side_of_the_limit_it_is(goal: str, value: float, text: str) -> None:
    result = GoalResult(parse_goal(goal), value, 1.0)
    assert result.value_text == text
    shown = float(text.removesuffix(" Gy").removesuffix("%"))
    assert (result.goal.margin(shown) >= 0) == result.met
