"""Evaluating a dose: goals, single metrics and their gradients, dose-volume histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from .metrics import Metric
from .values import RankedDoses, around_dose, ranks, threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case
    from .bind import BoundSheet
    from .table import GoalTable


def evaluate(sheet: BoundSheet, case: Case, dose: NDArray[np.floating]) -> GoalTable:
    """Evaluate goals on a dose.

    Args:
        sheet: Bound to this case.
        case: The case.
        dose: Total Gy of each row of the case, shape (rows,).

    Raises:
        UsageError: The dose is not one of this case, or not finite.
    """
    dose = check_dose(case, dose)
    structures: dict[str, RankedDoses] = {}
    values: list[float] = []
    for goal in sheet.goals:
        if goal.structure not in structures:
            structures[goal.structure] = _rank_doses(sheet, case, dose, goal.structure)
        values.append(
            goal.metric.value(
                structures[goal.structure], case.grid.voxel_cc, sheet.prescriptions[goal.structure], everything=dose
            )
        )
    return sheet.table(case, values)


def measure(metric: Metric, case: Case, name: str, dose: NDArray[np.floating]) -> float:
    """Measure one metric of one structure of a case.

    Args:
        metric: What is measured; of the prescription means that of the structure, or the highest of the case.
        case: The case.
        name: The structure.
        dose: Total Gy of each row of the case.
    """
    dose = check_dose(case, dose)
    return metric.value(dose[case.rows(name)], case.grid.voxel_cc, prescribed(case, name), everything=dose)


def gradient(
    metric: Metric, case: Case, name: str, dose: NDArray[np.floating]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Differentiate a metric of a structure by the dose of each row of the case, per Gy.

    Args:
        metric: As in `measure`, CI too.
        case: The case.
        name: The structure.
        dose: Total Gy of each row of the case.

    Returns:
        Rows of the case, and the gradient for each: see `Metric.gradient`. It is 0 for all other rows.
    """
    dose = check_dose(case, dose)
    rows = case.rows(name)
    if not metric.sees_all:
        return rows, metric.gradient(dose[rows], case.grid.voxel_cc, prescribed(case, name))
    at = threshold(metric, prescribed(case, name))
    covered, isodose = int(np.count_nonzero(dose[rows] >= at)), int(np.count_nonzero(dose >= at))
    slope = np.zeros(len(dose))
    if isodose:  # CI = covered^2 / (N isodose)
        slope -= covered**2 / (len(rows) * isodose**2) * len(dose) * around_dose(dose.astype(np.float64), at)
        slope[rows] += 2.0 * covered / isodose * around_dose(dose[rows].astype(np.float64), at)
    touched = np.flatnonzero(slope).astype(np.int32)
    return touched, slope[touched]


def prescribed(case: Case, name: str) -> float:
    """Find the prescription that counts for a structure, total Gy: its own, or the highest of the case."""
    return case.structure(name).prescription or case.prescription


def check_dose(case: Case, dose: NDArray[np.floating]) -> NDArray[np.floating]:
    """Check a dose by row of the case.

    Raises:
        UsageError: The dose has another length, or is not finite.
    """
    dose = np.asarray(dose)
    if dose.shape != (case.dij.rows,):
        raise UsageError(
            f"the dose has shape {dose.shape}, and {case.name} has {case.dij.rows} rows; give a dose by row"
        )
    if dose.dtype.kind != "f":
        dose = dose.astype(np.float64)
    if not np.isfinite(dose).all():
        raise UsageError(f"the dose has {int(np.count_nonzero(~np.isfinite(dose)))} voxels that are not finite")
    return dose


def _rank_doses(sheet: BoundSheet, case: Case, dose: NDArray[np.floating], name: str) -> RankedDoses:
    """Partition a structure's doses once for all ranks that its goals ask for."""
    rows = case.rows(name)
    asked = [r for g in sheet.goals if g.structure == name for r in ranks(g.metric, len(rows), case.grid.voxel_cc)]
    return RankedDoses(dose[rows], asked)


def dvh(
    case: Case, dose: NDArray[np.floating], name: str, bins: int = 400, top: float | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute how much of a structure gets at least each dose.

    Args:
        case: The case.
        dose: Total Gy of each row of the case.
        name: The structure; all of its voxels count.
        bins: How many steps the doses are apart.
        top: The last dose, Gy; the highest in the structure where it is not given. Give one for curves to share.

    Returns:
        Doses from 0 to `top`, Gy, and the volume that gets at least each, %; both of shape (bins + 1,).

    Raises:
        UsageError: The structure is empty, or `bins` or `top` cannot be.
    """
    if bins < 1 or (top is not None and not (np.isfinite(top) and top > 0)):
        raise UsageError(f"a histogram needs at least one step up to a dose above 0, not {bins} up to {top}")
    d = check_dose(case, dose)[case.rows(name)]
    if not len(d):
        raise UsageError(f"{case.structure(name).name} has no voxel on the dose grid, so it has no histogram")
    at = np.linspace(0.0, float(d.max()) if top is None else top, bins + 1)
    # The doses in the type of the voxels, so that the last step counts the hottest voxel.
    below = np.searchsorted(np.sort(d), at.astype(d.dtype), side="left")
    return at, 100.0 * (len(d) - below) / len(d)
