"""`tgsci molecules targets`: what there is to dock into."""

from __future__ import annotations

import argparse
import sys

from tgsci.errors import UsageError

from .shared import Commands

_HEADER = ["target", "protein", "UniProt", "species", "also known as", "residue numbers"]


def add_targets(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `targets`: what there is to dock into."""
    parser = commands.add_parser(
        "targets",
        help="list the targets that can be docked into",
        description="List the built-in targets. `tgsci molecules prepare` makes more, of your own proteins.",
        epilog="A target may also be named by a synonym: --target thrombin is --target F2.",
    )
    parser.add_argument(
        "--match", default="", metavar="TEXT", help="only those whose symbol, protein or synonym has TEXT"
    )
    parser.set_defaults(run=run_targets)


def run_targets(arguments: argparse.Namespace) -> int:
    """Print the targets: a table on a terminal; elsewhere tab-separated, the symbol first, without a header.

    Raises:
        UsageError: None matches.
    """
    from ..target.names import matching, proteins, suggestions
    from ..target.numbering import builtin_numbering
    from ..target.targets import target_names

    names = [name for name in matching(arguments.match) if name in target_names()]
    if not names:
        near = suggestions(arguments.match)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        raise UsageError(
            f"no target contains {arguments.match[:60]!r} in its names; {hint}"
            f"there are {len(target_names())} without --match"
        )
    rows = []
    for name in names:
        protein = proteins()[name]
        synonyms = ", ".join(protein.synonyms)
        rows.append([name, protein.name, protein.uniprot, protein.species, synonyms, builtin_numbering(name).scheme])
    if sys.stdout.isatty():
        _show(rows)
    else:
        print("\n".join("\t".join(row) for row in rows))
    return 0


def _show(rows: list[list[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in _HEADER:
        table.add_column(name, overflow="fold", no_wrap=name in ("target", "UniProt"))
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
