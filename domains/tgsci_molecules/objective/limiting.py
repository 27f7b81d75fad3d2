"""What limits a molecule: the target that decides, the off-target that costs, the term with most to gain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .metrics import Metric
from .terms import Aggregate, ResolvedTerm

#: By how much a score is moved to see what it does to the loss, kcal/mol: more than the noise of a search.
_STEP = 0.5
#: A change of the loss that is less than this share of the largest one decides nothing.
_LEAST = 0.05
#: Terms that are named, at most.
_MOST = 3


@dataclass(frozen=True)
class Pull:
    """What the loss wants of one target.

    Args:
        target: Its name.
        metric: The name of its score.
        score: Vina's score of the molecule, kcal/mol.
        stronger: The change of the loss if it bound better by half a kcal/mol.
        weaker: The change of the loss if it bound worse by as much.
    """

    target: str
    metric: str
    score: float
    stronger: float
    weaker: float

    @property
    def off_target(self) -> bool:
        """True where the molecule should bind less."""
        return self.weaker < 0


def pulls(aggregate: Aggregate, metrics: Mapping[str, Metric], figures: Mapping[str, float]) -> list[Pull]:
    """List what the loss wants of each target whose score is known; the targets that decide it first.

    Args:
        aggregate: The terms, and how they are put together.
        metrics: Every metric by name.
        figures: The values of a measurement by name.
    """
    loss = _loss(aggregate, figures)
    found = []
    for name, metric in metrics.items():
        if metric.kind != "vina" or not math.isfinite(figures.get(name, math.nan)):
            continue
        score = figures[name]
        stronger, weaker = (_loss(aggregate, {**figures, name: score + step}) - loss for step in (-_STEP, _STEP))
        if math.isfinite(stronger) and math.isfinite(weaker):
            found.append(Pull(metric.target, name, score, stronger, weaker))
    # Where two decide alike, the target is before what must not bind: it is what the molecule is made for.
    return sorted(found, key=lambda pull: round(min(pull.stronger, pull.weaker), 6))


def deciding(found: Sequence[Pull]) -> list[Pull]:
    """Choose the targets that decide: those to bind better, the most worth first, then those to bind less."""
    most = max((-min(p.stronger, p.weaker) for p in found), default=0.0)
    telling = [p for p in found if -min(p.stronger, p.weaker) > _LEAST * most]
    return [*(p for p in telling if not p.off_target), *(p for p in telling if p.off_target)]


def worth_of_a_unit(aggregate: Aggregate, metrics: Mapping[str, Metric]) -> float:
    """Compute what a kcal/mol of docking is worth in the loss at most, about the scores of usual molecules."""
    usual = {metric.name: -8.0 if metric.simulated else 1.0 for m in metrics.values() for metric in m.roots}
    steps = []
    for name, metric in metrics.items():
        if metric.kind == "vina":
            for score in (-10.0, -8.0, -6.0):
                here, there = ({**usual, name: score + step} for step in (0.0, _STEP))
                steps.append(abs(_loss(aggregate, there) - _loss(aggregate, here)) / _STEP)
    return max((step for step in steps if math.isfinite(step)), default=0.0)


def limiting(aggregate: Aggregate, metrics: Mapping[str, Metric], figures: Mapping[str, float]) -> str:
    """Say in a few words what limits a molecule: "PPARD decides max vina (-8.1; PPARA -9.0); QED costs 2.7".

    Args:
        aggregate: The terms, and how they are put together.
        metrics: Every metric by name.
        figures: The values of a measurement by name.

    Returns:
        "" where the figures do not say.
    """
    try:
        words = [_decided(term, figures) for term in aggregate.terms]
        costs = _costs(aggregate, figures)
    except (KeyError, ValueError, OverflowError):
        return ""
    words += [f"{label} {_verb(aggregate)} {cost:.{2 if cost < 1 else 1}f}" for label, cost in costs[:_MOST]]
    words += _without_end(aggregate, figures)
    return "; ".join(filter(None, words))


def _verb(aggregate: Aggregate) -> str:
    return "costs" if aggregate.how == "sum" else "ideal would lower the loss by"


def _decided(term: ResolvedTerm, figures: Mapping[str, float]) -> str:
    """Name the target that decides the greatest or least of several, or a selectivity."""
    metric = term.metric
    parts = [part for part in metric.parts if part.target]
    if metric.kind not in ("max", "min", "selectivity") or len(parts) < 2:
        return ""
    scores = {part.target: float(part.figure(figures)) for part in parts}
    if metric.kind == "selectivity":
        first, *others = scores
        nearest = min(others, key=lambda name: scores[name])
        return f"{nearest} ({scores[nearest]:.1f}) decides the selectivity of {first} ({scores[first]:.1f})"
    choose = max if metric.kind == "max" else min
    decides = choose(scores, key=lambda name: scores[name])
    rest = ", ".join(f"{name} {score:.1f}" for name, score in scores.items() if name != decides)
    return f"{decides} decides {metric.name} ({scores[decides]:.1f}; {rest})"


def _without_end(aggregate: Aggregate, figures: Mapping[str, float]) -> list[str]:
    """Name the docking scores of one target that count as they are: a small cost of another term limits nothing."""
    return [
        f"{term.label} ({term.metric.figure(figures):.1f}) has no best value"
        for term in aggregate.terms
        if aggregate.how == "sum" and term.metric.kind == "vina" and not term.desirable
        if term.transform.type == "identity" and term.weight > 0
    ]


def _costs(aggregate: Aggregate, figures: Mapping[str, float]) -> list[tuple[str, float]]:
    """List what could be gained by terms that have a best value, in the loss's unit, the most first."""
    costs = []
    for term in aggregate.terms:
        figure = term.metric.figure(figures)
        if aggregate.how != "sum":
            gain = _loss(aggregate, figures) - aggregate.if_ideal(term.label, figures)
        elif term.desirable or term.transform.type != "identity":
            gain = term.weight * float(term.cost(figure))
        else:  # a plain score has no end
            continue
        if gain > 0.005:
            where = f" ({term.metric.write(float(figure))})" if term.metric.target else ""
            costs.append((f"{term.label}{where}", gain))
    return sorted(costs, key=lambda each: -each[1])


def _loss(aggregate: Aggregate, figures: Mapping[str, Any]) -> float:
    return float(aggregate.loss(figures))
