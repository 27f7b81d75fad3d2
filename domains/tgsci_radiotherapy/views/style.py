"""How the plots of plans look: one colour a structure, readable for the colour-blind, on paper and on a projector."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure

from ..notice import NOTICE

if TYPE_CHECKING:
    from ..case.model import Case

#: Colours that stay apart for the colour-blind: those of Okabe and Ito, then darker ones of Tol.
_TARGETS = ("#d55e00", "#cc79a7", "#882255", "#aa4499")
_ORGANS = ("#0072b2", "#009e73", "#56b4e9", "#332288", "#999933", "#e69f00", "#117733", "#661100", "#44aa99", "#6f4e9c")
_EXTERNAL = "#6b7280"
INK, QUIET, GRID = "#1f2933", "#5f6b7a", "#d9dee4"


class ShownFigure(Figure):
    """A figure that shows itself in Jupyter without pyplot, which would keep every figure alive."""

    #: Dots an inch of the picture in a notebook; small, since a notebook keeps every one of them.
    shown_dpi = 90

    def _repr_png_(self) -> bytes:
        return png(self, self.shown_dpi, 128)


def colours(case: Case) -> dict[str, str]:
    """Choose a colour for each structure of a case: warm ones for targets, grey for the body.

    Args:
        case: Its structures in their order; the same case always gets the same colours.
    """
    chosen: dict[str, str] = {}
    numbers = {"target": 0, "oar": 0}
    for structure in case.structures:
        if structure.type == "external":
            chosen[structure.name] = _EXTERNAL
            continue
        palette = _TARGETS if structure.type == "target" else _ORGANS
        chosen[structure.name] = palette[numbers[structure.type] % len(palette)]
        numbers[structure.type] += 1
    return chosen


def label(text: str, longest: int = 40) -> str:
    """Make a name from outside safe for matplotlib: one line, no formula, never left out of a legend."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line if len(line) <= longest else f"{line[: longest - 3]}..."
    return line.replace("$", r"\$").lstrip("_") or "-"


def caption(figure: Figure, parts: Iterable[str], width: int = 150) -> None:
    """Write below a plot what it rests on, and that it is not for clinical use."""
    text = "  ·  ".join([*(part for part in parts if part), NOTICE])
    lines = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
    figure.supxlabel(lines, fontsize=7.5, color=QUIET, x=0.01, ha="left")


def png(figure: Figure, dpi: int = 150, colours: int = 0) -> bytes:
    """Draw a figure as PNG.

    Args:
        figure: Any of this package's.
        dpi: Dots an inch.
        colours: Of the picture, at most; fewer make it smaller. As many as it has where 0.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": "tgsci"})
    if not colours:
        return buffer.getvalue()
    from PIL import Image

    small = io.BytesIO()
    # An octree keeps rare colours apart, such as those of two structures; a median cut may merge them.
    few = (
        Image.open(buffer).convert("RGB").quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    )
    few.save(small, format="png", optimize=True)
    return small.getvalue()


def svg(figure: Figure) -> str:
    """Draw a figure as SVG, its letters as paths: nothing in it can act, and it looks the same everywhere.

    Args:
        figure: Any of this package's.
    """
    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "tgsci"}):  # the same figure, the same text
        figure.savefig(buffer, format="svg", facecolor="white", metadata={"Date": None, "Creator": "tgsci"})
    return buffer.getvalue()
