"""The careful measurement: more effort, other seeds, off-targets hardest; never a worse score than the first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tgsci_molecules import DockingLoss, Objective, Settings, Term
from tgsci_molecules.docking.vina import NOISE
from tgsci_molecules.objective.careful import careful
from tgsci_molecules.objective.presets import PRESETS
from tgsci_molecules.objective.transforms import Transform

QUICK = Settings(exhaustiveness=1, max_evals=500, conformers=1, box=14.0)


def test_more_effort_from_other_seeds_and_most_for_an_off_target() -> None:
    form = PRESETS["dockstring-jak2"]
    objective = Objective(form.targets, form.terms)
    confirmed = careful(objective).loss
    assert isinstance(confirmed, Objective)
    jak2, lck = map(confirmed.settings_in, confirmed.targets)
    effort = [each.exhaustiveness * each.conformers * each.max_evals for each in (Settings(), jak2, lck)]
    assert effort[0] * 2 < effort[1] < effort[2] <= 9 * effort[0]
    assert jak2.seed == lck.seed != Settings().seed
    assert confirmed.fingerprint != objective.fingerprint
    assert confirmed.formula == objective.formula
    assert objective.settings_in(objective.target) == Settings()
    assert objective.timeout is not None
    assert confirmed.timeout is not None
    assert confirmed.timeout > objective.timeout


def test_near_leaders_are_those_within_the_noise_in_the_unit_of_the_loss() -> None:
    assert careful(DockingLoss("ABL1")).margin == pytest.approx(NOISE)
    mean = Objective(
        "ABL1",
        [Term("vina", Transform("reverse_sigmoid", low=-12.0, high=-6.0)), Term("QED")],
        aggregate="arithmetic_mean",
    )
    assert 0 < careful(mean).margin < 0.5 * NOISE
    assert careful(Objective("ABL1", [Term("QED")])).margin == 0


def test_the_largest_settings_stay_in_their_ranges() -> None:
    most = Settings(exhaustiveness=256, conformers=10, ring_conformers=20, seed=2**31 - 1_001)
    harder = Settings.careful(most, harder=True)
    assert replace(harder, seed=most.seed) == most
    assert harder.seed != most.seed


@pytest.mark.slow
def test_care_never_gives_a_worse_score_than_haste() -> None:
    loss = DockingLoss("ABL1", QUICK)
    confirmed = careful(loss).loss
    for value in ("CC(=O)Nc1ccc(O)cc1", "Cc1ccccc1F"):
        first = loss.measure(value)
        second = confirmed.reconsider(value, confirmed.measure(value), first)
        assert second.metrics["vina"] <= first.metrics["vina"] + 0.002
