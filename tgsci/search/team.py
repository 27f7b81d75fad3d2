"""Team: several proposers with one pool, a model and a rule editor say; the better one gets more places."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from itertools import accumulate, chain, takewhile, zip_longest

from ..errors import UsageError
from .proposer import Proposer, as_proposer
from .trial import Proposal, State, Trial, Trials

#: What a place brought: it came to lead in one of the last rounds, or it is among the best quarter of all.
_LED, _GOOD, _LAST_ROUNDS = 1.0, 0.25, 8
#: Success of a member before it has measured anything, so much from so many places: one round decides little.
_BEFORE, _PLACES_BEFORE = 0.8, 8
#: Multiples of it fall evenly between whole numbers, however many they are.
_GOLDEN = (5**0.5 - 1) / 2
#: Each member gets a place at least once in so many rounds.
_ROUNDS = 4


class Team(Proposer):
    """Several proposers with one pool.

    Whoever is asked ahead (`Proposer.ahead`) is asked while a round is measured; the others when the next round is
    chosen, with everything known. The places of a round follow success: what a member's measured values brought, for
    each of its places. Each member keeps a place at least once in four rounds, as long as it has ideas. A trial's
    `proposer` is the member that had the idea.

    Args:
        members: The proposers, or what `minimize` takes as one, each with a name of its own.

    Raises:
        UsageError: There is none, or two have the same name.
    """

    def __init__(self, members: Sequence[Proposer]) -> None:
        self.members = tuple(as_proposer(member) for member in members)
        names = [member.name for member in self.members]
        if not names:
            raise UsageError("a team needs at least one member")
        if len(set(names)) < len(names):
            raise UsageError(f"the members of a team need names of their own, not {', '.join(names)}")
        self.name = " + ".join(names)
        self.description = " ".join(dict.fromkeys(member.description for member in self.members))
        self.engine = next((member.engine for member in self.members if member.engine is not None), None)
        self.ahead = any(member.ahead for member in self.members)

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Ask each member for `n` values and take the first of each, then the second; a search asks them one by one."""
        had = [member.ask(trials, n, rng) for member in self.members]
        return [proposal for proposal in chain(*zip_longest(*had)) if proposal is not None][:n]

    def shares(self, trials: Trials) -> dict[str, float]:
        """Tell which part of the places each member deserves, by name; together they are 1."""
        recent = trials[-1].round - _LAST_ROUNDS
        # Of a round the last one that was accepted came to lead; those before it were only judged earlier.
        led = {trial.round: trial.number for trial in trials if trial.state is State.ACCEPTED and trial.round > recent}
        leaders, good = set(led.values()), {trial.number for trial in trials.ranked(len(trials.ranked()) // 4)}
        brought: dict[str, list[float]] = {member.name: [] for member in self.members}
        for trial in trials:
            if _took_a_place(trial) and trial.proposer in brought:
                worth = _LED if trial.number in leaders else _GOOD if trial.number in good else 0.0
                brought[trial.proposer].append(worth)
        rates = {name: (sum(each) + _BEFORE) / (len(each) + _PLACES_BEFORE) for name, each in brought.items()}
        return {name: rate / sum(rates.values()) for name, rate in rates.items()}

    def turns(self, trials: Trials, places: int, having: Collection[str] | None = None) -> list[str]:
        """Tell whose turn each place of the next round is, by name.

        Args:
            trials: Everything that is known.
            places: Of the round.
            having: Who has ideas, by name; None where all have.
        """
        deserved, last = self.shares(trials), trials[-1].round
        shares = {name: share for name, share in deserved.items() if having is None or name in having}
        if not shares:
            return []
        recent = takewhile(lambda trial: trial.round > last - (_ROUNDS - 1), reversed(trials))
        served = {trial.proposer for trial in recent if _took_a_place(trial)}
        turns = [name for name in shares if name not in served][:places] if last >= _ROUNDS - 1 else []
        while len(turns) < places:
            # Spread evenly over the line from 0 to 1, of which each member has a stretch as long as its share.
            at = ((last * places + len(turns)) * _GOLDEN) % 1 * sum(shares.values())
            ends = accumulate(shares.values())
            turns.append(next((name for name, end in zip(shares, ends, strict=True) if at < end), list(shares)[-1]))
        return turns


def _took_a_place(trial: Trial) -> bool:
    return trial.round > 0 and trial.feedback is not None
