"""`tgsci radiotherapy evaluate`: what a plan or a dose makes of a sheet of goals."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tgsci.cli.command import command, option

from ..notice import NOTICE
from .dose import Dose, anyway_option, case_and_goals, dose_argument, goals_of, open_dose, replace_files

if TYPE_CHECKING:
    from ..goals import GoalTable
    from ..qa.robustness import Robustness


@command(
    "evaluate",
    epilog="Exit code: 0 every goal is met or within its tolerance, 1 one or more are missed (with --robust: also "
    f"with the patient shifted), 2 bad input. {NOTICE}",
)
@dose_argument("source", "DOSE", "what to evaluate")
@case_and_goals
@option(
    "--robust", section="Robustness", is_flag=True, help="also with the patient shifted, and densities too high or low"
)
@option("--shift", section="Robustness", type=float, metavar="MM", help="how far the patient is shifted, mm (3)")
@option(
    "--density", section="Robustness", type=float, metavar="PERCENT", help="how wrong densities are, % (3); 0: right"
)
@option(
    "--method", section="Robustness", type=click.Choice(("cloud", "exact")),
    help="static dose cloud and scaled depths, or the dose calculated again (the default for built-in cases; minutes "
    "for large ones)",
)  # fmt: skip
@anyway_option
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
    density: float | None,
    method: str | None,
    anyway: bool,
    as_json: bool,
    dvh: Path | None,
    wash: Path | None,
    force: bool,
) -> int:
    """Say which goals a plan or a dose meets, also with the patient shifted and with densities wrong.

    Evaluate a plan, a run's best plan, an RTDOSE file, or the dose that came with a case against a sheet of clinical
    goals, on the case's dose grid.
    """
    from ..goals import evaluate as evaluate_goals
    from ..qa.robustness import under_shifts
    from ..views.export import check_plots, write_plots

    files = check_plots({"dvh": dvh, "wash": wash}, force=force)
    dose = open_dose(source, case, anyway=anyway)
    goals = goals_of(dose, sheet)
    table = evaluate_goals(goals, dose.case, dose.dose)
    shifted = None
    if robust or method or shift is not None or density is not None:
        print("shifting the patient ...", file=sys.stderr)
        wanted = {"shift_mm": shift, "density_percent": density}
        errors = {name: by for name, by in wanted.items() if by is not None}
        shifted = under_shifts(dose.case, goals, dose=dose.dose, fluence=dose.fluence, method=method or "", **errors)
    (_print_json if as_json else _print)(dose, table, shifted)
    for line in write_plots(files, dose.case, {dose.label: dose.dose}, goals):
        print(line, file=sys.stderr)
    good = table.acceptable and (shifted is None or not shifted.lost)
    return 0 if good else 1


def _print_json(dose: Dose, table: GoalTable, shifted: Robustness | None) -> None:
    known = {"notice": NOTICE, "dose": dose.label, "fingerprint": dose.case.fingerprint, **table.as_dict()}
    known |= {"notes": list(dose.notes)} if dose.notes else {}
    print(json.dumps({**known, **({"robustness": shifted.as_dict()} if shifted else {})}))


def _print(dose: Dose, table: GoalTable, shifted: Robustness | None) -> None:
    print(f"{dose.label}, {dose.case.prescription:g} Gy in {dose.case.fractions} fractions")
    for note in dose.notes:
        print(f"  note: {note}")
    print(table.text())
    print(f"\n{shifted.text()}" if shifted else NOTICE)
