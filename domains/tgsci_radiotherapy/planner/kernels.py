"""The passes over the dose-influence matrix, compiled by numba.

Rows are voxels, columns beamlets. Rows are stored in blocks (`lanes`): row i is blocks starts[i] to starts[i + 1],
each with its first column and `LANES` values. Vectors over the columns are `LANES` longer than there are columns, so
that the last block of a row may run over the end.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from . import lanes

LANES = lanes.LANES
#: To a type checker these are functions of numba's own arguments as well.
row_dot: Any = lanes.row_dot
row_add: Any = lanes.row_add


@numba.njit(cache=True)
def count_blocks(starts, columns):  # type: ignore[no-untyped-def]
    """How many blocks the rows of a CSR matrix need; -1 where a row's columns do not ascend."""
    count = 0
    for i in range(len(starts) - 1):
        k = starts[i]
        while k < starts[i + 1]:
            begin = np.int64(columns[k])
            count += 1
            k += 1
            while k < starts[i + 1] and columns[k] < begin + LANES:
                if columns[k] <= columns[k - 1]:
                    return -1
                k += 1
            if k < starts[i + 1] and columns[k] <= columns[k - 1]:
                return -1
    return count


@numba.njit(cache=True)
def fill_blocks(starts, columns, values, block_starts, block_columns, block_values):  # type: ignore[no-untyped-def]
    """Write the rows of a CSR matrix, columns ascending, as blocks."""
    at = 0
    for i in range(len(starts) - 1):
        block_starts[i] = at
        k = starts[i]
        while k < starts[i + 1]:
            begin = np.int64(columns[k])
            block_columns[at] = begin
            while k < starts[i + 1] and columns[k] < begin + LANES:
                block_values[at * LANES + columns[k] - begin] = values[k]
                k += 1
            at += 1
    block_starts[len(starts) - 1] = at


@numba.njit(cache=True)
def dose(starts, columns, values, first, last, x, out):  # type: ignore[no-untyped-def]
    """out[i] = sum_j values[i, j] x[j] for rows first to last; sums have the precision of `x`."""
    for i in range(first, last):
        out[i] = row_dot(values, columns, x, starts[i], starts[i + 1])


@numba.njit(cache=True)
def transposed(starts, columns, values, first, last, multipliers, out):  # type: ignore[no-untyped-def]
    """out[j] += sum_i values[i, j] multipliers[i] for rows first to last; rows with multiplier 0 are not read."""
    for i in range(first, last):
        if multipliers[i] != 0:
            row_add(values, columns, out, starts[i], starts[i + 1], multipliers[i])


@numba.njit(cache=True)
def squares(starts, columns, values, first, last, stride, weights, out):  # type: ignore[no-untyped-def]
    """out[j] += sum_i weights[i] values[i, j]^2: the diagonal of a Hessian."""
    for i in range(first, last, stride):
        w = weights[i]
        if w != 0:
            for k in range(starts[i], starts[i + 1]):
                for lane in range(LANES):
                    v = values[k * LANES + lane]
                    out[columns[k] + lane] += w * v * v


@numba.njit(cache=True)
def expand(starts, columns, values, rows, place, factors, out):  # type: ignore[no-untyped-def]
    """Rows of the matrix, written out: out[r, place[j]] = factors[r] A[rows[r], j]; `out` comes with zeros."""
    for r in range(len(rows)):
        f = np.float32(factors[r])
        for k in range(starts[rows[r]], starts[rows[r] + 1]):
            for lane in range(LANES):
                v = values[k * LANES + lane]
                if v != 0:
                    out[r, place[columns[k] + lane]] = f * v


@numba.njit(error_model="numpy", cache=True)
def fused(starts, columns, values, first, last, stride, x, bends, over, under, gradient):  # type: ignore[no-untyped-def]
    """Value of sum_i phi(d_i), d = A x, over every stride-th row; its gradient is added to `gradient`.

    phi(d) = sum_k over[k] max(d - bends[k], 0)^2 + under[k] max(bends[k] - d, 0)^2. Only the row's own dose is needed,
    so that each row is read from memory once, and added to the gradient while it is in the cache; most rows of healthy
    tissue are below their bend and need not be.
    """
    total = 0.0
    for i in range(first, last, stride):
        d = np.float64(row_dot(values, columns, x, starts[i], starts[i + 1]))
        slope = 0.0
        for b in range(len(bends)):
            t = d - bends[b]
            w = over[b] if t > 0 else under[b]
            total += w * t * t
            slope += 2 * w * t
        if slope != 0:
            row_add(values, columns, gradient, starts[i], starts[i + 1], gradient.dtype.type(slope))
    return total
