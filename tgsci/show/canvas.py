"""matplotlib figures: how they show themselves, how they are written, and names from outside on them."""

from __future__ import annotations

import io

from matplotlib import rc_context
from matplotlib.figure import Figure

from ..basics.texts import one_line


class NotebookFigure(Figure):
    """A figure that shows itself in Jupyter without pyplot, which would keep every figure alive."""

    #: Dots an inch of the picture in a notebook; small, since a notebook keeps every one of them.
    notebook_dpi = 100

    def _repr_png_(self) -> bytes:
        return png(self, self.notebook_dpi, 128)


def png(figure: Figure, dpi: int = 150, colours: int = 0) -> bytes:
    """Draw a figure as PNG.

    Args:
        figure: Any.
        dpi: Dots an inch.
        colours: Of the picture, at most; fewer make it smaller. As many as it has where 0.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": "tgsci"})
    if not colours:
        return buffer.getvalue()
    from PIL import Image

    # An octree keeps rare colours apart, such as those of two structures; a median cut may merge them.
    whole = Image.open(buffer).convert("RGB")
    few = whole.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small = io.BytesIO()
    few.save(small, format="png", optimize=True)
    return small.getvalue()


def svg(figure: Figure) -> str:
    """Draw a figure as SVG, its letters as paths: nothing in it can act, and it looks the same everywhere.

    Args:
        figure: Any.
    """
    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "tgsci"}):  # the same figure, the same text
        figure.savefig(buffer, format="svg", facecolor="white", metadata={"Date": None, "Creator": "tgsci"})
    return buffer.getvalue()


def label(text: str, longest: int = 40) -> str:
    """Make a name from outside safe for matplotlib: one line, no formula, never left out of a legend.

    Args:
        text: The name; of a longer one its start.
        longest: Characters.
    """
    line = one_line(text)
    line = line if len(line) <= longest else f"{line[: longest - 3]}..."
    return line.replace("$", r"\$").lstrip("_") or "-"
