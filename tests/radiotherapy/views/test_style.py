"""How plots look, and plots as files."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.views.doses import a_dose
from tgsci.show.canvas import svg
from tgsci_radiotherapy.views.dvh_plot import dvh_figure
from tgsci_radiotherapy.views.wash import dose_wash


def test_replacing_a_case_does_not_change_the_colours() -> None:
    from tgsci_radiotherapy.views.style import colours

    case = small_case()
    assert colours(case) == colours(replace(case, name="other"))
    assert len(set(colours(case).values())) == len(case.structures)


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
