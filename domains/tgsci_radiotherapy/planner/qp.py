"""Quadratic programs with bounds: min g.s + s'Hs/2 over steps s >= -x, H positive definite and dense.

Block principal pivoting (Judice and Pires, Computers and Operations Research 21 (1994) 587; Kim and Park, SIAM J Sci Comput
33 (2011) 3261): guess which variables are free, solve for them, exchange all that came out on the wrong side; where that
cycles, exchange one at a time. A guess from a similar problem is nearly right, so that two or three Cholesky
factorisations do. The unknown is the step, not the point: its rounding errors vanish with it as the optimum comes near.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import triangles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Flags = NDArray[np.bool_]

#: Exchanges of all variables that are tried without progress before they are exchanged one at a time.
_PATIENCE = 3


@dataclass(frozen=True)
class Program:
    """A quadratic program.

    Args:
        lower: H, lower triangle, diagonal near 1, Fortran order.
        gradient: g.
        point: x, not negative.
    """

    lower: Floats
    gradient: Floats
    point: Floats

    def solve(self, free: Flags, most: int) -> tuple[Floats, Flags, int]:
        """The best step, or where pivoting cycles, a step that is better than none.

        Args:
            free: Guess of the variables that are not at 0 after the step.
            most: Factorisations that pivoting may take.

        Returns:
            The step, its free variables, and the number of factorisations.

        Raises:
            ArithmeticError: H is not positive definite in this precision.
        """
        free = free.copy()
        fewest, patience = len(free) + 1, _PATIENCE
        rounding = 50 * np.finfo(self.lower.dtype).eps
        for count in range(1, most + 1):
            step = self._on(free)
            slope = self._slope(step)
            low_step = -rounding * np.abs(step).max(initial=0.0)
            low_slope = -rounding * np.abs(self.gradient).max(initial=0.0)
            wrong = np.where(free, self.point + step < low_step, slope < low_slope)
            many = int(wrong.sum())
            if many == 0:
                return np.maximum(step, -self.point), free, count
            if many < fewest:
                fewest, patience = many, _PATIENCE
                free ^= wrong
            elif patience > 0:
                patience -= 1
                free ^= wrong
            else:
                last = np.flatnonzero(wrong)[-1]
                free[last] = ~free[last]
        step, free, count = self._descend(most)
        return step, free, most + count

    def _descend(self, most: int) -> tuple[Floats, Flags, int]:
        """Projected Newton steps, each better than the last (Bertsekas, SIAM J Control Optim 20 (1982) 221)."""
        step = np.zeros_like(self.point)
        slope, value = self.gradient, 0.0
        for count in range(1, most + 1):
            now = Program(self.lower, slope, self.point + step)
            free = (now.point > 0) | (slope < 0)
            further = now._on(free)
            length = 1.0
            while length > 1e-4:
                new = np.maximum(step + self.point.dtype.type(length) * further, -self.point)
                new_slope = self._slope(new)
                better = 0.5 * float(new @ (new_slope + self.gradient))
                if better < value:
                    break
                length /= 2
            else:
                return step, free, count
            done = value - better <= 1e-6 * abs(value)
            step, slope, value = new, new_slope, better
            if done:
                break
        return step, self.point + step > 0, count

    def _slope(self, step: Floats) -> Floats:
        from scipy.linalg import get_blas_funcs

        (symv,) = get_blas_funcs(("symv",), (self.lower,))
        return np.asarray(symv(1.0, self.lower, step, lower=1) + self.gradient)

    def _on(self, free: Flags) -> Floats:
        """The step that brings the other variables to 0 and is best in the free ones, whatever their sign."""
        from scipy.linalg import get_lapack_funcs

        potrf, potrs = get_lapack_funcs(("potrf", "potrs"), (self.lower,))
        step = np.where(free, self.lower.dtype.type(0), -self.point)
        slope = self._slope(step) if step.any() else self.gradient
        index = np.flatnonzero(free)
        if len(index):
            block = np.empty((len(index),) * 2, self.lower.dtype, order="F")
            triangles.part(self.lower, index, block)
            factor, info = potrf(block, lower=1, overwrite_a=1, clean=0)
            if info:
                raise ArithmeticError("the Hessian is not positive definite")
            step[index] = potrs(factor, -slope[index], lower=1)[0]
        return step
