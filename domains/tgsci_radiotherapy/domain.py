"""The radiotherapy domain: what it offers to the core. Imports quickly; numba comes with the first plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tgsci.domain import Domain, Problem
from tgsci.errors import UsageError

#: Said wherever a person meets a plan.
NOTICE = "Research tool: not for clinical use."


class RadiotherapyDomain(Domain):
    """Tuning of treatment plans: optimise the fluence, read the goals, change the weights."""

    name = "radiotherapy"
    summary = "tune radiotherapy plans to clinical goals (dose-volume planner; research only, not for clinical use)"

    def problem(self, config: Mapping[str, Any]) -> Problem:
        raise UsageError("the radiotherapy domain has no problems yet")
