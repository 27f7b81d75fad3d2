"""The inner loops of the pencil beam, compiled by numba: radiological depths, and the rows of the dij.

One core; a row is written by one voxel, in two passes (count, then fill), so that entries come out by row and, within a
row, by bixel. float64 while computing, float32 when stored. No fastmath: figures do not depend on the compiler's mood.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

F = TypeVar("F", bound=Callable[..., Any])

#: Steps of the table of erf per unit, and where it ends: erf(4) is 1 to 2e-8.
_STEPS = 2048
_END = 4.0
ERF = np.array([round(math.erf(i / _STEPS), 14) for i in range(int(_END * _STEPS) + 2)])

_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


def _jit(function: F) -> F:
    """Compile a function; type checkers still see its annotations."""
    return cast(F, _compiled(function))


@_jit
def _between(start: float, way: float, low: float, high: float) -> tuple[float, float]:
    """Find the part of the way, from 0 to 1, that lies between two planes."""
    if way == 0.0:
        return (0.0, 1.0) if low < start < high else (1.0, 0.0)
    a, b = (low - start) / way, (high - start) / way
    return (a, b) if a < b else (b, a)


@_jit
def _first(at: float, start: float, way: float, low: float, size: float, voxels: int) -> tuple[int, int, float, float]:
    """Start along one axis: voxel at a place of the way, step to the next, where that is, how far those after are."""
    place = min(max(math.floor((start + at * way - low) / size), 0), voxels - 1)
    if way > 0.0:
        return place, 1, (low + (place + 1) * size - start) / way, size / way
    if way < 0.0:
        return place, -1, (low + place * size - start) / way, -size / way
    return place, 0, math.inf, math.inf


@_jit
def depths(
    points: Floats,
    wanted: NDArray[np.bool_],
    source: Floats,
    density: NDArray[np.float32],
    spacing: Floats,
    origin: Floats,
) -> NDArray[np.float32]:
    """Calculate the radiological depth of points: the density along the straight line from the source, mm of water.

    The line is followed from voxel to voxel (J. Amanatides, A. Woo, A fast voxel traversal algorithm for ray tracing,
    Eurographics 1987), so that each density counts with the exact length within its voxel.

    Args:
        points: (n, 3), (x, y, z), mm.
        wanted: False for points that no bixel reaches; their depth is 0.
        source: (x, y, z), mm.
        density: Relative electron density, (z, y, x), C order; nothing outside.
        spacing: Of voxels along (x, y, z), mm.
        origin: Centre of the first voxel, (x, y, z), mm.
    """
    found = np.zeros(len(points), np.float32)
    flat = density.reshape(-1)
    nz, ny, nx = density.shape
    dx, dy, dz = spacing[0], spacing[1], spacing[2]
    low_x, low_y, low_z = origin[0] - 0.5 * dx, origin[1] - 0.5 * dy, origin[2] - 0.5 * dz
    sx, sy, sz = source[0], source[1], source[2]
    for n in range(len(points)):
        if not wanted[n]:
            continue
        wx, wy, wz = points[n, 0] - sx, points[n, 1] - sy, points[n, 2] - sz
        enter_x, leave_x = _between(sx, wx, low_x, low_x + nx * dx)
        enter_y, leave_y = _between(sy, wy, low_y, low_y + ny * dy)
        enter_z, leave_z = _between(sz, wz, low_z, low_z + nz * dz)
        here = max(0.0, enter_x, enter_y, enter_z)
        leave = min(1.0, leave_x, leave_y, leave_z)
        if here >= leave:
            continue
        ix, step_x, next_x, by_x = _first(here, sx, wx, low_x, dx, nx)
        iy, step_y, next_y, by_y = _first(here, sy, wy, low_y, dy, ny)
        iz, step_z, next_z, by_z = _first(here, sz, wz, low_z, dz, nz)
        at = (iz * ny + iy) * nx + ix
        total = 0.0
        while True:
            there = min(next_x, next_y, next_z)
            if there >= leave:
                total += (leave - here) * flat[at]
                break
            if there > here:
                total += (there - here) * flat[at]
                here = there
            if there == next_x:
                ix += step_x
                if ix < 0 or ix >= nx:
                    break
                at += step_x
                next_x += by_x
            elif there == next_y:
                iy += step_y
                if iy < 0 or iy >= ny:
                    break
                at += step_y * nx
                next_y += by_y
            else:
                iz += step_z
                if iz < 0 or iz >= nz:
                    break
                at += step_z * nx * ny
                next_z += by_z
        found[n] = total * math.sqrt(wx * wx + wy * wy + wz * wz)
    return found


@_jit
def count(
    x: Floats,
    y: Floats,
    lookup: NDArray[np.int32],
    first_x: float,
    first_y: float,
    side: float,
    cutoff: float,
) -> NDArray[np.int64]:
    """Count the bixels that reach each point, and where each row starts: the counts summed from 0 on.

    Args:
        x: Where each beam sees each point, (beams, points), mm in the plane of the isocentre.
        y: The same along the beam's y axis.
        lookup: Number of the bixel at [beam, row, column], -1 for none.
        first_x: Centre of column 0, mm.
        first_y: Centre of row 0, mm.
        side: Of a bixel, mm.
        cutoff: mm.
    """
    beams, points = x.shape
    starts = np.zeros(points + 1, np.int64)
    rows, columns = lookup.shape[1], lookup.shape[2]
    most = cutoff * cutoff
    for n in range(points):
        entries = 0
        for b in range(beams):
            low = max(0, math.ceil((x[b, n] - cutoff - first_x) / side))
            high = min(columns - 1, math.floor((x[b, n] + cutoff - first_x) / side))
            bottom = max(0, math.ceil((y[b, n] - cutoff - first_y) / side))
            top = min(rows - 1, math.floor((y[b, n] + cutoff - first_y) / side))
            for row in range(bottom, top + 1):
                dy = first_y + row * side - y[b, n]
                for column in range(low, high + 1):
                    dx = first_x + column * side - x[b, n]
                    if dx * dx + dy * dy < most and lookup[b, row, column] >= 0:
                        entries += 1
        starts[n + 1] = starts[n] + entries
    return starts


@_jit
def _erf(x: float, table: Floats) -> float:
    at = abs(x) * _STEPS
    if at >= _END * _STEPS:
        return 1.0 if x > 0.0 else -1.0
    i = int(at)
    value = float(table[i] + (at - i) * (table[i + 1] - table[i]))
    return value if x >= 0.0 else -value


@_jit
def fill(
    x: Floats,
    y: Floats,
    magnified: Floats,
    depth: NDArray[np.float32],
    lookup: NDArray[np.int32],
    first_x: float,
    first_y: float,
    side: float,
    cutoff: float,
    weights: Floats,
    sigmas: Floats,
    erf: Floats,
    scale: float,
    starts: NDArray[np.int64],
    columns: NDArray[np.integer],
    values: NDArray[np.float32],
) -> None:
    """Write the rows of the dij: bixel and dose of each entry.

    Args:
        x: As for `count`.
        y: As for `count`.
        magnified: SAD / t of each point, (beams, points).
        depth: Radiological depth, (beams, points), mm.
        lookup: As for `count`.
        first_x: As for `count`.
        first_y: As for `count`.
        side: As for `count`.
        cutoff: As for `count`.
        weights: Of the pencil, (depths, 3).
        sigmas: Of the pencil, (depths, 2), mm.
        erf: The table `ERF`.
        scale: Factor on all values: the number of fractions.
        starts: From `count`.
        columns: Bixel of each entry; written.
        values: Dose of each entry; written.
    """
    beams, points = x.shape
    height, width = lookup.shape[1], lookup.shape[2]
    most = cutoff * cutoff
    across = int(2 * cutoff / side) + 2
    fx = np.empty((2, across))
    fy = np.empty((2, across))
    last = len(weights) - 1
    for n in range(points):
        at = starts[n]
        for b in range(beams):
            low = max(0, math.ceil((x[b, n] - cutoff - first_x) / side))
            high = min(width - 1, math.floor((x[b, n] + cutoff - first_x) / side))
            bottom = max(0, math.ceil((y[b, n] - cutoff - first_y) / side))
            top = min(height - 1, math.floor((y[b, n] + cutoff - first_y) / side))
            if high < low or top < bottom:
                continue
            line = min(int(depth[b, n]), last - 1)
            share = min(depth[b, n] - line, 1.0)
            gain = scale * magnified[b, n] * magnified[b, n]
            w0 = gain * (weights[line, 0] + share * (weights[line + 1, 0] - weights[line, 0]))
            w1 = gain * (weights[line, 1] + share * (weights[line + 1, 1] - weights[line, 1]))
            w2 = gain * (weights[line, 2] + share * (weights[line + 1, 2] - weights[line, 2]))
            w2 *= 2.0 * side * side / (math.pi * most)
            for k in range(2):
                sigma = sigmas[line, k] + share * (sigmas[line + 1, k] - sigmas[line, k])
                per = 1.0 / (math.sqrt(2.0) * sigma * magnified[b, n])
                before = _erf((first_x + (low - 0.5) * side - x[b, n]) * per, erf)
                for i in range(high - low + 1):
                    after = _erf((first_x + (low + i + 0.5) * side - x[b, n]) * per, erf)
                    fx[k, i] = 0.5 * (after - before)
                    before = after
                before = _erf((first_y + (bottom - 0.5) * side - y[b, n]) * per, erf)
                for i in range(top - bottom + 1):
                    after = _erf((first_y + (bottom + i + 0.5) * side - y[b, n]) * per, erf)
                    fy[k, i] = 0.5 * (after - before)
                    before = after
            for row in range(bottom, top + 1):
                dy = first_y + row * side - y[b, n]
                f0 = w0 * fy[0, row - bottom]
                f1 = w1 * fy[1, row - bottom]
                for column in range(low, high + 1):
                    dx = first_x + column * side - x[b, n]
                    square = dx * dx + dy * dy
                    if square < most and lookup[b, row, column] >= 0:
                        i = column - low
                        columns[at] = lookup[b, row, column]
                        values[at] = f0 * fx[0, i] + f1 * fx[1, i] + w2 * (1.0 - square / most)
                        at += 1
