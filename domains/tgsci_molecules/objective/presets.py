"""Objectives by name: those that are published, so that figures can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tgsci.basics.texts import did_you_mean, literal
from tgsci.errors import UsageError

from .terms import Term
from .transforms import Transform

#: The median Vina score of DOCKSTRING's molecules in LCK, kcal/mol: below it the JAK2 task charges for LCK.
LCK_MEDIAN = -8.1
#: By how much the target should bind better than any off-target, kcal/mol: 30-fold, were scores free energies.
MARGIN = 2.0


@dataclass(frozen=True)
class Preset:
    """An objective that has a name.

    Args:
        summary: A line on what it is and where it comes from.
        terms: The terms of the sum.
        targets: The targets that it docks into, the design's first; empty where any target will do.
    """

    summary: str
    terms: tuple[Term, ...]
    targets: tuple[str, ...] = ()


_PENALTY = Term("QED", weight=10.0)
#: What an alert costs in a sum, and a kcal/mol of strain above what drugs usually have, kcal/mol. In a mean each of
#: the two terms has this share of the weight of all others.
ALERT_COST, STRAIN_COST, SHARE = 0.5, 0.2, 0.05
_USUAL_STRAIN = 12.0

PRESETS: Mapping[str, Preset] = {
    "dockstring": Preset(
        "vina + 10 (1 - QED) in any target; with off-targets also what selectivity lacks to 2 kcal/mol (default)",
        (Term("vina"), _PENALTY),
    ),
    "vina-qed": Preset(
        "vina + 10 (1 - QED) in any target: the pair that TextGrad's paper designs for (Yuksekgonul 2024)",
        (Term("vina"), _PENALTY),
    ),
    "dockstring-f2": Preset(
        "F2 + 10 (1 - QED) (DOCKSTRING 2022)",
        (Term("vina"), _PENALTY),
        ("F2",),
    ),
    "dockstring-ppar": Preset(
        "max(PPARA, PPARD, PPARG) + 10 (1 - QED): a binder of all three (DOCKSTRING 2022)",
        (Term("vina", over="max"), _PENALTY),
        ("PPARA", "PPARD", "PPARG"),
    ),
    "dockstring-jak2": Preset(
        "JAK2 - min(LCK + 8.1, 0) + 10 (1 - QED): JAK2 but not LCK (DOCKSTRING 2022)",
        (Term("vina"), Term("LCK vina", Transform("hinge", low=LCK_MEDIAN)), _PENALTY),
        ("JAK2", "LCK"),
    ),
}


def preset(name: object) -> Preset:
    """Find the objective of a name.

    Raises:
        UsageError: There is no such objective; names the nearest.
    """
    known = PRESETS.get(name.strip().lower()) if isinstance(name, str) else None
    if known is None:
        raise UsageError(f"no objective {literal(name)}; {did_you_mean(name, PRESETS)}\nThere are:\n{listing()}")
    return known


def listing() -> str:
    """List every named objective with what it is, one a line."""
    width = max(map(len, PRESETS))
    return "\n".join(f"  {name:<{width}}  {each.summary}" for name, each in PRESETS.items())


def soundness(aggregate: str, alert_cost: float, strain_cost: float, weights: float) -> tuple[Term, ...]:
    """Make the terms that a chemist expects of any objective: on structural alerts, and on the strain of the pose.

    Args:
        aggregate: How terms are put together.
        alert_cost: In a sum, what each alert costs, kcal/mol; 0 leaves the term out.
        strain_cost: In a sum, what each kcal/mol of strain above 12 costs; 0 leaves the term out.
        weights: The sum of the other terms' weights; in a mean these two get 5% of it each.
    """
    if aggregate == "sum":
        alerts, strain = Transform(), Transform("hinge", high=_USUAL_STRAIN)
    else:
        alerts = Transform("exponential_decay", k=0.5)
        strain = Transform("reverse_sigmoid", low=_USUAL_STRAIN, high=2 * _USUAL_STRAIN)
    kinds = (("alerts", alerts, alert_cost, ALERT_COST), ("strain", strain, strain_cost, STRAIN_COST))
    return tuple(
        Term(metric, transform, cost if aggregate == "sum" else SHARE * weights * cost / usual)
        for metric, transform, cost, usual in kinds
        if cost
    )


def against_others() -> Term:
    """Make the term on off-targets: it charges what the target lacks to binding `MARGIN` better than any of them."""
    return Term("selectivity", Transform("hinge", high=-MARGIN))
