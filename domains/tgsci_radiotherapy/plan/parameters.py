"""The text that is optimised: the objectives of a plan as JSON, read strictly and written in one way."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tgsci.basics.texts import compact, quote
from tgsci.errors import InvalidValue

from ..case.regions import readable
from .checks import LEAST_SHARE, MOST_SHARE, check_objective, check_together, with_case_name
from .objective import KINDS, LEAST_WEIGHT, MOST_EXPONENT, MOST_WEIGHT, Objective

if TYPE_CHECKING:
    from ..case.model import Case

#: Longest text that is read, characters, and deepest nesting: parameters need two levels.
LONGEST, DEEPEST = 100_000, 8
#: Most objectives of a plan.
MOST_OBJECTIVES = 100
_FENCE = re.compile(r"\A```[A-Za-z]*[^\S\n]*\n(.*)\n[^\S\n]*```\Z", re.DOTALL)
_EXAMPLE = '{"objectives": [{"structure": "PTV", "type": "squared_deviation", "dose_gy": 51.5, "weight": 1000}]}'


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
        InvalidValue: There is no objective, or more than 100.
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

        Args:
            text: As for `parse`. A `PlanText` is not parsed again.

        Raises:
            InvalidValue: The parameters are wrong; says what to change.
        """
        return text.parameters if isinstance(text, PlanText) else cls.from_dict(_read_json(text))

    @classmethod
    def from_dict(cls, document: object) -> PlanParameters:
        """Read parameters from what JSON has become, `{"objectives": [...]}`; checked as `read` checks a text.

        Raises:
            InvalidValue: The parameters are wrong; says what to change.
        """
        objectives = []
        for number, table in enumerate(_objectives(document), 1):
            with _about(number, table):
                objectives.append(Objective.from_dict(table))
        return cls(tuple(objectives))

    def checked(self, case: Case) -> PlanParameters:
        """Check the parameters against a case, and spell structures as the case has them.

        Raises:
            InvalidValue: The parameters do not fit the case; says what to change.
        """
        objectives = []
        for number, objective in enumerate(self.objectives, 1):
            with _about(number, objective.as_dict()):
                objective = with_case_name(objective, case)
                check_objective(objective, case)
                objectives.append(objective)
        check_together(objectives, case)
        return PlanParameters(tuple(objectives))

    @staticmethod
    def describe(case: Case) -> str:
        """Say how parameters for a case are written, for a model: fields, types, ranges, structures."""
        return _describe(case)

    def text(self) -> str:
        """Write canonical JSON, an objective a line; reading it gives the same parameters."""
        lines = ",\n".join(f"  {objective.text()}" for objective in self.objectives)
        return '{"objectives": [\n' + lines + "\n]}"

    def as_dict(self) -> dict[str, Any]:
        """Give what `text` writes as Python has it."""
        return {"objectives": [objective.as_dict() for objective in self.objectives]}

    def replaced(self, i: int, **changes: Any) -> PlanParameters:
        """Change fields of one objective.

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
        """Add objectives at the end."""
        return PlanParameters((*self.objectives, *more))

    def without(self, i: int) -> PlanParameters:
        """Leave out one objective, given by its place from 0."""
        return PlanParameters((*self.objectives[:i], *self.objectives[i + 1 :]))


class PlanText(str):
    """The canonical text of plan parameters, which carries the parameters: whoever gets it need not parse it again.

    Args:
        parameters: What it is the text of.
    """

    parameters: PlanParameters

    def __new__(cls, parameters: PlanParameters) -> PlanText:
        text = super().__new__(cls, parameters.text())
        text.parameters = parameters
        return text

    def __reduce__(self) -> tuple[type[PlanText], tuple[PlanParameters]]:
        return PlanText, (self.parameters,)


@contextmanager
def _about(number: int, table: Mapping[str, Any]) -> Iterator[None]:
    """Begin the message of a refusal with the objective that it is about."""
    try:
        yield
    except InvalidValue as error:
        words = [readable(word) for key in ("structure", "type") if isinstance(word := table.get(key), str)]
        which = " ".join(words)
        raise InvalidValue(f"objective {number}{f' ({which})' if which else ''}: {error}") from None


def _read_json(text: str) -> Any:
    """Parse JSON of models and people: bounded before it is parsed, no NaN, no key twice.

    A code fence around the whole is taken off: models add it.

    Raises:
        InvalidValue: Not such a text; says where and what to write.
    """
    if not isinstance(text, str):
        raise InvalidValue(f"plan parameters must be JSON text, not {type(text).__name__}")
    if len(text) > LONGEST:
        raise InvalidValue(f"the text has {len(text)} characters; at most {LONGEST} are read")
    text = text.strip()
    fenced = _FENCE.match(text)
    if fenced:
        text = fenced[1].strip()
    if not text:
        raise InvalidValue(f"the text is empty; write {_EXAMPLE}")
    _check_nesting(text)
    try:
        return json.loads(text, parse_int=float, parse_constant=float, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        raise InvalidValue(
            f"not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}, near "
            f"{quote(text[max(0, error.pos - 15) : error.pos + 15])}; write {_EXAMPLE} and nothing around it"
        ) from None


def _objectives(document: object) -> list[dict[str, Any]]:
    """Take the tables of the objectives out of a document.

    Raises:
        InvalidValue: Says what to write instead.
    """
    if isinstance(document, list):
        raise InvalidValue('the objectives must be the value of a key: write {"objectives": [...]}, not a bare list')
    if not isinstance(document, dict) or "objectives" not in document:
        raise InvalidValue(f'the key "objectives" is missing; write {_EXAMPLE}')
    for key in document:
        if key != "objectives":
            raise InvalidValue(f'unknown key {quote(key)} beside "objectives"; leave it out')
    objectives = document["objectives"]
    if not isinstance(objectives, list) or not objectives:
        raise InvalidValue(f'"objectives" must be a list of at least one object; write {_EXAMPLE}')
    if len(objectives) > MOST_OBJECTIVES:
        raise InvalidValue(f"there are {len(objectives)} objectives; at most {MOST_OBJECTIVES} are planned with")
    for number, table in enumerate(objectives, 1):
        if not isinstance(table, dict):
            raise InvalidValue(f"objective {number} must be an object with structure, type and weight")
    return objectives


def _check_nesting(text: str) -> None:
    """Refuse what would exhaust the parser's stack; a text without its closing quotation mark is skipped to the end."""
    depth = 0
    for piece in re.finditer(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', text, re.DOTALL):
        if piece[0] in "[{":
            depth += 1
            if depth > DEEPEST:
                raise InvalidValue(f"brackets are nested more than {DEEPEST} deep; write {_EXAMPLE}")
        elif piece[0] in "]}":
            depth -= 1


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidValue(f"the key {quote(twice)} stands twice in one object; keep one of the two")
    return table


def _describe(case: Case) -> str:
    lines = [
        'A value is one JSON object and nothing around it: {"objectives": [...]}, a list of 1 to '
        f"{MOST_OBJECTIVES} objects. Doses are total Gy, all {case.fractions} fractions together, never cGy.",
        "Each object has the fields structure, type, weight and those that its type needs:",
    ]
    for kind in KINDS.values():
        fields = [name for name in kind.fields if name not in ("structure", "type", "weight")]
        needs = ", ".join(fields) if fields else "no dose"
        convex = "" if kind.convex else "; not convex, so the optimum is a local one"
        lines.append(f"- {kind.name} ({needs}): {kind.formula}; {kind.advice}{convex}")
    lines += [
        f"Here w is weight (0 or {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}; only ratios count), d the dose of the N voxels "
        "that the structure owns (a voxel of several belongs to the first of them in the list below), ref dose_gy: "
        f"{100 * LEAST_SHARE:g}% to {100 * MOST_SHARE:g}% of the prescription, or 0 in organs and body.",
        f"volume_percent is 0 to 100; exponent is 1 to {MOST_EXPONENT:g}, or -{MOST_EXPONENT:g} to 0 for targets. "
        "Figures are rounded to 4 digits. A structure may have several objectives, but no two that differ in weight "
        "alone. One at least must ask for dose in a target.",
        "For structure, a region may stand, made from structures and margins in mm: A - B (A without B), A & B, A | B, "
        "A + 5 mm, A - 3 mm, ring(A, 3 mm, 13 mm) (what lies 3 to 13 mm outside A), parentheses. An objective sees all "
        "voxels of a region, whoever owns them: ring(PTV, 3 mm, 13 mm) - Cord, or PTV63 - (PTV70 + 5 mm).",
        "Structures: " + "; ".join(_describe_structure(case, name) for name in case.names) + ".",
    ]
    return "\n".join(lines)


def _describe_structure(case: Case, name: str) -> str:
    structure = case.structure(name)
    rows = case.count_own(name)
    dose = f", prescribed {compact(structure.prescription)} Gy" if structure.prescription else ""
    kind = {"oar": "organ at risk", "external": "the body's outline"}.get(structure.type, structure.type)
    part = f", owns {100.0 * rows / len(structure.voxels):.0f}% of it" if 0 < rows < len(structure.voxels) else ""
    return f"{name} ({kind}{dose}, {compact(structure.volume_cc, 3)} cc{part if rows else ', owns no voxel'})"
