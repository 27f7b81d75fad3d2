"""Terms of an objective, and how they are put together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tgsci.basics import checks
from tgsci.basics.texts import literal
from tgsci.errors import UsageError

from .metrics import DOCKED, OVER, Metric, placed, same_metric
from .transforms import Transform

#: How terms are put together.
AGGREGATES = {
    "sum": "loss = sum of weight x cost; a desirability d (0 to 1) costs 1 - d",
    "geometric_mean": "loss = 1 - weighted geometric mean of desirabilities (0 to 1)",
    "arithmetic_mean": "loss = 1 - weighted arithmetic mean of desirabilities (0 to 1)",
}
#: A desirability below this counts as this in a geometric mean, as in REINVENT4: one 0 does not hide all the rest.
FLOOR = 1e-8


@dataclass(frozen=True)
class Term:
    """One term of an objective.

    Args:
        metric: The metric: a name of `kinds()`; for "matches" give `smarts` too.
        transform: A `Transform` or the name of one that needs no parameters.
        weight: Above 0; in a sum any number but 0.
        targets: Names of the targets whose docking it is about: one, or several with `over`. Where empty, the
            first of the objective, or all with `over`. `metric="LCK vina"` and `"max vina"` say the same.
        over: "max", "min" or "mean" over several targets.
        smarts: The SMARTS that "matches" counts.
        name: The name in tables and reports; the metric's where empty.

    Raises:
        UsageError: An argument is not what it must be.
    """

    metric: str
    transform: Transform = field(default_factory=Transform)
    weight: float = 1.0
    targets: tuple[str, ...] = ()
    over: str = ""
    smarts: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        kind, target, how = placed(self.metric)
        _set(self, "metric", kind)
        if isinstance(self.transform, str):
            _set(self, "transform", Transform(self.transform))
        if not isinstance(self.transform, Transform):
            raise UsageError(f"a transform is a Transform or a name, not {literal(self.transform)}")
        _set(self, "weight", checks.number("weight", self.weight, -1e6, 1e6))
        if self.weight == 0:
            raise UsageError("weight must be a number other than 0: a term without weight is no term")
        named = (self.targets,) if isinstance(self.targets, str) else tuple(self.targets)
        _set(self, "targets", named or ((target,) if target else ()))
        _set(self, "over", self.over or how)
        if self.over and self.over not in OVER:
            raise UsageError(f"over must be one of {', '.join(OVER)}, not {literal(self.over)}")
        if (self.targets or self.over) and self.metric not in (*DOCKED, "LE"):
            raise UsageError(f"{self.metric} does not depend on a target; leave out targets and over")
        if len(self.targets) > 1 and not self.over:
            raise UsageError(f"{self.metric} in several targets needs over: {', '.join(OVER)}")
        if (self.metric == "matches") != bool(self.smarts):
            raise UsageError(
                "a term about matches needs smarts" if self.metric == "matches" else "smarts belong to metric matches"
            )
        self._check_texts()

    def _check_texts(self) -> None:
        """Check the name and the SMARTS; the objectives by name have neither, and are listed without RDKit."""
        if self.name == self.smarts == "":
            return
        from ..molecule.patterns import Pattern, check_name

        check_name("a term", self.name)
        other = same_metric(self.name)
        if other and other != self.metric:
            raise UsageError(f"the name {self.name!r} is that of the metric {other}; call the term something else")
        if self.smarts:
            Pattern(self.smarts)


def _set(term: object, name: str, value: object) -> None:
    object.__setattr__(term, name, value)  # frozen: only before anybody has seen it


@dataclass(frozen=True)
class ResolvedTerm:
    """A term whose metric is known.

    Args:
        label: Unique among the terms.
        metric: The metric.
        transform: The transform of its value.
        weight: The weight.
    """

    label: str
    metric: Metric
    transform: Transform
    weight: float

    @property
    def desirable(self) -> bool:
        """True where the transformed figure is a desirability from 0 to 1."""
        plain = self.transform.type == "identity"
        return self.transform.desirability or (plain and self.metric.sense == "desirability")

    @property
    def column(self) -> str:
        """The transformed figure's name among the metrics; "" where it says nothing new."""
        return "" if self.transform.type == "identity" else f"{self.label} (term)"

    def value(self, figure: Any) -> Any:
        """Transform a metric's value."""
        value = self.transform(figure)
        return -value if self.transform.type == "identity" and self.metric.sense == "gain" else value

    def cost(self, figure: Any) -> Any:
        """Compute what it adds to a sum, its weight apart; lower is better."""
        return 1.0 - self.value(figure) if self.desirable else self.value(figure)


class Aggregate:
    """How terms are put together to a loss.

    Args:
        how: A name of `AGGREGATES`.
        terms: At least one.

    Raises:
        UsageError: An unknown aggregate, no term, or a term that the aggregate cannot take.
    """

    def __init__(self, how: str, terms: Sequence[ResolvedTerm]) -> None:
        if how not in AGGREGATES:
            raise UsageError(f"aggregate must be one of {', '.join(AGGREGATES)}, not {literal(how)}")
        if not terms:
            raise UsageError("an objective needs at least one term")
        self.how, self.terms = how, tuple(terms)
        if how != "sum":
            for term in terms:
                if term.weight < 0:
                    raise UsageError(f"the weight of {term.label!r} is {term.weight:g}; in a {how} it must be above 0")
                if not term.desirable:
                    raise UsageError(
                        f"the term {term.label!r} has the transform {term.transform.type}, which does not give 0 to 1; "
                        f"a {how} needs one that does, for example reverse_sigmoid"
                    )
        self.total = math.fsum(term.weight for term in terms)

    def __call__(self, figures: Sequence[Any]) -> Any:
        """Compute the loss from the terms' raw values; arrays broadcast."""
        values = [np.asarray(figure, dtype=float) for figure in figures]
        if self.how == "sum":
            loss = self._sum([term.weight * term.cost(x) for term, x in zip(self.terms, values, strict=True)])
        else:
            shares = [(term.weight / self.total, term.value(x)) for term, x in zip(self.terms, values, strict=True)]
            if self.how == "geometric_mean":
                logs = [share * np.log(np.maximum(d, FLOOR)) for share, d in shares]
                loss = 1.0 - np.exp(self._sum(logs))
            else:
                loss = 1.0 - self._sum([share * d for share, d in shares])
        return float(loss) if np.ndim(loss) == 0 else loss

    def loss(self, metrics: Mapping[str, Any]) -> Any:
        """Compute the loss from raw metrics; arrays broadcast.

        Raises:
            KeyError: A metric is missing.
        """
        return self([term.metric.figure(metrics) for term in self.terms])

    @property
    def formula(self) -> str:
        """How the loss is composed, in a line."""
        parts = [self._symbol(term) for term in self.terms]
        if self.how == "sum":
            return " + ".join(parts).replace("+ -", "- ")
        return f"1 - {self.how.replace('_', ' ')} of {', '.join(parts)}"

    def _symbol(self, term: ResolvedTerm) -> str:
        inside = term.transform.of(term.label)
        if self.how != "sum":
            return inside if term.weight == 1 else f"{inside} (weight {term.weight:g})"
        cost = f"(1 - {inside})" if term.desirable else f"-{inside}" if term.metric.sense == "gain" else inside
        return cost if term.weight == 1 else f"{term.weight:g} {cost}"

    def if_ideal(self, label: str, metrics: Mapping[str, float]) -> float:
        """Compute the loss of a mean if the term of that label were 1 and the others as they are."""
        values = [1.0 if t.label == label else float(t.value(t.metric.figure(metrics))) for t in self.terms]
        shares = [term.weight / self.total for term in self.terms]
        if self.how == "geometric_mean":
            return 1.0 - float(math.prod(max(d, FLOOR) ** share for share, d in zip(shares, values, strict=True)))
        return 1.0 - math.fsum(share * d for share, d in zip(shares, values, strict=True))

    @staticmethod
    def _sum(parts: Sequence[Any]) -> Any:
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def part(self, term: ResolvedTerm, metrics: Mapping[str, float]) -> str:
        """Write one term of the loss: raw, transformed, weighted; in a mean also what it could still gain."""
        figure = metrics[term.metric.name]
        raw = f"{term.label} {term.metric.write(figure)}"
        if term.label != term.metric.name:
            raw = f"{term.label} ({term.metric.name} {term.metric.write(figure)})"
        if self.how != "sum":
            share = term.weight / self.total
            return (
                f"{raw} -> {term.value(figure):.3f} by {term.transform}, weight {term.weight:g} ({share:.0%}); "
                f"ideal, the loss would be {self.if_ideal(term.label, metrics):.4f}"
            )
        part = term.weight * term.cost(figure)
        if term.transform.type == "identity" and not term.desirable:
            times = "" if abs(term.weight) == 1 else f" x {term.weight:g}"
            return f"{raw}{times} = {part:+.2f}"
        value = f"(1 - {term.value(figure):.3f})" if term.desirable else f"{term.value(figure):.3f}"
        by = "" if term.transform.type == "identity" else f" by {term.transform}"
        return f"{raw} -> {value}{by} x {term.weight:g} = {part:+.2f}"
