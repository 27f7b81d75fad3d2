"""`tgsci radiotherapy cases`: what there is to plan on, and what a case holds."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from ..notice import NOTICE
from .extra import needs_extra
from .shared import Commands, print_table

if TYPE_CHECKING:
    from ..case import Case


def add_cases(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `cases`: what there is to plan on."""
    parser = commands.add_parser(
        "cases",
        help="list the built-in cases, or say what a case holds",
        description="Without a case: list the built-in ones. With one: beams, grids, structures with their volumes and "
        "overlaps, and where it comes from. `tgsci radiotherapy import` makes more.",
        epilog=f"Exit code: 0 done, 2 there is no such case, or it is damaged. {NOTICE}",
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="a built-in case, or a .zarr file that import wrote")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for scripts")
    parser.set_defaults(run=needs_extra(run_cases))


def run_cases(arguments: argparse.Namespace) -> int:
    """Print what the command line asks for.

    Raises:
        UsageError: There is no such case, or it is damaged.
    """
    from ..case.library import case_names, open_case
    from ..views.summary import case_dict

    if not arguments.cases and not arguments.json:
        print_table(("case", "what it is"), [list(row) for row in case_names().items()], left=("case", "what it is"))
    for case in map(open_case, arguments.cases or (case_names() if arguments.json else ())):
        if arguments.json:
            print(json.dumps(case_dict(case)))
        else:
            show_case(case)
    if not arguments.json:
        print(NOTICE)
    return 0


def show_case(case: Case) -> None:
    """Print what a case holds."""
    from ..views.summary import HEADER, case_lines, structure_rows

    print("\n".join(case_lines(case)))
    print_table(HEADER, structure_rows(case), left=("structure", "type", "overlaps with", "remark"))
    print()
