"""The reasons of the rule editor are true."""

from __future__ import annotations

import itertools
import re

import pytest

from tgsci_molecules.editor.descriptors import descriptors
from tgsci_molecules.editor.reasons import diagnosis

MANY = [
    "Cc1nc(Nc2ncc(C(=O)Nc3c(C)cccc3Cl)s2)cc(N2CCN(CCO)CC2)n1",
    "c1ccc(-c2ccc(-c3ccccc3)cc2)cc1",
    "CC1CCC(c2ccc(-c3ccccc3)cc2)CC1",
    "O=C(O)c1ccccc1O",
    "CCCCCCCCCCCC",
    "Nc1ccc(N)cc1",
    "O=C(NC1CC1)c1ccc2ccccc2c1",
    "CC(=O)Nc1ccc(O)cc1",
    "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1",
]


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(MANY, 2)))
def test_what_is_said_of_qed_is_so(one: str, other: str) -> None:
    before, after = descriptors(one), descriptors(other)
    said = diagnosis(before, after)
    figures = re.findall(r"(-?[\d.]+) -> (-?[\d.]+)", said)
    assert all(a != b for a, b in figures), said
    if re.search(r"QED most|QED gains", said):
        assert after.qed > before.qed or "alerts" in said, said
    if "QED falls" in said:
        assert after.qed < before.qed - 0.02
    if "stays" in said:
        assert after.qed >= before.qed - 0.02


def test_aromatic_rings_that_stay_are_no_reason() -> None:
    before, after = descriptors(MANY[0]), descriptors(MANY[0].replace("CCO", "CCCCO"))
    assert before.properties["aromatic rings"] == after.properties["aromatic rings"]
    assert "aromatic" not in diagnosis(before, after)
