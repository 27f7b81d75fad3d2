"""The dose on the image: where it lies, what its colours say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tests.radiotherapy.views.doses import a_dose, words
from tgsci.errors import UsageError
from tgsci.show.canvas import png
from tgsci_radiotherapy.case import open_case
from tgsci_radiotherapy.views.wash import axial_washes, dose_wash


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


@pytest.mark.slow
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


def test_axial_slices_go_from_one_end_of_the_targets_to_the_other() -> None:
    case = small_case()
    figure = axial_washes(case, a_dose(), title="a plan")
    places = [float(ax.get_title(loc="left").split("=")[1].split()[0]) for ax in figure.axes[:-1]]
    heights = case.grid.points(case.structure("PTV").voxels)[:, 0]
    assert places == sorted(places)
    assert heights.min() <= places[0] < places[-1] <= heights.max()
    assert "white 25 Gy (50%), black 47.5 Gy (95% of 50 Gy)" in words(figure)


@pytest.mark.slow
def test_each_level_of_targets_has_its_isodose() -> None:
    case = open_case("headneck")
    said = words(dose_wash(case, np.linspace(0.0, 75.0, len(case.voxels), dtype=np.float32)))
    assert "black 66.5 Gy (95% of 70 Gy), black dashed 59.85 Gy (95% of 63 Gy), black dotted 53.2 Gy" in said
