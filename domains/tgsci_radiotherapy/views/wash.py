"""Dose on the image: isodose wash with the structures' outlines on an axial, a coronal and a sagittal slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from tgsci.errors import UsageError
from tgsci.show.canvas import NotebookFigure, label

from .style import INK, QUIET, caption, colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..case.model import Case, Grid

#: Isodose levels, % of the prescription. Below the first the dose is not painted.
LEVELS = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100, 105, 110)
#: Isodose lines that are drawn over the wash, % of the prescription.
_LINES = {50: "#ffffff", 95: "#000000"}
#: Grey levels of the image: soft tissue, HU.
_WINDOW = (-250.0, 350.0)
#: Where there is no image.
_BACKGROUND = "#0b0f14"
#: Water, 0 HU, on these grey levels: mid-grey, as most of what the wash covers.
_WATER = (-_WINDOW[0] / (_WINDOW[1] - _WINDOW[0]),) * 3


@dataclass(frozen=True)
class _View:
    """One of the three planes: which axis is cut, which ones lie across and along, and what stands at the edges."""

    name: str
    cut: int
    down: int
    across: int
    letters: tuple[str, str, str, str]  # left, right, top, bottom
    flip: bool  # the patient's head is up


_VIEWS = (
    _View("axial", 0, 1, 2, ("R", "L", "A", "P"), flip=False),
    _View("coronal", 1, 0, 2, ("R", "L", "H", "F"), flip=True),
    _View("sagittal", 2, 0, 1, ("A", "P", "H", "F"), flip=True),
)
_AXES = "zyx"


def dose_wash(
    case: Case,
    dose: NDArray[np.floating] | None = None,
    slices: Mapping[str, float] | None = None,
    *,
    title: str = "",
    alpha: float = 0.62,
) -> NotebookFigure:
    """Draw the dose as a colour wash on the image, in three planes through the target.

    Colours are isodose bands in % of the highest prescription, with the Gy beside them; lines stand at 50% (white) and
    95% (black). Axial slices are seen from the feet: the patient's right is on the left.

    Args:
        case: What the dose is of.
        dose: Total Gy by row of the case; None for the image and the structures alone.
        slices: Where to cut, mm: any of "z", "y", "x"; the middle of the target with the highest prescription where
            it is not said.
        title: Above the planes.
        alpha: How much of the wash covers the image, 0 to 1.

    Raises:
        UsageError: The dose is of another case, or a slice lies outside the dose grid.
    """
    painted = dose is not None
    dose = np.zeros(len(case.voxels), np.float32) if dose is None else np.asarray(dose)
    if dose.shape != (len(case.voxels),):
        raise UsageError(
            f"the dose has shape {dose.shape}, but the case {case.name} has {len(case.voxels)} rows; of a cube take "
            "case.by_row(cube)"
        )
    cube = case.cube(dose)
    where = _cuts(case, slices or {})
    reference = case.prescription or float(cube.max()) or 1.0
    widths = [_extent(case.grid, view.across) for view in _VIEWS]
    height = max(_extent(case.grid, view.down) for view in _VIEWS) * 10.2 / sum(widths) + 1.15
    figure = NotebookFigure(figsize=(12.0, min(max(height, 3.6), 7.5)), layout="constrained")
    axes = figure.subplots(1, 3, width_ratios=widths)
    colour = colours(case)
    mesh: Any = None
    for view, ax in zip(_VIEWS, axes, strict=True):
        mesh = _plane(ax, case, cube, view, where[view.cut], reference, colour, alpha)
    if painted:
        behind = _WATER if case.ct is not None else to_rgb(_BACKGROUND)
        bands = _blended(mesh.cmap, behind, alpha)
        _colour_bar(figure, ScalarMappable(mesh.norm, bands), list(axes), reference, bool(case.prescription))
    lines = [Line2D([], [], color=colour[s.name], lw=2.2, label=label(s.name, 20)) for s in case.structures]
    figure.legend(
        handles=lines,
        loc="outside upper right",
        ncols=min(len(lines), 5 if len(lines) > 7 else 7),
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
    )
    if title:
        figure.suptitle(label(title, 40), x=0.008, ha="left", fontsize=11, color=INK)
    image = "" if case.ct is not None else "no image in this case"
    lined = "lines: 50% white, 95% black" if painted else ""
    caption(figure, [f"{label(case.name)}: dose grid {case.grid}, {case.fractions} fractions", lined, image], 170)
    return figure


def _plane(
    ax: Axes,
    case: Case,
    cube: NDArray[np.float32],
    view: _View,
    at: float,
    reference: float,
    colour: Mapping[str, str],
    alpha: float,
) -> Any:
    ax.set_facecolor(_BACKGROUND)
    _image(ax, case, view, at)
    plane, extent = _cut(cube, case.grid, view, at)
    levels = np.array(LEVELS) / 100.0 * reference
    cmap, norm = _colour_map(levels)
    fine = _finer(plane)
    visible = np.where(fine < levels[0], np.nan, fine)
    mesh = ax.imshow(
        visible, cmap=cmap, norm=norm, extent=extent, origin="upper", alpha=alpha, interpolation="nearest", zorder=2
    )
    across, down = _centres(case.grid, view)
    for percent, line in _LINES.items():
        if plane.min() < percent / 100 * reference < plane.max():
            ax.contour(*_pixels(fine, extent), fine, [percent / 100 * reference], colors=line, linewidths=0.8, zorder=3)
    for structure in reversed(case.structures):
        mask = np.zeros(case.grid.size, np.float32)
        mask[structure.voxels] = 1.0
        outline, _ = _cut(mask.reshape(case.grid.shape), case.grid, view, at)
        if outline.max() > 0:
            quiet = structure.type == "external"
            outline = np.pad(outline, 1)  # an outline that touches the edge of the grid is closed there
            ax.contour(
                _padded(across), _padded(down), outline, [0.5], colors=colour[structure.name],
                linewidths=1.0 if quiet else 1.9, zorder=4,
                path_effects=None if quiet else [withStroke(linewidth=3.0, foreground="#ffffffb0")],
            )  # fmt: skip
    _letters(ax, view)
    ax.set_title(f"{view.name}, {_AXES[view.cut]} = {at:.1f} mm", fontsize=9, color=QUIET, loc="left")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlim(extent[0], extent[1])
    ax.set_ylim(extent[2], extent[3])
    ax.set_aspect("equal")
    return mesh


def _cuts(case: Case, wanted: Mapping[str, float]) -> tuple[float, float, float]:
    """Choose where to cut along z, y and x, mm, each on a plane of voxels."""
    unknown = [key for key in wanted if key not in _AXES]
    if unknown:
        raise UsageError(f"slices may say z, y and x (mm), not {unknown[0]!r}")
    middle = np.asarray(case.grid.origin) + np.asarray(case.grid.spacing) * (np.asarray(case.grid.shape) - 1) / 2
    targets = [s for s in case.targets if len(s.voxels)]
    if targets:
        points = case.grid.points(targets[0].voxels)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
    cuts = []
    for i, axis in enumerate(case.grid.axes()):
        at = float(wanted.get(_AXES[i], middle[i]))
        half = case.grid.spacing[i] / 2
        if not axis[0] - half <= at <= axis[-1] + half:
            raise UsageError(
                f"a slice at {_AXES[i]} = {at:g} mm lies outside the dose grid, {axis[0]:g} to {axis[-1]:g} mm"
            )
        cuts.append(float(axis[int(np.argmin(np.abs(axis - at)))]))
    return cuts[0], cuts[1], cuts[2]


def _cut(
    cube: NDArray[Any], grid: Grid, view: _View, at: float
) -> tuple[NDArray[Any], tuple[float, float, float, float]]:
    """Take the plane of a cube nearest to a place, head or front up, and its edges (left, right, bottom, top), mm."""
    axis = grid.axes()[view.cut]
    plane = np.take(cube, int(np.argmin(np.abs(axis - at))), axis=view.cut)
    across, down = grid.axes()[view.across], grid.axes()[view.down]
    dx, dy = grid.spacing[view.across] / 2, grid.spacing[view.down] / 2
    left, right = float(across[0] - dx), float(across[-1] + dx)
    if view.flip:
        return plane[::-1], (left, right, float(down[0] - dy), float(down[-1] + dy))
    return plane, (left, right, float(down[-1] + dy), float(down[0] - dy))


def _centres(grid: Grid, view: _View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the places of the pixels of `_cut`, mm."""
    down = grid.axes()[view.down]
    return grid.axes()[view.across], down[::-1] if view.flip else down


def _finer(plane: NDArray[Any]) -> NDArray[Any]:
    """Interpolate a plane to four times as many pixels each way, so that bands have no steps."""
    for axis in (0, 1):
        n = plane.shape[axis]
        at = np.clip((np.arange(4 * n) + 0.5) / 4 - 0.5, 0, n - 1)
        low = np.minimum(at.astype(np.int64), max(n - 2, 0))
        share = (at - low).reshape([-1 if i == axis else 1 for i in (0, 1)])
        upper = np.minimum(low + 1, n - 1)
        plane = np.take(plane, low, axis) * (1 - share) + np.take(plane, upper, axis) * share
    return plane


def _pixels(
    plane: NDArray[Any], extent: tuple[float, float, float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the places of an image's pixels between its edges, mm."""
    (rows, columns), (left, right, bottom, top) = plane.shape, extent
    across = left + (np.arange(columns) + 0.5) / columns * (right - left)
    return across, top + (np.arange(rows) + 0.5) / rows * (bottom - top)


def _padded(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    step = axis[1] - axis[0] if len(axis) > 1 else 1.0
    return np.concatenate([[axis[0] - step], axis, [axis[-1] + step]])


def _extent(grid: Grid, axis: int) -> float:
    return grid.spacing[axis] * grid.shape[axis]


def _image(ax: Axes, case: Case, view: _View, at: float) -> None:
    if case.ct is None or case.ct_grid is None:
        return
    plane, extent = _cut(case.ct, case.ct_grid, view, at)
    low, high = _WINDOW
    ax.imshow(
        plane, cmap="gray", vmin=low, vmax=high, extent=extent, origin="upper", interpolation="bilinear", zorder=1
    )


def _colour_map(levels: NDArray[np.float64]) -> tuple[Colormap, BoundaryNorm]:
    """Make bands that grow lighter with the dose, in grey too; from 105% on they turn red, as a warning."""
    bands = len(levels)
    cool = colormaps["viridis"](np.linspace(0.08, 1.0, bands - 2))
    colour = [*cool, to_rgba("#f58518"), to_rgba("#c1121f")]
    return ListedColormap(colour[: bands - 1]).with_extremes(over=colour[-1]), BoundaryNorm(levels, bands - 1)


def _blended(cmap: Colormap, behind: tuple[float, float, float], alpha: float) -> Colormap:
    """Blend the bands with the grey that they cover, so that the bar has the colours of the picture."""
    bands = len(LEVELS)
    pure = np.vstack([cmap(np.arange(bands - 1))[:, :3], cmap.get_over()[:3]])
    seen = alpha * pure + (1.0 - alpha) * np.asarray(behind)
    return ListedColormap(list(seen[:-1])).with_extremes(over=tuple(seen[-1]))


def _colour_bar(figure: Figure, seen: ScalarMappable, axes: list[Axes], reference: float, prescribed: bool) -> None:
    bar = figure.colorbar(seen, ax=axes, extend="max", spacing="uniform", shrink=0.94, pad=0.012, aspect=26)
    gray = [percent / 100 * reference for percent in LEVELS]
    bar.set_ticks(gray)
    bar.ax.set_yticklabels([f"{dose:.1f} Gy   {percent}%" for dose, percent in zip(gray, LEVELS, strict=True)])
    bar.ax.tick_params(labelsize=8, length=2, colors=INK)
    what = f"% of {reference:g} Gy" if prescribed else f"% of the maximum, {reference:g} Gy"
    bar.ax.set_title(what, fontsize=8, color=QUIET, loc="left")


def _letters(ax: Axes, view: _View) -> None:
    places = ((0.015, 0.5, "left", "center"), (0.985, 0.5, "right", "center"), (0.5, 0.985, "center", "top"),
              (0.5, 0.015, "center", "bottom"))  # fmt: skip
    for letter, (x, y, ha, va) in zip(view.letters, places, strict=True):
        ax.text(
            x, y, letter, ha=ha, va=va, transform=ax.transAxes, fontsize=9, color="white", fontweight="bold",
            path_effects=[withStroke(linewidth=1.8, foreground="#0b0f14")], zorder=6,
        )  # fmt: skip
