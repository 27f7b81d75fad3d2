"""The dose-influence matrix as the solver uses it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numba
import numpy as np

from . import kernels
from .kernels import LANES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Dij
    from .terms import Terms

    Array = NDArray[np.float64]

#: Voxels along the edge of a cell, as a power of two: rows of a cell are multiplied out together. Larger cells have
#: more zeros, smaller ones more overhead.
_CELL = 2
#: Rows that are multiplied out together, at least where there are more.
_TOGETHER = 16
#: Rows that a thread of its own pays for.
_ALONE = 500


class Matrix:
    """Passes over the matrix. It is stored in blocks (see `kernels`), values in float32; sums over rows are in float64.

    Args:
        dij: The matrix of a case.
        places: Index of each row's voxel along each axis, (rows, axes): neighbours see the same beamlets. Where not
            given, rows that follow each other count as neighbours.
    """

    def __init__(self, dij: Dij, places: NDArray[np.integer] | None = None) -> None:
        self.columns = dij.beamlets
        self.rows = dij.rows
        starts, columns, values = dij.starts, dij.columns, dij.values
        blocks = kernels.count_blocks(starts, columns)
        if blocks < 0:
            from scipy.sparse import csr_array

            csr = csr_array((values, columns.astype(np.int64), starts), shape=(dij.rows, dij.beamlets))
            csr.sum_duplicates()
            starts, columns, values = csr.indptr.astype(np.int64), csr.indices, csr.data
            blocks = kernels.count_blocks(starts, columns)
        kind = np.uint16 if dij.beamlets <= 2**16 else np.uint32
        self._starts = np.empty(dij.rows + 1, np.int64)
        self._columns = np.empty(blocks, kind)
        self._values = np.zeros(blocks * LANES, np.float32)
        kernels.fill_blocks(starts, columns, values, self._starts, self._columns, self._values)
        #: Where the blocks of each row begin, their first columns, and their values, LANES each: what kernels take.
        self.arrays = (self._starts, self._columns, self._values)
        curve = _curve(np.arange(dij.rows)[:, None] if places is None else places)
        #: Rows in the order of a curve through the cells, and the cell of each.
        self._order = np.argsort(curve, kind="stable")
        self._cells = curve[self._order] >> _CELL * (1 if places is None else places.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes that a pass reads."""
        return sum(array.nbytes for array in self.arrays)

    def dose(self, x: Array, *, exact: bool = False) -> NDArray[np.floating]:
        """Compute the dose by row, Gy; sums of a row in float64 where `exact`."""
        kind: type[np.floating] = np.float64 if exact else np.float32
        out: NDArray[np.floating] = np.empty(self.rows, kind)
        kernels.dose(*self.arrays, 0, self.rows, self._padded(x, kind), out)
        return out

    def sum_rows(self, rows: slice | NDArray[np.int32]) -> Array:
        """Sum some rows, by beamlet."""
        ones = np.zeros(self.rows)
        ones[rows] = 1.0
        return self.transposed(ones)

    def transposed(self, multipliers: Array, first: int = 0, last: int | None = None) -> Array:
        """Compute A^T multipliers over the rows from first to last; rows whose multiplier is 0 cost nothing."""
        out = np.zeros(self.columns + LANES)
        kernels.transposed(*self.arrays, first, self.rows if last is None else last, multipliers, out)
        return out[: self.columns]

    def value_gradient(self, terms: Terms, x: Array, strides: dict[str, int] | None = None) -> tuple[float, Array]:
        """Compute squared and mean objectives and their gradient in one pass.

        Args:
            terms: The objectives.
            x: Fluence.
            strides: By place of a structure: use every n-th of its rows, and count each n times.
        """
        gradient = np.zeros(self.columns + LANES)
        gradient[: self.columns] = terms.linear
        value = float(terms.linear @ x)
        narrow = self._padded(x, np.float32)
        for p in terms.penalties:
            n = strides.get(p.place, 1) if strides else 1
            value += kernels.fused(*self.arrays, p.index, n, narrow, p.bends, n * p.over, n * p.under, gradient)
        return value, gradient[: self.columns]

    def squares(self, weights: Array) -> Array:
        """Compute the diagonal of A^T diag(weights) A; rows whose weight is 0 cost nothing."""
        out = np.zeros(self.columns + LANES)
        kernels.squares(*self.arrays, weights, out)
        return out[: self.columns]

    def add_gram(self, weights: Array, total: NDArray[np.float32]) -> None:
        """Add A^T diag(weights) A to a lower triangle in Fortran order.

        A row has entries in a few percent of the columns, and its neighbours mostly in the same: cell by cell, the
        columns that occur are multiplied out as a dense matrix. The result does not depend on the number of threads
        (numba's).

        Args:
            weights: By row, either sign; rows of weight 0 cost nothing.
            total: Where to add, (columns + LANES, columns + LANES), as blocks run over the end.
        """
        chosen = np.flatnonzero(weights[self._order])
        rows, ends = self._order[chosen], _groups(self._cells[chosen])
        # Not numba.get_num_threads(): that starts them, and a process with threads cannot be forked.
        threads: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        parts = min(threads, max(len(rows) // _ALONE, 1))

        def work(part: int) -> None:
            kernels.gram(*self.arrays, rows, ends, weights, part, parts, total)

        if parts == 1:
            work(0)
        else:
            with ThreadPoolExecutor(parts) as pool:
                list(pool.map(work, range(parts)))

    def _padded(self, x: Array, kind: type[np.floating]) -> NDArray[np.floating]:
        out = np.zeros(self.columns + LANES, kind)
        out[: self.columns] = x
        return out


def _curve(places: NDArray[np.integer]) -> NDArray[np.int64]:
    """Number voxels along a curve that visits cell after cell (Morton 1966): bits of the axes in turn."""
    curve = np.zeros(len(places), np.int64)
    axes = places.shape[1]
    for bit in range(63 // axes):
        for axis in range(axes):
            curve |= (places[:, axis].astype(np.int64) >> bit & 1) << (axes * bit + axis)
    return curve


def _groups(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cut rows, in the order of the curve, at the borders of cells; small cells go with the next."""
    ends = []
    first = 0
    for border in (*(np.flatnonzero(np.diff(cells)) + 1).tolist(), len(cells)):
        if border - first >= _TOGETHER or (border == len(cells) and border > first):
            ends.append(border)
            first = border
    return np.array(ends, np.int64)
