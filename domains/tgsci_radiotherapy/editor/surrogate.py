"""What a plan would measure before it is solved: every measured plan's linear model, blended by distance.

Near a measured plan its own value and sensitivities hold exactly; between two plans both have their say, so that the
curvature which one linear model misses is learned from the others (Shepard's interpolation with derivatives).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..loss.scoring import NOTHING
from .history import Point, Slot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Step of the numeric derivative, in units of the scale.
_STEP = 1e-4


@dataclass(frozen=True)
class Surrogate:
    """A blend of linear models.

    Args:
        places: Of the measured plans, (p, 2k).
        values: Their goals' values, (p, m).
        gradients: Their sensitivities, (p, m, 2k).
        scale: What a distance of 1 is along each coordinate, (2k,): a doubling, or so many Gy.
    """

    places: Floats
    values: Floats
    gradients: Floats
    scale: Floats

    @classmethod
    def of(cls, found: Sequence[Point], slots: Sequence[Slot], grays: float) -> Surrogate:
        """The surrogate over those plans that have the same objectives.

        Args:
            found: Measured plans; at least one has these objectives.
            slots: The objectives, in the order of coordinates.
            grays: The dose that counts as far as a doubling, Gy.
        """
        goals = [w.text for w in found[0].effects.wishes]
        alike = [p for p in found if set(p.slots) == set(slots) and [w.text for w in p.effects.wishes] == goals]
        k = len(slots)
        return cls(
            np.array([p.place(slots) for p in alike]),
            np.array([_values(p) for p in alike]),
            np.array([p.gradient(slots) for p in alike]),
            np.concatenate([np.ones(k), np.full(k, grays)]),
        )

    def predict(self, place: Floats) -> Floats:
        """The goals' values at a place, (m,)."""
        values: Floats = self._at(place[None])[0]
        return values

    def linear(self, place: Floats) -> tuple[Floats, Floats]:
        """Values at a place, (m,), and their derivatives there, (m, 2k)."""
        if len(self.places) == 1:
            return self.predict(place), self.gradients[0]
        steps = _STEP * np.diag(self.scale)
        ahead, behind = self._at(place + steps), self._at(place - steps)
        return self.predict(place), ((ahead - behind) / (2 * _STEP * self.scale[:, None])).T

    def _at(self, places: Floats) -> Floats:
        """The goals' values at several places, (q, m)."""
        offset = places[:, None] - self.places[None]  # q, p, 2k
        predicted = self.values[None] + np.einsum("pmk,qpk->qpm", self.gradients, offset)
        away = offset / self.scale
        k = places.shape[1] // 2
        away[..., :k] -= away[..., :k].mean(axis=2, keepdims=True)  # only ratios of weights count
        apart = (away**2).sum(axis=2)
        share = 1.0 / (apart + 1e-6) ** 2
        share /= share.sum(axis=1, keepdims=True)
        blended: Floats = np.einsum("qp,qpm->qm", share, predicted)
        return blended


def _values(point: Point) -> Floats:
    """A plan's goals' values; what has none is as far off as the loss says."""
    missing = [w.limit - w.sign * NOTHING * w.scale for w in point.effects.wishes]
    return np.where(np.isnan(point.effects.values), missing, point.effects.values)
