"""A structure's doses, ordered only as far as it is asked for: a partition for all ranks at once, no full sort."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Ordered:
    """Doses of a structure's voxels by rank, the hottest first.

    Args:
        dose: Total Gy of each voxel, shape (N,), N at least 1.
        ranks: Ranks that will be asked for, from 1 to N, whole or between.
    """

    def __init__(self, dose: NDArray[np.floating], ranks: Iterable[float] = ()) -> None:
        self.dose = dose
        self.size = len(dose)
        self._sorted: NDArray[np.floating] = dose
        self._known: set[int] = set()
        self.prepare(ranks)

    def prepare(self, ranks: Iterable[float]) -> None:
        """Partition once for all of these ranks."""
        wanted = {place for rank in ranks for place in self._places(rank)}
        if wanted - self._known:
            self._known |= wanted
            self._sorted = np.partition(self.dose, sorted(self._known))

    def at(self, rank: float) -> float:
        """Dose at a rank, Gy, linear between whole ranks; below 1 the highest, above N the lowest."""
        self.prepare([rank])
        low, high = self._places(rank)
        part = min(max(rank, 1.0), float(self.size)) % 1.0
        return float(self._sorted[low]) * (1.0 - part) + float(self._sorted[high]) * part

    def count(self, dose: float) -> int:
        """How many voxels get at least this dose."""
        return int(np.count_nonzero(self.dose >= dose))

    def _places(self, rank: float) -> tuple[int, int]:
        """Places in ascending order of the voxels on both sides of a rank."""
        rank = min(max(rank, 1.0), float(self.size))
        hotter = floor(rank)
        return self.size - hotter, max(self.size - hotter - 1, 0)
