"""Histograms and dose washes say what the doses say, and nothing in a name can act."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.cases import small_case, tiny_case
from tgsci.errors import UsageError
from tgsci_radiotherapy.goals import evaluate, parse_sheet
from tgsci_radiotherapy.notice import NOTICE
from tgsci_radiotherapy.views.dvh_plot import dvh_figure, marks
from tgsci_radiotherapy.views.style import png, svg
from tgsci_radiotherapy.views.wash import dose_wash

SHEET = parse_sheet(
    """
goals = ["PTV D95% >= 50 Gy", "PTV D2% <= 107%", "Core V20Gy <= 30%", "Core Dmean <= 15 Gy", "Core D1cc <= 30 Gy",
         "[external] Dmax <= 60 Gy", "PTV CV45Gy <= 5%", "Lens Dmax <= 5 Gy, optional"]
[prescription]
PTV = 50
"""
)


def a_dose(scale: float = 1.0) -> np.ndarray:
    """50 Gy around the target, falling off with distance."""
    case = small_case()
    points = case.grid.points(case.voxels)
    distance = np.linalg.norm(points - case.grid.points(case.structure("PTV").voxels).mean(axis=0), axis=1)
    return (scale * 52.0 * np.exp(-((distance / 40.0) ** 2))).astype(np.float32)


def words(figure: Any) -> str:
    """Everything that is written in a figure."""
    import matplotlib.text

    return "\n".join(t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text())


# -- histograms ------------------------------------------------------------------------------------------


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
    bound = parse_sheet('goals = ["PTV Dmin >= 8 Gy", "Lens Dmax <= 1 Gy, optional"]').bind(case)
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


# -- the dose on the image ---------------------------------------------------------------------------------


def painted(figure: Any, place: int) -> Any:
    """The wash of a plane as an image, and its edges."""
    image = figure.axes[place].get_images()[-1]
    return image.get_array(), image.get_extent()


def test_the_wash_lies_where_the_dose_is() -> None:
    """One hot corner of the body: to the patient's left, to the back, to the head."""
    case = small_case()
    points = case.grid.points(case.voxels)
    left, back, head = points[:, 2] > 0, points[:, 1] > 0, points[:, 0] > 0
    dose = np.where(left & back & head, 50.0, 0.0)
    figure = dose_wash(case, dose, {"z": 8.0, "y": 8.0, "x": 8.0})
    for place, letters in enumerate((("R", "L", "A", "P"), ("R", "L", "H", "F"), ("A", "P", "H", "F"))):
        array, (x0, x1, y0, y1) = painted(figure, place)
        rows, columns = np.nonzero(~(np.ma.getmaskarray(array) | np.isnan(np.asarray(array))))
        height, width = array.shape
        x = x0 + (columns.mean() + 0.5) / width * (x1 - x0)
        y = y1 + (rows.mean() + 0.5) / height * (y0 - y1)  # the first row is at the top
        assert x > 0
        assert y > 0
        low, high = figure.axes[place].get_ylim()
        assert (low > high) == (place == 0)  # the back is below, the head above
        said = [text.get_text() for text in figure.axes[place].texts]
        assert tuple(said) == letters


def test_slices_go_through_the_target_or_where_they_are_wanted() -> None:
    case = small_case()
    titles = [ax.get_title(loc="left") for ax in dose_wash(case, a_dose(), {"x": 13.0}).axes[:3]]
    middle = case.grid.points(case.structure("PTV").voxels)
    for title, axis, at in zip(titles, (0, 1, 2), (None, None, 13.0), strict=True):
        shown = float(title.partition("= ")[2].removesuffix(" mm"))
        wanted = (middle[:, axis].min() + middle[:, axis].max()) / 2 if at is None else at
        assert shown == pytest.approx(wanted, abs=case.grid.spacing[axis] / 2 + 0.06)
    with pytest.raises(UsageError, match="outside the dose grid"):
        dose_wash(case, a_dose(), {"z": 500.0})
    with pytest.raises(UsageError, match="not 'axial'"):
        dose_wash(case, a_dose(), {"axial": 0.0})


def test_the_colour_bar_is_in_gray_and_percent() -> None:
    labels = [text.get_text() for text in dose_wash(small_case(), a_dose()).axes[-1].get_yticklabels()]
    assert "47.5 Gy   95%" in labels
    assert "50.0 Gy   100%" in labels


def test_the_colour_bar_has_the_colours_that_the_picture_has() -> None:
    case = small_case()
    assert case.ct is not None
    water = replace(case, ct=np.zeros_like(case.ct))
    for made in (water, replace(case, ct=None, ct_grid=None)):
        figure = dose_wash(made, np.full(len(made.voxels), 53.5, np.float32))  # 107% everywhere
        figure.draw_without_rendering()
        (bar,) = (ax for ax in figure.axes if ax.get_yticklabels() and "Gy" in ax.get_yticklabels()[0].get_text())
        plane = figure.axes[0]
        pixels = np.asarray(_rendered(figure))[:, :, :3].astype(int)
        low, high = plane.get_window_extent().p0, plane.get_window_extent().p1
        x, y = (low + high) / 2 + 12
        seen = pixels[int(len(pixels) - y), int(x)]
        box = bar.get_window_extent()
        share = 11.5 / 12  # the bar's last band but the arrow
        shown = pixels[int(len(pixels) - (box.y0 + share * box.height)), int((box.x0 + box.x1) / 2)]
        assert np.abs(seen - shown).max() <= 3


def _rendered(figure: Any) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.buffer_rgba()


def test_a_case_without_an_image_or_prescription_is_drawn() -> None:
    case = tiny_case()
    plain = replace(case, structures=tuple(replace(s, prescription=None) for s in case.structures))
    figure = dose_wash(plain, np.linspace(0, 9, 12))
    assert png(figure).startswith(b"\x89PNG")
    assert "no image in this case" in words(figure)
    assert "% of the maximum, 9 Gy" in words(figure)


# -- as files ------------------------------------------------------------------------------------------------


def test_an_svg_is_whole_the_same_every_time_and_nothing_in_it_acts() -> None:
    case = small_case()
    hostile = r"<script>alert(1)</script> $\frac{1}{0}$ _x"
    figures = [dvh_figure(case, {hostile: a_dose(), "_hidden": a_dose(0.9)}, title=hostile) for _ in range(2)]
    first, second = (svg(figure) for figure in figures)
    assert first == second
    root = ET.fromstring(first)
    assert not [element for element in root.iter() if str(element.tag).endswith(("script", "foreignObject"))]
    assert not [key for element in root.iter() for key in element.attrib if key.lower().startswith("on")]
    legend = [text.get_text() for text in figures[0].axes[0].get_legend().get_texts()]
    assert any(text.startswith("hidden") for text in legend)  # a name with _ is not left out


def test_drawing_leaves_pyplot_alone() -> None:
    import sys

    before = sys.modules.get("matplotlib.pyplot")
    figure = dose_wash(small_case(), a_dose())
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert sys.modules.get("matplotlib.pyplot") is before
