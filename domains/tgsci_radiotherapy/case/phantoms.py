"""The built-in patients: the C-shape of AAPM TG-119, a pelvis, and a head and neck, made of simple solids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .beams.influence import Setup
from .model import Beam, Grid, Structure, Type

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Hounsfield units of what the patients are made of.
_AIR, _FAT, _TISSUE, _BONE, _CORTEX = -1000, -90, 40, 300, 700
_URINE = 5
#: Distance of the points that `Shape.volume` counts, mm.
_FINE = 1.0


def cshape() -> Setup:
    """Set up the C-shape of AAPM TG-119 (G. A. Ezzell et al., Med Phys 36:5359-5373, 2009).

    A core of 1.0 cm radius, 10 cm long; around it a PTV, 8 cm long, of 1.5 cm inner and 3.7 cm outer radius, open to
    the back. The report draws the opening without a figure for it; the task group's own DICOM structures end in a plane
    0.7 cm behind the core's axis, and hold 168 cm^3, which is what stands here. The phantom is a slab of water, 30 x 15
    cm, with the core's axis in its middle; nine beams, 40 degrees apart, as the report says. The dose grid of 3 mm is
    laid so that its voxels hold what is drawn within 2.5%.
    """
    grid = Grid((55, 50, 100), (3.0, 3.0, 3.0), (-81.0, -72.5, -148.5))
    image = Grid((55, 100, 200), (3.0, 1.5, 1.5), (-81.0, -74.25, -149.25))
    body = box((-150.0, -75.0, -82.5), (150.0, 75.0, 82.5))
    core = cylinder((0.0, 0.0, 0.0), (10.0, 10.0), 100.0)
    ring = cylinder((0.0, 0.0, 0.0), (37.0, 37.0), 80.0) - cylinder((0.0, 0.0, 0.0), (15.0, 15.0), 80.0)
    ptv = ring & box((-37.0, -37.0, -40.0), (37.0, 7.0, 40.0))
    ct = np.zeros(image.shape, np.int16)
    return Setup(
        name="cshape",
        ct=ct,
        ct_grid=image,
        grid=grid,
        structures=(
            _structure("PTV", "target", ptv, grid, 50.0),
            _structure("Core", "oar", core, grid),
            _structure("Body", "external", body, grid),
        ),
        beams=tuple(Beam(float(angle)) for angle in range(0, 360, 40)),
        fractions=25,
        provenance={
            "source": "built in: the C-shape of AAPM TG-119 in a water phantom, 30 x 15 x 16.5 cm",
            "dose": "analytic 6 MV pencil beam, 5 mm bixels, lateral cutoff 22 mm; not for clinical use",
        },
    )


def prostate() -> Setup:
    """Set up a pelvis with the structures of the prostate plans in TextGrad's paper: 70.2 Gy in 39 fractions.

    The PTV is a prostate of about 50 cm^3 with the base of the seminal vesicles and a margin of 8 to 10 mm. It reaches
    into the rectum's front wall and the bladder's neck, as it does in patients. Femoral heads, pelvic bones and fat are
    in the image, so that beams through them arrive weaker or stronger. The seven beams are those of TG-119's prostate.
    """
    grid = Grid((54, 80, 126), (3.0, 3.0, 3.0), (-75.0, -109.5, -187.5))
    image = Grid((54, 120, 189), (3.0, 2.0, 2.0), (-75.0, -110.0, -188.0))
    body = cylinder((0.0, 8.0, 4.5), (185.0, 116.0), 162.0)
    ptv = ellipsoid((0.0, 0.0, 0.0), (34.0, 30.0, 35.0)) | ellipsoid((0.0, 15.0, 28.0), (29.0, 15.0, 15.0))
    bladder = ellipsoid((0.0, -16.0, 50.0), (38.0, 34.0, 32.0))
    rectum = tube(lambda z: 35.0 + 4.0 * (z / 45.0) ** 2, (17.0, 15.0), -42.0, 48.0, 40.0)
    heads = {side: ellipsoid((sign * 90.0, 3.0, 6.0), (24.0, 24.0, 24.0)) for side, sign in (("L", 1), ("R", -1))}
    ct = np.full(image.shape, _AIR, np.int16)
    _paint(ct, image, body, _FAT)
    _paint(ct, image, cylinder((0.0, 6.0, 4.5), (160.0, 92.0), 162.0), _TISSUE)
    for side, sign in (("L", 1), ("R", -1)):
        socket = ellipsoid((sign * 84.0, 3.0, 14.0), (36.0, 32.0, 34.0)) & box(
            (min(sign * 40.0, sign * 95.0), -40.0, -40.0), (max(sign * 40.0, sign * 95.0), 40.0, 60.0)
        )
        neck = ellipsoid((sign * 122.0, 8.0, -14.0), (26.0, 18.0, 22.0))
        pubis = ellipsoid((sign * 30.0, -48.0, -8.0), (32.0, 9.0, 14.0))
        for bone in (socket, neck, pubis):
            _paint(ct, image, bone, _BONE)
        _paint(ct, image, ellipsoid((sign * 90.0, 3.0, 6.0), (27.0, 27.0, 27.0)), _TISSUE)
        _paint(ct, image, heads[side], _CORTEX)
        _paint(ct, image, ellipsoid((sign * 90.0, 3.0, 6.0), (21.0, 21.0, 21.0)), _BONE)
    sacrum = ellipsoid((0.0, 82.0, 50.0), (42.0, 14.0, 60.0))
    _paint(ct, image, sacrum, _BONE)
    _paint(ct, image, rectum, _TISSUE - 10)
    _paint(ct, image, bladder, _URINE)
    _paint(ct, image, ellipsoid((0.0, 0.0, 0.0), (25.0, 20.0, 25.0)), _TISSUE + 5)
    return Setup(
        name="prostate",
        ct=ct,
        ct_grid=image,
        grid=grid,
        structures=(
            _structure("PTV", "target", ptv, grid, 70.2),
            _structure("Bladder", "oar", bladder, grid),
            _structure("Rectum", "oar", rectum, grid),
            _structure("Femur_Head_L", "oar", heads["L"], grid),
            _structure("Femur_Head_R", "oar", heads["R"], grid),
            _structure("Body", "external", body, grid),
        ),
        beams=tuple(Beam(float(angle)) for angle in (0, 50, 100, 150, 210, 260, 310)),
        fractions=39,
        provenance={
            "source": "built in: a pelvis of simple shapes, of no patient",
            "dose": "analytic 6 MV pencil beam, 5 mm bixels, lateral cutoff 22 mm; not for clinical use",
        },
    )


def headneck() -> Setup:
    """Set up a head and neck with three dose levels, 70, 63 and 56 Gy in 35 fractions: a tumour of the left tonsil.

    Simple shapes, of no patient, with what makes such plans hard: the targets lie around the spinal cord on three
    sides, the parotids reach into the neck levels and the mandible into PTV70, larynx and oesophagus lie between both
    sides of PTV56, the brainstem is above. The neck is a small one, and its targets are 6 cm long where a patient's
    are 15 to 20: seven beams then have about 1,450 bixels, and a plan takes seconds. The levels do not overlap: PTV63
    is without PTV70, and PTV56 without both.
    """
    grid = Grid((46, 46, 44), (3.0, 3.0, 3.0), (-64.5, -67.5, -64.5))
    image = Grid((46, 69, 66), (3.0, 2.0, 2.0), (-64.5, -68.0, -65.0))
    body = cylinder((0.0, 0.0, 3.0), (62.0, 66.0), 132.0)
    skin = cylinder((0.0, 0.0, 3.0), (57.0, 61.0), 132.0)
    cord = cylinder((0.0, 27.0, -21.0), (6.0, 6.0), 84.0)
    canal = cylinder((0.0, 27.0, -21.0), (11.0, 11.0), 84.0)
    brainstem = ellipsoid((0.0, 24.0, 40.0), (13.0, 12.0, 24.0))
    airway = cylinder((0.0, -12.0, -4.0), (6.0, 7.0), 90.0)
    larynx = ellipsoid((0.0, -16.0, -22.0), (15.0, 15.0, 16.0))
    oesophagus = cylinder((0.0, 7.5, -40.0), (7.0, 6.8), 44.0)
    jaw = cylinder((0.0, -14.0, 17.0), (48.0, 44.0), 24.0) - cylinder((0.0, -14.0, 17.0), (36.0, 32.0), 24.0)
    mandible = jaw & box((-48.0, -58.0, 5.0), (48.0, 0.0, 29.0))
    parotids = {side: ellipsoid((sign * 43.0, 9.0, 21.0), (11.0, 17.0, 16.0)) for side, sign in (("L", 1), ("R", -1))}
    primary = ellipsoid((19.0, -9.0, 3.0), (22.0, 19.0, 20.0))
    left = cylinder((29.0, 11.0, 1.0), (12.0, 17.0), 46.0)
    right = cylinder((-29.0, 11.0, 1.0), (11.0, 16.0), 46.0)
    bridge = ellipsoid((-8.0, -2.0, 5.0), (18.0, 13.0, 16.0))
    low = cylinder((0.0, 6.0, -29.0), (40.0, 21.0), 14.0) - cylinder((0.0, 4.0, -29.0), (14.0, 40.0), 14.0)
    ptv70 = primary - canal
    ptv63 = (left | bridge) - canal - ptv70
    ptv56 = (right | low) - canal - ptv70 - ptv63
    ct = np.full(image.shape, _AIR, np.int16)
    _paint(ct, image, body, _FAT)
    _paint(ct, image, skin, _TISSUE)
    _paint(ct, image, ellipsoid((0.0, 30.0, 3.0), (20.0, 20.0, 90.0)) & skin, _BONE)
    _paint(ct, image, canal, _TISSUE)
    _paint(ct, image, mandible, _CORTEX)
    _paint(ct, image, airway, _AIR)
    return Setup(
        name="headneck",
        ct=ct,
        ct_grid=image,
        grid=grid,
        structures=(
            _structure("PTV70", "target", ptv70, grid, 70.0),
            _structure("PTV63", "target", ptv63, grid, 63.0),
            _structure("PTV56", "target", ptv56, grid, 56.0),
            _structure("SpinalCord", "oar", cord, grid),
            _structure("Brainstem", "oar", brainstem, grid),
            _structure("Parotid_L", "oar", parotids["L"], grid),
            _structure("Parotid_R", "oar", parotids["R"], grid),
            _structure("Larynx", "oar", larynx, grid),
            _structure("Esophagus", "oar", oesophagus, grid),
            _structure("Bone_Mandible", "oar", mandible, grid),
            _structure("Body", "external", body, grid),
        ),
        beams=tuple(Beam(float(angle)) for angle in (0, 50, 100, 150, 210, 260, 310)),
        fractions=35,
        provenance={
            "source": "built in: a head and neck of simple shapes, of no patient",
            "dose": "analytic 6 MV pencil beam, 5 mm bixels, lateral cutoff 22 mm; not for clinical use",
        },
    )


def _structure(name: str, kind: Type, shape: Shape, grid: Grid, prescription: float | None = None) -> Structure:
    voxels = np.flatnonzero(shape.mask(grid)).astype(np.int32)
    return Structure(name, kind, voxels, shape.volume(), prescription)


def _paint(ct: NDArray[np.int16], grid: Grid, shape: Shape, hu: int) -> None:
    ct[shape.mask(grid)] = hu


@dataclass(frozen=True)
class Shape:
    """A solid.

    Args:
        inside: Of coordinates x, y, z that broadcast, mm: True within.
        low: Corner of a box around it, (x, y, z), mm.
        high: The opposite corner.
    """

    inside: Callable[[Floats, Floats, Floats], NDArray[np.bool_]]
    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Mark the voxels of a grid whose centre is inside, (z, y, x)."""
        mask = np.zeros(grid.shape, bool)
        axes = grid.axes()
        box = []
        for axis, low, high in zip(axes, self.low[::-1], self.high[::-1], strict=True):
            first, last = np.searchsorted(axis, [low - 1e-9, high + 1e-9])
            box.append(slice(int(first), int(last)))
        z, y, x = (axis[part] for axis, part in zip(axes, box, strict=True))
        mask[tuple(box)] = self.inside(x[None, None, :], y[None, :, None], z[:, None, None])
        return mask

    def volume(self) -> float:
        """Count the volume, cm^3, in points a millimetre apart."""
        low, high = np.array(self.low[::-1]), np.array(self.high[::-1])
        shape = np.maximum(np.ceil((high - low) / _FINE), 1.0)
        spacing = (high - low) / shape
        (a, b, c), (d, e, f), (g, h, i) = shape.astype(int).tolist(), spacing.tolist(), (low + spacing / 2).tolist()
        fine = Grid((a, b, c), (d, e, f), (g, h, i))
        return float(self.mask(fine).sum()) * fine.voxel_cc

    def __or__(self, other: Shape) -> Shape:
        """Join both solids."""
        low = tuple(min(a, b) for a, b in zip(self.low, other.low, strict=True))
        high = tuple(max(a, b) for a, b in zip(self.high, other.high, strict=True))
        return Shape(
            lambda x, y, z: self.inside(x, y, z) | other.inside(x, y, z),
            (low[0], low[1], low[2]),
            (high[0], high[1], high[2]),
        )

    def __sub__(self, other: Shape) -> Shape:
        """Take the other solid away."""
        return Shape(lambda x, y, z: self.inside(x, y, z) & ~other.inside(x, y, z), self.low, self.high)

    def __and__(self, other: Shape) -> Shape:
        """Keep what is in both solids."""
        return Shape(lambda x, y, z: self.inside(x, y, z) & other.inside(x, y, z), self.low, self.high)


def ellipsoid(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Shape:
    """Make an ellipsoid with its axes along x, y, z, mm."""
    (cx, cy, cz), (rx, ry, rz) = centre, radii
    return Shape(
        lambda x, y, z: ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 <= 1.0,
        (cx - rx, cy - ry, cz - rz),
        (cx + rx, cy + ry, cz + rz),
    )


def cylinder(centre: tuple[float, float, float], radii: tuple[float, float], length: float) -> Shape:
    """Make a straight cylinder along z of elliptic cross-section, mm."""
    (cx, cy, cz), (rx, ry), half = centre, radii, length / 2
    return Shape(
        lambda x, y, z: (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1.0) & (abs(z - cz) <= half),
        (cx - rx, cy - ry, cz - half),
        (cx + rx, cy + ry, cz + half),
    )


def tube(centre: Callable[[Floats], Floats], radii: tuple[float, float], low: float, high: float, bend: float) -> Shape:
    """Make a tube along z of elliptic cross-section whose middle moves in y, mm.

    Args:
        centre: y of its middle at each z.
        radii: Along x and y.
        low: z of its lower end.
        high: z of its upper end.
        bend: Furthest that the middle goes in y from 0, to either side.
    """
    rx, ry = radii
    return Shape(
        lambda x, y, z: ((x / rx) ** 2 + ((y - centre(z)) / ry) ** 2 <= 1.0) & (z >= low) & (z <= high),
        (-rx, -bend - ry, low),
        (rx, bend + ry, high),
    )


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Shape:
    """Make a box between two corners, mm."""
    return Shape(
        lambda x, y, z: (
            (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]) & (z >= low[2]) & (z <= high[2])
        ),
        low,
        high,
    )
