"""The picture of an import: every structure, letters, axes in mm, and all notes beside it, names escaped."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tgsci_radiotherapy import NOTICE
from tgsci_radiotherapy.case import Grid
from tgsci_radiotherapy.importers import Options
from tgsci_radiotherapy.importers.anatomy import settle
from tgsci_radiotherapy.importers.masks import Mask
from tgsci_radiotherapy.importers.patient import Patient, Region
from tgsci_radiotherapy.views.look import look_figure, look_page, write_look

GRID = Grid((8, 30, 30), (3.0, 4.0, 4.0), (-10.5, -58.0, -58.0))


@pytest.fixture(scope="module")
def looked():
    _, y, x = np.meshgrid(*GRID.axes(), indexing="ij")
    body = np.hypot(x, y) <= 45
    regions = (
        Region("PTV", "target", Mask.of(np.hypot(x + 16, y) <= 10), prescription=50.0),
        Region("Cord", "oar", Mask.of(np.hypot(x, y - 25) <= 8)),
        Region("BODY", "external", Mask.of(body)),
    )
    hu = np.where(body, 0, -1000).astype(np.int16)
    patient = Patient(
        "p", hu, GRID, regions, notes=("<script>alert(1)</script> is now Cord",), originals={"Cord": "<b>脊髄</b>"}
    )
    return patient, settle(patient, Options())


def test_a_row_for_each_target_and_one_for_the_body(looked):
    figure = look_figure(*looked)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == [
        "PTV: axial, z = -1.5 mm",
        "PTV: coronal, y = -2.0 mm",
        "PTV: sagittal, x = -18.0 mm",
        "BODY: axial, z = -1.5 mm",
        "BODY: coronal, y = -2.0 mm",
        "BODY: sagittal, x = -2.0 mm",
    ]
    axial = figure.axes[0]
    assert [text.get_text() for text in axial.texts] == ["R", "L", "A", "P"]
    assert (axial.get_xlabel(), axial.get_ylabel()) == ("x (mm)", "y (mm)")
    assert len(axial.get_xticks()) > 2
    # The patient's right is on the left, and the target lies there.
    low, high = axial.get_xlim()
    assert low < 0 < high
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words[0].startswith("PTV (target, 50 Gy): ")
    assert [word.split(" ")[0] for word in words] == ["PTV", "Cord", "BODY"]
    assert NOTICE in figure.get_supxlabel()


def test_the_page_has_every_note_and_nothing_acts(looked):
    page = look_page(*looked)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; is now Cord" in page
    assert "&lt;b&gt;脊髄&lt;/b&gt;" in page
    assert not re.search("<script|<b>", page)
    assert "default-src 'none'" in page
    assert NOTICE in page


@pytest.mark.slow
@pytest.mark.parametrize(("name", "head"), [("a.png", b"\x89PNG"), ("a.pdf", b"%PDF"), ("a.svg", b"<?xml")])
def test_each_kind_of_file(looked, tmp_path, name, head):
    write_look(tmp_path / name, *looked)
    assert (tmp_path / name).read_bytes().startswith(head)
