"""The Hessian of the objective as a dense matrix, kept up to date row by row.

It is a sum of w_i a_i a_i^T over the rows of the dose-influence matrix, w_i the second derivative of row i's penalty,
and, for EUD objectives, of a few more vectors. As long as no voxel crosses a bend of its penalty the sum stays: from
step to step, and from plan to plan, only the rows whose w_i changed are added or subtracted. A row has entries in a few
percent of the columns, which is what makes a matrix of 9,000 beamlets a matter of a second (`Matrix.add_gram`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import triangles
from .kernels import LANES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .matrix import Matrix
    from .terms import Terms

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

#: How many beamlets a step looks at, beside the free ones, as a share of these.
_MORE = 0.25
#: Rows with less than this share of the largest curvature of an EUD objective are left out: most of a large organ's.
_LITTLE = 1e-3
#: Curvatures of EUD objectives change with every dose: changes below this share of the largest are left for later.
_SAME = 1e-2
#: Sum anew where subtracting left less than this share of a beamlet's largest diagonal: the rest is rounding.
_REST = 1e-2


class Hessian:
    """The Hessian of all beamlets at a dose.

    Args:
        matrix: The dose influence.
        room: Where to put what is handed out: one element for each pair of beamlets.
        start: A Hessian of the same matrix to start from; it is not changed.
        own: Where to keep the sum, `empty(matrix)`; memory of its own where not given.
    """

    def __init__(
        self,
        matrix: Matrix,
        room: NDArray[np.float32],
        start: Hessian | None = None,
        own: NDArray[np.float32] | None = None,
    ) -> None:
        self._matrix = matrix
        self._room = room
        self._own = own
        #: By row: what it counts in the sum.
        self._weights: Array = np.zeros(matrix.rows)
        self._total = np.zeros((0, 0), np.float32, order="F")
        #: By beamlet: the largest diagonal since the sum was made.
        self._largest: Array = np.zeros(matrix.columns)
        self._shared = start is not None
        if start is not None:
            self._weights, self._total, self._largest = start._weights, start._total, start._largest

    def at(
        self, terms: Terms, dose: NDArray[np.floating], x: Array, gradient: Array
    ) -> tuple[Index, NDArray[np.float32]]:
        """Give the beamlets that a step may change, ascending, and their Hessian.

        These are those that have fluence or may get some, and the next in line. The Hessian is a lower triangle in
        Fortran order, which the caller may use up; it is good until the next one.
        """
        self._move(terms, dose, _SAME)
        diagonal = self._diagonal()
        free = (x > 0) | (gradient < 0)
        least = max(1e-9 * diagonal.max(initial=0.0), 1e-30)
        away = np.where(free, -np.inf, gradient / np.maximum(diagonal, least))
        many = min(len(x), int((1 + _MORE) * free.sum()) + 10)
        index = np.sort(np.argsort(away, kind="stable")[:many])
        return index, self._part(terms, dose, index)

    def block(self, terms: Terms, dose: NDArray[np.floating], columns: Index) -> NDArray[np.float32]:
        """Give the Hessian of some beamlets, ascending, at a dose, as `at` does."""
        self._move(terms, dose, 0.0)
        return self._part(terms, dose, columns)

    def move(self, terms: Terms, dose: NDArray[np.floating]) -> None:
        """Bring the sum over the rows to a dose."""
        self._move(terms, dose, 0.0)

    def _part(self, terms: Terms, dose: NDArray[np.floating], columns: Index) -> NDArray[np.float32]:
        from scipy.linalg import blas

        out = triangles.square(self._room, len(columns))
        triangles.part(self._total, columns, out)
        for pooled in terms.pooled:
            diagonal, vectors = pooled.curvature(dose[pooled.rows].astype(np.float64))
            for sign, vector in vectors:
                multipliers = np.zeros(self._matrix.rows)
                # What is subtracted must not be more than what was added, row by row.
                multipliers[pooled.rows] = vector if sign > 0 else np.where(_much(diagonal), vector, 0.0)
                narrow = self._matrix.transposed(multipliers)[columns].astype(np.float32)
                out = blas.ssyr(sign, narrow, lower=1, a=out, overwrite_a=1)
        return out

    def _move(self, terms: Terms, dose: NDArray[np.floating], same: float) -> None:
        weights = self._curvatures(terms, dose, same)
        changed = weights - self._weights
        if not self._total.size or np.count_nonzero(changed) >= np.count_nonzero(weights):
            self._begin(weights)
        elif changed.any():
            if self._shared:
                own = self._memory()
                np.copyto(own, self._total)
                self._total, self._shared = own, False
            self._matrix.add_gram(changed, self._total)
            self._weights = weights
            diagonal = self._diagonal()
            self._largest = np.maximum(self._largest, diagonal)
            if (diagonal + _REST**2 * diagonal.max(initial=0.0) < _REST * self._largest).any():
                self._begin(weights)

    def _begin(self, weights: Array) -> None:
        """Sum all rows anew."""
        self._total, self._shared = self._memory(), False
        self._total.fill(0.0)
        self._matrix.add_gram(weights, self._total)
        self._weights = weights
        self._largest = self._diagonal()

    def _memory(self) -> NDArray[np.float32]:
        if self._own is None:
            self._own = empty(self._matrix)
        return self._own

    def _diagonal(self) -> Array:
        return np.diag(self._total)[: self._matrix.columns].astype(np.float64)

    def _curvatures(self, terms: Terms, dose: NDArray[np.floating], same: float) -> Array:
        """Differentiate the objective twice by each row's dose; what changed by less than a share `same` stays."""
        weights = terms.curvatures(dose)
        for pooled in terms.pooled:
            diagonal, _ = pooled.curvature(dose[pooled.rows].astype(np.float64))
            diagonal = np.where(_much(diagonal), diagonal, 0.0)
            wanted = weights[pooled.rows] + diagonal
            near = np.abs(wanted - self._weights[pooled.rows]) <= same * diagonal
            weights[pooled.rows] = np.where(near, self._weights[pooled.rows], wanted)
        return weights


def empty(matrix: Matrix) -> NDArray[np.float32]:
    """Get memory for a Hessian of all beamlets, as `Matrix.add_gram` needs it."""
    return np.empty((matrix.columns + LANES,) * 2, np.float32, order="F")


def _much(diagonal: Array) -> NDArray[np.bool_]:
    return np.asarray(diagonal > _LITTLE * diagonal.max(initial=0.0))
