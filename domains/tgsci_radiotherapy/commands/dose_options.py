"""Arguments and options of the commands that look at a dose: which, of what case, against which goals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from tgsci.cli.command import option

#: Decorator: replace files that are there, as `force`.
replace_files = option("--force", is_flag=True, help="replace files that are there")


def dose_argument(name: str, title: str, what: str) -> Callable[[Any], Any]:
    """A decorator that adds an argument which `open_dose` opens.

    Args:
        name: Of the function's argument.
        title: Of the argument in the help.
        what: What the command does with it.
    """
    kinds = "plan.json, a run's directory, an RTDOSE .dcm, or the word reference"
    return click.argument(name, metavar=title, help=f"{what}: {kinds}")


def case_and_goals(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --case and --goals; the function gets them as `case` and `sheet`, for `open_dose` and `goals_of`."""
    of_case = "a built-in case or a .zarr file (that of the plan or its run)"
    of_sheet = "see: tgsci radiotherapy goals (those of the run or the plan)"
    with_sheet = option("--goals", "sheet", metavar="SHEET", help=of_sheet)(function)
    decorated: Callable[..., Any] = option("--case", metavar="CASE", help=of_case)(with_sheet)
    return decorated
