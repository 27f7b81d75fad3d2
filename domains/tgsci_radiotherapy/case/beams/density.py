"""From Hounsfield units to what a photon beam meets: relative electron density."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Above this a Hounsfield unit is no patient but metal or a fault of the image; it counts as this.
HIGHEST_HU = 3000.0


def electron_density(hu: NDArray[np.number]) -> NDArray[np.float32]:
    """Electron density relative to water.

    Straight lines after S. J. Thomas (Relative electron density calibration of CT scanners for radiotherapy treatment
    planning, Br J Radiol 72:781-786, 1999): 1 + HU / 1000 up to water, 1 + HU / 1950 from 100 HU on. His first line
    goes on to 100 HU and leaves a step of 0.05 there; a line from water to the second branch takes its place, so that
    noise in soft tissue does not make it two tissues.

    Args:
        hu: Hounsfield units, any shape.

    Returns:
        0 for air, 1 for water, about 1.5 for dense bone.
    """
    table_hu = np.array([-1000.0, 0.0, 100.0, HIGHEST_HU])
    table_density = np.array([0.0, 1.0, 1.0 + 100.0 / 1950.0, 1.0 + HIGHEST_HU / 1950.0])
    density: NDArray[np.float64] = np.interp(np.asarray(hu, np.float64), table_hu, table_density)
    return density.astype(np.float32)
