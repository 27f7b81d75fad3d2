"""Random plans: weights drawn evenly by their logarithm, doses evenly. The baseline of baselines."""

from __future__ import annotations

import math
import random

from tgsci.errors import InvalidValue
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials

from .space import space_of

_PATIENCE = 20


class RandomPlans(Proposer):
    """Proposes plans at random, with the objectives of the start.

    Args:
        doses: Whether doses are drawn too; False for a protocol that tunes weights only.
    """

    name = "random"
    description = "Proposals are random weights and doses. No model is asked and nothing leaves this machine."

    def __init__(self, *, doses: bool = True) -> None:
        super().__init__()
        self.doses = doses

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Up to `n` random plans."""
        space = space_of(trials, doses=self.doses)
        if space is None:
            return []
        made: dict[str, Proposal] = {}
        for _ in range(_PATIENCE * n):
            if len(made) >= n:
                break
            drawn = []
            for axis in space.axes:
                share = rng.random()
                low, high = (math.log(axis.low), math.log(axis.high)) if axis.log else (axis.low, axis.high)
                value = low + share * (high - low)
                drawn.append(math.exp(value) if axis.log else value)
            try:
                value_text = trials.check(space.parameters(drawn).text())
            except InvalidValue:
                continue
            what = "weights and doses" if self.doses else "weights"
            made.setdefault(value_text, Proposal(value_text, f"{what} drawn at random", 0, f"random {what}"))
        return list(made.values())
