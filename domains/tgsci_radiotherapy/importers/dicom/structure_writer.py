"""Structures written as an RTSTRUCT file: those of a scan with new ones beside them, or those of a case, of nobody.

Contours are CLOSED_PLANAR polygons along pixel edges, holes as keyholes (see `tracing`). From a DICOM folder the file
is the structure set that was read, all of its structures as they were drawn, with the new ones behind: patient, study,
frame of reference and the slices that contours lie on are the scan's. From a case, which keeps no patient, nobody's
name stands in it, and its frame of reference is that of the doses that are exported from the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.basics.files import write_atomically
from tgsci.errors import UsageError

from ...case.model import Grid
from ..options import Options
from ..patient import Region
from ..tracing import trace
from .dose_writer import MARK, PATIENT
from .files import scan_folder
from .image import read_image
from .plan import Prescription
from .structures import choose_structure_set, read_structures

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

_STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
_COLOURS = ([213, 94, 0], [0, 114, 178], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233])
#: RT ROI interpreted types of what a case tells apart.
_KINDS = {"target": "PTV", "oar": "ORGAN", "external": "EXTERNAL", "made": "AVOIDANCE"}


@dataclass(frozen=True)
class Drawing:
    """A structure to be written.

    Args:
        name: Unique in the file.
        kind: "target", "oar", "external", or "made" for what helps a planner.
        mask: (z, y, x).
        how: What it was made from, in words.
    """

    name: str
    kind: str
    mask: Bools
    how: str = ""


@dataclass(frozen=True)
class StructureSet:
    """A structure set of a scan, as far as writing it again needs.

    Args:
        regions: Its structures.
        grid: Of the masks.
        notes: What a person should know about them.
        data: The file.
        frame: The scan's frame of reference.
        planes: z of the slices, mm, with the class and the identifier of each; "" where an identifier is not known.
    """

    regions: tuple[Region, ...]
    grid: Grid
    notes: tuple[str, ...]
    data: Any
    frame: str
    planes: Mapping[float, tuple[str, str]] = field(default_factory=dict)


def open_structures(folder: Path, options: Options, say: Callable[[str], None]) -> StructureSet:
    """Read the structure set of a DICOM folder.

    Raises:
        UsageError: Files are missing, damaged, or of different patients.
    """
    scan = scan_folder(folder, say)
    one, series = choose_structure_set(scan, options)
    image = read_image(series, options)
    drawn = read_structures(one, series, image, options, Prescription())
    known = {}
    for file in series.files:
        position = getattr(file.head, "ImagePositionPatient", None)
        if position is not None and len(position) == 3:
            known[float(position[2])] = file.text("SOPClassUID"), file.text("SOPInstanceUID")
    heights = np.array(sorted(known))
    planes = {}
    for z in image.slices:
        nearest = float(heights[int(np.argmin(np.abs(heights - z)))]) if len(heights) else np.inf
        planes[z] = known[nearest] if abs(nearest - z) < 0.01 else ("", "")
    notes = (*scan.notes, *image.notes, *drawn.notes)
    return StructureSet(tuple(drawn.regions), image.grid, notes, one.data, series.frame, planes)


def write_structures(path: Path, drawings: Sequence[Drawing], grid: Grid, beside: StructureSet | str) -> None:
    """Write an RTSTRUCT.

    Args:
        path: The file; replaced if it is there.
        drawings: What to write; behind the structures of the set where there is one.
        grid: Of the masks.
        beside: The structure set to which they are added, or the frame of reference of a file of nobody.

    Raises:
        UsageError: A structure has no voxel on a slice.
        OSError: The file cannot be written.
    """
    from pydicom.uid import generate_uid

    if isinstance(beside, str):
        data, frame = _of_nobody(beside), beside
        planes: Mapping[float, tuple[str, str]] = dict.fromkeys(map(float, grid.axes()[0]), ("", ""))
    else:
        data, frame, planes = _again(beside.data), beside.frame, beside.planes
    data.SOPInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.Manufacturer, data.SeriesDescription, data.StructureSetLabel = "tgsci", MARK, "tgsci"
    data.StructureSetDescription = MARK
    data.ApprovalStatus = "UNAPPROVED"
    data.StructureSetDate = data.StructureSetTime = ""
    first = 1 + max((int(item.ROINumber) for item in data.StructureSetROISequence), default=0)
    observed = 1 + max((int(item.ObservationNumber) for item in data.RTROIObservationsSequence), default=0)
    for n, drawing in enumerate(drawings):
        _add(data, drawing, (first + n, observed + n), frame, grid, planes)
    with BytesIO() as file:
        data.save_as(file, enforce_file_format=True)
        write_atomically(path, file.getvalue())


def _again(data: Any) -> Any:
    """Copy a structure set that was read; nobody has approved the copy."""
    copy = deepcopy(data)
    for keyword in ("ReviewDate", "ReviewTime", "ReviewerName"):
        if keyword in copy:
            delattr(copy, keyword)
    for keyword in ("StructureSetROISequence", "ROIContourSequence", "RTROIObservationsSequence"):
        if keyword not in copy:
            setattr(copy, keyword, [])
    if not getattr(copy, "file_meta", None) or "TransferSyntaxUID" not in copy.file_meta:
        copy.file_meta = _meta()
    return copy


def _meta() -> Any:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, UID(_STRUCTURES)
    return meta


def _of_nobody(frame: str) -> Any:
    """Begin a structure set without a patient."""
    from pydicom.dataset import Dataset
    from pydicom.uid import generate_uid

    data = Dataset()
    data.file_meta = _meta()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.Modality = _STRUCTURES, "RTSTRUCT"
    for keyword, nobody in PATIENT.items():
        setattr(data, keyword, nobody)
    data.StudyInstanceUID, data.FrameOfReferenceUID = generate_uid(), frame
    data.SeriesNumber, data.OperatorsName, data.InstanceNumber = 1, "", 1
    reference = Dataset()
    reference.FrameOfReferenceUID = frame
    data.ReferencedFrameOfReferenceSequence = [reference]
    data.StructureSetROISequence, data.ROIContourSequence, data.RTROIObservationsSequence = [], [], []
    return data


def _add(
    data: Any,
    drawing: Drawing,
    numbers: tuple[int, int],
    frame: str,
    grid: Grid,
    planes: Mapping[float, tuple[str, str]],
) -> None:
    """Add a structure to a structure set: what it is, its contours, its type."""
    from pydicom.dataset import Dataset

    number, observed = numbers
    region, contours, seen = Dataset(), Dataset(), Dataset()
    region.ROINumber, region.ROIName, region.ReferencedFrameOfReferenceUID = number, drawing.name, frame
    region.ROIGenerationAlgorithm = "AUTOMATIC"
    if drawing.how:
        region.ROIDescription = drawing.how
    contours.ReferencedROINumber = number
    contours.ROIDisplayColor = _COLOURS[number % len(_COLOURS)]
    contours.ContourSequence = _contours(drawing.mask, grid, planes)
    if not contours.ContourSequence:
        raise UsageError(f"{drawing.name} has no voxel on a slice; nothing was written")
    seen.ObservationNumber, seen.ReferencedROINumber = observed, number
    seen.RTROIInterpretedType, seen.ROIInterpreter = _KINDS[drawing.kind], ""
    data.StructureSetROISequence.append(region)
    data.ROIContourSequence.append(contours)
    data.RTROIObservationsSequence.append(seen)


def _contours(mask: Bools, grid: Grid, planes: Mapping[float, tuple[str, str]]) -> list[Any]:
    """Trace a mask on the slices of a scan."""
    from pydicom.dataset import Dataset

    oz, oy, ox = grid.origin
    sz, sy, sx = grid.spacing
    items = []
    for z, (kind, uid) in sorted(planes.items()):
        k = round((z - oz) / sz)
        if not 0 <= k < len(mask):
            continue
        for polygon in trace(mask[k]):
            corners = np.column_stack([ox + sx * polygon[:, 1], oy + sy * polygon[:, 0], np.full(len(polygon), z)])
            item = Dataset()
            item.ContourGeometricType, item.NumberOfContourPoints = "CLOSED_PLANAR", len(corners)
            item.ContourData = [f"{value:.3f}" for value in corners.ravel()]
            if uid:
                image = Dataset()
                image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = kind, uid
                item.ContourImageSequence = [image]
            items.append(item)
    return items
