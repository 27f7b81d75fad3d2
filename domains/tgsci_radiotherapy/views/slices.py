"""Slices: a plane of an image with the outlines of structures, axial, coronal or sagittal; the one place that draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patheffects import withStroke

from .style import QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..case.model import Grid

    Edges = tuple[float, float, float, float]
    Window = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]

#: Grey levels of the image: soft tissue, HU.
WINDOW = (-250.0, 350.0)
#: Where there is no image.
BACKGROUND = "#0b0f14"
AXES = "zyx"


@dataclass(frozen=True)
class View:
    """One of the three planes.

    Args:
        name: "axial", "coronal" or "sagittal".
        cut: The axis that is cut: 0 for z, 1 for y, 2 for x.
        down: The axis that runs from top to bottom.
        across: The axis that runs from left to right.
        letters: What stands at the left, right, top and bottom edge.
        flip: Whether the patient's head is up.
    """

    name: str
    cut: int
    down: int
    across: int
    letters: tuple[str, str, str, str]
    flip: bool


#: Axial slices are seen from the feet: the patient's right is on the left.
VIEWS = (
    View("axial", 0, 1, 2, ("R", "L", "A", "P"), flip=False),
    View("coronal", 1, 0, 2, ("R", "L", "H", "F"), flip=True),
    View("sagittal", 2, 0, 1, ("A", "P", "H", "F"), flip=True),
)


def plane(cube: NDArray[Any], grid: Grid, view: View, at: float) -> tuple[NDArray[Any], Edges]:
    """Take the plane of a cube nearest to a place, head or front up, and its edges (left, right, bottom, top), mm.

    Args:
        cube: (z, y, x).
        grid: Of the cube.
        view: Which plane.
        at: Where along the axis that is cut, mm.
    """
    axis = grid.axes()[view.cut]
    taken = np.take(cube, int(np.argmin(np.abs(axis - at))), axis=view.cut)
    across, down = grid.axes()[view.across], grid.axes()[view.down]
    dx, dy = grid.spacing[view.across] / 2, grid.spacing[view.down] / 2
    left, right = float(across[0] - dx), float(across[-1] + dx)
    if view.flip:
        return taken[::-1], (left, right, float(down[0] - dy), float(down[-1] + dy))
    return taken, (left, right, float(down[-1] + dy), float(down[0] - dy))


def draw_image(ax: Axes, hu: NDArray[np.number], grid: Grid, view: View, at: float) -> None:
    """Draw a plane of an image in grey.

    Args:
        ax: Where to draw.
        hu: Hounsfield units, (z, y, x).
        grid: Of the image.
        view: Which plane.
        at: Where along the axis that is cut, mm.
    """
    grey, edges = plane(hu, grid, view, at)
    low, high = WINDOW
    ax.imshow(grey, cmap="gray", vmin=low, vmax=high, extent=edges, origin="upper", interpolation="bilinear", zorder=1)


def draw_outline(
    ax: Axes, mask: NDArray[np.bool_], grid: Grid, view: View, at: float, colour: str, *, quiet: bool = False
) -> bool:
    """Draw the outline of a structure on a plane.

    Args:
        ax: Where to draw.
        mask: Of the structure, (z, y, x).
        grid: Of the mask.
        view: Which plane.
        at: Where along the axis that is cut, mm.
        colour: Of the line.
        quiet: Draw it thin, as the body's.

    Returns:
        Whether the plane meets the structure.
    """
    cut, _ = plane(mask, grid, view, at)
    if not cut.any():
        return False
    outline = np.pad(cut.astype(np.float32), 1)  # an outline that touches the edge of the grid is closed there
    down = grid.axes()[view.down]
    ax.contour(
        _padded(grid.axes()[view.across]), _padded(down[::-1] if view.flip else down), outline, [0.5], colors=colour,
        linewidths=1.0 if quiet else 1.9, zorder=4,
        path_effects=None if quiet else [withStroke(linewidth=3.0, foreground="#ffffffb0")],
    )  # fmt: skip
    return True


def whole(grid: Grid) -> Window:
    """Give the edges of a grid along z, y and x, mm."""
    pairs = zip(grid.axes(), grid.spacing, strict=True)
    z, y, x = ((float(axis[0] - step / 2), float(axis[-1] + step / 2)) for axis, step in pairs)
    return z, y, x


def frame(ax: Axes, grid: Grid, view: View, at: float, title: str = "", window: Window | None = None) -> None:
    """Finish a plane: its edges, the letters that say which side is which, and where it is cut.

    Args:
        ax: Where the plane is drawn.
        grid: Whose edges it gets.
        view: Which plane.
        at: Where along the axis that is cut, mm.
        title: Above it; the view and the place where "".
        window: What is shown in place of the whole grid, (low, high) along z, y and x, mm.
    """
    ax.set_facecolor(BACKGROUND)
    window = window or whole(grid)
    ends = window[view.down]
    ax.set_xlim(*window[view.across])
    ax.set_ylim(*(ends if view.flip else ends[::-1]))
    places = ((0.015, 0.5, "left", "center"), (0.985, 0.5, "right", "center"), (0.5, 0.985, "center", "top"),
              (0.5, 0.015, "center", "bottom"))  # fmt: skip
    for letter, (x, y, ha, va) in zip(view.letters, places, strict=True):
        ax.text(
            x, y, letter, ha=ha, va=va, transform=ax.transAxes, fontsize=9, color="white", fontweight="bold",
            path_effects=[withStroke(linewidth=1.8, foreground=BACKGROUND)], zorder=6,
        )  # fmt: skip
    ax.set_title(title or f"{view.name}, {AXES[view.cut]} = {at:.1f} mm", fontsize=9, color=QUIET, loc="left")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_aspect("equal")


def extent(grid: Grid, axis: int) -> float:
    """Give the length of a grid along an axis, mm."""
    return grid.spacing[axis] * grid.shape[axis]


def _padded(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    step = axis[1] - axis[0] if len(axis) > 1 else 1.0
    return np.concatenate([[axis[0] - step], axis, [axis[-1] + step]])
