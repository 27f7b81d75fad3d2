"""Tables beside the code: comments are left out, and a bad row is named with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

import tgsci_molecules
from tgsci_molecules.tables import read_table


def test_each_row_becomes_an_object_by_the_names_of_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "groups.tsv"
    path.write_text("# what this is\nname\tsmiles\n\nmethyl\tC\n# a remark\nethyl\tCC\n")
    assert read_table(path, lambda row: (row["smiles"], row["name"])) == [("C", "methyl"), ("CC", "ethyl")]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("methyl", "1 cells, but 2 columns"),
        ("methyl\tC\tC", "3 cells, but 2 columns"),
        ("methyl\tx", "could not convert"),
    ],
)
def test_a_bad_row_says_its_file_and_line(tmp_path: Path, row: str, says: str) -> None:
    path = tmp_path / "groups.tsv"
    path.write_text(f"# what this is\nname\tfigure\nethyl\t2\n{row}\n")
    with pytest.raises(ValueError, match=f"groups.tsv, line 4: .*{says}"):
        read_table(path, lambda row: float(row["figure"]))


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "groups.tsv"
    path.write_text("name\nethyl\n")
    with pytest.raises(ValueError, match=r"groups\.tsv, line 2: there is no column 'smiles'"):
        read_table(path, lambda row: row["smiles"])


def test_every_table_of_the_package_has_a_header_and_no_ragged_row() -> None:
    tables = sorted(Path(tgsci_molecules.__file__).parent.rglob("*.tsv"))
    assert len(tables) >= 9
    for path in tables:
        rows = read_table(path, dict)
        assert len(rows) > 20
        assert all(any(row.values()) for row in rows)
