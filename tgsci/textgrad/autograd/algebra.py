"""Sums of variables, as objects."""

from __future__ import annotations

from collections.abc import Sequence

from ...functions import Module, aggregate, sum
from ...variable import Variable


class Sum(Module):
    """Adds variables up; see `tgsci.sum`."""

    def forward(self, variables: Sequence[Variable]) -> Variable:
        return sum(variables)


class Aggregate(Module):
    """Adds variables up and condenses the feedback that meets again; see `tgsci.aggregate`."""

    def forward(self, variables: Sequence[Variable]) -> Variable:
        return aggregate(variables)
