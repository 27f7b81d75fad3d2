"""Symmetric matrices as lower triangles in Fortran order: sums, scaling and parts of them, compiled by numba.

Each touches only the triangle, column after column, at the speed of memory; numpy's `matrix[np.ix_(rows, rows)]` costs
more than the Cholesky factorisation of what it returns.
"""

from __future__ import annotations

import numba


@numba.njit(cache=True)
def add(total, weight, part):  # type: ignore[no-untyped-def]
    """total += weight * part."""
    n = len(total)
    for j in range(n):
        for i in range(j, n):
            total[i, j] += weight * part[i, j]


@numba.njit(cache=True)
def scale(total, factor, ridge):  # type: ignore[no-untyped-def]
    """total[i, j] *= factor[i] factor[j]; then `ridge` is added to the diagonal."""
    n = len(total)
    for j in range(n):
        f = factor[j]
        for i in range(j, n):
            total[i, j] *= factor[i] * f
        total[j, j] += ridge


@numba.njit(cache=True)
def part(total, index, out):  # type: ignore[no-untyped-def]
    """out = total[index, index], index ascending."""
    n = len(index)
    for j in range(n):
        column = total[:, index[j]]
        for i in range(j, n):
            out[i, j] = column[index[i]]


@numba.njit(cache=True)
def add_part(total, weight, whole, index):  # type: ignore[no-untyped-def]
    """total += weight * whole[index, index], index ascending."""
    n = len(index)
    for j in range(n):
        column = whole[:, index[j]]
        for i in range(j, n):
            total[i, j] += weight * column[index[i]]
