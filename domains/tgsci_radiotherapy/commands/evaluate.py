"""`tgsci radiotherapy evaluate`: what a plan or a dose makes of a sheet of goals."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..notice import NOTICE
from .extra import needs_extra
from .shared import Commands

if TYPE_CHECKING:
    from ..goals import BoundSheet, GoalTable
    from ..qa.robustness import Robustness
    from .given import Given


def add_evaluate(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `evaluate`: a plan or a dose against a sheet of goals."""
    parser = commands.add_parser(
        "evaluate",
        help="say which goals a plan or a dose meets, also with the patient shifted",
        description="Evaluate a plan, a run's best plan, an RTDOSE file, or the dose that came with a case against a "
        "sheet of clinical goals, on the case's dose grid.",
        epilog="Exit code: 0 every goal is met or within its tolerance, 1 one or more are missed (with --robust: also "
        f"with the patient shifted), 2 bad input. {NOTICE}",
    )
    add_given(parser, "dose", "what to evaluate")
    add_case_and_goals(parser)
    robust = parser.add_argument_group("robustness")
    robust.add_argument("--robust", action="store_true", help="also with the patient shifted along x, y and z")
    robust.add_argument("--shift", type=float, default=None, metavar="MM", help="how far the patient is shifted (3)")
    robust.add_argument(
        "--method", choices=("cloud", "exact"),
        help="static dose cloud, or the dose calculated again (built-in cases; the default there)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--dvh", type=Path, metavar="FILE", help="write the histograms as .png or .svg")
    parser.add_argument("--wash", type=Path, metavar="FILE", help="write the dose on image slices as .png or .svg")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.set_defaults(run=needs_extra(run_evaluate))


def add_given(parser: argparse.ArgumentParser, name: str, what: str) -> None:
    """Add an argument that `given.given` opens."""
    parser.add_argument(
        name, metavar=name.upper(), help=f"{what}: plan.json, a run's directory, an RTDOSE .dcm, or the word reference"
    )


def add_case_and_goals(parser: argparse.ArgumentParser) -> None:
    """Add the options --case and --goals; `opened` reads them."""
    parser.add_argument("--case", metavar="CASE", help="a built-in case or a .zarr file (that of the plan or its run)")
    parser.add_argument("--goals", metavar="SHEET", help="see: tgsci radiotherapy goals (those of the run or the plan)")


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Evaluate what the command line names.

    Raises:
        UsageError: Bad input.
    """
    from ..goals import evaluate
    from ..qa.robustness import SHIFT_MM
    from ..views.export import check_figures, write_figures
    from .given import given, goals_of

    files = check_figures({"dvh": arguments.dvh, "wash": arguments.wash}, force=arguments.force)
    dose = given(arguments.dose, arguments.case)
    goals = goals_of(dose, arguments.goals)
    table = evaluate(goals, dose.case, dose.dose)
    robust = None
    if arguments.robust or arguments.shift is not None or arguments.method:
        print("shifting the patient ...", file=sys.stderr)
        robust = _robust(arguments.method or "", SHIFT_MM if arguments.shift is None else arguments.shift, dose, goals)
    _print(arguments, dose, table, robust)
    for line in write_figures(files, dose.case, {dose.label: dose.dose}, goals):
        print(line, file=sys.stderr)
    good = table.acceptable and (robust is None or not robust.lost)
    return 0 if good else 1


def _robust(method: str, shift_mm: float, dose: Given, goals: BoundSheet) -> Robustness:
    from ..qa.robustness import under_shifts

    return under_shifts(dose.case, goals, dose=dose.dose, fluence=dose.fluence, shift_mm=shift_mm, method=method)


def _print(arguments: argparse.Namespace, dose: Given, table: GoalTable, robust: Robustness | None) -> None:
    if arguments.json:
        said = {
            "notice": NOTICE,
            "dose": dose.label,
            "fingerprint": dose.case.fingerprint,
            **table.as_dict(),
            **({"robustness": robust.as_dict()} if robust else {}),
        }
        print(json.dumps(said))
        return
    print(f"{dose.label}, {dose.case.prescription:g} Gy in {dose.case.fractions} fractions")
    print(table.text())
    if robust:
        print(f"\n{robust.text()}")
    else:
        print(NOTICE)
