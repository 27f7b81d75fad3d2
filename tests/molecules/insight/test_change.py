"""Names of changes: equal for equal changes, whatever molecule they were made on; none where too much has changed."""

from __future__ import annotations

import pytest

from tgsci_molecules.insight.change import change


@pytest.mark.parametrize(
    ("parent", "child", "name"),
    [
        ("Cc1ccc(NC(=O)c2ccccc2)cc1", "Cc1ccc(NC(=O)c2ccc(F)cc2)cc1", "H to F on an aromatic ring (end)"),
        ("c1ccc(Cc2ccc(CC3CC3)cc2)cc1", "c1ccc(Cc2ccc(CC3CC3)c(F)c2)cc1", "H to F on an aromatic ring (middle)"),
        ("c1ccccc1", "Oc1ccccc1", "H to O on an aromatic ring (the only one)"),
        ("c1ccc(Cc2ccccc2)cc1", "c1ccc(Cc2ccncc2)cc1", "CH to N in an aromatic ring (end)"),
        ("CN1CCNCC1", "CN1CCOCC1", "NH to O in a ring (the only one)"),
        ("Cc1ccc2[nH]ccc2c1", "Cc1ccc2[nH]ncc2c1", "CH to N in an aromatic ring (the only one)"),
        ("c1ccc2[nH]ccc2c1", "Cn1ccc2ccccc21", "H to C on the N of an aromatic ring (the only one)"),
        ("CC(C)C", "CC(C)(C)C", "H to C on a chain carbon"),
        ("O=C(Nc1ccccc1)c1ccccc1", "O=S(=O)(Nc1ccccc1)c1ccccc1", "*C(*)=O to *S(*)(=O)=O"),
        ("O=C(Nc1ccccc1)c1ccccc1", "O=C(NCc1ccccc1)c1ccccc1", "*N* to *CN*"),
        ("Cc1ccc(C(=O)NC2CC2)cc1", "Cc1ccc(NC(=O)C2CC2)cc1", "*NC(*)=O turned round"),
        ("C[C@H](N)c1ccccc1", "C[C@@H](N)c1ccccc1", "other stereochemistry"),
        ("CC(N)c1ccccc1", "C[C@@H](N)c1ccccc1", "other stereochemistry"),
    ],
)
def test_a_change_has_a_name_that_a_chemist_knows(parent: str, child: str, name: str) -> None:
    assert change(parent, child) == name


def test_equal_changes_have_equal_names_and_the_way_back_another() -> None:
    there = change("Cc1ccc(NC(=O)c2ccccc2)cc1", "Cc1ccc(NC(=O)c2ccc(F)cc2)cc1")
    assert change("CCOc1ccccc1-c1ccncc1", "CCOc1ccccc1-c1ccnc(F)c1") == there
    assert change("Cc1ccc(NC(=O)c2ccc(F)cc2)cc1", "Cc1ccc(NC(=O)c2ccccc2)cc1") == "F to H on an aromatic ring (end)"


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        ("CC", "CC"),
        ("OCC", "CCO"),
        ("not a molecule", "CC"),
        ("CC", ""),
        ("CC(N)=O", "c1ccc(cc1)-c1ccc(cc1)-c1ccccc1CCO"),
        ("C" * 1_000, "CC"),
    ],
)
def test_no_change_and_too_much_of_it_have_no_name(parent: str, child: str) -> None:
    assert change(parent, child) == ""
