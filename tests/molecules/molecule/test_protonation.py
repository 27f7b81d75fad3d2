"""States of protonation: what a chemist expects at pH 7.4, and the plausible others."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

from tgsci_molecules import canonical
from tgsci_molecules.molecule.protonation import protonate, states_of
from tgsci_molecules.molecule.smiles import molecule


@pytest.mark.parametrize(
    ("name", "neutral", "at_ph_7"),
    [
        ("acid", "CC(=O)O", "CC(=O)[O-]"),
        ("amine", "CCCCN", "CCCC[NH3+]"),
        ("amidine", "NC(=N)c1ccccc1", "NC(=[NH2+])c1ccccc1"),
        ("phenol", "CC(=O)Nc1ccc(O)cc1", "CC(=O)Nc1ccc(O)cc1"),
        ("biphenol", "Oc1ccc(-c2ccccc2)cc1", "Oc1ccc(-c2ccccc2)cc1"),
        ("lactam", "O=c1[nH]cnc2ccccc12", "O=c1[nH]cnc2ccccc12"),
        ("tetrazole", "c1nnn[nH]1", "c1nnn[n-]1"),
        ("amide", "CC(N)=O", "CC(N)=O"),
        ("nitro", "O=[N+]([O-])c1ccccc1", "O=[N+]([O-])c1ccccc1"),
    ],
)
def test_protonation_is_what_a_chemist_expects(name: str, neutral: str, at_ph_7: str) -> None:
    assert canonical(protonate(neutral)) == canonical(at_ph_7)


def test_a_smiles_that_names_a_file_is_still_a_smiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "CCO").write_text("c1ccccc1\n")
    monkeypatch.chdir(tmp_path)
    assert protonate("CCO") == "CCO"


def test_states_of_protonation_begin_with_the_most_probable() -> None:
    assert states_of("C1CNCCN1", 1) == [protonate("C1CNCCN1")]
    charges = [Chem.GetFormalCharge(molecule(state)) for state in states_of("C1CNCCN1", 3)]
    assert charges[0] == 1
    assert sorted(charges) == [0, 1, 2]
    assert len(states_of("c1ccccc1", 5)) == 1
