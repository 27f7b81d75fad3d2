"""Gram matrices of the rows that count: what the Hessian is made of.

The Hessian of the squared objectives is a sum over bends k of 2 weight_k G_k, where G_k = sum of a_i a_i^T over the rows
whose dose is on the penalised side of the bend. Kept apart by structure, side and place of the bend, these matrices
do not depend on weights; and when doses change, only the rows that changed sides are added or subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from . import triangles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .matrix import Matrix
    from .terms import Penalty, Terms

    Array = NDArray[np.float64]
    Key = tuple[int, str, int]

#: Rows that are written out at once: 1,024 rows of 3,000 beamlets are 12 MB.
_CHUNK = 1024


@dataclass(frozen=True)
class Gram:
    """One of the matrices, never changed once made.

    Args:
        sum: Lower triangle of the sum of a_i a_i^T, float32, Fortran order.
        rows: True for the rows of the structure that are in it.
    """

    sum: NDArray[np.float32]
    rows: NDArray[np.bool_]


def parts(penalty: Penalty) -> Iterator[tuple[Key, float, float]]:
    """Keys of a penalty's matrices with the bend and the weight: "all" where both sides weigh the same."""
    count = {"all": 0, "over": 0, "under": 0}
    for bend, over, under in zip(penalty.bends, penalty.over, penalty.under, strict=True):
        both = min(over, under)
        for side, weight in (("all", both), ("over", over - both), ("under", under - both)):
            if weight > 0:
                # There is one matrix of all rows, whatever the bend.
                yield (penalty.place, side, 0 if side == "all" else count[side]), float(bend), float(weight)
                count[side] += 1


class Grams:
    """The matrices for one set of objectives.

    Args:
        matrix: The dose influence.
        fixed: Matrices of all rows of a structure, by key: functions of the case alone, shared by all solves.
        start: Matrices to start from; they are not changed.
    """

    def __init__(self, matrix: Matrix, fixed: dict[Key, Gram], start: dict[Key, Gram] | None = None) -> None:
        self._matrix = matrix
        self._fixed = fixed
        self.held: dict[Key, Gram] = dict(start or {})
        self._own: set[Key] = set()

    def update(self, terms: Terms, dose: NDArray[np.floating]) -> int:
        """Bring the matrices to a dose; returns how many rows changed sides."""
        changed = 0
        for penalty in terms.penalties:
            own = dose[penalty.rows]
            for key, bend, _ in parts(penalty):
                if key[1] == "all":
                    if key not in self._fixed:
                        self._fixed[key] = self._changed(None, np.ones(len(own), bool), penalty.first, True)
                    self.held[key] = self._fixed[key]
                    continue
                rows = own > bend if key[1] == "over" else own < bend
                before = self.held.get(key)
                if before is None or (before.rows != rows).any():
                    changed += int((rows != before.rows).sum() if before else rows.sum())
                    self.held[key] = self._changed(before, rows, penalty.first, key not in self._own)
                    self._own.add(key)
        return changed

    def hessian(self, terms: Terms) -> NDArray[np.float32]:
        """Lower triangle of the Hessian of the squared objectives, Fortran order."""
        total = np.zeros((self._matrix.columns,) * 2, np.float32, order="F")
        for penalty in terms.penalties:
            for key, _, weight in parts(penalty):
                triangles.add(total, np.float32(2 * weight), self.held[key].sum)
        return total

    def snapshot(self) -> dict[Key, Gram]:
        """The matrices as they are; further updates leave them alone."""
        self._own.clear()
        return dict(self.held)

    def _changed(self, before: Gram | None, rows: NDArray[np.bool_], first: int, copy: bool) -> Gram:
        from scipy.linalg import blas

        n = self._matrix.columns
        if before is None:
            total = np.zeros((n, n), np.float32, order="F")
            was = np.zeros(len(rows), bool)
        else:
            total = before.sum.copy(order="F") if copy else before.sum
            was = before.rows
        for sign, which in ((1.0, rows & ~was), (-1.0, was & ~rows)):
            index = first + np.flatnonzero(which)
            for at in range(0, len(index), _CHUNK):
                out = self._matrix.written_out(index[at : at + _CHUNK])
                total = blas.ssyrk(sign, out.T, beta=1.0, c=total, lower=1, overwrite_c=1)
        return replace(before, sum=total, rows=rows) if before else Gram(total, rows)
