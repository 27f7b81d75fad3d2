"""Feedback: what a loss has to say about a value. A number, and the page behind the number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import SupportsFloat, SupportsIndex

from .basics.texts import with_type


@dataclass(frozen=True)
class Feedback:
    """What a loss returns.

    Args:
        loss: Lower is better. None: text only (a judge); nan: could not be measured.
        text: The report: figures with units, and what would help. It becomes the gradient.
        metrics: Named figures; their units are the loss's `units`.
        violations: How far each hard limit is broken, in the limit's own unit; > 0 is infeasible.
        artifacts: What a person opens afterwards, by file name: a pose as SDF, a dose array.
        error: Why it could not be measured; shown to the optimizer and to the user.
        transient: Worth another try; never cached.

    Raises:
        ValueError: An infinite loss, a nan violation, or a loss beside an error: a failure must
            never look like a score.
        TypeError: A field holds something else than what is said above.
    """

    loss: float | None
    text: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    violations: Mapping[str, float] = field(default_factory=dict)
    artifacts: Mapping[str, bytes | str] = field(default_factory=dict)
    error: str | None = None
    transient: bool = False

    def __post_init__(self) -> None:
        # Plain floats: numpy's would not go into the ledger, and -0.0 would come back from it as 0.0.
        if self.loss is not None:
            object.__setattr__(self, "loss", number(self.loss, "loss") + 0.0)
        for name in ("metrics", "violations", "artifacts"):
            given = getattr(self, name)
            if type(given) is not dict and not isinstance(given, Mapping):
                raise TypeError(f"{name} is a dict by name, not {type(given).__name__}")
            if name != "artifacts":
                object.__setattr__(self, name, {str(k): number(v, f"{name}[{k!r}]") for k, v in given.items()})
        if not isinstance(self.text, str):
            raise TypeError(f"the text of a feedback is a str ('' for none), not {with_type(self.text)}")
        if not isinstance(self.error, str | None):
            raise TypeError(
                f"the error of a feedback is a str or None, not {with_type(self.error)}: write error=str(error)"
            )
        # A ledger's artifacts are checked already, and reading them all would take as long as they are large.
        given = self.artifacts if isinstance(self.artifacts, dict) else {}
        for name, content in given.items():
            if not isinstance(content, bytes | str):
                hint = "write json.dumps(...)" if isinstance(content, dict | list) else "write text or bytes"
                raise TypeError(f"artifacts[{name!r}] is the content of a file, not {with_type(content)}: {hint}")
        if self.loss is not None and math.isinf(self.loss):
            raise ValueError("a loss must be finite; use nan and say why in `error` where it could not be measured")
        if self.error is not None and self.loss is not None and not math.isnan(self.loss):
            raise ValueError(f"loss {self.loss} beside an error ({self.error}): a failed measurement has loss nan")
        if any(math.isnan(v) for v in self.violations.values()):
            raise ValueError(f"a violation is nan: {dict(self.violations)}")

    @classmethod
    def failed(cls, error: str, *, transient: bool = False) -> Feedback:
        """Make the feedback of a value that could not be measured."""
        return cls(math.nan, text=f"Could not be measured: {error}", error=error, transient=transient)

    @property
    def measured(self) -> bool:
        """True where there is a loss to compare."""
        return self.loss is not None and not math.isnan(self.loss)

    @property
    def violation(self) -> float:
        """By how much the hard limits are broken, added up; 0.0 where none is."""
        return sum(v for v in self.violations.values() if v > 0)

    @property
    def feasible(self) -> bool:
        """True where no hard limit is broken."""
        return self.violation == 0


def is_better(a: Feedback, b: Feedback | None) -> bool:
    """True where `a` should replace `b`: feasible first, then the smaller violation, then the lower loss.

    Whatever could not be measured never wins.
    """
    if not a.measured:
        return False
    if b is None or not b.measured:
        return True
    assert a.loss is not None
    assert b.loss is not None
    return (a.violation, a.loss) < (b.violation, b.loss)


def number(value: object, what: str = "a loss") -> float:
    """Turn a figure of any kind (NumPy's, a Decimal) into a float; a text is none, even where it spells one.

    Raises:
        TypeError: It is no number.
    """
    if type(value) is float:  # by far the most, and the checks below are slow
        return value
    if isinstance(value, str | bytes) or not isinstance(value, SupportsFloat | SupportsIndex):
        raise TypeError(f"{what} is a number, not {with_type(value)}")
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{what} is a number, not {with_type(value)}: {error}") from None
