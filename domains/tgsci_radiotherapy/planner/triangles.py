"""Symmetric matrices as lower triangles in Fortran order: sums, scaling and parts of them, compiled by numba.

Each touches only the triangle, column after column, at the speed of memory; numpy's `matrix[np.ix_(rows, rows)]` costs
more than the Cholesky factorisation of what it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def square(room: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """Lay an n x n matrix in Fortran order, whatever it holds, over memory that is there already.

    Fresh pages cost several times what is written to them.
    """
    return room[: n * n].reshape((n, n), order="F")


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
def _runs(index):  # type: ignore[no-untyped-def]
    """Find where the runs of neighbours in `index` end: a run is copied as vectors, an element alone costs as much."""
    n = len(index)
    ends = np.empty(n, np.int64)
    count = 0
    for i in range(1, n + 1):
        if i == n or index[i] != index[i - 1] + 1:
            ends[count] = i
            count += 1
    return ends[:count]


@numba.njit(cache=True)
def part(total, index, out):  # type: ignore[no-untyped-def]
    """out = total[index, index], index ascending."""
    ends = _runs(index)
    own = 0
    for j in range(len(index)):
        if j == ends[own]:
            own += 1
        first = j
        for last in ends[own:]:
            source = total[index[first] : index[first] + last - first, index[j]]
            target = out[first:last, j]
            for i in range(len(source)):
                target[i] = source[i]
            first = last
