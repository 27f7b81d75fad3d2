"""The page about a plan: what its goals, objectives and sensitivities have to say. It is the gradient.

Only figures and structures' names; no images, no identifiers of patients, no dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..goals import GoalResult
from ..goals.table import count_met, goal_lines
from ..notice import NOTICE
from . import effects_table, places, scoring
from .effects import Effects
from .linear import Region

if TYPE_CHECKING:
    from ..case.model import Case
    from ..planner import Plan

#: Lines of a page, at most: what is longer is cut section by section.
MOST_LINES = 70
#: Goals, objectives and places that are listed, at most.
_GOALS, _OBJECTIVES, _SPOTS = 14, 10, 12
#: Terms of the loss that are written out, at most.
_TERMS = 5
#: The region of the step on the page: what a careful planner changes at once.
STEP = Region(1.0, 1.0)


def write_page(
    case: Case, plan: Plan, effects: Effects, *, unevaluated: Sequence[str] = (), remarks: Sequence[str] = ()
) -> str:
    """Write the page about a plan.

    Args:
        case: The patient.
        plan: What was planned, with its dose.
        effects: Its goals and sensitivities.
        unevaluated: Goals that the case has no structure for, in words.
        remarks: What else is to be known of the plan, in sentences.
    """
    spots = [*places.lines(case, plan.dose), *places.overlaps(case)][:_SPOTS]
    sections = [
        _head(case, plan, remarks),
        _goals(effects.results, unevaluated),
        loss_lines(effects.results),
        _objectives(plan),
        _titled("PULLING APART", effects_table.pulls(effects)),
        _titled("HOT AND COLD", spots),
        _titled("ONE STEP by the sensitivities, within a doubling and 1 Gy", effects_table.step(effects, STEP)),
        _titled("ONE OBJECTIVE MORE, to first order", effects_table.additions(effects)),
        _titled(
            "SENSITIVITIES at this optimum, of goals that are missed or tight; numbers as above",
            effects_table.table(effects),
        ),
    ]
    lines = [line for section in sections for line in section]
    return "\n".join(lines[:MOST_LINES])


def _head(case: Case, plan: Plan, remarks: Sequence[str]) -> list[str]:
    prescribed = ", ".join(f"{t.name} {t.prescription:g} Gy" for t in case.targets if t.prescription)
    beams = f"{len(case.beams)} beams, " if case.beams else ""
    lines = [
        f"PLAN for {case.name}: {prescribed} in {case.fractions} fractions; {case.modality}, {beams}"
        f"{case.dij.beamlets} beamlets; planned and scored on the dose grid, {plan.grid}. Doses are total Gy. {NOTICE}"
    ]
    solved = f"SOLVER {plan.method}, {plan.iterations} iterations: {plan.certificate}"
    if not plan.converged:
        solved += "; it stopped before the gap that was asked for, so read figures and sensitivities with care"
    return [*lines, *remarks, solved]


def _goals(results: Sequence[GoalResult], unevaluated: Sequence[str]) -> list[str]:
    ordered = sorted(results, key=lambda r: (r.met, r.goal.priority))  # what is missed is never cut off
    lines = [f"GOALS, {count_met(results)} (P: priority, 1 counts most; i: implied)"]
    lines += goal_lines(ordered[:_GOALS])
    if len(results) > _GOALS:
        lines.append(
            f"and {len(results) - _GOALS} goals more; so many of them met: {sum(r.met for r in ordered[_GOALS:])}"
        )
    return lines + [f"not evaluated: {text}" for text in unevaluated[:3]]


def loss_lines(results: Sequence[GoalResult]) -> list[str]:
    """Write the loss out: what each missed goal adds to it, and what every word in that means."""
    return scoring.explain(results, _TERMS)


def _objectives(plan: Plan) -> list[str]:
    total = plan.value
    lines = [f"OBJECTIVES, value {total:.5g}: weight, and part of the value"]
    numbered = list(enumerate(plan.parameters.objectives, 1))
    for number, o in sorted(numbered, key=lambda pair: -plan.terms.get(pair[1].label, 0.0))[:_OBJECTIVES]:
        part = 100.0 * plan.terms.get(o.label, 0.0) / total if total > 0 else 0.0
        lines.append(f"[{number}] {o.label}, weight {o.weight:g}: {part:.1f}%")
    if len(numbered) > _OBJECTIVES:
        lines.append(f"and {len(numbered) - _OBJECTIVES} more that contribute less")
    return lines


def _titled(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *lines] if lines else []
