"""Insight: what a domain knows of its values besides their loss. All of it is optional, and all of it is pure."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ..basics import checks
from ..basics.texts import literal, well_formed
from ..errors import TgsciError

if TYPE_CHECKING:
    from ..feedback import Feedback
    from ..loss import Loss
    from .trial import Outlook, Trial, Trials

logger = logging.getLogger("tgsci")
T = TypeVar("T")

#: Longest name of a family, a change or what limits, and longest contrast, characters: what is longer is cut.
NAME_CHARACTERS, CONTRAST_CHARACTERS = 200, 2_000


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

    A function that has nothing to say raises one of tgsci's errors. Whatever else goes wrong in one is logged, the
    first time, and the search goes on without what it would have said: no measurement depends on it.

    Args:
        key_columns: The few metrics that a row of the history shows beside the loss.
        family: The name of the kind that a value belongs to; the same for good.
        contrast: What a change did, a child against its parent, in a line or two.
        change: The name of a change, from the values of parent and child, such that equal changes have equal names;
            "" where it has none.
        predict: What is expected of values that were not measured; None for each that cannot be told.
        limiting: Which part of a measurement decides its loss (the target of a maximum), in a few words; "" for none.
        advice: How often advice in the loss's own reports came true so far, in a line; "" where nobody followed any.
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
    advice: Callable[[Trials], str] | None = None
    setting: str = ""
    careful: Careful | None = None
    rivals: bool = True
    _failed: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def family_of(self, value: str) -> str:
        """Name the family of a value; "" where it has no place among the families."""
        return self._text("family", self.family, value)

    def change_between(self, parent: str, child: str) -> str:
        """Name the change from one value to another; "" where it has no name."""
        return self._text("change", self.change, parent, child)

    def contrast_of(self, parent: Trial, child: Trial) -> str:
        """Say what a change did; "" where there is nothing to say."""
        return self._text("contrast", self.contrast, parent, child, longest=CONTRAST_CHARACTERS)

    def limiting_in(self, feedback: Feedback) -> str:
        """Say which part of a measurement decides its loss; "" for none."""
        return self._text("limiting", self.limiting, feedback)

    def advice_in(self, trials: Trials) -> str:
        """Say how often the advice of reports came true so far; "" for nothing to say."""
        return self._text("advice", self.advice, trials, longest=CONTRAST_CHARACTERS)

    def outlooks(self, trials: Trials, values: Sequence[str]) -> list[Outlook | None]:
        """Tell what is expected of each value; None where that cannot be told, or is no finite number."""

        def finite(outlook: Outlook | None) -> Outlook | None:
            return outlook if outlook and math.isfinite(outlook.loss) and math.isfinite(outlook.sd) else None

        def predict() -> list[Outlook | None]:
            assert self.predict
            outlooks = [finite(outlook) for outlook in self.predict(trials, values)]
            if len(outlooks) != len(values):
                raise ValueError(f"{len(outlooks)} outlooks for {len(values)} values")
            return outlooks

        nothing: list[Outlook | None] = [None] * len(values)
        return self._unless_it_fails("predict", predict, nothing) if self.predict and values else nothing

    def _text(self, name: str, hook: Callable[..., str] | None, *about: object, longest: int = NAME_CHARACTERS) -> str:
        def say() -> str:
            text = hook(*about) if hook else ""
            if not isinstance(text, str):
                raise TypeError(f"it returned {literal(text)}, not text")
            return well_formed(text[:longest])

        return self._unless_it_fails(name, say, "")

    def _unless_it_fails(self, name: str, hook: Callable[[], T], otherwise: T) -> T:
        try:
            return hook()
        except TgsciError:  # it has nothing to say of these
            return otherwise
        except Exception as error:
            if name not in self._failed:
                self._failed.add(name)
                logger.warning(
                    "%s of the insight failed (%s: %s); the search goes on without what it would have said",
                    *(name, type(error).__name__, error),
                    exc_info=error,
                )
            return otherwise
