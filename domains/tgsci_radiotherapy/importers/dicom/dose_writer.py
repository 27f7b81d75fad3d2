"""A dose of a case as an RTDOSE file, for viewers.

The file says that it is research and not for clinical use, carries no patient's name or number, and has identifiers
under pydicom's root: new ones, but for a frame of reference that all doses of a case share. With `patient_from`, a file
of the same scan, it takes that file's patient, study and frame of reference, so that a viewer lays the dose over the
image.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tgsci.basics.files import write_atomically
from tgsci.errors import UsageError

from ...case.model import Case, Grid
from .files import DicomFile, guarded, read_file
from .origin import check_sum, frame_of_case, frame_of_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What every file that is written says, where viewers show it.
MARK = "RESEARCH - NOT FOR CLINICAL USE"
_RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
_RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
#: Attributes of the patient and the study (PS3.3 C.7.1.1, C.7.2.1), with the value of a file without a patient.
PATIENT = {
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

    for keyword, nobody in PATIENT.items():
        setattr(data, keyword, nobody)
    data.StudyInstanceUID, data.FrameOfReferenceUID = generate_uid(), frame_of_case(case)
    if patient_from is None:
        return
    file = DicomFile(patient_from, read_file(patient_from))
    with guarded(file.label):
        frame = frame_of_file(file.head)
        if not frame or "PatientID" not in file.head:
            raise UsageError(f"{file.label} has no frame of reference, or no patient; take a slice of the CT")
        known = case.origin.get("frame")
        if known is None:
            _check_place(file, case)
        elif known != check_sum(frame):
            raise UsageError(f"{file.label} is no file of the scan that the case {case.name} was made from")
        for keyword in PATIENT:
            setattr(data, keyword, getattr(file.head, keyword, None) or "")
        data.StudyInstanceUID = file.text("StudyInstanceUID") or data.StudyInstanceUID
        data.FrameOfReferenceUID = frame
        if file.text("SOPClassUID") == _RT_PLAN:
            data.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID = file.text("SOPInstanceUID")


def _check_place(file: DicomFile, case: Case) -> None:
    """Refuse a slice whose pixels are not those of the case's image, where the case knows no frame of reference.

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
