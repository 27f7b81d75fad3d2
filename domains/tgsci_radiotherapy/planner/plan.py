"""What the planner returns, and where a solver stands on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..plan import PlanParameters


@dataclass(frozen=True, eq=False)
class Plan:
    """An optimised fluence with its dose, and what is proven about it.

    Args:
        parameters: The objectives that were minimised.
        fluence: One value a beamlet, float64, not negative.
        dose: Total Gy of each row of the case, float32.
        terms: What each objective adds to the value, by its label.
        value: The value of the whole objective.
        bound: A number that no plan's objective is below. Where some objectives are not convex it is that of the
            others alone.
        gap: (value - bound) / value.
        convex: True where all objectives are convex.
        iterations: Steps of the solver.
        seconds: CPU seconds.
        grid: Dose grid, "3 x 3 x 3 mm".
        method: "Newton", or "Newton on majorants" where some objectives are not convex.
        converged: True where the gap asked for is proven; where some objectives are not convex, where the solver found
            no better plan near.
    """

    parameters: PlanParameters
    fluence: NDArray[np.float64]
    dose: NDArray[np.float32]
    terms: Mapping[str, float]
    value: float
    bound: float
    gap: float
    convex: bool
    iterations: int
    seconds: float
    grid: str
    method: str
    converged: bool

    @property
    def certificate(self) -> str:
        """One sentence on how good the plan is."""
        if self.value == 0:
            return "every objective is met exactly; no plan is better"
        proven = f"no plan's objective is more than {100 * self.gap:.2g}% below this one's"
        if self.convex:
            return proven
        others = f"the other objectives alone prove that {proven}" if self.bound > 0 else "how far is not known"
        return (
            "max_dvh and min_dvh objectives are not convex, so this is a local optimum and a better plan may exist: "
            f"{others}"
        )


@dataclass
class State:
    """The state of a solver, for whoever watches it.

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
