"""What a plan's parameters do to its goals: values, margins, and how each would move with every weight and dose.

Measured with every plan and kept beside it (`sensitivities.json`): the page, the rule editor and the account of
conflicts all read this.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.errors import InvalidValue

from ..plan import Objective, PlanParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tgsci.search.trial import Trial

    Floats = NDArray[np.float64]

#: The artifact that holds them.
FILE = "sensitivities.json"
#: Longest text that is read back, characters.
_LONGEST = 2_000_000


@dataclass(frozen=True)
class Wish:
    """A goal with what the plan made of it.

    Args:
        name: Structure and metric, "PTV D95%": the metric's name in tables.
        value: Of the metric, in `unit`; nan where the plan has none.
        limit: Of the goal, in `unit`.
        above: True where the value should be at least the limit.
        unit: Gy, %, cc or "".
        priority: 1 counts most.
        tolerance: What is accepted beyond the limit, in `unit`.
        structure: The structure's name.
        scale: What its margins are compared with other goals' by, in `unit`: see `scale_of`.
    """

    name: str
    value: float
    limit: float
    above: bool
    unit: str
    priority: int
    tolerance: float = 0.0
    structure: str = ""
    scale: float = 1.0

    @property
    def sign(self) -> float:
        """+1 where more is better, -1 where less is."""
        return 1.0 if self.above else -1.0

    @property
    def margin(self) -> float:
        """How far the goal is met, in its unit; below 0 where it is missed."""
        return self.sign * (self.value - self.limit)

    @property
    def met(self) -> bool:
        """True where the goal is reached, without its tolerance."""
        return self.margin >= 0

    @property
    def room(self) -> float:
        """The margin as a part of the scale; nan where there is no value."""
        return self.margin / self.scale

    @property
    def text(self) -> str:
        """The goal in words: PTV D95% >= 50 Gy."""
        return f"{self.name} {'>=' if self.above else '<='} {self.limit:g} {self.unit}".rstrip()


def scale_of(unit: str, limit: float, prescription: float) -> float:
    """What makes margins of different goals comparable, in the goal's unit.

    Of doses the prescription, so that a Gy is a Gy wherever it is missed; of volumes in % the whole structure; of
    volumes in cc the limit; of figures without a unit (HI, CI: parts of a dose or volume) 1.
    """
    if unit == "Gy":
        return prescription if prescription > 0 else max(limit, 1.0)
    return {"%": 100.0, "cc": max(limit, 1.0)}.get(unit, 1.0)


@dataclass(frozen=True)
class Effects:
    """A plan's goals, and what its parameters would do to them, to first order at its optimum.

    Args:
        parameters: The plan's.
        wishes: Its goals, m of them.
        per_doubling: Change of each value per doubling of each weight, shape (m, k), in the goal's unit.
        per_gray: Change of each value per +1 Gy of each objective's dose, (m, k); nan where it has no dose.
        additions: Objectives that the plan does not have; their weight is the one that the effect is for.
        per_addition: Change of each value by adding each, (m, a).
    """

    parameters: PlanParameters
    wishes: tuple[Wish, ...]
    per_doubling: Floats
    per_gray: Floats
    additions: tuple[Objective, ...]
    per_addition: Floats

    @property
    def values(self) -> Floats:
        """The goals' values, (m,)."""
        return np.array([wish.value for wish in self.wishes])

    def text(self) -> str:
        """As JSON."""
        return json.dumps(
            {
                "objectives": self.parameters.as_dict()["objectives"],
                "goals": [
                    {
                        "name": w.name,
                        "structure": w.structure,
                        "value": _number(w.value),
                        "limit": w.limit,
                        "above": w.above,
                        "unit": w.unit,
                        "priority": w.priority,
                        "tolerance": w.tolerance,
                        "scale": w.scale,
                    }
                    for w in self.wishes
                ],
                "per_doubling": _rows(self.per_doubling),
                "per_gray": _rows(self.per_gray),
                "additions": [o.as_dict() for o in self.additions],
                "per_addition": _rows(self.per_addition),
            },
            indent=1,
        )

    @classmethod
    def read(cls, text: str | bytes) -> Effects | None:
        """What `text` wrote; None where it is something else."""
        try:
            text = text.decode() if isinstance(text, bytes) else text
            table = json.loads(text) if len(text) <= _LONGEST else {}
            return cls._of(table)
        except (ValueError, KeyError, TypeError, InvalidValue):
            return None

    @classmethod
    def _of(cls, table: Mapping[str, Any]) -> Effects | None:
        objectives = tuple(Objective.from_dict(o) for o in table["objectives"])
        additions = tuple(Objective.from_dict(o) for o in table["additions"])
        wishes = tuple(
            Wish(
                str(g["name"]),
                math.nan if g["value"] is None else float(g["value"]),
                float(g["limit"]),
                bool(g["above"]),
                str(g["unit"]),
                int(g["priority"]),
                float(g["tolerance"]),
                str(g["structure"]),
                float(g["scale"]),
            )
            for g in table["goals"]
        )
        m = len(wishes)
        return cls(
            PlanParameters(objectives),
            wishes,
            _matrix(table["per_doubling"], m, len(objectives)),
            _matrix(table["per_gray"], m, len(objectives)),
            additions,
            _matrix(table["per_addition"], m, len(additions)),
        )


def effects_of(trial: Trial) -> Effects | None:
    """What was kept beside a trial's plan; None where there is nothing."""
    if trial.feedback is None or FILE not in trial.feedback.artifacts:
        return None
    return Effects.read(trial.feedback.artifacts[FILE])


def _number(value: float) -> float | None:
    return float(f"{value:.7g}") if math.isfinite(value) else None


def _rows(matrix: Floats) -> list[list[float | None]]:
    return [[_number(value) for value in row] for row in matrix.tolist()]


def _matrix(rows: Sequence[Sequence[float | None]], m: int, k: int) -> Floats:
    matrix = np.array([[math.nan if value is None else float(value) for value in row] for row in rows])
    return matrix.reshape(m, k)
