"""Tables that stand beside the code: tab-separated files with a header; lines that begin with # are comments."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

Row = TypeVar("Row")


def read_table(path: Path, make: Callable[[Mapping[str, str]], Row]) -> list[Row]:
    """Read a table, each row made into what it stands for.

    Args:
        path: The file.
        make: Turns a row's cells, by the names of their columns, into an object; raises `ValueError` or `KeyError`
            for a row that is wrong.

    Raises:
        ValueError: A row has too few or too many cells, or `make` refuses it; names the file and the line.
    """
    rows: list[Row] = []
    with path.open(encoding="utf-8", newline="") as file:
        lines = [(number, line) for number, line in enumerate(file, 1) if line.strip() and not line.startswith("#")]
    reader = csv.reader((line for _, line in lines), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(reader)
    for (number, _), cells in zip(lines[1:], reader, strict=True):
        try:
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} cells, but {len(header)} columns")
            rows.append(make(dict(zip(header, cells, strict=True))))
        except KeyError as error:
            raise ValueError(f"{path.name}, line {number}: there is no column {error}") from error
        except ValueError as error:
            raise ValueError(f"{path.name}, line {number}: {error}") from error
    return rows
