"""`tgsci radiotherapy export`: a plan's dose as RTDOSE DICOM, its goals as CSV or JSON, its plots."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tgsci.errors import UsageError
from tgsci.files import write_atomically

from ..notice import NOTICE
from .evaluate import add_case_and_goals, add_given
from .extra import needs_extra
from .shared import Commands


def add_export(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `export`: a plan in the formats of other programs."""
    parser = commands.add_parser(
        "export",
        help="write a plan's dose as RTDOSE DICOM, its goals as CSV or JSON, its plots",
        description="Write what other programs read: the dose as a DICOM RTDOSE that a viewer opens, the goal table, "
        "the plots. The DICOM file is marked as research and not for clinical use, and carries no patient unless you "
        "name a file that has one.",
        epilog=f"Exit code: 0 written, 1 a file could not be written, 2 bad input (nothing was written). {NOTICE}",
    )
    add_given(parser, "plan", "what to export")
    add_case_and_goals(parser)
    parser.add_argument("--rtdose", type=Path, metavar="FILE.dcm", help="the dose, total Gy, on the dose grid")
    parser.add_argument(
        "--patient-from", type=Path, metavar="FILE.dcm",
        help="a file of the scan that the case is of: the RTDOSE takes its patient, study and frame of reference, so "
        "that a viewer lays it over the image",
    )  # fmt: skip
    parser.add_argument("--csv", type=Path, metavar="FILE", help="the goal table for a spreadsheet")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the goal table for a script")
    parser.add_argument("--dvh", type=Path, metavar="FILE", help="the histograms as .png or .svg")
    parser.add_argument("--wash", type=Path, metavar="FILE", help="the dose on image slices as .png or .svg")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.set_defaults(run=needs_extra(run_export))


def run_export(arguments: argparse.Namespace) -> int:
    """Write the files that the command line names.

    Raises:
        UsageError: Bad input; nothing was written.
    """
    from tgsci.files import writable

    from ..goals import evaluate
    from ..views.export import check_figures, write_figures
    from ..views.tables import goals_csv, goals_json
    from .given import given, goals_of

    names = ("rtdose", "csv", "json", "dvh", "wash")
    wanted = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    if not wanted:
        raise UsageError(f"name a file to write: {', '.join(f'--{name}' for name in names)}")
    if arguments.patient_from is not None and "rtdose" not in wanted:
        raise UsageError("--patient-from goes with --rtdose")
    for path in wanted.values():
        writable(path, force=arguments.force)
    files = check_figures({name: wanted.get(name) for name in ("dvh", "wash")}, force=arguments.force)
    plan = given(arguments.plan, arguments.case)
    goals = goals_of(plan, arguments.goals) if set(wanted) - {"rtdose", "wash"} else None
    table = evaluate(goals, plan.case, plan.dose) if goals else None
    if "rtdose" in wanted:
        from ..importers.dicom.dose import write_rtdose

        write_rtdose(plan.case, plan.dose, wanted["rtdose"], arguments.patient_from)
        print(f"wrote {wanted['rtdose']}", file=sys.stderr)
    if table and "csv" in wanted:
        write_atomically(wanted["csv"], goals_csv(table))
        print(f"wrote {wanted['csv']}", file=sys.stderr)
    if table and "json" in wanted:
        write_atomically(wanted["json"], goals_json(table, plan.case))
        print(f"wrote {wanted['json']}", file=sys.stderr)
    for line in write_figures(files, plan.case, {plan.label: plan.dose}, goals):
        print(line, file=sys.stderr)
    print(NOTICE)
    return 0
