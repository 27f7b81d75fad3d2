"""The contours of a structure set as masks: typed, of the right patient, and without the patient's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tgsci.errors import UsageError

from ...case.model import Grid, Type
from ...names import clean, find, folded
from ..contours import rasterize
from ..masks import Mask
from ..options import Options
from ..patient import MOST_STRUCTURES, Region, guess_type, unique_names
from .files import DicomFile, Scan, Series, guarded
from .plan import Prescription

if TYPE_CHECKING:
    from ..contours import Points

#: Most corners of one contour, and of all contours of a structure set.
MOST_CORNERS, MOST_CORNERS_IN_ALL = 1_000_000, 30_000_000
#: How far the corners of a contour may be from one plane, mm.
_FLAT = 0.1
#: Contours nearer than this are in one plane, mm.
_PLANE = 0.05
#: RT ROI interpreted types (DICOM PS3.3 C.8.8.8) that are no part of the patient, or no organ.
_LEFT_OUT = {
    "BOLUS", "BRACHY_ACCESSORY", "BRACHY_CHANNEL", "BRACHY_CHNL_SHLD", "BRACHY_SRC_APP", "CONTROL", "DOSE_MEASUREMENT",
    "FIXATION", "IRRAD_VOLUME", "ISOCENTER", "MARKER", "REGISTRATION", "SUPPORT", "TREATED_VOLUME",
}  # fmt: skip
#: Parts of names that tell nobody's: a test patient called Prostate must not rename the structure of that name.
_ANATOMY = re.compile(
    r"(?i)[cgi]tv|ptv|body|external|target|phantom|prostate|bladder|rectum|femur|lung|heart|brain|stem|cord|spin|parot|"
    r"liver|kidney|breast|head|neck|bowel|penile|oesoph|esoph|larynx|mandib|optic|chiasm|eye|lens|core|test|patient|anonym"
)
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR", "")


@dataclass(frozen=True)
class _Roi:
    """A region of interest; its contours are looked at where they are needed, since that takes longest."""

    number: int
    name: str
    kind: str
    contours: Any


def choose_structure_set(scan: Scan, options: Options) -> tuple[DicomFile, Series]:
    """Choose the structure set, and the CT that it was drawn on.

    Raises:
        UsageError: None was drawn on any CT here, or there is a choice to make.
    """
    series = _one_series(scan, options)
    pairs = []
    for one in scan.structures:
        frames, uids = _references(one)
        for image in series:
            if (not frames or not image.frame or image.frame in frames) and _same_patient(one, image):
                pairs.append((one, image, image.uid in uids))
    named = [p for p in pairs if p[2]]
    pairs = named or pairs
    if not pairs:
        _refuse(scan, series)
    files = sorted({id(p[0]): p[0] for p in pairs}.values(), key=lambda f: str(f.path))
    if options.structure_set is not None:
        if options.structure_set > len(files):
            raise UsageError(f"structure_set is {options.structure_set}; there are {len(files)}")
        files = [files[options.structure_set - 1]]
    if len(files) > 1:
        listed = "; ".join(f"{n}: {_names(f)}" for n, f in enumerate(files, start=1))
        raise UsageError(f"there are {len(files)} structure sets; choose with --structure-set: {listed[:1500]}")
    images = [p[1] for p in pairs if p[0] is files[0]]
    if len(images) > 1:
        listed = "; ".join(f"{scan.series.index(s) + 1}: {s}" for s in images)
        raise UsageError(f"there are {len(images)} CT series; choose with --series: {listed[:1500]}")
    return files[0], images[0]


def _one_series(scan: Scan, options: Options) -> list[Series]:
    if options.series is None:
        return scan.series
    if options.series > len(scan.series):
        raise UsageError(f"series is {options.series}; there are {len(scan.series)}")
    return [scan.series[options.series - 1]]


def _references(one: DicomFile) -> tuple[set[str], set[str]]:
    """List the frames of reference and the series that a structure set says it belongs to."""
    data = one.data
    frames, series = set(), set()
    with guarded(one.label):
        for frame in getattr(data, "ReferencedFrameOfReferenceSequence", None) or ():
            frames.add(str(getattr(frame, "FrameOfReferenceUID", "")))
            for study in getattr(frame, "RTReferencedStudySequence", None) or ():
                for image in getattr(study, "RTReferencedSeriesSequence", None) or ():
                    series.add(str(getattr(image, "SeriesInstanceUID", "")))
        for region in getattr(data, "StructureSetROISequence", None) or ():
            frames.add(str(getattr(region, "ReferencedFrameOfReferenceUID", "")))
    return frames - {""}, series - {""}


def _same_patient(one: DicomFile, image: Series) -> bool:
    """Tell whether a structure set and a CT can be of one patient: not where both say who it is and do not agree."""
    for keyword in ("PatientID", "PatientName"):
        mine, theirs = one.text(keyword), image.files[0].text(keyword)
        if mine and theirs and mine.casefold() != theirs.casefold():
            return False
    return True


def _refuse(scan: Scan, series: list[Series]) -> None:
    if any(not _same_patient(one, image) for one in scan.structures for image in series):
        raise UsageError("the structure set and the CT are of different patients; put one patient into the folder")
    raise UsageError(
        "the structure set was not drawn on this CT: their frames of reference differ. It belongs to another patient "
        "or scan; contours of one on the image of the other would be nonsense"
    )


def _names(one: DicomFile) -> str:
    with guarded(one.label):
        regions = getattr(one.data, "StructureSetROISequence", None) or ()
        names = [clean(getattr(r, "ROIName", "")) for r in list(regions)[:6]]
    return f"{len(regions)} structures ({', '.join(names)}{', ...' if len(regions) > 6 else ''})"


def read_structures(
    one: DicomFile, series: Series, grid: Grid, options: Options, plan: Prescription
) -> tuple[list[Region], list[str], list[str]]:
    """Read the structures, the names of those that were left out, and what a person should know.

    Raises:
        UsageError: Too many structures or corners, corners that are no numbers, contours that are not axial.
    """
    data = one.data
    with guarded(one.label):
        regions = _regions(data)
        _same_frame(data, series)
        missing = _missing_images(data, series)
    anonymous, notes = _without_patient([r.name for r in regions], series, one)
    names, doubled = unique_names(anonymous)
    notes += doubled
    if missing:
        notes.append(f"{missing} of the CT slices that the structure set refers to are not in the folder")
    ignored = {find(name, names) for name, kind in options.types.items() if kind == "ignore"}
    only = {find(name, names) for name in options.only}
    forced = {find(name, names): kind for name, kind in options.types.items()}
    drawn: list[Region] = []
    budget = MOST_CORNERS_IN_ALL
    chosen, skipped = [], []
    for region, name in zip(regions, names, strict=True):
        kind = forced.get(name) or _type(region, name)
        if name in ignored or kind == "ignore" or (only and name not in only and kind != "external"):
            skipped.append(name)
            if kind == "ignore" and name not in ignored:
                notes.append(f"{name} ({region.kind.lower()}) is left out")
            continue
        chosen.append((region, name, kind))
    if len(chosen) > MOST_STRUCTURES:
        raise UsageError(
            f"the structure set has {len(chosen)} structures, more than {MOST_STRUCTURES}; name those that matter with "
            "--only"
        )
    for region, name, kind in chosen:
        with guarded(f"{one.label}, structure {name}"):
            planes, used, open_ones = _planes(region, name, budget)
        budget -= used
        if open_ones:
            notes.append(f"{open_ones} points or open lines of {name} are left out")
        dose = plan.by_number.get(region.number) if kind == "target" else None
        if not planes:
            drawn.append(Region(name, cast(Type, kind), _NOTHING, 0.0, dose))
            continue
        mask, volume, gaps = rasterize(planes, grid)
        if mask.empty and volume > 0 and _beyond(planes, grid):
            raise UsageError(
                f"{name} lies outside the CT (z {min(planes):g} to {max(planes):g} mm); was it drawn on this one?"
            )
        low, high = grid.origin[0] - grid.spacing[0], grid.origin[0] + grid.spacing[0] * grid.shape[0]
        if not low <= min(planes) or not max(planes) <= high:
            if kind == "target":
                raise UsageError(
                    f"the target {name} reaches from z {min(planes):g} to {max(planes):g} mm, beyond the CT; slices "
                    "are missing at its end: export the whole series"
                )
            notes.append(f"{name} reaches beyond the CT; what is there is cut off")
        if gaps:
            notes.append(f"{name} has {gaps} gap(s) between contours, left open")
        drawn.append(Region(name, cast(Type, kind), mask, volume, dose))
    return _one_target_prescribed(drawn, plan, notes), skipped, notes


_NOTHING = Mask((0, 0, 0), np.zeros((0, 0, 0), bool))


def _regions(data: Any) -> list[_Roi]:
    """Collect what the three sequences of a structure set say about each region of interest."""
    contours = {}
    for item in getattr(data, "ROIContourSequence", None) or ():
        contours[int(item.ReferencedROINumber)] = item
    kinds = {}
    for item in getattr(data, "RTROIObservationsSequence", None) or ():
        kinds[int(item.ReferencedROINumber)] = str(getattr(item, "RTROIInterpretedType", "") or "").upper()
    regions = getattr(data, "StructureSetROISequence", None) or ()
    out = []
    for item in regions:
        number = int(item.ROINumber)
        out.append(_Roi(number, str(getattr(item, "ROIName", "")), kinds.get(number, ""), contours.get(number)))
    return out


def _same_frame(data: Any, series: Series) -> None:
    """Refuse a structure that was drawn on another image than the others.

    Raises:
        UsageError: A structure was drawn on another image.
    """
    for item in getattr(data, "StructureSetROISequence", None) or ():
        theirs = str(getattr(item, "ReferencedFrameOfReferenceUID", "") or "")
        if series.frame and theirs and theirs != series.frame:
            raise UsageError(
                f"the structure {clean(getattr(item, 'ROIName', ''))!r} was drawn in another frame of reference than "
                "this CT; take it out of the structure set, or register the images first"
            )


def _missing_images(data: Any, series: Series) -> int:
    """Count the slices of this series that the structure set refers to and that are not there."""
    there = {file.text("SOPInstanceUID") for file in series.files}
    named: set[str] = set()
    for frame in getattr(data, "ReferencedFrameOfReferenceSequence", None) or ():
        for study in getattr(frame, "RTReferencedStudySequence", None) or ():
            for image in getattr(study, "RTReferencedSeriesSequence", None) or ():
                if str(getattr(image, "SeriesInstanceUID", "")) == series.uid:
                    for one in getattr(image, "ContourImageSequence", None) or ():
                        named.add(str(getattr(one, "ReferencedSOPInstanceUID", "")))
    return len(named - there - {""})


def _without_patient(names: list[str], series: Series, one: DicomFile) -> tuple[list[str], list[str]]:
    """Replace names that hold the patient's own name or number; a sentence about each comes along."""
    secrets = set()
    for file in (series.files[0], one):
        for keyword in ("PatientID", "PatientName"):
            secrets |= {folded(clean(part)) for part in re.split(r"[\s^=,;]+", file.text(keyword))}
    secrets = {s for s in secrets if len(s) >= 4 and not _ANATOMY.search(s)}
    out, notes = [], []
    for number, name in enumerate(names, start=1):
        if any(secret in folded(clean(name)) for secret in secrets):
            notes.append(f"the name of structure {number} holds the patient's; it is now ROI_{number}")
            name = f"ROI_{number}"
        out.append(name)
    return out, notes


def _type(region: _Roi, name: str) -> Any:
    if region.kind in _LEFT_OUT:
        return "ignore"
    if region.kind == "EXTERNAL":
        return "external"
    if region.kind in ("PTV", "CTV", "GTV"):
        return "target"
    guess: Type = guess_type(name)
    # Many systems call everything an organ; nobody calls an organ BODY.
    return "oar" if region.kind in ("ORGAN", "AVOIDANCE") and guess == "target" else guess


def _planes(region: _Roi, name: str, budget: int) -> tuple[dict[float, list[Points]], int, int]:
    """Collect contours by z, mm; count their corners, and the contours that are points or open lines."""
    flat: list[tuple[float, Points]] = []
    used = skipped = 0
    for contour in getattr(region.contours, "ContourSequence", None) or ():
        if str(getattr(contour, "ContourGeometricType", "")).upper() not in _CLOSED:
            skipped += 1
            continue
        points = _corners(contour, name)
        used += len(points)
        if used > budget:
            raise UsageError(
                f"more than {MOST_CORNERS_IN_ALL / 1e6:g} million corners of contours; this is no structure set"
            )
        if len(points) < 3:
            skipped += 1
            continue
        z = points[:, 2]
        if float(z.max() - z.min()) > _FLAT:
            raise UsageError(
                f"{name} has a contour that is not axial (z from {z.min():g} to {z.max():g} mm); leave it out "
                f"(--type {name}=ignore), or draw it on axial slices"
            )
        flat.append((float(z.mean()), np.ascontiguousarray(points[:, :2])))
    planes: dict[float, list[Points]] = {}
    last = -np.inf
    for height, polygon in sorted(flat, key=lambda pair: pair[0]):
        last = height if height - last > _PLANE else last
        planes.setdefault(round(last, 4), []).append(polygon)
    return planes, used, skipped


def _corners(contour: Any, name: str) -> Points:
    """Read the corners, (n, 3), x, y, z in mm; from the file's own text, many times faster than value by value."""
    from pydicom.tag import Tag

    element = contour.get_item(Tag(0x3006, 0x0050))
    raw = None if element is None else element.value
    if raw is None or len(raw) == 0:
        return np.zeros((0, 3))
    if isinstance(raw, bytes):
        if raw.count(b"\\") > 3 * MOST_CORNERS:
            raise UsageError(f"a contour of {name} has more than {MOST_CORNERS / 1e6:g} million corners")
        values = np.array([float(v) for v in raw.decode("ascii", "replace").rstrip(" \0").split("\\") if v.strip()])
    else:
        values = np.array([float(v) for v in raw])
    if len(values) % 3 or len(values) > 3 * MOST_CORNERS:
        raise UsageError(f"a contour of {name} has {len(values)} coordinates, which make no corners; it is damaged")
    if not np.isfinite(values).all() or (len(values) and np.abs(values).max() > 1e5):
        raise UsageError(f"a contour of {name} has coordinates that are no places in a patient; it is damaged")
    return values.reshape(-1, 3)


def _beyond(planes: dict[float, list[Points]], grid: Grid) -> bool:
    """Tell whether all corners lie outside the image."""
    z0, y0, x0 = (o - s / 2 for o, s in zip(grid.origin, grid.spacing, strict=True))
    z1, y1, x1 = (o + s * (n - 0.5) for o, s, n in zip(grid.origin, grid.spacing, grid.shape, strict=True))
    for z, polygons in planes.items():
        for p in polygons:
            if z0 <= z <= z1 and ((p[:, 0] >= x0) & (p[:, 0] <= x1) & (p[:, 1] >= y0) & (p[:, 1] <= y1)).any():
                return False
    return True


def _one_target_prescribed(drawn: list[Region], plan: Prescription, notes: list[str]) -> list[Region]:
    """Give a prescription that names no structure to the only PTV, if there is only one."""
    from dataclasses import replace

    targets = [s for s in drawn if s.type == "target"]
    likely = [s for s in targets if s.name.casefold().startswith("ptv")] or targets
    if any(s.prescription for s in targets) or plan.unnamed is None or len(likely) != 1:
        return drawn
    notes.append(f"the plan prescribes {plan.unnamed:g} Gy to no structure; taken for {likely[0].name}")
    return [replace(s, prescription=plan.unnamed) if s is likely[0] else s for s in drawn]
