"""The Hessian of the objective as a dense matrix, of all beamlets or of some.

Two sources. `Grams` serves squared objectives: their Hessian is a sum over bends k of 2 weight_k G_k, where G_k = sum
of a_i a_i^T over the rows whose dose is on the penalised side of the bend. Kept apart by structure, side and place of
the bend, these matrices do not depend on weights; and when doses change, only the rows that changed sides are added or
subtracted. `ReducedHessian` sums the rows anew each time, for the beamlets that have fluence or may get some: for EUD
objectives, whose curvature differs from row to row, and for more beamlets than there is room for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from . import triangles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .matrix import Matrix
    from .penalties import Penalty
    from .terms import Terms

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]
    Key = tuple[str, str, int]

#: Rows that are written out at once: 1,024 rows of 3,000 beamlets are 12 MB.
CHUNK = 1024
#: How many beamlets at most `ReducedHessian` looks at, beside the free ones, as a share of these.
_MORE = 0.25
#: Rows with less than this share of the largest curvature of an EUD objective are left out: most of a large organ's.
_LITTLE = 1e-3


class Source(Protocol):
    """Where Newton's method gets its Hessian from."""

    def at(
        self, terms: Terms, dose: NDArray[np.floating], x: Array, gradient: Array
    ) -> tuple[Index, NDArray[np.float32]]:
        """Give the beamlets that a step may change, ascending, and their Hessian.

        The latter is a lower triangle in Fortran order, which the caller may use up.
        """
        ...


class ReducedHessian:
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
        diagonal = self._matrix.squares(terms.curvatures(dose))
        free = (x > 0) | (gradient < 0)
        away = np.where(free, -np.inf, gradient / np.maximum(diagonal, 1e-9 * diagonal.max(initial=1e-300)))
        many = min(len(x), int((1 + _MORE) * free.sum()) + 10)
        index = np.sort(np.argsort(away, kind="stable")[:many])
        return index, sum_rows(self._matrix, terms, dose, index)


def sum_rows(matrix: Matrix, terms: Terms, dose: NDArray[np.floating], columns: Index) -> NDArray[np.float32]:
    """Sum the Hessian of some beamlets row by row.

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
        out = matrix.dense_rows(index, columns, np.sqrt(curvature[index]))
        total = blas.ssyrk(1.0, out.T, beta=1.0, c=total, lower=1, overwrite_c=1)
    for sign, vector in ranks:
        total = blas.ssyr(sign, vector, lower=1, a=total, overwrite_a=1)
    return total


@dataclass(frozen=True)
class Gram:
    """The Gram matrix of some rows of a structure.

    Args:
        sum: Lower triangle of the sum of a_i a_i^T, float32, Fortran order.
        rows: True for the rows of the structure that are in it.
    """

    sum: NDArray[np.float32]
    rows: NDArray[np.bool_]


def parts(penalty: Penalty) -> Iterator[tuple[Key, float, float]]:
    """List the matrices of a penalty: key, bend and weight of each; "all" for what both sides have in common."""
    count = {"all": 0, "over": 0, "under": 0}
    for bend, over, under in zip(penalty.bends, penalty.over, penalty.under, strict=True):
        both = min(over, under)
        for side, weight in (("all", both), ("over", over - both), ("under", under - both)):
            if weight > 0:
                # There is one matrix of all rows, whatever the bend.
                yield (penalty.place, side, 0 if side == "all" else count[side]), float(bend), float(weight)
                count[side] += 1


def size(terms: Terms, beamlets: int) -> int:
    """Count the bytes of the matrices of some objectives."""
    return sum(4 * beamlets**2 for penalty in terms.penalties for _ in parts(penalty))


class Grams:
    """The matrices for one solve.

    Args:
        matrix: The dose influence.
        whole: By structure or region: the matrix of all its rows. A function of the case alone, so all solves share
            them; those that are missing are added.
        start: Matrices to start from; they are not changed.
    """

    def __init__(self, matrix: Matrix, whole: dict[str, Gram], start: dict[Key, Gram] | None = None) -> None:
        self._matrix = matrix
        self._whole = whole
        self._grams: dict[Key, Gram] = dict(start or {})
        self._own: set[Key] = set()

    def at(
        self, terms: Terms, dose: NDArray[np.floating], x: Array, gradient: Array
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """See `Source`; all beamlets."""
        self.update(terms, dose)
        total = np.zeros((len(x), len(x)), np.float32, order="F")
        for gram, weight in self._weighted(terms):
            triangles.add(total, weight, gram.sum)
        return np.arange(len(x)), total

    def block(self, terms: Terms, dose: NDArray[np.floating], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """Sum the Hessian of some beamlets, ascending: lower triangle, Fortran order."""
        self.update(terms, dose)
        total = np.zeros((len(columns),) * 2, np.float32, order="F")
        for gram, weight in self._weighted(terms):
            triangles.add_part(total, weight, gram.sum, columns)
        return total

    def _weighted(self, terms: Terms) -> Iterator[tuple[Gram, np.float32]]:
        for penalty in terms.penalties:
            for key, _, weight in parts(penalty):
                yield self._whole[key[0]] if key[1] == "all" else self._grams[key], np.float32(2 * weight)

    @property
    def matrices(self) -> dict[Key, Gram]:
        """The matrices, to start from elsewhere; then this must not be updated any more."""
        return self._grams

    def update(self, terms: Terms, dose: NDArray[np.floating]) -> None:
        """Bring the matrices to a dose."""
        self.share(terms)
        for penalty in terms.penalties:
            own = dose[penalty.rows]
            for key, bend, _ in parts(penalty):
                if key[1] == "all":
                    continue
                rows = own > bend if key[1] == "over" else own < bend
                before = self._grams.get(key)
                if before is not None and (before.rows == rows).all():
                    continue
                if before is not None and key not in self._own:
                    before = Gram(before.sum.copy(order="F"), before.rows)
                self._grams[key] = self._change(before, rows, penalty.index)
                self._own.add(key)

    def share(self, terms: Terms) -> None:
        """Sum all rows of the structures that are penalised on both sides of a dose, if nobody has yet."""
        for penalty in terms.penalties:
            if np.minimum(penalty.over, penalty.under).any() and penalty.place not in self._whole:
                rows = np.ones(len(penalty.index), bool)
                self._whole[penalty.place] = self._change(None, rows, penalty.index)

    def _change(self, before: Gram | None, rows: NDArray[np.bool_], among: NDArray[np.int32]) -> Gram:
        """Change a matrix to other rows of a structure, whose rows are `among`; `before` is used up."""
        from scipy.linalg import blas

        n = self._matrix.columns
        total = np.zeros((n, n), np.float32, order="F") if before is None else before.sum
        was = np.zeros(len(rows), bool) if before is None else before.rows
        for sign, which in ((1.0, rows & ~was), (-1.0, was & ~rows)):
            index = among[which]
            for at in range(0, len(index), CHUNK):
                out = self._matrix.dense_rows(index[at : at + CHUNK])
                total = blas.ssyrk(sign, out.T, beta=1.0, c=total, lower=1, overwrite_c=1)
        return Gram(total, rows)
