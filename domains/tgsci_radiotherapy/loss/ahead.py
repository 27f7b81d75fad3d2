"""What a plan's edits really do, where its slopes are too short: each is solved again, from the plan, loosely.

A slope is good for about a doubling. Further off beamlets come in and drop out, and an edit of another kind has no
slope at all. A warm solve to 1% of the objective costs a fraction of a plan and says what comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import MeasurementError

from ..goals import GoalResult, evaluate
from ..goals.table import valued
from .edits import Edit, edited, highest_dose, left_out, relaxed, stepped, structural
from .effects import Effects, Try
from .linear import Region, best_step
from .protocol import Protocol, Scale

if TYPE_CHECKING:
    from ..case.model import Case
    from ..goals import BoundSheet
    from ..plan import PlanParameters
    from ..planner import Plan, Planner
    from ..planner.plan import State

#: Edits of a plan that are solved, at most.
TRIES = 4
#: The kind of the step along the slopes, within their reach: the page shows what was predicted of it beside what came.
ONE_STEP = "one step"
#: How far that goes: what a careful planner changes at once.
STEP = Region(1.0, 1.0)
#: Gap that they are solved to, and the most steps of the solver: an edit that takes longer is left where it is then.
GAP, STEPS = 1e-2, 10
#: Steps where an objective is not convex: each majorant takes a few.
MAJORANT_STEPS = 20
#: How far the steps along the slopes go: doublings, and a share of the highest dose that is asked for.
_FAR, _SHARE = 3.0, 0.05
#: What part of a further step's change may fail to come.
_RISK = 0.3
#: The same where all goals are met: less is left to gain, and more to lose.
_ROOM, _ROOM_SHARE = 2.0, 0.03
#: The same for a protocol that tunes weights only, each in turn.
_WEIGHTS = (3.0, 6.0, 10.0)


def look_ahead(
    case: Case, bound: BoundSheet, how: Protocol, planner: Planner, plan: Plan, effects: Effects
) -> tuple[Try, ...]:
    """Solve what promises most beyond the reach of a plan's slopes.

    Args:
        case: The patient.
        bound: The goals.
        how: The protocol.
        planner: Of the case.
        plan: As it was solved.
        effects: Its goals and sensitivities.
    """
    tries: list[Try] = []
    known = {plan.parameters}
    for edit in _edits(case, how, effects):
        if len(tries) == TRIES:
            break
        if edit.parameters in known:
            continue
        known.add(edit.parameters)
        results = _solved(case, bound, how, planner, plan, edit.parameters)
        if results is not None:
            tries.append(Try(edit.kind, edit.parameters, np.array([r.value for r in results])))
    return tuple(tries)


def _edits(case: Case, how: Protocol, effects: Effects) -> Iterator[Edit]:
    """Yield the edits to solve, the most promising first."""
    yield from _step(effects, reach(how), ONE_STEP, case)
    grays = highest_dose(effects.parameters)
    met = all(r.met for r in effects.results)
    if how.weights_only:
        for doublings in _WEIGHTS:
            yield from _step(effects, Region(doublings, 0.0), f"weights within {doublings:g} doublings", case)
        return
    far, share = (_ROOM, _ROOM_SHARE) if met else (_FAR, _SHARE)
    yield from _step(effects, Region(far / 2, share * grays / 2, 1.0), "objectives more", case)
    yield from structural(case, effects.results, effects.parameters)
    yield from _step(effects, Region(far, share * grays), f"weights and doses within {far:g} doublings", case)
    yield from left_out(case, effects)
    yield from relaxed(case, effects.results, effects.parameters)
    yield from _step(effects, Region(2 * far, 2 * share * grays, 2.0), f"weights within {2 * far:g} doublings", case)


def reach(how: Protocol) -> Region:
    """Say how far one step along the slopes goes: no dose is changed where the protocol tunes weights only."""
    return Region(STEP.doublings, 0.0) if how.weights_only else STEP


def _step(effects: Effects, region: Region, kind: str, case: Case) -> Iterator[Edit]:
    step = best_step(effects, region, risk=0.0 if kind == ONE_STEP else _RISK)
    made = stepped(effects, step.doublings, step.grays, step.additions)
    yield from edited(case, kind, effects.parameters, made)


def _solved(
    case: Case, bound: BoundSheet, how: Protocol, planner: Planner, plan: Plan, parameters: PlanParameters
) -> Sequence[GoalResult] | None:
    steps = STEPS if all(o.kind.convex for o in parameters.objectives) else MAJORANT_STEPS

    def enough(state: State) -> bool:
        return state.iterations >= steps

    try:
        solved = planner.solve(parameters, start=plan, gap=GAP, callback=enough)
        if how.scaled:
            solved = Scale.of(case, solved).scaled(solved)
    except MeasurementError:
        return None
    return evaluate(bound, case, solved.dose).results[: len(bound.goals)]


def after(effects: Effects, tried: Try) -> list[GoalResult]:
    """Give the plan's goals the values that a try found."""
    return valued(effects.results, tried.values)
