"""Quadratic programs with bounds: min g.s + s'Hs/2 over steps s >= -x, H positive definite and dense.

Block principal pivoting (Judice and Pires, Computers and Operations Research 21 (1994) 587; Kim and Park, SIAM J Sci
Comput 33 (2011) 3261): guess which variables are free, solve for them, exchange all that came out on the wrong side.
From a guess that is nearly right this takes a few Cholesky factorisations. Where H is ill-conditioned the exchanges
overshoot and may cycle; a larger diagonal cures that, and whoever asks can afford it (see `newton`). The unknown is
the step and not the point, so that its rounding errors vanish with it as the optimum comes near.
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

#: Exchanges without a new smallest number of wrong variables after which pivoting counts as cycling.
_PATIENCE = 4


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

    def solve(self, free: Flags) -> tuple[Floats, Flags] | None:
        """The best step and the variables that are free in it; None where pivoting cycles.

        Args:
            free: Guess of the variables that are not at 0 after the step.
        """
        free = free.copy()
        fewest, patience = len(free) + 1, _PATIENCE
        rounding = 50 * np.finfo(self.lower.dtype).eps
        while patience:
            step = self._on(free)
            if step is None:
                return None
            slope = self._slope(step)
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

    def _slope(self, step: Floats) -> Floats:
        from scipy.linalg import get_blas_funcs

        (symv,) = get_blas_funcs(("symv",), (self.lower,))
        return np.asarray(symv(1.0, self.lower, step, lower=1) + self.gradient)

    def _on(self, free: Flags) -> Floats | None:
        """The step that brings the other variables to 0 and is best in the free ones, whatever their sign.

        None where H is not positive definite in this precision.
        """
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
                return None
            step[index] = potrs(factor, -slope[index], lower=1)[0]
        return step
