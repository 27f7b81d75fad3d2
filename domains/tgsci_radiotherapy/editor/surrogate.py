"""Measured plans as points, and what they predict of a plan that is not solved yet.

A point has log2 of the weights and the doses as coordinates. The surrogate blends the linear models of all points, and
of what was solved again beside them, by distance: near a measured plan its own values and sensitivities hold exactly;
between two plans both count, so that the curvature that one linear model misses is learned from the others (Shepard's
interpolation with derivatives).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..loss.effects import Effects, effects_of
from ..loss.scoring import UNMEASURED
from ..plan import Objective, PlanParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tgsci.search.trial import Trial, Trials

    Floats = NDArray[np.float64]


#: An objective's identity through edits: structure, type, what is not edited, and which of several such it is.
Slot = tuple[str, str, float | None, float | None, int]
#: Step of the numeric derivative, in units of the scale.
_STEP = 1e-4


@dataclass(frozen=True)
class Point:
    """A measured plan.

    Args:
        trial: The trial.
        effects: Its goals and sensitivities.
        slots: Its objectives' identities, in order.
    """

    trial: Trial
    effects: Effects
    slots: tuple[Slot, ...]

    @property
    def parameters(self) -> PlanParameters:
        """The plan's parameters."""
        return self.effects.parameters

    @property
    def criteria(self) -> list[str]:
        """What its goals ask for."""
        return [result.goal.criterion for result in self.effects.results]

    def place(self, slots: Sequence[Slot]) -> Floats:
        """Give log2 of its weights, then its doses, in the order of these slots, (2k,); weight 0 counts as tiny."""
        order = [self.slots.index(slot) for slot in slots]
        return position([self.parameters.objectives[i] for i in order])

    def gradient(self, slots: Sequence[Slot]) -> Floats:
        """Give the change of each goal's value per doubling and per Gy, (m, 2k), in the order of these slots."""
        order = [self.slots.index(slot) for slot in slots]
        matrix: Floats = np.nan_to_num(
            np.hstack([self.effects.per_doubling[:, order], self.effects.per_gray[:, order]])
        )
        return matrix


def position(objectives: Sequence[Objective]) -> Floats:
    """Give log2 of the weights, then the doses in Gy (0 where there is none), (2k,)."""
    weights = [np.log2(max(o.weight, 1e-6)) for o in objectives]
    return np.array([*weights, *(o.dose_gy or 0.0 for o in objectives)])


def slots_of(parameters: PlanParameters) -> tuple[Slot, ...]:
    """Give the identities of a plan's objectives, in order."""
    seen: Counter[tuple[str, str, float | None, float | None]] = Counter()
    slots: list[Slot] = []
    for o in parameters.objectives:
        key = (o.structure, o.type, o.volume_percent, o.exponent)
        slots.append((*key, seen[key]))
        seen[key] += 1
    return tuple(slots)


def points(trials: Trials) -> list[Point]:
    """Collect the measured plans of a run with their effects, best first."""
    measured = []
    for trial in trials.ranked():
        effects = effects_of(trial)
        if effects is not None:
            measured.append(Point(trial, effects, slots_of(effects.parameters)))
    return measured


@dataclass(frozen=True)
class Surrogate:
    """A blend of linear models.

    Args:
        places: Of the measured plans, (p, 2k).
        values: Their goals' values, (p, m).
        gradients: Their sensitivities, (p, m, 2k).
        scale: Unit of distance along each coordinate, (2k,): in doublings, or in Gy.
    """

    places: Floats
    values: Floats
    gradients: Floats
    scale: Floats

    @classmethod
    def of(cls, measured: Sequence[Point], slots: Sequence[Slot], grays: float) -> Surrogate:
        """Make the surrogate of those plans that have the same objectives.

        Args:
            measured: Measured plans; at least one has these objectives.
            slots: The objectives, in the order of coordinates.
            grays: The dose that counts as far as a doubling, Gy.
        """
        alike = [p for p in measured if set(p.slots) == set(slots) and p.criteria == measured[0].criteria]
        k = len(slots)
        places = [p.place(slots) for p in alike]
        values = [_values(p, p.effects.values) for p in alike]
        gradients = [p.gradient(slots) for p in alike]
        for p in alike:
            # What was solved again with a plan has values of its own, and the plan's slopes for want of own.
            for tried in p.effects.tries:
                own = slots_of(tried.parameters)
                if set(own) == set(slots):
                    order = [own.index(slot) for slot in slots]
                    places.append(position([tried.parameters.objectives[i] for i in order]))
                    values.append(_values(p, tried.values))
                    gradients.append(p.gradient(slots))
        return cls(
            np.array(places), np.array(values), np.array(gradients), np.concatenate([np.ones(k), np.full(k, grays)])
        )

    def predict(self, place: Floats) -> Floats:
        """Predict the goals' values at a place, (m,)."""
        values: Floats = self._at(place[None])[0]
        return values

    def linear(self, place: Floats) -> tuple[Floats, Floats]:
        """Predict the values at a place, (m,), and their derivatives there, (m, 2k)."""
        if len(self.places) == 1:
            return self.predict(place), self.gradients[0]
        steps = _STEP * np.diag(self.scale)
        ahead, behind = self._at(place + steps), self._at(place - steps)
        return self.predict(place), ((ahead - behind) / (2 * _STEP * self.scale[:, None])).T

    def _at(self, places: Floats) -> Floats:
        """Predict the goals' values at several places, (q, m)."""
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


def _values(point: Point, values: Floats) -> Floats:
    """Give values of a plan's goals; a goal without one is missed as far as the loss counts it."""
    missing = [r.goal.limit - r.goal.sign * UNMEASURED * r.scale for r in point.effects.results]
    return np.where(np.isnan(values), missing, values)
