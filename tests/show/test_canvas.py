"""matplotlib figures as notebooks and files have them."""

from __future__ import annotations

import io
import sys
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip("matplotlib")

from PIL import Image

from tgsci.show.canvas import NotebookFigure, label, png, svg


@pytest.fixture
def figure():
    figure = NotebookFigure(figsize=(2, 1))
    ax = figure.add_subplot()
    ax.plot([1, 2], [3, 1], label=label("<script>$x^{</script>"))
    ax.legend()
    return figure


def test_a_notebook_gets_a_small_picture_and_pyplot_is_left_alone(figure):
    before = sys.modules.get("matplotlib.pyplot")
    picture = Image.open(io.BytesIO(figure._repr_png_()))
    assert (picture.size, picture.mode) == ((200, 100), "P")
    assert sys.modules.get("matplotlib.pyplot") is before
    assert Image.open(io.BytesIO(png(figure, dpi=50))).size == (100, 50)


def test_an_svg_is_whole_the_same_every_time_and_nothing_in_it_acts(figure):
    first = svg(figure)
    assert svg(figure) == first
    assert not [element for element in ET.fromstring(first).iter() if str(element.tag).endswith("script")]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("run", "run"), ("_x", "x"), ("$x^{", r"\$x^{"), ("a\n\x1bb", "a b"), ("", "-"), ("yy" * 25, "y" * 37 + "...")],
)  # fmt: skip
def test_a_name_is_no_formula_and_never_left_out(name, shown):
    assert label(name) == shown
