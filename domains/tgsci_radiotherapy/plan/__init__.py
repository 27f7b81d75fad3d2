"""Plan parameters: the JSON text that is optimised, read strictly and written in one way; and `plan.json`, the plan.

In the order in which to read it: `objective` is one objective, `parameters` the text of all of them, `checks` says
whether they fit a case; `file` is a finished plan.
"""

from __future__ import annotations

from .objective import KINDS, Kind, Objective
from .parameters import PlanParameters, PlanText

__all__ = ["KINDS", "Kind", "Objective", "PlanParameters", "PlanText"]
