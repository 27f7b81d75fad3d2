"""Masks of structures, and arrays from one regular grid to another, axis by axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..case.model import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Mask:
    """Voxels of an image that belong to a structure: a box of them, since most structures are small.

    Args:
        corner: Index (z, y, x) of the box's first voxel.
        inside: The box, (z, y, x).
    """

    corner: tuple[int, int, int]
    inside: Bools

    @classmethod
    def of(cls, full: Bools) -> Mask:
        """Cut an array over the whole image to the box that it fills."""
        spans = []
        for axis in range(3):
            hit = np.flatnonzero(full.any(axis=tuple(a for a in range(3) if a != axis)))
            spans.append((int(hit[0]), int(hit[-1]) + 1) if len(hit) else (0, 0))
        (z, z1), (y, y1), (x, x1) = spans
        return cls((z, y, x), np.ascontiguousarray(full[z:z1, y:y1, x:x1]))

    @property
    def empty(self) -> bool:
        """True where there is no voxel."""
        return not self.inside.any()

    @property
    def count(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.inside))

    def full(self, shape: tuple[int, int, int]) -> Bools:
        """Lay the mask into an array over the whole image."""
        out = np.zeros(shape, bool)
        out[self.box] = self.inside
        return out

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The box as slices (z, y, x) of the whole image."""
        z, y, x = (slice(c, c + n) for c, n in zip(self.corner, self.inside.shape, strict=True))
        return z, y, x

    def add_to(self, full: Bools) -> None:
        """Mark its voxels in an array over the whole image."""
        full[self.box] |= self.inside

    def within(self, other: Mask) -> float:
        """Measure the share of its voxels that are the other's too; both are of one image."""
        mine, theirs = [], []
        for a, b, n, m in zip(self.corner, other.corner, self.inside.shape, other.inside.shape, strict=True):
            low, high = max(a, b), min(a + n, b + m)
            mine.append(slice(low - a, max(high - a, low - a)))
            theirs.append(slice(low - b, max(high - b, low - b)))
        both = self.inside[tuple(mine)] & other.inside[tuple(theirs)]
        return float(np.count_nonzero(both)) / max(self.count, 1)

    def voxels(self, image: Grid, grid: Grid) -> NDArray[np.int32]:
        """List the voxels of `grid` of which at least half is inside, as ascending flat indices."""
        if self.empty:
            return np.zeros(0, np.int32)
        if same(image, grid):
            return np.flatnonzero(self.full(grid.shape)).astype(np.int32)
        # One empty voxel around the box, so that the structure ends at its edge and is not continued beyond it.
        z, y, x = (o + s * (c - 1) for o, s, c in zip(image.origin, image.spacing, self.corner, strict=True))
        inside = np.pad(self.inside, 1)
        box = Grid((inside.shape[0], inside.shape[1], inside.shape[2]), image.spacing, (z, y, x))
        first, last = _box(box, grid)
        if any(a >= b for a, b in zip(first, last, strict=True)):
            return np.zeros(0, np.int32)
        window = Grid(
            tuple(b - a for a, b in zip(first, last, strict=True)),  # type: ignore[arg-type]
            grid.spacing,
            tuple(o + s * a for o, s, a in zip(grid.origin, grid.spacing, first, strict=True)),  # type: ignore[arg-type]
        )
        hit = resample(inside, box, window) >= 0.5 - 1e-6
        full = np.zeros(grid.shape, bool)
        full[first[0] : last[0], first[1] : last[1], first[2] : last[2]] = hit
        return np.flatnonzero(full).astype(np.int32)


def _box(inner: Grid, outer: Grid) -> tuple[list[int], list[int]]:
    """Find the first and one past the last voxel of `outer` that `inner` touches, along each axis."""
    first, last = [], []
    for axis in range(3):
        low = inner.origin[axis] - inner.spacing[axis] / 2 - outer.origin[axis]
        high = low + inner.shape[axis] * inner.spacing[axis]
        first.append(max(0, int(np.floor(low / outer.spacing[axis]))))
        last.append(min(outer.shape[axis], int(np.ceil(high / outer.spacing[axis])) + 1))
    return first, last


def resample(
    array: NDArray[np.generic], source: Grid, target: Grid, *, outside: float = 0.0, average: bool = True
) -> NDArray[np.float32]:
    """Resample an array onto another grid.

    Both grids are parallel to the axes, so that trilinear interpolation and averaging over voxels are the product of
    three one-dimensional ones.

    Args:
        array: (z, y, x) on `source`; may be boolean.
        outside: What stands where `source` has no voxel.
        average: Along an axis on which `target` is the coarser, average over the target's voxel instead of
            interpolating at its centre, so that nothing falls between.

    Returns:
        (z, y, x) on `target`, float32.
    """
    values = np.asarray(array, np.float32)
    if outside:
        values = values - np.float32(outside)
    for axis in range(3):
        matrix = _weights(source, target, axis, average)
        moved = np.moveaxis(values, axis, 0)
        mixed = matrix @ np.ascontiguousarray(moved).reshape(moved.shape[0], -1)
        values = np.moveaxis(mixed.reshape(-1, *moved.shape[1:]), 0, axis)
    return np.ascontiguousarray(values + np.float32(outside), np.float32)


def _weights(source: Grid, target: Grid, axis: int, average: bool) -> csr_array:
    """Weigh each voxel of the source for each of the target, along one axis; rows may sum to less than 1."""
    from scipy.sparse import csr_array

    n, step = source.shape[axis], source.spacing[axis]
    many, wide = target.shape[axis], target.spacing[axis]
    # Target's centres in voxels of the source. Rounded, so that grids that agree but for float noise agree exactly.
    centres = np.round((target.origin[axis] - source.origin[axis] + wide * np.arange(many)) / step, 6)
    if average and wide > step * (1 + 1e-6):
        half = wide / step / 2
        low, high = centres - half, centres + half
        first = np.floor(low + 0.5).astype(int)
        reach = int(np.ceil(2 * half)) + 1
        places = first[:, None] + np.arange(reach)
        shares = np.minimum(places + 0.5, high[:, None]) - np.maximum(places - 0.5, low[:, None])
        shares = np.maximum(shares, 0.0) / (2 * half)
    else:
        below = np.floor(centres).astype(int)
        places = below[:, None] + np.arange(2)
        part = centres - below
        shares = np.stack([1.0 - part, part], axis=1)
        # Up to half a voxel beyond the outermost centres is still the outermost voxel.
        near = (centres >= -0.5) & (centres <= n - 0.5)
        shares *= near[:, None]
        places = np.clip(places, 0, n - 1)
    good = (places >= 0) & (places < n) & (shares > 0)
    rows = np.broadcast_to(np.arange(many)[:, None], places.shape)[good]
    return csr_array((shares[good].astype(np.float32), (rows, places[good])), shape=(many, n))


def same(a: Grid, b: Grid) -> bool:
    """Tell whether two grids have the same voxels, within a thousandth of one."""
    return a.shape == b.shape and all(
        abs(o - p) <= 1e-3 * s and abs(s - t) * n <= 1e-3 * s
        for o, p, s, t, n in zip(a.origin, b.origin, a.spacing, b.spacing, a.shape, strict=True)
    )
