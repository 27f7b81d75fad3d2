"""What several commands share: tables on a terminal and for scripts, and types of options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

Commands = argparse._SubParsersAction


def positive(text: str) -> int:
    """An option that is a whole number above 0."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text!r}")
    return int(text)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[str] = ()) -> None:
    """A table on a terminal, tab-separated elsewhere, so that a script can read it.

    Args:
        header: Titles of the columns.
        rows: A text a cell.
        left: Titles of the columns that hold words.
    """
    if not sys.stdout.isatty():
        print("\n".join("\t".join(row) for row in [header, *rows]))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in header:
        table.add_column(name, justify="left" if name in left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: a name from a file is no markup
    Console().print(table)
