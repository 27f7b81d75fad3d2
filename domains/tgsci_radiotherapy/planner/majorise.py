"""Objectives that are not convex: `max_dvh` and `min_dvh`.

Such an objective lets a part of the voxels off, those that it would cost most. With the choice of these voxels held it
is a convex penalty, nowhere below the objective, and equal to it at the dose where they were chosen. So a step that
lowers the sum with the choice held lowers the objective, and choosing again lowers it once more: majorisation and
minimisation (Hunter and Lange, The American Statistician 58 (2004) 30). It ends in a local optimum. Which one depends
on the start: here the optimum of the convex objectives alone, and from there that of all objectives with no voxel let
off, whose dose says which voxels are the hardest to spare. No objective is negative, so that the bound of the convex
ones alone is one for all together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .newton import newton
from .plan import State

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .hessian import Hessian
    from .matrix import Matrix
    from .plan import Watch
    from .terms import Terms

#: Gap of the convex objectives' optimum: a start, and a bound far below the value anyway.
_START = 1e-2
#: Newton steps between two choices of the voxels.
_STEPS = 2


def majorise(
    matrix: Matrix,
    terms: Terms,
    hessian: Hessian,
    room: NDArray[np.float32],
    state: State,
    gap: float,
    most: int,
    watch: Watch,
) -> None:
    """Minimise from where `state` stands, and move it along.

    Args:
        matrix: The dose influence.
        terms: The objectives.
        hessian: The Hessian; it is moved along.
        room: As `newton` needs it.
        state: The start. It is done where choosing the voxels again gains less than the gap.
        gap: Relative gap to stop at.
        most: Most steps.
        watch: Called after each step.
    """
    dose: NDArray[np.floating] | None = None
    others = terms.relaxed()
    if others.lifts:
        newton(matrix, others, hessian, room, state, max(gap, _START), most, watch)
        dose = matrix.dose(state.x)
    bound, before = state.bound, float("inf")
    inner = State(state.x, state.floor, iterations=state.iterations)
    if not state.stopped:
        newton(matrix, terms.majorised(None), hessian, room, inner, max(gap, _START), most, watch)
        dose, state.x = matrix.dose(inner.x), inner.x
        state.iterations, state.stopped = inner.iterations, inner.stopped
    while not state.stopped and state.iterations < most:
        inner = State(state.x, state.floor, iterations=state.iterations)
        newton(matrix, terms.majorised(dose), hessian, room, inner, gap, _STEPS, watch)
        dose = matrix.dose(inner.x)
        value = terms.slopes(dose)[0] + float(terms.linear @ inner.x)
        state.x, state.value, state.bound = inner.x, value, bound
        state.iterations, state.stopped = inner.iterations, inner.stopped
        state.done = inner.done and before - value <= gap * value + state.floor
        if state.done:
            break
        before = value
