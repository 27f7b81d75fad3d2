"""The contours of a structure set as masks: typed, of the right patient, and without the patient's name."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tgsci.basics.texts import shell_word
from tgsci.errors import UsageError

from ...case.model import Grid
from ...names import clean, folded
from ..contours import Solid, group, rasterize
from ..masks import Mask
from ..options import Options
from ..patient import MOST_STRUCTURES, Kind, Region, guess_type, meant, unique_names
from .files import DicomFile, Scan, Series, guarded
from .image import Image
from .origin import same_patient
from .plan import Prescription
from .space import straightened_mask

if TYPE_CHECKING:
    from ..contours import Points

#: Most corners of one contour, and of all contours of a structure set.
MOST_CORNERS, MOST_CORNERS_IN_ALL = 1_000_000, 30_000_000
#: How far the corners of a contour may be from one plane, in slice distances.
_FLAT = 0.2
#: RT ROI interpreted types (DICOM PS3.3 C.8.8.8) that are no part of the patient, or no organ.
_LEFT_OUT = {
    "BOLUS", "BRACHY_ACCESSORY", "BRACHY_CHANNEL", "BRACHY_CHNL_SHLD", "BRACHY_SRC_APP", "CONTROL", "DOSE_MEASUREMENT",
    "DOSE_REGION", "FIXATION", "IRRAD_VOLUME", "ISOCENTER", "MARKER", "REGISTRATION", "SUPPORT", "TREATED_VOLUME",
}  # fmt: skip
_TARGETS = {"PTV", "CTV", "GTV"}
_ORGANS = {"ORGAN", "AVOIDANCE", "CAVITY", "CONTRAST_AGENT"}
#: Matter outside of the body that is kept on request.
_MATTER: dict[str, Kind] = {"BOLUS": "bolus", "SUPPORT": "support", "FIXATION": "support"}
#: Physical properties of a region that say its density, the better first; both count as electron density.
_DENSITIES = ("REL_ELEC_DENSITY", "REL_MASS_DENSITY")
#: No matter is denser, relative to water.
_DENSEST = 25.0
#: Parts of names that tell nobody's: a test patient called Prostate must not rename the structure of that name.
_ANATOMY = re.compile(
    r"(?i)[cgi]tv|ptv|body|external|target|phantom|prostate|bladder|rectum|femur|lung|heart|brain|stem|cord|spin|parot|"
    r"liver|kidney|breast|head|neck|bowel|penile|oesoph|esoph|larynx|mandib|optic|chiasm|eye|lens|core|test|patient|anonym"
)
_XOR = ("CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR")
_CLOSED = ("CLOSED_PLANAR", "", *_XOR)


@dataclass(frozen=True)
class _Roi:
    """A region of interest; its contours are looked at where they are needed, since that takes longest."""

    number: int
    name: str
    kind: str
    contours: Any
    frame: str = ""
    density: tuple[str, float] | None = None

    @property
    def outline(self) -> bool:
        """Whether the file says that it is the external."""
        return self.kind == "EXTERNAL"


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
            fits = not frames or not image.frame or image.frame in frames or options.any_frame
            if fits and same_patient(one, image.files[0]):
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


def _refuse(scan: Scan, series: list[Series]) -> None:
    if any(not same_patient(one, image.files[0]) for one in scan.structures for image in series):
        raise UsageError("the structure set and the CT are of different patients; put one patient into the folder")
    raise UsageError(
        "the structure set was not drawn on this CT: their frames of reference differ. It belongs to another patient "
        "or scan, and contours of one on the image of the other would be nonsense; or a program that removes names "
        "gave each file new identifiers: if that is certain, --any-frame takes them together"
    )


def _names(one: DicomFile) -> str:
    with guarded(one.label):
        regions = getattr(one.data, "StructureSetROISequence", None) or ()
        names = [clean(getattr(r, "ROIName", "")) for r in list(regions)[:6]]
    return f"{len(regions)} structures ({', '.join(names)}{', ...' if len(regions) > 6 else ''})"


@dataclass(frozen=True)
class Drawn:
    """What a structure set holds.

    Args:
        regions: The structures that were read.
        skipped: Names of those that were not.
        notes: What a person should know, a sentence each.
        originals: Names as the file has them by the names here, where they differ.
    """

    regions: list[Region]
    skipped: list[str]
    notes: list[str]
    originals: dict[str, str]


def read_structures(one: DicomFile, series: Series, image: Image, options: Options, plan: Prescription) -> Drawn:
    """Read the structures; what a person leaves out is not looked at.

    Raises:
        UsageError: Too many structures or corners, corners that are no numbers, contours that are not axial, or a
            structure that was drawn on another image.
    """
    data = one.data
    with guarded(one.label):
        regions = _regions(data)
        missing = _missing_images(data, series)
    anonymous, notes = _without_patient([r.name for r in regions], series, one)
    names, renamed = unique_names(anonymous)
    notes += renamed
    if missing:
        notes.append(f"{missing} of the CT slices that the structure set refers to are not in the folder")
    originals = {name: whole for name, whole in zip(names, anonymous, strict=True) if name != whole}
    forced = {meant(name, names, originals): kind for name, kind in options.types.items()}
    only = {meant(name, names, originals) for name in options.only}
    dense = {meant(name, names, originals) for name in options.densities}
    outlined = any(forced.get(n, "external") == "external" for r, n in zip(regions, names, strict=True) if r.outline)
    chosen: list[tuple[_Roi, str, Kind, bool]] = []
    skipped: list[str] = []
    for region, name in zip(regions, names, strict=True):
        kind = forced.get(name) or _type(region, name, outlined)
        if kind == "ignore" or (only and name not in only and kind != "external"):
            skipped.append(name)
        else:
            wanted = name in forced or name in only or name in dense
            left_out = region.kind in _LEFT_OUT and not wanted
            skipped += [name] if left_out and region.density is None else []
            chosen.append((region, name, cast(Kind, kind), left_out))
    if len(chosen) - sum(left_out for *_, left_out in chosen) > MOST_STRUCTURES:
        raise UsageError(
            f"the structure set has {len(chosen)} structures, more than {MOST_STRUCTURES}; name those that matter with "
            "--only"
        )
    reader = _Reader(one.label, _frame(regions, series, notes), image, notes)
    drawn: list[Region] = []
    for region, name, kind, left_out in chosen:
        if left_out:
            drawn += reader.left_out(region, name, kind)
        else:
            dose = plan.by_number.get(region.number) if kind == "target" else None
            drawn.append(reader.region(region, name, kind, dose))
    return Drawn(_one_target_prescribed(drawn, plan, notes), skipped, notes, originals)


def _frame(regions: list[_Roi], series: Series, notes: list[str]) -> str:
    """Find the frame of reference of structures on this CT: the CT's, or if none has that, the one of most of them."""
    frames = [region.frame for region in regions if region.frame]
    if not series.frame or not frames or series.frame in frames:
        return series.frame
    notes.append("structure set and CT name different frames of reference, and were taken together all the same")
    return max(frames, key=frames.count)


_NOTHING = Mask((0, 0, 0), np.zeros((0, 0, 0), bool))


class _Reader:
    """Reads contours of one structure set on one CT; `notes` get what a person should know."""

    def __init__(self, label: str, frame: str, image: Image, notes: list[str]) -> None:
        self.label, self.frame, self.image, self.notes = label, frame, image, notes
        self.grid, self.slices = image.grid, np.asarray(image.slices, np.float64)
        self.budget = MOST_CORNERS_IN_ALL

    def region(self, region: _Roi, name: str, kind: Kind, dose: float | None) -> Region:
        """Read a structure.

        Raises:
            UsageError: Its contours are damaged, or were drawn on another image.
        """
        contours, xor = self._contours(region, name)
        if contours and self.frame and region.frame and region.frame != self.frame:
            raise UsageError(
                f"the structure {name} was drawn in another frame of reference than this CT; leave it out "
                f"(--type {shell_word(name + '=ignore')}), or register the images first"
            )
        said = region.kind in _ORGANS | _TARGETS | {"EXTERNAL"}
        density = None if region.density is None else region.density[1]
        if density is not None and not 0.0 <= density <= _DENSEST:
            self.notes.append(
                f"the file says that {name} is {density:g} times as dense as water: not taken, the CT's is"
            )
            density = None
        elif region.density is not None and region.density[0] == "REL_MASS_DENSITY":
            self.notes.append(f"the file has the mass density of {name}; it is taken as its electron density")
        if not contours:
            return Region(name, kind, _NOTHING, 0.0, dose, density, said)
        solid = self._solid(contours, xor, name, kind)
        if solid.gaps:
            self.notes.append(f"{name} has {solid.gaps} gap(s) between contours, left open")
        if solid.doubled:
            self.notes.append(f"{solid.doubled} contour(s) of {name} are drawn twice and count once")
        if solid.rims:
            self.notes.append(
                f"{solid.rims} contour(s) of {name} lie so close in another that they leave a rim below a pixel: "
                "they are taken for holes; if one is an older drawing of the other, delete it and export again"
            )
        return Region(name, kind, solid.mask, solid.volume_cc, dose, density, said)

    def left_out(self, region: _Roi, name: str, kind: Kind) -> list[Region]:
        """Note what is left out for its type, with its volume; its density still counts where the file has one."""
        what = region.kind.lower()
        matter = f"; --type {shell_word(f'{name}={kind}')} keeps its matter" if kind in ("bolus", "support") else ""
        try:
            found = self.region(region, name, "density", None)
        except UsageError:
            self.notes.append(f"{name} ({what}) is left out{matter}")
            return []
        self.notes.append(f"{name} ({what}, {found.volume_cc or 0.0:.1f} cc) is left out{matter}")
        return [] if found.density is None or found.mask.empty else [found]

    def _contours(self, region: _Roi, name: str) -> tuple[list[Points], bool]:
        """Collect closed contours, (n, 3), x, y, z in mm, and tell whether they are combined by exclusive or."""
        found: list[Points] = []
        open_ones, xor = 0, False
        with guarded(f"{self.label}, structure {name}"):
            for contour in getattr(region.contours, "ContourSequence", None) or ():
                shape = str(getattr(contour, "ContourGeometricType", "")).upper()
                if shape not in _CLOSED:
                    open_ones += 1
                    continue
                points = _corners(contour, name)
                self.budget -= len(points)
                if self.budget < 0:
                    raise UsageError(
                        f"more than {MOST_CORNERS_IN_ALL / 1e6:g} million corners of contours; this is no structure set"
                    )
                if len(points) < 3:
                    open_ones += 1
                    continue
                xor |= shape in _XOR
                found.append(points)
        if open_ones:
            self.notes.append(f"{open_ones} points or open lines of {name} are left out")
        return found, xor

    def _solid(self, contours: list[Points], xor: bool, name: str, kind: Kind) -> Solid:
        """Fill contours that lie in axial planes, or on slices that are not axial."""
        tilted = next((c for c in contours if not _flat(c[:, 2], self.slices)), None)
        if tilted is None:
            planes = group([(float(np.median(c[:, 2])), np.ascontiguousarray(c[:, :2])) for c in contours], self.slices)
            solid = rasterize(planes, self.grid, self.slices, xor=xor)
            self._check_place(planes, solid, name, kind)
            return solid
        places, grid = np.asarray(self.image.places), self._stack_grid()
        own = [self.image.lattice.find(c) * np.asarray(grid.spacing) for c in contours]
        if not all(_flat(c[:, 0], places) for c in own):
            z = tilted[:, 2]
            raise UsageError(
                f"{name} has a contour that is not axial, nor on the CT's slices (z from {z.min():g} to {z.max():g} "
                f"mm); leave it out (--type {shell_word(name + '=ignore')}), or draw it on the slices"
            )
        planes = group([(float(np.median(c[:, 0])), np.ascontiguousarray(c[:, :0:-1])) for c in own], places)
        solid = rasterize(planes, grid, places, xor=xor)
        return replace(solid, mask=straightened_mask(solid.mask, self.image.lattice, self.grid))

    def _stack_grid(self) -> Grid:
        """Lay a grid along the slices' own axes, mm from their first pixel."""
        count = self.image.stack[0]
        step = self.image.places[-1] / (count - 1)
        dy, dx = (float(np.linalg.norm(way)) for way in self.image.lattice.steps[1:])
        return Grid(self.image.stack, (step, dy, dx))

    def _check_place(self, planes: dict[float, list[Points]], solid: Solid, name: str, kind: Kind) -> None:
        """Refuse what lies beside the image, and note what reaches beyond its first or last slice."""
        where = f"z {min(planes):g} to {max(planes):g} mm"
        if solid.mask.empty and solid.volume_cc > 0 and _beyond(planes, self.grid):
            raise UsageError(
                f"{name} lies outside the CT ({where}); was it drawn on this one? Leave it out with "
                f"--type {shell_word(name + '=ignore')}"
            )
        grid = self.grid
        low, high = grid.origin[0] - grid.spacing[0], grid.origin[0] + grid.spacing[0] * grid.shape[0]
        if low <= min(planes) and max(planes) <= high:
            return
        if kind == "target":
            raise UsageError(
                f"the target {name} reaches from {where}, beyond the CT; slices are missing at its end: export the "
                "whole series"
            )
        lost = max((solid.volume_cc or 0.0) - solid.mask.count * grid.voxel_cc, 0.0)
        self.notes.append(f"{name} reaches beyond the CT ({where}); about {lost:.1f} cc that lie there are cut off")


def _regions(data: Any) -> list[_Roi]:
    """Collect what the three sequences of a structure set say about each region of interest."""
    contours: dict[int, Any] = {}
    for item in getattr(data, "ROIContourSequence", None) or ():
        number = int(item.ReferencedROINumber)
        if number in contours:
            raise UsageError(f"two lists of contours are of one structure, number {number}; export the set again")
        contours[number] = item
    kinds: dict[int, str] = {}
    densities: dict[int, tuple[str, float] | None] = {}
    for item in getattr(data, "RTROIObservationsSequence", None) or ():
        number = int(item.ReferencedROINumber)
        kinds[number] = str(getattr(item, "RTROIInterpretedType", "") or "").strip().upper() or kinds.get(number, "")
        densities[number] = _density(item) or densities.get(number)
    out: list[_Roi] = []
    for item in getattr(data, "StructureSetROISequence", None) or ():
        number = int(item.ROINumber)
        if any(one.number == number for one in out):
            raise UsageError(
                f"two structures have the number {number}: nothing tells whose the contours are; export the set again"
            )
        out.append(
            _Roi(
                number,
                str(getattr(item, "ROIName", "") or ""),
                kinds.get(number, ""),
                contours.get(number),
                str(getattr(item, "ReferencedFrameOfReferenceUID", "") or ""),
                densities.get(number),
            )
        )
    return out


def _density(item: Any) -> tuple[str, float] | None:
    """Find the density that an observation says its region has, relative to water, and which one it is."""
    said = {}
    for one in getattr(item, "ROIPhysicalPropertiesSequence", None) or ():
        said[str(getattr(one, "ROIPhysicalProperty", "")).strip().upper()] = getattr(
            one, "ROIPhysicalPropertyValue", ""
        )
    for what in _DENSITIES:
        if said.get(what) not in (None, ""):
            return what, float(said[what])
    return None


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
    secrets, foreign = set(), set()
    for file in (series.files[0], one):
        for keyword in ("PatientID", "PatientName"):
            for part in re.split(r"[\s^=,;]+", file.text(keyword)):
                secrets.add(folded(clean(part)))
                # In other scripts two letters are a name already.
                if not part.isascii() and len(part) >= 2:
                    foreign.add(part.casefold())
    secrets = {s for s in secrets if len(s) >= 4 and not _ANATOMY.search(s)}
    out, notes = [], []
    for number, name in enumerate(names, start=1):
        hidden = any(secret in folded(clean(name)) for secret in secrets)
        if hidden or any(secret in name.casefold() for secret in foreign):
            notes.append(f"the name of structure {number} holds the patient's; it is now ROI_{number}")
            name = f"ROI_{number}"
        out.append(name)
    return out, notes


def _type(region: _Roi, name: str, outlined: bool) -> str:
    """Tell what a region is: as the file says, by its name only where the file is silent."""
    if region.kind in _LEFT_OUT:
        return _MATTER.get(region.kind, "density")
    if region.kind == "EXTERNAL":
        return "external"
    if region.kind in _TARGETS:
        return "target"
    if region.kind in _ORGANS:
        return "oar"
    guess = guess_type(name)
    # Where the file says which one the external is, a second by its name is an organ: the skin, say.
    return "oar" if outlined and guess == "external" else guess


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


def _flat(heights: Points, slices: Points) -> bool:
    """Tell whether corners lie in one plane, as far as slices tell planes apart."""
    return float(np.ptp(heights)) <= max(_FLAT * float(np.median(np.diff(slices))), 0.1)


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
    targets = [s for s in drawn if s.type == "target"]
    likely = [s for s in targets if s.name.casefold().startswith("ptv")] or targets
    if any(s.prescription for s in targets) or plan.unnamed is None or len(likely) != 1:
        return drawn
    notes.append(f"the plan prescribes {plan.unnamed:g} Gy to no structure; taken for {likely[0].name}")
    return [replace(s, prescription=plan.unnamed) if s is likely[0] else s for s in drawn]
