"""What `evaluate`, `compare` and `export` share: their arguments, and how these open a dose with its case and goals.

A dose is a plan file, a run's directory, an RTDOSE file, or the word reference for the dose that came with a case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tgsci.basics.texts import quote, shell_word, visible
from tgsci.cli.command import option
from tgsci.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..case import Case
    from ..goals import BoundSheet
    from ..plan.file import PlanFile

#: What stands for the dose that came with a case.
REFERENCE = "reference"
#: The plan in a run's directory.
PLAN = "plan.json"
#: Longest plan file that is read, bytes.
LONGEST = 20_000_000

#: Decorator: replace files that are there, as `force`.
replace_files = option("--force", is_flag=True, help="replace files that are there")
#: Decorator: take an RTDOSE although it seems to be of something else, as `anyway`.
anyway_option = option("--anyway", is_flag=True, help="also an RTDOSE of another patient or scan, or of no whole plan")


def dose_argument(name: str, title: str, what: str) -> Callable[[Any], Any]:
    """Make a decorator that adds an argument which `open_dose` opens.

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


@dataclass(frozen=True, eq=False)
class Dose:
    """A dose with what is known of it.

    Args:
        label: What a person calls it: the file's name, cleaned.
        case: What it is of.
        dose: Total Gy by row of the case, float32.
        plan: The plan file; None for a dose that no plan of this package gave.
        config: What its run was asked for; empty where there is none.
        notes: What a person should know about it, a sentence each.
    """

    label: str
    case: Case
    dose: NDArray[np.float32]
    plan: PlanFile | None = None
    config: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def fluence(self) -> NDArray[np.float64] | None:
        """Of each beamlet; None where only the dose is known."""
        return None if self.plan is None else self.plan.fluence


def open_dose(text: str | Path, case: Case | str | Path | None = None, *, anyway: bool = False) -> Dose:
    """Open a plan or a dose.

    Args:
        text: A `plan.json`, a directory with one, an RTDOSE `.dcm` or the folder of its planes, or "reference": the
            dose that came with the case.
        case: The case, its name or its .zarr file; that which a plan file names where None.
        anyway: Whether an RTDOSE of another patient or scan, or of no whole plan, is opened all the same.

    Raises:
        UsageError: No such file, a file of another kind, a plan of another case, or no case for an RTDOSE.
    """
    path, where = Path(text), visible(str(text))
    if path.is_dir() and not (path / PLAN).is_file():
        if (path / "run.db").is_file():
            raise _no_plan(path)
        if not any(_marked_dicom(file) for file in path.iterdir()):
            raise UsageError(f"{where} is a directory without a {PLAN}; name a plan file, a run or an RTDOSE file")
        return _rtdose(path, _open_case(case, "an RTDOSE"), anyway)
    if path.is_dir():
        path = path / PLAN
    if str(text) == REFERENCE:
        return _reference(_open_case(case, "the case's own dose"))
    if not path.is_file():
        raise UsageError(f"there is no file {where}; give a {PLAN}, a run's directory, or an RTDOSE .dcm file")
    if _is_dicom(path):
        return _rtdose(path, _open_case(case, "an RTDOSE file"), anyway)
    if path.suffix.lower() != ".json":
        raise UsageError(f"{where} is neither a plan (.json) nor an RTDOSE file (.dcm)")
    return _plan(path, case)


def knows_its_case(text: str | Path) -> bool:
    """Tell whether a text may name a plan file or a run, which say what case they are of, and no bare dose."""
    path = Path(text)
    return path.is_dir() or path.suffix.lower() == ".json"


def _plan(path: Path, case: Case | str | Path | None) -> Dose:
    from ..loss.plan_loss import with_prescription
    from ..plan.file import read_plan

    try:
        plan = read_plan(read_bounded(path, LONGEST))
        config = run_config(path.parent)
        opened = _open_case(case if case is not None else _case_name(plan, config), f"the plan {visible(str(path))}")
        others = config.get("prescription")
        if plan.fingerprint != opened.fingerprint and isinstance(others, Mapping):
            opened = with_prescription(opened, others)  # as its run did
        return Dose(_label(path), opened, plan.dose(opened), plan, config)
    except UsageError as error:
        raise UsageError(f"{visible(str(path))}: {error}") from None


def goals_of(dose: Dose, sheet: str | Path | None = None) -> BoundSheet:
    """Bind a sheet of goals to the case of a dose.

    Args:
        dose: What is evaluated.
        sheet: Its name or path; that of the dose's run or plan where None.

    Raises:
        UsageError: No sheet is known, the sheet is wrong, or it does not fit the case.
    """
    from ..goals import read_sheet

    read = read_sheet(sheet if sheet is not None else sheet_of(dose))
    if isinstance(dose.config.get("prescription"), Mapping):
        own = {target.name: target.prescription for target in dose.case.targets if target.prescription}
        read = replace(read, prescription={**read.prescription, **own})
    return read.bind(dose.case)


def sheet_of(dose: Dose) -> str:
    """Find the sheet of goals that a plan was made for, as its run or its own table names it.

    Raises:
        UsageError: Neither names a sheet that comes with the package; lists these.
    """
    from ..goals import sheet_names

    of_the_run = dose.config.get("goals")
    if isinstance(of_the_run, str):
        return of_the_run
    name = dose.plan.goals.get("sheet") if dose.plan else None
    if name in sheet_names():
        return str(name)
    raise UsageError(f"which goals? --goals SHEET; there are: {', '.join(sheet_names())}; or a .toml file of your own")


def _case_name(plan: PlanFile, config: Mapping[str, object]) -> str:
    """Find the case that a plan file is of: a built-in one, or that of the run beside it.

    What a plan file calls its case is never taken as a path.
    """
    from ..case.library import case_names

    if plan.case in case_names():
        return plan.case
    of_the_run = config.get("case")
    if isinstance(of_the_run, str):
        return of_the_run
    raise UsageError(f"it is a plan of the case {quote(plan.case)}; say which file that is: --case CASE.zarr")


def run_config(directory: Path) -> Mapping[str, object]:
    """Read what a run was asked for from its record; nothing where the directory is no run."""
    from tgsci.errors import LedgerError
    from tgsci.runs.directory import read_header

    try:
        config = read_header(directory).get("config")
    except LedgerError:
        return {}
    return config if isinstance(config, Mapping) else {}


def read_bounded(path: Path, longest: int) -> bytes:
    """Read a file.

    Raises:
        UsageError: The file cannot be read, or it is longer than that.
    """
    try:
        with path.open("rb") as file:
            content = file.read(longest + 1)
    except OSError as error:
        raise UsageError(f"{visible(str(path))} cannot be read: {error.strerror}") from None
    if len(content) > longest:
        raise UsageError(f"{visible(str(path))} is longer than {longest:,} bytes: no file of this kind is")
    return content


def _reference(case: Case) -> Dose:
    if case.reference is None:
        raise UsageError(f"the case {quote(case.name)} came without a dose of its own")
    return Dose(REFERENCE, case, case.reference)


def _rtdose(path: Path, case: Case, anyway: bool) -> Dose:
    from ..importers.dicom.dose import read_rtdose

    notes: list[str] = []
    dose = read_rtdose(path, case, anyway=anyway, say=notes.append)
    return Dose(_label(path), case, dose, notes=tuple(notes + _unlikely(case, dose)))


def _unlikely(case: Case, dose: NDArray[np.float32]) -> list[str]:
    """Say if a dose is far from what is prescribed: it may be that of one fraction, or in cGy."""
    target = max(case.targets, key=lambda s: s.prescription or 0.0, default=None)
    if target is None or not target.prescription:
        return []
    mean = float(dose[case.rows(target.name)].mean())
    if 0.5 <= mean / target.prescription <= 1.5:
        return []
    guess = ", the dose of one fraction?" if 0.7 <= mean * case.fractions / target.prescription <= 1.4 else ""
    return [f"it gives {target.name} {mean:.3g} Gy on average, and {target.prescription:g} Gy are prescribed{guess}"]


def _open_case(case: Case | str | Path | None, of: str) -> Case:
    from ..case import Case
    from ..case.library import open_case

    if case is None:
        raise UsageError(f"{of} needs the case that it is of: --case")
    return case if isinstance(case, Case) else open_case(str(case))


def _is_dicom(path: Path) -> bool:
    """Tell a DICOM file by its mark at byte 128, or by its usual suffix."""
    return path.suffix.lower() == ".dcm" or _marked_dicom(path)


def _marked_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _no_plan(run: Path) -> UsageError:
    """What to say of a run's directory that has no plan file: the run was killed, or it measured no plan."""
    again = f"tgsci runs resume {shell_word(run)}"
    if (run / "plans.csv").is_file():  # written at the end, whatever was measured
        return UsageError(
            f"the run {visible(str(run))} has no {PLAN}: none of its plans could be measured, or the file was taken "
            f"away; name another run, or write the file again with: {again}"
        )
    return UsageError(f"the run {visible(str(run))} is not finished and has no {PLAN} yet; finish it first: {again}")


def _label(path: Path) -> str:
    """Choose a short label that differs for the plans of two runs."""
    name = path.parent.name if path.name == PLAN and path.parent.name else path.stem
    return "".join(c if c.isalnum() or c in "-_.+ " else "_" for c in name)[:40].strip() or "plan"
