"""`tgsci radiotherapy goals`: the sheets of clinical goals, and what one asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tgsci.basics.checks import number
from tgsci.cli.command import command, option
from tgsci.errors import UsageError
from tgsci.show.tables import print_table

from ..notice import NOTICE

if TYPE_CHECKING:
    from ..case.model import Case
    from ..goals import BoundSheet, Goal, Sheet


@command("goals", epilog=f"Exit code: 0 done, 2 there is no such sheet, or it is wrong. {NOTICE}")
@click.argument("names", nargs=-1, metavar="[SHEET]...", help="the name of a sheet, or a .toml file of your own")
@option("--toml", is_flag=True, help="print the sheet as a file to copy and edit")
@option("--case", metavar="CASE", help="also say what the goals are on this case")
@option("--possible", is_flag=True, help="with --case: look for a proof that they cannot be met together")
@option("--seconds", type=float, default=120.0, metavar="S", help="longest that --possible looks; 120 unless given")
def goals(names: tuple[str, ...], toml: bool, case: str | None, possible: bool, seconds: float) -> int:
    """List the sheets of clinical goals, or print one with its sources.

    A sheet is a name or a .toml file; it is checked, and printed with where its goals come from. To write your own,
    begin with one of these: --toml.

    --possible asks before any plan is made whether the goals exclude each other for every fluence of the case's
    beams, and which of them.
    """
    from ..goals import read_sheet, sheet_names

    sheets = [read_sheet(text) for text in names or sheet_names()]
    if toml:
        if len(names) != 1:
            raise UsageError("--toml prints one sheet; name it")
        print(sheets[0].toml(), end="")
        return 0
    if possible and (case is None or not names):
        raise UsageError("--possible needs a sheet and a case: tgsci radiotherapy goals SHEET --case CASE --possible")
    seconds = number("--seconds", seconds, 1.0, 86_400.0, unit="s")
    if not names:
        _list(sheets)
    for sheet in sheets if names else ():
        _show(sheet, case, seconds if possible else None)
    print(NOTICE)
    return 0


def _list(sheets: list[Sheet]) -> None:
    rows = [[s.name, s.title, _prescribed(s), str(len(s.goals))] for s in sheets]
    print_table(("sheet", "title", "prescription", "goals"), rows, left=("sheet", "title", "prescription"))


def _show(sheet: Sheet, case: str | None, seconds: float | None) -> None:
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
        if seconds is not None:
            _ask(opened, bound, seconds)
    print()


def _ask(case: Case, bound: BoundSheet, seconds: float) -> None:
    """Look for a proof that the goals exclude each other: those of the sheet, then with what it implies."""
    from ..loss.possibility import Possibility
    from ..planner.recent import planner_of

    possibility = Possibility(planner_of(case), bound.prescriptions, seconds)
    asked = (tuple(goal for goal in bound.goals if not goal.implied), bound.goals)
    for goals in dict.fromkeys(asked):
        if not goals:
            continue
        implied = sum(goal.implied for goal in goals)
        which = f"all {len(goals)} goals" + (f", {implied} of them implied" if implied else "")
        answer = possibility.ask(goals)
        print(f"{which}: {answer.sentence()}")
        if answer.silent:
            print(f"  not part of the question: {', '.join(goal.criterion for goal in answer.silent)}")
        if answer.conflict:
            break


def _table(goals: tuple[Goal, ...]) -> None:
    from ..goals.goal import with_unit

    rows = []
    for g in goals:
        tolerance = with_unit(g.tolerance, g.unit) if g.tolerance else ""
        rows.append(
            ["implied" if g.implied else str(g.priority), g.criterion, tolerance, "yes" if g.optional else "", g.note]
        )
    header = ("priority", "goal", "tolerance", "optional", "note")
    print_table(header, rows, left=("goal", "note"))


def _prescribed(sheet: Sheet) -> str:
    return ", ".join(f"{target} {dose:g} Gy" for target, dose in sheet.prescription.items())
