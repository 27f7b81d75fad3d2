"""Plan parameters: the JSON text that is optimised, read strictly and written in one way."""

from __future__ import annotations

from .kinds import KINDS, Kind
from .objective import Objective
from .plan_parameters import PlanParameters

__all__ = ["KINDS", "Kind", "Objective", "PlanParameters"]
