"""Photon beams: geometry, an analytic 6 MV pencil beam, and dose-influence matrices.

In the order in which to read it: `influence` computes a case's matrix, `geometry` says what each beam sees, `pencil`
has the physics of one bixel, `kernels` the compiled loops.
"""

from __future__ import annotations

from ..model import Beam
from .geometry import BIXEL, SAD, Bixels, axes, covering, field, points_of, project
from .influence import Setup, electron_density, influence

__all__ = [
    "BIXEL",
    "SAD",
    "Beam",
    "Bixels",
    "Setup",
    "axes",
    "covering",
    "electron_density",
    "field",
    "influence",
    "points_of",
    "project",
]
