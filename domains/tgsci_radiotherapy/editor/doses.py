"""Doses that an edit sets: two decimals, and none that would be taken for cGy or for one fraction's dose."""

from __future__ import annotations

import math

from ..plan import PlanParameters

#: Doses between 0 and this share of the highest one that is asked for are refused where they are read.
_LEAST = 0.06


def highest_dose(parameters: PlanParameters) -> float:
    """The dose that steps are measured by: the highest that is asked for, Gy."""
    return max((o.dose_gy or 0.0 for o in parameters.objectives if o.lifts), default=0.0) or 50.0


def sensible(dose: float, lifts: bool, parameters: PlanParameters) -> float:
    """A dose near to the given one that is taken as it is.

    Args:
        dose: Gy.
        lifts: Whether the objective asks for dose.
        parameters: What it belongs to.
    """
    dose, least = round(max(dose, 0.0), 2), _LEAST * highest_dose(parameters)
    if dose >= least:
        return dose
    return 0.0 if dose < least / 2 and not lifts else math.ceil(100 * least) / 100
