"""data/drugs-by-target.csv: a table that users copy from."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import Descriptors

from tgsci_molecules import canonical, target_names
from tgsci_molecules.preparation.crystal_ligand import known_smiles

ROWS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "drugs-by-target.csv").open(newline="")))


def test_there_are_many_drugs_for_many_targets() -> None:
    assert len(ROWS) >= 120
    assert len({row["target"] for row in ROWS}) >= 35
    assert {row["target"] for row in ROWS} <= set(target_names())


def test_each_is_a_molecule_that_can_be_docked_as_it_is_written() -> None:
    for row in ROWS:
        assert canonical(row["smiles"]) == row["smiles"], row["name"]
        assert 120 < Descriptors.MolWt(Chem.MolFromSmiles(row["smiles"])) < 800, row["name"]
        assert row["binding"]
        assert row["chembl_id"].startswith("CHEMBL")


def test_nothing_stands_there_twice() -> None:
    assert max(Counter((row["target"], row["name"]) for row in ROWS).values()) == 1
    assert len({row["smiles"] for row in ROWS}) == len({row["name"] for row in ROWS})


def test_known_ligand_codes_are_molecules() -> None:
    names = {row["name"]: row["smiles"] for row in ROWS}
    assert len(known_smiles()) > 60
    for code, (name, smiles) in known_smiles().items():
        assert code == code.upper()
        assert len(code) <= 3
        assert Chem.CanonSmiles(smiles)
        assert names.get(name, smiles) == smiles
