"""Make the scorer that a task names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any

from tgsci.basics import checks
from tgsci.basics.texts import literal
from tgsci.engine import Engine
from tgsci.errors import UsageError

from ..datasets.example import Example
from .choice import Choice
from .function import Function
from .judge import Judge
from .numbers import LastInteger, Number, quantities
from .scorer import Scorer
from .texts import Exact, Pattern

_SCORERS: dict[str, Callable[..., Scorer]] = {
    "exact": Exact,
    "last integer": LastInteger,
    "number": Number,
    "choice": Choice,
    "pattern": Pattern,
    "function": Function,
    "judge": Judge,
}
#: Every scorer, by the name that a task gives it.
SCORERS = tuple(_SCORERS)


def make_scorer(wanted: str | Mapping[str, Any], judge: Engine | None = None) -> Scorer:
    """Make the scorer that a task names.

    Args:
        wanted: A name of `SCORERS`, or a table with `kind` and the scorer's own settings.
        judge: The model that judges, for "judge".

    Raises:
        UsageError: No such scorer, a setting that it does not have, or no judge for one that needs it.
    """
    if not isinstance(wanted, str | Mapping):
        raise UsageError(f"scorer must be a name or a table with `kind`, not {literal(wanted)}")
    table: dict[str, Any] = {"kind": wanted} if isinstance(wanted, str) else dict(wanted)
    if "kind" not in table:
        raise UsageError(f"scorer has no `kind`: one of {', '.join(SCORERS)}")
    kind = checks.choice("scorer", table.pop("kind"), SCORERS)
    known = [name for name in signature(_SCORERS[kind]).parameters if name != "engine"]
    checks.keys(table, known, f"the scorer {kind!r}")
    if kind == "judge":
        if judge is None:
            raise UsageError("the scorer 'judge' asks a model: name it with the key `judge`, as judge = 'MODEL'")
        table["engine"] = judge
    try:
        return _SCORERS[kind](**table)
    except TypeError:  # a setting without a default
        needed = [name for name, p in signature(_SCORERS[kind]).parameters.items() if p.default is p.empty]
        raise UsageError(f"the scorer {kind!r} needs {', '.join(n for n in needed if n != 'engine')}") from None


def fitting_scorer(examples: Iterable[Example]) -> str:
    """Name the scorer that fits the reference answers: choices, whole numbers, numbers, or any text."""
    examples = list(examples)
    if all(example.choices for example in examples):
        return "choice"
    integers = LastInteger()
    if all(not integers.complaint(example) for example in examples):
        return "last integer"
    if all(_is_number(example.answer) for example in examples):
        return "number"
    return "exact"


def _is_number(answer: str) -> bool:
    found = quantities(answer)
    return len(found) == 1 and not any(c.isalpha() for c in answer)
