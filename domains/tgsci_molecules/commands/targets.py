"""`tgsci molecules targets`: what there is to dock into."""

from __future__ import annotations

import argparse
import sys

from tgsci.errors import UsageError

from .shared import Commands


def add_targets(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `targets`: what there is to dock into."""
    parser = commands.add_parser("targets", help="list the targets that can be docked into")
    parser.add_argument("--match", default="", metavar="TEXT", help="only names that contain TEXT")
    parser.set_defaults(run=run_targets)


def run_targets(arguments: argparse.Namespace) -> int:
    """Print the names of the targets, in columns on a terminal and one a line elsewhere."""
    from ..protein.targets import target_names

    names = [name for name in target_names() if arguments.match.upper() in name]
    if not names:
        raise UsageError(f"no target contains {arguments.match!r}; there are {len(target_names())} without --match")
    if sys.stdout.isatty():
        from rich.columns import Columns
        from rich.console import Console

        Console().print(Columns(names, padding=(0, 2)))
    else:
        print("\n".join(names))
    return 0
