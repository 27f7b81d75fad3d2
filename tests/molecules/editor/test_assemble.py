"""Molecules from building blocks, and the ranking that finds the best of a pool."""

from __future__ import annotations

import random

import numpy as np
import pytest

pytest.importorskip("rdkit")

from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from tests.molecules.searches import DOCKING, history
from tgsci_molecules.editor.assemble import BLOCKS, CORES, assemble, block, caps_of, graft, linkers_on
from tgsci_molecules.editor.candidates import Candidate
from tgsci_molecules.editor.descriptors import descriptors
from tgsci_molecules.editor.predictor import FOREMOST, Predictor
from tgsci_molecules.molecule.smiles import canonical


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_every_core_carries_every_cap_on_every_linker(core):
    for n, end in enumerate(core.sits_on):
        assert linkers_on(end), end
        for linker in linkers_on(end):
            for _, cap in caps_of(linker.carries):
                arms = ["C", "C"]
                arms[n] = linker.smiles + cap
                assert Chem.MolFromSmiles(core.smiles.format(*arms)) is not None, (core, linker, cap)


def test_names_of_blocks_say_what_they_are():
    for kind in ("core", "cap"):
        names = [block.name for block in BLOCKS if block.block == kind]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("kind", "smiles", "sits_on", "says"),
    [
        ("brick", "C", "aromatic", "no block 'brick'"),
        ("cap", "C", "amin", "no end amin"),
        ("core", "c1({})ccccc1", "aromatic;aromatic", "two ends"),
        ("cap", "c1ccccc", "aromatic", "no SMILES"),
    ],
)
def test_a_row_that_is_no_block_is_refused(kind, smiles, sits_on, says):
    with pytest.raises(ValueError, match=says):
        block({"block": kind, "name": "x", "smiles": smiles, "sits on": sits_on, "carries": ""})


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_what_is_assembled_can_be_docked_and_says_of_what(seed):
    found = assemble(random.Random(seed))
    if found is not None:
        smiles, words = found
        assert canonical(smiles) == smiles
        assert words.startswith("assemble ")
        assert " with " in words
        assert assemble(random.Random(seed)) == found


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_graft_keeps_one_side_of_the_molecule(seed):
    before = "O=C(NCc1cc2ccccc2o1)N1CC(Oc2ccc3c(c2)CCC3)C1"
    found = graft(before, random.Random(seed))
    if found is not None:
        smiles, words = found
        assert canonical(smiles) == smiles != before
        assert words.startswith("replace a side by ")
        rings = ["c1ccc2occc2c1", "C1CNC1", "c1ccc2CCCc2c1"]
        assert any(Chem.MolFromSmiles(smiles).HasSubstructMatch(Chem.MolFromSmiles(ring)) for ring in rings)


def test_nothing_is_grafted_where_nothing_can_be_cut():
    assert graft("c1ccccc1", random.Random(0)) is None


@pytest.mark.slow
def test_a_fragment_start_soon_gives_molecules_of_a_drugs_size():
    trials = history(DOCKING, "CC(N)=O", 9)
    assert all(descriptors(t.value).size >= 15 for t in trials[1:5])
    assert any("assemble" in t.edit for t in trials)


@pytest.mark.slow
def test_a_lead_is_edited_and_not_replaced():
    trials = history(DOCKING, "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1", 9)
    assert len(trials) == 9
    assert not any("assemble" in t.edit or "replace a side" in t.edit for t in trials)


@pytest.mark.slow
def test_the_foremost_of_a_pool_are_found_however_many_only_seem_good():
    """Molecules whose drug-likeness looks ideal at a glance, but is not, once hid the best from the ranking."""
    trials = history(DOCKING)
    predictor = Predictor(trials)
    rng = random.Random(3)
    parent = trials[0]
    smiles = dict.fromkeys(found[0] for _ in range(400) if (found := assemble(rng)))
    pool = [Candidate(s, parent, ("assembled",), (s,)) for s in smiles]
    molecules = [c.descriptors for c in pool]
    outlook = predictor.predict(molecules)
    hope = outlook.loss + np.array([predictor.drawback(f) for f in molecules]) - outlook.sd
    expected = [pool[i].smiles for i in np.argsort(np.round(hope, 6), kind="stable")[:FOREMOST]]
    assert [c.smiles for c in predictor.order(pool, 1.0)[:FOREMOST]] == expected


@pytest.mark.slow
def test_a_short_list_may_be_shorter_than_the_foremost():
    trials = history(DOCKING)
    rng = random.Random(3)
    made = dict.fromkeys(found[0] for _ in range(40) if (found := assemble(rng)))
    pool = [Candidate(smiles, trials[0], ("assembled",), (smiles,)) for smiles in made]
    predictor = Predictor(trials)
    assert predictor.order(pool, 1.0, 4) == predictor.order(pool, 1.0)[:4]


@pytest.mark.parametrize(
    ("smiles", "rings"),
    [("CCO", 0), ("c1ccccc1", 1), ("c1ccc2[nH]ccc2c1", 2), ("C1CC2(C1)CCC2", 1), ("c1cc2ccc3cccc4ccc(c1)c2c34", 4)],
)
def test_rings_of_a_fused_system_are_counted(smiles, rings):
    assert descriptors(smiles).fused == rings
