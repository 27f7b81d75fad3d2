"""Where the voxels of a DICOM array lie, and the array along the patient's own axes: turned, flipped or resampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...case.model import Grid
from ..masks import Mask
from ..patient import MOST_VOXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

#: How far a direction cosine may be from 0 or 1 for an axis to be one of the patient's.
STRAIGHT = 1e-3
#: How far a plane may be from its place on a regular grid, as a share of the distance of planes, and mm: many files
#: have their positions rounded to 0.1 mm.
_EVEN, _ROUNDED = 0.02, 0.06


@dataclass(frozen=True)
class Lattice:
    """The places of a regular array's voxels, oblique or not.

    Args:
        origin: Centre of voxel [0, 0, 0], (x, y, z), mm.
        steps: Three rows: the way from one voxel to the next along each axis of the array, (x, y, z), mm.
    """

    origin: NDArray[np.float64]
    steps: NDArray[np.float64]

    def find(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Find where points, (n, 3), x, y, z in mm, lie in the array: (n, 3), counted in voxels along its axes."""
        return np.asarray((points - self.origin) @ np.linalg.inv(self.steps))

    def axes(self) -> tuple[int, int, int] | None:
        """Say which axis of the array runs along the patient's z, y and x; None where one runs along none of these."""
        lengths = np.linalg.norm(self.steps, axis=1)
        if not (lengths > 0).all():
            return None
        turned = np.abs(self.steps / lengths[:, None])
        along = turned.argmax(axis=1)
        rest = turned.copy()
        rest[np.arange(3), along] = 0.0
        if sorted(along) != [0, 1, 2] or rest.max() > STRAIGHT:
            return None
        return tuple(int(np.flatnonzero(along == axis)[0]) for axis in (2, 1, 0))  # type: ignore[return-value]


def upright(values: Array, lattice: Lattice) -> tuple[Array, Grid] | None:
    """Turn an array so that its axes are (z, y, x), all of them ascending; no value changes.

    Returns:
        The array and its grid; None where its axes are not the patient's.
    """
    order = lattice.axes()
    if order is None:
        return None
    origin, spacing, turned = [], [], values.transpose(order)
    for place, (axis, patient) in enumerate(zip(order, (2, 1, 0), strict=True)):
        step = float(lattice.steps[axis, patient])
        first = float(lattice.origin[patient])
        if step < 0:
            turned = np.flip(turned, place)
            first += step * (values.shape[axis] - 1)
        origin.append(first)
        spacing.append(abs(step))
    shape = (turned.shape[0], turned.shape[1], turned.shape[2])
    grid = Grid(shape, (spacing[0], spacing[1], spacing[2]), (origin[0], origin[1], origin[2]))
    return np.ascontiguousarray(turned), grid


def box(shape: tuple[int, int, int], lattice: Lattice) -> Grid | None:
    """Lay the grid along the patient's axes that encloses an oblique array, with spacings like its own.

    Returns:
        None where it would have more than `MOST_VOXELS` voxels.
    """
    last = np.asarray(shape, np.float64) - 1
    corners = np.array([[i, j, k] for i in (0, last[0]) for j in (0, last[1]) for k in (0, last[2])])
    places = lattice.origin + corners @ lattice.steps
    low, high = places.min(axis=0), places.max(axis=0)
    lengths = np.linalg.norm(lattice.steps, axis=1)
    likeness = np.abs(lattice.steps / lengths[:, None])
    spacing = [float(lengths[likeness[:, patient].argmax()]) for patient in (2, 1, 0)]
    counts = [int(np.ceil((high[p] - low[p]) / s - 1e-6)) + 1 for p, s in zip((2, 1, 0), spacing, strict=True)]
    if float(np.prod(np.asarray(counts, np.float64))) > MOST_VOXELS:
        return None
    return Grid(
        (counts[0], counts[1], counts[2]),
        (spacing[0], spacing[1], spacing[2]),
        (float(low[2]), float(low[1]), float(low[0])),
    )


def straightened(values: Array, lattice: Lattice, grid: Grid, outside: float) -> Array:
    """Resample an oblique array onto a grid along the patient's axes, by trilinear interpolation.

    Args:
        values: The array.
        lattice: Its places.
        grid: The grid that is wanted.
        outside: What stands where the array has no voxel.
    """
    from scipy import ndimage

    inverse = np.linalg.inv(lattice.steps.T)  # from (x, y, z) to places in the array
    to_array = inverse[:, ::-1] * np.asarray(grid.spacing)
    first = inverse @ (np.asarray(grid.origin)[::-1] - lattice.origin)
    out: Array = ndimage.affine_transform(values, to_array, first, grid.shape, order=1, cval=outside)
    return out


def straightened_mask(mask: Mask, lattice: Lattice, grid: Grid) -> Mask:
    """Bring a mask on an oblique lattice onto a grid along the patient's axes: a voxel is inside by half or more."""
    if mask.empty:
        return mask
    inside = np.pad(mask.inside, 1).astype(np.float32)
    corner = np.asarray(mask.corner, np.float64) - 1
    moved = Lattice(lattice.origin + corner @ lattice.steps, lattice.steps)
    around = box((inside.shape[0], inside.shape[1], inside.shape[2]), moved)
    if around is None:
        return Mask.of(straightened(inside, moved, grid, 0.0) >= 0.5)
    first, last = [], []
    for axis in range(3):
        low = (around.origin[axis] - grid.origin[axis]) / grid.spacing[axis]
        high = low + (around.shape[axis] - 1) * around.spacing[axis] / grid.spacing[axis]
        first.append(min(max(int(np.floor(low)) - 1, 0), grid.shape[axis] - 1))
        last.append(min(max(int(np.ceil(high)) + 2, first[-1] + 1), grid.shape[axis]))
    part = Grid(
        (last[0] - first[0], last[1] - first[1], last[2] - first[2]),
        grid.spacing,
        tuple(o + s * n for o, s, n in zip(grid.origin, grid.spacing, first, strict=True)),  # type: ignore[arg-type]
    )
    found = Mask.of(straightened(inside, moved, part, 0.0) >= 0.5)
    return Mask(tuple(c + n for c, n in zip(found.corner, first, strict=True)), found.inside)  # type: ignore[arg-type]


def straight_line(places: NDArray[np.float64]) -> tuple[float, float] | None:
    """Fit equal distances to ascending places, mm.

    Returns:
        The first place and the distance; None where a place is further from its own than rounding explains.
    """
    count = len(places)
    first, step = float(places[0]), float(places[-1] - places[0]) / max(count - 1, 1)
    rest = places - (first + step * np.arange(count))
    if np.abs(rest).max() <= 1e-4 * step:
        return first, step
    step, first = (float(v) for v in np.polyfit(np.arange(count), places, 1))
    rest = places - (first + step * np.arange(count))
    return (first, step) if np.abs(rest).max() <= max(_EVEN * step, min(_ROUNDED, 0.1 * step)) else None


def even_planes(values: Array, places: NDArray[np.float64], step: float) -> tuple[Array, float]:
    """Interpolate unevenly spaced planes linearly to even distances; the first and the last stay.

    Args:
        values: Planes first.
        places: Of the planes, ascending, mm.
        step: The distance that is wanted, mm.

    Returns:
        The planes, and their distance, mm.
    """
    extent = float(places[-1] - places[0])
    count = round(extent / step) + 1
    wanted = np.linspace(places[0], places[-1], count)
    below = np.clip(np.searchsorted(places, wanted, side="right") - 1, 0, len(places) - 2)
    part = ((wanted - places[below]) / (places[below + 1] - places[below])).astype(np.float32)
    out = np.empty((count, *values.shape[1:]), np.float32)
    for k, (low, share) in enumerate(zip(below, part, strict=True)):
        out[k] = values[low] if share < 1e-6 else (1 - share) * values[low] + share * values[low + 1]
    return out, extent / (count - 1)


def step_for(gaps: NDArray[np.float64]) -> float:
    """Choose the distance to which uneven planes are interpolated, mm.

    It is the smallest usual one, within reason, and such that the first and the last plane stay.
    """
    usual, extent = float(np.median(gaps)), float(gaps.sum())
    finest = usual if gaps.min() > 0.7 * usual else float(gaps.min())
    return extent / round(extent / max(finest, extent / (4 * len(gaps))))
