"""Check that a plan can be made for a case: every fault at once, each with what to change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from ..names import LONGEST, clean
from .model import Case, Dij, Grid, Structure, own_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Highest prescription, Gy: more is meant in cGy.
HIGHEST_PRESCRIPTION = 200.0
#: Most fractions: no schedule has more.
MOST_FRACTIONS = 100
#: A body whose median lies further from water than this is on another scale, HU.
OFF_WATER = 500.0
#: Most points of a HU table.
MOST_POINTS = 200
_SUM = re.compile(r"[a-z ]{1,20} [0-9a-f]{1,32}")
_TYPES = ("target", "oar", "external")
#: Most faults named in one message.
_MOST_NAMED = 12


def check(case: Case) -> None:
    """Refuse a case that cannot be planned, or whose figures would not mean what they say.

    Raises:
        UsageError: The case has faults; the message names each, with what to change.
    """
    wrong = list(faults(case))
    if not wrong:
        return
    more = [f"... and {len(wrong) - _MOST_NAMED} more"] if len(wrong) > _MOST_NAMED else []
    if len(wrong) == 1:
        raise UsageError(f"the case {clean(case.name)!r} cannot be planned: {wrong[0]}")
    listed = "\n".join(f"  - {fault}" for fault in wrong[:_MOST_NAMED] + more)
    raise UsageError(f"the case {clean(case.name)!r} cannot be planned:\n{listed}")


def faults(case: Case) -> Iterator[str]:
    """Find what is wrong with a case, a sentence each; what rests on something wrong is not looked at."""
    if clean(case.name) != case.name or not case.name:
        yield f"its name {clean(case.name)!r} must be 1 to {LONGEST} letters, digits, spaces or _+-.^~"
    broken = list(_grid(case.grid, "the dose grid"))
    yield from broken
    if broken:
        return
    yield from _plan(case)
    yield from _names(case)
    drawn = list(_structures(case))
    yield from drawn
    influence = list(_dij(case.dij, len(case.voxels)))
    yield from influence
    if not drawn:
        rows = list(_rows(case))
        yield from rows
        if not rows and not influence:
            yield from _dose(case)
    yield from _image(case, sound=not drawn)
    yield from _source(case)
    if case.reference is not None and np.shape(case.reference) != np.shape(case.voxels):
        yield f"the reference dose has {np.size(case.reference)} figures for {len(case.voxels)} rows; give one a row"


def _grid(grid: Grid, what: str) -> Iterator[str]:
    if len(grid.shape) != 3 or len(grid.spacing) != 3 or len(grid.origin) != 3:
        yield f"{what} must have three axes, z, y, x"
        return
    if min(grid.shape) < 1 or grid.size >= 2**31:
        yield f"{what} has {' x '.join(str(n) for n in grid.shape)} voxels; 1 to 2,147,483,647 can be handled"
    if not all(isfinite(s) and s > 0 for s in grid.spacing) or not all(isfinite(o) for o in grid.origin):
        yield f"{what} has voxels of {grid} from {grid.origin}; spacings must be above 0, and all finite"


def _plan(case: Case) -> Iterator[str]:
    if isinstance(case.fractions, bool) or not isinstance(case.fractions, int | np.integer):
        yield f"the number of fractions must be a whole number, not {clean(case.fractions)!r}"
    elif not 1 <= case.fractions <= MOST_FRACTIONS:
        yield f"{case.fractions} fractions; 1 to {MOST_FRACTIONS} are possible"
    if case.modality not in ("photons", "protons"):
        yield f"modality {clean(case.modality)!r}; it must be photons or protons"
    if case.beams and len(case.dij.beams) and int(np.max(case.dij.beams)) >= len(case.beams):
        yield f"beamlets of beam {int(np.max(case.dij.beams))}, and only {len(case.beams)} beams, counted from 0"


def _source(case: Case) -> Iterator[str]:
    table = np.asarray(case.hu_table, np.float64)
    if table.size and not (
        table.ndim == 2
        and 2 <= len(table) <= MOST_POINTS
        and np.isfinite(table).all()
        and (np.diff(table[:, 0]) > 0).all()
        and (np.diff(table[:, 1]) >= 0).all()
        and table[0, 1] >= 0
    ):
        yield f"its HU table must have 2 to {MOST_POINTS} points of rising HU and densities that never fall"
    if len(case.origin) > 8 or not all(_SUM.fullmatch(f"{key} {value}") for key, value in case.origin.items()):
        yield "its origin must be a few short check sums"


def _names(case: Case) -> Iterator[str]:
    for s in case.structures:
        if clean(s.name) != s.name or not s.name:
            yield f"structure name {clean(s.name)!r} is not 1 to {LONGEST} letters, digits, spaces or _+-.^~; rename it"
    for name, number in Counter(s.name.casefold() for s in case.structures).items():
        if number > 1:
            same = [s.name for s in case.structures if s.name.casefold() == name]
            yield f"{number} structures have the name {clean(same[0])!r}; rename or leave out all but one"
    if not any(s.type == "target" for s in case.structures):
        there = ", ".join(clean(s.name) for s in case.structures[:_MOST_NAMED]) or "no structure at all"
        yield f"no target to treat (there are: {there}); say which structure is the PTV, and its prescription in Gy"
    if not any(s.type == "external" for s in case.structures):
        yield "no external: the outline of the body is needed, since dose outside the other structures counts too"


def _structures(case: Case) -> Iterator[str]:
    for s in case.structures:
        name = clean(s.name)
        if s.type not in _TYPES:
            yield f"{name} is of type {clean(s.type)!r}; a structure is a target, an oar or the external"
        if s.type == "target":
            yield from _prescription(name, s)
        elif s.prescription is not None:
            yield f"{name} has a prescription and is no target; leave it out, or make it a target"
        if not isfinite(s.volume_cc) or s.volume_cc < 0:
            yield f"{name} has a volume of {s.volume_cc} cc; leave it out where it is not known"
        voxels = np.asarray(s.voxels)
        if voxels.ndim != 1 or voxels.dtype.kind not in "iu":
            yield f"{name}: voxels must be a list of whole numbers, flat indices into the dose grid"
        elif not len(voxels):
            if s.volume_cc > 0:
                yield (
                    f"{name}, {s.volume_cc:.3g} cc as drawn, has no voxel centre on the dose grid of {case.grid}; "
                    "use a finer dose grid, or leave it out"
                )
            else:
                yield f"{name} is empty: nothing is drawn; leave it out, or draw it"
        elif voxels[0] < 0 or voxels[-1] >= case.grid.size or (np.diff(voxels.astype(np.int64)) <= 0).any():
            yield (
                f"{name} has voxels outside the dose grid of {' x '.join(str(n) for n in case.grid.shape)} voxels, or "
                "not in ascending order; its mask was made for another grid: resample it to the dose grid"
            )


def _prescription(name: str, s: Structure) -> Iterator[str]:
    if s.prescription is None:
        yield f"the target {name} has no prescription; give its total dose in Gy, for example {name}=50"
    elif not isfinite(s.prescription) or s.prescription <= 0:
        yield f"the target {name} has a prescription of {s.prescription} Gy; it must be above 0"
    elif s.prescription > HIGHEST_PRESCRIPTION:
        yield (
            f"the target {name} has a prescription of {s.prescription:g} Gy; above {HIGHEST_PRESCRIPTION:g} it is "
            f"meant in cGy: give {s.prescription / 100:g}"
        )


def _dij(dij: Dij, rows: int) -> Iterator[str]:
    starts, columns, values = dij.starts, dij.columns, dij.values
    if dij.beamlets < 1:
        yield "the dij has no beamlets"
        return
    if len(starts) != rows + 1:
        yield f"the dij has {max(len(starts) - 1, 0)} rows for {rows} voxels"
        return
    if starts.dtype != np.int64 or columns.dtype not in (np.uint16, np.uint32) or values.dtype != np.float32:
        types = f"{starts.dtype}, {columns.dtype}, {values.dtype}"
        yield f"the dij is of {types}; int64, uint16 or uint32, and float32 are needed"
        return
    if starts[0] != 0 or (np.diff(starts) < 0).any() or starts[-1] != len(values) or len(columns) != len(values):
        yield "the dij's rows do not begin and end where its entries do; it is damaged: compute it again"
        return
    if len(columns) and int(columns.max()) >= dij.beamlets:
        yield f"the dij has entries of beamlet {int(columns.max())}, and only {dij.beamlets} beamlets, counted from 0"
    elif not _ascending(starts, columns):
        yield "the dij has a row whose beamlets are not in ascending order; sort the indices and sum up duplicates"
    if len(dij.beams) != dij.beamlets:
        yield f"the dij says the beam of {len(dij.beams)} beamlets, and has {dij.beamlets}"
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    if not isfinite(low) or not isfinite(high) or np.isnan(values).any():
        yield "the dij has entries that are not finite; compute it again"
    elif low < 0:
        yield f"the dij has negative doses, down to {low:.3g} Gy; compute it again"
    elif high == 0:
        yield "the dij has no dose anywhere; compute it again"


def _ascending(starts: NDArray[np.int64], columns: NDArray[np.unsignedinteger]) -> bool:
    """Tell whether columns ascend within each row."""
    down = columns[1:] <= columns[:-1]
    first = starts[1:-1]
    down[first[(first > 0) & (first < len(columns))] - 1] = False
    return not down.any()


def _rows(case: Case) -> Iterator[str]:
    voxels, owners = own_rows(case.structures, case.grid)
    if not np.array_equal(voxels, case.voxels) or not np.array_equal(owners, case.owners):
        yield (
            "the rows are not the structures' voxels, owner after owner in the order of the structures; "
            "make the case with build_case"
        )


def _dose(case: Case) -> Iterator[str]:
    starts, values = case.dij.starts, case.dij.values
    for s in case.structures:
        if s.type != "target":
            continue
        rows = case.rows(s.name)
        cold = starts[rows] == starts[rows + 1]
        # A row's first entry nearly always has dose; only where it has none are the others looked at.
        for n in np.flatnonzero(~cold):
            if values[starts[rows[n]]] <= 0:
                cold[n] = not values[starts[rows[n]] : starts[rows[n] + 1]].any()
        if cold.any():
            yield (
                f"{int(cold.sum())} of {len(rows)} voxels of {s.name} get no dose from any beamlet; let the beams "
                "cover the target, or crop it to the body"
            )


def _image(case: Case, *, sound: bool) -> Iterator[str]:
    if case.ct is None:
        return
    if case.ct_grid is None or tuple(case.ct.shape) != tuple(case.ct_grid.shape):
        shape = None if case.ct_grid is None else case.ct_grid.shape
        yield f"the CT has {case.ct.shape} voxels and its grid {shape}; they must agree"
        return
    broken = list(_grid(case.ct_grid, "the CT's grid"))
    yield from broken
    body = next((s for s in case.structures if s.type == "external"), None)
    if broken or body is None or not sound or not len(body.voxels):
        return
    # A thousand voxels of the body tell the scale of the image.
    some = body.voxels[:: max(1, len(body.voxels) // 1000)]
    at = (case.grid.points(some) - np.asarray(case.ct_grid.origin)) / np.asarray(case.ct_grid.spacing)
    place = np.rint(at).astype(np.int64)
    inside = ((place >= 0) & (place < np.asarray(case.ct_grid.shape))).all(axis=1)
    if not inside.any():
        yield "the CT does not show the body: its grid lies elsewhere than the dose grid"
        return
    median = float(np.median(case.ct[tuple(place[inside].T)]))
    if abs(median) > OFF_WATER:
        offset = "; it holds HU + 1024, say: subtract 1024" if 800 < median < 1300 else "; give Hounsfield units"
        yield f"the CT's median in {clean(body.name)} is {median:.0f} HU, and water is 0{offset}"
