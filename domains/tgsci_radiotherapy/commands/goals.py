"""`tgsci radiotherapy goals`: the sheets of clinical goals, and what one asks for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tgsci.errors import UsageError

from ..notice import NOTICE
from .extra import needs_extra
from .shared import Commands, print_table

if TYPE_CHECKING:
    from ..goals import Goal, Sheet


def add_goals(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `goals`: the sheets of clinical goals."""
    parser = commands.add_parser(
        "goals",
        help="list the sheets of clinical goals, or print one with its sources",
        description="Without a sheet: list those that come with the package. With one, by name or as a .toml file: "
        "check it and print its goals and where they come from. To write your own, begin with one of these: --toml.",
        epilog=f"Exit code: 0 done, 2 there is no such sheet, or it is wrong. {NOTICE}",
    )
    parser.add_argument("sheets", nargs="*", metavar="SHEET", help="the name of a sheet, or a .toml file of your own")
    parser.add_argument("--toml", action="store_true", help="print the sheet as a file to copy and edit")
    parser.add_argument("--case", metavar="CASE", help="also say what the goals are on this case")
    parser.set_defaults(run=needs_extra(run_goals))


def run_goals(arguments: argparse.Namespace) -> int:
    """Print what the command line asks for.

    Raises:
        UsageError: There is no such sheet or case, a sheet is wrong, or it does not fit the case.
    """
    from ..goals import read_sheet, sheet_names

    sheets = [read_sheet(text) for text in arguments.sheets or sheet_names()]
    if arguments.toml:
        if len(arguments.sheets) != 1:
            raise UsageError("--toml prints one sheet; name it")
        print(sheets[0].toml(), end="")
        return 0
    if not arguments.sheets:
        _list(sheets)
    for sheet in sheets if arguments.sheets else ():
        _show(sheet, arguments.case)
    print(NOTICE)
    return 0


def _list(sheets: list[Sheet]) -> None:
    rows = [[s.name, s.title, _prescribed(s), str(len(s.goals))] for s in sheets]
    print_table(("sheet", "title", "prescription", "goals"), rows, left=("sheet", "title", "prescription"))


def _show(sheet: Sheet, case: str | None) -> None:
    fractions = f" in {sheet.fractions} fractions" if sheet.fractions else ""
    print(f"{sheet.name}: {sheet.title}\n  prescription: {_prescribed(sheet) or 'that of the case'}{fractions}")
    if sheet.source:
        print(f"  source: {sheet.source}")
    _table(sheet.goals)
    others = [f"{name} ({', '.join(names)})" for name, names in sheet.aliases.items() if names]
    if others:
        print(f"  also known as: {'; '.join(others)}")
    if case is not None:
        from ..case.library import open_case

        opened = open_case(case)
        print(f"on the case {opened.name}:")
        bound = sheet.bind(opened)
        _table(bound.goals)
        for goal, why in bound.missing:
            print(f"  not evaluated: {goal.criterion}: {why}")
        for note in bound.notes:
            print(f"  {note}")
    print()


def _table(goals: tuple[Goal, ...]) -> None:
    from ..goals.goal import with_unit

    rows = []
    for g in goals:
        tolerance = with_unit(g.tolerance, g.unit) if g.tolerance else ""
        rows.append([str(g.priority), g.criterion, tolerance, "yes" if g.optional else "", g.note])
    header = ("priority", "goal", "tolerance", "optional", "note")
    print_table(header, rows, left=("goal", "note"))


def _prescribed(sheet: Sheet) -> str:
    return ", ".join(f"{target} {dose:g} Gy" for target, dose in sheet.prescription.items())
