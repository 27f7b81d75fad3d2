"""The closed contours of one plane as an area: which are holes, which parts, and which the same outline twice.

A contour within another is a hole, one within a hole an island. Contours that cross are parts of one area, and one that
is drawn twice counts once: taken by the even-odd rule over all of them, the first would lose what they share and the
second vanish. A keyhole (a hole joined to its outline by a channel of no width) is taken apart at the corners that it
passes twice. Only where the file itself says so (CLOSEDPLANAR_XOR) are contours combined by exclusive or.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Points = NDArray[np.float64]

#: Outlines whose mean distance is below this are one outline, mm: more than files round, and thinner than any wall.
_SAME = 0.3
#: How far a hole may reach out of its outline, mm, in the mean over its own outline, and as a share of its area.
_REACH, _SHARE = 0.05, 0.1
#: How far the box of an outline may reach out of that of another in which it lies, mm.
_SLACK = 2.0
#: Corners nearer than this are one corner of a keyhole, mm.
_CORNER = 1e-3
#: Cells along the longer side of a raster on which two outlines are compared, and one on which an area is measured.
_COMPARED, _MEASURED = 96, 640
#: Most outlines of a plane whose area is computed by their corners.
_MANY = 40


def winding(polygon: Points, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Count how often a polygon goes around the centre of each cell of a raster.

    An edge passes a row's centre line at some x; from there on the row is the other side. A centre on an edge
    belongs to the area on its right or below, so that neighbours share no voxel and leave none out.

    Args:
        polygon: (n, 2): row and column of the corners, in cells; (0, 0) is the centre of the first cell. The last
            corner is joined to the first.
        shape: Rows and columns.
    """
    rows, columns = shape
    start, end = polygon, np.roll(polygon, -1, axis=0)
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
    place, size = row * (columns + 1) + column, rows * (columns + 1)
    turns = np.bincount(place[down[edge]], minlength=size) - np.bincount(place[~down[edge]], minlength=size)
    return np.cumsum(turns.reshape(rows, columns + 1), axis=1)[:, :columns]


@dataclass(frozen=True, eq=False)
class Loop:
    """A closed line that passes no corner twice.

    Args:
        corners: (n, 2), x and y, mm.
    """

    corners: Points

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Its least and greatest x, then y, mm."""
        low, high = self.corners.min(axis=0), self.corners.max(axis=0)
        return float(low[0]), float(high[0]), float(low[1]), float(high[1])

    @cached_property
    def length(self) -> float:
        """Of the line, mm."""
        return float(np.hypot(*(np.roll(self.corners, -1, axis=0) - self.corners).T).sum())

    @cached_property
    def signed(self) -> float:
        """Area by its corners, mm^2, above 0 where it runs counter-clockwise; right where it does not cross itself."""
        x, y = (self.corners - self.corners[0]).T
        return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2

    @cached_property
    def simple(self) -> bool:
        """Whether it does not cross itself, as far as a raster can tell."""
        raster = _Raster.around([self], _COMPARED)
        around = winding(raster.cells(self.corners), raster.shape)
        return bool(around.max(initial=0) - around.min(initial=0) <= 1)

    def touches(self, other: Loop) -> bool:
        """Tell whether the boxes of two share a place."""
        a, b = self.box, other.box
        return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


@dataclass(frozen=True)
class _Raster:
    """Square cells over a part of a plane: the place of the first cell's centre, x and y, mm, and their side."""

    x: float
    y: float
    step: float
    shape: tuple[int, int]

    @classmethod
    def around(cls, loops: Sequence[Loop], cells: int) -> _Raster:
        x0, y0 = min(i.box[0] for i in loops), min(i.box[2] for i in loops)
        x1, y1 = max(i.box[1] for i in loops), max(i.box[3] for i in loops)
        step = max(x1 - x0, y1 - y0, 1e-6) / cells
        # Half a cell off the corners: outlines drawn along pixels would else run through centres.
        shape = int(np.ceil((y1 - y0) / step)) + 1, int(np.ceil((x1 - x0) / step)) + 1
        return cls(x0 + 0.4837 * step, y0 + 0.4621 * step, step, shape)

    def cells(self, corners: Points) -> Points:
        return np.stack([(corners[:, 1] - self.y) / self.step, (corners[:, 0] - self.x) / self.step], axis=1)

    def inside(self, loop: Loop) -> Bools:
        return np.asarray(winding(self.cells(loop.corners), self.shape) != 0)


class Outlines:
    """The contours of one plane.

    Args:
        contours: Each (n, 2), x and y of its corners, mm.
        xor: Whether the file says that they are combined by exclusive or.
    """

    def __init__(self, contours: Sequence[Points], *, xor: bool = False) -> None:
        self.xor = xor
        self.contours = list(contours)
        loops = [loop for contour in contours for loop in loops_of(contour)]
        self.loops = sorted(loops, key=lambda loop: -abs(loop.signed))
        self.doubled = 0
        self._holes: dict[int, list[Loop]] = {}
        self._within: set[tuple[int, int]] = set()
        if not xor:
            self._sort()

    def _sort(self) -> None:
        """Find what is a part and what a hole of which part, from the largest outline to the smallest."""
        kept: list[Loop] = []
        depths: list[int] = []
        boxes = np.array([loop.box for loop in self.loops]).reshape(-1, 4)
        outward = np.array([-1.0, 1.0, -1.0, 1.0])
        places: list[int] = []
        for number, loop in enumerate(self.loops):
            # What lies in another, or is the same, has its box in the other's box, nearly.
            near = ((boxes[places] - boxes[number]) * outward >= -_SLACK).all(axis=1)
            about = np.flatnonzero(near).tolist()
            if any(_same(loop, kept[n]) for n in about):
                self.doubled += 1
                continue
            around = [n for n in about if _within(loop, kept[n])]
            depth = 1 + max((depths[n] for n in around), default=-1)
            place = len(kept)
            places.append(number)
            self._within |= {(place, n) for n in around}
            if depth % 2:
                for n in around:
                    if depths[n] == depth - 1:
                        self._holes[n].append(loop)
            else:
                self._holes[place] = []
            kept.append(loop)
            depths.append(depth)
        self.loops = kept

    def fill(self, origin: tuple[float, float], step: tuple[float, float], shape: tuple[int, int]) -> Bools:
        """Mark the cells of a raster whose centres are inside.

        Args:
            origin: y and x of the first cell's centre, mm.
            step: Distance of rows and of columns, mm.
            shape: Rows and columns.
        """

        def around(corners: Points) -> NDArray[np.int64]:
            cells = np.stack([(corners[:, 1] - origin[0]) / step[0], (corners[:, 0] - origin[1]) / step[1]], axis=1)
            return winding(cells, shape)

        out = np.zeros(shape, bool)
        if self.xor:
            for contour in self.contours:
                out ^= (around(contour) & 1).astype(bool)
            return out
        for place, holes in self._holes.items():
            part = around(self.loops[place].corners) != 0
            for hole in holes:
                part &= around(hole.corners) == 0
            out |= part
        return out

    def rims(self, width: float) -> int:
        """Count holes that leave of their outline no more than a rim thinner than a width, mm, on average."""
        pairs = [(self.loops[place], hole) for place, holes in self._holes.items() for hole in holes]
        return sum(abs(part.signed) - abs(hole.signed) < width * hole.length for part, hole in pairs)

    @cached_property
    def area(self) -> float:
        """Of the plane, mm^2: by the corners where no outlines cross, else on a fine raster."""
        if not self.loops:
            return 0.0
        if not self.xor and self._clear():
            holes = sum(abs(hole.signed) for holes in self._holes.values() for hole in holes)
            return max(sum(abs(self.loops[place].signed) for place in self._holes) - holes, 0.0)
        raster = _Raster.around(self.loops, _MEASURED)
        inside = self.fill((raster.y, raster.x), (raster.step, raster.step), raster.shape)
        return float(np.count_nonzero(inside)) * raster.step**2

    def _clear(self) -> bool:
        """Tell whether no outline crosses itself or another, and no hole counts for two parts."""
        if len(self.loops) > _MANY or not all(loop.simple for loop in self.loops):
            return False
        apart = (
            (i, j) in self._within or not self.loops[i].touches(self.loops[j])
            for i in range(len(self.loops))
            for j in range(i)
        )
        holes = [id(hole) for holes in self._holes.values() for hole in holes]
        return len(holes) == len(set(holes)) and all(apart)


def loops_of(contour: Points) -> list[Loop]:
    """Take a contour apart at the corners that it passes twice: a keyhole gives its outline and its hole."""
    keys = np.rint(contour / _CORNER)
    if len(np.unique(keys[:, 0] + 1j * keys[:, 1])) == len(keys):
        return [Loop(contour)]
    path: list[int] = []
    place: dict[tuple[float, float], int] = {}
    loops: list[list[int]] = []
    for n, key in enumerate(map(tuple, keys.tolist())):
        if key in place:
            start = place[key]
            loops.append(path[start:])
            for passed in path[start + 1 :]:
                del place[tuple(keys[passed].tolist())]
            del path[start + 1 :]
        else:
            place[key] = len(path)
            path.append(n)
    loops.append(path)
    found = [Loop(contour[loop]) for loop in loops if len(loop) >= 3]
    return [loop for loop in found if abs(loop.signed) > 0] or [Loop(contour)]


def _same(one: Loop, other: Loop) -> bool:
    """Tell whether two outlines are one, but for rounding."""
    if max(abs(a - b) for a, b in zip(one.box, other.box, strict=True)) > _SLACK:
        return False
    raster = _Raster.around([one, other], _COMPARED)
    apart = np.count_nonzero(raster.inside(one) ^ raster.inside(other)) * raster.step**2
    return bool(apart <= min(_SAME * one.length, _SHARE * max(abs(one.signed), raster.step**2)))


def _within(one: Loop, other: Loop) -> bool:
    """Tell whether an outline lies in another, but for what touches or was rounded."""
    raster = _Raster.around([one], _COMPARED)
    mine = raster.inside(one)
    out = np.count_nonzero(mine & ~raster.inside(other))
    whole = np.count_nonzero(mine)
    return bool(whole and out * raster.step**2 <= _REACH * one.length and out <= _SHARE * whole)
