"""A pose under force fields that are not Vina's.

What is where:
  refine.py    the ligand relaxes in the rigid pocket; receptor.py prepares that, mmff.py brings MMFF94 to OpenMM
  strain.py    what the ligand pays for its shape
  check.py     the check on a finalist: both of these, and geometry.py
"""

from __future__ import annotations

from .check import Check, check
from .refine import Refinement, refine
from .strain import Strain, strain, strain_of

__all__ = ["Check", "Refinement", "Strain", "check", "refine", "strain", "strain_of"]
