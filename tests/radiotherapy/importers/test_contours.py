"""Contours to voxels: against scikit-image, against areas known by formula, with holes, gaps and other grids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgsci_radiotherapy.case import Grid
from tgsci_radiotherapy.importers.contours import group, rasterize
from tgsci_radiotherapy.importers.masks import Mask, resample

GRID = Grid((20, 50, 60), (2.0, 1.0, 1.5), (-10.0, -25.0, -45.0))


def circle(radius: float, x: float = 0.0, y: float = 0.0, corners: int = 120) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def tube(polygons, z=None):
    return {float(k): polygons for k in (GRID.axes()[0] if z is None else z)}


def test_a_hole_and_a_keyhole_are_the_same():
    hole = rasterize(tube([circle(20), circle(9)]), GRID).mask
    outer, inner = circle(20), circle(9)[::-1]
    inner = np.roll(inner, 1, axis=0)  # begins at angle 0, as the outer does
    keyhole = np.concatenate([outer, outer[:1], inner, inner[:1]])
    found = rasterize(tube([keyhole]), GRID)
    channel, volume = found.mask, found.volume_cc
    assert np.array_equal(hole.full(GRID.shape), channel.full(GRID.shape))
    assert volume == pytest.approx(np.pi * (20**2 - 9**2) * 40 / 1000, rel=2e-3)
    assert not hole.full(GRID.shape)[5, 25, 30]


def test_an_island_in_a_hole():
    found = rasterize(tube([circle(20), circle(12), circle(5)]), GRID)
    mask, volume = found.mask, found.volume_cc
    assert mask.full(GRID.shape)[5, 25, 30]
    assert volume == pytest.approx(np.pi * (20**2 - 12**2 + 5**2) * 40 / 1000, rel=2e-3)
    assert mask.count * GRID.voxel_cc == pytest.approx(volume, rel=0.01)


def test_every_other_slice_is_interpolated_by_shape():
    z = GRID.axes()[0]
    cone = {float(h): [circle(20 - 0.5 * k)] for k, h in enumerate(z[:19])}
    found = rasterize(cone, GRID)
    whole, volume = found.mask, found.volume_cc
    found = rasterize({h: cone[h] for h in list(cone)[::2]}, GRID)
    half, sparse, gaps = found.mask, found.volume_cc, found.gaps
    assert gaps == 0
    assert sparse == pytest.approx(volume, rel=0.02)
    there = half.full(GRID.shape) ^ whole.full(GRID.shape)
    assert there.sum() < 0.03 * whole.count


def test_parts_far_apart_stay_apart():
    z = GRID.axes()[0]
    found = rasterize(tube([circle(10)], [*z[2:6], *z[12:16]]), GRID)
    mask, volume, gaps = found.mask, found.volume_cc, found.gaps
    assert gaps == 1
    filled = mask.full(GRID.shape).any(axis=(1, 2))
    assert list(np.flatnonzero(filled)) == [2, 3, 4, 5, 12, 13, 14, 15]
    assert volume == pytest.approx(np.pi * 100 * 8 * 2 / 1000, rel=2e-3)


def test_planes_between_the_slices():
    # 1 mm planes on 2 mm slices, and planes half a slice off: the structure is as thick as it was drawn.
    z = np.arange(-6.5, 5.5, 1.0)
    found = rasterize(tube([circle(10)], z), GRID)
    mask, volume = found.mask, found.volume_cc
    filled = GRID.axes()[0][mask.full(GRID.shape).any(axis=(1, 2))]
    assert (filled.min(), filled.max()) == (-6.0, 4.0)
    assert volume == pytest.approx(np.pi * 100 * 12 / 1000, rel=2e-3)


def test_one_plane_is_one_slice_thick():
    found = rasterize(tube([circle(10)], [0.0]), GRID)
    mask, volume = found.mask, found.volume_cc
    assert mask.inside.shape[0] == 1
    assert volume == pytest.approx(np.pi * 100 * 2 / 1000, rel=2e-3)
    found = rasterize(tube([circle(10)], [0.9]), GRID)
    mask = found.mask
    assert mask.corner[0] == 5


def test_what_lies_beside_the_image_has_no_voxels():
    for z, x in (([100.0], 0.0), ([0.0], 500.0)):
        found = rasterize(tube([circle(10, x)], z), GRID)
        assert found.mask.empty
        assert found.volume_cc > 0


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


@pytest.mark.parametrize("jitter", [0.2, -0.4])
def test_holes_some_tenths_off_their_plane_are_holes(jitter):
    z = GRID.axes()[0]
    contours = [(float(h), circle(20)) for h in z] + [(float(h) + jitter, circle(9)) for h in z]
    planes = group(contours, z)
    assert list(planes) == pytest.approx(list(z))
    found = rasterize(planes, GRID)
    exact = rasterize(tube([circle(20), circle(9)]), GRID)
    assert np.array_equal(found.mask.full(GRID.shape), exact.mask.full(GRID.shape))
    assert found.volume_cc == pytest.approx(exact.volume_cc)


def test_tenths_of_a_mm_are_one_plane_where_slices_lie_close():
    z = 0.625 * np.arange(20)
    contours = [(h, circle(20)) for h in z] + [(h + 0.2, circle(9)) for h in z]
    planes = group(contours, z)
    assert list(planes) == pytest.approx(list(z))
    assert {len(polygons) for polygons in planes.values()} == {2}


def test_planes_closer_than_slices_stay_planes():
    z = np.arange(-6.0, 6.0, 0.4)
    planes = group([(float(h), circle(10 - abs(h))) for h in z], GRID.axes()[0])
    assert len(planes) == len(z)
    assert group([], GRID.axes()[0]) == {}


def test_slices_at_uneven_distances_leave_no_gap():
    # Slices 3 mm apart, then 6 mm: the structure was drawn on each, and runs through.
    slices = np.concatenate([-20.0 + 3 * np.arange(6), -5.0 + 6 * np.arange(1, 5)])
    grid = Grid((14, 50, 60), (3.0, 1.0, 1.5), (-20.0, -25.0, -45.0))
    found = rasterize({float(h): [circle(10)] for h in slices[1:-1]}, grid, slices)
    assert found.gaps == 0
    # Half a slice on both ends: from -18.5 to 16 mm.
    assert found.volume_cc == pytest.approx(np.pi * 100 * 34.5 / 1000, rel=2e-3)
    there = grid.axes()[0][found.mask.full(grid.shape).any(axis=(1, 2))]
    assert (there.min(), there.max()) == (-17.0, 13.0)


def test_a_contour_that_is_drawn_twice_counts_once():
    once = rasterize(tube([circle(12)]), GRID)
    twice = rasterize(tube([circle(12), circle(12) + 0.01, circle(12)[::-1]]), GRID)
    assert np.array_equal(once.mask.full(GRID.shape), twice.mask.full(GRID.shape))
    assert twice.volume_cc == pytest.approx(once.volume_cc, rel=2e-3)
    assert (once.doubled, twice.doubled) == (0, 2 * GRID.shape[0])


def test_a_hole_that_leaves_hardly_a_rim_is_counted():
    drawn = {radius: rasterize(tube([circle(12), circle(radius)]), GRID) for radius in (6.0, 10.0, 11.3)}
    assert [one.rims for one in drawn.values()] == [0, 0, GRID.shape[0]]
    assert drawn[11.3].volume_cc == pytest.approx(np.pi * (12**2 - 11.3**2) * 0.04, rel=2e-2)
