"""Histograms and dose washes say what the doses say, and nothing in a name can act."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.cases import small_case, tiny_case
from tests.radiotherapy.views.doses import a_dose, words
from tgsci.errors import UsageError
from tgsci.show.canvas import png
from tgsci_radiotherapy.goals import evaluate, parse_sheet
from tgsci_radiotherapy.notice import NOTICE
from tgsci_radiotherapy.views.dvh_plot import dvh_figure, marks
from tgsci_radiotherapy.views.wash import dose_wash

SHEET = parse_sheet(
    """
implied = false
goals = ["PTV D95% >= 50 Gy", "PTV D2% <= 107%", "Core V20Gy <= 30%", "Core Dmean <= 15 Gy", "Core D1cc <= 30 Gy",
         "[external] Dmax <= 60 Gy", "PTV CV45Gy <= 5%", "Lens Dmax <= 5 Gy, optional"]
[prescription]
PTV = 50
"""
)


def test_the_curves_are_the_histograms() -> None:
    case, dose = small_case(), a_dose()
    (axes,) = dvh_figure(case, {"plan": dose}).axes
    curves = [line for line in axes.get_lines() if len(line.get_xdata()) > 10]
    assert len(curves) == 3
    for line, name in zip(curves, case.names, strict=True):
        own = dose[case.rows(name)]
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        assert (y[0], y[-1]) == (100.0, 0.0)
        assert (np.diff(y) <= 1e-9).all()
        assert x[-1] == pytest.approx(own.max())
        for at in (100, 200, 300):
            assert y[at] == pytest.approx(100 * np.mean(own >= np.float32(x[at])))


def test_every_plan_has_its_line_and_every_structure_its_colour() -> None:
    case = small_case()
    (axes,) = dvh_figure(case, {"after": a_dose(), "before": a_dose(0.9)}, structures=["PTV", "Core"]).axes
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) > 10]
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--", "--"]
    colours = [line.get_color() for line in lines]
    assert colours[:2] == colours[2:]
    assert len(set(colours)) == 2
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"PTV, 50 Gy", "Core", "prescription", "after", "before"} <= set(legend)


def test_goals_stand_where_the_curve_has_to_pass() -> None:
    case = small_case()
    bound = SHEET.bind(case)
    found = {(r.goal.structure, p.side): p for r, p in marks(case, evaluate(bound, case, a_dose()).results)}
    cc = len(case.structure("Core").voxels) * case.grid.voxel_cc
    expected = {
        ("PTV", ">"): (50.0, 95.0),  # D95% >= 50 Gy
        ("PTV", "<"): (53.5, 2.0),  # D2% <= 107% of 50 Gy
        ("Core", "v"): (20.0, 30.0),  # V20Gy <= 30%
        ("Core", "<"): (30.0, 100.0 / cc),  # D1cc <= 30 Gy
        ("Body", "<"): (60.0, 0.0),  # Dmax <= 60 Gy
        ("PTV", "^"): (45.0, 95.0),  # less than 5% gets less than 45 Gy: 95% gets it
    }
    assert found.keys() == expected.keys()  # the mean is no point, the lens is not there
    for key, point in expected.items():
        assert (found[key].dose, found[key].volume) == pytest.approx(point)


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.2, 1.5))
def test_a_mark_is_met_exactly_where_the_curve_passes_on_its_side(scale: float) -> None:
    case, dose = small_case(), a_dose(scale)
    for result, point in marks(case, evaluate(SHEET.bind(case), case, dose).results):
        own = dose[case.rows(result.goal.structure)].astype(float)
        covered = 100 * np.mean(own >= point.dose)
        if point.side in "^v":  # volumes are counted, so the histogram itself decides
            assert result.met == (covered >= point.volume if point.side == "^" else covered <= point.volume)
        elif abs(covered - point.volume) > 100 / len(own):  # doses are interpolated within one voxel
            assert result.met == (covered > point.volume if point.side == ">" else covered < point.volume)


def test_a_goal_on_a_structure_without_voxels_has_no_mark() -> None:
    case = tiny_case()
    gone = replace(case.structure("OAR"), name="Lens", voxels=np.zeros(0, np.int32))
    case = replace(case, structures=(*case.structures, gone))
    bound = parse_sheet('implied = false\ngoals = ["PTV Dmin >= 8 Gy", "Lens Dmax <= 1 Gy, optional"]').bind(case)
    dose = np.full(len(case.voxels), 9.0)
    assert [result.goal.name for result, _ in marks(case, evaluate(bound, case, dose).results)] == ["PTV Dmin"]


def test_the_grid_and_the_notice_stand_below_every_figure() -> None:
    case, dose = small_case(), a_dose()
    for figure in (dvh_figure(case, {"plan": dose}, SHEET.bind(case)), dose_wash(case, dose)):
        assert NOTICE in words(figure)
        assert f"dose grid {case.grid}" in words(figure)


@pytest.mark.parametrize(
    ("doses", "message"),
    [
        ({}, "at least one dose"),
        ({"plan": np.ones(3)}, "shape .* another case"),
        ({"plan": np.full(len(small_case().voxels), np.nan)}, "not finite"),
        ({str(i): a_dose() for i in range(5)}, "at most 4 plans"),
    ],
)
def test_what_cannot_be_drawn_is_named(doses: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        dvh_figure(small_case(), doses)
    with pytest.raises(UsageError, match="no structure 'Heart'"):
        dvh_figure(small_case(), {"plan": a_dose()}, structures=["Heart"])


def test_no_dose_at_all_is_drawn_too() -> None:
    nothing = np.zeros(len(small_case().voxels))
    assert png(dvh_figure(small_case(), {"nothing": nothing}, SHEET.bind(small_case()))).startswith(b"\x89PNG")
    assert png(dose_wash(small_case(), nothing)).startswith(b"\x89PNG")
