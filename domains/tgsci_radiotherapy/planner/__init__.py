"""The planner: fluence optimisation with a certificate, and how goals would move with the objectives."""

from __future__ import annotations

from .plan import Plan
from .planner import Planner
from .sensitivities import Sensitivities

__all__ = ["Plan", "Planner", "Sensitivities"]
