"""Random edits: what the chemistry alone gives, without any judgement. The baseline of baselines."""

from __future__ import annotations

import random

from rdkit import rdBase

from tgsci.errors import InvalidValue
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials

from .candidates import Candidate, roots_of
from .transformations import KINDS, TRANSFORMATIONS, apply_to

#: Heavy atoms that a walk from a small molecule aims at: the middle half of approved oral drugs.
_DRUG_SIZES = (18, 30)
#: Steps after which a walk is given up.
_MAX_STEPS = 20
_PATIENCE = 50


class RandomEdits(Proposer):
    """Proposes random walks: a few random edits of any trial, however good it was, or of a start value.

    Args:
        steps: The most edits in a row; from a small molecule more, until it has a drug's size.
    """

    name = "random"
    description = (
        "Proposals are random edits of any molecule so far. No model is asked and nothing leaves this machine."
    )

    def __init__(self, *, steps: int = 4) -> None:
        super().__init__()
        self.steps = steps

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Propose up to `n` new molecules."""
        with rdBase.BlockLogs():
            roots = roots_of(trials)
            starts = [root for root in roots if root.parent.round == 0]
            made: dict[str, Proposal] = {}
            for _ in range(_PATIENCE * n):
                if len(made) >= n or not roots:
                    break
                # Half of the walks begin anew: a long walk drifts to what nobody would make.
                root = rng.choice(starts if starts and rng.random() < 0.5 else roots)
                walked = drug_size(root, rng, rng.randint(1, self.steps))
                if walked is None:
                    continue
                try:
                    value = trials.check(walked.smiles)
                except InvalidValue:
                    continue
                reason = f"random edits: {walked.edit}"
                made.setdefault(value, Proposal(value, reason, walked.parent.number, walked.edit))
            return list(made.values())


def mutate(candidate: Candidate, rng: random.Random) -> Candidate | None:
    """Make one random edit: draw a kind, then a transformation of it that fits; None where none fits."""
    shuffled = rng.sample(TRANSFORMATIONS, len(TRANSFORMATIONS))
    first = rng.choice(KINDS)  # most transformations grow: all equally likely, molecules would only get larger
    for transformation in sorted(shuffled, key=lambda t: t.kind != first):
        made = apply_to(transformation, candidate.descriptors.mol, candidate.smiles, sites=1, rng=rng)
        if made:
            steps, path = (*candidate.steps, transformation.name), (*candidate.path, made[0])
            return Candidate(made[0], candidate.parent, steps, path, candidate.evidence)
    return None


def drug_size(root: Candidate, rng: random.Random, least: int = 1) -> Candidate | None:
    """Walk at random to a molecule of a drug's size.

    Args:
        root: The molecule where the walk begins.
        rng: Draws the edits and the size.
        least: Edits at least.

    Returns:
        None where it did not get there.
    """
    low, high = _DRUG_SIZES
    wanted = rng.randint(low, (low + high) // 2)
    here = root
    for _ in range(_MAX_STEPS):
        after = mutate(here, rng)
        if after is None:
            return None
        if after.descriptors.size <= high or after.descriptors.size < here.descriptors.size:
            here = after
        if len(here.steps) >= least and here.descriptors.size >= wanted:
            return here
    return None
