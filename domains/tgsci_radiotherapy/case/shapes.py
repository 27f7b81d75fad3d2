"""Shapes to make phantoms of: where a point is inside, and how large the whole is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .model import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Distance of the points that a volume is counted with, mm.
_FINE = 1.0


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
        """The voxels of a grid whose centre is inside, (z, y, x)."""
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
        """cm^3, counted in points a millimetre apart."""
        low, high = np.array(self.low[::-1]), np.array(self.high[::-1])
        shape = np.maximum(np.ceil((high - low) / _FINE), 1.0)
        spacing = (high - low) / shape
        (a, b, c), (d, e, f), (g, h, i) = shape.astype(int).tolist(), spacing.tolist(), (low + spacing / 2).tolist()
        fine = Grid((a, b, c), (d, e, f), (g, h, i))
        return float(self.mask(fine).sum()) * fine.voxel_cc

    def __or__(self, other: Shape) -> Shape:
        """Both together."""
        low = tuple(min(a, b) for a, b in zip(self.low, other.low, strict=True))
        high = tuple(max(a, b) for a, b in zip(self.high, other.high, strict=True))
        return Shape(
            lambda x, y, z: self.inside(x, y, z) | other.inside(x, y, z),
            (low[0], low[1], low[2]),
            (high[0], high[1], high[2]),
        )

    def __sub__(self, other: Shape) -> Shape:
        """This without the other."""
        return Shape(lambda x, y, z: self.inside(x, y, z) & ~other.inside(x, y, z), self.low, self.high)

    def __and__(self, other: Shape) -> Shape:
        """What is in both."""
        return Shape(lambda x, y, z: self.inside(x, y, z) & other.inside(x, y, z), self.low, self.high)


def ellipsoid(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Shape:
    """An ellipsoid with its axes along x, y, z, mm."""
    (cx, cy, cz), (rx, ry, rz) = centre, radii
    return Shape(
        lambda x, y, z: ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 <= 1.0,
        (cx - rx, cy - ry, cz - rz),
        (cx + rx, cy + ry, cz + rz),
    )


def cylinder(centre: tuple[float, float, float], radii: tuple[float, float], length: float) -> Shape:
    """A straight cylinder along z of elliptic cross-section, mm."""
    (cx, cy, cz), (rx, ry), half = centre, radii, length / 2
    return Shape(
        lambda x, y, z: (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1.0) & (abs(z - cz) <= half),
        (cx - rx, cy - ry, cz - half),
        (cx + rx, cy + ry, cz + half),
    )


def tube(centre: Callable[[Floats], Floats], radii: tuple[float, float], low: float, high: float, bend: float) -> Shape:
    """A tube along z of elliptic cross-section whose middle moves in y, mm.

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
    """A box between two corners, mm."""
    return Shape(
        lambda x, y, z: (
            (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]) & (z >= low[2]) & (z <= high[2])
        ),
        low,
        high,
    )
