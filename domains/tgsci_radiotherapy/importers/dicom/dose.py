"""RTDOSE files: the dose of a folder's plan, any dose on the rows of a case, and a dose of a case for viewers.

A file that is written says that it is research and not for clinical use, carries no patient's name or number, and has
new identifiers under pydicom's root. With `patient_from`, a file of the same scan, it takes that file's patient, study
and frame of reference, so that a viewer lays the dose over the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tgsci.basics.files import write_atomically
from tgsci.basics.texts import quote
from tgsci.errors import UsageError

from ...case.model import Case, Grid
from ..masks import resample, same
from ..patient import MOST_VOXELS
from .files import DicomFile, Scan, Series, guarded, read_file
from .plan import Prescription

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...case.model import Floats

_WITHOUT = "Import without it: --no-reference"
#: What every file that is written says, where viewers show it.
MARK = "RESEARCH - NOT FOR CLINICAL USE"
_RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
_RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
#: Attributes of the patient and the study (PS3.3 C.7.1.1, C.7.2.1), with the value of a file without a patient.
_PATIENT = {
    "PatientName": "RESEARCH^NOT FOR CLINICAL USE",  # viewers list a file under it; not all take an empty one
    "PatientID": "RESEARCH",
    "PatientBirthDate": "",
    "PatientSex": "",
    "StudyDate": "",
    "StudyTime": "",
    "ReferringPhysicianName": "",
    "StudyID": "1",
    "AccessionNumber": "",
    "PositionReferenceIndicator": "",
}


def read_dose(scan: Scan, series: Series, plan: Prescription) -> tuple[Floats, Grid] | None:
    """Read the dose of a folder's plan, (z, y, x), total Gy, and its grid; None where there is no file.

    Doses of single beams are added up if the plan says that all of them are there. What is neither the dose of a plan
    nor of a beam is refused: nobody says how often it counts.

    Raises:
        UsageError: The dose is not in Gy, of another frame of reference, incomplete, damaged, or one of several.
    """
    if not scan.doses:
        return None
    kinds = sorted({one.text("DoseSummationType").upper() for one in scan.doses})
    whole = [one for one in scan.doses if one.text("DoseSummationType").upper() == "PLAN"]
    beams = [one for one in scan.doses if one.text("DoseSummationType").upper() == "BEAM"]
    if len(whole) == 1:
        return read_one(whole[0], series.frame)[:2]
    if len(whole) > 1:
        raise UsageError(f"there are {len(whole)} doses of whole plans; leave one in the folder. {_WITHOUT}")
    if not beams:
        raise UsageError(
            f"the dose is of the kind {', '.join(kinds)[:60] or '(none said)'!r}; only that of a plan (PLAN) or of each"
            f" of its beams (BEAM) is total Gy for certain. {_WITHOUT}"
        )
    total: Floats | None = None
    grid: Grid | None = None
    numbers, plans = [], set()
    for one in beams:
        dose, own, data = read_one(one, series.frame)
        if grid is not None and own != grid:
            raise UsageError(f"{one.label}: the beams' doses lie on different grids. {_WITHOUT}")
        total, grid = dose if total is None else total + dose, own
        plan_uid, number = _beam(one, data)
        plans.add(plan_uid)
        numbers.append(number)
    wanted = plan.beams.get(plans.pop(), ()) if len(plans) == 1 else ()
    if not wanted or sorted(numbers) != sorted(wanted):
        there = f"beams {', '.join(str(n) for n in sorted(numbers))[:80]}"
        of = f", of {', '.join(str(n) for n in wanted)[:80]}" if wanted else ", and no plan that says which there are"
        raise UsageError(f"the dose comes beam by beam: {there}{of}; all of them, once each, are needed. {_WITHOUT}")
    assert total is not None
    assert grid is not None
    return total, grid


def _beam(one: DicomFile, data: Any) -> tuple[str, int]:
    """Find the plan and the number of the beam whose dose a file holds."""
    with guarded(one.label):
        plan = (getattr(data, "ReferencedRTPlanSequence", None) or [None])[0]
        groups = getattr(plan, "ReferencedFractionGroupSequence", None) or ()
        numbers = [
            int(beam.ReferencedBeamNumber)
            for group in groups
            for beam in getattr(group, "ReferencedBeamSequence", None) or ()
        ]
        if plan is None or len(numbers) != 1:
            raise UsageError(f"{one.label} does not say which one beam its dose is of. {_WITHOUT}")
        return str(getattr(plan, "ReferencedSOPInstanceUID", "")), numbers[0]


def read_one(one: DicomFile, frame: str) -> tuple[Floats, Grid, Any]:
    """Read one file's dose, (z, y, x), Gy, its grid, and the whole data set.

    Args:
        one: The file.
        frame: Frame of reference that it has to be of; "" for any.

    Raises:
        UsageError: The dose is not in Gy, of another frame of reference, oblique or damaged.
    """
    data = read_file(one.path)
    with guarded(one.label):
        units, kind = str(getattr(data, "DoseUnits", "")).upper(), str(getattr(data, "DoseType", "")).upper()
        if units != "GY":
            raise UsageError(f"{one.label}: the dose is in {units[:20] or 'no unit'!r}, not in GY. {_WITHOUT}")
        if kind not in ("PHYSICAL", "EFFECTIVE"):
            raise UsageError(f"{one.label}: the dose is {kind[:20]!r}, not PHYSICAL or EFFECTIVE. {_WITHOUT}")
        own = str(getattr(data, "FrameOfReferenceUID", "") or "")
        if frame and own and own != frame:
            raise UsageError(f"{one.label}: the dose is of another frame of reference than the CT. {_WITHOUT}")
        grid = _grid(one, data)
        scaling = float(data.DoseGridScaling)
        if not np.isfinite(scaling) or scaling <= 0:
            raise UsageError(f"{one.label}: DoseGridScaling is {scaling:g}. {_WITHOUT}")
        pixels = np.asarray(data.pixel_array)
        pixels = pixels[None] if pixels.ndim == 2 else pixels
        if pixels.shape != grid.shape:
            raise UsageError(f"{one.label} has {pixels.shape} voxels instead of {grid.shape}. {_WITHOUT}")
        # Offsets may descend; a case's z ascends.
        falling = float(data.GridFrameOffsetVector[-1]) < float(data.GridFrameOffsetVector[0])
        dose = np.asarray(pixels[::-1] if falling else pixels, np.float64) * scaling
        return np.ascontiguousarray(dose, np.float32), grid, data


def _grid(one: DicomFile, data: Any) -> Grid:
    frames, rows, columns = int(data.NumberOfFrames), int(data.Rows), int(data.Columns)
    if frames < 1 or frames * rows * columns > MOST_VOXELS:
        raise UsageError(f"{one.label}: a dose of {frames} x {rows} x {columns} voxels is too large. {_WITHOUT}")
    turned = np.abs(np.array([float(v) for v in data.ImageOrientationPatient]) - [1, 0, 0, 0, 1, 0]).max()
    offsets = np.array([float(v) for v in data.GridFrameOffsetVector])
    if turned > 1e-3 or len(offsets) != frames or frames < 2:
        raise UsageError(f"{one.label}: the dose's planes are oblique or have no places. {_WITHOUT}")
    steps = np.diff(offsets)
    step = float((offsets[-1] - offsets[0]) / (frames - 1))
    if step == 0 or np.abs(steps - step).max() > 0.02 * abs(step):
        raise UsageError(f"{one.label}: the dose's planes are unevenly spaced. {_WITHOUT}")
    x, y, z = (float(v) for v in data.ImagePositionPatient)
    # PS3.3 C.8.8.3.2: offsets begin with 0 and count from the position, or are the planes' z themselves.
    first = z if abs(offsets[0]) < 1e-6 else float(offsets[0])
    low = first if step > 0 else first + float(offsets[-1] - offsets[0])
    dy, dx = (float(v) for v in data.PixelSpacing)
    return Grid((frames, rows, columns), (abs(step), dy, dx), (low, y, x))


def write_rtdose(
    case: Case,
    dose: NDArray[np.floating],
    path: Path,
    patient_from: Path | None = None,
    *,
    bits: Literal[16, 32] = 32,
) -> None:
    """Write a dose as DICOM RTDOSE, on the case's dose grid; 0 where no structure is.

    Args:
        case: Whose dose it is.
        dose: Total Gy by row of the case.
        path: The file; replaced if it is there.
        patient_from: A DICOM file of the scan that the case is of: a slice of its CT, its structure set or its plan.
            None: a file of nobody, in a frame of reference of its own.
        bits: Of a voxel. 32 is exact to 1e-9 of the maximum; some old viewers take 16 only, exact to 1e-5.

    Raises:
        UsageError: The dose is not one of this case, or `patient_from` is no DICOM file of that scan.
        OSError: The file cannot be written.
    """
    figures = np.asarray(dose, np.float64)
    if figures.shape != case.voxels.shape:
        raise UsageError(f"the dose has {figures.size} figures for {len(case.voxels)} rows of the case")
    if not np.isfinite(figures).all() or (figures < 0).any():
        raise UsageError("the dose has negative figures or none that are numbers; it cannot be written")
    if bits not in (16, 32):
        raise UsageError(f"bits is {bits}; an RTDOSE has 16 or 32")
    data = _dataset(case, figures, bits)
    _adopt(data, case, patient_from)
    with BytesIO() as file:
        data.save_as(file, enforce_file_format=True)
        write_atomically(path, file.getvalue())


def read_rtdose(path: Path, case: Case) -> Floats:
    """Read a dose from an RTDOSE file on the rows of a case, by trilinear interpolation, total Gy.

    That the file is of the same patient cannot be checked, since a case has no identifiers; that it lies where the
    case's targets are is checked.

    Raises:
        UsageError: The file is no RTDOSE, not in Gy, not the dose of a whole plan, damaged, or lies elsewhere.
    """
    file = DicomFile(path, read_file(path))
    if file.text("SOPClassUID") != _RT_DOSE:
        raise UsageError(f"{file.label} is no RTDOSE; export the dose of the plan from the planning system")
    kind = file.text("DoseSummationType").upper()
    if kind != "PLAN":
        raise UsageError(f"{file.label} is a dose of the kind {quote(kind, 20)}; that of a whole plan (PLAN) is needed")
    dose, grid, _ = read_one(file, "")
    if same(grid, case.grid):
        return case.by_row(dose)
    covered = resample(np.ones(dose.shape, bool), grid, case.grid, average=False).reshape(-1) > 0.5
    for target in case.targets:
        if not covered[target.voxels].all():
            raise UsageError(f"{file.label} does not cover {target.name}; is it a dose of this case?")
    return case.by_row(resample(dose, grid, case.grid, average=False))


def _dataset(case: Case, dose: NDArray[np.float64], bits: int) -> Any:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    # Half the range, so that viewers that take the values for signed see no negative dose.
    most = 2 ** (bits - 1) - 1
    scaling = _decimal(max(float(dose.max(initial=0.0)), 1e-6) / most)
    stored = np.rint(case.cube(dose).astype(np.float64) / float(scaling))
    grid: Grid = case.grid
    z, y, x = grid.origin
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = _RT_DOSE, generate_uid()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.Modality, data.Manufacturer = "RTDOSE", "tgsci"
    data.SeriesInstanceUID, data.SeriesNumber, data.OperatorsName = generate_uid(), 1, ""
    data.SeriesDescription, data.DoseComment, data.InstanceNumber = MARK, MARK, 1
    data.ImagePositionPatient = _decimals((x, y, z))
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.PixelSpacing = _decimals((grid.spacing[1], grid.spacing[2]))
    data.SliceThickness = _decimal(grid.spacing[0])
    data.NumberOfFrames, data.Rows, data.Columns = grid.shape
    data.FrameIncrementPointer = 0x3004000C
    data.GridFrameOffsetVector = _decimals([k * grid.spacing[0] for k in range(grid.shape[0])])
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit = bits - 1
    data.DoseUnits, data.DoseSummationType = "GY", "PLAN"
    data.DoseType = "EFFECTIVE" if case.modality == "protons" else "PHYSICAL"
    data.DoseGridScaling = scaling
    # The kind PLAN demands a reference to a plan. There is none in DICOM: it names an instance that nobody has.
    plan = Dataset()
    plan.ReferencedSOPClassUID, plan.ReferencedSOPInstanceUID = _RT_PLAN, generate_uid()
    data.ReferencedRTPlanSequence = [plan]
    data.PixelData = stored.astype(f"<u{bits // 8}").tobytes()
    data["PixelData"].VR = "OW"
    return data


def _adopt(data: Any, case: Case, patient_from: Path | None) -> None:
    """Set patient, study and frame of reference: those of a file, or of nobody."""
    from pydicom.uid import generate_uid

    for keyword, nobody in _PATIENT.items():
        setattr(data, keyword, nobody)
    data.StudyInstanceUID, data.FrameOfReferenceUID = generate_uid(), generate_uid()
    if patient_from is None:
        return
    file = DicomFile(patient_from, read_file(patient_from))
    frame = _frame(file.head)
    if not frame or "PatientID" not in file.head:
        raise UsageError(f"{file.label} has no frame of reference, or no patient; take a slice of the CT")
    _check_place(file, case)
    for keyword in _PATIENT:
        setattr(data, keyword, getattr(file.head, keyword, None) or "")
    data.StudyInstanceUID = file.text("StudyInstanceUID") or data.StudyInstanceUID
    data.FrameOfReferenceUID = frame
    if file.text("SOPClassUID") == _RT_PLAN:
        data.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID = file.text("SOPInstanceUID")


def _frame(head: Any) -> str:
    """Find the frame of reference of an image, or of what a structure set was drawn on."""
    frame = str(getattr(head, "FrameOfReferenceUID", "") or "")
    for item in getattr(head, "ReferencedFrameOfReferenceSequence", None) or ():
        frame = frame or str(getattr(item, "FrameOfReferenceUID", "") or "")
    return frame


def _check_place(file: DicomFile, case: Case) -> None:
    """Refuse a slice whose pixels are not those of the case's image.

    Raises:
        UsageError: The slice is of another image, or lies between the case's voxels.
    """
    head, grid = file.head, case.ct_grid
    if file.text("Modality") != "CT" or grid is None or "ImagePositionPatient" not in head:
        return
    place = [float(v) for v in head.ImagePositionPatient]
    steps = [float(v) for v in head.PixelSpacing]
    for axis, at, step in ((2, place[0], steps[1]), (1, place[1], steps[0]), (0, place[2], grid.spacing[0])):
        off = (grid.origin[axis] - at) / grid.spacing[axis]
        if abs(step - grid.spacing[axis]) > 1e-3 or abs(off - round(off)) > 0.02:
            raise UsageError(f"{file.label} is no slice of the CT that the case {case.name} was made from")


def _decimal(value: float) -> str:
    """Write a decimal string of at most 16 characters, as exact as that allows."""
    from pydicom.valuerep import format_number_as_ds

    return str(format_number_as_ds(float(value)))


def _decimals(values: Sequence[float]) -> list[str]:
    return [_decimal(v) for v in values]
