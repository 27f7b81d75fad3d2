"""`tgsci radiotherapy evaluate`: what a plan or a dose makes of a sheet of goals."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tgsci.cli.command import command, option

from ..notice import NOTICE
from .dose import Dose, case_and_goals, dose_argument, goals_of, open_dose, replace_files

if TYPE_CHECKING:
    from ..goals import BoundSheet, GoalTable
    from ..qa.robustness import Robustness


@command(
    "evaluate",
    epilog="Exit code: 0 every goal is met or within its tolerance, 1 one or more are missed (with --robust: also "
    f"with the patient shifted), 2 bad input. {NOTICE}",
)
@dose_argument("source", "DOSE", "what to evaluate")
@case_and_goals
@option("--robust", section="Robustness", is_flag=True, help="also with the patient shifted along x, y and z")
@option("--shift", section="Robustness", type=float, metavar="MM", help="how far the patient is shifted, mm (3)")
@option(
    "--method", section="Robustness", type=click.Choice(("cloud", "exact")),
    help="static dose cloud, or the dose calculated again (built-in cases; the default there)",
)  # fmt: skip
@option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
@option("--dvh", type=Path, metavar="FILE", help="write the histograms as .png or .svg")
@option("--wash", type=Path, metavar="FILE", help="write the dose on image slices as .png or .svg")
@replace_files
def evaluate(
    source: str,
    case: str | None,
    sheet: str | None,
    robust: bool,
    shift: float | None,
    method: str | None,
    as_json: bool,
    dvh: Path | None,
    wash: Path | None,
    force: bool,
) -> int:
    """Say which goals a plan or a dose meets, also with the patient shifted.

    Evaluate a plan, a run's best plan, an RTDOSE file, or the dose that came with a case against a sheet of clinical
    goals, on the case's dose grid.
    """
    from ..goals import evaluate as evaluate_goals
    from ..qa.robustness import SHIFT_MM
    from ..views.export import check_plots, write_plots

    files = check_plots({"dvh": dvh, "wash": wash}, force=force)
    dose = open_dose(source, case)
    goals = goals_of(dose, sheet)
    table = evaluate_goals(goals, dose.case, dose.dose)
    shifted = None
    if robust or shift is not None or method:
        print("shifting the patient ...", file=sys.stderr)
        shifted = _shift(method or "", SHIFT_MM if shift is None else shift, dose, goals)
    (_print_json if as_json else _print)(dose, table, shifted)
    for line in write_plots(files, dose.case, {dose.label: dose.dose}, goals):
        print(line, file=sys.stderr)
    good = table.acceptable and (shifted is None or not shifted.lost)
    return 0 if good else 1


def _shift(method: str, shift_mm: float, dose: Dose, goals: BoundSheet) -> Robustness:
    from ..qa.robustness import under_shifts

    return under_shifts(dose.case, goals, dose=dose.dose, fluence=dose.fluence, shift_mm=shift_mm, method=method)


def _print_json(dose: Dose, table: GoalTable, shifted: Robustness | None) -> None:
    known = {"notice": NOTICE, "dose": dose.label, "fingerprint": dose.case.fingerprint, **table.as_dict()}
    print(json.dumps({**known, **({"robustness": shifted.as_dict()} if shifted else {})}))


def _print(dose: Dose, table: GoalTable, shifted: Robustness | None) -> None:
    print(f"{dose.label}, {dose.case.prescription:g} Gy in {dose.case.fractions} fractions")
    print(table.text())
    print(f"\n{shifted.text()}" if shifted else NOTICE)
