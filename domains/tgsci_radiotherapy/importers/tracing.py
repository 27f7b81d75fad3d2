"""Masks back to contours: closed polygons along the edges of pixels, with holes as keyholes.

DICOM (PS3.3 C.8.8.6.3) has a hole of a CLOSED_PLANAR contour joined to its outline by a channel of no width, and every
reader takes that for what it is. The polygons run along pixel edges, so that they enclose the very centres that the
mask has, and exactly its volume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Corner = tuple[int, int]


def trace(plane: Bools) -> list[NDArray[np.float64]]:
    """Trace a plane of a mask.

    Args:
        plane: (rows, columns).

    Returns:
        A polygon for each piece of pixels that share edges: (n, 2), row and column of the corners, in pixels; (0, 0) is
        the centre of the first pixel. Only corners where the line turns are listed.
    """
    from scipy import ndimage

    labels, count = ndimage.label(plane)
    polygons = []
    for number, box in enumerate(ndimage.find_objects(labels, count), start=1):
        loops = _loops(labels[box] == number)
        outline = max(loops, key=lambda loop: abs(_area(loop)))
        holes = [loop for loop in loops if loop is not outline]
        joined = _keyholed(outline, sorted(holes, key=lambda loop: min(column for _, column in loop)))
        offset = np.array([box[0].start, box[1].start]) - 0.5
        polygons.append(np.array(joined, np.float64) + offset)
    return polygons


def _loops(piece: Bools) -> list[list[Corner]]:
    """Follow the edges of a piece, its pixels on the right hand: the outline and the holes; no corner comes twice."""
    wide = np.pad(piece, 1)
    inner = wide[1:-1, 1:-1]
    edges: dict[Corner, list[tuple[Corner, Corner]]] = {}
    # Each side of a pixel with nothing of the piece beyond: where it starts and ends, seen from the pixel.
    for beyond, start, end in (
        (wide[:-2, 1:-1], (0, 0), (0, 1)),
        (wide[1:-1, 2:], (0, 1), (1, 1)),
        (wide[2:, 1:-1], (1, 1), (1, 0)),
        (wide[1:-1, :-2], (1, 0), (0, 0)),
    ):
        for row, column in np.argwhere(inner & ~beyond).tolist():
            first = (row + start[0], column + start[1])
            edges.setdefault(first, []).append(((row + end[0], column + end[1]), (row, column)))
    loops = []
    while edges:
        start_at = next(iter(edges))
        corner, loop, pixel = start_at, [], None
        while True:
            ways = edges[corner]
            # Where two pixels touch at a corner, the line stays with its own.
            way = next((w for w in ways if w[1] == pixel), ways[0])
            ways.remove(way)
            if not ways:
                del edges[corner]
            loop.append(corner)
            corner, pixel = way
            if corner == start_at:
                break
        loops.append(_turns(loop))
    return loops


def _turns(loop: list[Corner]) -> list[Corner]:
    """Keep the corners where a line turns."""
    kept = []
    for before, here, after in zip([loop[-1], *loop[:-1]], loop, [*loop[1:], loop[0]], strict=True):
        if not (before[0] == here[0] == after[0] or before[1] == here[1] == after[1]):
            kept.append(here)
    return kept


def _area(loop: list[Corner]) -> float:
    rows, columns = np.array(loop, np.float64).T
    return float(np.dot(rows, np.roll(columns, -1)) - np.dot(columns, np.roll(rows, -1))) / 2


def _keyholed(outline: list[Corner], holes: list[list[Corner]]) -> list[Corner]:
    """Join holes to an outline, from left to right: each from its leftmost corner straight to the left."""
    joined = list(outline)
    for hole in holes:
        first = min(range(len(hole)), key=lambda n: (hole[n][1], hole[n][0]))
        row, column = hole[first]
        place, at = -1, -1
        for n, ((r0, c0), (r1, c1)) in enumerate(zip(joined, [*joined[1:], joined[0]], strict=True)):
            if c0 == c1 and at < c0 <= column and min(r0, r1) <= row <= max(r0, r1):
                place, at = n, c0
        channel = [(row, at), *hole[first:], *hole[: first + 1], (row, at)]
        joined = [*joined[: place + 1], *channel, *joined[place + 1 :]]
    return joined
