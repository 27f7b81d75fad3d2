"""`tgsci radiotherapy export`: a plan's dose as RTDOSE DICOM, its goals as CSV or JSON, its plots."""

from __future__ import annotations

import sys
from pathlib import Path

from tgsci.basics.files import writable, write_atomically
from tgsci.cli.command import command, option, options, typed
from tgsci.errors import UsageError

from ..notice import NOTICE
from .dose import case_and_goals, dose_argument, goals_of, open_dose, replace_files


@command(
    "export", epilog=f"Exit code: 0 written, 1 a file could not be written, 2 bad input (nothing was written). {NOTICE}"
)
@dose_argument("source", "PLAN", "what to export")
@case_and_goals
@options(
    "files",
    option("--rtdose", type=Path, metavar="FILE.dcm", help="the dose, total Gy, on the dose grid"),
    option("--csv", type=Path, metavar="FILE", help="the goal table for a spreadsheet"),
    option("--json", type=Path, metavar="FILE", help="the goal table for a script"),
    option("--dvh", type=Path, metavar="FILE", help="the histograms as .png or .svg"),
    option("--wash", type=Path, metavar="FILE", help="the dose on image slices as .png or .svg"),
    into=dict,
)
@option(
    "--patient-from", type=Path, metavar="FILE.dcm",
    help="a file of the scan that the case is of: the RTDOSE takes its patient, study and frame of reference, so that "
    "a viewer lays it over the image",
)  # fmt: skip
@replace_files
def export(
    source: str,
    case: str | None,
    sheet: str | None,
    patient_from: Path | None,
    force: bool,
    files: dict[str, Path | None],
) -> int:
    """Write a plan's dose as RTDOSE DICOM, its goals as CSV or JSON, its plots.

    The DICOM file is marked as research and not for clinical use, and carries no patient unless you name a file that
    has one.
    """
    from ..goals import evaluate
    from ..views.export import check_plots, write_plots
    from ..views.tables import goals_csv, goals_json

    wanted: dict[str, Path] = typed(**files)
    if not wanted:
        raise UsageError(f"name a file to write: {', '.join(f'--{name}' for name in files)}")
    if patient_from is not None and "rtdose" not in wanted:
        raise UsageError("--patient-from goes with --rtdose")
    for path in wanted.values():
        writable(path, force=force)
    plots = check_plots({name: wanted.get(name) for name in ("dvh", "wash")}, force=force)
    plan = open_dose(source, case)
    for note in plan.notes:
        print(f"note: {note}", file=sys.stderr)
    goals = goals_of(plan, sheet) if set(wanted) - {"rtdose", "wash"} else None
    table = evaluate(goals, plan.case, plan.dose) if goals else None
    if "rtdose" in wanted:
        from ..importers.dicom.dose_writer import write_rtdose

        write_rtdose(plan.case, plan.dose, wanted["rtdose"], patient_from)
        print(f"wrote {wanted['rtdose']}", file=sys.stderr)
    if table and "csv" in wanted:
        write_atomically(wanted["csv"], goals_csv(table))
        print(f"wrote {wanted['csv']}", file=sys.stderr)
    if table and "json" in wanted:
        write_atomically(wanted["json"], goals_json(table, plan.case))
        print(f"wrote {wanted['json']}", file=sys.stderr)
    for line in write_plots(plots, plan.case, {plan.label: plan.dose}, goals):
        print(line, file=sys.stderr)
    print(NOTICE)
    return 0
