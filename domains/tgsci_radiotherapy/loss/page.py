"""The page about a plan: what its goals, objectives and sensitivities have to say. It is the gradient.

Only figures and structures' names; no images, no identifiers of patients, no dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..goals import GoalResult
from ..goals.table import count_met, goal_lines, written
from ..notice import NOTICE
from . import effects_table, places, scoring, steps
from .ahead import STEP
from .effects import Effects
from .linear import Region

if TYPE_CHECKING:
    from ..case.model import Case
    from ..plan import Objective
    from ..planner import Plan

#: Lines of a page, at most, and characters of a line that lists what has no line of its own.
MOST_LINES, _WIDEST = 70, 200
#: Goals and objectives with a line of their own; lines with further ones; at most.
_GOALS, _GOAL_LINES, _OBJECTIVES, _OBJECTIVE_LINES = 10, 5, 7, 5
#: Terms of the loss that are written out, places, the fewest of these, and the lines kept for the sensitivities.
_TERMS, _SPOTS, _FEWEST, _TABLE = 5, 10, 4, 12


def write_page(
    case: Case,
    plan: Plan,
    effects: Effects,
    *,
    unevaluated: Sequence[str] = (),
    remarks: Sequence[str] = (),
    within: Region = STEP,
) -> str:
    """Write the page about a plan.

    Args:
        case: The patient.
        plan: What was planned, with its dose.
        effects: Its goals and sensitivities.
        unevaluated: Goals that the case has no structure for, in words.
        remarks: What else is to be known of the plan, in sentences.
        within: How far the step on the page goes; no Gy where the protocol tunes weights only.
    """
    order = _by_slack(effects.results)
    goals, shown = _goals(effects.results, order, unevaluated)
    doses = within.grays > 0
    how = f"within a doubling{f' and {within.grays:g} Gy' if doses else '; the protocol tunes weights only'}"
    stepped = steps.one_step(case, effects, within, shown)
    stuck = [f"{text[:1].upper()}{text[1:]}." for text in effects_table.exclusion(effects, within, shown)]
    further = steps.further(effects, shown)
    top = [
        *_head(case, plan, remarks),
        *goals,
        *places.overdosed(case, plan.dose),
        *loss_lines(effects.results),
        *_objectives(plan),
        *_titled(f"ONE STEP by the sensitivities, {how}", [*stepped, *stuck]),
        *_titled("FURTHER EDITS, beyond the slopes: each solved again to 1%", further),
    ]
    # What comes last is cut first, here and where a model has no room for all of it.
    more = [
        *_titled("PULLING APART", effects_table.pulls(effects, shown)),
        *_titled("ONE OBJECTIVE MORE, to first order", effects_table.additions(effects, shown)),
    ]
    spots = [*places.lines(case, plan.dose), *places.overlaps(case)][:_SPOTS]
    room = MOST_LINES - len(top) - len(more)
    spots = _titled("HOT AND COLD", spots[: max(_FEWEST, room - _TABLE - 1)])
    sensitive = _titled(
        "SENSITIVITIES at this optimum, of goals that are missed or tight",
        effects_table.table(effects, shown, room - len(spots) - 1, doses=doses),
    )
    return "\n".join([*top, *sensitive, *more, *spots][:MOST_LINES])


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


def _by_slack(results: Sequence[GoalResult]) -> list[int]:
    """Order goals: those that are missed by priority and how far, then those that are met, the tightest first."""

    def key(i: int) -> tuple[bool, int, float]:
        r = results[i]
        margin = -scoring.UNMEASURED if r.relative_margin != r.relative_margin else r.relative_margin
        return r.met, 0 if r.met else r.goal.priority, margin

    return sorted(range(len(results)), key=key)


def _goals(
    results: Sequence[GoalResult], order: Sequence[int], unevaluated: Sequence[str]
) -> tuple[list[str], set[int]]:
    """Write the goals; gives the lines, and the places of the goals that stand in them."""
    lines = [f"GOALS, {count_met(results)}, by slack (P: priority, 1 counts most; i: implied)"]
    lines += goal_lines([results[i] for i in order[:_GOALS]])
    brief = [f"{results[i].goal.criterion}: {written(results[i].goal, results[i].value)}" for i in order[_GOALS:]]
    dense = _dense("met with more room" if all(results[i].met for i in order[_GOALS:]) else "further", brief)
    kept = dense[:_GOAL_LINES]
    lines += kept
    count = _GOALS + sum(line.count(": ") - (n == 0) for n, line in enumerate(kept))
    shown = set(order[:count])
    if len(shown) < len(results):
        rest = [results[i] for i in order if i not in shown]
        lines.append(f"and {len(rest)} goals more, {sum(r.met for r in rest)} of them met, which nothing below names")
    return lines + [f"not evaluated: {text}" for text in unevaluated[:3]], shown


def loss_lines(results: Sequence[GoalResult]) -> list[str]:
    """Write the loss out: what each missed goal adds to it, and what every word in that means."""
    return scoring.explain(results, _TERMS)


def _objectives(plan: Plan) -> list[str]:
    total = plan.value

    def part(o: Objective) -> float:
        return 100.0 * plan.terms.get(o.label, 0.0) / total if total > 0 else 0.0

    numbered = sorted(enumerate(plan.parameters.objectives, 1), key=lambda pair: -part(pair[1]))
    texts = [f"[{number}] {o.label}, weight {o.weight:g}: {part(o):.1f}%" for number, o in numbered]
    lines = [f"OBJECTIVES, value {total:.5g}: weight, and part of the value", *texts[:_OBJECTIVES]]
    dense = _dense("", texts[_OBJECTIVES:])
    return [*lines, *dense[:_OBJECTIVE_LINES]]


def _dense(title: str, texts: Sequence[str]) -> list[str]:
    """Put several texts on each line."""
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + len(text) + 2 <= _WIDEST:
            lines[-1] += f"; {text}"
        else:
            lines.append(f"{title}: {text}" if title and not lines else text)
    return lines


def _titled(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *lines] if lines else []
