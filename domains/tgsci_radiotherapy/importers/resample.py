"""Images, masks and doses from one regular grid to another, axis by axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..case.model import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array


def resample(
    array: NDArray[np.generic], source: Grid, target: Grid, *, outside: float = 0.0, average: bool = True
) -> NDArray[np.float32]:
    """An array on another grid.

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
    """How much each voxel of the source counts for each of the target, along one axis; rows may sum to less than 1."""
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
    """Whether two grids have the same voxels, within a thousandth of one."""
    return a.shape == b.shape and all(
        abs(o - p) <= 1e-3 * s and abs(s - t) * n <= 1e-3 * s
        for o, p, s, t, n in zip(a.origin, b.origin, a.spacing, b.spacing, a.shape, strict=True)
    )
