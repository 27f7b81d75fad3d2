"""QED in parts: its own alerts by name, and true prices of what can be changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import QED

from tgsci_molecules.molecule import properties
from tgsci_molecules.molecule.properties import alerts, qed_alerts, qed_prices
from tgsci_molecules.tables import read_table

NITRO = "Cc1ccc(NC(=O)c2ccccc2[N+](=O)[O-])cc1"


def test_every_alert_of_qed_has_a_name_and_every_name_an_alert() -> None:
    path = Path(properties.__file__).with_name("qed_alerts.tsv")
    rows = read_table(path, lambda row: (row["smarts"], row["name"]))
    assert [smarts for smarts, _ in rows] == list(QED.StructuralAlertSmarts)
    assert all(name == name.strip() and len(name) > 2 for _, name in rows)


@pytest.mark.parametrize(
    "smiles", [NITRO, "CC=O", "CCO", "O=C1C=CC(=O)C=C1", "Nc1ccc(O)cc1", "CCCCCCCC=C", "c1ccccc1I"]
)
def test_the_alerts_that_are_named_are_those_that_qed_counts(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    raised = qed_alerts(mol)
    assert len(raised) == QED.properties(mol).ALERTS
    assert all(alert.catalog == "QED" and alert.atoms and alert.fragment for alert in raised)


def test_names_are_a_chemists() -> None:
    assert "nitro" in [alert.name for alert in qed_alerts(Chem.MolFromSmiles(NITRO))]
    assert [alert.name for alert in qed_alerts(Chem.MolFromSmiles("CC=O"))] == ["aldehyde"]


@pytest.mark.parametrize("smiles", [NITRO, "CCO", "Cc1ccc(NC(=O)c2ccccc2)cc1"])
def test_prices_are_what_qed_says_of_the_changed_property(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    figures = QED.properties(mol)
    changes = {
        "one aromatic ring more": {"AROM": figures.AROM + 1},
        "14 g/mol more": {"MW": figures.MW + 14},
        "one donor more": {"HBD": figures.HBD + 1},
        "0.5 cLogP less": {"ALOGP": figures.ALOGP - 0.5},
        "one rotatable bond more": {"ROTB": figures.ROTB + 1},
    }
    prices = {price.name: price.change for price in qed_prices(mol)}
    for name, changed in changes.items():
        expected = QED.qed(mol, qedProperties=figures._replace(**changed)) - QED.qed(mol)
        assert prices[name] == pytest.approx(expected, abs=1e-9)


def test_nothing_goes_below_zero() -> None:
    prices = {price.name for price in qed_prices(Chem.MolFromSmiles("CCC"))}
    assert "one aromatic ring less" not in prices
    assert "one donor less" not in prices
    assert "0.5 cLogP less" in prices


@pytest.mark.parametrize(
    ("smiles", "name"),
    [
        ("CNc1ccc(NC)cc1", "p-phenylenediamine or p-aminophenol"),
        ("CN(C)CN(C)C", "aminal"),
        ("ClC(C)(C)c1ccccc1", "tertiary or benzylic halide"),
        ("ClCc1ccncc1", "tertiary or benzylic halide"),
        ("CCOC=CC", "enol ether"),
        ("CC(=O)n1ccnc1", "acylated azole"),
        ("COCN(C)C", "N,O- or N,S-acetal"),
        ("CC(=O)Oc1ccccc1", "aryl ester"),
        ("Oc1ccccc1O", "hydroquinone or catechol"),
        ("CC(=O)CCN(C)C", "Mannich base"),
        ("CC=NC", "imine"),
        ("NNc1ccccc1", "hydrazine"),
        ("CNN(C)C", "hydrazine"),
    ],
)
def test_what_falls_apart_or_is_oxidised_raises_an_alert(smiles: str, name: str) -> None:
    assert name in {alert.name for alert in alerts(Chem.MolFromSmiles(smiles)) if alert.catalog == "UNSTABLE"}


@pytest.mark.parametrize(
    "smiles",
    [
        "CC(=O)Nc1ccc(O)cc1",
        "c1ccc2c(c1)OCO2",
        "O=C(O)c1ccccc1",
        "CCOC(=O)c1ccccc1",
        "O=C1CSC(=O)N1",
        "FC(F)(F)c1ccccc1",
        "OCC1OC(O)C(O)C(O)C1O",
        "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
        "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1",
        "C=CC(=O)Nc1ccccc1",
    ],
)
def test_what_is_stable_enough_for_a_drug_raises_none(smiles: str) -> None:
    assert not alerts(Chem.MolFromSmiles(smiles), ["UNSTABLE"])
