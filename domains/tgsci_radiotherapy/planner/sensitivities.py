"""How metrics of a plan would move with its objectives: implicit differentiation at the optimum.

At the optimum the gradient vanishes on the free beamlets F, those with fluence: g_F(x, theta) = 0. When a weight or a
dose theta changes a little the others stay at 0, and

    H_FF dx_F = -(dg/dtheta)_F dtheta,      dM/dtheta = -(A^T dM/dd)_F . H_FF^-1 (dg/dtheta)_F

for a metric M of the dose d (Fiacco 1983; Gould et al., arXiv:1607.05447). One Cholesky factorisation of H_FF serves
all metrics and objectives; a solution for each metric (the adjoint) costs next to nothing. It is a derivative: it
says nothing of beamlets that come in or drop out, nor of a goal far away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from . import triangles
from .penalties import DoseVolume, Eud
from .terms import is_squared

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case
    from ..plan import Objective
    from .matrix import Matrix
    from .plan import Plan
    from .terms import Terms

    Array = NDArray[np.float64]


#: Added to the Hessian's diagonal, relative to it: the least that float32 needs to factorise, mostly.
_RIDGE = 4e-6


class Metric(Protocol):
    """What the planner needs of a metric: `tgsci_radiotherapy.goals.Metric` has it."""

    def gradient(self, dose: NDArray[np.floating]) -> NDArray[np.floating]:
        """Differentiate by the dose of each row of the structure."""
        ...


@dataclass(frozen=True)
class Sensitivities:
    """Derivatives of metrics of a plan by its objectives.

    Args:
        per_doubling: Change of metric m, in its unit, per doubling of the weight of objective k (its derivative by
            log2 of the weight); shape (metrics, objectives). 0 for a weight of 0.
        per_gray: Change per +1 Gy of the objective's dose; nan where it has none.
        seconds: CPU seconds that they took.
    """

    per_doubling: Array
    per_gray: Array
    seconds: float


def differentiate(
    case: Case,
    matrix: Matrix,
    terms: Terms,
    hessian: Callable[[NDArray[np.intp]], NDArray[np.float32]],
    plan: Plan,
    metrics: Sequence[tuple[str, Metric]],
) -> tuple[Array, Array]:
    """Differentiate metrics by log2 of each weight and by each dose: two arrays (metrics, objectives).

    Args:
        case: The case.
        matrix: Its dose influence.
        terms: The plan's objectives.
        hessian: Gives the Hessian of some beamlets at the plan: lower triangle, Fortran order, own copy.
        plan: The plan, optimal.
        metrics: A structure's name and a metric of it, each.
    """
    objectives = plan.parameters.objectives
    by_weight = np.zeros((case.dij.beamlets, len(objectives)))
    by_dose = np.full((case.dij.beamlets, len(objectives)), np.nan)
    dose = plan.dose
    for k, objective in enumerate(objectives):
        by_weight[:, k], by_dose[:, k] = _gradient_changes(case, matrix, objective, dose)
    free = _free(matrix, terms, plan, by_weight.sum(axis=1) / math.log(2))
    wanted = np.zeros((case.dij.beamlets, len(metrics)))
    for m, (name, metric) in enumerate(metrics):
        rows = case.rows(name)
        pull = np.zeros(case.dij.rows)
        pull[rows] = metric.gradient(dose[rows])
        wanted[:, m] = matrix.transposed(pull)
    adjoint = np.zeros_like(wanted)
    lower = hessian(free)
    if np.diag(lower).any():  # else nothing holds the dose, and nothing moves it
        adjoint[free] = _solve(lower, wanted[free])
    return -adjoint.T @ by_weight, -adjoint.T @ by_dose


def _gradient_changes(
    case: Case, matrix: Matrix, objective: Objective, dose: NDArray[np.float32]
) -> tuple[Array, Array]:
    """Differentiate the gradient by log2 of an objective's weight, and by its dose."""
    rows = case.own(objective.structure)
    none = np.full(matrix.columns, np.nan)
    if not case.count_own(objective.structure):
        return np.zeros(matrix.columns), none if objective.dose_gy is None else np.zeros(matrix.columns)
    slope, shift = slopes_of(objective, dose[rows].astype(np.float64))

    def back(own: Array) -> Array:
        multipliers = np.zeros(matrix.rows)
        multipliers[rows] = own
        return matrix.transposed(multipliers)

    return math.log(2) * back(slope), none if shift is None else back(shift)


def slopes_of(objective: Objective, dose: Array) -> tuple[Array, Array | None]:
    """Differentiate an objective by each own voxel's dose, and that by the objective's dose."""
    n, w = len(dose), objective.weight
    if objective.type == "mean":
        return np.full(n, w / n), None
    reference = float(objective.dose_gy or 0.0)
    if is_squared(objective):
        active = {"squared_overdose": dose > reference, "squared_underdose": dose < reference}.get(objective.type, True)
        stiffness = np.where(active, 2 * w / n, 0.0)
        return stiffness * (dose - reference), -stiffness
    if objective.type == "eud":
        pull, slope = Eud(objective, slice(0, n)).tangent(dose)
        return pull * slope, -2 * w * slope if pull else np.zeros(n)
    slope = DoseVolume(objective, slice(0, n)).value_slope(dose)[1]
    return slope, np.where(slope != 0, -2 * w / n, 0.0)


def _free(matrix: Matrix, terms: Terms, plan: Plan, gradient: Array) -> NDArray[np.intp]:
    """Choose the beamlets with fluence, but for those whose own slope leads them to none."""
    diagonal = matrix.squares(terms.curvatures(plan.dose))
    down = np.divide(gradient, diagonal, out=np.zeros_like(gradient), where=diagonal > 0)
    return np.flatnonzero(plan.fluence > np.maximum(down, 0.0))


def _solve(hessian: NDArray[np.float32], wanted: Array) -> Array:
    """Compute H^-1 wanted; H as its lower triangle, which is used up."""
    from scipy.linalg import lapack

    diagonal = np.diag(hessian).astype(np.float64)
    if not np.isfinite(diagonal).all():
        return np.full_like(wanted, np.nan)
    root = np.sqrt(np.maximum(diagonal, 1e-6 * diagonal.max(initial=1e-30)))
    triangles.scale(hessian, (1 / root).astype(np.float32), np.float32(_RIDGE))
    info, ridge = 1, _RIDGE
    while info:
        factor, info = lapack.spotrf(hessian, lower=1, clean=0)
        hessian[np.diag_indices(len(hessian))] += np.float32(3 * ridge)
        ridge *= 4
    y, _ = lapack.spotrs(factor, (wanted / root[:, None]).astype(np.float32), lower=1)
    return np.asarray(y.astype(np.float64) / root[:, None])
