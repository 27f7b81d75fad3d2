"""What moves a goal: the objectives through which the lexicographic proposer steers a plan.

Each goal gets one-sided penalties of its own. Such a penalty holds a goal at its limit as an augmented Lagrangian does
(Nocedal and Wright, Numerical Optimization, 17.3): its dose is moved beyond the limit until the goal is just met, and
with a mean dose so far beyond it the pull is the multiplier of the constraint. What is met with room to spare is let
go again, so that the room goes to other goals.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tgsci.errors import InvalidValue

from ..goals.goal import absolute
from ..plan import Objective, PlanParameters
from ..plan.checks import LEAST_SHARE, check_objective

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..case.model import Case
    from ..goals import BoundSheet, Goal, GoalResult

#: Weights of what is added: of what asks for dose, of what limits it, and of means.
ASKING, LIMITING, MEAN = 300.0, 100.0, 10.0
#: The share of its weight with which an objective that is added to the start begins.
_LITTLE = 0.2
#: An overdose penalty of the start serves a goal where its dose is at least this share of the goal's.
_NEAR_LIMIT = 0.6
#: A penalty counts by its mean over a structure. One about a hot spot, or about little of a large structure, counts as
#: if the structure had so many voxels.
_FEW = 1500
#: How far to aim beyond a limit, as a share of the prescription.
AIM = 0.0015
#: Farthest that a penalty's dose goes beyond the limit that it serves before its weight grows instead: in targets as a
#: share of the prescription, in organs of the limit.
_IN_TARGET, _IN_ORGAN = 0.06, 0.3
#: What is given back of room that a goal does not need, a step.
_GIVEN_BACK = 0.5
#: The factor of a weight whose dose is at its end; the range of weights.
_HEAVIER, _WEIGHTS = 2.0, (0.05, 1e6)
#: Gy that a goal moves per Gy of its penalty's dose, and per e-fold of its mean's weight: least, at first, most.
_BY_DOSE, _BY_WEIGHT = (0.3, 0.7, 1.5), (2.0, 3.0, 10.0)
#: Largest steps of the logarithm of a weight, up and down.
_UP, _DOWN = 0.5, 0.35


@dataclass(frozen=True)
class Lever:
    """An objective that serves goals.

    Args:
        objective: As it is at the start: its dose is the limit.
        goals: Places of the goals that it serves; none where it only keeps low what no goal asks about.
        priority: The highest of its goals; a number below all where there are none.
        added: False of an objective of the start.
    """

    objective: Objective
    goals: tuple[int, ...]
    priority: int
    added: bool = False

    @property
    def sign(self) -> float:
        """+1 where a higher dose of the objective serves the goals, -1 where a lower one does."""
        return 1.0 if self.objective.lifts else -1.0


#: The priority of what serves no goal.
NO_GOAL = 99


def levers_of(case: Case, bound: BoundSheet, start: PlanParameters) -> list[Lever]:
    """Make the objectives for the goals of a case: those of the start, and one for each goal that none of them serves.

    Args:
        case: The case.
        bound: Its goals.
        start: What a run starts from.
    """
    wanted: list[tuple[Objective, int | None]] = []
    served: set[int] = set()
    for objective in start.objectives:
        if objective.weight <= 0 or not objective.kind.convex:
            continue
        own = [place for place, goal in enumerate(bound.goals) if _serves(objective, goal)]
        wanted += [(objective, place) for place in own] or [(objective, None)]
        served |= set(own)
    outline = next((s.name for s in case.outlines), None)
    for place, goal in enumerate(bound.goals):
        if place not in served:
            prescription = bound.prescriptions[goal.structure]
            known = absolute(goal, prescription) or goal
            wanted += [(o, place) for o in _for_goal(known, case, prescription, outline)]
    made: list[Lever] = []
    for objective, places in _merged(wanted):
        priority = min((bound.goals[i].priority for i in places), default=NO_GOAL)
        try:
            check_objective(objective, case)
        except InvalidValue:
            continue
        made.append(Lever(objective, places, priority, added=objective not in start.objectives))
    return made


def _serves(objective: Objective, goal: Goal) -> bool:
    """Tell whether an objective of the start is one that a goal can be steered by."""
    if objective.structure != goal.structure:
        return False
    asks = (goal.comparison == ">=") != goal.metric.kind.startswith("C") and goal.metric.kind != "CI"
    if objective.type == "squared_underdose":
        return asks and goal.metric.kind not in ("HI", "gEUD", "Dmean")
    if objective.type == "mean":
        return goal.metric.kind == "Dmean" and not asks
    if objective.type == "eud":
        return goal.metric.kind in ("Dmean", "gEUD") and not asks and (objective.exponent or 0.0) >= 1.0
    above = goal.limit if goal.metric.unit == "Gy" else goal.metric.amount
    near = (objective.dose_gy or 0.0) >= _NEAR_LIMIT * above
    return (
        objective.type == "squared_overdose" and not asks and goal.metric.kind not in ("Dmean", "gEUD", "CI") and near
    )


def _merged(wanted: Iterable[tuple[Objective, int | None]]) -> list[tuple[Objective, tuple[int, ...]]]:
    """Put together what is asked for twice: one objective serves both goals."""
    found: dict[str, tuple[Objective, tuple[int, ...]]] = {}
    for objective, place in wanted:
        places = () if place is None else (place,)
        first, before = found.get(objective.label, (objective, ()))
        found[objective.label] = first, (*before, *places)
    return list(found.values())


def _for_goal(goal: Goal, case: Case, prescription: float, outline: str | None) -> Iterator[Objective]:
    name, metric, upper = goal.structure, goal.metric, goal.comparison == "<="
    target = _is_target(case, name)
    if metric.kind == "HI":
        yield Objective(name, "squared_overdose", (1.0 + 0.6 * goal.limit) * prescription, LIMITING)
    elif metric.kind == "CI":
        if outline is not None:
            yield Objective(outline, "squared_overdose", 0.97 * prescription, _few(case, outline, LIMITING / 4))
    elif upper == metric.kind.startswith("C"):  # at least
        if target:
            dose = goal.limit if metric.unit == "Gy" else metric.amount
            yield Objective(name, "squared_underdose", dose, ASKING)
    elif metric.kind == "Dmean" and not target:
        yield Objective(name, "mean", None, MEAN)
    elif metric.kind == "gEUD" and metric.amount >= 1.0:
        yield Objective(name, "eud", goal.limit, MEAN / 4, exponent=metric.amount)
    else:
        dose = goal.limit if metric.unit == "Gy" else metric.amount
        small = metric.kind in ("Dcc", "Dmax") or (metric.kind == "D%" and metric.amount <= 5)
        yield Objective(name, "squared_overdose", dose, _few(case, name, LIMITING) if small else LIMITING)


def _is_target(case: Case, name: str) -> bool:
    """Tell whether a structure is a target of the case; a part of one is not."""
    return any(s.name == name for s in case.targets)


def _few(case: Case, name: str, weight: float) -> float:
    """Make a weight larger where the few voxels that it is about are few of many."""
    return weight * max(1.0, len(case.rows(name)) / _FEW)


def missed_by(result: GoalResult, prescription: float, limit: float | None = None) -> float:
    """Measure by how much a goal is missed, in Gy or what counts as one; below 0 where there is room.

    Args:
        result: The goal and its value.
        prescription: That of its structure, total Gy.
        limit: In place of the goal's own.
    """
    goal = result.goal if limit is None else replace(result.goal, limit=limit)
    margin = goal.margin(result.value)
    if margin != margin:
        return 0.1 * prescription
    return -margin if goal.unit == "Gy" else -margin / result.scale * 0.3 * prescription


@dataclass(frozen=True)
class Setting:
    """Where the levers stand.

    Args:
        doses: Of each lever's objective, Gy; 0 where it has none.
        weights: Of each.
    """

    doses: tuple[float, ...]
    weights: tuple[float, ...]

    @classmethod
    def start(cls, levers: Sequence[Lever]) -> Setting:
        """Begin as the start has it, with little on what is added."""
        weights = (lever.objective.weight * (_LITTLE if lever.added else 1.0) for lever in levers)
        return cls(tuple(lever.objective.dose_gy or 0.0 for lever in levers), tuple(weights))

    def turned(
        self, levers: Sequence[Lever], missed: Sequence[float], last: tuple[Setting, Sequence[float]] | None, case: Case
    ) -> Setting:
        """Turn each lever towards what its goals still miss.

        Args:
            levers: The levers.
            missed: Of each, by how much its goals miss where they aim, Gy; below 0 it has room, nan: it stays.
            last: The setting before, and what was missed there: how goals answer.
            case: Of the plan.
        """
        doses, weights = list(self.doses), list(self.weights)
        for i, (lever, off) in enumerate(zip(levers, missed, strict=True)):
            if math.isnan(off):
                continue
            wanted = off if off > 0 else _GIVEN_BACK * off
            before = None if last is None or math.isnan(last[1][i]) else last[1][i] - off
            if lever.objective.dose_gy is None:
                turned = math.log(weights[i]) - (math.log(last[0].weights[i]) if last else 0.0)
                step = wanted / _response(before, turned, _BY_WEIGHT)
                weights[i] *= math.exp(min(max(step, -_DOWN), _UP))
            else:
                limit = lever.objective.dose_gy
                shift = lever.sign * (doses[i] - limit)
                moved = lever.sign * (doses[i] - last[0].doses[i]) if last else 0.0
                on = max(shift + wanted / _response(before, moved, _BY_DOSE), 0.0)
                in_target = _is_target(case, lever.objective.structure)
                most = _IN_TARGET * case.prescription if in_target else _IN_ORGAN * limit
                if on > most:
                    weights[i] *= _HEAVIER
                    on = max(min(shift, most), most / 2)
                doses[i] = limit + lever.sign * on
            weights[i] = min(max(weights[i], _WEIGHTS[0]), _WEIGHTS[1])
        return Setting(tuple(doses), tuple(weights))

    def parameters(self, levers: Sequence[Lever], case: Case, volumes: Mapping[int, float]) -> PlanParameters:
        """Write the plan parameters.

        Args:
            levers: The levers.
            case: Of the plan.
            volumes: Of levers that become DVH objectives: volume_percent by place.
        """
        objectives: dict[str, Objective] = {}
        least = LEAST_SHARE * case.prescription
        for i, (lever, dose, weight) in enumerate(zip(levers, self.doses, self.weights, strict=True)):
            o = replace(lever.objective, weight=float(f"{weight:.4g}"))
            if o.dose_gy is not None:
                o = replace(o, dose_gy=dose if o.lifts or dose >= 1.01 * least else 0.0)
            if i in volumes:
                kind = "min_dvh" if o.lifts else "max_dvh"
                o = Objective(o.structure, kind, o.dose_gy, o.weight, volume_percent=volumes[i])
            first = objectives.get(o.label)
            objectives[o.label] = o if first is None else replace(o, weight=o.weight + first.weight)
        return PlanParameters(tuple(objectives.values())).checked(case)


def _response(gained: float | None, moved: float, known: tuple[float, float, float]) -> float:
    """Estimate what a goal gains a unit of its lever, from what the last step gained."""
    least, usual, most = known
    if gained is None or abs(moved) < 1e-3:
        return usual
    return min(max(gained / moved, least), most)
