"""Where a solver stands, as a watcher sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class State:
    """Where a solver stands.

    Args:
        x: Fluence.
        floor: A value up to here is as good as 0.
        value: Objective.
        bound: Largest lower bound so far.
        iterations: Steps done.
        done: True where nothing is left to do.
        stopped: True where the watcher stopped it.
    """

    x: NDArray[np.float64]
    floor: float = 0.0
    value: float = np.inf
    bound: float = 0.0
    iterations: int = 0
    done: bool = False
    stopped: bool = False

    @property
    def gap(self) -> float:
        """(value - bound) / value, not below 0; 0 where the value is as good as 0."""
        return max(self.value - self.bound, 0.0) / self.value if self.value > self.floor else 0.0


#: Called after each step; True stops.
Watch = Callable[[State], bool]
