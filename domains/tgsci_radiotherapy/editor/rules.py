"""The rule editor: weights, doses and kinds of objectives, from margins and sensitivities. No model is asked.

It is the proposer where no model is configured, and the baseline that every model has to beat. Each round it

1. chooses the plans that are worth editing: the best, the best of each other set of objectives, and the near miss;
2. reads from the trials how well predictions from each held, and so how far a step from it may go;
3. solves for the weights and doses that lead to the lowest loss by the sensitivities of all plans measured so far, and
   puts beside them what was solved again with each plan (`loss.ahead`): further steps, edits of kind;
4. where no plan promises anything more, makes one of a kind that was not made yet, though it is a little worse so far;
5. where nothing helps, lets go of one missed goal after the other, so that the record shows which goals exclude
   which; then it has nothing left to propose, and the run ends.

A run does not end where all goals are met: the loss then measures the room of organs and conformity, and steps go on to
buy it as long as that pays.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import InvalidValue
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials

from ..loss import scoring
from ..loss.edits import allowed_dose, highest_dose
from ..loss.linear import Region, prices
from ..plan import PlanText
from .moves import RISK, Move, add_objective, careful_loss, predicted_results, tried, tune
from .surrogate import Point, Surrogate, points, slots_of

if TYPE_CHECKING:
    from tgsci.search.menu import Option

#: The first step's region: doublings of a weight, and a share of the highest target dose.
DOUBLINGS, DOSE_SHARE = 1.0, 0.02
#: Where a prediction came true the next step may go at least so far, in units of the first: a small step that was
#: enough says nothing of what a larger one would have done.
AFTER_SUCCESS = 0.5
#: A prediction that came true by this share lets the next step go further, or not so far.
GOOD, POOR = 0.6, 0.2
#: Smallest and largest region, in units of the first.
LEAST, MOST = 1 / 8, 4.0
#: A tuned plan that is predicted to take away less than this share of the loss is no progress.
PROGRESS = 0.1
#: A tuned plan that is predicted to take away less than this share of the loss is not worth a plan.
NOT_WORTH_A_PLAN = 0.003
#: The same where all is met, as a part of all room: 0.2 Gy of the mean of one organ in twenty goals.
LEAST_ROOM = 0.0005
#: Plans that are edited further, at most.
BASES = 4
#: A plan of another kind is tried where its loss is above the best by no more than this, or this share.
OTHER_KIND = 1.0
#: Of a probe: how much more its goal counts, the relative margin that it aims at, and how its edit's name begins.
_PROBE, _PROBE_AIM, PROBE = 30.0, 0.01, "to see"
#: A goal that is missed by less than this share of its scale is not probed.
WORTH_A_PROBE = 0.005
#: Probes of each missed goal, at most.
PROBES = 2


class RuleEditor(Proposer):
    """Proposes weights, doses and objectives by rules.

    Args:
        doublings: How far the first step may change a weight, doublings.
        dose_share: How far it may change a dose, as a share of the highest target dose.
        structural: Whether it may add objectives and change doses; False for a protocol that tunes weights only.
    """

    name = "rules"
    description = (
        "Proposals come from the rule editor: weights and doses from the goals' margins and sensitivities. "
        "No model is asked and nothing leaves this machine."
    )

    def __init__(
        self, *, doublings: float = DOUBLINGS, dose_share: float = DOSE_SHARE, structural: bool = True
    ) -> None:
        super().__init__()
        self.doublings, self.dose_share, self.structural = doublings, dose_share, structural

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Propose up to `n` new plans; see the module's first lines for how."""
        return [
            Proposal(value, move.reason(), move.base.trial.number, move.edit)
            for value, move in self._new(self._moves(trials), trials, n).items()
        ]

    def _new(self, moves: Iterator[Move], trials: Trials, n: int) -> dict[str, Move]:
        """Choose the first `n` moves that were not measured before; gives them by their value."""
        chosen: dict[str, Move] = {}
        for move in moves:
            if len(chosen) >= n:
                break
            try:
                chosen.setdefault(trials.check(PlanText(move.parameters)), move)
            except InvalidValue:
                continue
        return chosen

    def _moves(self, trials: Trials) -> Iterator[Move]:
        """Make edits, the most promising first: of the best plan, and of those that it may be worth going back to."""
        measured = points(trials)
        if not measured:
            return
        best = measured[0]
        loss = scoring.loss(best.effects.results)
        worth = loss - (NOT_WORTH_A_PLAN * max(loss, 1.0) if loss > 0 else LEAST_ROOM)
        promising: list[tuple[float, Move]] = []
        spare: list[Move] = []
        for base in bases(measured):
            made = self._edits(measured, base)
            promising += [(expected(move), move) for move in made]
            if self.structural:
                added = add_objective(base, self._first(base)) if base is best and loss > 0 else []
                spare += sorted((move for move in added if expected(move) < worth), key=expected)
        promising.sort(key=lambda pair: pair[0])
        if promising and loss - promising[0][0] < PROGRESS * loss:
            yield from spare[:1]
        yield from [move for told, move in promising if told < worth or move.met > _met(best)]
        yield from spare
        if loss > 0:
            yield from self._other_kinds(trials, measured)
            surrogate, fixed = self._surrogate(measured, best), self._fixed(best)
            yield from self._probes(trials, measured, surrogate, self._first(best), fixed)

    def _edits(self, measured: Sequence[Point], base: Point) -> list[Move]:
        """Tune a plan within what is trusted, half and twice of it, and add what was solved beside it."""
        first, fixed = self._first(base), self._fixed(base)
        factor = trust(measured, base, first)
        surrogate = self._surrogate(measured, base)
        # The shortest first: of steps that all meet the goals it is the surest.
        scales = [factor / 2.0, factor, min(MOST, 2.0 * factor)] if factor >= LEAST else []
        tuned = [tune(base, surrogate, first.scaled(scale), fixed=fixed) for scale in scales]
        if base is measured[0] and scales:  # what is missed may be out of reach: then it is the room that is left
            tuned.append(tune(base, surrogate, first.scaled(factor), fixed=fixed, room=True))
        return [*(move for move in tuned if move), *tried(base)]

    def _other_kinds(self, trials: Trials, measured: Sequence[Point]) -> Iterator[Move]:
        """Leave a line that does not pay: make a plan of a kind that was not made yet, though it is worse so far."""
        best = measured[0]
        loss = scoring.loss(best.effects.results)
        made = {trial.edit.partition(":")[0] for trial in trials}
        moves = [m for base in bases(measured) for m in tried(base) if set(slots_of(m.parameters)) != set(base.slots)]
        for move in sorted(moves, key=lambda move: move.loss):
            if move.wanted not in made and move.loss < loss + max(OTHER_KIND, OTHER_KIND * loss):
                made.add(move.wanted)
                yield move

    def _first(self, base: Point) -> Region:
        """Give the region of a first step from a plan."""
        return Region(self.doublings, self.dose_share * highest_dose(base.parameters))

    def _fixed(self, base: Point) -> list[bool] | None:
        """Give the coordinates that stay: the doses, where a protocol tunes weights only."""
        return None if self.structural else [False] * len(base.slots) + [True] * len(base.slots)

    def _surrogate(self, measured: Sequence[Point], base: Point) -> Surrogate:
        near = [base, *(p for p in measured if p is not base)]
        return Surrogate.of(near, base.slots, self.dose_share * highest_dose(base.parameters))

    def _probes(
        self,
        trials: Trials,
        measured: Sequence[Point],
        surrogate: Surrogate,
        first: Region,
        fixed: Sequence[bool] | None,
    ) -> Iterator[Move]:
        """For each missed goal make one plan that meets it at the others' expense, as far as one step goes."""
        best = measured[0]
        results = best.effects.results
        alike = [p for p in measured if p.slots == best.slots and len(p.effects.results) == len(results)]
        for i in sorted(range(len(results)), key=lambda i: -scoring.weight(results[i])):
            wanted = f"{PROBE} what {results[i].goal.criterion} would cost"
            tried = sum(trial.edit.startswith(wanted) for trial in trials)
            if scoring.relative_shortfall(results[i]) < WORTH_A_PROBE or tried >= PROBES:
                continue
            weights = prices(results)
            weights[i] *= _PROBE
            # From the plan that is nearest to meeting it: there the sensitivities know most of what it costs.
            base = min(alike, key=lambda p: (scoring.relative_shortfall(p.effects.results[i]), p.trial.loss))
            move = tune(base, surrogate, first, weights, aim=_PROBE_AIM * (1 + 4 * tried), fixed=fixed, wanted=wanted)
            if move:
                yield move

    def options(self, trials: Trials, n: int, rng: random.Random) -> list[Option]:
        """Offer up to `n` legal edits to choose from: the editor's own first, then single changes of the best plan.

        Args:
            trials: Everything that happened so far.
            n: How many.
            rng: Not used: there is nothing random about them.
        """
        from tgsci.search.menu import Option

        def moves() -> Iterator[Move]:
            own = [move for move in self._moves(trials) if not move.wanted]
            yield from own[: max(2, n // 2)]
            yield from self._singles(trials)
            yield from own[max(2, n // 2) :]

        return [
            Option(value, move.edit, move.facts, move.base.trial.number, move.edit, move.reason())
            for value, move in self._new(moves(), trials, n).items()
        ]

    def _singles(self, trials: Trials) -> list[Move]:
        """Change one weight or one dose of the best plan, each in turn; the most promising changes first."""
        measured = points(trials)
        if not measured:
            return []
        best = measured[0]
        grays = self.dose_share * highest_dose(best.parameters)
        surrogate = Surrogate.of(measured, best.slots, grays)
        place, k = best.place(best.slots), len(best.slots)
        made = []
        for i, objective in enumerate(best.parameters.objectives):
            edits: list[tuple[int, float, dict[str, float]]] = []
            if objective.weight > 0:
                edits += [(i, by, {"weight": float(f"{objective.weight * 2.0**by:.3g}")}) for by in (1.0, -1.0, 3.0)]
            if objective.dose_gy is not None and self.structural:
                doses = [
                    allowed_dose(objective.dose_gy + by * grays, objective.lifts, best.parameters) for by in (0.5, -0.5)
                ]
                edits += [(k + i, dose - objective.dose_gy, {"dose_gy": dose}) for dose in doses]
            for coordinate, by, change in edits:
                if not by:
                    continue
                there = place.copy()
                there[coordinate] += by
                try:
                    parameters = best.parameters.replaced(i, **change)
                except InvalidValue:
                    continue
                made.append(Move(best, parameters, surrogate.predict(there)))
        return sorted(made, key=lambda move: move.loss)


def _met(point: Point) -> int:
    return sum(result.met for result in point.effects.results)


def bases(measured: Sequence[Point]) -> list[Point]:
    """Choose the plans that are worth editing: the best, the best of other sets of objectives, and the near miss.

    Args:
        measured: Measured plans, best first; at least one.
    """
    best = measured[0]
    alike = [p for p in measured if p.criteria == best.criteria]
    chosen, families = [best], {frozenset(best.slots)}
    for point in alike:
        if frozenset(point.slots) not in families and len(chosen) < BASES - 1:
            families.add(frozenset(point.slots))
            chosen.append(point)
    near = near_miss(measured)
    return chosen if near is None or any(near is c for c in chosen) else [*chosen, near]


def near_miss(measured: Sequence[Point]) -> Point | None:
    """Find the plan, other than the best, that misses the fewest goals, of high priorities first; None without any."""
    rest = [p for p in measured[1:] if p.criteria == measured[0].criteria]
    return min(rest, key=lambda p: (missed_by_priority(p), p.trial.loss), default=None)


def missed_by_priority(point: Point) -> tuple[int, ...]:
    """Count the goals that a plan misses, of each priority from the first on."""
    missed = Counter(r.goal.priority for r in point.effects.results if not r.met)
    return tuple(missed[priority] for priority in range(1, max(missed, default=0) + 1))


def expected(move: Move) -> float:
    """Give the loss to expect of a move: each goal a little worse than was seen, or further where slopes predict it."""
    return careful_loss(move.base.effects.results, move.predicted, 0.0 if move.seen else RISK)


def trust(measured: Sequence[Point], best: Point, first: Region) -> float:
    """Decide how far the next step from the best plan may go, in units of the first step's region.

    Further than the step that led to it where what was predicted came true, less far where it did not; and half as far
    as any step from it that failed.
    """
    by_number = {point.trial.number: point for point in measured}
    factor = 1.0
    parent = by_number.get(best.trial.parent) if best.trial.parent is not None else None
    if parent and set(parent.slots) == set(best.slots):
        size, held = step_size(parent, best, first), gain_share(parent, best)
        if size > 0:
            factor = max(2.0 * size, AFTER_SUCCESS) if held >= GOOD else size if held >= POOR else size / 2.0
    for child in measured:
        if child.trial.parent != best.trial.number or PROBE in child.trial.edit or set(child.slots) != set(best.slots):
            continue
        size = step_size(best, child, first)
        if size > 0:
            factor = min(factor, size / 2)
    return min(factor, MOST)


def step_size(parent: Point, child: Point, first: Region) -> float:
    """Measure how far a step went, in units of the first step's region."""
    k = len(parent.slots)
    change = child.place(parent.slots) - parent.place(parent.slots)
    weights = change[:k] - np.median(change[:k])  # only ratios count
    return float(max(np.abs(weights).max() / first.doublings, np.abs(change[k:]).max() / max(first.grays, 1e-9)))


def gain_share(parent: Point, child: Point) -> float:
    """Compare a step's gain with the predicted one: 1 where it gained all of it or more, below 0 where it lost."""
    results = parent.effects.results
    change = child.place(parent.slots) - parent.place(parent.slots)
    predicted = parent.effects.values + parent.gradient(parent.slots) @ change
    before = scoring.loss(results)
    hoped = before - scoring.loss(predicted_results(results, predicted))
    gained = before - scoring.loss(child.effects.results)
    if hoped <= 1e-9:
        return 1.0 if gained > 0 else 0.0
    return min(1.0, gained / hoped)
