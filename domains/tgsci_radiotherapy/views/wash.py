"""Dose on the image: isodose wash with the structures' outlines, in three planes or on axial slices through targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tgsci.errors import UsageError
from tgsci.show.canvas import NotebookFigure, label

from .slices import AXES, BACKGROUND, VIEWS, WINDOW, View, draw_image, draw_outline, frame, plane, whole
from .style import INK, QUIET, caption, colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..case.model import Case
    from .slices import Window

#: Isodose levels, % of the prescription. Below the first the dose is not painted.
LEVELS = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100, 105, 110)
#: Isodose lines that are drawn over the wash: 50% of the highest prescription, and 95% of each target's.
_HALF, _COVERED = 50.0, 95.0
_STYLES = ("solid", "dashed", "dotted")
#: What is shown beyond the lowest isodose, mm.
_MARGIN = 15.0
#: Axial slices side by side, at most.
_MOST = 4
#: Water, 0 HU, on the grey levels of images: mid-grey, as most of what the wash covers.
_WATER = (-WINDOW[0] / (WINDOW[1] - WINDOW[0]),) * 3


def dose_wash(
    case: Case,
    dose: NDArray[np.floating] | None = None,
    slices: Mapping[str, float] | None = None,
    *,
    title: str = "",
    alpha: float = 0.62,
) -> NotebookFigure:
    """Draw the dose as a colour wash on the image, in three planes through the target.

    Colours are isodose bands in % of the highest prescription, with the Gy beside them; lines stand at 50% of it
    (white) and at 95% of each target's prescription (black). Axial slices are seen from the feet: the patient's right
    is on the left. Shown is where there is dose.

    Args:
        case: What the dose is of.
        dose: Total Gy by row of the case; None for the image and the structures alone, all of it.
        slices: Where to cut, mm: any of "z", "y", "x"; the middle of the target with the highest prescription where
            it is not said.
        title: Above the planes.
        alpha: How much of the wash covers the image, 0 to 1.

    Raises:
        UsageError: The dose is of another case, or a slice lies outside the dose grid.
    """
    where = _cuts(case, slices or {})
    return _figure(case, dose, [(view, where[view.cut]) for view in VIEWS], title, alpha)


def axial_washes(
    case: Case, dose: NDArray[np.floating] | None = None, *, title: str = "", alpha: float = 0.62
) -> NotebookFigure:
    """Draw the dose on axial slices from the lowest to the highest end of the targets.

    Args:
        case: What the dose is of.
        dose: Total Gy by row of the case; None for the image and the structures alone.
        title: Above the slices.
        alpha: How much of the wash covers the image, 0 to 1.

    Raises:
        UsageError: The dose is of another case.
    """
    targets = [s.voxels for s in case.targets if len(s.voxels)]
    heights = case.grid.points(np.concatenate(targets))[:, 0] if targets else case.grid.axes()[0]
    wanted = np.quantile(np.unique(heights), np.linspace(0.1, 0.9, _MOST))
    axis = case.grid.axes()[0]
    places = sorted({float(axis[int(np.argmin(np.abs(axis - z)))]) for z in wanted})
    return _figure(case, dose, [(VIEWS[0], z) for z in places], title, alpha)


def _figure(
    case: Case, dose: NDArray[np.floating] | None, planes: Sequence[tuple[View, float]], title: str, alpha: float
) -> NotebookFigure:
    painted = dose is not None
    dose = np.zeros(len(case.voxels), np.float32) if dose is None else np.asarray(dose)
    if dose.shape != (len(case.voxels),):
        raise UsageError(
            f"the dose has shape {dose.shape}, but the case {case.name} has {len(case.voxels)} rows; of a cube take "
            "case.by_row(cube)"
        )
    cube = case.cube(dose)
    reference = case.prescription or float(cube.max()) or 1.0
    window = _window(case, cube, LEVELS[0] / 100.0 * reference) if painted else whole(case.grid)
    spans = [high - low for low, high in window]
    widths = [spans[view.across] for view, _ in planes]
    height = max(spans[view.down] for view, _ in planes) * 10.2 / sum(widths) + 1.15
    figure = NotebookFigure(figsize=(12.0, min(max(height, 3.6), 7.5)), layout="constrained")
    axes = figure.subplots(1, len(planes), width_ratios=widths, squeeze=False)[0]
    lines = _isodoses(case, reference) if painted else []
    mesh: Any = None
    for (view, at), ax in zip(planes, axes, strict=True):
        mesh = _plane(ax, case, cube, view, at, reference, lines, alpha)
        frame(ax, case.grid, view, at, window=window)
    if painted:
        behind = _WATER if case.ct is not None else to_rgb(BACKGROUND)
        bands = _blended(mesh.cmap, behind, alpha)
        _colour_bar(figure, ScalarMappable(mesh.norm, bands), list(axes), reference, bool(case.prescription))
    colour = colours(case)
    entries = [Line2D([], [], color=colour[s.name], lw=2.2, label=label(s.name, 20)) for s in case.structures]
    figure.legend(
        handles=entries,
        loc="outside upper right",
        ncols=min(len(entries), 5 if len(entries) > 7 else 7),
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
    )
    if title:
        figure.suptitle(label(title, 40), x=0.008, ha="left", fontsize=11, color=INK)
    image = "" if case.ct is not None else "no image in this case"
    lined = f"lines: {', '.join(words for _, _, _, words in lines)}" if lines else ""
    caption(figure, [f"{label(case.name)}: dose grid {case.grid}, {case.fractions} fractions", lined, image], 170)
    return figure


def _window(case: Case, cube: NDArray[np.float32], least: float) -> Window:
    """Choose what is shown: where there is dose and where the targets are, with a margin, within the grid."""
    shown = cube >= least
    for target in case.targets:
        shown.reshape(-1)[target.voxels] = True
    window = []
    for i, (axis, edges) in enumerate(zip(case.grid.axes(), whole(case.grid), strict=True)):
        there = axis[shown.any(axis=tuple(j for j in range(3) if j != i))]
        low, high = (float(there[0]) - _MARGIN, float(there[-1]) + _MARGIN) if len(there) else edges
        window.append((max(low, edges[0]), min(high, edges[1])))
    return window[0], window[1], window[2]


def _isodoses(case: Case, reference: float) -> list[tuple[float, str, str, str]]:
    """Choose the isodose lines: Gy, colour, style and what they are, in words."""
    lines = [(_HALF / 100 * reference, "#ffffff", "solid", f"white {_HALF / 100 * reference:.4g} Gy (50%)")]
    prescribed = sorted({t.prescription for t in case.targets if t.prescription}, reverse=True) or [reference]
    for dose, style in zip(prescribed, _STYLES, strict=False):
        how = "" if style == "solid" else f" {style}"
        lines.append(
            (_COVERED / 100 * dose, "#000000", style, f"black{how} {_COVERED / 100 * dose:.4g} Gy (95% of {dose:g} Gy)")
        )
    return lines


def _plane(
    ax: Axes,
    case: Case,
    cube: NDArray[np.float32],
    view: View,
    at: float,
    reference: float,
    lines: Sequence[tuple[float, str, str, str]],
    alpha: float,
) -> Any:
    if case.ct is not None and case.ct_grid is not None:
        draw_image(ax, case.ct, case.ct_grid, view, at)
    there, edges = plane(cube, case.grid, view, at)
    levels = np.array(LEVELS) / 100.0 * reference
    cmap, norm = _colour_map(levels)
    fine = _finer(there)
    visible = np.where(fine < levels[0], np.nan, fine)
    mesh = ax.imshow(
        visible, cmap=cmap, norm=norm, extent=edges, origin="upper", alpha=alpha, interpolation="nearest", zorder=2
    )
    for dose, colour, style, _ in lines:
        if there.min() < dose < there.max():
            ax.contour(*_pixels(fine, edges), fine, [dose], colors=colour, linestyles=style, linewidths=0.8, zorder=3)
    chosen = colours(case)
    for structure in reversed(case.structures):
        mask = case.mask(structure.name)
        draw_outline(ax, mask, case.grid, view, at, chosen[structure.name], quiet=structure.type == "external")
    return mesh


def _cuts(case: Case, wanted: Mapping[str, float]) -> tuple[float, float, float]:
    """Choose where to cut along z, y and x, mm, each on a plane of voxels."""
    unknown = [key for key in wanted if key not in AXES]
    if unknown:
        raise UsageError(f"slices may say z, y and x (mm), not {unknown[0]!r}")
    middle = np.asarray(case.grid.origin) + np.asarray(case.grid.spacing) * (np.asarray(case.grid.shape) - 1) / 2
    targets = [s for s in case.targets if len(s.voxels)]
    if targets:
        points = case.grid.points(targets[0].voxels)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
    cuts = []
    for i, axis in enumerate(case.grid.axes()):
        at = float(wanted.get(AXES[i], middle[i]))
        half = case.grid.spacing[i] / 2
        if not axis[0] - half <= at <= axis[-1] + half:
            raise UsageError(
                f"a slice at {AXES[i]} = {at:g} mm lies outside the dose grid, {axis[0]:g} to {axis[-1]:g} mm"
            )
        cuts.append(float(axis[int(np.argmin(np.abs(axis - at)))]))
    return cuts[0], cuts[1], cuts[2]


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
