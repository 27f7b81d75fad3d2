"""Beams: geometry, an analytic 6 MV pencil beam, dose-influence matrices, and what a shift of the patient does.

`shifted_dij(name, shift_mm) -> Dij` recomputes the dij of a built-in case with the patient moved by (x, y, z) mm; its
rows and beamlets are those of `open_case(name)`.
"""

from __future__ import annotations

from ..model import Beam
from .geometry import BIXEL, SAD, Bixels, axes, covering, field, points_of, project
from .influence import influence
from .shift import shifted_dij

__all__ = [
    "BIXEL",
    "SAD",
    "Beam",
    "Bixels",
    "axes",
    "covering",
    "field",
    "influence",
    "points_of",
    "project",
    "shifted_dij",
]
