"""Sites that gain or lose a proton, with the pKa that tables of measured values give them."""

from __future__ import annotations

import pytest
from rdkit import Chem

from tgsci_molecules.molecule.ionisation import sites


@pytest.mark.parametrize(
    ("smiles", "acid", "measured"),
    [
        ("NCC#N", False, 5.3),
        ("NCC(F)F", False, 7.1),
        ("NCCO", False, 9.5),
        ("C1COCCN1", False, 8.4),
        ("CC(=O)N1CCNCC1", False, 7.9),
        ("c1ccc(N2CCNCC2)cc1", False, 8.8),
        ("NCC(N)=O", False, 8.0),
        ("NCc1ccccc1", False, 9.3),
        ("COc1ccncc1", False, 6.6),
        ("NC(=O)c1cccnc1", False, 3.4),
        ("Nc1cccc(N)n1", False, 6.1),
        ("Cc1ncc[nH]1", False, 7.9),
        ("Nc1ncc[nH]1", False, 8.5),
        ("c1ccc(-n2ccnc2)cc1", False, 6.1),
        ("O=[N+]([O-])c1ccc(O)cc1", True, 7.15),
        ("COC(=O)c1ccc(O)cc1", True, 8.4),
        ("Oc1c(Cl)cccc1Cl", True, 6.8),
        ("CS(=O)(=O)Nc1ccc([N+](=O)[O-])cc1Oc1ccccc1", True, 6.5),
    ],
)
def test_neighbours_shift_a_pka_as_measured(smiles: str, acid: bool, measured: float) -> None:
    (site,) = [s for s in sites(Chem.MolFromSmiles(smiles)) if s.acid is acid]
    assert site.pka == pytest.approx(measured, abs=0.85)


def test_an_atom_with_a_written_charge_is_no_site() -> None:
    assert not sites(Chem.MolFromSmiles("C[NH3+]"))
    assert not sites(Chem.MolFromSmiles("C[N+](C)(C)C"))


@pytest.mark.parametrize("smiles", ["CC(=O)N(C)C", "CN(C)N", "CON", "C=CN(C)C", "c1cc[nH]c1", "CC(=O)OC", "CCO", "CSN"])
def test_what_does_not_ionise_has_no_site(smiles: str) -> None:
    assert not sites(Chem.MolFromSmiles(smiles))


def test_two_acids_on_one_atom_group_are_two_sites() -> None:
    found = sites(Chem.MolFromSmiles("CP(=O)(O)O"))
    assert [site.acid for site in found] == [True, True]
