"""Cumulative dose-volume histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from .evaluation import checked_dose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case


def dvh(
    case: Case, dose: NDArray[np.floating], name: str, bins: int = 400, top: float | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much of a structure gets at least each dose.

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
    d = checked_dose(case, dose)[case.rows(name)]
    if not len(d):
        raise UsageError(f"{case.structure(name).name} has no voxel on the dose grid, so it has no histogram")
    at = np.linspace(0.0, float(d.max()) if top is None else top, bins + 1)
    # The doses in the type of the voxels, so that the last step counts the hottest voxel.
    below = np.searchsorted(np.sort(d), at.astype(d.dtype), side="left")
    return at, 100.0 * (len(d) - below) / len(d)
