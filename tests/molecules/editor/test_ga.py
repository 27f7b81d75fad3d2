"""The baselines: pure, legal, and what each should be."""

from __future__ import annotations

import math
import random

import pytest

pytest.importorskip("rdkit")

from rdkit import Chem

from tests.molecules.searches import DOCKING, DRUG, STARTS, canonical, run, trial
from tgsci.feedback import Feedback
from tgsci.search.proposer import Proposer
from tgsci.search.trial import State, Trial, Trials
from tgsci_molecules.editor.ga import GraphGA
from tgsci_molecules.editor.random_edits import RandomEdits, drug_size

BASELINES = [GraphGA, RandomEdits]


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("start", STARTS[:4])
def test_proposals_are_new_and_valid(baseline: type[Proposer], start: str) -> None:
    trials = Trials([trial(0, canonical(start), DRUG)], DRUG)
    proposals = baseline().ask(trials, 4, random.Random(1))
    assert len(proposals) == 4
    for p in proposals:
        assert trials.check(p.value) == p.value
        assert p.parent == 0
        assert p.edit in p.reason
        assert p.fault is None
    assert len({p.value for p in proposals}) == 4


@pytest.mark.parametrize("baseline", BASELINES)
def test_a_pure_function(baseline: type[Proposer]) -> None:
    trials = run(baseline().ask, DRUG, "CC(N)=O", 24, 0)
    assert baseline().ask(trials, 4, random.Random(3)) == baseline().ask(trials, 4, random.Random(3))
    assert baseline().ask(trials, 4, random.Random(3)) != baseline().ask(trials, 4, random.Random(4))


@pytest.mark.parametrize("baseline", BASELINES)
def test_nothing_to_edit_gives_nothing(baseline: type[Proposer]) -> None:
    assert baseline().ask(Trials([], DRUG), 4, random.Random(0)) == []
    nonsense = Trial(0, 0, "not a molecule", state=State.INVALID)
    assert baseline().ask(Trials([nonsense], DRUG), 4, random.Random(0)) == []
    failed = Trial(0, 0, "CC(N)=O", state=State.FAILED, feedback=Feedback.failed("no pose"))
    assert len(baseline().ask(Trials([failed], DRUG), 2, random.Random(0))) == 2


def test_walks_end_at_a_drugs_size() -> None:
    from tgsci_molecules.editor.candidates import Candidate

    root = Candidate("CC(N)=O", trial(0, "CC(N)=O", DRUG))
    walks = [drug_size(root, random.Random(seed)) for seed in range(10)]
    assert all(w is not None and 18 <= Chem.MolFromSmiles(w.smiles).GetNumHeavyAtoms() <= 30 for w in walks)


def test_children_come_from_the_fittest() -> None:
    trials = run(RandomEdits().ask, DOCKING, "CC(N)=O", 40, 0)
    leaders = [t.number for t in trials.ranked()[:10]]
    parents = [p.parent for p in GraphGA(population=10).ask(trials, 12, random.Random(0))]
    assert parents
    assert set(parents) <= set(leaders)


@pytest.mark.slow
def test_the_ga_learns_and_chance_does_not() -> None:
    """What is proposed late: children of the fittest are fit, random edits are not."""
    late = {}
    for optimizer in (GraphGA(), RandomEdits()):
        trials = run(optimizer.ask, DOCKING, "CC(N)=O", 60, 0)
        late[optimizer.name] = math.fsum(t.loss for t in trials[-20:]) / 20
    assert late["ga"] < late["random"] - 0.5
