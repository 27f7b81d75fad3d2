"""States of protonation: what a chemist expects at pH 7.4, the real alternatives with their shares, and invariants."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

import tgsci_molecules
from tgsci.errors import InvalidValue, UsageError
from tgsci_molecules import canonical, protonate
from tgsci_molecules.molecule.protonation import shares, states_of
from tgsci_molecules.tables import read_table

#: Net charges at pH 7.4 that pKa values in the literature allow.
CHARGES = {
    "metformin 11.5, 2.8": ("CN(C)C(=N)NC(N)=N", {1}),
    "clozapine 7.6, 3.7": ("CN1CCN(C2=Nc3cc(Cl)ccc3Nc3ccccc32)CC1", {1}),
    "tacrine 9.8": ("Nc1c2c(nc3ccccc13)CCCC2", {1}),
    "4-aminopyridine 9.1": ("Nc1ccncc1", {1}),
    "DMAP 9.6": ("CN(C)c1ccncc1", {1}),
    "sulfathiazole 7.1": ("Nc1ccc(S(=O)(=O)Nc2nccs2)cc1", {-1}),
    "sulfapyridine 8.4": ("Nc1ccc(S(=O)(=O)Nc2ccccn2)cc1", {0}),
    "warfarin 5.0": ("CC(=O)CC(c1ccccc1)c1c(O)c2ccccc2oc1=O", {-1}),
    "phenytoin 8.3": ("O=C1NC(=O)C(c2ccccc2)(c2ccccc2)N1", {0}),
    "amlodipine 8.6": ("CCOC(=O)C1=C(COCCN)NC(C)=C(C(=O)OC)C1c1ccccc1Cl", {1}),
    "dacarbazine, a triazene": ("CN(C)N=Nc1[nH]cnc1C(N)=O", {0}),
    "an enaminone": ("CNC(C)=CC(C)=O", {0}),
    "N-hydroxypiperidine": ("ON1CCCCC1", {0}),
    "isocarboxazid, a hydrazide": ("Cc1cc(C(=O)NNCc2ccccc2)no1", {0}),
    "an acylhydrazone": ("CC(C)=NNC(=O)c1ccncc1", {0}),
    "selumetinib, an N-alkoxyamide": ("Cn1cnc2c(F)c(Nc3ccc(Br)cc3Cl)c(C(=O)NOCCO)cc21", {0}),
    "vorinostat 9.2": ("O=C(CCCCCCC(=O)Nc1ccccc1)NO", {0}),
    "triethylenephosphoramide": ("O=P(N1CC1)(N1CC1)N1CC1", {0}),
    "valsartan 3.9, 4.7": ("CCCCC(=O)N(Cc1ccc(-c2ccccc2-c2nnn[nH]2)cc1)C(C(=O)O)C(C)C", {-2}),
    "cimetidine 6.8": ("CNC(=NC#N)NCCSCc1nc[nH]c1C", {0}),
    "ciprofloxacin 6.1, 8.7": ("O=C(O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O", {0}),
    "methotrexate 3.4, 4.8, 5.7": ("CN(Cc1cnc2nc(N)nc(N)c2n1)c1ccc(C(=O)NC(CCC(=O)O)C(=O)O)cc1", {-2}),
    "prazosin 6.5": ("COc1cc2nc(N3CCN(C(=O)c4ccco4)CC3)nc(N)c2cc1OC", {0}),
    "uric acid 5.4": ("O=c1[nH]c(=O)c2[nH]c(=O)[nH]c2[nH]1", {-1}),
    "acetazolamide 7.2": ("CC(=O)Nc1nnc(S(N)(=O)=O)s1", {-1, 0}),
    "meloxicam 4.1": ("Cc1cnc(NC(=O)C2=C(O)c3ccccc3S(=O)(=O)N2C)s1", {-1}),
    "bosutinib 7.9, 4.8": ("COc1cc(Nc2c(C#N)cnc3cc(OCCCN4CCN(C)CC4)c(OC)cc23)c(Cl)cc1Cl", {1}),
    "propranolol 9.5": ("CC(C)NCC(O)COc1cccc2ccccc12", {1}),
    "zanamivir": ("CC(=O)NC1C(NC(=N)N)C=C(C(=O)O)OC1C(O)C(O)CO", {0}),
    "pentachlorophenol 4.7": ("Oc1c(Cl)c(Cl)c(Cl)c(Cl)c1Cl", {-1}),
    "estradiol 10.4": ("CC12CCC3c4ccc(O)cc4CCC3C1CCC2O", {0}),
    "spermidine 10.9, 9.8, 8.3": ("NCCCCNCCCN", {3}),
    "piperazine 9.7, 5.4": ("C1CNCCN1", {1}),
    "cyclen 10.6, 9.6, 1.5": ("C1CNCCNCCNCCN1", {2}),
    "glibenclamide-like sulfonylurea 5.3": ("Cc1cnc(C(=O)NCCc2ccc(S(=O)(=O)NC(=O)NC3CCCCC3)cc2)cn1", {-1}),
    "nafamostat": ("N=C(N)Nc1ccc(C(=O)Oc2ccc3cc(C(=N)N)ccc3c2)cc1", {2}),
    "minoxidil, an N-oxide": ("Nc1cc(N2CCCCC2)nc(N)[n+]1[O-]", {0}),
    "metronidazole 2.6": ("Cc1ncc([N+](=O)[O-])n1CCO", {0}),
    "teriflunomide 3.1": ("CC(O)=C(C#N)C(=O)Nc1ccc(C(F)(F)F)cc1", {-1}),
    "lawsone 4.0": ("O=C1C=C(O)C(=O)c2ccccc21", {-1}),
    "glyphosate 2.3, 5.7, 10.2": ("O=C(O)CNCP(=O)(O)O", {-2}),
    "5-azaindole 8.3": ("c1cc2[nH]ccc2cn1", {1}),
    "7-azaindole 4.6": ("c1cnc2[nH]ccc2c1", {0}),
    "2,2,2-trifluoroethylamine 5.7": ("NCC(F)(F)F", {0}),
    "2-fluoroethylamine 9.0": ("NCCF", {1}),
    "triethanolamine 7.8": ("OCCN(CCO)CCO", {1, 0}),
    "cetirizine 8.3": ("O=C(O)COCCN1CCN(C(c2ccccc2)c2ccc(Cl)cc2)CC1", {0}),
    "liothyronine 8.4": ("NC(Cc1cc(I)c(Oc2ccc(O)c(I)c2)c(I)c1)C(=O)O", {0}),
}


def _charge(smiles: str, ph: float = 7.4) -> int:
    return Chem.GetFormalCharge(protonate(smiles, ph).mol)


@pytest.mark.parametrize("name", CHARGES)
def test_the_charge_is_what_measured_pka_values_say(name: str) -> None:
    smiles, charges = CHARGES[name]
    assert _charge(smiles) in charges, protonate(smiles)


def test_the_charges_of_many_classes_of_drugs_are_those_that_were_measured() -> None:
    wrong = []
    for row in read_table(Path(__file__).with_name("charges.tsv"), dict):
        if _charge(row["smiles"]) not in map(int, row["charges"].split()):
            wrong.append(f"{row['name']}: {protonate(row['smiles'])}")
    assert not wrong


@pytest.mark.parametrize(
    ("neutral", "at_ph_7"),
    [
        ("CC(=O)O", "CC(=O)[O-]"),
        ("CCCCN", "CCCC[NH3+]"),
        ("NC(=N)c1ccccc1", "NC(=[NH2+])c1ccccc1"),
        ("CC(=O)Nc1ccc(O)cc1", "CC(=O)Nc1ccc(O)cc1"),
        ("O=c1[nH]cnc2ccccc12", "O=c1[nH]cnc2ccccc12"),
        ("c1nnn[nH]1", "c1nnn[n-]1"),
        ("CC(N)=O", "CC(N)=O"),
        ("O=[N+]([O-])c1ccccc1", "O=[N+]([O-])c1ccccc1"),
        ("NCCc1c[nH]cn1", "[NH3+]CCc1c[nH]cn1"),
        ("CP(=O)(O)O", "CP(=O)(O)[O-]"),
    ],
)
def test_the_proton_sits_where_a_chemist_expects_it(neutral: str, at_ph_7: str) -> None:
    assert canonical(protonate(neutral)) == canonical(at_ph_7)


def test_a_charge_that_is_written_is_kept() -> None:
    assert protonate("[NH3+]c1ccccc1") == "[NH3+]c1ccccc1"  # aniline, 4.6
    assert protonate("[O-]c1ccccc1") == "[O-]c1ccccc1"  # phenol, 10.0
    assert _charge("[O-]c1ccc(CN)cc1") == 0  # and the rest is as it would be


def test_the_ph_can_be_chosen() -> None:
    assert [_charge("NCC(=O)O", ph) for ph in (1.0, 7.4, 12.0)] == [1, 0, -1]
    for bad in (-1.0, 15.0, float("nan"), "7", [7], None):
        with pytest.raises(UsageError, match="ph"):
            protonate("CCN", bad)  # type: ignore[arg-type]
    for wrong in ("C1CC", ""):
        with pytest.raises(InvalidValue):
            protonate(wrong)


def test_a_smiles_that_names_a_file_is_still_a_smiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "CCO").write_text("c1ccccc1\n")
    monkeypatch.chdir(tmp_path)
    assert protonate("CCO") == "CCO"


def test_alternatives_are_those_that_are_really_there_with_their_shares() -> None:
    first, second = states_of("CCCN1CCOCC1", 5)  # N-propylmorpholine: near 7.4
    assert {Chem.GetFormalCharge(state.smiles.mol) for state in (first, second)} == {0, 1}
    assert first.share >= second.share > 0.2
    assert first.smiles == protonate("CCCN1CCOCC1")
    assert len(states_of("CCCN1CCOCC1", 1)) == 1
    assert [state.smiles for state in states_of("C1CNCCN1", 3)] == [protonate("C1CNCCN1")]  # the dication: 1%
    assert len(states_of("c1ccccc1", 5)) == 1


_MANY = [smiles for smiles, _ in CHARGES.values()]


@settings(deadline=None)
@given(st.sampled_from(_MANY), st.floats(0, 14))
def test_protonation_moves_only_protons(smiles: str, ph: float) -> None:
    written = Chem.MolFromSmiles(smiles)
    found = shares(smiles, ph)
    assert sum(state.share for state in found) == pytest.approx(1, abs=0.05)
    for state in found:
        mol = Chem.MolFromSmiles(state.smiles)
        assert sorted(a.GetSymbol() for a in mol.GetAtoms()) == sorted(a.GetSymbol() for a in written.GetAtoms())
        assert mol.GetNumBonds() == written.GetNumBonds()
        hydrogens = [sum(a.GetTotalNumHs() for a in m.GetAtoms()) for m in (mol, written)]
        assert hydrogens[0] - hydrogens[1] == Chem.GetFormalCharge(mol) - Chem.GetFormalCharge(written)


@settings(deadline=None)
@given(st.sampled_from(_MANY), st.floats(0, 14), st.floats(0, 14))
def test_a_higher_ph_never_adds_a_proton_on_average(smiles: str, one: float, other: float) -> None:
    low, high = sorted((one, other))

    def mean(ph: float) -> float:
        found = shares(smiles, ph)
        whole = sum(state.share for state in found)
        return sum(state.share * Chem.GetFormalCharge(state.smiles.mol) for state in found) / whole

    assert mean(high) <= mean(low) + 0.02


def test_protonate_is_public() -> None:
    assert tgsci_molecules.protonate is protonate
