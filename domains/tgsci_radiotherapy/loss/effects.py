"""What a plan's parameters do to its goals: values, margins, and how each would move with every weight and dose.

Measured with every plan and kept beside it (`sensitivities.json`): the page, the rule editor and the account of
conflicts all read this.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.errors import InvalidValue, UsageError

from ..goals import Goal, GoalResult, Metric
from ..plan import Objective, PlanParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tgsci.feedback import Feedback
    from tgsci.search.trial import Trial

    Floats = NDArray[np.float64]

#: The artifact that holds the effects.
FILE = "sensitivities.json"
#: Longest text that is read back, characters.
_LONGEST = 2_000_000


@dataclass(frozen=True)
class Try:
    """An edit of a plan that was solved again, loosely: what it really does, where a slope would be a guess.

    Args:
        kind: What was edited, "weights and doses" or a structural edit's name.
        parameters: The edited plan's.
        values: Its goals' values, (m,), to about 1% of the objective.
    """

    kind: str
    parameters: PlanParameters
    values: Floats


@dataclass(frozen=True)
class Effects:
    """A plan's goals, and what its parameters would do to them, to first order at its optimum.

    Args:
        parameters: The plan's.
        results: Its goals with their values, m of them.
        per_doubling: Change of each value per doubling of each weight, shape (m, k), in the goal's unit.
        per_gray: Change of each value per +1 Gy of each objective's dose, (m, k); nan where it has no dose.
        additions: Objectives that the plan does not have; their weight is the one that the effect is for.
        per_addition: Change of each value by adding each, (m, a).
        tries: Edits further than slopes reach, each solved again.
    """

    parameters: PlanParameters
    results: tuple[GoalResult, ...]
    per_doubling: Floats
    per_gray: Floats
    additions: tuple[Objective, ...]
    per_addition: Floats
    tries: tuple[Try, ...] = ()

    @property
    def values(self) -> Floats:
        """The goals' values, (m,)."""
        return np.array([result.value for result in self.results])

    def text(self) -> str:
        """Write the effects as JSON."""
        return json.dumps(
            {
                "objectives": self.parameters.as_dict()["objectives"],
                "goals": [
                    {
                        "name": r.goal.name,
                        "structure": r.goal.structure,
                        "value": _number(r.value),
                        "limit": r.goal.limit,
                        "above": r.goal.comparison == ">=",
                        "unit": r.goal.unit,
                        "priority": r.goal.priority,
                        "tolerance": r.goal.tolerance,
                        "scale": r.scale,
                        "implied": r.goal.implied,
                        "spares": r.goal.spares,
                        "least": _number(r.goal.least),
                    }
                    for r in self.results
                ],
                "per_doubling": _rows(self.per_doubling),
                "per_gray": _rows(self.per_gray),
                "additions": [o.as_dict() for o in self.additions],
                "per_addition": _rows(self.per_addition),
                "tries": [
                    {
                        "kind": t.kind,
                        "objectives": t.parameters.as_dict()["objectives"],
                        "values": [_number(v) for v in t.values.tolist()],
                    }
                    for t in self.tries
                ],
            },
            indent=1,
        )

    @classmethod
    def read(cls, text: str | bytes) -> Effects | None:
        """Read what `text` wrote; None where it is something else."""
        try:
            text = text.decode() if isinstance(text, bytes) else text
            table = json.loads(text) if len(text) <= _LONGEST else {}
            return cls._of(table)
        except (ValueError, KeyError, TypeError, InvalidValue, UsageError):
            return None

    @classmethod
    def _of(cls, table: Mapping[str, Any]) -> Effects | None:
        objectives = tuple(Objective.from_dict(o) for o in table["objectives"])
        additions = tuple(Objective.from_dict(o) for o in table["additions"])
        results = tuple(_result(goal) for goal in table["goals"])
        m = len(results)
        return cls(
            PlanParameters(objectives),
            results,
            _matrix(table["per_doubling"], m, len(objectives)),
            _matrix(table["per_gray"], m, len(objectives)),
            additions,
            _matrix(table["per_addition"], m, len(additions)),
            tuple(_try(t, m) for t in table.get("tries", ())),
        )


def effects_of(trial: Trial) -> Effects | None:
    """Read the effects that were measured with a trial's plan; None where there are none."""
    return effects_in(trial.feedback) if trial.feedback else None


def effects_in(feedback: Feedback) -> Effects | None:
    """Read the effects that a plan's feedback brings; None where it brings none."""
    content = feedback.artifacts.get(FILE)
    return None if content is None else _read(content)


@lru_cache(maxsize=512)
def _read(content: str | bytes) -> Effects | None:
    return Effects.read(content)


def _result(table: Mapping[str, Any]) -> GoalResult:
    structure, value = str(table["structure"]), table["value"]
    goal = Goal(
        structure,
        Metric.parse(str(table["name"]).removeprefix(f"{structure} ")),
        ">=" if table["above"] else "<=",
        float(table["limit"]),
        table["unit"],
        float(table["tolerance"]),
        int(table["priority"]),
        implied=bool(table.get("implied", False)),
        spares=bool(table.get("spares", False)),
        least=math.nan if table.get("least") is None else float(table["least"]),
    )
    return GoalResult(goal, math.nan if value is None else float(value), float(table["scale"]))


def _try(table: Mapping[str, Any], m: int) -> Try:
    parameters = PlanParameters(tuple(Objective.from_dict(o) for o in table["objectives"]))
    return Try(str(table["kind"]), parameters, _matrix([table["values"]], 1, m)[0])


def short_name(objective: Objective, among: Sequence[Objective]) -> str:
    """Name an objective by its structure, with the type where that structure has several objectives."""
    same = [o for o in among if o.structure == objective.structure]
    if len(same) == 1:
        return objective.structure
    if sum(o.type == objective.type for o in same) == 1:
        return f"{objective.structure} {objective.type}"
    return objective.label


def _number(value: float) -> float | None:
    return float(f"{value:.7g}") if math.isfinite(value) else None


def _rows(matrix: Floats) -> list[list[float | None]]:
    """Give rows of slopes: five digits, since the last ones of seven depend on where the solver came from."""
    return [[float(f"{v:.5g}") if math.isfinite(v) else None for v in row] for row in matrix.tolist()]


def _matrix(rows: Sequence[Sequence[float | None]], m: int, k: int) -> Floats:
    matrix = np.array([[math.nan if value is None else float(value) for value in row] for row in rows])
    return matrix.reshape(m, k)
