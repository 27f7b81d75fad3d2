"""The dose-influence matrix as the solver uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import kernels
from .kernels import LANES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Dij
    from .terms import Terms

    Array = NDArray[np.float64]


class Matrix:
    """Passes over the matrix. It is stored in blocks (see `kernels`), values in float32; sums over rows are in float64.

    Args:
        dij: The matrix of a case.
    """

    def __init__(self, dij: Dij) -> None:
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
        self._arrays = (self._starts, self._columns, self._values)

    @property
    def nbytes(self) -> int:
        """Bytes that a pass reads."""
        return sum(array.nbytes for array in self._arrays)

    def dose(self, x: Array, *, exact: bool = False) -> NDArray[np.floating]:
        """Compute the dose by row, Gy; sums of a row in float64 where `exact`."""
        kind: type[np.floating] = np.float64 if exact else np.float32
        out: NDArray[np.floating] = np.empty(self.rows, kind)
        kernels.dose(*self._arrays, 0, self.rows, self._padded(x, kind), out)
        return out

    def sum_rows(self, rows: slice | NDArray[np.int32]) -> Array:
        """Sum some rows, by beamlet."""
        ones = np.zeros(self.rows)
        ones[rows] = 1.0
        return self.transposed(ones)

    def transposed(self, multipliers: Array, first: int = 0, last: int | None = None) -> Array:
        """Compute A^T multipliers over the rows from first to last; rows whose multiplier is 0 cost nothing."""
        out = np.zeros(self.columns + LANES)
        kernels.transposed(*self._arrays, first, self.rows if last is None else last, multipliers, out)
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
            value += kernels.fused(*self._arrays, p.index, n, narrow, p.bends, n * p.over, n * p.under, gradient)
        return value, gradient[: self.columns]

    def squares(self, weights: Array) -> Array:
        """Compute the diagonal of A^T diag(weights) A; rows whose weight is 0 cost nothing."""
        out = np.zeros(self.columns + LANES)
        kernels.squares(*self._arrays, weights, out)
        return out[: self.columns]

    def dense_rows(
        self, rows: NDArray[np.integer], columns: NDArray[np.intp] | None = None, factors: Array | None = None
    ) -> NDArray[np.float32]:
        """Write rows with their zeros: shape (rows, columns).

        Args:
            rows: Which.
            columns: Only these, ascending; all where not given.
            factors: Each row is multiplied by its own.
        """
        wide = self.columns if columns is None else len(columns)
        place = np.full(self.columns + LANES, wide, np.int64)
        place[np.arange(self.columns) if columns is None else columns] = np.arange(wide)
        out = np.zeros((len(rows), wide + 1), np.float32)
        kernels.expand(*self._arrays, rows, place, np.ones(len(rows)) if factors is None else factors, out)
        return out[:, :wide]

    def _padded(self, x: Array, kind: type[np.floating]) -> NDArray[np.floating]:
        out = np.zeros(self.columns + LANES, kind)
        out[: self.columns] = x
        return out
