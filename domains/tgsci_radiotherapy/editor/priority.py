"""The lexicographic proposer: goals by priority as constraints, one level after the other.

At each level the goals above are held, those of the level are met one by one, the nearest first, and what is met is
held from then on; what cannot be met is brought as near as the goals that are held let it. Last, with all that is met
held, the organs get as little as can be. It is the epsilon-constraint method as it is used for planning: Jee, McShan
and Fraass, Phys. Med. Biol. 52:1845 (2007); Breedveld et al., Med. Phys. 39:951 (2012), "iCycle"; Zarepisheh et al.,
Med. Phys. 46:2944 (2019), "ECHO". Constraints are held by penalties whose doses and weights are turned until a goal is
just met (`levers`); each turn solves the plan again, from the one before, and each level is then one trial.

The levels are a function of the case and its goals alone, whatever was measured: `ask` gives the next one that is not
among the trials yet, so that a resumed run is the same run.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tgsci.errors import InvalidValue
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials

from ..case.regions import TARGETS
from ..goals import evaluate
from ..goals.goal import with_unit
from ..loss.possibility import Possibility
from ..loss.scoring import relative_shortfall, room
from ..plan import PlanText
from ..planner.recent import planner_of
from .levers import AIM, Lever, Setting, levers_of, missed_by

if TYPE_CHECKING:
    from ..goals import GoalResult
    from ..loss import PlanLoss
    from ..plan import PlanParameters
    from ..planner import Plan

#: Rounds that the goals of a level, one goal, and what is as low as can be, are given.
LEVEL_ROUNDS, GOAL_ROUNDS, LAST_ROUNDS = 6, 8, 6
#: Rounds of a level, at most, and with DVH objectives, which take longer to solve.
MOST_ROUNDS, VOLUME_ROUNDS = 20, 6
#: Rounds without a better one after which a goal is let be.
PATIENCE = 4
#: Rounds that what is wanted waits for what is held, before it goes back.
_WAIT = 2
#: How much less what nobody above asks about counts where a goal is not met else.
_LESS = 0.2
#: The relative margin from which on a goal stays met when the plan is solved again, from elsewhere.
_SURE = 4e-4
#: How much a goal that is missed may give way later, as a share of its scale.
_EPSILON = 0.004
#: By how much the weights of what should be low grow a round of the last level.
_LOWER = 1.6
#: Goals of a percentage that spare at least this much of a structure, %, may let these voxels off.
_SPARED = 2.0
#: By how much DVH objectives are heavier than the penalties whose place they take.
_HEAVY = 10.0


@dataclass(frozen=True)
class Level:
    """A plan of the sequence.

    Args:
        name: "priority 1", "as low as can be".
        parameters: The plan's.
        reason: What was held and what was reached, in words.
    """

    name: str
    parameters: PlanParameters
    reason: str


@dataclass(frozen=True)
class Round:
    """Where the levers stood, and what came of it.

    Args:
        setting: The levers.
        plan: The best one for it.
        results: The goals.
    """

    setting: Setting
    plan: Plan
    results: tuple[GoalResult, ...]

    def met(self, places: Sequence[int]) -> bool:
        """Tell whether all of these goals are met, by more than two solves differ."""
        return all(self.results[i].relative_margin >= _SURE for i in places)

    def short(self, places: Sequence[int]) -> tuple[int, float]:
        """Count those of the goals that are missed, and sum up by how much."""
        missed = [relative_shortfall(self.results[i]) for i in places if not self.results[i].met]
        return len(missed), round(sum(missed), 5)


class PriorityPlans(Proposer):
    """Proposes a plan for each level of priority, goals above it held.

    Args:
        loss: Of the run: its case and goals.
    """

    name = "priority"
    description = (
        "Proposals are lexicographic: the goals of each priority in turn, with those above held, and last the organs "
        "as low as can be. No model is asked and nothing leaves this machine."
    )

    def __init__(self, loss: PlanLoss) -> None:
        super().__init__()
        self.loss = loss
        self._levels: list[Level] = []
        self._more: Iterator[Level] | None = None

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Give the plans of the next levels, up to `n`, that were not measured yet."""
        proposals: list[Proposal] = []
        place = 0
        while len(proposals) < n and (level := self._level(place)) is not None:
            place += 1
            try:
                value = trials.check(PlanText(level.parameters))
            except InvalidValue:  # measured already, or the same as the level before
                continue
            best = trials.best
            proposals.append(Proposal(value, level.reason, best.number if best else None, level.name))
        return proposals

    def _level(self, place: int) -> Level | None:
        """Give a level of the sequence, which is made as far as it is needed; None behind its end."""
        if self._more is None:
            self._more = Steering(self.loss).levels()
        while len(self._levels) <= place:
            level = next(self._more, None)
            if level is None:
                return None
            self._levels.append(level)
        return self._levels[place]


class Steering:
    """Turns the levers of a case until its goals are met, level by level.

    Args:
        loss: Case, goals and protocol.
        certified: Whether to look for proofs of how near what is missed could come; each takes some seconds.
    """

    def __init__(self, loss: PlanLoss, *, certified: bool = True) -> None:
        self._certified = certified
        self._case, self._bound = loss.case, loss.bound
        self._planner = planner_of(loss.case)
        self._levers: list[Lever] = levers_of(loss.case, loss.bound, loss.start)
        self._volumes: dict[int, float] = {}
        self._left = MOST_ROUNDS
        self._limits: dict[int, float] = {}

    def levels(self) -> Iterator[Level]:
        """Make the plans, one after the other."""
        goals = self._bound.goals
        held: list[int] = []
        now = self._round(Setting.start(self._levers), None)
        for priority in sorted({goal.priority for goal in goals}):
            level = [i for i, goal in enumerate(goals) if goal.priority == priority]
            above = list(held)
            now, lost = self._meet(now, above, level)
            yield self._tell(f"priority {priority}", now, level, above)
            volumes = {} if self._volumes else self._spared(priority)
            # Volumes let off take long to solve, and serve the goals that let some off.
            served = {i for place in volumes for i in self._levers[place].goals if not goals[i].implied}
            if served & set(lost):
                self._volumes = volumes
                self._left = VOLUME_ROUNDS
                there = self._steer(self._let_off(now, priority), above, level, VOLUME_ROUNDS)
                still = [i for i in level if not there.results[i].met]
                if there.met(above) and there.short(level) < now.short(level):
                    now, lost = there, still
                    yield self._tell(f"priority {priority}, volumes let off", now, level, above)
                else:
                    self._volumes = {}
            for i in lost:
                result = now.results[i]
                if not math.isnan(result.value):  # held where it came to: the epsilon constraint
                    self._limits[i] = result.value - result.goal.sign * _EPSILON * result.scale
            held += [i for i in level if i not in lost or i in self._limits]
            now = replace(now, results=self._as_held(now.results))
        now = self._lower(now, held)
        yield self._tell("as low as can be", now, range(len(goals)), held)

    def _let_off(self, now: Round, priority: int) -> Round:
        """Begin with DVH objectives: at the limits, not beyond, and heavy beside what comes later."""
        doses, weights = list(now.setting.doses), list(now.setting.weights)
        for i in self._volumes:
            lever = self._levers[i]
            doses[i] = (lever.objective.dose_gy or 0.0) + lever.sign * AIM * self._case.prescription
            weights[i] *= _HEAVY
        for i, lever in enumerate(self._levers):
            if lever.priority > priority and lever.objective.dose_gy is not None:
                weights[i] *= _LESS
        setting = Setting(tuple(doses), tuple(weights))
        return self._round(setting, now.plan)

    # -- one level ---------------------------------------------------------------------------------------

    def _meet(self, now: Round, held: list[int], level: list[int]) -> tuple[Round, list[int]]:
        """Meet the goals of a level with those above held; gives where that ended and the goals that are not met."""
        # All at once first: where that works it is the quickest.
        self._left = MOST_ROUNDS
        now = self._steer(now, held, level, LEVEL_ROUNDS)
        reached = [i for i in level if now.results[i].met]
        lost: list[int] = []
        while rest := [i for i in level if i not in reached and i not in lost]:
            nearest = min(rest, key=lambda i: relative_shortfall(now.results[i]))
            now = self._steer(now, [*held, *reached], [nearest], GOAL_ROUNDS)
            if not now.results[nearest].met:
                now = self._steer(self._without(now, nearest), [*held, *reached], [nearest], GOAL_ROUNDS, now)
            (reached if now.results[nearest].met else lost).append(nearest)
        lost = [i for i in level if not now.results[i].met]
        return now, lost

    def _without(self, now: Round, goal: int) -> Round:
        """Let what is less important than a goal, or asked by nobody, count less."""
        priority = self._bound.goals[goal].priority
        weights = [
            weight * (_LESS if lever.priority > priority and lever.objective.dose_gy is not None else 1.0)
            for lever, weight in zip(self._levers, now.setting.weights, strict=True)
        ]
        return self._round(replace(now.setting, weights=tuple(weights)), now.plan)

    def _steer(
        self, start: Round, held: Sequence[int], wanted: Sequence[int], rounds: int, best: Round | None = None
    ) -> Round:
        """Turn the levers of some goals up as far as those that are held allow; gives the best round.

        Args:
            start: Where to begin.
            held: Places of the goals that are not to be lost.
            wanted: Of those to meet.
            rounds: Most rounds.
            best: What has to be better to be given; where it begins if None.
        """
        now, best = start, best or start
        last: tuple[Setting, list[float]] | None = None
        patience, waited = PATIENCE, 0
        for _ in range(rounds):
            if not patience or not self._left or (now.met(held) and now.met(wanted)):
                break
            self._left -= 1
            waited = 0 if now.met(held) else waited + 1
            # What is held comes first: what is wanted waits for it, and goes halfway back where that does not help.
            missed = self._missed(now, [*held, *wanted] if not waited else held)
            setting = now.setting.turned(self._levers, missed, last, self._case)
            if waited > _WAIT:
                setting, waited = self._back(setting, best.setting, wanted, held), 0
            last = now.setting, missed
            now = self._round(setting, now.plan)
            patience -= 1
            if self._rank(now, held, wanted) < self._rank(best, held, wanted):
                best, patience = now, PATIENCE
        return best

    def _lower(self, now: Round, held: Sequence[int]) -> Round:
        """Let the weights of what should be low grow for as long as all that is met is held and goals gain room."""
        best = now
        factor = _LOWER
        targets = {s.name for s in self._case.structures if s.type == "target"} | {TARGETS}
        resting = [
            i
            for i, lever in enumerate(self._levers)
            if not lever.objective.lifts and lever.objective.structure not in targets
        ]
        for _ in range(LAST_ROUNDS):
            doses, weights = list(best.setting.doses), list(best.setting.weights)
            for i in resting:
                weights[i] *= factor
                doses[i] /= math.sqrt(math.sqrt(factor))
            now = self._round(Setting(tuple(doses), tuple(weights)), best.plan)
            for _ in range(2):
                if now.met(held):
                    break
                missed = [m if m > 0 else math.nan for m in self._missed(now, held)]
                now = self._round(now.setting.turned(self._levers, missed, None, self._case), now.plan)
            if now.met(held) and room(now.results) > room(best.results):
                best = now
            else:
                factor = math.sqrt(factor)
        return best

    def _round(self, setting: Setting, start: Plan | None) -> Round:
        parameters = setting.parameters(self._levers, self._case, self._volumes)
        plan = self._planner.solve(parameters, start=start)
        table = evaluate(self._bound, self._case, plan.dose)
        return Round(setting, plan, self._as_held(table.results[: len(self._bound.goals)]))

    def _as_held(self, results: tuple[GoalResult, ...]) -> tuple[GoalResult, ...]:
        """Put the limits at which missed goals are held in place of their own."""
        limits = self._limits
        return tuple(
            replace(r, goal=replace(r.goal, limit=limits[i])) if i in limits else r for i, r in enumerate(results)
        )

    def _missed(self, now: Round, places: Sequence[int]) -> list[float]:
        """Say of each lever by how much the goals that it serves miss where they aim; nan where it serves none."""
        wanted = set(places)
        missed = []
        for lever in self._levers:
            own = [i for i in lever.goals if i in wanted]
            prescriptions = [self._bound.prescriptions[self._bound.goals[i].structure] for i in own]
            off = [missed_by(now.results[i], p) + AIM * p for i, p in zip(own, prescriptions, strict=True)]
            missed.append(max(off, default=math.nan))
        return missed

    def _back(self, setting: Setting, good: Setting, wanted: Sequence[int], held: Sequence[int]) -> Setting:
        doses, weights = list(setting.doses), list(setting.weights)
        for i, lever in enumerate(self._levers):
            if set(lever.goals) & set(wanted) and not set(lever.goals) & set(held):
                doses[i] = (doses[i] + good.doses[i]) / 2
                weights[i] = math.sqrt(weights[i] * good.weights[i])
        return Setting(tuple(doses), tuple(weights))

    def _rank(self, now: Round, held: Sequence[int], wanted: Sequence[int]) -> tuple[tuple[int, float], ...]:
        others = [i for i in range(len(now.results)) if i not in held and i not in wanted]
        return now.short(held), now.short(wanted), now.short(others)

    def _spared(self, priority: int) -> dict[int, float]:
        """Choose the levers whose goals let a part of the structure off, %, as a DVH objective has it.

        Args:
            priority: Of goals down to this one.
        """
        volumes = {}
        for i, lever in enumerate(self._levers):
            if lever.priority > priority:
                continue
            goals = [goal for k in lever.goals if (goal := self._bound.goals[k]).priority <= priority]
            shares = [g.metric.amount for g in goals if g.metric.kind == "D%"]
            if len(shares) != len(goals) or len(set(shares)) != 1 or not lever.objective.type.startswith("squared"):
                continue
            spared = 100.0 - shares[0] if lever.objective.lifts else shares[0]
            if spared >= _SPARED:
                volumes[i] = shares[0]
        return volumes

    # -- in words ----------------------------------------------------------------------------------------

    def _tell(self, name: str, now: Round, level: Sequence[int], held: Sequence[int]) -> Level:
        results = {i: replace(now.results[i], goal=self._bound.goals[i]) for i in level}
        met = sum(r.met for r in results.values())
        missed = [i for i, r in results.items() if not r.met]
        last = not name.startswith("priority")
        above = f"{len(held)} goal{'' if len(held) == 1 else 's'} held, " if held else ""
        words = [f"{above}{met} of {len(results)} goals {'' if last else 'of this level '}reached"]
        if missed:
            near = [f"{results[i].goal.criterion} ({results[i].value_text})" for i in missed]
            words.append(f"as near as what is held allows: {', '.join(near[:4])}")
        if not last:
            words.append(self._certificate(now, missed, held) if missed else "no plan is better at this level")
        parameters = now.setting.parameters(self._levers, self._case, self._volumes)
        return Level(name, parameters, f"Lexicographic, {name}: {'; '.join(words)}.")

    def _certificate(self, now: Round, missed: Sequence[int], held: Sequence[int]) -> str:
        """Say what is proven of the goal that is missed by least: how near no plan comes that meets what is held."""
        goals = self._bound.goals
        place = min(missed, key=lambda i: relative_shortfall(now.results[i]))
        goal, value = goals[place], now.results[place].value
        if not self._certified or math.isnan(value):
            return "not certified"
        possibility = Possibility(self._planner, self._bound.prescriptions)
        least = possibility.bound(goal, [now.results[i].goal for i in held], value)
        if least is None:
            return f"whether {goal.name} can be met beside them is not decided: the relaxation of these goals allows it"
        limit = with_unit(least, goal.unit, 4)
        reached = "above" if goal.comparison == ">=" else "below"
        return f"certified: in no plan that meets what is held {goal.name} is {reached} {limit}"
