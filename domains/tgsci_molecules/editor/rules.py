"""The rule editor: legal medicinal-chemistry edits, chosen by what was measured so far. No model is asked.

It is the proposer where no model is configured, and the baseline that every model has to beat. Each round it

1. takes the best trials as parents, no two of the leaders on one scaffold;
2. makes edits of them: those that their docked poses ask for, others leaning towards what a parent needs, edits of
   those edits, and recombinations;
3. predicts each one's loss: what can be calculated is calculated, the rest is learned from the trials;
4. proposes those that promise most, each far enough from the others to teach something.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from rdkit import Chem, rdBase

from tgsci.errors import InvalidValue
from tgsci.loss import LimitedLoss, Loss
from tgsci.search.menu import Option
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials

from ..objective.limits import CoreKept, Keep
from .assemble import assemble, graft
from .candidates import Candidate, recombine, roots_of
from .descriptors import scaffold
from .grow import edits_from_pose
from .predictor import Predictor
from .reasons import option, reason
from .surrogate import Array, tanimoto
from .transformations import NOTHING, TRANSFORMATIONS, Protection, Transformation, apply_to

#: A molecule with fewer heavy atoms than this is far from a drug: more edits in a row lead there.
SMALL = 15

#: How much bolder the half of a generation is that explores, and the trials from which on it does: before that
#: nothing is known of anything, and the boldest are only the largest.
EXPLORING, EXPLORED_FROM = 2.0, 8

#: Share of the boldness while all molecules are small.
TIMID = 0.3

#: Molecules of a generation that go on from the same first edit.
PER_LINE = 2

#: Molecules less alike than this are different series (Tanimoto, Morgan radius 2).
SERIES = 0.4

#: From a small start, half of each round scouts until this number of series was measured: the first good one is seldom
#: the best, and a search that follows it finds only its neighbours. Where a contact is asked for, only a series that
#: makes it counts, up to the second number in all: else the run would keep to the first that does, or to none.
SERIES_WANTED, SERIES_AT_MOST = 12, 24


class RuleEditor(Proposer):
    """Proposes edits of SMILES by rules.

    It is guided by what the loss is made of (see `predictor.Parts`) where the loss says so, else by the loss alone,
    and by the report about the docked pose where the trials have one.

    Args:
        parents: How many trials are edited in a round.
        generations: How many edits in a row may make one proposal; two more while all molecules are small.
        breadth: How many molecules of a generation are edited.
        edits: How many transformations are tried on each of them.
        crosses: How many recombinations of two trials are tried in a round.
        blocks: How many molecules are made of building blocks in a round, where all start molecules are small: half
            whole ones, half sides of the leaders.
        pose_edits: How many edits that the pose asks for are tried on each parent.
        boldness: How much an uncertain prediction is favoured, in standard deviations on average.
        per_scaffold: Parents of one scaffold while there are others.
        per_scaffold_visits: Trials of one Murcko scaffold from which on it becomes less welcome.
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
        blocks: int = 160,
        pose_edits: int = 8,
        boldness: float = 1.0,
        per_scaffold: int = 1,
        per_scaffold_visits: int = 25,
    ) -> None:
        super().__init__()
        self.parents, self.generations, self.breadth = parents, generations, breadth
        self.edits, self.crosses, self.blocks, self.pose_edits = edits, crosses, blocks, pose_edits
        self.boldness = boldness
        self.per_scaffold, self.per_scaffold_visits = per_scaffold, per_scaffold_visits

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Propose up to `n` new molecules; the module's first lines say how they are made."""
        chosen, predictor = self._best(trials, n, rng)
        with rdBase.BlockLogs():
            return [Proposal(c.smiles, reason(c, predictor), parent=c.parent.number, edit=c.edit) for c in chosen]

    def options(self, trials: Trials, n: int, rng: random.Random) -> list[Option]:
        """Offer up to `n` new molecules to choose from, the most promising first: those of `ask`, with their facts.

        Args:
            trials: Everything that happened so far.
            n: How many, at most.
            rng: All randomness comes from it.
        """
        chosen, predictor = self._best(trials, n, rng)
        with rdBase.BlockLogs():
            return [option(c, predictor) for c in chosen]

    def _best(self, trials: Trials, n: int, rng: random.Random) -> tuple[list[Candidate], Predictor]:
        with rdBase.BlockLogs():
            predictor = Predictor(trials, per_scaffold_visits=self.per_scaffold_visits)
            roots = roots_of(trials.ranked() or trials) if n > 0 else []
            if not roots:
                return [], predictor
            # Far from a drug, what is uncertain is how much size pays: no reason to prefer the largest.
            far = bool(predictor.scores) and max(root.descriptors.size for root in roots) < SMALL
            boldness = self.boldness * (TIMID if far else 1.0)
            waiting = _waiting(roots, trials)[: (n + 1) // 2]
            pool = self._search(roots, predictor, trials, boldness, far, rng, waiting)
            # The first molecules of a drug's size decide where the search goes: each from another series.
            chosen = self._choose(pool, predictor, trials, n, boldness, rng, apart=True) if far else []
            if pool and not far and predictor.scores and _from_small(roots):
                series, good = series_of(roots), series_of([root for root in roots if predictor.met(root.parent)])
                if len(good) < SERIES_WANTED and len(series) < SERIES_AT_MOST:
                    new = [c for c, near in zip(pool, _nearest(pool, series), strict=True) if near < SERIES]
                    chosen = self._choose(new, predictor, trials, (n + 1) // 2, boldness, rng, apart=True)
            for root in waiting:  # each series of a start library gets a child before any is left behind
                own = [c for c in pool if c.parent.number == root.parent.number]
                taken = [c.smiles for c in chosen]
                chosen += self._choose(own, predictor, trials, min(1, n - len(chosen)), boldness, rng, taken)
            taken = [c.smiles for c in chosen]
            chosen += self._choose(pool, predictor, trials, n - len(chosen), boldness, rng, taken)
            for root in roots:
                if len(chosen) == n:
                    break
                # The draw held too little (a tiny molecule, a loss that refuses much): look at every edit there is.
                taken = [c.smiles for c in chosen]
                every = _unseen(_edits_of(root, TRANSFORMATIONS, None, rng, trials), trials, dict.fromkeys(taken))
                chosen += self._choose(every, predictor, trials, n - len(chosen), boldness, rng, taken)
            return chosen, predictor

    def _search(
        self,
        roots: Sequence[Candidate],
        predictor: Predictor,
        trials: Trials,
        boldness: float,
        far: bool,
        rng: random.Random,
        waiting: Sequence[Candidate] = (),
    ) -> list[Candidate]:
        """Make generations of edits, each from the most promising so far, and from the series that wait for one."""
        parents = (_parents if predictor.scores else _diverse)(roots, self.parents, self.per_scaffold)
        parents += [root for root in waiting if root not in parents]
        seen: dict[str, None] = {}
        pool = _unseen(recombine(_diverse(roots, 2 * self.parents, self.per_scaffold), self.crosses, rng), trials, seen)
        if predictor.scores and _from_small(roots):
            pool += _unseen(_from_blocks(roots, parents, self.blocks * (3 if far else 1), rng), trials, seen)
        # In a pocket, four atoms have room all around: the pose says nothing yet of what to make of them.
        for root in () if far else parents:
            pool += _unseen(_asked_for(root, self.pose_edits, rng), trials, seen)
        # Only what docking rewards is known before it is measured: a long way blindfold leads nowhere.
        generations, breadth = (self.generations + 2, 2 * self.breadth) if far else (self.generations, self.breadth)
        for generation in range(generations):
            basis = parents if generation == 0 else self._basis(pool, predictor, generations, breadth, boldness)
            children: list[Candidate] = []
            for candidate in basis:
                chosen = self._transformations(candidate, predictor, rng)
                children += _edits_of(candidate, chosen, 1, rng, trials)
            pool += _unseen(children, trials, seen)
        return pool

    def _basis(
        self, pool: Sequence[Candidate], predictor: Predictor, generations: int, breadth: int, boldness: float
    ) -> list[Candidate]:
        """Choose what the next generation is made from: half by what is expected, half by what could be at best."""
        exploring = EXPLORING if predictor.scores and predictor.measured >= EXPLORED_FROM else 1.0
        per_line = PER_LINE if predictor.scores else breadth
        basis: dict[str, Candidate] = {}
        lines: Counter[str] = Counter()
        for daring, size in ((boldness, breadth // 2), (exploring * boldness, breadth)):
            for candidate in predictor.order(pool, daring, 4 * breadth):
                if len(basis) >= size:
                    break
                line = candidate.path[0]
                if candidate.smiles not in basis and len(candidate.steps) < generations and lines[line] < per_line:
                    lines[line] += 1
                    basis[candidate.smiles] = candidate
        return list(basis.values())

    def _transformations(self, candidate: Candidate, predictor: Predictor, rng: random.Random) -> list[Transformation]:
        """Draw transformations without replacement, the likelier the more the molecule needs their kind."""
        appetite = predictor.appetite(candidate)
        # Efraimidis and Spirakis' weighted sampling: the largest u ** (1 / w) win.
        keyed = [
            (rng.random() ** (1 / (appetite[t.kind] * predictor.track_record(t.name))), i)
            for i, t in enumerate(TRANSFORMATIONS)
        ]
        # Many do not fit: draw enough that about `edits` of them do.
        return [TRANSFORMATIONS[i] for _, i in sorted(keyed, reverse=True)[: 2 * self.edits]]

    def _choose(
        self,
        pool: Sequence[Candidate],
        predictor: Predictor,
        trials: Trials,
        n: int,
        boldness: float,
        rng: random.Random,
        taken: Iterable[str] = (),
        *,
        apart: bool = False,
    ) -> list[Candidate]:
        """Choose the most promising, one after the other; each makes those like it less welcome, or rules them out."""
        chosen: list[Candidate] = []
        refused = set(taken)
        left = list(pool)
        while left and len(chosen) < n:
            tried: set[str] = set()
            for candidate in predictor.batch(left, boldness, rng):
                tried.add(candidate.smiles)
                if apart and chosen and _nearest([candidate], chosen)[0] >= SERIES:
                    continue
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


def _diverse(roots: Sequence[Candidate], count: int, per_scaffold: int) -> list[Candidate]:
    """Take the best in their order, with a limit on candidates of one scaffold while there are others."""
    chosen: list[Candidate] = []
    for allowed in (per_scaffold, 2 * per_scaffold, len(roots)):
        for root in roots[: 6 * count]:
            if len(chosen) >= count:
                break
            likes = sum(1 for c in chosen if scaffold(c.smiles) == scaffold(root.smiles))
            if root not in chosen and likes < allowed:
                chosen.append(root)
    return chosen


def _parents(roots: Sequence[Candidate], count: int, per_scaffold: int) -> list[Candidate]:
    """Take the leaders, and for a third of the places the best of other series: the first series is rarely the best."""
    chosen = _diverse(roots, count - count // 3, per_scaffold)
    others = [root for root in roots if root not in chosen]
    while others and len(chosen) < count:
        apart = [root for root, near in zip(others, _nearest(others, chosen), strict=True) if near < SERIES]
        chosen.append((apart or others)[0])
        others.remove(chosen[-1])
    return chosen


def _waiting(roots: Sequence[Candidate], trials: Trials) -> list[Candidate]:
    """Take the best molecule of each series of the start that has no child yet, the best series first.

    Fragments are no series: there is nothing of them to keep.
    """
    library = [root for root in roots if root.parent.round == 0 and root.descriptors.size >= SMALL]
    parents = {trial.parent for trial in trials if trial.parent is not None}
    done = {scaffold(root.smiles) for root in library if root.parent.number in parents}
    firsts: dict[str, Candidate] = {}
    for root in library:
        firsts.setdefault(scaffold(root.smiles), root)
    return [root for name, root in firsts.items() if name not in done] if len(firsts) > 1 else []


def _from_small(roots: Sequence[Candidate]) -> bool:
    """Tell whether the run started from fragments only: then there is nothing to keep."""
    return all(root.descriptors.size < SMALL for root in roots if root.parent.round == 0)


def series_of(roots: Sequence[Candidate]) -> list[Candidate]:
    """Take the first molecule of every series that was measured."""
    firsts: list[Candidate] = []
    for root in sorted(roots, key=lambda root: root.parent.number):
        if not firsts or _nearest([root], firsts)[0] < SERIES:
            firsts.append(root)
    return firsts


def _nearest(candidates: Sequence[Candidate], others: Sequence[Candidate]) -> Array:
    """Compare each candidate with the most similar of the others (Tanimoto); there must be others."""
    first, second = (np.array([c.descriptors.fingerprint for c in group]) for group in (candidates, others))
    nearest: Array = tanimoto(first, second).max(1)
    return nearest


def _asked_for(root: Candidate, count: int, rng: random.Random) -> list[Candidate]:
    """Draw some of the edits that a trial's pose asks for."""
    edits = edits_from_pose(root.parent)
    return [
        Candidate(s.smiles, root.parent, (s.step,), (s.smiles,), s.evidence)
        for s in rng.sample(edits, min(count, len(edits)))
    ]


def _from_blocks(
    roots: Sequence[Candidate], parents: Sequence[Candidate], count: int, rng: random.Random
) -> list[Candidate]:
    """Make molecules of building blocks: half of them new from end to end, half with a side of a leader.

    The new ones count as made from the start: nothing else is older.
    """
    start = min(roots, key=lambda root: root.parent.number)
    made = []
    for n in range(count):
        origin = start if n % 2 else rng.choice(parents)
        made_of_blocks = assemble(rng) if n % 2 else graft(origin.smiles, rng)
        if made_of_blocks:
            smiles, step = made_of_blocks
            made.append(Candidate(smiles, origin.parent, (step,), (smiles,)))
    return made


def _edits_of(
    candidate: Candidate,
    transformations: Iterable[Transformation],
    sites: int | None,
    rng: random.Random,
    trials: Trials,
) -> list[Candidate]:
    mol = candidate.descriptors.mol
    kept = protection(trials.loss, mol)
    return [
        Candidate(made, candidate.parent, (*candidate.steps, t.name), (*candidate.path, made), candidate.evidence)
        for t in transformations
        for made in apply_to(t, mol, candidate.smiles, sites=sites, rng=rng, protected=kept)
    ]


def _unseen(candidates: Iterable[Candidate], trials: Trials, seen: dict[str, None]) -> list[Candidate]:
    """Leave out what is a trial or a candidate already."""
    fresh = []
    for candidate in candidates:
        if candidate.smiles not in seen and trials.find(candidate.smiles) is None:
            seen[candidate.smiles] = None
            fresh.append(candidate)
    return fresh


def protection(loss: Loss | None, mol: Chem.Mol) -> Protection:
    """Find the atoms that an objective's `keep` and `core` are about; none for any other loss.

    A group that is there more often than it must be is free: one of them may go.
    """
    while isinstance(loss, LimitedLoss):
        loss = loss.loss
    fixed: set[int] = set()
    closed: set[int] = set()
    for limit in getattr(loss, "limits", ()):
        if isinstance(limit, Keep):
            matches = limit.pattern.matches(mol)
            if len(matches) <= limit.count:
                fixed.update(*matches)
        elif isinstance(limit, CoreKept) and (fit := limit.core.fit(mol)) is not None:
            fixed.update(fit.atoms)
            if limit.core.ends:
                closed.update(set(fit.atoms) - set(fit.ends))
    return Protection(frozenset(fixed), frozenset(closed)) if fixed else NOTHING
