"""DICOM folders: a CT series with its structure set, and where they are there the plan's prescriptions and dose.

What is read is what a case needs. Names, identifiers, dates, institutions and descriptions are compared where a mix-up
of patients must be found, and are never kept; a structure whose name holds a part of the patient's is given another.

In the order in which to read it: `files` sorts a folder by kind, `image` reads the CT, `structures` the contours,
`plan` the prescription, `dose` with `dose_planes` the RTDOSE. `slices` and `space` are what `image` and the doses stand
on, `origin` tells whose a file is, and `dose_writer` writes an RTDOSE.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tgsci.errors import UsageError

from ..options import Options
from ..patient import Patient, cut_off, hounsfield
from .dose import read_dose
from .files import scan_folder
from .image import read_image
from .origin import origin_of
from .plan import read_plan
from .structures import choose_structure_set, read_structures

__all__ = ["read_dicom"]


def read_dicom(folder: Path, options: Options, say: Callable[[str], None]) -> Patient:
    """Read a patient from a folder of DICOM files, also in folders within.

    Args:
        folder: Where they are.
        options: `series`, `structure_set`, `plan`, `dose`, `position`, `fill_gaps`, `types`, `only`, `hu_offset`,
            `prescriptions`, `fractions`, `reference`.
        say: Called before long steps.

    Raises:
        UsageError: Files are missing, damaged, of different patients, or of a kind that cannot be planned on.
    """
    scan = scan_folder(folder, say)
    structure_file, series = choose_structure_set(scan, options)
    say(f"reading {sum(file.frames for file in series.files)} CT slices")
    image = read_image(series, options)
    grid = image.grid
    say("reading contours")
    plan = read_plan(scan, structure_file, series, options)
    drawn = read_structures(structure_file, series, image, options, plan)
    hu = hounsfield(image.values, drawn.regions, options)
    notes = [*scan.notes, *image.notes, *cut_off(image.values, options), *drawn.notes]
    others = [str(other) for other in scan.series if other is not series]
    if others:
        notes.append(f"{len(others)} other CT series were not read: {'; '.join(others)[:400]}")
    provenance = {
        "source": f"DICOM: {len(image.slices)} CT slices of {grid.shape[2]} x {grid.shape[1]} pixels of {grid}, "
        f"{len(drawn.regions)} structures",
        "contours": "voxel centres within; a contour in another is a hole, crossing ones are united; interpolated "
        "between planes",
    }
    if plan.summary:
        provenance["prescription"] = plan.summary
    notes += plan.notes
    dose = read_dose(scan, series, plan, options) if options.reference else None
    if dose is not None:
        provenance["reference dose"] = f"RTDOSE on {dose.grid}"
        notes += dose.notes
    if not drawn.regions:
        raise UsageError("the structure set has no structure with closed contours")
    return Patient(
        "patient",
        hu,
        grid,
        tuple(drawn.regions),
        fractions=plan.fractions,
        reference=None if dose is None else (dose.dose, dose.grid),
        provenance=provenance,
        notes=tuple(notes),
        hints=plan.hints,
        skipped=tuple(drawn.skipped),
        originals=drawn.originals,
        position=image.position,
        origin=origin_of(series),
    )
