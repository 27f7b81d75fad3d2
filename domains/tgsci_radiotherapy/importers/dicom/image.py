"""A CT series as one image along the patient's own axes: sorted by place, complete, in Hounsfield units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from ...case.model import Grid
from ..options import Options
from ..patient import MOST_VOXELS
from ..position import POSITIONS
from .files import DicomFile, Series, guarded
from .origin import same_patient
from .slices import AIR, Slice, read_pixels, slices_of
from .space import STRAIGHT, Lattice, box, even_planes, step_for, straight_line, straightened, upright

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: How far a slice may lie aside of the line of the others, mm.
_ASIDE = 0.6
#: Slices nearer than this are at one place, mm.
_SAME = 0.01
#: From so many times the usual distance on, a gap is wide enough for a slice to be missing.
_WIDE = 1.5
#: So many gaps of one width side by side are how the scan was made; fewer may be slices that are missing.
_REGION = 3
#: Widest gap that is interpolated across: of a scan that is so, and where a person asks for it; mm.
_WIDEST, _WIDEST_ASKED = 12.0, 30.0
#: How far the air or the tissue of a slice may be from that of another that is scaled otherwise, HU.
_OFF = 300.0
#: What slices of one image have in common, and where it stands among a slice's features.
_FEATURES = {"orientation": slice(0, 6), "number of pixels": slice(6, 8), "PixelSpacing": slice(8, 10)}
#: Most positions named in a message.
_MOST_NAMED = 8


@dataclass(frozen=True)
class Image:
    """A CT as an image.

    Args:
        values: HU, (z, y, x).
        grid: Of the values.
        position: How the patient lay, as DICOM's Patient Position says.
        slices: z of the slices as they were scanned, ascending, mm: contours were drawn on these. Of slices that are
            not axial, those of the grid.
        notes: What was changed or left out, a sentence each.
        lattice: Where the slices' pixels lie: contours may have been drawn on slices that are not axial.
        stack: How many slices, rows and columns that lattice has.
        places: The slices as they were scanned, from the first on, ascending, mm across them.
    """

    values: NDArray[np.float32]
    grid: Grid
    position: str
    slices: tuple[float, ...]
    notes: tuple[str, ...]
    lattice: Lattice
    stack: tuple[int, int, int]
    places: tuple[float, ...]


def read_image(series: Series, options: Options) -> Image:
    """Read the series as an image along the patient's axes: z to the head, y to the back, x to the left.

    Slices in another order or direction (feet first, prone, sagittal) are turned, which changes no value. Uneven
    distances and oblique or tilted slices are resampled by linear interpolation, and said. What lies between slices
    that are missing is not known: they are named, unless `options.fill_gaps`.

    Raises:
        UsageError: The series is no complete image; says which slices are wrong or missing.
    """
    notes: list[str] = []
    slices = [one for file in series.files for one in slices_of(file)]
    _check_alike(slices)
    for file in series.files:
        if not same_patient(file, series.files[0]):
            raise UsageError(f"{file.label} and {series.files[0].label} are slices of one series and of two patients")
    position = _position(series, options)
    if len(slices) < 2:
        raise UsageError("the CT has one slice; a dose needs a volume")
    normal = _normal(slices[0])
    slices.sort(key=lambda one: (float(one.position @ normal), str(one.file.path), one.frame))
    slices = _without_doubles(slices, normal, notes)
    if len(slices) < 2:
        raise UsageError("all slices of the CT lie at one place; their positions were lost: export it again")
    rows, columns = slices[0].shape
    if rows * columns * len(slices) > MOST_VOXELS:
        raise UsageError(
            f"the CT has {len(slices)} slices of {columns} x {rows} pixels, more than {MOST_VOXELS / 1e6:,.0f} "
            "million; export the slices around the patient, or fewer pixels"
        )
    _check_aside(slices, normal)
    places, regular = _places(slices, normal, options, notes)
    values = _pixels(slices, notes)
    first, last = slices[0], slices[-1]
    if regular is None:
        step = step_for(np.diff(places))
        if values.size * ((places[-1] - places[0]) / step + 1) / len(slices) > MOST_VOXELS:
            raise UsageError("the CT's slices are so uneven that an even image has too many; export fewer slices")
        values, step = even_planes(values, places, step)
    else:
        places[0], step = regular
    # From slice to slice the first pixel may also move sideways: a tilted gantry does that.
    way = last.position - first.position
    across = normal * step + (way - (way @ normal) * normal) * (step / (places[-1] - places[0]))
    origin = first.position + normal * (places[0] - float(first.position @ normal))
    dy, dx = first.spacing
    lattice = Lattice(origin, np.array([across, first.columns * dy, first.rows * dx]))
    turned = upright(values, lattice)
    if lattice.axes() not in (None, (0, 1, 2)):
        notes.append("the slices are sagittal, coronal or turned; the image was turned, which changes no value")
    if len({file.text("FrameOfReferenceUID") for file in series.files}) > 1:
        notes.append("the CT's slices name different frames of reference, which those of one scan do not")
    if turned is None:
        turned = _straightened(values, lattice, notes)
    axial = abs(normal[2]) > 1 - STRAIGHT
    heights = sorted(float(origin[2] + (p - places[0]) * normal[2]) for p in places) if axial else turned[1].axes()[0]
    stack = values.shape[0], values.shape[1], values.shape[2]
    across = tuple(float(p - places[0]) for p in places)
    return Image(*turned, position, tuple(float(z) for z in heights), tuple(notes), lattice, stack, across)


def _normal(one: Slice) -> Floats:
    """Find the direction across the slices, turned to the patient's head (left, back)."""
    normal = np.cross(one.rows, one.columns)
    return np.asarray(normal * np.sign(normal[np.abs(normal).argmax()]) + 0.0)


def _check_alike(slices: Sequence[Slice]) -> None:
    """Refuse a series of slices that make no one image; those that differ from most are named.

    Raises:
        UsageError: Some slices have another orientation, size or pixel spacing than the others.
    """
    features = np.array([(*one.rows, *one.columns, *one.shape, *one.spacing) for one in slices])
    usual = np.sort(features, axis=0)[len(slices) // 2]  # of most, feature by feature
    off = np.abs(features - usual) > (*[0.01] * 6, 0.5, 0.5, 1e-3, 1e-3)
    odd = np.flatnonzero(off.any(axis=1))
    if not len(odd):
        return
    what = next(words for words, part in _FEATURES.items() if off[odd[0], part].any())
    raise UsageError(
        f"the series holds {len(slices) - len(odd)} slices of one image and {len(odd)} of another kind: "
        f"{slices[odd[0]].label} has another {what} than most; leave one image in the series"
    )


def _position(series: Series, options: Options) -> str:
    """Find how the patient lies.

    Raises:
        UsageError: The files do not say it, say it differently, or it is none that is known.
    """
    said = {_said_position(file) for file in series.files} - {""}
    if options.position:
        return options.position
    if len(said) == 1 and (position := said.pop()) in POSITIONS:
        return position
    found = ", ".join(sorted(position[:8] for position in said)) or "nothing"
    raise UsageError(
        f"how the patient lies is not known (PatientPosition says {found!r}), and beams enter elsewhere in another "
        f"position; say it with --position, one of {', '.join(POSITIONS)} (HFS is head first, supine)"
    )


def _said_position(file: DicomFile) -> str:
    """Read how the patient lies from PatientPosition, or from the codes of multi-frame files."""
    said = file.text("PatientPosition").upper()
    if said:
        return said
    with guarded(file.label):
        lies = getattr(file.head, "PatientOrientationCodeSequence", None)
        stands = getattr(file.head, "PatientGantryRelationshipCodeSequence", None)
        if not lies or not stands:
            return ""
        turned = getattr(lies[0], "PatientOrientationModifierCodeSequence", None)
        meaning = str(getattr(turned[0], "CodeMeaning", "") if turned else "").casefold()
        enters = str(getattr(stands[0], "CodeMeaning", "")).casefold()
    head = {"headfirst": "HF", "head first": "HF", "feet-first": "FF", "feet first": "FF"}.get(enters, "")
    side = {
        "supine": "S", "prone": "P", "right lateral decubitus": "DR", "left lateral decubitus": "DL",
    }.get(meaning, "")  # fmt: skip
    return head + side if head and side else ""


def _without_doubles(slices: list[Slice], normal: Floats, notes: list[str]) -> list[Slice]:
    """Leave out slices that lie where another lies and show the same.

    Raises:
        UsageError: Two slices at one place show different things.
    """
    kept: list[Slice] = []
    differ: list[float] = []
    same = 0
    for one in slices:
        if kept and abs(float((one.position - kept[-1].position) @ normal)) < _SAME:
            if np.array_equal(_frame(one), _frame(kept[-1])) and np.abs(one.position - kept[-1].position).max() < _SAME:
                same += 1
            else:
                differ.append(_height(one))
            continue
        kept.append(one)
    if differ:
        twice = ", ".join(f"{z:g}" for z in sorted(set(differ))[:_MOST_NAMED])
        acquired = len({one.file.text("AcquisitionNumber") for one in slices})
        hint = f"their acquisition numbers differ ({acquired} of them): " if acquired > 1 else ""
        raise UsageError(
            f"two or more slices lie at z = {twice} mm and show different things; {hint}several phases or "
            "reconstructions in one series? Leave one of them in the folder"
        )
    if same:
        notes.append(f"{same} slices are there twice, with the same pixels; once each is taken")
    return kept


def _check_aside(slices: Sequence[Slice], normal: Floats) -> None:
    """Refuse slices that do not lie on one straight line; a tilted gantry moves all of them evenly.

    Raises:
        UsageError: A slice lies aside; names it.
    """
    positions = np.array([one.position for one in slices])
    along = positions @ normal
    aside = positions - along[:, None] * normal
    # Over half the scan at a time, so that rounding does not count; the median, so that one slice does not.
    half = (len(slices) + 1) // 2
    drift = np.median((aside[half:] - aside[:-half]) / (along[half:] - along[:-half])[:, None], axis=0)
    rest = aside - drift * along[:, None]
    off = np.abs(rest - np.median(rest, axis=0)).max(axis=1)
    worst = int(off.argmax())
    if off[worst] > _ASIDE:
        raise UsageError(
            f"{slices[worst].label} (z = {_height(slices[worst]):g} mm) lies {off[worst]:.3g} mm aside of the other "
            "slices; it belongs to another image"
        )


def _frame(one: Slice) -> NDArray[np.float32]:
    return np.asarray(read_pixels(one.file).hu[one.frame])


def _height(one: Slice) -> float:
    """Place of a slice for messages: its z, mm, without rounding noise."""
    return float(round(one.position[2], 3)) + 0.0


def _places(
    slices: Sequence[Slice], normal: Floats, options: Options, notes: list[str]
) -> tuple[Floats, tuple[float, float] | None]:
    """Find where the slices lie along the normal, mm, and the first place and the distance if that is one.

    Raises:
        UsageError: Slices are missing, may be missing, or lie too far apart.
    """
    places = np.array([float(one.position @ normal) for one in slices])
    regular = straight_line(places)
    if regular is not None:
        return places, regular
    if (located := _by_location(slices, places)) is not None:
        notes.append("the slices' positions are rounded; their SliceLocation, which is not, was taken")
        return located, straight_line(located)
    gaps = np.diff(places)
    _check_gaps(slices, gaps, options)
    notes.append(
        f"the slices lie {gaps.min():.3g} to {gaps.max():.3g} mm apart; the image was interpolated to every "
        f"{step_for(gaps):.3g} mm"
    )
    return places, None


def _by_location(slices: Sequence[Slice], places: Floats) -> Floats | None:
    """Take the slices' locations for their places where they are even and agree with the places but for rounding."""
    if any(one.location is None for one in slices):
        return None
    located = np.array([one.location for one in slices], np.float64)
    located = located if located[-1] > located[0] else -located
    located += float(np.median(places - located))
    return located if straight_line(located) and np.abs(located - places).max() <= 0.55 else None


def _check_gaps(slices: Sequence[Slice], gaps: Floats, options: Options) -> None:
    """Tell slices that are missing from a scan whose slices lie further apart in places.

    The instance numbers know: they run on across a gap where nothing is missing, and skip what is. Where they say
    nothing, several wide gaps side by side are how the scan was made.

    Raises:
        UsageError: Slices are missing, may be missing, or lie too far apart.
    """
    usual = float(np.median(gaps))
    wide = np.flatnonzero(gaps > _WIDE * usual)
    skipped = None if options.fill_gaps or not len(wide) else _skipped(slices)
    if skipped is not None:
        _refuse_missing(slices, [(int(k), int(skipped[k])) for k in wide if skipped[k] > 0])
    widest = int(gaps.argmax())
    most = _WIDEST_ASKED if options.fill_gaps else max(_WIDEST, 1.05 * usual)
    if gaps[widest] > most:
        raise UsageError(
            f"there is no slice between z = {_height(slices[widest]):g} and {_height(slices[widest + 1]):g} mm; "
            f"{gaps[widest]:.3g} mm are too far to interpolate: export the whole series, and no slice of another one"
        )
    if skipped is None and not options.fill_gaps:
        alone = [int(k) for k in wide if not _in_region(gaps, int(k))]
        if alone:
            k = alone[0]
            raise UsageError(
                f"the slices lie {usual:.3g} mm apart, and {gaps[k]:.3g} mm between z = {_height(slices[k]):g} and "
                f"{_height(slices[k + 1]):g} mm; whether slices are missing there, the files do not say. Export the "
                "whole series; if the scan is so, --fill-gaps interpolates"
            )


def _refuse_missing(slices: Sequence[Slice], holes: Sequence[tuple[int, int]]) -> None:
    """Name the slices that are missing: after each of these slices, so many.

    Raises:
        UsageError: There are some.
    """
    missing = []
    for k, count in holes:
        low, high = slices[k].position[2], slices[k + 1].position[2]
        missing += [f"{low + n * (high - low) / (count + 1):g}" for n in range(1, min(count, 1000) + 1)]
    if missing:
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise UsageError(
            f"{len(missing)} of {len(slices) + len(missing)} slices are missing, and their instance numbers with them: "
            f"z = {', '.join(missing[:_MOST_NAMED])} mm{more}; export the whole series, or interpolate across them "
            "with --fill-gaps"
        )


def _skipped(slices: Sequence[Slice]) -> NDArray[np.int64] | None:
    """Count the instance numbers that are skipped after each slice; None where they do not run along the slices."""
    numbers = [one.number for one in slices]
    if any(number is None for number in numbers):
        return None
    steps = np.diff(np.array(numbers, np.int64))
    if not ((steps > 0).all() or (steps < 0).all()):
        return None
    steps = np.abs(steps)
    return np.asarray(steps // max(int(np.median(steps)), 1) - 1)


def _in_region(gaps: Floats, k: int) -> bool:
    """Tell whether a gap stands among others of its width."""
    alike = np.abs(gaps - gaps[k]) <= 0.1 * gaps[k]
    first = last = k
    while first > 0 and alike[first - 1]:
        first -= 1
    while last + 1 < len(gaps) and alike[last + 1]:
        last += 1
    return last - first + 1 >= _REGION


def _pixels(slices: Sequence[Slice], notes: list[str]) -> NDArray[np.float32]:
    """Read all pixels, HU, slice after slice; each file once."""
    rows, columns = slices[0].shape
    values = np.empty((len(slices), rows, columns), np.float32)
    wanted: dict[int, list[tuple[int, int]]] = {}
    for k, one in enumerate(slices):
        wanted.setdefault(id(one.file), []).append((k, one.frame))
    padded = 0
    scales: list[tuple[float, float, int, int]] = [(1.0, 0.0, 0, 0)] * len(slices)
    for file in {id(one.file): one.file for one in slices}.values():
        pixels = read_pixels(file)
        padded += pixels.padded
        for k, frame in wanted[id(file)]:
            values[k], scales[k] = pixels.hu[frame], pixels.scale[frame]
    _check_scales(slices, values, scales)
    if padded:
        notes.append(f"{padded:,} padded pixels around the scan, which read like tissue or metal, were made air")
    return values


def _check_scales(
    slices: Sequence[Slice], values: NDArray[np.float32], scales: Sequence[tuple[float, float, int, int]]
) -> None:
    """Refuse a slice that is scaled to HU otherwise than most, and reads otherwise than the slice beside it.

    Raises:
        UsageError: A slice lost its rescale intercept, say.
    """
    usual = Counter(scales).most_common(1)[0][0]
    good = np.array([k for k, scale in enumerate(scales) if scale == usual])
    for k in (k for k, scale in enumerate(scales) if scale != usual):
        beside = int(good[np.abs(good - k).argmin()])
        here, there = (np.percentile(values[n], (5, 50, 80)) for n in (k, beside))
        worst = int(np.abs(here - there).argmax())
        if abs(here[worst] - there[worst]) > _OFF:
            raise UsageError(
                f"{slices[k].label} (z = {_height(slices[k]):g} mm) is scaled to HU otherwise than most slices, and "
                f"reads {here[worst]:.0f} HU where the slice beside it reads {there[worst]:.0f}: its rescale slope or "
                "intercept is wrong; export it again"
            )


def _straightened(values: NDArray[np.float32], lattice: Lattice, notes: list[str]) -> tuple[NDArray[np.float32], Grid]:
    """Resample an oblique or tilted image to axial slices.

    Raises:
        UsageError: The axial image would be too large.
    """
    grid = box((values.shape[0], values.shape[1], values.shape[2]), lattice)
    if grid is None:
        raise UsageError(
            "the image is oblique, and the axial image around it is too large; resample it to axial slices first"
        )
    axis = lattice.steps[0] / np.linalg.norm(lattice.steps[0])
    normal = np.cross(lattice.steps[2], lattice.steps[1])
    normal = np.abs(normal / np.linalg.norm(normal))
    tilt = max(np.degrees(np.arccos(min(1.0, float(v.max())))) for v in (normal, np.abs(axis)))
    notes.append(
        f"the image is oblique or the gantry was tilted (by {tilt:.1f} degrees); it was interpolated to axial "
        f"voxels of {grid}, with air where the scan does not reach"
    )
    return straightened(values, lattice, grid, AIR), grid
