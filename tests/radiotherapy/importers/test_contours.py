"""Contours to voxels: against scikit-image, against areas known by formula, with holes, gaps and other grids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask
from skimage.measure import points_in_poly

from tgsci_radiotherapy.case import Grid
from tgsci_radiotherapy.importers.contours import fill, rasterize
from tgsci_radiotherapy.importers.masks import Mask, resample

GRID = Grid((20, 50, 60), (2.0, 1.0, 1.5), (-10.0, -25.0, -45.0))


def circle(radius: float, x: float = 0.0, y: float = 0.0, corners: int = 120) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def square(low: float, high: float) -> np.ndarray:
    return np.array([[low, low], [high, low], [high, high], [low, high]])


corner = st.tuples(st.floats(-3, 23, allow_subnormal=False), st.floats(-3, 23, allow_subnormal=False))


@pytest.mark.slow
@given(st.lists(corner, min_size=3, max_size=12))
@settings(max_examples=150, deadline=None)
def test_fill_is_point_in_polygon_at_every_centre(corners):
    polygon = np.array(corners)
    shape = (20, 21)
    found = fill([polygon], shape)
    centres = np.stack(np.meshgrid(np.arange(20), np.arange(21), indexing="ij"), axis=-1).reshape(-1, 2)
    wanted = points_in_poly(centres, polygon).reshape(shape)
    for row, column in np.argwhere(found != wanted):
        assert _on_edge(np.array([row, column]), polygon)  # which side an edge belongs to is a matter of taste


def _on_edge(point, polygon, tolerance=1e-9):
    a, b = polygon, np.roll(polygon, -1, axis=0)
    along = b - a
    length = (along**2).sum(axis=1)
    t = np.clip(((point - a) * along).sum(axis=1) / np.where(length > 0, length, 1), 0, 1)
    return (np.hypot(*(a + t[:, None] * along - point).T) <= tolerance).any()


@given(st.lists(corner, min_size=3, max_size=9), st.lists(corner, min_size=3, max_size=9))
@settings(max_examples=60, deadline=None)
def test_two_contours_are_their_exclusive_or(first, second):
    one, two = np.array(first), np.array(second)
    both = fill([one, two], (20, 21))
    assert np.array_equal(both, fill([one], (20, 21)) ^ fill([two], (20, 21)))


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_neighbours_share_no_voxel_and_leave_none_out(seed):
    # A square cut in two by a jagged line: the parts are the whole, once.
    rng = np.random.default_rng(seed)
    line = np.stack([rng.integers(4, 12, 6) + rng.choice([0.0, 0.5], 6), np.linspace(0, 15, 6)], axis=1)
    left = np.concatenate([[[0.0, 0.0]], line, [[0.0, 15.0]]])
    right = np.concatenate([[[15.0, 0.0]], line, [[15.0, 15.0]]])
    parts = fill([left], (16, 16)).astype(int) + fill([right], (16, 16))
    assert np.array_equal(parts, fill([square(0.0, 15.0)], (16, 16)).astype(int))


def test_fill_agrees_with_a_kept_library():
    polygon = circle(7.3, 9.9, 10.2)
    assert np.array_equal(fill([polygon], (20, 20)), polygon2mask((20, 20), polygon))


def test_an_outline_of_a_light_year_costs_nothing():
    far = square(-1e16, 1e16)
    assert fill([far], (30, 30)).all()
    assert not fill([far + 3e16], (30, 30)).any()


def tube(polygons, z=None):
    return {float(k): polygons for k in (GRID.axes()[0] if z is None else z)}


def test_a_hole_and_a_keyhole_are_the_same():
    hole, _, _ = rasterize(tube([circle(20), circle(9)]), GRID)
    outer, inner = circle(20), circle(9)[::-1]
    inner = np.roll(inner, 1, axis=0)  # begins at angle 0, as the outer does
    keyhole = np.concatenate([outer, outer[:1], inner, inner[:1]])
    channel, volume, _ = rasterize(tube([keyhole]), GRID)
    assert np.array_equal(hole.full(GRID.shape), channel.full(GRID.shape))
    assert volume == pytest.approx(np.pi * (20**2 - 9**2) * 40 / 1000, rel=2e-3)
    assert not hole.full(GRID.shape)[5, 25, 30]


def test_an_island_in_a_hole():
    mask, volume, _ = rasterize(tube([circle(20), circle(12), circle(5)]), GRID)
    assert mask.full(GRID.shape)[5, 25, 30]
    assert volume == pytest.approx(np.pi * (20**2 - 12**2 + 5**2) * 40 / 1000, rel=2e-3)
    assert mask.count * GRID.voxel_cc == pytest.approx(volume, rel=0.01)


def test_every_other_slice_is_interpolated_by_shape():
    z = GRID.axes()[0]
    cone = {float(h): [circle(20 - 0.5 * k)] for k, h in enumerate(z[:19])}
    whole, volume, _ = rasterize(cone, GRID)
    half, sparse, gaps = rasterize({h: cone[h] for h in list(cone)[::2]}, GRID)
    assert gaps == 0
    assert sparse == pytest.approx(volume, rel=0.02)
    there = half.full(GRID.shape) ^ whole.full(GRID.shape)
    assert there.sum() < 0.03 * whole.count


def test_parts_far_apart_stay_apart():
    z = GRID.axes()[0]
    mask, volume, gaps = rasterize(tube([circle(10)], [*z[2:6], *z[12:16]]), GRID)
    assert gaps == 1
    filled = mask.full(GRID.shape).any(axis=(1, 2))
    assert list(np.flatnonzero(filled)) == [2, 3, 4, 5, 12, 13, 14, 15]
    assert volume == pytest.approx(np.pi * 100 * 8 * 2 / 1000, rel=2e-3)


def test_planes_between_the_slices():
    # 1 mm planes on 2 mm slices, and planes half a slice off: the structure is as thick as it was drawn.
    z = np.arange(-6.5, 5.5, 1.0)
    mask, volume, _ = rasterize(tube([circle(10)], z), GRID)
    filled = GRID.axes()[0][mask.full(GRID.shape).any(axis=(1, 2))]
    assert (filled.min(), filled.max()) == (-6.0, 4.0)
    assert volume == pytest.approx(np.pi * 100 * 12 / 1000, rel=2e-3)


def test_one_plane_is_one_slice_thick():
    mask, volume, _ = rasterize(tube([circle(10)], [0.0]), GRID)
    assert mask.inside.shape[0] == 1
    assert volume == pytest.approx(np.pi * 100 * 2 / 1000, rel=2e-3)
    mask, _, _ = rasterize(tube([circle(10)], [0.9]), GRID)
    assert mask.corner[0] == 5


def test_what_lies_beside_the_image_has_no_voxels():
    for z, x in (([100.0], 0.0), ([0.0], 500.0)):
        mask, volume, _ = rasterize(tube([circle(10, x)], z), GRID)
        assert mask.empty
        assert volume > 0


@given(st.floats(1.0, 6.0), st.floats(-1.0, 1.0))
@settings(max_examples=25, deadline=None)
def test_volume_survives_another_grid(step, shift):
    ball = np.stack(np.meshgrid(*GRID.axes(), indexing="ij"))
    inside = (ball[0] / 15) ** 2 + (ball[1] / 18) ** 2 + (ball[2] / 25) ** 2 <= 1
    mask = Mask.of(inside)
    shape = tuple(int(n * s / step) + 3 for n, s in zip(GRID.shape, GRID.spacing, strict=True))
    other = Grid(shape, (step,) * 3, tuple(o - step + shift for o in GRID.origin))
    voxels = mask.voxels(GRID, other)
    assert (np.diff(voxels) > 0).all()
    assert len(voxels) * other.voxel_cc == pytest.approx(mask.count * GRID.voxel_cc, rel=0.07)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.floats(0.4, 4.0))
@settings(max_examples=30, deadline=None)
def test_resampling_a_linear_image_is_exact(a, b, c, step):
    z, y, x = np.meshgrid(*GRID.axes(), indexing="ij")
    other = Grid((4, 5, 6), (step,) * 3, (-2.0, -10.0, -15.0))
    w, v, u = np.meshgrid(*other.axes(), indexing="ij")
    wanted = a * w + b * v + c * u + 7
    found = resample(a * z + b * y + c * x + 7, GRID, other, average=False)
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    # Averaged, a voxel of the source counts as a whole one: off by less than a quarter of it.
    averaged = resample(a * z + b * y + c * x + 7, GRID, other)
    np.testing.assert_allclose(averaged, wanted, atol=2e-3 + 0.25 * (2 * abs(a) + abs(b) + 1.5 * abs(c)))


def test_resampling_onto_the_same_grid_changes_nothing_and_beyond_it_is_outside():
    rng = np.random.default_rng(0)
    image = rng.normal(size=GRID.shape).astype(np.float32)
    assert np.array_equal(resample(image, GRID, GRID), image)
    far = Grid((2, 2, 2), (2.0, 1.0, 1.5), (1000.0, 0.0, 0.0))
    assert (resample(image, GRID, far, outside=-1000.0) == -1000).all()
