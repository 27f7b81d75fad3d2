"""What is expected of molecules that were not docked: the surrogate's figures, as the loss will be."""

from __future__ import annotations

import math

import pytest
from rdkit import Chem

from tests.molecules.searches import DOCKING, DRUG, Pocket, history
from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial, Trials
from tgsci_molecules.insight.expected import predict


class NoSulfur(Pocket):
    """A pocket with a limit on structure."""

    def broken(self, mol: Chem.Mol) -> dict[str, float]:
        sulfurs = sum(atom.GetSymbol() == "S" for atom in mol.GetAtoms())
        return {"no sulfur": float(sulfurs)} if sulfurs else {}


@pytest.mark.slow
def test_expectations_are_close_where_much_is_known_and_wide_where_little_is() -> None:
    trials = history(DOCKING, evals=24)
    known = trials.ranked(1)[0]
    near, far, none = predict(trials, [known.value, "O=S(=O)(N1CCNCC1)c1ccc2ccccc2c1", "no molecule"])
    assert near is not None
    assert far is not None
    assert none is None
    assert abs(near.loss - known.loss) < 0.5
    assert near.sd < far.sd


@pytest.mark.slow
def test_any_spelling_will_do_and_equal_values_have_equal_expectations() -> None:
    trials = history(DOCKING, evals=12)
    first, second, third = predict(trials, ["OCCc1ccccc1", "c1ccc(CCO)cc1", "C" * 2_000])
    assert first == second
    assert third is None


def test_a_broken_limit_is_worse_than_anything() -> None:
    loss = NoSulfur()
    trials = Trials(history(DOCKING, evals=12), loss)
    kept, broken = predict(trials, ["CCOc1ccccc1", "CCSc1ccccc1"])
    assert kept is not None
    assert broken is not None
    assert broken.loss > kept.loss + 1e5


def test_nothing_is_expected_before_anything_was_measured() -> None:
    failed = Trial(0, 0, "CCO", state=State.FAILED, feedback=Feedback.failed("no pose"))
    assert predict(Trials([failed], DOCKING), ["CCO", "CCN"]) == [None, None]
    assert predict(Trials([], DOCKING), ["CCO"]) == [None]


@pytest.mark.slow
def test_a_loss_of_any_other_kind_is_learned_as_a_whole() -> None:
    (outlook,) = predict(history(DRUG, evals=12), ["CCOc1ccccc1"])
    assert outlook is not None
    assert math.isfinite(outlook.loss)
    assert outlook.sd > 0
