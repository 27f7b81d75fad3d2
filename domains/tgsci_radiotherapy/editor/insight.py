"""What a search is told of plans: their families, what a change did, what is expected of a plan that was not solved.

All of it comes from the sensitivities that were measured with each plan; nothing is solved here.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import InvalidValue
from tgsci.feedback import Feedback
from tgsci.search.trial import Outlook, Trial, Trials

from ..goals import GoalResult
from ..goals.table import written
from ..loss import places, scoring
from ..loss.edits import highest_dose
from ..loss.effects import Effects, Try, effects_in, effects_of, short_name
from ..plan import Objective, PlanParameters
from .moves import predicted_results, predicted_text
from .rules import DOSE_SHARE, GOOD, gain_share, near_miss
from .surrogate import Point, Surrogate, points, position, slots_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case

    Floats = NDArray[np.float64]

#: Longest name of a family, characters.
_LONGEST = 90
#: Goals that a contrast follows, and terms of the loss that limit, at most.
_FOLLOWED, _LIMITING = 3, 2
#: A goal that moved by less than this share of its scale did not move.
_STILL = 2e-3
#: A change of more parts than this has no name: it would never come twice.
_PARTS = 2
#: Grid on which changes are named: doublings, Gy.
_DOUBLINGS, _GRAYS = 0.5, 0.5
#: Slopes say nothing of a step further than this: in doublings, or as many times 3% of the highest target dose.
REACH = 3.0
#: Before any prediction of the run could be checked: its error for a step of one doubling, as a share of the loss. It
#: grows with the square of the step, but for steps so short that the solver's gap is what is seen.
_ERROR, _SHORT = 0.1, 0.3
#: Error of what was solved again, to a looser gap: as a share of the loss, and in the loss's unit.
_SEEN, _SEEN_ERROR = 0.2, 0.03
#: Gantry angles that are listed, at most.
_BEAMS = 12
#: Least error of a prediction, as a share of the loss, and in the loss's unit.
_LEAST_SHARE, _LEAST_ERROR = 0.02, 0.01


def family(value: str) -> str:
    """Name a plan's set of objectives: structures and types, whatever the weights and doses."""
    try:
        parameters = PlanParameters.read(value)
    except InvalidValue:
        return ""
    counted = Counter(_kind(o) for o in parameters.objectives)
    name = ", ".join(f"{kind} x{n}" if n > 1 else kind for kind, n in sorted(counted.items()))
    if len(name) <= _LONGEST:
        return name
    digest = f"{zlib.crc32(name.encode()):08x}"
    return f"{name[: _LONGEST - 30]}... ({counted.total()} objectives, {digest})"


def change(parent: str, child: str) -> str:
    """Name the change between two plans so that equal ones have equal names; "" for one of many parts, or of none.

    Weights are compared as ratios, rounded to half a doubling; doses to 0.5 Gy.
    """
    try:
        before, after = PlanParameters.read(parent), PlanParameters.read(child)
    except InvalidValue:
        return ""
    old, new = (dict(zip(slots_of(p), p.objectives, strict=True)) for p in (before, after))
    kept = [slot for slot in new if slot in old]
    common = _common([old[s] for s in kept], [new[s] for s in kept])
    names = [f"add {_kind(new[slot])}" for slot in new if slot not in old]
    names += [f"leave out {_kind(old[slot])}" for slot in old if slot not in new]
    for slot in kept:
        a, b = old[slot], new[slot]
        name = short_name(b, after.objectives) if a.dose_gy == b.dose_gy else _kind(b)
        doublings = _on_grid(_doublings(a, b) - common, _DOUBLINGS)
        if doublings:
            names.append(f"weight of {name} x{2.0**doublings:.2g}" if math.isfinite(doublings) else f"{name} on or off")
        grays = _on_grid((b.dose_gy or 0.0) - (a.dose_gy or 0.0), _GRAYS)
        if grays:
            names.append(f"dose of {name} {grays:+g} Gy")
    return ", ".join(sorted(names)) if 1 <= len(names) <= _PARTS else ""


def contrast(parent: Trial, child: Trial) -> str:
    """Say which goals a change gained and lost, and beside what came of those that moved most what was predicted."""
    before, after = effects_of(parent), effects_of(child)
    if before is None or after is None or _criteria(before) != _criteria(after):
        return ""
    pairs = list(zip(before.results, after.results, strict=True))
    gained = [b.goal.criterion for a, b in pairs if b.met and not a.met]
    lost = [b.goal.criterion for a, b in pairs if a.met and not b.met]
    parts = [f"{word} {', '.join(goals)}" for word, goals in (("gained", gained), ("lost", lost)) if goals]
    shift = [abs(b.value - a.value) / a.scale for a, b in pairs]
    order = sorted((i for i, by in enumerate(shift) if by > _STILL), key=lambda i: -shift[i])[:_FOLLOWED]
    told = _told(before, after.parameters)
    if told:
        came = scoring.loss(after.results)
        parts.append(f"loss {scoring.loss(before.results):.4g} -> {came:.4g} (predicted {scoring.loss(told):.4g})")
    if not order:
        return "; ".join([*parts, "no goal moved"])
    moved = []
    for i in order:
        a, b = pairs[i]
        predicted = "" if told is None else f" (predicted {predicted_text(a, told[i])})"
        moved.append(f"{b.goal.name} {written(a.goal, a.value, unit=False)} -> {written(b.goal, b.value)}{predicted}")
    unknown = "" if told else "; not predicted: the sensitivities do not reach so far"
    return f"{'; '.join([*parts, 'moved most: ' + ', '.join(moved)])}{unknown}"


def foretold(parent: Trial, child: Trial) -> float | None:
    """Predict the loss of a plan by what was known of the one that it was made from; None beyond that."""
    before, after = effects_of(parent), effects_of(child)
    if before is None or after is None or _criteria(before) != _criteria(after):
        return None
    told = _told(before, after.parameters)
    return None if told is None else scoring.loss(told)


def _told(before: Effects, parameters: PlanParameters) -> list[GoalResult] | None:
    """Predict the goals of a plan from another: as it was solved loosely with that, else along the slopes, or not."""
    tried = next((t for t in before.tries if t.parameters == parameters), None)
    if tried is not None:
        return predicted_results(before.results, tried.values)
    step = Step.of(before, parameters)
    return predicted_results(before.results, step.values(before)) if step else None


def limiting(feedback: Feedback) -> str:
    """Say which goals make most of a plan's loss; where all are met, which has the least room."""
    effects = effects_in(feedback)
    if effects is None or not effects.results:
        return ""
    results = effects.results
    added = sorted(zip(scoring.parts(results), results, strict=True), key=lambda pair: -pair[0])
    named = [f"{r.goal.criterion} ({part:.3g} of the loss)" for part, r in added[:_LIMITING] if part > 0]
    if named:
        return " and ".join(named)
    least = min(results, key=lambda r: r.relative_margin)
    return f"{least.goal.criterion}, met by {least.margin_text.removeprefix('+')}"


def predict(trials: Trials, values: Sequence[str]) -> list[Outlook | None]:
    """Predict the losses of plans that are near a measured one; None for each other.

    The standard deviation is what such predictions of this run missed by, for a step of that length.
    """
    measured = points(trials)
    rate = _error_rate(measured)
    return [_outlook(value, measured, rate) for value in values]


def advice(trials: Trials) -> str:
    """Say how well steps that slopes predicted came true, and name the best near miss; "" for nothing to say."""
    measured = points(trials)
    if len(measured) < 2:
        return ""
    by_number = {point.trial.number: point for point in measured}
    shares = []
    for child in measured:
        parent = by_number.get(child.trial.parent) if child.trial.parent is not None else None
        if parent and set(parent.slots) == set(child.slots) and parent.criteria == child.criteria:
            shares.append(gain_share(parent, child))
    parts = []
    if shares:
        held = sum(share >= GOOD for share in shares)
        parts.append(f"of {len(shares)} steps in weights and doses, {held} gained most of what the slopes predicted")
    near = near_miss(measured)
    if near is not None:
        missed = [r for r in near.effects.results if not r.met]
        named = "; ".join(f"{r.goal.criterion} by {r.shortfall:.3g} {r.goal.unit}".strip() for r in missed[:_FOLLOWED])
        more = f" and {len(missed) - _FOLLOWED} more" if len(missed) > _FOLLOWED else ""
        parts.append(f"the best near miss is trial {near.trial.number}, which misses {named or 'nothing'}{more}")
    return "; ".join(parts)


def setting(case: Case) -> str:
    """Describe a case to a model that begins: prescriptions, beams, and where organs lie from the targets."""
    prescribed = ", ".join(f"{t.name} {t.prescription:g} Gy" for t in case.targets if t.prescription)
    lines = [f"Case {case.name}: {prescribed or 'no prescription'} in {case.fractions} fractions, {case.modality}."]
    if case.beams:
        angles = ", ".join(f"{beam.gantry:g}" for beam in case.beams[:_BEAMS])
        more = f" and {len(case.beams) - _BEAMS} more" if len(case.beams) > _BEAMS else ""
        lines[0] += f" {len(case.beams)} beams from gantry angles of {angles}{more} degrees."
    return "\n".join([*lines, *places.overlaps(case), *places.neighbours(case)])


@dataclass(frozen=True)
class Step:
    """A change of a measured plan that its sensitivities tell the effect of.

    Args:
        doublings: Change of each of its weights beside what they have in common, (k,).
        grays: Change of each of its doses, Gy, (k,).
        additions: Multiple of the weight that each of its suggested objectives is listed with, (a,).
    """

    doublings: Floats
    grays: Floats
    additions: Floats

    @classmethod
    def of(cls, effects: Effects, parameters: PlanParameters) -> Step | None:
        """Find the step from a plan to parameters; None where the sensitivities do not cover it."""
        old, new = slots_of(effects.parameters), slots_of(parameters)
        by_slot = dict(zip(new, parameters.objectives, strict=True))
        if any(slot not in by_slot for slot in old):
            return None
        before, after = effects.parameters.objectives, [by_slot[slot] for slot in old]
        if any((a.weight == 0) != (b.weight == 0) for a, b in zip(before, after, strict=True)):
            return None
        common = _common(before, after)
        k = len(old)
        change = position(after) - position(before)
        doublings = np.where([o.weight > 0 for o in before], change[:k] - common, 0.0)
        additions = np.zeros(len(effects.additions))
        for objective in (by_slot[slot] for slot in new if slot not in old):
            place = next((i for i, o in enumerate(effects.additions) if _alike(o, objective)), None)
            if place is None:
                return None
            additions[place] = objective.weight / 2.0**common / effects.additions[place].weight
        return cls(doublings, change[k:], additions)

    def values(self, effects: Effects) -> Floats:
        """Predict the goals' values after the step, (m,)."""
        moved = effects.per_doubling @ self.doublings + np.nan_to_num(effects.per_gray) @ self.grays
        values: Floats = effects.values + moved + effects.per_addition @ self.additions
        return values

    def size(self, grays: float) -> float:
        """Measure how far it goes: in doublings, in so many Gy, in multiples of an addition, whichever is most."""
        parts = (np.abs(self.doublings), np.abs(self.grays) / grays, self.additions)
        return float(max(part.max(initial=0.0) for part in parts))


def _outlook(value: str, measured: Sequence[Point], rate: float) -> Outlook | None:
    try:
        parameters = PlanParameters.read(value)
    except InvalidValue:
        return None
    near: tuple[float, Point, Step] | None = None
    for point in measured:
        for tried in point.effects.tries:
            if tried.parameters == parameters:
                return _seen(point, tried)
        step = Step.of(point.effects, parameters)
        size = step.size(_unit(point)) if step else math.inf
        if step and size <= REACH and (near is None or size < near[0]):
            near = size, point, step
    if near is None:
        return None
    size, point, step = near
    if step.additions.any():
        values = step.values(point.effects)
    else:
        blend = Surrogate.of([point, *(p for p in measured if p is not point)], point.slots, _unit(point))
        by_slot = dict(zip(slots_of(parameters), parameters.objectives, strict=True))
        values = blend.predict(position([by_slot[slot] for slot in point.slots]))
    loss = scoring.loss(predicted_results(point.effects.results, values))
    least = max(_LEAST_SHARE * abs(loss), _LEAST_ERROR)
    here = abs(scoring.loss(point.effects.results))
    return Outlook(loss, math.hypot(least, rate * size**2 * max(here, abs(loss), _LEAST_ERROR)))


def _seen(point: Point, tried: Try) -> Outlook:
    """Expect of an edit what came when it was solved again; how far off that is, is the gap that it was solved to."""
    loss = scoring.loss(predicted_results(point.effects.results, tried.values))
    return Outlook(loss, max(_SEEN * abs(loss), _SEEN_ERROR))


def _error_rate(measured: Sequence[Point]) -> float:
    """Estimate by how much a prediction errs for a step of size 1, as a share of the loss, from those that came."""
    by_number = {point.trial.number: point for point in measured}
    squares = [_ERROR**2]
    for child in measured:
        parent = by_number.get(child.trial.parent) if child.trial.parent is not None else None
        step = Step.of(parent.effects, child.parameters) if parent else None
        if parent is None or step is None or parent.criteria != child.criteria:
            continue
        size = step.size(_unit(parent))
        if not 0 < size <= REACH:
            continue
        told = scoring.loss(predicted_results(parent.effects.results, step.values(parent.effects)))
        missed = abs(told - scoring.loss(child.effects.results))
        larger = max(abs(scoring.loss(parent.effects.results)), abs(told), _LEAST_ERROR)
        squares.append((missed / (max(size, _SHORT) ** 2 * larger)) ** 2)
    return math.sqrt(sum(squares) / len(squares))


def _unit(point: Point) -> float:
    """The dose that counts as far as a doubling, Gy."""
    return DOSE_SHARE * highest_dose(point.parameters)


def _criteria(effects: Effects) -> list[str]:
    return [result.goal.criterion for result in effects.results]


def _kind(objective: Objective) -> str:
    return f"{objective.structure} {objective.type.removeprefix('squared_')}"


def _alike(listed: Objective, other: Objective) -> bool:
    """Tell whether an objective is the listed one but for its weight."""
    return (listed.structure, listed.type, listed.volume_percent, listed.exponent) == (
        other.structure,
        other.type,
        other.volume_percent,
        other.exponent,
    ) and abs((listed.dose_gy or 0.0) - (other.dose_gy or 0.0)) <= _GRAYS


def _doublings(before: Objective, after: Objective) -> float:
    if before.weight == 0 or after.weight == 0:
        return 0.0 if before.weight == after.weight else math.inf
    return math.log2(after.weight / before.weight)


def _common(before: Sequence[Objective], after: Sequence[Objective]) -> float:
    """Find the change that all weights have in common, doublings: only ratios count."""
    changes = sorted(c for a, b in zip(before, after, strict=True) if math.isfinite(c := _doublings(a, b)))
    return changes[(len(changes) - 1) // 2] if changes else 0.0


def _on_grid(value: float, step: float) -> float:
    return value if math.isinf(value) else step * round(value / step)
