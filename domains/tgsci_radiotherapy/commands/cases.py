"""`tgsci radiotherapy cases`: what there is to plan on, and what a case holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from tgsci.cli.command import command, option
from tgsci.show.tables import print_table

from ..notice import NOTICE

if TYPE_CHECKING:
    from ..case import Case


@command("cases", epilog=f"Exit code: 0 done, 2 there is no such case, or it is damaged. {NOTICE}")
@click.argument("names", nargs=-1, metavar="[CASE]...", help="a built-in case, or a .zarr file that import wrote")
@option("--json", "as_json", is_flag=True, help="one JSON object a line, for scripts")
def cases(names: tuple[str, ...], as_json: bool) -> int:
    """List the built-in cases, or say what a case holds.

    Of a case: beams, grids, structures with their volumes and overlaps, and where it comes from.
    `tgsci radiotherapy import` makes more.
    """
    from ..case.library import case_names, open_case
    from ..views.summary import case_dict

    if not names and not as_json:
        print_table(("case", "what it is"), [list(row) for row in case_names().items()], left=("case", "what it is"))
    for case in map(open_case, names or (case_names() if as_json else ())):
        if as_json:
            print(json.dumps(case_dict(case)))
        else:
            show_case(case)
    if not as_json:
        print(NOTICE)
    return 0


def show_case(case: Case) -> None:
    """Print what a case holds."""
    from ..views.summary import HEADER, case_lines, structure_rows

    print("\n".join(case_lines(case)))
    print_table(HEADER, structure_rows(case), left=("structure", "type", "overlaps with", "remark"))
    print()
