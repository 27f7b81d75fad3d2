"""The slices of a CT series, from single files and multi-frame ones alike: places, numbers, and pixels in HU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.basics.texts import visible
from tgsci.errors import UsageError

from .files import ENHANCED_CT, DicomFile, figures, guarded, read_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Most frames of a multi-frame file.
MOST_FRAMES = 10_000
#: HU that tissue and bone have; padding that reads like these is believed only outside the scanned circle.
_LIKE_TISSUE = (-900.0, 1500.0)
#: What stands where a scan has no value, HU.
AIR = -1000.0
#: Where the groups of a multi-frame file keep what a single slice says of itself (PS3.3 C.7.6.16.2).
_GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
}


@dataclass(frozen=True)
class Slice:
    """A slice, and where it lies.

    Args:
        file: The file.
        frame: Its place in the file, from 0.
        position: Centre of its first pixel, (x, y, z), mm.
        rows: Direction in which the columns' numbers rise: along a row, (x, y, z).
        columns: Direction along a column.
        spacing: Distance of rows and of columns, mm.
        shape: Numbers of rows and columns.
        number: Instance number; None where the file has none.
        location: SliceLocation, mm; None where the file has none.
    """

    file: DicomFile
    frame: int
    position: NDArray[np.float64]
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    spacing: tuple[float, float]
    shape: tuple[int, int]
    number: int | None
    location: float | None

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"{self.file.label}, frame {self.frame + 1}" if self.file.frames > 1 else self.file.label


def slices_of(file: DicomFile) -> Iterator[Slice]:
    """Read where the slices of a file lie.

    Raises:
        UsageError: Something is missing, or is no number.
    """
    with guarded(file.label):
        if file.text("SOPClassUID") in ENHANCED_CT or file.frames > 1:
            yield from _frames(file)
        else:
            yield _slice(file, file.head, 0, _whole(file.head, "InstanceNumber"))


def _frames(file: DicomFile) -> Iterator[Slice]:
    head = read_file(file.path, [*_FRAME_TAGS, *file.head.keys()])
    groups: Any = getattr(head, "PerFrameFunctionalGroupsSequence", None) or ()
    if len(groups) != file.frames or not 1 <= file.frames <= MOST_FRAMES:
        raise UsageError(
            f"{file.label} has {file.frames} frames and describes {len(groups)}; it is damaged, or no CT: export it as "
            "single slices"
        )
    for frame, group in enumerate(groups):
        yield _slice(file, _Grouped(head, group), frame, frame)


_FRAME_TAGS = ["PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"]


class _Grouped:
    """The attributes of one frame, looked up in its own groups, the shared ones, and the file."""

    def __init__(self, head: Any, group: Any) -> None:
        shared = (getattr(head, "SharedFunctionalGroupsSequence", None) or [None])[0]
        self._places = [place for place in (group, shared) if place is not None]
        self._head = head

    def __getattr__(self, keyword: str) -> Any:
        if keyword in _GROUPS:
            for place in self._places:
                found = getattr(place, _GROUPS[keyword], None)
                if found and keyword in found[0]:
                    return getattr(found[0], keyword)
        return getattr(self._head, keyword)


def _slice(file: DicomFile, head: Any, frame: int, number: int | None) -> Slice:
    label = file.label
    position = _place(head, "ImagePositionPatient", 3, label)
    turned = _place(head, "ImageOrientationPatient", 6, label)
    dy, dx = (float(v) for v in _place(head, "PixelSpacing", 2, label))
    rows, columns = turned[:3], turned[3:]
    unit = abs(np.linalg.norm(rows) - 1) < 0.01 and abs(np.linalg.norm(columns) - 1) < 0.01
    if not unit or abs(float(rows @ columns)) > 0.01:
        raise UsageError(
            f"{label}: the orientation {', '.join(f'{v:.3g}' for v in turned)} is no pair of directions at a right "
            "angle; the file is damaged"
        )
    if np.abs(position).max() > 1e5:
        raise UsageError(f"{label} lies {np.abs(position).max():g} mm from the origin; no slice of a patient does")
    if not 0.05 <= min(dy, dx) <= max(dy, dx) <= 20:
        raise UsageError(f"{label}: pixels of {dx:g} x {dy:g} mm; a CT has 0.05 to 20")
    shape = []
    for keyword in ("Rows", "Columns"):
        value = getattr(head, keyword, None)
        if not isinstance(value, int) or not 8 <= value <= 4096:
            raise UsageError(f"{label}: {keyword} is {visible(str(value)[:20])}; a CT has 8 to 4096")
        shape.append(value)
    location = getattr(head, "SliceLocation", None)
    place = None if location in (None, "") or not np.isfinite(float(location)) else float(location)
    return Slice(file, frame, position, rows, columns, (dy, dx), (shape[0], shape[1]), number, place)


def _whole(head: Any, keyword: str) -> int | None:
    value = getattr(head, keyword, None)
    return None if value in (None, "") else int(value)


def _place(head: Any, keyword: str, count: int, label: str) -> NDArray[np.float64]:
    found = figures(head, keyword, count)
    if found is None:
        raise UsageError(f"{label} has no {keyword}, or no numbers there; without it the slice has no place")
    return found


@dataclass(frozen=True)
class Pixels:
    """The pixels of a file.

    Args:
        hu: HU, (frames, rows, columns).
        scale: How each frame's values become HU: slope, intercept, bits stored, whether they have a sign.
        padded: How many padded pixels were made air that were none.
    """

    hu: NDArray[np.float32]
    scale: tuple[tuple[float, float, int, int], ...]
    padded: int


def read_pixels(file: DicomFile) -> Pixels:
    """Read the pixels of a file in HU.

    Raises:
        UsageError: The pixels are compressed in a way that nothing here reads, damaged, or no plain CT.
    """
    data = read_file(file.path)
    with guarded(file.label):
        if int(getattr(data, "SamplesPerPixel", 1) or 1) != 1:
            raise UsageError(f"{file.label} is a colour picture, no CT slice; take it out of the folder")
        if "ModalityLUTSequence" in data:
            raise UsageError(f"{file.label} maps its values by a table, not to Hounsfield units; export it as plain CT")
        _check_readable(file, data)
        pixels = np.asarray(data.pixel_array)
        pixels = pixels[None] if pixels.ndim == 2 else pixels
        wanted = (file.frames, int(data.Rows), int(data.Columns))
        if pixels.shape != wanted:
            raise UsageError(f"{file.label} has pixels of {pixels.shape} instead of {wanted}")
        pixels = _as_stored(data, pixels)
        out = pixels.astype(np.float32)
        padding = _padding(data, pixels)
        rescales = list(_rescales(file, data))
        for frame, (slope, intercept) in enumerate(rescales):
            out[frame] *= np.float32(slope)
            out[frame] += np.float32(intercept)
        if not np.isfinite(out).all():
            raise UsageError(f"{file.label} has pixels that are no numbers; export it again")
        stored = int(getattr(data, "BitsStored", 0) or 0), int(getattr(data, "PixelRepresentation", 0) or 0)
    return Pixels(out, tuple((*pair, *stored) for pair in rescales), _empty(out, padding))


def _check_readable(file: DicomFile, data: Any) -> None:
    """Refuse pixels whose compression nothing that is installed reads, by the name of the compression.

    Raises:
        UsageError: No decoder is there; says which package brings one.
    """
    from pydicom.pixels.decoders.base import get_decoder

    if "PixelData" not in data and "FloatPixelData" not in data and "DoubleFloatPixelData" not in data:
        raise UsageError(f"{file.label} has no pixels; export it again, with its image")
    syntax = data.file_meta.TransferSyntaxUID
    if not getattr(syntax, "is_compressed", False) or syntax.name.startswith("Deflated"):
        if "PixelData" in data and data["PixelData"].is_undefined_length:
            raise UsageError(
                f"{file.label} has compressed pixels and does not say how they are compressed (no transfer syntax in "
                "its header); export it uncompressed"
            )
        return
    advice = "install a decoder (pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg), or export it uncompressed"
    name = f"{syntax.name} ({syntax})" if syntax.name != str(syntax) else str(syntax)
    try:
        there = get_decoder(syntax).is_available
    except NotImplementedError:
        there, advice = False, "export it uncompressed (Explicit VR Little Endian)"
    if not there:
        raise UsageError(f"{file.label} is compressed as {name}, which nothing installed here reads; {advice}")


def _as_stored(data: Any, pixels: NDArray[Any]) -> NDArray[Any]:
    """Undo two faults of files: overlays in the unused bits, and signed values that are called unsigned."""
    if pixels.dtype.kind not in "iu":
        return pixels
    stored, allocated = int(data.BitsStored), int(data.BitsAllocated)
    if stored < allocated <= 16 and any(int(getattr(o, "value", 0) or 0) for o in _overlay_bits(data)):
        spare = allocated - stored
        pixels = (pixels << spare) >> spare  # also spreads the sign
    if pixels.dtype == np.uint16 and stored == 16:
        high = pixels >= 61_440  # -4096 as a signed number; no CT has 61,440 HU
        if high.any() and not ((pixels > 32_767) & ~high).any():
            pixels = pixels.view(np.int16)
    return pixels


def _overlay_bits(data: Any) -> Iterator[Any]:
    """Find the overlays that lie in the pixels' own unused bits (retired in DICOM, and still met)."""
    for group in range(0x6000, 0x6020, 2):
        if (group, 0x0102) in data and (group, 0x3000) not in data:
            yield data[group, 0x0102]


def _rescales(file: DicomFile, data: Any) -> Iterator[tuple[float, float]]:
    """Find slope and intercept of each frame.

    Raises:
        UsageError: They are none that a CT has.
    """
    groups: Any = getattr(data, "PerFrameFunctionalGroupsSequence", None) or [None] * file.frames
    for group in groups:
        head = data if group is None else _Grouped(data, group)
        slope, intercept = getattr(head, "RescaleSlope", None), getattr(head, "RescaleIntercept", None)
        pair = (1.0 if slope in (None, "") else float(slope), 0.0 if intercept in (None, "") else float(intercept))
        if not np.isfinite(pair).all() or not 0 < pair[0] < 100 or abs(pair[1]) > 1e5:
            raise UsageError(
                f"{file.label}: rescale slope {pair[0]:g} and intercept {pair[1]:g} are none of a CT; export it again"
            )
        yield pair


def _padding(data: Any, pixels: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Find the padded pixels; their value is compared modulo the bits, since files take it for signed or not."""
    value = getattr(data, "PixelPaddingValue", None)
    if value in (None, "") or pixels.dtype.kind not in "iu":
        return None
    low = _number(value)
    high = _number(getattr(data, "PixelPaddingRangeLimit", None), low)
    if low is None or high is None:
        return None
    low, high = min(low, high), max(low, high)
    if low == high:
        return np.asarray((pixels.astype(np.int64) - low) % (1 << pixels.dtype.itemsize * 8) == 0)
    return np.asarray((pixels >= low) & (pixels <= high))


def _number(value: Any, default: int | None = None) -> int | None:
    """Read a number of the kind "US or SS", which pydicom leaves as bytes where it cannot tell."""
    if value in (None, ""):
        return default
    if isinstance(value, bytes):
        return int.from_bytes(value[:2], "little", signed=False) if len(value) >= 2 else default
    return int(value)


def _empty(hu: NDArray[np.float32], padded: NDArray[np.bool_] | None) -> int:
    """Make padded pixels air, in place, and count those that were not air before.

    A scan is a circle, and padding stands around it. Where the padding's value reads like tissue, pixels within the
    circle keep it: some files call 0 HU padding, and mean nothing by it.
    """
    if padded is None or not padded.any():
        return 0
    value = float(hu[padded][0])
    if _LIKE_TISSUE[0] < value < _LIKE_TISSUE[1]:
        y, x = (np.arange(n) - (n - 1) / 2 for n in hu.shape[1:])
        padded = padded & (np.hypot(y[:, None], x[None, :]) > min(hu.shape[1:]) / 2)
    changed = padded & (hu > AIR + 100)
    hu[padded] = AIR
    return int(np.count_nonzero(changed))
