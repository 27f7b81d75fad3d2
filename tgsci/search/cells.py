"""Cells: how a page writes figures, values and names, briefly and each the same way everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from ..basics.texts import counts, figure, fixed, one_line, places
from .trial import Trial, Trials

if TYPE_CHECKING:
    from ..loss import Loss

#: Longest name of a family, and of what is told in few words, characters.
_LONGEST_NAME, SHORT = 24, 110
#: A longer value, or one of several lines, is told by its change.
_LONGEST_VALUE, _LONGEST_CHANGE = 240, 160


class Cells:
    """Writes the figures and names of a search.

    Args:
        trials: The search's.
    """

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        self._measured = trials.ranked()
        self._decimals = _decimals([t.loss for t in self._measured])
        self._metrics = {name: self._usual(name) for name in trials.insight.key_columns}
        #: Families that go by a number, by their names.
        self.numbered = self._numbered()

    def loss(self, value: float | None) -> str:
        """Write a loss that is expected, or how far losses lie apart; "" for none."""
        if value is None:
            return ""
        text = fixed(value, self._decimals)
        return short(value) if value and float(text) == 0 else text

    def change(self, value: float) -> str:
        """Write a difference of losses, with its sign."""
        text = self.loss(value)
        return text if text.startswith("-") else f"+{text}"

    def _usual(self, name: str) -> int:
        """Choose the decimals of a metric's column: three digits of what is usual in it."""
        known = [abs(t.feedback.metrics.get(name, math.nan)) for t in self._measured if t.feedback]
        usual = [value for value in known if math.isfinite(value)]
        if counts(usual, self.trials.loss.units.get(name, "") if self.trials.loss else ""):
            return 0
        return places([median(usual)] if usual else []) - 1

    def metric(self, name: str, value: float | None) -> str:
        """Write a metric with the decimals of its column, or in the words that its loss has; "-" for none."""
        if value is None or math.isnan(value):
            return "-"
        words = self.trials.loss.in_words(name, value) if self.trials.loss else ""
        if words:
            return cell(words, _LONGEST_NAME)
        return fixed(value, max(self._metrics[name], 0)) if self._metrics[name] > -2 else short(value)

    def family(self, value: str, longest: int = _LONGEST_NAME) -> str:
        """Name the family of a value as the tables do: by itself, or where that is long by a number that stays.

        Args:
            value: Any value.
            longest: A name that has no number is cut to so many characters.
        """
        name = self.trials.family(value)
        return self.numbered.get(name) or cell(name, longest) or "none"

    def _numbered(self) -> dict[str, str]:
        """Number the families in the order in which they were measured first; only those with a long name count."""
        names = dict.fromkeys(self.trials.family(t.value) for t in self.trials if t.measured)
        return {name: f"F{i}" for i, name in enumerate(names, 1) if len(name) > _LONGEST_NAME}


def told(trial: Trial, loss: Loss | None, word: str = "loss ") -> str:
    """Write the loss of a trial, and which limits it breaks.

    Args:
        trial: A measured one.
        loss: What measured it, for its words.
        word: Before the figure.
    """
    return f"{word}{figure(trial.loss)}" + "".join(f", {each}" for each in broken(trial, loss))


def broken(trial: Trial, loss: Loss | None) -> list[str]:
    """Say which hard limits a trial breaks, and by how much."""
    violations = trial.feedback.violations if trial.feedback else {}
    out = [(name, by) for name, by in violations.items() if by > 0]
    told_by = [loss.breach(name, by, short) if loss else f"{name} by {short(by)}" for name, by in out]
    return [f"breaks {one_line(text)}" for text in told_by]


def value_of(trial: Trial) -> str:
    """Write the value of a trial for a table."""
    return as_cell(trial.value, trial.edit, trial.reason)


def as_cell(value: str, edit: str, reason: str) -> str:
    """Write a value for a table: itself, or where it is long what was changed in it."""
    if not is_long(value):
        return one_line(value)
    return cell(edit or reason or value, _LONGEST_CHANGE)


def is_long(value: str) -> bool:
    """True where a value is no cell of a table."""
    return "\n" in value or len(value) > _LONGEST_VALUE


def cell(text: str, longest: int = SHORT) -> str:
    """Put a text from outside on one line of at most so many characters."""
    return cut(one_line(text), longest)


def cut(text: str, longest: int = SHORT) -> str:
    """Cut a line to so many characters."""
    return text if len(text) <= longest else f"{text[: longest - 3].rstrip()}..."


def short(value: float | None) -> str:
    """Write a figure with about three digits; "" for none."""
    if value is None or math.isnan(value):
        return ""
    decimals = places([value])
    return fixed(value, decimals - 1 if decimals > 0 else decimals)


def _decimals(losses: Sequence[float]) -> int:
    """Choose the decimals that show how far losses, best first, usually lie apart: two digits of it.

    A third one where the best loss is itself told so exactly.
    """
    if not losses:
        return 2
    size = math.log10(abs(median(losses) - losses[0]) or abs(losses[0]) or 1.0)
    return max(0, math.floor(1.7 - size), min(math.floor(2.7 - size), places(losses[:1]) - 1))
