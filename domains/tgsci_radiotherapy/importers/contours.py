"""Contours as DICOM has them, stacks of polygons, to voxels.

In a plane, a voxel is inside if its centre is, by the even-odd rule over all of the plane's contours together: holes
drawn as contours of their own, keyholes (a hole joined to the outline by a channel of no width) and separate parts all
come out right. Between planes the shape is interpolated by signed distance, as far as the planner's own habit of
skipping slices reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..case.model import Grid
from .masks import Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Points = NDArray[np.float64]

#: A gap of more than this many usual plane distances separates two parts of a structure.
_GAP = 1.5
#: A plane this close to a slice is on it, in slice distances.
_ON = 0.1
#: Most contours of a plane whose area is computed from them; of more, it is counted in voxels.
_MANY = 40


def fill(polygons: Sequence[Points], shape: tuple[int, int]) -> Bools:
    """Mark the cells of a raster whose centres are inside, by the even-odd rule over all polygons.

    An edge passes a row's centre line at some x; from there on the row is the other side. A centre on an edge
    belongs to the area on its right or below, so that neighbours share no voxel and leave none out.

    Args:
        polygons: Each (n, 2): row and column of the corners, in cells; (0, 0) is the centre of the first cell. The
            last corner is joined to the first.
        shape: Rows and columns.
    """
    rows, columns = shape
    if not polygons:
        return np.zeros(shape, bool)
    start = np.concatenate(polygons)
    end = np.concatenate([np.roll(p, -1, axis=0) for p in polygons])
    down = start[:, 0] <= end[:, 0]
    top, bottom = np.where(down[:, None], start, end), np.where(down[:, None], end, start)
    # Clip before counting, so that a damaged outline of huge size costs no more than a real one.
    first = np.clip(np.ceil(top[:, 0]), 0, rows).astype(np.int64)
    counts = np.clip(np.ceil(bottom[:, 0]), 0, rows).astype(np.int64) - first
    edge = np.repeat(np.arange(len(start)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    with np.errstate(over="ignore", invalid="ignore"):
        slope = (bottom[edge, 1] - top[edge, 1]) / (bottom[edge, 0] - top[edge, 0])
        x = top[edge, 1] + (row - top[edge, 0]) * slope
    column = np.clip(np.ceil(np.nan_to_num(x)), 0, columns).astype(np.int64)
    turns = np.bincount(row * (columns + 1) + column, minlength=rows * (columns + 1)).reshape(rows, columns + 1)
    return (np.cumsum(turns, axis=1)[:, :columns] & 1).astype(bool)


def rasterize(planes: Mapping[float, Sequence[Points]], grid: Grid) -> tuple[Mask, float, int]:
    """Turn a structure's contours into voxels and a volume.

    Args:
        planes: Contours by z, mm: each (n, 2), x and y in mm.
        grid: Of the image.

    Returns:
        The mask on the image's grid, the volume of the contours in cm^3 (areas times plane distances), and how many
        gaps between planes were left open because they are longer than the usual distance.
    """
    stack = _Stack(planes, grid)
    slices = {k: shape for k, z in enumerate(grid.axes()[0]) if (shape := stack.at(float(z))) is not None}
    slices = {k: inside for k, inside in slices.items() if inside.any()}
    open_gaps = int(np.count_nonzero(~stack.bridged))
    if not slices:
        return Mask((0, 0, 0), np.zeros((0, 0, 0), bool)), stack.volume(), open_gaps
    low, high = min(slices), max(slices)
    inside = np.zeros((high - low + 1, *stack.shape), bool)
    for k, one in slices.items():
        inside[k - low] = one
    mask = Mask.of(inside)
    z, y, x = mask.corner
    return Mask((z + low, y + stack.corner[0], x + stack.corner[1]), mask.inside), stack.volume(), open_gaps


class _Stack:
    """A structure's planes, filled on the rows and columns of the image that it needs."""

    def __init__(self, planes: Mapping[float, Sequence[Points]], grid: Grid) -> None:
        self.planes, self.grid = planes, grid
        self.heights = np.array(sorted(planes))
        gaps = np.diff(self.heights)
        self.usual = float(np.median(gaps)) if len(gaps) else grid.spacing[0]
        if len(gaps) == 1:
            # One gap alone does not tell two parts from skipped slices; planners skip one slice, hardly more.
            self.usual = min(self.usual, 2 * grid.spacing[0])
        # Where it ends a structure is as thick as a slice, however many slices were skipped within.
        self.thick = min(self.usual, grid.spacing[0])
        self.bridged = gaps <= _GAP * self.usual
        self.corner, self.shape = self._window()
        self._flat: dict[int, Bools] = {}
        self._far: dict[int, Points] = {}

    def _window(self) -> tuple[tuple[int, int], tuple[int, int]]:
        spans = []
        for axis, column in ((1, 1), (2, 0)):
            low = min(float(p[:, column].min()) for polygons in self.planes.values() for p in polygons)
            high = max(float(p[:, column].max()) for polygons in self.planes.values() for p in polygons)
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
            polygons = [
                np.stack([(p[:, 1] - oy) / sy - y, (p[:, 0] - ox) / sx - x], axis=1)
                for p in self.planes[float(self.heights[k])]
            ]
            self._flat[k] = fill(polygons, self.shape)
        return self._flat[k]

    def at(self, z: float) -> Bools | None:
        """Interpolate the shape at a height, mm; None outside."""
        if not len(self.heights):
            return None
        k = int(np.argmin(np.abs(self.heights - z)))
        off = abs(float(self.heights[k]) - z)
        if off <= _ON * self.grid.spacing[0]:
            return self.flat(k)
        above = int(np.searchsorted(self.heights, z))
        if 0 < above < len(self.heights) and self.bridged[above - 1]:
            low, high = float(self.heights[above - 1]), float(self.heights[above])
            part = (z - low) / (high - low)
            return np.asarray((1 - part) * self._distance(above - 1) + part * self._distance(above) > 0)
        # Beyond the last plane it is half as thick; at exactly half, the lower side has it.
        half = self.thick / 2
        inside = off < half - 1e-6 or (off <= half + 1e-6 and z < self.heights[k])
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
        for k, z in enumerate(self.heights):
            below = (z - self.heights[k - 1]) if k and self.bridged[k - 1] else self.thick
            above = (self.heights[k + 1] - z) if k + 1 < len(self.heights) and self.bridged[k] else self.thick
            total += self._area(k) * (below + above) / 2
        return total / 1000.0

    def _area(self, k: int) -> float:
        """Measure the area of a plane, mm^2: contours within an odd number of others are holes."""
        polygons = self.planes[float(self.heights[k])]
        if len(polygons) > _MANY:
            return float(np.count_nonzero(self.flat(k)) * self.grid.spacing[1] * self.grid.spacing[2])
        total = 0.0
        for i, polygon in enumerate(polygons):
            depth = sum(_inside(polygon[0], other) for j, other in enumerate(polygons) if j != i)
            x, y = (polygon - polygon[0]).T
            area = abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
            total += -area if depth % 2 else area
        return max(total, 0.0)


def _inside(point: Points, polygon: Points) -> bool:
    """Tell whether a point is in a polygon, by the even-odd rule."""
    (x, y), (px, py) = point, polygon.T
    qx, qy = np.roll(px, -1), np.roll(py, -1)
    crosses = (py > y) != (qy > y)
    at = px[crosses] + (y - py[crosses]) * (qx[crosses] - px[crosses]) / (qy[crosses] - py[crosses])
    return bool(np.count_nonzero(at > x) % 2)
