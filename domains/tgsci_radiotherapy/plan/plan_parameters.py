"""The text that is optimised: the objectives of a plan as canonical JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tgsci.errors import InvalidValue

from .objective import Objective
from .reading import MOST_OBJECTIVES, read_objectives

if TYPE_CHECKING:
    from ..case.model import Case


@dataclass(frozen=True)
class PlanParameters:
    """The objectives of a plan, in the order in which they were written.

        {"objectives": [
          {"structure": "PTV", "type": "squared_deviation", "dose_gy": 51.5, "weight": 1000},
          {"structure": "Core", "type": "squared_overdose", "dose_gy": 18, "weight": 300}
        ]}

    Args:
        objectives: At least one.

    Raises:
        InvalidValue: There is none, or more than 100.
    """

    objectives: tuple[Objective, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "objectives", tuple(self.objectives))
        if not 1 <= len(self.objectives) <= MOST_OBJECTIVES:
            raise InvalidValue(f"a plan has 1 to {MOST_OBJECTIVES} objectives, not {len(self.objectives)}")

    @classmethod
    def parse(cls, text: str, case: Case) -> PlanParameters:
        """Read parameters and check them against a case.

        Args:
            text: JSON, as a model or a person wrote it; a code fence around it is taken off.
            case: Whose structures and prescriptions count; names are taken over in its spelling.

        Raises:
            InvalidValue: Anything that is not a plan for this case; the message says what to change.
        """
        return cls.read(text).checked(case)

    @classmethod
    def read(cls, text: str) -> PlanParameters:
        """Read parameters without a case: form, fields and ranges are checked, structures are not.

        Raises:
            InvalidValue: Says what to change.
        """
        found = []
        for number, table in enumerate(read_objectives(text), 1):
            with _naming(number, table):
                found.append(Objective.from_dict(table))
        return cls(tuple(found))

    def checked(self, case: Case) -> PlanParameters:
        """The parameters with structures spelled as the case has them.

        Raises:
            InvalidValue: They do not fit the case; says what to change.
        """
        from .checks import check_objective, check_together, named

        found = []
        for number, objective in enumerate(self.objectives, 1):
            with _naming(number, objective.as_dict()):
                objective = named(objective, case)
                check_objective(objective, case)
                found.append(objective)
        check_together(found, case)
        return PlanParameters(tuple(found))

    @staticmethod
    def describe(case: Case) -> str:
        """How parameters for a case are written, for a model: fields, types, ranges, structures."""
        from .describe import describe

        return describe(case)

    def text(self) -> str:
        """Canonical JSON, an objective a line; reading it gives the same parameters."""
        lines = ",\n".join(f"  {objective.text()}" for objective in self.objectives)
        return '{"objectives": [\n' + lines + "\n]}"

    def as_dict(self) -> dict[str, Any]:
        """What `text` writes, as Python has it."""
        return {"objectives": [objective.as_dict() for objective in self.objectives]}

    def replaced(self, i: int, **changes: Any) -> PlanParameters:
        """The same with fields of one objective changed.

        Args:
            i: Place of the objective, from 0.
            changes: Fields of `Objective`.

        Raises:
            InvalidValue: A figure that cannot be.
        """
        objectives = list(self.objectives)
        objectives[i] = dataclasses.replace(objectives[i], **changes)
        return PlanParameters(tuple(objectives))

    def with_objectives(self, more: Iterable[Objective]) -> PlanParameters:
        """The same with objectives added at the end."""
        return PlanParameters((*self.objectives, *more))

    def without(self, i: int) -> PlanParameters:
        """The same without one objective, given by its place from 0."""
        return PlanParameters((*self.objectives[:i], *self.objectives[i + 1 :]))


class _naming:
    """Lets a refusal begin with which objective it is about."""

    def __init__(self, number: int, table: Any) -> None:
        self.number, self.table = number, table

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, InvalidValue):
            from ..names import clean

            words = [self.table.get(key) for key in ("structure", "type")]
            which = " ".join(clean(word) for word in words if isinstance(word, str))
            raise InvalidValue(f"objective {self.number}{f' ({which})' if which else ''}: {error}") from None
