"""Photon beams: geometry, an analytic 6 MV pencil beam, and dose-influence matrices."""

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
