"""What several commands share: the docking options, tables on a terminal and for scripts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..job import SETTINGS

if TYPE_CHECKING:
    from ..docking.vina import Settings

Commands = argparse._SubParsersAction


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options of `Settings`; one that is not given keeps the default of `Settings`."""
    group = parser.add_argument_group("docking", "the default is fast: 1 to 4 CPU seconds a drug")
    group.add_argument("--exhaustiveness", type=int, metavar="N", help="restarts of the search (8)")
    group.add_argument("--max-evals", type=int, metavar="N", help="energy evaluations of each (20000); 0: no cap")
    group.add_argument("--box", type=float, metavar="A", help="smallest edge of the box, Angstrom (22)")
    group.add_argument("--conformers", type=int, metavar="N", help="starting conformers, each docked (2)")
    group.add_argument("--isomers", type=int, metavar="N", help="stereoisomers docked where stereo is left open (2)")
    group.add_argument("--tautomers", type=int, metavar="N", help="tautomers docked; 1: as written (1)")
    group.add_argument("--states", type=int, metavar="N", help="states of protonation docked around pH 7.4 (1)")
    group.add_argument(
        "--ring-conformers", type=int, metavar="N", help="conformers where a ring has 8 atoms or more (4)"
    )
    group.add_argument("--docking-seed", type=int, metavar="N", help="of conformers and search (1)")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that the options of `add_settings` ask for.

    Raises:
        UsageError: One is out of its range.
    """
    from ..docking.vina import Settings

    given = {field: getattr(arguments, key, None) for key, field in SETTINGS.items()}
    return Settings(**{field: value for field, value in given.items() if value is not None})


def positive(text: str) -> int:
    """An option that is a whole number above 0."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text!r}")
    return int(text)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal, tab-separated elsewhere, so that a script or a spreadsheet can read it."""
    if not sys.stdout.isatty():
        from tgsci.show.tables import cell

        print("\n".join("\t".join(map(cell, row)) for row in [header, *rows]))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in header:
        table.add_column(name, justify="left" if name == "SMILES" else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(text) for text in row))  # Text: [C@H] is no markup
    Console().print(table)
