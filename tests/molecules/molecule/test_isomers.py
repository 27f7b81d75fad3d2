"""The forms of a molecule: each isomer once, tautomers a chemist would draw, states around pH 7.4."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.EnumerateStereoisomers import EnumerateStereoisomers

from tgsci_molecules.molecule.isomers import forms, has_shape, possible_stereoisomers, stereoisomers, tautomers
from tgsci_molecules.molecule.smiles import canonical, molecule, open_stereo


@pytest.mark.parametrize(
    ("smiles", "labels"),
    [
        ("CC(O)c1ccccc1", ["S", "R"]),
        ("CC=CC", ["Z", "E"]),
        ("C[C@H](O)CF", [""]),
        ("CC(O)C(C)O", ["S at C2, S at C4", "S at C2, R at C4", "R at C2, R at C4"]),  # one is meso
        ("CC1CCC(C)CC1", ["s at C2, s at C5", "r at C2, r at C5"]),
        ("NC(=N)c1ccccc1", [""]),  # charged at pH 7.4: no isomers
        ("Cc1cccc(C(=N)c2ccccc2)c1", [""]),  # an N-H imine turns over in water
        ("N=CC=CC", ["Z", "E"]),
        ("NC12CC3CC(CC(C3)C1)C2", [""]),
    ],
)
def test_each_isomer_once_with_its_name(smiles: str, labels: list[str]) -> None:
    found = list(stereoisomers(canonical(smiles)))
    assert [label for _, label in found] == labels
    assert all(open_stereo(molecule(isomer)) == [] for isomer, _ in found if labels != [""])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["C(F)", "C(C)", "C(O)", "C=C", "CC"]), min_size=1, max_size=4))
def test_as_many_isomers_as_rdkit_finds(parts: list[str]) -> None:
    smiles = canonical("c1ccccc1" + "".join(parts) + "N")
    ours = {isomer for isomer, _ in stereoisomers(smiles)}
    assert ours == {Chem.MolToSmiles(mol) for mol in EnumerateStereoisomers(Chem.MolFromSmiles(smiles))}
    assert len(ours) <= possible_stereoisomers(smiles)


@pytest.mark.parametrize(
    ("smiles", "relative"),
    [("CC(O)C(F)N", 2), ("CC(O)C=CC", 2), ("FC1CCCC(O)C1", 2), ("CC(O)C(F)C(N)Cl", 4), ("CC=CCC=CCO", 4)],
)
def test_one_of_each_relative_configuration_comes_before_any_mirror_image(smiles: str, relative: int) -> None:
    found = [isomer for isomer, _ in stereoisomers(canonical(smiles))][:relative]
    assert len(found) == relative
    for isomer in found:
        mirrored = "".join({"@": "@@", "@@": "@"}.get(part, part) for part in re.split("(@+)", isomer))
        assert canonical(mirrored) not in set(found) - {isomer}


def test_the_sides_of_a_large_ring_are_isomers() -> None:
    assert [label for _, label in stereoisomers(canonical("O=C1CCCC=CCCCCO1"))] == ["Z", "E"]
    assert possible_stereoisomers(canonical("CC1CCC(C)CC1")) == 2  # cis and trans: the two centres go together


def test_many_centres_are_sampled_the_same_way_each_time() -> None:
    smiles = canonical("C" + "C(O)" * 12 + "F")
    found = list(stereoisomers(smiles))
    assert 32 <= len(found) <= 64
    assert found == list(stereoisomers(smiles))
    assert possible_stereoisomers(smiles) == 2**12 or possible_stereoisomers(smiles) == 2**11


def test_a_bridge_across_the_wrong_sides_has_no_shape() -> None:
    camphor = [has_shape(isomer, 1) for isomer, _ in stereoisomers(canonical("CC1(C)C2CCC1(C)C(=O)C2"))]
    assert sorted(camphor) == [False, False, True, True]
    argatroban = "CC1CNc2c(cccc2S(=O)(=O)N[C@@H](CCCN=C(N)N)C(=O)N2CC[C@@H](C)C[C@@H]2C(=O)O)C1"
    assert [has_shape(isomer, 1) for isomer, _ in stereoisomers(canonical(argatroban))] == [True, True]


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("O=c1cccc[nH]1", ["O=c1cccc[nH]1", "Oc1ccccn1"]),
        ("Cc1cc[nH]n1", ["Cc1cc[nH]n1", "Cc1ccn[nH]1"]),
        ("c1nnn[nH]1", ["c1nnn[nH]1", "c1nn[nH]n1"]),
        ("CNC(C)=O", ["CNC(C)=O"]),  # no imidic acid
        ("CC(=O)CC(C)=O", ["CC(=O)CC(C)=O"]),  # no enol
        ("Nc1ncnc2nc[nH]c12", ["Nc1ncnc2nc[nH]c12", "Nc1ncnc2[nH]cnc12"]),  # adenine, no imine
        ("C[C@H](N)C(=O)O", ["C[C@H](N)C(=O)O"]),
    ],
)
def test_tautomers_are_those_that_a_chemist_would_draw(smiles: str, expected: list[str]) -> None:
    assert tautomers(smiles, 8) == expected
    assert tautomers(smiles, 1) == [smiles]


def test_the_defaults_add_nothing_to_a_plain_molecule() -> None:
    (only,) = forms("CCCCN", 2, 1, 1)
    assert [(form.smiles, form.label) for form in only] == [("CCCC[NH3+]", "")]


def test_isomers_tautomers_and_states_multiply_and_are_named() -> None:
    found = list(forms(canonical("CC(F)c1cc[nH]n1"), 2, 2, 1))
    assert [[form.label for form in isomer] for isomer in found] == [
        ["(S)", f"(S), tautomer {found[0][1].tautomer}"],
        ["(R)", f"(R), tautomer {found[1][1].tautomer}"],
    ]
