"""Insight: what a domain knows of its values besides their loss. All of it is optional, and all of it is pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..basics import checks

if TYPE_CHECKING:
    from ..feedback import Feedback
    from ..loss import Loss
    from .trial import Outlook, Trial, Trials


@dataclass(frozen=True)
class Careful:
    """A measurement that costs more and errs less; what would become the best is measured by it first.

    After `loss.evaluate(value)`, `loss.reconsider(value, feedback, first)` gets the first measurement of the same
    value, so that the careful figure can be the better of both where that is what care means.

    Args:
        loss: Measures with care, in the unit of the run's loss.
        margin: First figures that are worse than the best by at most this are measured with care too, loss's unit.
        share: Careful measurements for each evaluation, at most.
        alike: First figures are compared with the first figure of the best, not with its careful one: where they err
            alike, because they are of the same part of a data set.

    Raises:
        UsageError: A number that cannot be used.
    """

    loss: Loss
    margin: float = 0.0
    share: float = 0.25
    alike: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "margin", checks.number("the margin of a careful measurement", self.margin, 0))
        object.__setattr__(self, "share", checks.number("the share of careful measurements", self.share, above=0))


@dataclass(frozen=True, kw_only=True)
class Insight:
    """What a domain tells a search, and through it a model at its desk.

    Args:
        key_columns: The few metrics that a row of the history shows beside the loss.
        family: The name of the kind that a value belongs to; the same for good.
        contrast: What a change did, a child against its parent, in a line or two.
        change: The name of a change, from the values of parent and child, such that equal changes have equal names;
            "" where it has none.
        predict: What is expected of values that were not measured; None for each that cannot be told.
        limiting: Which part of a measurement decides its loss (the target of a maximum), in a few words; "" for none.
        setting: The world in which values are measured, described once for a model that begins: a pocket, a case.
        careful: How leaders are measured before they lead.
        rivals: False where values do not compete, as the questions of a set: every measured one is accepted.
    """

    key_columns: Sequence[str] = ()
    family: Callable[[str], str] | None = None
    contrast: Callable[[Trial, Trial], str] | None = None
    change: Callable[[str, str], str] | None = None
    predict: Callable[[Trials, Sequence[str]], Sequence[Outlook | None]] | None = None
    limiting: Callable[[Feedback], str] | None = None
    setting: str = ""
    careful: Careful | None = None
    rivals: bool = True
