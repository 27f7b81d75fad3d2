"""The planes of an RTDOSE, from one file or from a file a plane, as a dose along the patient's axes in Gy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.basics.texts import quote
from tgsci.errors import UsageError

from ...case.model import Grid
from ..patient import MOST_VOXELS
from .files import DicomFile, figures, guarded, read_file
from .space import Lattice, box, even_planes, step_for, straight_line, straightened, upright

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...case.model import Floats

#: Widest gap between planes that is interpolated across, mm.
_WIDEST = 15.0
#: Highest dose that is believed, Gy: several times what any fractionated treatment gives.
MOST_GY = 1000.0


@dataclass(frozen=True)
class DoseCube:
    """A dose along the patient's axes.

    Args:
        dose: Gy, (z, y, x).
        grid: Of the dose.
        notes: What it was put together from and what was changed, a sentence each.
    """

    dose: Floats
    grid: Grid
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Planes:
    """The planes of a file: dose in Gy, (planes, rows, columns), where they lie along the normal, and how."""

    dose: NDArray[np.float64]
    places: NDArray[np.float64]
    normal: NDArray[np.float64]
    first: NDArray[np.float64]
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]

    def alike(self, other: _Planes) -> bool:
        """Tell whether planes of two files can be of one dose."""
        aside = other.first - self.first
        aside = aside - (aside @ self.normal) * self.normal
        return (
            self.dose.shape[1:] == other.dose.shape[1:]
            and max(np.abs(self.rows - other.rows).max(), np.abs(self.columns - other.columns).max()) < 1e-3
            and float(np.abs(aside).max()) < 0.05
        )


def read_cube(files: Sequence[DicomFile]) -> DoseCube:
    """Read the dose of one or more files along the patient's axes.

    Raises:
        UsageError: The dose is not in Gy, damaged, has no volume, or planes are missing.
    """
    label = files[0].label
    notes = []
    planes = [_planes(one) for one in files]
    first = planes[0]
    for one, other in zip(files, planes, strict=True):
        if not first.alike(other):
            raise UsageError(f"{one.label} is a plane of another dose than {label}: it lies or is divided otherwise")
    places = np.concatenate([one.places for one in planes])
    order = np.argsort(places, kind="stable")
    places = places[order]
    dose = np.concatenate([one.dose for one in planes])[order].astype(np.float32)
    if len(files) > 1:
        notes.append(f"the dose comes as {len(files)} planes in files of their own, and was put together")
    if len(places) < 2:
        raise UsageError(
            f"{label} is one plane of a dose; all planes are needed: give the folder that they are in, or "
            "export the dose as one file"
        )
    gaps = np.diff(places)
    z = [float((first.first + first.normal * (p - first.first @ first.normal))[2]) for p in places]
    if gaps.min() < 1e-3:
        raise UsageError(f"{label}: two planes of the dose lie at z = {z[int(gaps.argmin())]:g} mm")
    line = straight_line(places)
    if line is None:
        widest = int(gaps.argmax())
        many = len(files) > 1 and gaps[widest] > 1.5 * float(np.median(gaps))
        if many or gaps[widest] > _WIDEST:
            raise UsageError(
                f"{label}: there is no plane of the dose between z = {z[widest]:g} and {z[widest + 1]:g} mm, and the "
                f"others are {np.median(gaps):g} mm apart; export all of it"
            )
        step = step_for(gaps)
        notes.append(
            f"the dose's planes lie {gaps.min():.3g} to {gaps.max():.3g} mm apart; interpolated to {step:.3g} mm"
        )
        dose, step = even_planes(dose, places, step)
    else:
        places[0], step = line
    origin = first.first + first.normal * (places[0] - float(first.first @ first.normal))
    lattice = Lattice(origin, np.array([first.normal * step, first.columns, first.rows]))
    turned = upright(dose, lattice)
    if turned is None:
        grid = box((dose.shape[0], dose.shape[1], dose.shape[2]), lattice)
        if grid is None:
            raise UsageError(f"{label}: the dose is oblique, and the grid around it is too large")
        notes.append("the dose is oblique; it was interpolated to the patient's axes")
        turned = straightened(dose, lattice, grid, 0.0), grid
    return DoseCube(*turned, tuple(notes))


def _planes(one: DicomFile) -> _Planes:
    """Read the planes of a file.

    Raises:
        UsageError: The dose is not in Gy, of an unknown kind, negative, damaged, or its planes have no places.
    """
    data = read_file(one.path)
    with guarded(one.label):
        units, kind = str(getattr(data, "DoseUnits", "")).upper(), str(getattr(data, "DoseType", "")).upper()
        if units == "RELATIVE":
            raise UsageError(
                f"{one.label}: the dose is relative to a value that the file does not hold (DoseUnits RELATIVE), "
                "not in GY; export it in Gy"
            )
        if units != "GY":
            raise UsageError(f"{one.label}: the dose is in {quote(units, 20) if units else 'no unit'}, not in GY")
        if kind not in ("PHYSICAL", "EFFECTIVE"):
            raise UsageError(f"{one.label}: the dose is {quote(kind, 20)}, not PHYSICAL or EFFECTIVE")
        frames, rows, columns = _count(data, "NumberOfFrames", 1), _count(data, "Rows"), _count(data, "Columns")
        if frames * rows * columns > MOST_VOXELS:
            raise UsageError(f"{one.label}: a dose of {frames} x {rows} x {columns} voxels is too large")
        if getattr(data, "DoseGridScaling", None) in (None, ""):
            raise UsageError(f"{one.label} has no DoseGridScaling; what its values are in Gy is not known")
        scaling = float(data.DoseGridScaling)
        if not np.isfinite(scaling) or scaling <= 0:
            raise UsageError(f"{one.label}: DoseGridScaling is {scaling:g}")
        position = figures(data, "ImagePositionPatient", 3)
        turned = figures(data, "ImageOrientationPatient", 6)
        spacing = figures(data, "PixelSpacing", 2)
        if position is None or turned is None or spacing is None or spacing.min() <= 0:
            raise UsageError(f"{one.label}: the dose's planes have no places")
        if max(np.abs(position).max(), spacing.max()) > 1e5:
            raise UsageError(
                f"{one.label}: the dose lies {np.abs(position).max():g} mm from the origin; no patient does"
            )
        dy, dx = (float(v) for v in spacing)
        normal = np.asarray(np.cross(turned[:3], turned[3:]), np.float64)
        if abs(np.linalg.norm(normal) - 1) > 0.01:
            raise UsageError(f"{one.label}: the dose's orientation is no pair of directions at a right angle")
        places = float(position @ normal) + _offsets(one, data, frames, float(position[2]), float(normal[2]))
        pixels = np.asarray(data.pixel_array)
        pixels = pixels[None] if pixels.ndim == 2 else pixels
        if pixels.shape != (frames, rows, columns):
            raise UsageError(f"{one.label} has {pixels.shape} voxels instead of {(frames, rows, columns)}")
        dose = np.asarray(pixels, np.float64) * scaling
        if dose.max() > MOST_GY:
            raise UsageError(f"{one.label}: the dose reaches {dose.max():.4g} Gy; is it in cGy, or damaged?")
        if dose.min() < -0.01 * max(float(dose.max()), 1e-6):
            raise UsageError(f"{one.label} has negative doses, down to {dose.min():.3g} Gy: a difference?")
    return _Planes(np.maximum(dose, 0.0), places, normal, position, turned[:3] * dx, turned[3:] * dy)


def _count(data: Any, keyword: str, missing: int | None = None) -> int:
    """Read a count, at least 1."""
    value = getattr(data, keyword, None)
    count = missing if missing is not None and value in (None, "") else int(value)  # type: ignore[arg-type]
    if count < 1:
        raise ValueError(f"{keyword} is {count}")
    return count


def _offsets(one: DicomFile, data: Any, frames: int, z: float, upward: float) -> NDArray[np.float64]:
    """Read where the planes lie along the normal, mm from the first pixel's position.

    PS3.3 C.8.8.3.2: offsets begin with 0 and count from the position, or are the planes' own z.

    Raises:
        UsageError: There are none, or too few.
    """
    said = getattr(data, "GridFrameOffsetVector", None)
    if frames == 1:
        return np.zeros(1)
    offsets = np.array([] if said is None else [float(v) for v in np.atleast_1d(said)])
    if len(offsets) != frames or not np.isfinite(offsets).all() or np.abs(offsets).max(initial=0.0) > 1e5:
        raise UsageError(f"{one.label}: {frames} planes of the dose have {len(offsets)} places")
    if abs(offsets[0]) < 1e-6:
        return offsets
    if abs(offsets[0] - z) > 0.5 or abs(upward) < 0.99:
        raise UsageError(
            f"{one.label}: the planes' offsets begin with {offsets[0]:g} mm, which is neither 0 nor the z of the first "
            f"plane ({z:g} mm); where the dose lies is not known"
        )
    return np.asarray((offsets - z) * np.sign(upward))
