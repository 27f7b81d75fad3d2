"""What an import made of a patient, to look at before it is planned on: every structure on slices, and all notes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from tgsci.basics.files import replacing, write_atomically
from tgsci.show.canvas import NotebookFigure, label, png
from tgsci.show.html import Cell, html_table, image

from ..case.model import Grid
from ..notice import NOTICE
from .slices import VIEWS, WINDOW, draw_image, draw_outline, extent, frame
from .style import INK, QUIET, caption, colours_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..importers.anatomy import Anatomy
    from ..importers.masks import Mask
    from ..importers.patient import Patient, Region
    from .slices import View

#: What can be written, by the file's ending.
KINDS = (".html", ".png", ".pdf", ".svg")
#: Most targets that get a row of slices of their own.
_MOST_ROWS = 6
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;color:#1f2933;margin:2em auto;max-width:78em;padding:0 1em}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .9em .25em 0;text-align:left;"
    "border-bottom:1px solid #d9dee4}img{max-width:100%}li{margin:.2em 0}"
)


def look_figure(patient: Patient, anatomy: Anatomy) -> NotebookFigure:
    """Draw all structures on the image as it was read: a row through each target, and one through the body's middle.

    Each row has an axial, a coronal and a sagittal slice, with axes in mm (DICOM's: x to the left, y to the back, z to
    the head). The body, and matter that is kept outside of it, have thin grey lines.

    Args:
        patient: As it was read; its image is drawn, before anything was made air.
        anatomy: What was made of it.
    """
    grid = anatomy.grid
    rows = _rows(anatomy)
    drawn = (*anatomy.matter, *anatomy.regions)
    colour = colours_of((one.name, one.type) for one in drawn)
    window = _window(anatomy)
    widths = [extent(window, view.across) for view in VIEWS]
    tall = max(extent(window, view.down) for view in VIEWS) * 11.0 / sum(widths) + 0.65
    figure = NotebookFigure(figsize=(13.0, min(tall * len(rows) + 1.3, 40.0)), layout="constrained")
    axes = figure.subplots(len(rows), 3, squeeze=False, width_ratios=widths)
    planes = [
        (ax, view, centre[view.cut], title)
        for line, (title, centre) in zip(axes, rows, strict=True)
        for view, ax in zip(VIEWS, line, strict=True)
    ]
    for ax, view, at, _ in planes:
        draw_image(ax, patient.hu, grid, view, at)
    for one in reversed(drawn):
        mask, quiet = one.mask.full(grid.shape), one.type not in ("target", "oar")
        for ax, view, at, _ in planes:
            draw_outline(ax, mask, grid, view, at, colour[one.name], quiet=quiet)
    for ax, view, at, title in planes:
        name = "zyx"[view.cut]
        frame(ax, window, view, at, f"{label(title, 24)}: {view.name}, {name} = {at:.1f} mm")
        _mm_axes(ax, view)
    handles = [
        Line2D([], [], color=colour[one.name], lw=2.2, label=_legend(one, grid))
        for one in (*anatomy.regions, *anatomy.matter)
    ]
    figure.legend(
        handles=handles, loc="outside upper left", ncols=min(len(handles), 5), frameon=False, fontsize=8.5,
        labelcolor=INK,
    )  # fmt: skip
    low, high = WINDOW
    caption(
        figure,
        [
            f"image: {grid}, window {low:g} to {high:g} HU",
            "R and L: the patient's right and left, A front, P back, H head, F feet",
        ],
        170,
    )
    return figure


def look_page(patient: Patient, anatomy: Anatomy) -> str:
    """Write the picture, a table of the structures and all notes as one page."""
    grid = anatomy.grid
    header = ("structure", "in the source", "type", Cell("drawn (cc)", figure=True), Cell("voxels (cc)", figure=True))
    rows = [
        (
            one.name,
            patient.originals.get(one.name, ""),
            one.type,
            Cell("" if one.volume_cc is None else f"{one.volume_cc:.1f}", figure=True),
            Cell(f"{one.mask.count * grid.voxel_cc:.1f}", figure=True),
        )
        for one in (*anatomy.regions, *anatomy.matter)
    ]
    notes = Markup("").join(Markup("<li>{}</li>").format(note) for note in (*patient.notes, *anatomy.notes))
    faults = Markup("").join(
        Markup("<p><strong>Before a plan can be made:</strong> {}</p>").format(fault) for fault in anatomy.faults
    )
    page = Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; style-src '
        "'unsafe-inline'\"><title>Structures</title><style>{}</style></head><body><h1>Structures as imported</h1>"
        "{}<h2>What the import added, cut, renamed, left out or overrode</h2><ul>{}</ul>{}{}<p>{}</p></body></html>"
    )
    picture = image(png(look_figure(patient, anatomy), 110), "structures on slices")
    table = Markup(html_table(header, rows))
    return str(page.format(Markup(_STYLE), faults, notes or Markup("<li>nothing</li>"), table, picture, NOTICE))


def write_look(path: Path, patient: Patient, anatomy: Anatomy) -> None:
    """Write the picture, or for .html the page, by the file's ending: one of `KINDS`."""
    kind = path.suffix.casefold()
    if kind == ".html":
        write_atomically(path, look_page(patient, anatomy))
        return
    with replacing(path) as temporary:
        look_figure(patient, anatomy).savefig(temporary, format=kind[1:], dpi=140, facecolor="white")


def _rows(anatomy: Anatomy) -> list[tuple[str, tuple[float, float, float]]]:
    """Choose where to cut: through the middle of each target, then of the body."""
    targets = sorted((s for s in anatomy.regions if s.type == "target"), key=lambda s: -(s.prescription or 0.0))
    rows = [(one.name, _middle(one.mask, anatomy.grid)) for one in targets[:_MOST_ROWS]]
    return [*rows, (anatomy.body.name, _middle(anatomy.body.mask, anatomy.grid))]


def _middle(mask: Mask, grid: Grid) -> tuple[float, float, float]:
    """Find the centre of a mask's box, on a plane that the mask has voxels in, (z, y, x), mm."""
    at = []
    for axis in range(3):
        counts = mask.inside.sum(axis=tuple(a for a in range(3) if a != axis))
        there = np.flatnonzero(counts)
        middle = there[int(np.argmin(np.abs(there - (len(counts) - 1) / 2)))]
        at.append(float(grid.origin[axis] + grid.spacing[axis] * (mask.corner[axis] + middle)))
    return at[0], at[1], at[2]


def _window(anatomy: Anatomy) -> Grid:
    """Cut the image's grid to what there is to see, with 10 mm around."""
    grid, seen = anatomy.grid, anatomy.seen
    first, count = [], []
    for axis in range(3):
        margin = int(np.ceil(10.0 / grid.spacing[axis]))
        low = max(0, seen.corner[axis] - margin)
        high = min(grid.shape[axis], seen.corner[axis] + seen.inside.shape[axis] + margin)
        first.append(low)
        count.append(high - low)
    origin = tuple(o + s * n for o, s, n in zip(grid.origin, grid.spacing, first, strict=True))
    return Grid((count[0], count[1], count[2]), grid.spacing, (origin[0], origin[1], origin[2]))


def _mm_axes(ax: Axes, view: View) -> None:
    """Give a plane its axes in mm, which slices of a plan go without."""
    for axis, place in ((ax.xaxis, view.across), (ax.yaxis, view.down)):
        axis.set_major_locator(MaxNLocator(5))
        axis.set_tick_params(labelsize=7, length=2.5, colors=QUIET)
        axis.set_label_text(f"{'zyx'[place]} (mm)", fontsize=7.5, color=QUIET)


def _legend(one: Region, grid: Grid) -> str:
    dose = f", {one.prescription:g} Gy" if one.prescription else ""
    return f"{label(one.name, 22)} ({one.type}{dose}): {one.mask.count * grid.voxel_cc:.1f} cc"
