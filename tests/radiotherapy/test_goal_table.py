"""What a dose makes of goals: values, margins, status; the table; histograms; parameters to start from."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tgsci.errors import UsageError
from tgsci_radiotherapy.goals import (
    GoalTable,
    Metric,
    default_parameters,
    dvh,
    evaluate,
    measure,
    parse_sheet,
    read_sheet,
    sheet_names,
)
from tgsci_radiotherapy.plan import PlanParameters

#: Rows of `tiny_case`: PTV voxels 0-3, OAR 4-6 (voxel 3 is shared), Body 7-11.
DOSE = np.array([9.0, 10.0, 11.0, 8.0, 4.0, 2.0, 1.0, 3.0, 0.0, 0.0, 0.0, 0.0])


def table(*goals: str, dose: np.ndarray = DOSE, more: str = "") -> GoalTable:
    text = f"goals = {list(goals)!r}\n{more}".replace("'", '"')
    case = tiny_case()
    return evaluate(parse_sheet(text, "mine").bind(case), case, dose)


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
    assert set(tags) <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
    assert "not for clinical use" in hostile._repr_html_()


@pytest.mark.parametrize(
    ("dose", "said"),
    [
        (DOSE[:-1], "has 12 rows"),
        (DOSE.reshape(3, 4), "has 12 rows"),
        (np.where(DOSE == 9.0, np.nan, DOSE), "1 voxels that are not finite"),
        (np.where(DOSE == 0.0, np.inf, DOSE), "4 voxels that are not finite"),
    ],
)
def test_a_dose_that_is_not_one_of_the_case(dose: np.ndarray, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        table("PTV Dmin >= 8 Gy", dose=dose)


def test_whole_numbers_are_doses_too() -> None:
    assert table("PTV Dmin >= 8 Gy", dose=DOSE.astype(int)).results[0].value == 8.0


def test_evaluating_together_is_evaluating_one_by_one() -> None:
    """The ranks of all goals on a structure are found at once; each figure is as if it were alone."""
    case = small_case()
    dose = np.random.default_rng(0).gamma(4.0, 10.0, case.dij.rows).astype(np.float32)
    goals = [
        f"{s} {m} <= {u}" for s in case.names for m, u in (("D95%", "299 Gy"), ("D2%", "299 Gy"), ("D0.3cc", "299 Gy"))
    ]
    goals += [
        "PTV HI <= 0.1",
        "PTV CI >= 0.1",
        "Core V20Gy <= 30%",
        "Body V20Gy <= 30 cc",
        "PTV Dmin >= 1 Gy",
        "PTV V95% >= 9%",
    ]
    bound = parse_sheet(f"goals = {goals!r}".replace("'", '"')).bind(case)
    for result in evaluate(bound, case, dose).results:
        assert result.value == measure(result.goal.metric, case, result.goal.structure, dose)


def test_histograms() -> None:
    case = tiny_case()
    gray, volume = dvh(case, DOSE, "OAR", bins=8)
    assert gray.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert volume.tolist() == [100.0, 100.0, 75.0, 50.0, 50.0, 25.0, 25.0, 25.0, 25.0]
    gray, volume = dvh(case, DOSE.astype(np.float32), "Body", bins=100, top=20.0)
    assert (len(gray), gray[-1], volume[-1]) == (101, 20.0, 0.0)
    assert (np.diff(volume) <= 0).all()
    for at, v in zip(gray[1:], volume[1:], strict=True):
        assert v == pytest.approx(Metric("VGy", float(at), "%").value(DOSE))
    with pytest.raises(UsageError, match="at least one step"):
        dvh(case, DOSE, "OAR", bins=0)
    with pytest.raises(UsageError, match="did you mean OAR"):
        dvh(case, DOSE, "OARs")


def test_a_histogram_of_nothing() -> None:
    case = tiny_case()
    gray, volume = dvh(case, np.zeros(12), "PTV", bins=4)
    assert gray.tolist() == [0.0] * 5
    assert volume.tolist() == [100.0] * 5


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


def test_every_sheet_of_the_package_is_evaluated_quickly() -> None:
    """A table belongs to every plan of a search: it must cost nothing beside the plan."""
    import time

    case = small_case()
    dose = np.random.default_rng(1).gamma(4.0, 10.0, case.dij.rows).astype(np.float32)
    bound = [read_sheet(name).bind(case) for name in sheet_names() if name != "prostate-70.2"]
    for sheet in bound:
        evaluate(sheet, case, dose)
    start = time.process_time()
    for sheet in bound:
        evaluate(sheet, case, dose)
    assert time.process_time() - start < 0.05
