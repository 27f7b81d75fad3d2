"""A CT series as one image: sorted by position, complete, straight, in Hounsfield units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.errors import UsageError

from ...case.model import Grid
from ..patient import MOST_VOXELS
from .files import DicomFile, Series, guarded, read_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: How far a direction cosine may be from 0 or 1.
_STRAIGHT = 1e-3
#: How far a slice may be from its place, in slice distances.
_EVEN = 0.02
#: Most positions named in a message.
_MOST_NAMED = 8


def read_image(series: Series) -> tuple[NDArray[np.float32], Grid]:
    """Read the series as an array (z, y, x), values after the rescale slope and intercept, and its grid.

    Head first supine only: beam angles and the axes of a case mean that. An oblique or tilted image is refused, not
    resampled; so is one with slices missing or at uneven distances, since what lies between is not known.

    Raises:
        UsageError: The series is no complete, straight image; says which slices are wrong or missing.
    """
    files = series.files
    first = files[0].head
    for one in files:
        with guarded(one.label):
            _check_slice(one, first)
    if len(files) < 2:
        raise UsageError("the CT has one slice; a dose needs a volume")
    rows, columns = int(first.Rows), int(first.Columns)
    if rows * columns * len(files) > MOST_VOXELS:
        raise UsageError(
            f"the CT has {len(files)} slices of {columns} x {rows} pixels, more than {MOST_VOXELS / 1e6:,.0f} million; "
            "export the slices around the patient, or fewer pixels"
        )
    files = sorted(files, key=lambda f: (_z(f), str(f.path)))
    step = _check_distances([_z(f) for f in files])
    image = np.empty((len(files), rows, columns), np.float32)
    for k, one in enumerate(files):
        image[k] = _pixels(one, rows, columns)
    x, y = (float(v) for v in first.ImagePositionPatient[:2])
    dy, dx = (float(v) for v in first.PixelSpacing)
    return image, Grid((len(files), rows, columns), (step, dy, dx), (_z(files[0]), y, x))


def _z(one: DicomFile) -> float:
    return float(one.head.ImagePositionPatient[2])


def _check_slice(one: DicomFile, first: Any) -> None:
    head = one.head
    for keyword, count in (("ImagePositionPatient", 3), ("ImageOrientationPatient", 6), ("PixelSpacing", 2)):
        values = getattr(head, keyword, None)
        good = values is not None and len(values) == count and all(np.isfinite(float(v)) for v in values)
        if not good:
            raise UsageError(f"{one.label} has no {keyword}, or no numbers there; without it the slice has no place")
    position = one.text("PatientPosition").upper()
    if position != "HFS":
        raise UsageError(
            f"{one.label}: the patient lies {position[:4] or 'in an unknown position'!r}; only HFS (head first, "
            "supine) is read, since beam angles mean something else in other positions"
        )
    turned = np.abs(np.array([float(v) for v in head.ImageOrientationPatient]) - [1, 0, 0, 0, 1, 0]).max()
    if turned > _STRAIGHT:
        raise UsageError(
            f"{one.label}: the image is oblique or the gantry was tilted (orientation "
            f"{', '.join(f'{float(v):.3g}' for v in head.ImageOrientationPatient)}); resample it to axial slices first"
        )
    if min(float(v) for v in head.PixelSpacing) <= 0.05 or max(float(v) for v in head.PixelSpacing) > 20:
        raise UsageError(f"{one.label}: pixels of {head.PixelSpacing[0]} mm; a CT has 0.05 to 20")
    for keyword in ("Rows", "Columns"):
        value = getattr(head, keyword, None)
        if not isinstance(value, int) or not 8 <= value <= 4096:
            raise UsageError(f"{one.label}: {keyword} is {str(value)[:20]}; a CT has 8 to 4096")
        if value != getattr(first, keyword, None):
            raise UsageError(f"{one.label} has {value} {keyword.lower()}, other slices {getattr(first, keyword, None)}")
    for keyword, digits in (("PixelSpacing", 1e-4), ("ImagePositionPatient", 1e-2)):
        here = np.array([float(v) for v in getattr(head, keyword)][:2])
        there = np.array([float(v) for v in getattr(first, keyword)][:2])
        if np.abs(here - there).max() > digits:
            raise UsageError(f"{one.label} has another {keyword} than other slices; it belongs to another image")


def _check_distances(z: list[float]) -> float:
    """Check that slices are evenly spaced, and return their distance, mm.

    Raises:
        UsageError: Two slices at one place, slices missing, or uneven distances.
    """
    gaps = np.diff(z)
    step = float(np.median(gaps))
    if step <= 1e-3 or (gaps <= 1e-3).any():
        twice = sorted({f"{a:g}" for a, gap in zip(z, gaps, strict=False) if gap <= 1e-3}, key=float)
        raise UsageError(
            f"two or more slices lie at z = {', '.join(twice[:_MOST_NAMED])} mm; are there several phases or "
            "reconstructions in one series?"
        )
    # Where slices are missing, gaps are whole multiples of the distance of slices.
    times = gaps / step
    whole = np.rint(times)
    if np.abs(times - whole).max() > _EVEN * max(1.0, float(whole.max())) or (whole < 1).any():
        raise UsageError(
            f"the slices are unevenly spaced ({gaps.min():g} to {gaps.max():g} mm); resample the CT to even "
            "distances first"
        )
    if (whole > 1).any():
        missing = [
            f"{a + n * step:g}" for a, w in zip(z, whole, strict=False) if w > 1 for n in range(1, int(min(w, 1000)))
        ]
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        places = f"{', '.join(missing[:_MOST_NAMED])} mm{more}"
        raise UsageError(
            f"{len(missing)} of {len(z) + len(missing)} slices are missing: z = {places}; export the whole series"
        )
    return float((z[-1] - z[0]) / (len(z) - 1))


def _pixels(one: DicomFile, rows: int, columns: int) -> NDArray[np.float32]:
    data = read_file(one.path)
    with guarded(one.label):
        if int(getattr(data, "SamplesPerPixel", 1)) != 1 or int(getattr(data, "NumberOfFrames", 1) or 1) != 1:
            raise UsageError(f"{one.label} is no plain CT slice (colour, or several frames)")
        if "ModalityLUTSequence" in data:
            raise UsageError(f"{one.label} maps its values by a table, not to Hounsfield units; export it as plain CT")
        slope = float(getattr(data, "RescaleSlope", 1) or 1)
        intercept = float(getattr(data, "RescaleIntercept", 0) or 0)
        pixels = data.pixel_array
        if pixels.shape != (rows, columns):
            raise UsageError(f"{one.label} has {pixels.shape} pixels instead of {(rows, columns)}")
        if not np.isfinite(slope) or not np.isfinite(intercept) or not 0 < slope < 100:
            raise UsageError(f"{one.label}: rescale slope {slope:g} and intercept {intercept:g} are none of a CT")
        return np.asarray(pixels, np.float32) * np.float32(slope) + np.float32(intercept)
