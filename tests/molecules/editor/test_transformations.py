"""Every transformation fires, and what comes out is a molecule a chemist would accept on paper."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("rdkit")

from rdkit import Chem

from tgsci_molecules.editor.transformations import (
    KINDS,
    MAX_HEAVY_ATOMS,
    MAX_NEW_RING,
    TRANSFORMATIONS,
    Transformation,
    apply,
    finish,
    legal,
)

BY_NAME = {t.name: t for t in TRANSFORMATIONS}
ODD = [
    "C",
    "CCCCC",
    "c1ccccc1",
    "CC(N)=O",
    "[NH3+]CC(=O)[O-]",
    "C[N+](C)(C)CCO",
    "Cc1nc(Nc2ncc(s2)C(=O)Nc2c(C)cccc2Cl)cc(n1)N1CCN(CCO)CC1",
    "C1CCCCCCCCCCCC1=O",
    "CC[C@H](C)[C@@H](N)C(=O)O",
    "F/C=C/F",
    "O=[N+]([O-])c1ccccc1NN",
    "BrCCBr",
    "C#CC=C=C",
]


@pytest.mark.parametrize("transformation", TRANSFORMATIONS, ids=lambda t: t.name)
def test_fires_on_its_example(transformation: Transformation) -> None:
    products = apply(transformation, transformation.example)
    assert products
    assert len(set(products)) == len(products)
    example = Chem.CanonSmiles(transformation.example)
    for product in products:
        assert product != example
        assert product == Chem.CanonSmiles(product)
        assert "." not in product


def test_the_table_is_in_order() -> None:
    assert len(BY_NAME) == len(TRANSFORMATIONS)
    assert [k for k in KINDS if any(t.kind == k for t in TRANSFORMATIONS)] == list(KINDS)
    assert all(t.kind in KINDS for t in TRANSFORMATIONS)
    assert not any(", then " in t.name or " + " in t.name for t in TRANSFORMATIONS)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("aryl H to F", "c1ccccc1", ["Fc1ccccc1"]),
        ("methyl to CF3", "Cc1ccccc1", ["FC(F)(F)c1ccccc1"]),
        ("carboxylic acid to tetrazole", "OC(=O)c1ccccc1", ["c1ccc(-c2nnn[nH]2)cc1"]),
        ("ring CH to N", "c1ccccc1", ["c1ccncc1"]),
        ("N-methylation", "CC(=O)NC", ["CC(=O)N(C)C"]),
        ("amide to sulfonamide", "CC(=O)Nc1ccccc1", ["CS(=O)(=O)Nc1ccccc1"]),
        ("amide reversal", "CC(=O)Nc1ccccc1", ["CNC(=O)c1ccccc1"]),
        ("ring contraction", "C1CCCCC1", ["C1CCCC1"]),
        ("remove fused benzo ring", "c1ccc2ncccc2c1", ["c1ccncc1"]),
        ("anilide to indoline", "CC(=O)Nc1ccccc1", ["CC(=O)N1CCc2ccccc21"]),
        ("insert amide", "c1ccccc1-c1ccccc1", ["O=C(Nc1ccccc1)c1ccccc1"]),
    ],
)
def test_does_what_its_name_says(name: str, before: str, after: list[str]) -> None:
    assert apply(BY_NAME[name], before) == after


def test_where_it_does_not_fit_nothing_comes_out() -> None:
    assert apply(BY_NAME["aryl H to F"], "CCC") == []


def test_acetamide_grows_by_whole_rings() -> None:
    products = [p for t in TRANSFORMATIONS for p in apply(t, "CC(N)=O")]
    assert "CC(=O)Nc1ccccc1" in products
    assert max(Chem.MolFromSmiles(p).GetNumHeavyAtoms() for p in products) >= 12


@pytest.mark.slow
@pytest.mark.parametrize("smiles", ODD)
def test_odd_molecules_raise_nothing_and_gain_no_flaw(smiles: str) -> None:
    parent = Chem.CanonSmiles(smiles)
    for transformation in TRANSFORMATIONS:
        for product in apply(transformation, smiles):
            mol = Chem.MolFromSmiles(product)
            assert product == Chem.MolToSmiles(mol)
            assert product != parent
            assert legal(mol, parent)
            assert mol.GetNumHeavyAtoms() <= MAX_HEAVY_ATOMS


@pytest.mark.parametrize(
    "flawed",
    [
        "CNN",
        "COO",
        "CN(C)Cl",
        "CC(O)NC",
        "CC(=O)Cl",
        "C=C=C",
        "C1=CC=C1",
        "C1CO1",
        "CC=O",
        "CC(=O)OC(C)=O",
        "C1CCCCCCC1",
        "CC.CC",
    ],
)
def test_a_clean_parent_gets_no_flawed_product(flawed: str) -> None:
    assert finish(Chem.MolFromSmiles(flawed, sanitize=False), "CC") is None


def test_a_flawed_parent_keeps_its_flaw_and_can_still_be_edited() -> None:
    assert apply(BY_NAME["aryl H to F"], "CNNc1ccccc1")
    large = "O=C1CCCCCCCCCCCN1"
    mol = Chem.MolFromSmiles(large)  # kept: RDKit's ring info does not outlive its molecule
    assert max(len(ring) for ring in mol.GetRingInfo().AtomRings()) > MAX_NEW_RING
    assert apply(BY_NAME["N-methylation"], large) == ["CN1CCCCCCCCCCCC1=O"]


def test_no_molecule_is_refused() -> None:
    with pytest.raises(ValueError, match="not a molecule"):
        apply(TRANSFORMATIONS[0], "not a smiles")
    with pytest.raises(ValueError, match="rng"):
        apply(TRANSFORMATIONS[0], "c1ccccc1", sites=1)


@given(st.randoms(use_true_random=False), st.sampled_from(ODD), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_drawn_sites_are_a_part_of_all_sites(rng: random.Random, smiles: str, sites: int) -> None:
    transformation = rng.choice(TRANSFORMATIONS)
    drawn = apply(transformation, smiles, sites=sites, rng=rng)
    assert len(drawn) <= sites
    assert set(drawn) <= set(apply(transformation, smiles))


@given(st.integers(0, 2**32), st.sampled_from(ODD))
@settings(max_examples=25, deadline=None)
def test_walks_stay_in_chemistry(seed: int, smiles: str) -> None:
    rng = random.Random(seed)
    value = Chem.CanonSmiles(smiles)
    for _ in range(6):
        products = apply(rng.choice(TRANSFORMATIONS), value, sites=1, rng=rng)
        if products:
            value = products[0]
            assert value == Chem.CanonSmiles(value)
