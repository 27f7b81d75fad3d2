"""Feedback: what a loss has to say about a value. A number, and the page behind the number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


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
            object.__setattr__(self, "loss", float(self.loss) + 0.0)
        for name in ("metrics", "violations"):
            object.__setattr__(self, name, {str(k): float(v) for k, v in getattr(self, name).items()})
        if self.loss is not None and math.isinf(self.loss):
            raise ValueError("a loss must be finite; use nan and say why in `error` where it could not be measured")
        if self.error is not None and self.loss is not None and not math.isnan(self.loss):
            raise ValueError(f"loss {self.loss} beside an error ({self.error}): a failed measurement has loss nan")
        if any(math.isnan(v) for v in self.violations.values()):
            raise ValueError(f"a violation is nan: {dict(self.violations)}")

    @classmethod
    def failed(cls, error: str, *, transient: bool = False) -> Feedback:
        """The feedback of a value that could not be measured."""
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


def combined(feedbacks: Sequence[Feedback | None], text: str) -> Feedback | None:
    """The feedback of a sum of losses; None where one of them is text only, failed where one is."""
    parts = [f for f in feedbacks if f is not None and f.loss is not None]
    if len(parts) < len(feedbacks):
        return None
    errors = [part.error for part in parts if part.error]
    if errors:
        return Feedback.failed("; ".join(errors))
    violations = {f"{i}: {k}": v for i, part in enumerate(parts) for k, v in part.violations.items()}
    return Feedback(math.fsum(part.loss or 0.0 for part in parts), text, violations=violations)


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
