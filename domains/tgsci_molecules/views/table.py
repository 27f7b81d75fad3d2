"""`molecules.csv`, every trial of a run, and `molecules-columns.csv`, what each of its columns means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tgsci.files import write_atomically
from tgsci.show.columns import columns_csv, trials_csv

from .columns import columns_of

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
    write_atomically(table, trials_csv(result, columns))
    write_atomically(sheet, columns_csv(columns))
    return [table, sheet]
