"""A plan's dose from RTDOSE files, to compare with: total Gy of the whole course."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.errors import UsageError

from ...case.model import Grid
from ..patient import MOST_VOXELS
from .files import Found, Scan, Series, guarded, read_file
from .plan import Prescribed

if TYPE_CHECKING:
    from ...case.model import Floats

_WITHOUT = "Import without it: --no-reference"


def read_dose(found: Scan, series: Series, plan: Prescribed) -> tuple[Floats, Grid] | None:
    """The dose, (z, y, x), and its grid; None where there is no file.

    Doses of single beams are added up if the plan says that all of them are there. What is neither the dose of a plan
    nor of a beam is refused: nobody says how often it counts.

    Raises:
        UsageError: The dose is not in Gy, of another frame of reference, incomplete, damaged, or one of several.
    """
    if not found.doses:
        return None
    kinds = sorted({one.text("DoseSummationType").upper() for one in found.doses})
    whole = [one for one in found.doses if one.text("DoseSummationType").upper() == "PLAN"]
    beams = [one for one in found.doses if one.text("DoseSummationType").upper() == "BEAM"]
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
            raise UsageError(f"{one.shown}: the beams' doses lie on different grids. {_WITHOUT}")
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


def _beam(one: Found, data: Any) -> tuple[str, int]:
    """Plan and number of the beam whose dose a file holds."""
    with guarded(one.shown):
        plan = (getattr(data, "ReferencedRTPlanSequence", None) or [None])[0]
        groups = getattr(plan, "ReferencedFractionGroupSequence", None) or ()
        numbers = [
            int(beam.ReferencedBeamNumber)
            for group in groups
            for beam in getattr(group, "ReferencedBeamSequence", None) or ()
        ]
        if plan is None or len(numbers) != 1:
            raise UsageError(f"{one.shown} does not say which one beam its dose is of. {_WITHOUT}")
        return str(getattr(plan, "ReferencedSOPInstanceUID", "")), numbers[0]


def read_one(one: Found, frame: str) -> tuple[Floats, Grid, Any]:
    """One file's dose, (z, y, x), Gy, its grid, and the whole data set.

    Args:
        one: The file.
        frame: Frame of reference that it has to be of; "" for any.

    Raises:
        UsageError: It is not in Gy, of another frame of reference, oblique or damaged.
    """
    data = read_file(one.path)
    with guarded(one.shown):
        units, kind = str(getattr(data, "DoseUnits", "")).upper(), str(getattr(data, "DoseType", "")).upper()
        if units != "GY":
            raise UsageError(f"{one.shown}: the dose is in {units[:20] or 'no unit'!r}, not in GY. {_WITHOUT}")
        if kind not in ("PHYSICAL", "EFFECTIVE"):
            raise UsageError(f"{one.shown}: the dose is {kind[:20]!r}, not PHYSICAL or EFFECTIVE. {_WITHOUT}")
        own = str(getattr(data, "FrameOfReferenceUID", "") or "")
        if frame and own and own != frame:
            raise UsageError(f"{one.shown}: the dose is of another frame of reference than the CT. {_WITHOUT}")
        grid = _grid(one, data)
        scaling = float(data.DoseGridScaling)
        if not np.isfinite(scaling) or scaling <= 0:
            raise UsageError(f"{one.shown}: DoseGridScaling is {scaling:g}. {_WITHOUT}")
        pixels = np.asarray(data.pixel_array)
        pixels = pixels[None] if pixels.ndim == 2 else pixels
        if pixels.shape != grid.shape:
            raise UsageError(f"{one.shown} has {pixels.shape} voxels instead of {grid.shape}. {_WITHOUT}")
        # Offsets may descend; a case's z ascends.
        falling = float(data.GridFrameOffsetVector[-1]) < float(data.GridFrameOffsetVector[0])
        dose = np.asarray(pixels[::-1] if falling else pixels, np.float64) * scaling
        return np.ascontiguousarray(dose, np.float32), grid, data


def _grid(one: Found, data: Any) -> Grid:
    frames, rows, columns = int(data.NumberOfFrames), int(data.Rows), int(data.Columns)
    if frames < 1 or frames * rows * columns > MOST_VOXELS:
        raise UsageError(f"{one.shown}: a dose of {frames} x {rows} x {columns} voxels is too large. {_WITHOUT}")
    turned = np.abs(np.array([float(v) for v in data.ImageOrientationPatient]) - [1, 0, 0, 0, 1, 0]).max()
    offsets = np.array([float(v) for v in data.GridFrameOffsetVector])
    if turned > 1e-3 or len(offsets) != frames or frames < 2:
        raise UsageError(f"{one.shown}: the dose's planes are oblique or have no places. {_WITHOUT}")
    steps = np.diff(offsets)
    step = float((offsets[-1] - offsets[0]) / (frames - 1))
    if step == 0 or np.abs(steps - step).max() > 0.02 * abs(step):
        raise UsageError(f"{one.shown}: the dose's planes are unevenly spaced. {_WITHOUT}")
    x, y, z = (float(v) for v in data.ImagePositionPatient)
    # PS3.3 C.8.8.3.2: offsets begin with 0 and count from the position, or are the planes' z themselves.
    first = z if abs(offsets[0]) < 1e-6 else float(offsets[0])
    low = first if step > 0 else first + float(offsets[-1] - offsets[0])
    dy, dx = (float(v) for v in data.PixelSpacing)
    return Grid((frames, rows, columns), (abs(step), dy, dx), (low, y, x))
