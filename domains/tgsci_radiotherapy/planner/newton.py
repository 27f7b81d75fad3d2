"""Newton's method for squared and mean objectives.

Each step solves the quadratic program that the objective is as long as no voxel changes sides, with x >= 0 (`qp`), and
goes along the step to the exact minimum. The multipliers of the program are those of the optimum if no voxel changes
sides either, and so give a tight bound (`bound`) before the step is even taken: the solver stops as soon as it is proven
that the plan is good enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import qp, triangles
from .bound import lower_bound

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .grams import Grams
    from .matrix import Matrix
    from .terms import Terms

    Array = NDArray[np.float64]

#: Added to the Hessian's diagonal, relative to it: what float32 needs to factorise. It draws the step to the present
#: point, which is where the step is taken from, so the optimum does not move.
RIDGE = 2e-5


@dataclass
class State:
    """Where a solver stands.

    Args:
        x: Fluence.
        value: Objective.
        bound: Largest lower bound so far.
        iterations: Steps done.
        done: True where the gap is small enough.
    """

    x: Array
    value: float = np.inf
    bound: float = 0.0
    iterations: int = 0
    done: bool = False

    @property
    def gap(self) -> float:
        """(value - bound) / value; 0 where the value is 0."""
        return (self.value - self.bound) / self.value if self.value > 0 else 0.0


def newton(
    matrix: Matrix, terms: Terms, grams: Grams, x: Array, gap: float, most: int, watch: Callable[[State], bool]
) -> State:
    """Minimise from a start.

    Args:
        matrix: The dose influence.
        terms: Objectives; none pooled.
        grams: Gram matrices, brought along.
        x: Start.
        gap: Relative gap to stop at.
        most: Most steps.
        watch: Called after each step; True stops.
    """
    exact = gap < 1e-5
    state = State(x)
    dose = matrix.dose(x, exact=exact)
    free = x > 0
    value, slopes = terms.slopes(dose)
    state.value = value + float(terms.linear @ x)
    stalled = 0
    for state.iterations in range(1, most + 1):
        gradient = matrix.transposed(slopes) + terms.linear
        grams.update(terms, dose)
        change, free = _program(grams.hessian(terms), gradient, state.x, free)
        ahead = matrix.dose(change, exact=exact)
        state.bound = max(
            state.bound, lower_bound(matrix, terms, slopes + terms.curvatures(dose) * ahead)
        )
        step = terms.step(dose, ahead, float(terms.linear @ change), 1.0)
        state.x = np.maximum(state.x + step * change, 0.0)
        dose = dose + dose.dtype.type(step) * ahead
        value, slopes = terms.slopes(dose)
        value += float(terms.linear @ state.x)
        stalled = stalled + 1 if value > state.value * (1 - 1e-12) else 0
        state.value = value
        state.done = state.gap <= gap
        if watch(state) or state.done or stalled == 3:
            break
    return state


def _program(
    hessian: NDArray[np.float32], gradient: Array, x: Array, free: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.bool_]]:
    """The step that minimises the quadratic model, and the variables that it leaves free."""
    diagonal = np.diag(hessian).astype(np.float64)
    root = np.sqrt(np.maximum(diagonal, 1e-6 * diagonal.max(initial=1e-30)))
    inverse = (1.0 / root).astype(np.float32)
    triangles.scale(hessian, inverse, np.float32(RIDGE))
    program = qp.Program(hessian, (gradient / root).astype(np.float32), (x * root).astype(np.float32))
    step, free, _ = program.solve(free, 40)
    return np.maximum(step.astype(np.float64) / root, -x), free
