"""`molecules.csv`, every trial of a run, and `molecules-columns.csv`, what each of its columns means."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tgsci.files import write_atomically

from .columns import Column, columns_of
from .figures import row_cell

if TYPE_CHECKING:
    from tgsci.runs.result import Result

#: The table, and the sheet that explains it.
FILE, COLUMNS_FILE = "molecules.csv", "molecules-columns.csv"


def write_table(result: Result, directory: Path) -> Sequence[Path]:
    """Write the table of all trials, best first, and the sheet that explains its columns.

    Args:
        result: A run's.
        directory: Must exist.

    Returns:
        Both paths.
    """
    columns = columns_of(result)
    table, sheet = directory / FILE, directory / COLUMNS_FILE
    write_atomically(table, _table(result, columns))
    write_atomically(sheet, _sheet(columns))
    return [table, sheet]


def _table(result: Result, columns: Sequence[Column]) -> str:
    ranks = {trial.number: rank for rank, trial in enumerate(result.trials.ranked(), 1)}
    rows = sorted(result.trials, key=lambda t: (ranks.get(t.number, math.inf), t.number))
    return _csv([[column.title for column in columns], *([c.text(trial) for c in columns] for trial in rows)])


def _sheet(columns: Sequence[Column]) -> str:
    head = ["column", "unit", "kind", "better", "meaning"]
    return _csv([head, *([c.title, c.unit, c.kind, c.better, c.meaning] for c in columns)])


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(map(row_cell, row))
    return text.getvalue()
