"""How hot a voxel can be when those around it are not, and how strong a beamlet: bounds from the matrix alone.

If row i of the matrix is nowhere above rho times the sum of its neighbours' rows, then no fluence x >= 0 gives voxel i
more than rho times the sum of their doses. So where all but a few voxels are limited, these few are as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from .recent import Recent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case

    Array = NDArray[np.float64]

#: Of the cases that were asked about last: neighbours and ratios by row.
_AROUND = Recent()


def hottest(case: Case, dose: float, spare: int) -> Array:
    """Bound the dose of each row where all rows but a few get at most a certain dose.

    Args:
        case: The case.
        dose: What they get at most, Gy.
        spare: How many of them may get more; at least 1.

    Returns:
        The most that each row can get, Gy, (rows,); inf where the matrix does not say.
    """
    found: tuple[Array, Array] | None = _AROUND.get(case.fingerprint)
    if found is None:
        found = _neighbours(case)
        _AROUND.put(case.fingerprint, found)
    count, rho = found
    most = np.where(rho > 0, rho * count * dose, dose)
    # Up to spare - 1 of the neighbours may be hot themselves: M <= rho ((n - spare + 1) U + (spare - 1) M), for the
    # hottest of all first.
    steepest = (spare - 1) * float(rho.max(initial=0.0))
    if spare > 1:
        if not steepest < 1.0:
            return np.full(len(rho), np.inf)
        top = max(float(most.max(initial=dose)) - steepest * dose, dose) / (1.0 - steepest)
        most = most + rho * (spare - 1) * (top - dose)
    return np.asarray(np.maximum(most, dose))


def _neighbours(case: Case) -> tuple[Array, Array]:
    """Give for each row the number of rows around it, and rho: the largest of its entries over their sum."""
    from itertools import product

    z, y, x = np.unravel_index(case.voxels, case.grid.shape)
    place = np.full([n + 2 for n in case.grid.shape], -1, np.int64)
    rows = np.arange(len(case.voxels))
    place[z + 1, y + 1, x + 1] = rows
    steps = [step for step in product((0, 1, 2), repeat=3) if step != (1, 1, 1)]
    around = np.stack([place[z + dz, y + dy, x + dx] for dz, dy, dx in steps], axis=1)
    rho = np.full(len(rows), np.inf)
    _ratios(case.dij.starts, case.dij.columns, case.dij.values, around, np.zeros(case.dij.beamlets), rho)
    return (around >= 0).sum(axis=1).astype(np.float64), rho


@numba.njit(error_model="numpy", cache=True)
def _ratios(starts, columns, values, around, work, out):  # type: ignore[no-untyped-def]
    """out[i] = max_j A[i, j] / sum_n A[n, j] over the neighbours n of i; inf where the sum is 0 and the entry not."""
    for i in range(len(out)):
        for k in range(starts[i], starts[i + 1]):
            work[columns[k]] = 0.0
        for n in around[i]:
            if n >= 0:
                for k in range(starts[n], starts[n + 1]):
                    work[columns[k]] += values[k]
        most = 0.0
        for k in range(starts[i], starts[i + 1]):
            if values[k] > 0:
                ratio = values[k] / work[columns[k]] if work[columns[k]] > 0 else np.inf
                most = max(most, ratio)
        out[i] = most * (1.0 + 1e-9)
        for n in around[i]:
            if n >= 0:
                for k in range(starts[n], starts[n + 1]):
                    work[columns[k]] = 0.0
        for k in range(starts[i], starts[i + 1]):
            work[columns[k]] = 0.0


@numba.njit(cache=True)
def largest_by_column(starts, columns, values, rows, out):  # type: ignore[no-untyped-def]
    """out[j, :] = the largest entries of column j in some rows, in falling order; `out` is 0 before."""
    last = out.shape[1] - 1
    for i in rows:
        for k in range(starts[i], starts[i + 1]):
            j = columns[k]
            at = last
            if values[k] <= out[j, at]:
                continue
            while at > 0 and values[k] > out[j, at - 1]:
                out[j, at] = out[j, at - 1]
                at -= 1
            out[j, at] = values[k]
