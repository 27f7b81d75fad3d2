"""The commands of `tgsci radiotherapy`, one a file; `dose.py` opens what three of them look at."""

from __future__ import annotations

import click

from tgsci.cli.command import Group


@click.group(cls=Group, package=__name__, extra="radiotherapy", places={
    "plan": ("plan:plan", "tune a plan until it meets a sheet of clinical goals"),
    "evaluate": ("evaluate:evaluate", "say which goals a plan or a dose meets, also with the patient shifted"),
    "compare": ("compare:compare", "put two plans or doses side by side: goals, histograms, gamma index"),
    "export": ("export:export", "write a plan's dose as RTDOSE DICOM, its goals as CSV or JSON, its plots"),
    "import": (
        "import_case:import_case", "read a case from DICOM, matRad, OpenKBP or pyRadPlan and keep it as one file"
    ),
    "cases": ("cases:cases", "list the built-in cases, or say what a case holds"),
    "structures": (
        "structures:structures", "list structures, make rings, margins and differences of them, write RTSTRUCT"
    ),
    "goals": ("goals:goals", "list the sheets of clinical goals, or print one with its sources"),
})  # fmt: skip
def radiotherapy() -> None:
    """Tune radiotherapy plans to clinical goals. Research tool: not for clinical use."""
