"""Measured plans as points: log2 of the weights, the doses, the goals' values and how they would move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..loss.effects import FILE, Effects
from ..plan import Objective, PlanParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tgsci.search.trial import Trial, Trials

    Floats = NDArray[np.float64]

#: An objective's identity through edits: structure, type, what is not edited, and which of several such it is.
Slot = tuple[str, str, float | None, float | None, int]


@dataclass(frozen=True)
class Point:
    """A measured plan.

    Args:
        trial: The trial.
        effects: What was kept beside it.
        slots: Its objectives' identities, in order.
    """

    trial: Trial
    effects: Effects
    slots: tuple[Slot, ...]

    @property
    def parameters(self) -> PlanParameters:
        """The plan's parameters."""
        return self.effects.parameters

    def place(self, slots: Sequence[Slot]) -> Floats:
        """Its weights' log2 and its doses in the order of other slots, (2k,); a weight of 0 counts as tiny."""
        order = [self.slots.index(slot) for slot in slots]
        return position([self.parameters.objectives[i] for i in order])

    def gradient(self, slots: Sequence[Slot]) -> Floats:
        """Change of each goal's value per doubling and per gray, (m, 2k), in the order of other slots."""
        order = [self.slots.index(slot) for slot in slots]
        matrix: Floats = np.nan_to_num(
            np.hstack([self.effects.per_doubling[:, order], self.effects.per_gray[:, order]])
        )
        return matrix


def position(objectives: Sequence[Objective]) -> Floats:
    """Log2 of the weights, then the doses in Gy (0 where there is none), (2k,)."""
    weights = [np.log2(max(o.weight, 1e-6)) for o in objectives]
    return np.array([*weights, *(o.dose_gy or 0.0 for o in objectives)])


def slots_of(parameters: PlanParameters) -> tuple[Slot, ...]:
    """The identities of a plan's objectives, in order."""
    seen: Counter[tuple[str, str, float | None, float | None]] = Counter()
    found: list[Slot] = []
    for o in parameters.objectives:
        key = (o.structure, o.type, o.volume_percent, o.exponent)
        found.append((*key, seen[key]))
        seen[key] += 1
    return tuple(found)


def points(trials: Trials) -> list[Point]:
    """The measured plans that kept their effects, best first."""
    found = []
    for trial in trials.ranked():
        if trial.feedback is None or FILE not in trial.feedback.artifacts:
            continue
        content = trial.feedback.artifacts[FILE]
        effects = _read(content if isinstance(content, str) else content.decode("utf-8", "replace"))
        if effects is not None:
            found.append(Point(trial, effects, slots_of(effects.parameters)))
    return found


@lru_cache(maxsize=512)
def _read(text: str) -> Effects | None:
    return Effects.read(text)
