"""Where beams come from and what a beam sees: IEC 61217 angles for a patient lying head first and supine.

Points are (x, y, z) in mm along DICOM's LPS axes: x to the patient's left, y to the back, z to the head. Arrays of a
case are (z, y, x); only here, where vectors meet, is the order turned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from ..model import Beam, Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Distance of the source from the isocentre, mm.
SAD = 1000.0
#: Side of a bixel in the plane of the isocentre, mm.
BIXEL = 5.0
#: A bixel is used if the centre of a voxel of the target is seen within this distance of its centre, mm: the field's
#: edge then lies at least 5 mm, a penumbra, outside that centre. 7.5 mm gave no better plans of the C-shape.
MARGIN = 5.0
#: Most bixels across one beam, a side; more would be a field of 60 cm, which no machine has.
MOST_ACROSS = 120


@dataclass(frozen=True)
class Axes:
    """A beam's coordinate system.

    Args:
        source: Where the photons come from, (x, y, z), mm.
        right: Unit vector of the beam's x axis (IEC 61217 beam limiting device, collimator 0).
        up: Unit vector of its y axis, to the gantry.
        forward: Unit vector from the source to the isocentre.
    """

    source: Floats
    right: Floats
    up: Floats
    forward: Floats


def axes(beam: Beam, isocentre: Sequence[float]) -> Axes:
    """Lay the coordinate system of a beam.

    Gantry 0 enters from the front of the patient, 90 from the left, 180 from the back, 270 from the right. The couch
    turns counter-clockwise as seen from above: with couch 90 and gantry 90 the beam enters from the feet.

    Args:
        beam: Gantry and couch angle, degrees.
        isocentre: (x, y, z), mm.
    """
    # Rounded: the last digit of a sine is the C library's, and a case is to be the same on every machine.
    sg, cg, sc, cc = (round(f(radians(angle)), 14) for angle in (beam.gantry, beam.couch) for f in (sin, cos))
    forward = np.array([-cc * sg, cg, sc * sg])
    right = np.array([cc * cg, sg, -sc * cg])
    up = np.array([sc, 0.0, cc])
    return Axes(np.asarray(isocentre, np.float64) - SAD * forward, right, up, forward)


def project(points: Floats, seen: Axes) -> tuple[Floats, Floats, Floats]:
    """Project points onto the plane of the isocentre, as a beam sees them.

    Args:
        points: (n, 3), (x, y, z), mm.
        seen: The beam's coordinate system.

    Returns:
        x and y in the plane of the isocentre, mm, and the distance from the source along the beam's axis, mm.
    """
    x, y, z = (points[:, axis] - seen.source[axis] for axis in range(3))
    # Not a matrix product: what BLAS makes of one in the last digit depends on the processor.
    right, up, depth = (x * to[0] + y * to[1] + z * to[2] for to in (seen.right, seen.up, seen.forward))
    return SAD * right / depth, SAD * up / depth, depth


@dataclass(frozen=True)
class Bixels:
    """The bixels of all beams, each beam's in rows of ascending y, in a row by ascending x.

    Args:
        beams: Beam of each bixel, int16.
        x: Centre in the plane of the isocentre, mm.
        y: The same along the beam's y axis.
        lookup: Number of the bixel at [beam, row, column] of the lattice, -1 where there is none; int32.
        first_x: Centre of lattice column 0, mm.
        first_y: Centre of lattice row 0, mm.
    """

    beams: NDArray[np.int16]
    x: Floats
    y: Floats
    lookup: NDArray[np.int32]
    first_x: float
    first_y: float

    def __len__(self) -> int:
        return len(self.x)


def lattice(used: NDArray[np.bool_]) -> Bixels:
    """Number the used places of a lattice that is centred on the beam's axis.

    Args:
        used: (beams, rows, columns).
    """
    beam, row, column = np.nonzero(used)
    lookup = np.where(used, np.cumsum(used.reshape(-1)).reshape(used.shape) - 1, -1).astype(np.int32)
    first_x, first_y = -(used.shape[2] - 1) / 2 * BIXEL, -(used.shape[1] - 1) / 2 * BIXEL
    return Bixels(beam.astype(np.int16), first_x + column * BIXEL, first_y + row * BIXEL, lookup, first_x, first_y)


def covering(beams: Sequence[Beam], isocentre: Sequence[float], points: Floats, margin: float = MARGIN) -> Bixels:
    """Choose the bixels that a target needs: all whose centre lies within `margin` of one of its projected points.

    Args:
        beams: At least one.
        isocentre: (x, y, z), mm.
        points: Centres of the target's voxels, (n, 3), (x, y, z), mm.
        margin: Distance in the plane of the isocentre, mm.

    Raises:
        UsageError: No beam, no point, or a target that no field of a treatment machine covers.
    """
    if not len(beams) or not len(points):
        raise UsageError("bixels need at least one beam and one voxel of a target")
    seen = [project(points, axes(beam, isocentre))[:2] for beam in beams]
    if not all(np.isfinite(x).all() and np.isfinite(y).all() for x, y in seen):
        raise UsageError("a point of the target lies at a beam's source; move the isocentre into the target")
    half_x, half_y = (int(np.ceil((max(float(np.abs(s[k]).max()) for s in seen) + margin) / BIXEL)) for k in (0, 1))
    if max(half_x, half_y) > MOST_ACROSS // 2:
        raise UsageError(
            f"the target is seen {2 * max(half_x, half_y) * BIXEL / 10:.0f} cm wide around the isocentre; a field has "
            f"at most {MOST_ACROSS * BIXEL / 10:.0f} cm: move the isocentre into the target, or split it"
        )
    used = np.zeros((len(beams), 2 * half_y + 1, 2 * half_x + 1), bool)
    reach = int(np.ceil(margin / BIXEL)) + 1
    for mask, (x, y) in zip(used, seen, strict=True):
        column, row = np.rint(x / BIXEL).astype(int), np.rint(y / BIXEL).astype(int)
        for i in range(-reach, reach + 1):
            for j in range(-reach, reach + 1):
                near = np.hypot((column + i) * BIXEL - x, (row + j) * BIXEL - y) <= margin
                mask[row[near] + j + half_y, column[near] + i + half_x] = True
    return lattice(used)


def field(width: float, height: float, beams: int = 1) -> Bixels:
    """Number all bixels of a rectangular field around the axis.

    Args:
        width: Along the beam's x axis at the isocentre, mm, rounded to whole bixels.
        height: The same along y.
        beams: Number of beams that have this field.
    """
    columns, rows = (max(1, round(side / BIXEL)) for side in (width, height))
    return lattice(np.ones((beams, rows, columns), bool))


def points_of(grid: Grid, voxels: NDArray[np.integer]) -> Floats:
    """Find the centres of voxels, (n, 3), (x, y, z), mm."""
    return np.ascontiguousarray(grid.points(voxels)[:, ::-1])
