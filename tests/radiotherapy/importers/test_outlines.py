"""What the contours of a plane enclose: against scikit-image, areas by formula, and the rule point by point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask
from skimage.measure import points_in_poly

from tgsci_radiotherapy.importers.outlines import Outlines, loops_of, winding


def circle(radius: float, x: float = 0.0, y: float = 0.0, corners: int = 120) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def square(low: float, high: float) -> np.ndarray:
    return np.array([[low, low], [high, low], [high, high], [low, high]])


def fill(contours, shape=(60, 60), step=1.0, start=-29.5, xor=False):
    return Outlines(contours, xor=xor).fill((start, start), (step, step), shape)


def discs(*wanted, shape=(60, 60), start=-29.5):
    y, x = np.meshgrid(start + np.arange(shape[0]), start + np.arange(shape[1]), indexing="ij")
    return [np.hypot(x - cx, y - cy) <= radius for radius, cx, cy in wanted]


corner = st.tuples(st.floats(-3, 23, allow_subnormal=False), st.floats(-3, 23, allow_subnormal=False))


@pytest.mark.slow
@given(st.lists(corner, min_size=3, max_size=12))
@settings(max_examples=150, deadline=None)
def test_the_parity_of_windings_is_point_in_polygon_at_every_centre(corners):
    polygon = np.array(corners)
    shape = (20, 21)
    found = winding(polygon, shape) % 2 == 1
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


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_neighbours_share_no_voxel_and_leave_none_out(seed):
    # A square cut in two by a jagged line: the parts are the whole, once.
    rng = np.random.default_rng(seed)
    line = np.stack([rng.integers(4, 12, 6) + rng.choice([0.0, 0.5], 6), np.linspace(0, 15, 6)], axis=1)
    left = np.concatenate([[[0.0, 0.0]], line, [[0.0, 15.0]]])
    right = np.concatenate([[[15.0, 0.0]], line, [[15.0, 15.0]]])
    parts = abs(winding(left, (16, 16))) + abs(winding(right, (16, 16)))
    assert np.array_equal(parts, abs(winding(square(0.0, 15.0), (16, 16))))


def test_one_outline_agrees_with_a_kept_library():
    polygon = circle(7.3, 9.9, 10.2)
    assert np.array_equal(winding(polygon, (20, 20)) != 0, polygon2mask((20, 20), polygon))


def test_an_outline_of_a_light_year_costs_nothing():
    far = square(-1e16, 1e16)
    assert (winding(far, (30, 30)) != 0).all()
    assert not (winding(far + 3e16, (30, 30)) != 0).any()


def test_crossing_contours_are_united():
    a, b = discs((15, -8, 0), (15, 8, 0))
    plane = Outlines([circle(15, -8), circle(15, 8)])
    assert (fill(plane.contours) != (a | b)).mean() < 0.003
    lens = 2 * 225 * np.arccos(8 / 15) - 8 * np.sqrt(4 * 225 - 256)
    assert plane.area == pytest.approx(2 * np.pi * 225 - lens, rel=5e-3)


def test_a_hole_in_what_two_contours_share_is_a_hole():
    a, b, hole = discs((15, -6, 0), (15, 6, 0), (4, 0, 0))
    assert (fill([circle(15, -6), circle(15, 6), circle(4)]) != ((a | b) & ~hole)).mean() < 0.003
    # One that lies in the first alone ends where the second begins.
    a, b, hole = discs((15, -6, 0), (15, 9, 0), (5, -6, 0))
    assert (fill([circle(15, -6), circle(15, 9), circle(5, -6)]) != ((a & ~hole) | b)).mean() < 0.003


def test_nested_contours_alternate():
    plane = Outlines([circle(5), circle(20), circle(12)])
    big, hole, island = discs((20, 0, 0), (12, 0, 0), (5, 0, 0))
    assert (fill(plane.contours) != ((big & ~hole) | island)).mean() < 0.004
    assert plane.area == pytest.approx(np.pi * (400 - 144 + 25), rel=2e-3)


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("backwards", [False, True])
def test_what_is_drawn_twice_counts_once(shift, backwards):
    again = circle(20, shift) if not backwards else circle(20, shift)[::-1]
    for contours, wanted in (([circle(20), again], 400), ([circle(28), circle(20), again], 784 - 400)):
        plane = Outlines(contours)
        assert plane.doubled == 1
        assert plane.area == pytest.approx(np.pi * wanted, rel=2e-2)
        assert fill(contours).sum() == pytest.approx(np.pi * wanted, rel=2e-2)


def test_a_thin_wall_is_a_wall():
    plane = Outlines([circle(80), circle(79)])
    assert (plane.doubled, plane.area) == (0, pytest.approx(np.pi * (80**2 - 79**2), rel=1e-2))


def test_a_hole_that_touches_or_pokes_through_by_a_hair_is_a_hole():
    for x in (10.0, 10.1):
        assert Outlines([circle(20), circle(10, x)]).area == pytest.approx(np.pi * 300, rel=5e-3)


@pytest.mark.parametrize("reverse", [True, False])
def test_keyholes_whichever_way_they_run(reverse):
    outer, inner = circle(20), circle(9)
    inner = np.roll(inner[::-1], 1, axis=0) if reverse else inner
    keyhole = np.concatenate([outer, outer[:1], inner, inner[:1]])
    assert len(loops_of(keyhole)) == 2
    plane = Outlines([keyhole])
    assert plane.area == pytest.approx(np.pi * (400 - 81), rel=2e-3)
    assert np.array_equal(fill([keyhole]), fill([circle(20), circle(9)]))


def test_two_keyholes_in_one_contour():
    outer = circle(25)
    holes = [np.roll(circle(6, x)[::-1], 1, axis=0) for x in (12, -12)]
    joined = np.concatenate([outer[:1], holes[0], holes[0][:1], outer[:61], holes[1], holes[1][:1], outer[60:]])
    assert Outlines([joined]).area == pytest.approx(np.pi * (625 - 72), rel=3e-3)


def test_a_line_that_crosses_itself_loses_nothing():
    # A pen that goes round and over its own beginning again.
    angle = np.linspace(0, 2 * np.pi * 1.15, 150)
    radius = np.linspace(20, 18, 150)
    curl = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    inside = fill([curl])
    assert inside[30, 30]
    assert Outlines([curl]).area == pytest.approx(inside.sum(), rel=0.02)
    eight = np.array([[-10, -10], [10, 10], [10, -10], [-10, 10]], float)
    assert Outlines([eight]).area == pytest.approx(200, rel=0.02)


def test_a_file_may_ask_for_exclusive_or():
    assert Outlines([circle(15, -8), circle(15, 8)], xor=True).area == pytest.approx(
        2 * np.pi * 225 - 2 * (2 * 225 * np.arccos(8 / 15) - 8 * np.sqrt(4 * 225 - 256)), rel=0.01
    )
    assert not fill([circle(15), circle(15)], xor=True).any()


def test_lines_and_points_enclose_nothing():
    for flat in ([[0, 0], [5, 5], [9, 9]], [[1, 1], [1, 1], [1, 1]], [[0, 0], [5, 0], [0, 0], [5, 0]]):
        plane = Outlines([np.array(flat, float)])
        assert plane.area == 0.0
        assert not fill(plane.contours).any()


place = st.tuples(st.floats(2, 14), st.floats(-14, 14), st.floats(-14, 14))


@pytest.mark.slow
@given(st.lists(place, min_size=1, max_size=5), st.randoms())
@settings(max_examples=120, deadline=None)
def test_any_circles_are_what_the_rule_says(wanted, random):
    """In a circle within n others that hold it is a hole for odd n, a part for even n; what crosses is united."""
    clear = []
    for a in wanted:
        # Which side a circle falls on that nearly touches another, or nearly is it, is a matter of tolerance.
        gaps = [np.hypot(a[1] - b[1], a[2] - b[2]) - abs(a[0] - b[0]) for b in clear]
        if all(abs(gap) > 0.8 for gap in gaps):
            clear.append(a)
    clear.sort(reverse=True)
    depth = []
    for n, (r, x, y) in enumerate(clear):
        held = [m for m in range(n) if np.hypot(x - clear[m][1], y - clear[m][2]) < clear[m][0] - r]
        depth.append(1 + max((depth[m] for m in held), default=-1))
    masks = discs(*clear)
    total = np.zeros((60, 60), bool)
    for n, one in enumerate(clear):
        if depth[n] % 2:
            continue
        part = masks[n].copy()
        for m, other in enumerate(clear):
            inside = np.hypot(one[1] - other[1], one[2] - other[2]) < one[0] - other[0]
            if depth[m] == depth[n] + 1 and inside:
                part &= ~masks[m]
        total |= part
    contours = [circle(*one, corners=360)[:: random.choice([1, -1])] for one in clear]
    random.shuffle(contours)
    rim = np.zeros((60, 60), bool)
    y, x = np.meshgrid(-29.5 + np.arange(60), -29.5 + np.arange(60), indexing="ij")
    for r, cx, cy in clear:
        rim |= abs(np.hypot(x - cx, y - cy) - r) < 0.05
    assert not ((fill(contours) != total) & ~rim).any()
    assert Outlines(contours).area == pytest.approx(total.sum(), abs=0.5 * sum(r for r, *_ in clear) + 10)
