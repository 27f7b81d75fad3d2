"""What a force field says about a pose: refinement in the rigid pocket, strain, and whether the pose is sane."""

from __future__ import annotations

from .check import Check, check
from .refine import Refined, refine, refined
from .strain import Strain, strain, strain_of

__all__ = ["Check", "Refined", "Strain", "check", "refine", "refined", "strain", "strain_of"]
