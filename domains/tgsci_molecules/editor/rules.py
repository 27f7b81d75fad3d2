"""The rule editor: legal medicinal-chemistry edits, chosen by what was measured so far. No model is asked.

It is the proposer where no model is configured, and the baseline that every model has to beat. Each round it

1. takes the best trials as parents, no two of the leaders on one scaffold;
2. makes edits of them, edits of those edits, and recombinations, leaning towards what a parent needs;
3. predicts each one's loss: what can be calculated is calculated, the rest is learned from the trials;
4. proposes those that promise most, each far enough from the others to teach something.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rdkit import Chem, rdBase

from tgsci.errors import InvalidValue
from tgsci.optimizer import Optimizer
from tgsci.trial import Proposal, Trial, Trials

from .candidates import Candidate, recombined
from .figures import figures, scaffold
from .judge import Judge
from .reasons import reason
from .transformations import TRANSFORMATIONS, Transformation, apply_to


class RuleEditor(Optimizer):
    """Proposes edits of SMILES by rules.

    Guided by the metrics "vina" (kcal/mol) and "QED" where the loss reports them, else by the loss alone.

    Args:
        parents: How many trials are edited in a round.
        generations: How many edits in a row may make one proposal.
        breadth: How many molecules of a generation are edited.
        edits: How many transformations are tried on each of them.
        crosses: How many recombinations of two trials are tried in a round.
        boldness: How much an uncertain prediction is favoured, in standard deviations on average.
    """

    name = "rules"
    description = (
        "Proposals come from the rule editor: medicinal-chemistry edits chosen by the scores so far. "
        "No model is asked and nothing leaves this machine."
    )

    def __init__(
        self,
        *,
        parents: int = 8,
        generations: int = 3,
        breadth: int = 8,
        edits: int = 10,
        crosses: int = 32,
        boldness: float = 1.0,
    ) -> None:
        super().__init__()
        self.parents, self.generations, self.breadth = parents, generations, breadth
        self.edits, self.crosses, self.boldness = edits, crosses, boldness

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Up to `n` new molecules; see the module's first lines for how they are found."""
        if n <= 0:
            return []
        with rdBase.BlockLogs():
            roots = _roots(trials)
            if not roots:
                return []
            judge = Judge(trials)
            pool = self._search(roots, judge, trials, rng)
            chosen = self._choose(pool, judge, trials, n, rng)
            for root in roots:
                if len(chosen) == n:
                    break
                # The draw held too little (a tiny molecule, a loss that refuses much): look at every edit there is.
                taken = [c.smiles for c in chosen]
                every = _unseen(_edits_of(root, TRANSFORMATIONS, None, rng), trials, dict.fromkeys(taken))
                chosen += self._choose(every, judge, trials, n - len(chosen), rng, taken)
            return [
                Proposal(c.smiles, reason(c, judge), parent=c.parent.number, edit=", then ".join(c.steps))
                for c in chosen
            ]

    def _search(self, roots: Sequence[Candidate], judge: Judge, trials: Trials, rng: random.Random) -> list[Candidate]:
        """Generations of edits, each made from the most promising so far."""
        parents = _diverse(roots, self.parents)
        seen: dict[str, None] = {}
        pool = _unseen(recombined(_diverse(roots, 2 * self.parents), self.crosses, rng), trials, seen)
        for generation in range(self.generations):
            if generation == 0:
                basis = parents
            else:
                ranked = judge.order(pool, self.boldness)
                basis = [c for c in ranked if len(c.steps) < self.generations][: self.breadth]
            children: list[Candidate] = []
            for candidate in basis:
                chosen = self._transformations(candidate, judge, rng)
                children += _edits_of(candidate, chosen, 1, rng)
            pool += _unseen(children, trials, seen)
        return pool

    def _transformations(self, candidate: Candidate, judge: Judge, rng: random.Random) -> list[Transformation]:
        """Some transformations, drawn without replacement, the likelier the more the molecule needs their kind."""
        appetite = judge.appetite(candidate)
        # Efraimidis and Spirakis' weighted sampling: the largest u ** (1 / w) win.
        keyed = [
            (rng.random() ** (1 / (appetite[t.kind] * judge.track_record(t.name))), i)
            for i, t in enumerate(TRANSFORMATIONS)
        ]
        # Many do not fit: draw enough that about `edits` of them do.
        return [TRANSFORMATIONS[i] for _, i in sorted(keyed, reverse=True)[: 2 * self.edits]]

    def _choose(
        self,
        pool: Sequence[Candidate],
        judge: Judge,
        trials: Trials,
        n: int,
        rng: random.Random,
        taken: Iterable[str] = (),
    ) -> list[Candidate]:
        """The most promising, one after the other; each choice lowers the value of its likes."""
        chosen: list[Candidate] = []
        refused = set(taken)
        left = list(pool)
        while left and len(chosen) < n:
            tried: set[str] = set()
            for candidate in judge.batch(left, self.boldness, rng):
                tried.add(candidate.smiles)
                try:
                    value = trials.check(candidate.smiles)
                except InvalidValue:
                    continue
                if value not in refused:
                    refused.add(value)
                    chosen.append(candidate)
                if len(chosen) == n:
                    break
            # A loss that refuses much (a core to keep, say) may refuse a whole shortlist: on to the next one.
            left = [c for c in left if c.smiles not in tried]
        return chosen


def _roots(trials: Trials) -> list[Candidate]:
    """What can be edited: the measured trials, best first; where there is none, any molecule among the trials."""
    roots = []
    for trial in trials.ranked() or list(trials):
        root = _root(trial)
        if root is not None:
            roots.append(root)
    return roots


def _root(trial: Trial) -> Candidate | None:
    smiles = _canonical(trial.value)
    return Candidate(smiles, trial, ()) if smiles else None


@lru_cache(maxsize=4096)
def _canonical(value: str) -> str:
    """RDKit's canonical SMILES, whatever the loss takes for one; "" where it is no molecule."""
    mol = Chem.MolFromSmiles(value)
    return Chem.MolToSmiles(mol) if mol is not None else ""


def _diverse(roots: Sequence[Candidate], count: int) -> list[Candidate]:
    """The best, but not twice the same scaffold while there are others; ranked order is kept."""
    chosen: list[Candidate] = []
    for allowed in (1, 2, len(roots)):
        for root in roots[: 6 * count]:
            if len(chosen) >= count:
                break
            likes = sum(1 for c in chosen if scaffold(c.smiles) == scaffold(root.smiles))
            if root not in chosen and likes < allowed:
                chosen.append(root)
    return chosen


def _edits_of(
    candidate: Candidate, transformations: Iterable[Transformation], sites: int | None, rng: random.Random
) -> list[Candidate]:
    mol = figures(candidate.smiles).mol
    return [
        Candidate(made, candidate.parent, (*candidate.steps, t.name))
        for t in transformations
        for made in apply_to(t, mol, candidate.smiles, sites=sites, rng=rng)
    ]


def _unseen(candidates: Iterable[Candidate], trials: Trials, seen: dict[str, None]) -> list[Candidate]:
    """Those that are neither trials nor candidates already."""
    fresh = []
    for candidate in candidates:
        if candidate.smiles not in seen and trials.find(candidate.smiles) is None:
            seen[candidate.smiles] = None
            fresh.append(candidate)
    return fresh
