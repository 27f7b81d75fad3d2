"""RTDOSE files: which dose of a folder is the plan's, beams added up, and any dose on the rows of a case.

A dose is used where it is certain what it is: total Gy of a plan, of several plans, or of all beams of a plan. Whose it
is, is compared: the frame of reference, and the patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.basics.texts import quote, visible
from tgsci.errors import UsageError

from ...case.model import Case
from ..masks import resample, same
from ..options import Options
from .dose_planes import DoseCube, read_cube
from .files import DicomFile, Scan, Series, dicom_files, guarded, read_file
from .origin import check_sum, frame_of_case, frame_of_file, patient_sum, same_patient
from .plan import Prescription

if TYPE_CHECKING:
    from ...case.model import Floats

_RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
#: Kinds (Dose Summation Type, PS3.3 C.8.8.3) that are total Gy of all that is treated.
_WHOLE = ("PLAN", "MULTI_PLAN")
#: Most files of one dose.
_MOST_PLANES = 2000


@dataclass
class _Part:
    """The files of one dose, or of one beam: one with all planes, or one a plane.

    Args:
        kind: Dose summation type.
        plan: Identifier of the plan that it is of; "" if it does not say.
        beam: Number of the beam that it is of.
        files: The files.
    """

    kind: str
    plan: str
    beam: int | None
    files: list[DicomFile] = field(default_factory=list)


@dataclass(frozen=True)
class _Total:
    """What is a dose of a whole plan: one part, or all beams of one plan."""

    kind: str
    plan: str
    parts: tuple[_Part, ...]

    def __str__(self) -> str:
        files = sum(len(part.files) for part in self.parts)
        how = f"{len(self.parts)} beams added up" if len(self.parts) > 1 else self.kind
        return how + (f", {files} files" if files > 1 else f" ({self.parts[0].files[0].label})")


def read_dose(scan: Scan, series: Series, plan: Prescription, options: Options) -> DoseCube | None:
    """Read the dose of a folder's plan, total Gy; None where there is no file.

    Planes in files of their own are put together, and doses of single beams added up if the plan says that all of them
    are there. What is neither is refused: nobody says how often it counts.

    Raises:
        UsageError: The dose is not in Gy, of another patient or frame of reference, incomplete, damaged, or one of
            several of which none is the plan's.
    """
    if not scan.doses:
        return None
    try:
        return _dose_of(scan, series, plan, options)
    except UsageError as error:
        stop = "" if str(error).endswith("?") else "."
        raise UsageError(f"{error}{stop} Import without it: --no-reference") from error


def _dose_of(scan: Scan, series: Series, plan: Prescription, options: Options) -> DoseCube:
    notes: list[str] = []
    files = _of_this_scan(scan.doses, series, options, notes)
    parts = _parts(files)
    totals = list(_totals(parts, plan))
    if not totals:
        raise _no_total(parts, plan)
    chosen = _choose(totals, plan, options, notes)
    if chosen.plan and plan.beams and chosen.plan not in plan.beams:
        notes.append("the dose is of a plan that is not in the folder, or was made for another structure set")
    cube = _sum(chosen)
    return DoseCube(cube.dose, cube.grid, (*notes, *cube.notes))


def read_rtdose(
    path: Path, case: Case, *, anyway: bool = False, say: Callable[[str], None] = lambda line: None
) -> Floats:
    """Read a dose on the rows of a case, by trilinear interpolation, total Gy.

    Args:
        path: An RTDOSE file, or a folder with the planes of one.
        case: Whose dose it is to be.
        anyway: Whether a dose that is of another scan or patient, or of no whole plan, is taken all the same, and said.
        say: Called with what a person should know about the dose.

    Raises:
        UsageError: The file is no RTDOSE, not in Gy, not the dose of a whole plan, of another patient or scan, damaged,
            or does not cover a target.
    """
    found = list(dicom_files(path)) if path.is_dir() else [DicomFile(path, read_file(path))]
    files = [one for one in found if one.text("SOPClassUID") == _RT_DOSE]
    if not files:
        what = f"no file in {quote(path.name, 60)} is an RTDOSE" if path.is_dir() else f"{found[0].label} is no RTDOSE"
        raise UsageError(f"{what}; export the dose of the plan from the planning system")
    parts = _parts(files)
    whole = [part for part in parts if part.kind in _WHOLE]
    if len(whole) > 1 or (not whole and len(parts) > 1):
        kinds = ", ".join(sorted({part.kind or "of no kind" for part in parts}))
        raise UsageError(
            f"{quote(path.name, 60)} holds {len(parts)} doses ({visible(kinds[:60])}); give the file of one"
        )
    part = (whole or parts)[0]
    doubts = list(_doubts(part, case))
    refusals = [doubt for doubt, refused in doubts if refused]
    if refusals and not anyway:
        raise UsageError(f"{part.files[0].label} {'; '.join(refusals)}; evaluate and compare take it with --anyway")
    cube = read_cube(part.files)
    for doubt, _ in doubts:
        say(f"{part.files[0].label} {doubt}")
    for note in cube.notes:
        say(note)
    if same(cube.grid, case.grid):
        return case.by_row(cube.dose)
    covered = resample(np.ones(cube.dose.shape, bool), cube.grid, case.grid, average=False).reshape(-1) > 0.5
    for target in case.targets:
        if not covered[target.voxels].all():
            raise UsageError(f"{part.files[0].label} does not cover {target.name}; is it a dose of this case?")
    outside = float((~covered[case.voxels]).mean())
    if outside:
        say(f"the dose does not reach {100 * outside:.1f}% of the case's voxels; 0 Gy is taken there")
    return case.by_row(resample(cube.dose, cube.grid, case.grid, average=False))


def _doubts(part: _Part, case: Case) -> Iterator[tuple[str, bool]]:
    """Find what speaks against a dose being the case's, and whether that is enough to refuse it."""
    file = part.files[0]
    if part.kind not in _WHOLE:
        yield f"is a dose of the kind {quote(part.kind, 20)}, and not that of a whole plan (PLAN)", True
    with guarded(file.label):
        frame = frame_of_file(file.head)
    if frame and frame == frame_of_case(case):
        return  # written from this case
    known, who = case.origin.get("frame"), case.origin.get("patient")
    another = bool(who and patient_sum(file) and who != patient_sum(file))
    if known and frame:
        if known != check_sum(frame):
            whose = (
                "of another patient than the case, on another scan" if another else "on another scan than the case's"
            )
            yield f"is a dose {whose} (their frames of reference differ)", True
        elif another:
            yield "names another patient than the case's scan did, and lies on the same scan", False
    elif another:
        yield "is a dose of another patient than the case", True
    else:
        missing = "the case knows no scan" if not known else "it has no frame of reference"
        whose = "another scan" if who and patient_sum(file) else "another patient"
        yield f"may be of {whose}: {missing}, and only where it lies was compared", False


def _of_this_scan(files: Sequence[DicomFile], series: Series, options: Options, notes: list[str]) -> list[DicomFile]:
    """Leave out doses of other frames of reference, if others remain.

    Raises:
        UsageError: A dose is of another patient, or all are of other frames of reference.
    """
    for one in files:
        if not same_patient(one, series.files[0]):
            raise UsageError(f"{one.label} is a dose of another patient than the CT; take it out of the folder")
    kept = [one for one in files if not (series.frame and one.text("FrameOfReferenceUID") not in ("", series.frame))]
    if not kept and options.any_frame:
        notes.append("dose and CT name different frames of reference, and were taken together all the same")
        return list(files)
    if not kept:
        raise UsageError(f"{files[0].label}: the dose is of another frame of reference than the CT")
    if len(kept) < len(files):
        notes.append(f"{len(files) - len(kept)} RTDOSE file(s) of another frame of reference were left out")
    return kept


def _parts(files: Sequence[DicomFile]) -> list[_Part]:
    """Group files: single planes of one dose belong together, a file with all planes is a dose of its own."""
    planes: dict[tuple[Any, ...], _Part] = {}
    out = []
    for one in files[:_MOST_PLANES]:
        kind = one.text("DoseSummationType").upper()
        plan, beam = _source(one)
        part = _Part(kind, plan, beam, [one])
        if one.frames == 1:
            key = (kind, plan, beam, one.text("DoseUnits"), one.text("DoseType"))
            if key in planes:
                planes[key].files.append(one)
                continue
            planes[key] = part
        out.append(part)
    return out


def _source(one: DicomFile) -> tuple[str, int | None]:
    """Find the plan, and the one beam, whose dose a file holds."""
    with guarded(one.label):
        plan: Any = (getattr(one.head, "ReferencedRTPlanSequence", None) or [None])[0]
        groups = getattr(plan, "ReferencedFractionGroupSequence", None) or ()
        numbers = [
            int(beam.ReferencedBeamNumber)
            for group in groups
            for beam in getattr(group, "ReferencedBeamSequence", None) or ()
        ]
        return str(getattr(plan, "ReferencedSOPInstanceUID", "") or ""), numbers[0] if len(numbers) == 1 else None


def _totals(parts: Sequence[_Part], plan: Prescription) -> Iterator[_Total]:
    """Find what is total Gy: doses of whole plans, and the beams of a plan if all of them are there, once each."""
    whole = [part for part in parts if part.kind in _WHOLE]
    for part in whole:
        yield _Total(part.kind, part.plan, (part,))
    for uid in dict.fromkeys(part.plan for part in parts if part.kind == "BEAM"):
        beams = [part for part in parts if part.kind == "BEAM" and part.plan == uid]
        numbers = sorted(part.beam if part.beam is not None else -1 for part in beams)
        done = any(part.plan == uid for part in whole if uid)
        if not done and numbers and numbers == sorted(plan.beams.get(uid, ())):
            yield _Total("BEAM", uid, tuple(beams))


def _no_total(parts: Sequence[_Part], plan: Prescription) -> UsageError:
    """Say why no dose is total Gy."""
    beams = [part for part in parts if part.kind == "BEAM"]
    if not beams:
        kinds = ", ".join(sorted({part.kind or "none said" for part in parts}))
        return UsageError(
            f"the dose is of the kind {quote(kinds, 60)}; only that of a plan (PLAN, MULTI_PLAN) or of each of its "
            "beams (BEAM) is total Gy for certain"
        )
    plans = {part.plan for part in beams}
    if len(plans) > 1:
        return UsageError(f"the doses of {len(beams)} beams are of {len(plans)} plans; leave those of one")
    there = ", ".join("?" if part.beam is None else str(part.beam) for part in sorted(beams, key=lambda p: p.beam or 0))
    wanted = plan.beams.get(plans.pop(), ())
    of = f"of {', '.join(str(n) for n in wanted)[:80]}" if wanted else "and no plan that says which there are"
    return UsageError(f"the dose comes beam by beam: beams {there[:80]}, {of}; all of them, once each, are needed")


def _choose(totals: Sequence[_Total], plan: Prescription, options: Options, notes: list[str]) -> _Total:
    """Choose the dose: the one that a person says, else the only one of the plan that prescribes, else the only one.

    Raises:
        UsageError: There are several, and nothing says which.
    """
    if options.dose is not None:
        if options.dose > len(totals):
            raise UsageError(f"dose is {options.dose}; there are {len(totals)}")
        return totals[options.dose - 1]
    mine = [total for total in totals if plan.uid and total.plan == plan.uid] if len(totals) > 1 else list(totals)
    if len(mine) == 1:
        if len(totals) > 1:
            notes.append(f"of {len(totals)} doses the one of the plan that prescribes is kept to compare with")
        return mine[0]
    listed = "; ".join(f"{n}: {total}{_of_plan(total, plan)}" for n, total in enumerate(totals, start=1))
    raise UsageError(f"there are {len(totals)} doses; choose one with --dose: {listed[:1000]}")


def _of_plan(total: _Total, plan: Prescription) -> str:
    places = list(plan.beams)
    return f", of plan {places.index(total.plan) + 1}" if total.plan in places else ""


def _sum(total: _Total) -> DoseCube:
    """Read a dose; of several beams, add them up.

    Raises:
        UsageError: The beams' doses lie on different grids.
    """
    cubes = [read_cube(part.files) for part in total.parts]
    first = cubes[0]
    if len(cubes) == 1:
        return first
    dose = np.zeros(first.dose.shape, np.float64)
    for part, cube in zip(total.parts, cubes, strict=True):
        if not same(cube.grid, first.grid):
            raise UsageError(f"{part.files[0].label}: the beams' doses lie on different grids")
        dose += cube.dose
    notes = dict.fromkeys(note for cube in cubes for note in cube.notes)
    return DoseCube(
        dose.astype(np.float32), first.grid, (f"the doses of the plan's {len(cubes)} beams were added up", *notes)
    )
