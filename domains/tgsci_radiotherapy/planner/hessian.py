"""The Hessian of the objective as a dense matrix, of all beamlets or of some.

Two sources. `Grams` keeps a matrix of all beamlets for each structure and side, brings them from dose to dose, and
serves squared objectives, whatever their weights. `Reduced` sums the rows anew each time, for the beamlets that have
fluence or may get some: for EUD objectives, whose curvature differs from row to row, and for more beamlets than there
is room for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .matrix import Matrix
    from .terms import Terms

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

#: Rows that are written out at once: 1,024 rows of 3,000 beamlets are 12 MB.
CHUNK = 1024
#: How many beamlets at most `Reduced` looks at, beside the free ones, as a share of these.
_MORE = 0.25
#: Rows with less than this share of the largest curvature of an EUD objective are left out: most of a large organ's.
_LITTLE = 1e-3


class Source(Protocol):
    """Where Newton's method gets its Hessian from."""

    def at(
        self, terms: Terms, dose: NDArray[np.floating], x: Array, gradient: Array
    ) -> tuple[Index, NDArray[np.float32]]:
        """The beamlets that a step may change, ascending, and their Hessian.

        The latter is a lower triangle in Fortran order, which the caller may use up.
        """
        ...


class Reduced:
    """The Hessian of the beamlets that have fluence, and of those next in line.

    Args:
        matrix: The dose influence.
    """

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix

    def at(
        self, terms: Terms, dose: NDArray[np.floating], x: Array, gradient: Array
    ) -> tuple[Index, NDArray[np.float32]]:
        """See `Source`."""
        diagonal = self._matrix.squares(terms.curvatures(dose), {}, terms)
        free = (x > 0) | (gradient < 0)
        away = np.where(free, -np.inf, gradient / np.maximum(diagonal, 1e-9 * diagonal.max(initial=1e-300)))
        many = min(len(x), int((1 + _MORE) * free.sum()) + 10)
        index = np.sort(np.argsort(away, kind="stable")[:many])
        return index, summed(self._matrix, terms, dose, index)


def summed(matrix: Matrix, terms: Terms, dose: NDArray[np.floating], columns: Index) -> NDArray[np.float32]:
    """The Hessian of some beamlets, row by row.

    Args:
        matrix: The dose influence.
        terms: The objectives.
        dose: Dose by row.
        columns: The beamlets, ascending.
    """
    from scipy.linalg import blas

    n = len(columns)
    total = np.zeros((n, n), np.float32, order="F")
    curvature = terms.curvatures(dose)
    ranks = []
    for pooled in terms.pooled:
        diagonal, vectors = pooled.curvature(dose[pooled.rows].astype(np.float64))
        much = diagonal > _LITTLE * diagonal.max(initial=0.0)
        curvature[pooled.rows] += np.where(much, diagonal, 0.0)
        for sign, own in vectors:
            multipliers = np.zeros(matrix.rows)
            # What is subtracted must not be more than what was added, row by row.
            multipliers[pooled.rows] = own if sign > 0 else np.where(much, own, 0.0)
            ranks.append((sign, matrix.transposed(multipliers)[columns].astype(np.float32)))
    rows = np.flatnonzero(curvature > 1e-7 * curvature.max(initial=0.0))
    for at in range(0, len(rows), CHUNK):
        index = rows[at : at + CHUNK]
        out = matrix.written_out(index, columns, np.sqrt(curvature[index]))
        total = blas.ssyrk(1.0, out.T, beta=1.0, c=total, lower=1, overwrite_c=1)
    for sign, vector in ranks:
        total = blas.ssyr(sign, vector, lower=1, a=total, overwrite_a=1)
    return total
