"""`tgsci molecules design`: search for better molecules from a start."""

from __future__ import annotations

import argparse

from tgsci.cli import add_run_options, run_problem

from ..keys import KEYS
from .shared import Commands, add_settings


def add_design(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `design`: search for better molecules from a start."""
    parser = commands.add_parser(
        "design",
        help="search for molecules that dock better and look like drugs",
        description="Search for molecules with a lower loss: vina (kcal/mol) + 10 x (1 - QED). Every molecule is "
        "docked; the table, the poses and the record of the run are left in its directory.",
        epilog="Exit code: 0 done, 1 nothing could be measured, 2 bad input (nothing was started), 130 interrupted.",
    )
    parser.add_argument("--target", required=True, metavar="NAME", help="see: tgsci molecules targets")
    parser.add_argument("--start", required=True, nargs="+", metavar="SMILES", help="one molecule or several")
    parser.add_argument("--qed-weight", type=float, metavar="W", help="worth of one whole QED, kcal/mol (10)")
    add_settings(parser)
    add_run_options(parser)
    parser.set_defaults(run=run_design)


def run_design(arguments: argparse.Namespace) -> int:
    """Build the problem that the command line describes, and run it.

    Raises:
        UsageError: Bad input; nothing was started.
    """
    from .. import domain

    given = {key: getattr(arguments, key) for key in KEYS}
    return run_problem(domain.problem({key: value for key, value in given.items() if value is not None}), arguments)
