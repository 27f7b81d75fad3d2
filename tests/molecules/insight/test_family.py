"""Families: one stable, short name for every molecule with the same generic ring system."""

from __future__ import annotations

import pytest

from tgsci_molecules.insight.family import family, generic_scaffold


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("CC(N)=O", "acyclic"),
        ("c1ccccc1", "6"),
        ("O=C1CCCCN1C", "6"),
        ("c1ccc2[nH]ccc2c1", "5/6 xkc"),
        ("c1ccc(cc1)N1CCCC1", "5-6 ngp"),
        ("Cc1nc(Nc2ncc(C(=O)Nc3c(C)cccc3Cl)s2)cc(N2CCN(CCO)CC2)n1", "5-6-6-6 zqh"),
        ("not a molecule", "no molecule"),
        ("", "no molecule"),
    ],
)
def test_a_family_has_a_short_name_that_never_changes(value: str, name: str) -> None:
    assert family(value) == name


def test_atoms_bonds_and_substituents_do_not_make_a_family_but_linkers_do() -> None:
    assert family("c1ccncc1-c1ccccc1") == family("CC1CCC(CC1)C1CCCNC1=O")
    assert family("c1ccc(cc1)-c1ccccc1") != family("c1ccc(cc1)Cc1ccccc1")
    assert family("C1CCC2(CC1)CCCC2") != family("c1ccc2[nH]ccc2c1")  # spiro, fused
    assert family("C[C@H]1CC[C@@H](F)CC1") == "6"
    assert generic_scaffold("O=C1CCCCN1C") == "C1CCCCC1"
