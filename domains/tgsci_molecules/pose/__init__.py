"""The page about a docked pose: `explain(docking, target)` says where the score comes from and what would help."""

from __future__ import annotations

from .drawing import atom_colours, svg
from .report import CONTACT_KINDS, PoseReport, explain, explain_in_place

__all__ = ["CONTACT_KINDS", "PoseReport", "atom_colours", "explain", "explain_in_place", "svg"]
