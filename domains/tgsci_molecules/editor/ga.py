"""A graph genetic algorithm, the baseline that a designer has to beat.

After Jensen, "A graph-based genetic algorithm and generative model/Monte Carlo tree search for the exploration of
chemical space", Chem. Sci. 2019, 10, 3567: the fittest trials so far are the population; children are crossovers at
a bond, mutated or not, or mutated parents, and no larger than a drug. The mutations are this package's
transformations, so that what differs from the rule editor is the judgement and not the chemistry.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from rdkit import rdBase

from tgsci.errors import InvalidValue
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials

from .candidates import Candidate, recombine, roots_of
from .random_edits import drug_size, mutate

#: How often a child is tried before a round is given up: what exists already or is refused does not count.
_PATIENCE = 50


class GraphGA(Proposer):
    """Proposes children of the fittest trials. No model and no prediction.

    Args:
        population: How many of the best trials breed. Jensen's is 100 for thousands of evaluations; this suits 100.
        founders: Trials that are made by random edits of the start before breeding begins.
        crossover: Share of the children that have two parents.
        mutation: Share of those that are mutated as well.
        largest: Heavy atoms of a child at most; Jensen limits the size as well.
    """

    name = "ga"
    description = (
        "Proposals come from a graph genetic algorithm: crossovers and mutations of the best molecules so far. "
        "No model is asked and nothing leaves this machine."
    )

    def __init__(
        self,
        *,
        population: int = 20,
        founders: int = 20,
        crossover: float = 0.5,
        mutation: float = 0.5,
        largest: int = 32,
    ) -> None:
        super().__init__()
        self.population, self.founders = population, founders
        self.crossover, self.mutation, self.largest = crossover, mutation, largest

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Propose up to `n` new molecules."""
        with rdBase.BlockLogs():
            roots = roots_of(trials.ranked() or trials)
            made: dict[str, Proposal] = {}
            for _ in range(_PATIENCE * n):
                if len(made) >= n or not roots:
                    break
                founding = len(roots) < self.founders
                child = drug_size(rng.choice(roots), rng) if founding else self._child(roots[: self.population], rng)
                if child is None or child.descriptors.size > self.largest:
                    continue
                try:
                    value = trials.check(child.smiles)
                except InvalidValue:
                    continue
                how = (
                    "founder: random edits" if founding else f"child of the {min(len(roots), self.population)} fittest"
                )
                made.setdefault(value, Proposal(value, f"{how}: {child.edit}", child.parent.number, child.edit))
            return list(made.values())

    def _child(self, population: Sequence[Candidate], rng: random.Random) -> Candidate | None:
        """Make a crossover, mutated or not, or a mutation; the better a parent is ranked, the likelier it breeds."""
        if len(population) > 1 and rng.random() < self.crossover:
            crossed = recombine(population, 4, rng)
            if crossed:
                child = rng.choice(crossed)
                return (mutate(child, rng) or child) if rng.random() < self.mutation else child
        weights = [1 / (rank + 1) for rank in range(len(population))]
        return mutate(rng.choices(population, weights)[0], rng)
