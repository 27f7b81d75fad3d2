"""Contours as DICOM has them, stacks of polygons, to voxels.

In a plane, a voxel is inside if its centre is (`outlines` says what contours enclose). Between planes the shape is
interpolated by signed distance, as far as the planner's own habit of skipping slices reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..case.model import Grid
from .masks import Mask
from .outlines import Outlines

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Bools = NDArray[np.bool_]
    Points = NDArray[np.float64]

#: A gap of more than this many usual plane distances separates two parts of a structure.
_GAP = 1.5
#: A plane this close to a slice is on it, in slice distances.
_ON = 0.1
#: Contours nearer to each other than this are of one plane, in slice distances: holes are often some tenths off. Where
#: slices lie close, tenths of a mm, as files round, are more of a distance: mm, and the most of a distance.
_TOGETHER, _TENTHS, _MOST = 0.25, 0.21, 0.4
#: The same where a structure was drawn on planes closer than slices, mm.
_EXACT = 0.05


@dataclass(frozen=True)
class Solid:
    """A structure made of its contours.

    Args:
        mask: Its voxels of the image.
        volume_cc: Of the contours, cm^3: areas times plane distances.
        gaps: How many gaps between planes were left open, because they are longer than the usual distance.
        doubled: How many contours are the same as another and were taken once.
        rims: How many holes leave of their outline only a rim thinner than a pixel.
    """

    mask: Mask
    volume_cc: float
    gaps: int
    doubled: int
    rims: int = 0


def group(contours: Sequence[tuple[float, Points]], slices: ArrayLike) -> dict[float, list[Points]]:
    """Sort contours into planes.

    Contours within a quarter of a slice distance are of one plane, at the height that is nearest to a slice. Where a
    structure was drawn on planes closer than that, only those of one height are.

    Args:
        contours: z and corners of each, (n, 2), x and y; mm.
        slices: z of the image's slices, ascending, mm.

    Returns:
        Contours by z, mm.
    """
    heights = np.unique([z for z, _ in contours])
    if not len(heights):
        return {}
    axis = _Axis(np.asarray(slices, np.float64))
    at = axis.place(heights)
    near = max(_TOGETHER, min(_TENTHS / float(np.median(np.diff(axis.slices))), _MOST))
    chains = np.split(np.arange(len(at)), np.flatnonzero(np.diff(at) > near) + 1)
    if max(float(at[c[-1]] - at[c[0]]) for c in chains) > 2 * _TOGETHER:
        chains = np.split(np.arange(len(at)), np.flatnonzero(np.diff(heights) > _EXACT) + 1)
    plane: dict[float, float] = {}
    for chain in chains:
        off = np.abs(at[chain] - np.rint(at[chain]))
        height = round(float(heights[chain[int(np.argmin(off))]]), 4)
        plane |= {float(z): height for z in heights[chain]}
    planes: dict[float, list[Points]] = {}
    for z, corners in sorted(contours, key=lambda pair: pair[0]):
        planes.setdefault(plane[float(z)], []).append(corners)
    return planes


def rasterize(
    planes: Mapping[float, Sequence[Points]], grid: Grid, slices: ArrayLike | None = None, *, xor: bool = False
) -> Solid:
    """Turn a structure's contours into voxels and a volume.

    Args:
        planes: Contours by z, mm: each (n, 2), x and y in mm.
        grid: Of the image.
        slices: z of the slices that contours were drawn on, ascending, mm; None: those of the grid.
        xor: Whether contours of a plane are combined by exclusive or.
    """
    stack = _Stack(planes, grid, grid.axes()[0] if slices is None else np.asarray(slices, np.float64), xor)
    filled = {k: shape for k, z in enumerate(grid.axes()[0]) if (shape := stack.at(float(z))) is not None}
    filled = {k: inside for k, inside in filled.items() if inside.any()}
    mask = Mask((0, 0, 0), np.zeros((0, 0, 0), bool))
    if filled:
        low, high = min(filled), max(filled)
        inside = np.zeros((high - low + 1, *stack.shape), bool)
        for k, one in filled.items():
            inside[k - low] = one
        mask = Mask.of(inside)
        z, y, x = mask.corner
        mask = Mask((z + low, y + stack.corner[0], x + stack.corner[1]), mask.inside)
    gaps = int(np.count_nonzero(~stack.bridged))
    doubled = sum(plane.doubled for plane in stack.outlines)
    rims = sum(plane.rims(min(grid.spacing[1:])) for plane in stack.outlines)
    return Solid(mask, stack.volume(), gaps, doubled, rims)


class _Axis:
    """Heights counted in slices: slice 0, slice 1, and what lies between and beyond; distances may differ."""

    def __init__(self, slices: Points) -> None:
        self.slices = slices if len(slices) > 1 else np.array([slices[0], slices[0] + 1.0])
        self.first, self.last = (float(np.diff(self.slices)[n]) for n in (0, -1))

    def place(self, z: ArrayLike) -> Points:
        """Count slices up to a height, mm."""
        z = np.asarray(z, np.float64)
        n = len(self.slices) - 1
        inside = np.interp(z, self.slices, np.arange(n + 1.0))
        below, above = (z - self.slices[0]) / self.first, n + (z - self.slices[-1]) / self.last
        return np.asarray(np.where(z < self.slices[0], below, np.where(z > self.slices[-1], above, inside)))

    def height(self, place: float) -> float:
        """Find the height of so many slices, mm."""
        n = len(self.slices) - 1
        if place < 0:
            return float(self.slices[0] + place * self.first)
        if place > n:
            return float(self.slices[-1] + (place - n) * self.last)
        return float(np.interp(place, np.arange(n + 1.0), self.slices))


class _Stack:
    """A structure's planes, filled on the rows and columns of the image that it needs; heights count in slices."""

    def __init__(self, planes: Mapping[float, Sequence[Points]], grid: Grid, slices: Points, xor: bool) -> None:
        self.axis, self.grid = _Axis(slices), grid
        self.heights = np.array(sorted(planes))
        self.outlines = [Outlines(planes[z], xor=xor) for z in sorted(planes)]
        self.places = self.axis.place(self.heights)
        gaps = np.diff(self.places)
        self.usual = float(np.median(gaps)) if len(gaps) else 1.0
        if len(gaps) == 1:
            # One gap alone does not tell two parts from skipped slices; planners skip one slice, hardly more.
            self.usual = min(self.usual, 2.0)
        # Where it ends a structure is as thick as a slice, however many slices were skipped within.
        self.half = min(self.usual, 1.0) / 2
        self.bridged = gaps <= _GAP * self.usual
        self.corner, self.shape = self._window(planes)
        self._flat: dict[int, Bools] = {}
        self._far: dict[int, Points] = {}

    def _window(self, planes: Mapping[float, Sequence[Points]]) -> tuple[tuple[int, int], tuple[int, int]]:
        spans = []
        for axis, column in ((1, 1), (2, 0)):
            low = min(float(p[:, column].min()) for polygons in planes.values() for p in polygons)
            high = max(float(p[:, column].max()) for polygons in planes.values() for p in polygons)
            n, step, start = self.grid.shape[axis], self.grid.spacing[axis], self.grid.origin[axis]
            first = int(np.clip(np.floor((low - start) / step), 0, n - 1))
            last = int(np.clip(np.ceil((high - start) / step), 0, n - 1))
            spans.append((first, last - first + 1))
        (y, rows), (x, columns) = spans
        return (y, x), (rows, columns)

    def flat(self, k: int) -> Bools:
        """Fill plane number k."""
        if k not in self._flat:
            (_, oy, ox), (_, sy, sx) = self.grid.origin, self.grid.spacing
            y, x = self.corner
            self._flat[k] = self.outlines[k].fill((oy + sy * y, ox + sx * x), (sy, sx), self.shape)
        return self._flat[k]

    def at(self, z: float) -> Bools | None:
        """Interpolate the shape at a height, mm; None outside."""
        if not len(self.places):
            return None
        place = float(self.axis.place(z))
        k = int(np.argmin(np.abs(self.places - place)))
        off = abs(float(self.places[k]) - place)
        if off <= _ON:
            return self.flat(k)
        above = int(np.searchsorted(self.places, place))
        if 0 < above < len(self.places) and self.bridged[above - 1]:
            low, high = float(self.places[above - 1]), float(self.places[above])
            part = (place - low) / (high - low)
            return np.asarray((1 - part) * self._distance(above - 1) + part * self._distance(above) > 0)
        # Beyond the last plane it is half as thick; at exactly half, the lower side has it.
        inside = off < self.half - 1e-6 or (off <= self.half + 1e-6 and place < self.places[k])
        return self.flat(k) if inside else None

    def _distance(self, k: int) -> Points:
        """Measure the signed distance to the outline of plane k, mm, positive inside."""
        from scipy.ndimage import distance_transform_edt

        if k not in self._far:
            inside = np.pad(self.flat(k), 1)
            sampling = self.grid.spacing[1:]
            far = distance_transform_edt(inside, sampling) - distance_transform_edt(~inside, sampling)
            self._far[k] = far[1:-1, 1:-1]
        return self._far[k]

    def volume(self) -> float:
        """Sum areas times plane distances, cm^3."""
        total = 0.0
        for k, (z, place) in enumerate(zip(self.heights, self.places, strict=True)):
            if k and self.bridged[k - 1]:
                below = (z - self.heights[k - 1]) / 2
            else:
                below = z - self.axis.height(float(place) - self.half)
            if k + 1 < len(self.heights) and self.bridged[k]:
                above = (self.heights[k + 1] - z) / 2
            else:
                above = self.axis.height(float(place) + self.half) - z
            total += self.outlines[k].area * float(below + above)
        return total / 1000.0
