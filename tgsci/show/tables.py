"""Tables: on a terminal, tab-separated for scripts, and as CSV that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Collection, Iterable, Sequence

from ..basics.texts import one_line

#: How formulas begin in a spreadsheet, the full-width signs included.
_FORMULA = ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}", "\N{FULLWIDTH HYPHEN-MINUS}",
            "\N{FULLWIDTH COMMERCIAL AT}")  # fmt: skip
#: A number, with a unit or without.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?( [A-Za-z%]+)?")


def print_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: Collection[str] = (),
    unbroken: Collection[str] = (),
    titled: bool = True,
) -> None:
    """Print a table: with lines on a terminal, tab-separated elsewhere, so that a script or a spreadsheet can read it.

    Args:
        header: Titles of the columns.
        rows: A text a cell.
        left: Titles of the columns that hold words; the others are right-aligned.
        unbroken: Titles of the columns whose cells stay on one line.
        titled: False leaves the header out where scripts read.
    """
    if not sys.stdout.isatty():
        print("\n".join("\t".join(map(cell, row)) for row in [*([header] if titled else []), *rows]))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in header:
        table.add_column(
            Text(name), justify="left" if name in left else "right", overflow="fold", no_wrap=name in unbroken
        )
    for row in rows:
        table.add_row(*map(Text, row))  # Text: [C@H] and a name from a file are no markup
    Console().print(table)


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Write rows as CSV, each cell as `cell` does."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(map(cell, row))
    return text.getvalue()


def cell(text: str) -> str:
    """Write a text for a spreadsheet: on one line, an apostrophe before what would be run as a formula.

    Finite numbers stay numbers, also with a unit; `-inf` is none for a spreadsheet, which would look a name up.
    """
    line = one_line(text)
    return f"'{line}" if line.startswith(_FORMULA) and not _NUMBER.fullmatch(line) else line
