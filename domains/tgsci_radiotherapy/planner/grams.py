"""Gram matrices of the rows that count, kept from dose to dose: what the Hessian is made of.

The Hessian of the squared objectives is a sum over bends k of 2 weight_k G_k, where G_k = sum of a_i a_i^T over the
rows whose dose is on the penalised side of the bend. Kept apart by structure, side and place of the bend, these
matrices do not depend on weights; and when doses change, only the rows that changed sides are added or subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import triangles
from .hessian import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .matrix import Matrix
    from .terms import Penalty, Terms

    Array = NDArray[np.float64]
    Key = tuple[int, str, int]


@dataclass(frozen=True)
class Gram:
    """One of the matrices.

    Args:
        sum: Lower triangle of the sum of a_i a_i^T, float32, Fortran order.
        rows: True for the rows of the structure that are in it.
    """

    sum: NDArray[np.float32]
    rows: NDArray[np.bool_]


def parts(penalty: Penalty) -> Iterator[tuple[Key, float, float]]:
    """Keys of a penalty's matrices with the bend and the weight: "all" for what both sides have in common."""
    count = {"all": 0, "over": 0, "under": 0}
    for bend, over, under in zip(penalty.bends, penalty.over, penalty.under, strict=True):
        both = min(over, under)
        for side, weight in (("all", both), ("over", over - both), ("under", under - both)):
            if weight > 0:
                # There is one matrix of all rows, whatever the bend.
                yield (penalty.place, side, 0 if side == "all" else count[side]), float(bend), float(weight)
                count[side] += 1


def size(terms: Terms, beamlets: int) -> int:
    """Bytes of the matrices of some objectives."""
    return sum(4 * beamlets**2 for penalty in terms.penalties for _ in parts(penalty))


class Grams:
    """The matrices for one solve.

    Args:
        matrix: The dose influence.
        whole: By place of a structure: the matrix of all its rows. A function of the case alone, so all solves share
            them; those that are missing are added.
        start: Matrices to start from; they are not changed.
    """

    def __init__(self, matrix: Matrix, whole: dict[int, Gram], start: dict[Key, Gram] | None = None) -> None:
        self._matrix = matrix
        self._whole = whole
        self._held: dict[Key, Gram] = dict(start or {})
        self._own: set[Key] = set()

    def at(
        self, terms: Terms, dose: NDArray[np.floating], x: Array, gradient: Array
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """See `hessian.Source`; all beamlets."""
        self.update(terms, dose)
        total = np.zeros((len(x), len(x)), np.float32, order="F")
        for gram, weight in self._weighted(terms):
            triangles.add(total, weight, gram.sum)
        return np.arange(len(x)), total

    def block(self, terms: Terms, dose: NDArray[np.floating], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """The Hessian of some beamlets, ascending: lower triangle, Fortran order."""
        self.update(terms, dose)
        total = np.zeros((len(columns),) * 2, np.float32, order="F")
        for gram, weight in self._weighted(terms):
            triangles.add_part(total, weight, gram.sum, columns)
        return total

    def _weighted(self, terms: Terms) -> Iterator[tuple[Gram, np.float32]]:
        for penalty in terms.penalties:
            for key, _, weight in parts(penalty):
                yield self._whole[key[0]] if key[1] == "all" else self._held[key], np.float32(2 * weight)

    @property
    def held(self) -> dict[Key, Gram]:
        """The matrices, to start from elsewhere; then this must not be updated any more."""
        return self._held

    def update(self, terms: Terms, dose: NDArray[np.floating]) -> None:
        """Bring the matrices to a dose."""
        self.share(terms)
        for penalty in terms.penalties:
            own = dose[penalty.rows]
            for key, bend, _ in parts(penalty):
                if key[1] == "all":
                    continue
                rows = own > bend if key[1] == "over" else own < bend
                before = self._held.get(key)
                if before is not None and (before.rows == rows).all():
                    continue
                if before is not None and key not in self._own:
                    before = Gram(before.sum.copy(order="F"), before.rows)
                self._held[key] = self._changed(before, rows, penalty.first)
                self._own.add(key)

    def share(self, terms: Terms) -> None:
        """Sum all rows of the structures that are penalised on both sides of a dose, if nobody has yet."""
        for penalty in terms.penalties:
            if np.minimum(penalty.over, penalty.under).any() and penalty.place not in self._whole:
                rows = np.ones(penalty.last - penalty.first, bool)
                self._whole[penalty.place] = self._changed(None, rows, penalty.first)

    def _changed(self, before: Gram | None, rows: NDArray[np.bool_], first: int) -> Gram:
        """The matrix of other rows; `before` is used up."""
        from scipy.linalg import blas

        n = self._matrix.columns
        total = np.zeros((n, n), np.float32, order="F") if before is None else before.sum
        was = np.zeros(len(rows), bool) if before is None else before.rows
        for sign, which in ((1.0, rows & ~was), (-1.0, was & ~rows)):
            index = first + np.flatnonzero(which)
            for at in range(0, len(index), CHUNK):
                out = self._matrix.written_out(index[at : at + CHUNK])
                total = blas.ssyrk(sign, out.T, beta=1.0, c=total, lower=1, overwrite_c=1)
        return Gram(total, rows)
