"""A small patient as DICOM: a CT series, a structure set, a plan and its dose, written by pydicom as a scanner would.

The patient is a cylinder of water (radius 60 mm, along z) with a target (radius 15 mm), a cord behind it and a ring
around it. Everything that identifies somebody is planted, so that a test can look for it in a case.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from copy import copy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT, STRUCTURES = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.481.3"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
DOSE, PLAN = "1.2.840.10008.5.1.4.1.1.481.2", "1.2.840.10008.5.1.4.1.1.481.5"
#: What must never be found in a case.
SECRETS = {
    "PatientName": "Quixotesson^Zebediah",
    "PatientID": "MRN-7719-XK",
    "PatientBirthDate": "19531107",
    "InstitutionName": "Saint Elsewhere Oncology",
    "ReferringPhysicianName": "Grimwald^Otto",
    "StudyDescription": "palliative hip study",
    "SeriesDescription": "planning scan contrast",
    "StudyDate": "20240229",
    "StationName": "LINACROOM4",
    "AccessionNumber": "ACC99812",
    "DeviceSerialNumber": "SN-44123-Q",
}
ROWS, COLUMNS, SLICES = 64, 72, 16
SPACING, STEP, ORIGIN = (2.5, 2.0), 3.0, (-72.0, -80.0, -21.0)  # (y, x) mm; z step; x, y, z of the first voxel
RADIUS, TARGET = 60.0, 15.0


def circle(radius: float, x: float = 0.0, y: float = 0.0, corners: int = 90) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def heights() -> np.ndarray:
    return ORIGIN[2] + STEP * np.arange(SLICES)


class Folder:
    """Writes the files; `frame`, `study` and `series` are the identifiers that they share."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.frame, self.study, self.series = generate_uid(), generate_uid(), generate_uid()
        self.structures, self.plan = generate_uid(), generate_uid()

    def base(self, kind: str, modality: str, instance: str | None = None) -> Dataset:
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID = kind, instance or generate_uid()
        data.file_meta.MediaStorageSOPClassUID = kind
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.Modality, data.StudyInstanceUID, data.SeriesInstanceUID = modality, self.study, generate_uid()
        for keyword, value in SECRETS.items():
            setattr(data, keyword, value)
        return data

    def ct(
        self,
        *,
        air: float = -1000.0,
        water: float = 0.0,
        intercept: float = -1024.0,
        slope: float = 1.0,
        slices: Sequence[int] = range(SLICES),
        change: Callable[[Dataset, int], Any] = lambda data, k: None,
        series: str | None = None,
        name: str = "ct",
        places: Sequence[float] | None = None,
        hu: Callable[[np.ndarray, np.ndarray, float], np.ndarray] | None = None,
        position: str = "HFS",
        signs: tuple[int, int] = (1, 1),
    ) -> None:
        """A CT series.

        Args:
            air: HU around the patient.
            water: HU of the patient.
            intercept: RescaleIntercept.
            slope: RescaleSlope.
            slices: Which of the slices.
            change: Called with each slice's data set and number before it is written.
            series: Its identifier.
            name: What the files' names begin with.
            places: z of each slice, mm; None: `STEP` apart.
            hu: The patient as a function of x, y (2-D arrays) and z, in place of air and water.
            position: PatientPosition.
            signs: Direction in which columns and rows are numbered: -1, 1 is how a scanner writes FFS.
        """
        y = ORIGIN[1] + SPACING[0] * np.arange(ROWS)[:: signs[1]]
        x = ORIGIN[0] + SPACING[1] * np.arange(COLUMNS)[:: signs[0]]
        places = heights() if places is None else places
        for k in slices:
            inside = np.hypot(x[None, :], y[:, None]) <= RADIUS
            shown = np.where(inside, water, air) if hu is None else hu(x[None, :], y[:, None], places[k])
            values = np.rint((shown - intercept) / slope).astype(np.int16)
            data = self.base(CT, "CT")
            data.SeriesInstanceUID = series or self.series
            data.FrameOfReferenceUID, data.PatientPosition = self.frame, position
            data.ImagePositionPatient = [x[0], y[0], places[k]]
            data.ImageOrientationPatient = [signs[0], 0, 0, 0, signs[1], 0]
            data.PixelSpacing, data.SliceThickness, data.InstanceNumber = list(SPACING), STEP, SLICES - k
            data.Rows, data.Columns = values.shape
            data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
            data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
            data.RescaleSlope, data.RescaleIntercept = slope, intercept
            data.PixelData = values.tobytes()
            change(data, k)
            # Names in no order: slices are sorted by position.
            self.save(data, f"{name}_{(k * 7) % 17 if k < 17 else k:02d}.dcm")

    def enhanced_ct(self, hu: Callable[[np.ndarray, np.ndarray, float], np.ndarray], position: str = "") -> None:
        """A CT series as one multi-frame file, its places in the groups of its frames; every other rescale differs."""
        y, x = ORIGIN[1] + SPACING[0] * np.arange(ROWS), ORIGIN[0] + SPACING[1] * np.arange(COLUMNS)
        data = self.base(ENHANCED_CT, "CT")
        data.SeriesInstanceUID, data.FrameOfReferenceUID = self.series, self.frame
        data.Rows, data.Columns, data.NumberOfFrames = ROWS, COLUMNS, SLICES
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
        shared, measures, turned = Dataset(), Dataset(), Dataset()
        measures.PixelSpacing, turned.ImageOrientationPatient = list(SPACING), [1, 0, 0, 0, 1, 0]
        shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [turned]
        data.SharedFunctionalGroupsSequence, data.PerFrameFunctionalGroupsSequence = [shared], []
        frames = []
        for k, z in enumerate(heights()[::-1]):
            group, place, scale = Dataset(), Dataset(), Dataset()
            place.ImagePositionPatient = [x[0], y[0], z]
            scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = 1, -1000 - 24 * (k % 2), "HU"
            group.PlanePositionSequence, group.PixelValueTransformationSequence = [place], [scale]
            data.PerFrameFunctionalGroupsSequence.append(group)
            frames.append(np.rint(hu(x[None, :], y[:, None], z) - scale.RescaleIntercept).astype(np.int16))
        data.PixelData = np.stack(frames).tobytes()
        if position:
            data.PatientPosition = position
        else:
            lies, side, stands = Dataset(), Dataset(), Dataset()
            lies.CodeMeaning, side.CodeMeaning, stands.CodeMeaning = "recumbent", "supine", "headfirst"
            lies.PatientOrientationModifierCodeSequence = [side]
            data.PatientOrientationCodeSequence, data.PatientGantryRelationshipCodeSequence = [lies], [stands]
        self.save(data, "enhanced.dcm")

    def structure_set(
        self,
        regions: Sequence[tuple[str, str, dict[float, list[np.ndarray]]]] | None = None,
        *,
        frame: str | None = None,
        change: Callable[[Dataset], Any] = lambda data: None,
        name: str = "rs.dcm",
        series: str | None = None,
    ) -> None:
        frame = frame or self.frame
        data = self.base(STRUCTURES, "RTSTRUCT", self.structures)
        data.StructureSetLabel = "planted label"
        image, study, reference = Dataset(), Dataset(), Dataset()
        image.SeriesInstanceUID = series or self.series
        study.RTReferencedSeriesSequence = [image]
        reference.FrameOfReferenceUID, reference.RTReferencedStudySequence = frame, [study]
        data.ReferencedFrameOfReferenceSequence = [reference]
        data.StructureSetROISequence, data.ROIContourSequence, data.RTROIObservationsSequence = [], [], []
        for number, (said, kind, planes) in enumerate(usual() if regions is None else regions, start=1):
            region, drawn, seen = Dataset(), Dataset(), Dataset()
            region.ROINumber, region.ROIName, region.ReferencedFrameOfReferenceUID = number, said, frame
            drawn.ReferencedROINumber = seen.ReferencedROINumber = number
            drawn.ContourSequence = [contour(polygon, z) for z, polygons in planes.items() for polygon in polygons]
            seen.ObservationNumber, seen.RTROIInterpretedType = number, kind
            data.StructureSetROISequence.append(region)
            if planes:
                data.ROIContourSequence.append(drawn)
            if kind:
                data.RTROIObservationsSequence.append(seen)
        change(data)
        self.save(data, name)

    def rtplan(
        self, doses: Sequence[tuple[int | None, float]] = ((1, 50.0),), fractions: int = 25, beams: int = 2
    ) -> None:
        data = self.base(PLAN, "RTPLAN", self.plan)
        data.FrameOfReferenceUID, data.RTPlanLabel = self.frame, "planted plan"
        link = Dataset()
        link.ReferencedSOPClassUID, link.ReferencedSOPInstanceUID = STRUCTURES, self.structures
        data.ReferencedStructureSetSequence = [link]
        data.DoseReferenceSequence = []
        for place, (number, dose) in enumerate(doses, start=1):
            item = Dataset()
            item.DoseReferenceNumber, item.DoseReferenceType, item.TargetPrescriptionDose = place, "TARGET", dose
            item.DoseReferenceStructureType = "VOLUME" if number else "SITE"
            if number:
                item.ReferencedROINumber = number
            data.DoseReferenceSequence.append(item)
        group = Dataset()
        group.FractionGroupNumber, group.NumberOfFractionsPlanned = 1, fractions
        group.ReferencedBeamSequence = []
        for number in range(1, beams + 1):
            beam = Dataset()
            beam.ReferencedBeamNumber, beam.BeamMeterset = number, 100.0
            group.ReferencedBeamSequence.append(beam)
        data.FractionGroupSequence = [group]
        self.save(data, "rp.dcm")

    def rtdose(
        self,
        peak: float = 52.0,
        *,
        summation: str = "PLAN",
        beam: int | None = None,
        units: str = "GY",
        falling: bool = False,
        change: Callable[[Dataset], Any] = lambda data: None,
        name: str = "rd.dcm",
    ) -> None:
        """A dose of peak (1 - 0.002 x) Gy, x in mm, on a 5 mm grid that covers the patient."""
        data = self.base(DOSE, "RTDOSE")
        shape = (12, 34, 32)
        origin = (-77.5, -82.5, -25.0)
        x = origin[0] + 5.0 * np.arange(shape[2])
        dose = np.broadcast_to(peak * (1 - 0.002 * x), shape)
        scaling = 2e-5
        stored = np.rint(dose / scaling).astype(np.uint32)
        offsets = 5.0 * np.arange(shape[0])
        data.FrameOfReferenceUID = self.frame
        data.ImagePositionPatient = [origin[0], origin[1], origin[2] + (offsets[-1] if falling else 0.0)]
        data.ImageOrientationPatient, data.PixelSpacing = [1, 0, 0, 0, 1, 0], [5.0, 5.0]
        data.GridFrameOffsetVector = list(-offsets if falling else offsets)
        data.NumberOfFrames, data.Rows, data.Columns = shape
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 32, 32, 31, 0
        data.DoseUnits, data.DoseType, data.DoseSummationType, data.DoseGridScaling = (
            units,
            "PHYSICAL",
            summation,
            scaling,
        )
        link = Dataset()
        link.ReferencedSOPClassUID, link.ReferencedSOPInstanceUID = PLAN, self.plan
        if beam is not None:
            group, one = Dataset(), Dataset()
            one.ReferencedBeamNumber, group.ReferencedFractionGroupNumber = beam, 1
            group.ReferencedBeamSequence = [one]
            link.ReferencedFractionGroupSequence = [group]
        data.ReferencedRTPlanSequence = [link]
        data.PixelData = (stored[::-1] if falling else stored).tobytes()
        change(data)
        self.save(data, name)

    def save(self, data: Dataset, name: str) -> None:
        if "PixelData" in data:
            data["PixelData"].VR = "OW"
        data.save_as(self.path / name, enforce_file_format=True)


def lopsided(x: np.ndarray, y: np.ndarray, z: float) -> np.ndarray:
    """A patient whose HU say where each voxel is: a mm to the left is 1 more, to the back 2, to the head 4."""
    return np.where(np.hypot(x, y) <= RADIUS, np.rint(x + 2 * y + 4 * z), -1000.0)


def contour(polygon: np.ndarray, z: float) -> Dataset:
    item = Dataset()
    corners = np.column_stack([polygon, np.full(len(polygon), z)])
    item.ContourGeometricType, item.NumberOfContourPoints = "CLOSED_PLANAR", len(corners)
    item.ContourData = [f"{v:.4f}" for v in corners.ravel()]
    return item


def usual() -> list[tuple[str, str, dict[float, list[np.ndarray]]]]:
    """PTV, cord, a ring with a hole, and the body."""
    z = heights()
    middle = z[4:12]
    return [
        ("PTV", "PTV", {float(h): [circle(TARGET)] for h in middle}),
        ("SpinalCord", "ORGAN", {float(h): [circle(6.0, 0.0, 35.0)] for h in z}),
        ("Ring", "ORGAN", {float(h): [circle(30.0), circle(20.0)] for h in middle}),
        ("BODY", "EXTERNAL", {float(h): [circle(RADIUS, corners=360)] for h in z}),
    ]


def usual_folder(path: Path) -> Folder:
    """Everything there is, as it should be."""
    first = _written_once()
    shutil.copytree(first.path, path, dirs_exist_ok=True)
    folder = copy(first)
    folder.path = path
    return folder


@cache
def _written_once() -> Folder:
    """The usual folder, for copies: pydicom takes sixty times longer to write it."""
    directory = TemporaryDirectory(prefix="dicom-")
    folder = Folder(Path(directory.name))
    folder.keep = directory  # gone with the process
    folder.ct()
    folder.structure_set()
    folder.rtplan()
    folder.rtdose()
    return folder
