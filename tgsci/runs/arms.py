"""Arms of a comparison: runs that differ in nothing but the seed, their figures put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from ..basics.texts import fixed
from .choose import WITH_MODEL
from .result import Result

#: The fact of a run that names its arm, where somebody who compares arms named it.
ARM = "arm"


def arm_of(result: Result) -> str:
    """Name the arm of a run: as whoever began it did, else by its optimizer, with the engine where that asks one."""
    header = result.header
    if header.get(ARM):
        return str(header[ARM])
    optimizer, engine = header.get("optimizer"), header.get("engine")
    if not optimizer:
        return ", ".join(dict.fromkeys(session.proposer for session in result.sessions)) or "nobody"
    name = engine.get("name") if isinstance(engine, Mapping) else engine
    return f"{optimizer} {name}" if optimizer in WITH_MODEL and name else str(optimizer)


def arms_of(runs: Mapping[str, Result]) -> dict[str, list[str]]:
    """Put runs together by arm; gives the names of the runs by the name of the arm, in the order of the first ones."""
    arms: dict[str, list[str]] = {}
    for name, result in runs.items():
        arms.setdefault(arm_of(result), []).append(name)
    return arms


@dataclass(frozen=True)
class Spread:
    """Figures of several runs.

    Args:
        figures: Those there are.
        of: How many runs there are.
    """

    figures: Sequence[float]
    of: int

    @property
    def median(self) -> float | None:
        """The median; None where there is no figure."""
        return float(median(self.figures)) if self.figures else None

    def words(self, decimals: int) -> str:
        """Write median and range, and how many runs have a figure where not all do: "-9.51 (-9.60 to -9.20)"."""
        middle = self.median
        if middle is None:
            return ""
        low, high = (fixed(each(self.figures), decimals) for each in (min, max))
        text = fixed(middle, decimals)
        if low != high:
            text += f" ({low} to {high})"
        return text if len(self.figures) == self.of else f"{text}, {len(self.figures)} of {self.of} runs"


def spread(values: Iterable[Any]) -> Spread:
    """Collect the figures of several runs; None stands for a run without one."""
    values = list(values)
    return Spread([float(value) for value in values if value is not None], len(values))


def winner(result: Result) -> str:
    """Name who proposed a run's best value: "start" for a start value; "" where nothing was measured."""
    if result.best is None:
        return ""
    return result.best.proposer if result.best.round else "start"


def counted(names: Iterable[str]) -> str:
    """Count names, the most frequent first: "rules 2, openai/model 1"; one that is alone without its count."""
    found = Counter(name for name in names if name)
    if len(found) == 1:
        return next(iter(found))
    return ", ".join(f"{name} {n}" for name, n in found.most_common())
