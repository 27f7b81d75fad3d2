"""Pool: all ideas of a run that were not measured yet, ranked anew each round; the best of them are measured."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .standing import families, stalled
from .trial import Idea, Trials

#: Of the places of a round, so many in four go to another family than that of the best; the second where it stalled.
_ELSEWHERE, _ELSEWHERE_STALLED = 1, 2


@dataclass(frozen=True, slots=True)
class Choice:
    """What is measured next, and what waits.

    Args:
        taken: By their numbers, the ideas that are measured, in the order of their places.
        waiting: By their numbers, the others, best rank first, each with its outlook, its rank and why it waits.
    """

    taken: Mapping[int, Idea]
    waiting: Mapping[int, Idea]


def choose(ideas: Mapping[int, Idea], trials: Trials, places: int, turns: Sequence[str] = ()) -> Choice:
    """Choose what is measured next.

    At least one place in four, two where the search has stalled, goes to another family than that of the best: to one
    that was not measured yet, or else to the least measured. All other places go by rank.

    Args:
        ideas: The pool, by the numbers of the ideas, in the order in which they were had.
        trials: Everything that is known.
        places: How many ideas to choose.
        turns: Whose turn each place is, by the proposers' names; none where rank alone counts. A place whose
            proposer has no idea goes to the one with the most turns, or stays empty: a bad idea is no stopgap.
    """
    left = rank(ideas, trials)
    position = {number: at for at, number in enumerate(left)}
    taken: list[int] = []
    owed = Counter(turns)
    for _ in range(min(places, _places_elsewhere(trials, places))):
        may = {n: idea for n, idea in left.items() if not turns or owed[idea.proposer] > 0}
        number = _elsewhere(may, trials, [ideas[n] for n in taken])
        if number is not None:
            taken.append(number)
            owed[left.pop(number).proposer] -= 1
    for proposer in owed.elements():
        number = next((n for n, idea in left.items() if idea.proposer == proposer), None)
        if number is not None and len(taken) < places:
            taken.append(number)
            del left[number]
    most = Counter(turns).most_common(1)
    rest = [n for n, idea in left.items() if not taken or not most or idea.proposer == most[0][0]]
    for number in rest[: places - len(taken)]:
        taken.append(number)
        del left[number]
    last = max((position[number] for number in taken), default=-1)
    waiting = {
        number: replace(idea, rank=at, why=_why(idea, position[number] < last))
        for at, (number, idea) in enumerate(left.items(), 1)
    }
    return Choice({number: ideas[number] for number in taken}, waiting)


def rank(ideas: Mapping[int, Idea], trials: Trials) -> dict[int, Idea]:
    """Rank ideas with everything that is known, best first.

    What promises most comes first: the expected loss less its standard deviation, so that what is less certain gets
    its chance. Those of which the domain expects nothing follow in the order of who had them: the newest round
    first, each proposer's first idea before anybody's second.
    """
    expected = trials.insight.outlooks(trials, [idea.proposal.value for idea in ideas.values()])
    outlooks = dict(zip(ideas, expected, strict=True))
    place = {number: at for at, number in enumerate(_own_order(ideas))}

    def key(number: int) -> tuple[float, int]:
        outlook = outlooks[number]
        return (math.inf if outlook is None else outlook.loss - outlook.sd), place[number]

    return {number: replace(ideas[number], outlook=outlooks[number]) for number in sorted(ideas, key=key)}


def _own_order(ideas: Mapping[int, Idea]) -> Iterable[int]:
    had: Counter[tuple[int, str]] = Counter()
    keys = {}
    for number, idea in ideas.items():
        keys[number] = (-idea.round, had[idea.round, idea.proposer], number)
        had[idea.round, idea.proposer] += 1
    return sorted(ideas, key=keys.__getitem__)


def _places_elsewhere(trials: Trials, places: int) -> int:
    """Tell how many of the next places go to another family; of rounds of two, one in each second round."""
    if trials.insight.family is None or trials.best is None:
        return 0
    share = _ELSEWHERE_STALLED if stalled(trials) else _ELSEWHERE
    before = trials[-1].round * places
    return (before + places) * share // 4 - before * share // 4


def _elsewhere(ideas: Mapping[int, Idea], trials: Trials, taken: Iterable[Idea]) -> int | None:
    """Find the best idea of the family that was measured least; None where all are of the best's, or of those taken."""
    assert trials.best is not None
    closed = {trials.family(trials.best.value), *(trials.family(idea.proposal.value) for idea in taken)}
    measured = {name: len(members) for name, members in families(trials).items()}
    found: dict[int, int] = {}
    for number, idea in ideas.items():
        family = trials.family(idea.proposal.value)
        if family and family not in closed:
            found[number] = measured.get(family, 0)
    return min(found, key=found.__getitem__, default=None)  # of equals the first, which ranks best


def _why(idea: Idea, ranked_better: bool) -> str:
    if ranked_better:
        return "its place went to another family or to another proposer"
    return "newer ideas came first" if idea.outlook is None else "what was measured promised more"
