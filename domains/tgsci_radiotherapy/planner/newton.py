"""Newton's method for convex objectives, and the quadratic programs that its steps solve.

Each step solves the quadratic program that the objective is as long as no voxel changes sides, with x >= 0, and goes
along the step to the exact minimum. The multipliers of the program are those of the optimum if no voxel changes sides
either, and so give a tight bound (`bound`) before the step is even taken: the solver stops as soon as it is proven that
the plan is good enough.

The programs are min g.s + s'Hs/2 over steps s >= -x, H positive definite and dense. They are solved by block principal
pivoting (Judice and Pires, Computers and Operations Research 21 (1994) 587; Kim and Park, SIAM J Sci Comput 33 (2011)
3261): guess which variables are free, solve for them, exchange all that came out on the wrong side. From a guess that
is nearly right this takes a few Cholesky factorisations. Where H is ill-conditioned the exchanges overshoot and may
cycle; a larger diagonal cures that, and Newton's method can afford it. The unknown is the step and not the point, so
that its rounding errors vanish with it as the optimum comes near.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import MeasurementError

from . import triangles
from .bound import lower_bound

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .hessian import Hessian
    from .matrix import Matrix
    from .plan import State, Watch
    from .terms import Terms

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.floating]
    Array = NDArray[np.float64]

#: Exchanges without a new smallest number of wrong variables after which pivoting counts as cycling.
_PATIENCE = 4
#: Variables by which a set may differ from that of a factor: at least, and as a part of the latter.
_LEAST_BORDER, _BORDER = 32, 8
#: Added to the Hessian's diagonal, relative to it: first, at least, and the factor between two steps. It holds the step
#: back in directions that hardly change the objective, where pivoting would overshoot; it draws to the present point,
#: which is where the step is taken from, so that the optimum does not move. The least is what float32 needs.
_FIRST_RIDGE, _LEAST_RIDGE, _RIDGE_FACTOR = 2e-3, 2e-5, 10.0
#: Steps without a better value after which rounding is all that is left.
_STALLED = 5
#: Doses are summed in float64 below this gap.
_EXACT = 1e-4
#: Stop a little below the gap asked for, as the value is summed again at the end, in float64.
_MARGIN = 0.98


@dataclass(frozen=True)
class Program:
    """A quadratic program.

    Args:
        lower: H, lower triangle, diagonal near 1, Fortran order.
        room: Memory for a factor of H.
        gradient: g.
        point: x, not negative.
    """

    lower: Floats
    room: NDArray[np.float32]
    gradient: Floats
    point: Floats

    def solve(self, free: Flags) -> tuple[Floats, Flags] | None:
        """Find the best step and the variables that are free in it; None where pivoting cycles.

        Args:
            free: Guess of the variables that are not at 0 after the step.
        """
        free = free.copy()
        factor: Factor | None = None
        fewest, patience = len(free) + 1, _PATIENCE
        rounding = 50 * np.finfo(self.lower.dtype).eps
        while patience:
            if factor is None or not factor.near(free):
                factor = Factor.of(self.lower, free, self.room)
            if factor is None:
                return None
            try:
                step = self._on(factor, free)
            except np.linalg.LinAlgError:  # the border is singular in this precision: a new factor has none
                factor = None
                continue
            slope = self.slope(step)
            low_step = -rounding * np.abs(step).max(initial=0.0)
            low_slope = -rounding * np.abs(self.gradient).max(initial=0.0)
            wrong = np.where(free, self.point + step < low_step, slope < low_slope)
            many = int(wrong.sum())
            if many == 0:
                return np.maximum(step, -self.point), free
            patience = _PATIENCE if many < fewest else patience - 1
            fewest = min(fewest, many)
            free ^= wrong
        return None

    def slope(self, step: Floats) -> Floats:
        """Differentiate the objective by each variable after a step."""
        from scipy.linalg import get_blas_funcs

        if not step.any():
            return self.gradient
        (symv,) = get_blas_funcs(("symv",), (self.lower,))
        return np.asarray(symv(1.0, self.lower, step, lower=1) + self.gradient)

    def _on(self, factor: Factor, free: Flags) -> Floats:
        """Find the step that brings the other variables to 0 and is best in the free ones, whatever their sign."""
        step = np.where(free | factor.free, self.lower.dtype.type(0), -self.point)
        own, other = factor.solve(free, -self.slope(step), -self.point)
        step[factor.free] = own
        step[free & ~factor.free] = other
        return step


class Factor:
    """The Cholesky factor of a matrix's block of some variables, and solutions for nearby sets of variables.

    A variable that is fixed after all borders the system with its unit vector, one that is freed with its column, and
    what remains to be solved is their Schur complement (Nocedal and Wright, Numerical Optimization, 16.2). As long as
    they are few that costs a fraction of a new factor.

    Args:
        lower: The matrix, lower triangle.
        free: The variables.
        factor: Of their block.
    """

    def __init__(self, lower: Floats, free: Flags, factor: Floats) -> None:
        self.free = free
        self._lower = lower
        self._factor = factor
        self._place = np.cumsum(free) - 1
        self._most = max(_LEAST_BORDER, len(factor) // _BORDER)
        #: L^-1 times the border of each variable that ever changed sides, one row each.
        self._rows: dict[int, int] = {}
        self._border = np.empty((0, len(factor)), lower.dtype)

    @classmethod
    def of(cls, lower: Floats, free: Flags, room: NDArray[np.float32]) -> Factor | None:
        """Factorise, into memory that is given; None where the block is not positive definite in this precision."""
        from scipy.linalg import get_lapack_funcs

        (potrf,) = get_lapack_funcs(("potrf",), (lower,))
        index = np.flatnonzero(free)
        block = triangles.square(room, len(index))
        triangles.part(lower, index, block)
        if not len(index):
            return cls(lower, free.copy(), block)
        factor, info = potrf(block, lower=1, overwrite_a=1, clean=0)
        return None if info else cls(lower, free.copy(), factor)

    def near(self, free: Flags) -> bool:
        """Tell whether a solution for these variables is cheaper with this factor than with a new one."""
        changed = np.flatnonzero(free != self.free)
        return (
            len(changed) <= self._most
            and sum(j not in self._rows for j in changed.tolist()) + len(self._rows) <= 2 * self._most
        )

    def solve(self, free: Flags, right: Floats, fixed: Floats) -> tuple[Floats, Floats]:
        """Solve for some variables, with those of the factor that are not among them fixed.

        Args:
            free: The variables.
            right: Right side, by variable.
            fixed: What those that are fixed are fixed to, by variable.

        Returns:
            The solution for the variables of the factor, and for the other free ones.
        """
        out, into = np.flatnonzero(self.free & ~free), np.flatnonzero(free & ~self.free)
        changed = np.concatenate([out, into])
        y = self._forward(right[self.free])
        if not len(changed):
            return self._back(y), np.zeros(0, y.dtype)
        border = self._borders(changed.tolist())
        schur = -(border @ border.T).astype(np.float64)
        inner = slice(len(out), None)
        schur[inner, inner] += self._between(into)
        z = np.linalg.solve(schur, np.concatenate([fixed[out], right[into]]) - border @ y)
        return self._back(y - z.astype(y.dtype) @ border), z[inner].astype(y.dtype)

    def _borders(self, changed: list[int]) -> Floats:
        new = [j for j in changed if j not in self._rows]
        if new:
            block = np.zeros((len(self._factor), len(new)), self._lower.dtype, order="F")
            for k, j in enumerate(new):
                self._rows[j] = len(self._rows)
                if self.free[j]:
                    block[self._place[j], k] = 1.0
                else:
                    block[:, k] = np.concatenate([self._lower[j, :j], self._lower[j:, j]])[self.free]
            self._border = np.concatenate([self._border, self._forward(block).T])
        return self._border[[self._rows[j] for j in changed]]

    def _between(self, variables: NDArray[np.intp]) -> Floats:
        part = self._lower[np.ix_(variables, variables)]
        return np.tril(part) + np.tril(part, -1).T

    def _forward(self, right: Floats) -> Floats:
        return self._triangular(right, 0)

    def _back(self, right: Floats) -> Floats:
        return self._triangular(right, 1)

    def _triangular(self, right: Floats, transposed: int) -> Floats:
        from scipy.linalg import get_lapack_funcs

        if not len(right):
            return right
        (trtrs,) = get_lapack_funcs(("trtrs",), (self._factor,))
        solution, _ = trtrs(self._factor, right, lower=1, trans=transposed)
        return np.asarray(solution)


def newton(
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
        terms: Objectives, all convex.
        hessian: The Hessian; it is moved along.
        room: Memory for a Cholesky factor, one element for each pair of beamlets.
        state: The start.
        gap: Relative gap to stop at.
        most: Most steps.
        watch: Called after each step.
    """
    exact = gap < _EXACT
    dose = matrix.dose(state.x, exact=exact)
    free, ridge, stalled = state.x > 0, _FIRST_RIDGE, 0
    value, slopes = terms.slopes(dose)
    state.value = value + float(terms.linear @ state.x)
    for _ in range(most):
        gradient = matrix.transposed(slopes) + terms.linear
        index, part = hessian.at(terms, dose, state.x, gradient)
        change = np.zeros_like(state.x)
        change[index], free[index], ridge = _step(part, room, gradient[index], state.x[index], free[index], ridge)
        ahead = matrix.dose(change, exact=exact)
        state.bound = max(state.bound, lower_bound(matrix, terms, dose, ahead))
        step = terms.step(dose, ahead, float(terms.linear @ change), 1.0)
        state.x = np.maximum(state.x + step * change, 0.0)
        dose = dose + dose.dtype.type(step) * ahead
        value, slopes = terms.slopes(dose)
        value += float(terms.linear @ state.x)
        stalled = stalled + 1 if value > state.value * (1 - 1e-12) else 0
        state.value = value
        state.iterations += 1
        state.done = state.gap <= _MARGIN * gap
        state.stopped = watch(state)
        if state.done or state.stopped or stalled == _STALLED:
            break
        ridge = max(ridge / _RIDGE_FACTOR, _LEAST_RIDGE)


def _step(
    hessian: NDArray[np.float32],
    room: NDArray[np.float32],
    gradient: Array,
    x: Array,
    free: NDArray[np.bool_],
    ridge: float,
) -> tuple[Array, NDArray[np.bool_], float]:
    """Minimise the quadratic model: the step, the variables that it leaves free, and the ridge that this took."""
    diagonal = np.diag(hessian).astype(np.float64)
    root = np.sqrt(np.maximum(diagonal, 1e-6 * diagonal.max(initial=1e-30)))
    triangles.scale(hessian, (1.0 / root).astype(np.float32), np.float32(ridge))
    program = Program(hessian, room, (gradient / root).astype(np.float32), (x * root).astype(np.float32))
    while (solved := program.solve(free)) is None:
        # With a diagonal as large as the rest of a row pivoting cannot cycle, so this ends.
        if not ridge <= len(x):
            raise MeasurementError("the planner's Hessian is not finite; use less extreme weights and doses")
        hessian[np.diag_indices(len(x))] += np.float32((_RIDGE_FACTOR - 1) * ridge)
        ridge *= _RIDGE_FACTOR
    step, free = solved
    return np.maximum(step.astype(np.float64) / root, -x), free, ridge
