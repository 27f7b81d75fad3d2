"""What a force field says about a pose: refinement in the rigid pocket, strain, and whether the pose is sane."""

from __future__ import annotations

from .check import Check, check
from .refine import Refined, refine
from .strain import Strain, strain, strain_of

__all__ = ["Check", "Refined", "Strain", "check", "refine", "strain", "strain_of"]
