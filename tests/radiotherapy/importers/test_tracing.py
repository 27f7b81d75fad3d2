"""Masks to contours and back: the same pixels and the same area, for this reader and for others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path

from tgsci_radiotherapy.importers.outlines import Outlines
from tgsci_radiotherapy.importers.tracing import trace


def filled(polygons, shape):
    return Outlines([p[:, ::-1] for p in polygons]).fill((0.0, 0.0), (1.0, 1.0), shape)


def by_parity(polygons, shape):
    """Exclusive or over all contours, point by point: how many programs read holes, keyholes and islands."""
    centres = np.stack(np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij"), axis=-1).reshape(-1, 2)
    inside = np.zeros(len(centres), int)
    for polygon in polygons:
        closed = np.concatenate([polygon, polygon[:1]])
        a, b = closed[:-1], closed[1:]
        over = (a[:, None, 0] > centres[:, 0]) != (b[:, None, 0] > centres[:, 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            x = a[:, None, 1] + (centres[:, 0] - a[:, None, 0]) * (b - a)[:, None, 1] / (b - a)[:, None, 0]
        inside += (over & (x > centres[:, 1])).sum(axis=0)
    return (inside % 2 == 1).reshape(shape)


@pytest.mark.slow
@given(st.integers(0, 10**6), st.floats(0.15, 0.85), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_any_mask_comes_back(seed, share, side):
    rng = np.random.default_rng(seed)
    mask = rng.random((side, 13)) < share
    polygons = trace(mask)
    assert np.array_equal(filled(polygons, mask.shape), mask)
    assert np.array_equal(by_parity(polygons, mask.shape), mask)
    assert Outlines([p[:, ::-1] for p in polygons]).area == pytest.approx(mask.sum(), abs=1e-6 + 0.02 * mask.size)


def test_a_ring_with_an_island_and_pixels_that_touch_at_corners():
    y, x = np.meshgrid(np.arange(41) - 20, np.arange(41) - 20, indexing="ij")
    radius = np.hypot(x, y)
    mask = ((radius <= 18) & (radius > 9)) | (radius <= 4)
    mask[0, 0] = mask[1, 1] = True
    polygons = trace(mask)
    assert len(polygons) == 4
    assert np.array_equal(filled(polygons, mask.shape), mask)
    ring = max(polygons, key=len)
    assert not Path(ring).contains_point((20, 20))
    assert Path(ring).contains_point((20, 6))


def test_only_corners_where_the_line_turns():
    mask = np.zeros((9, 9), bool)
    mask[2:7, 3:8] = True
    (square,) = trace(mask)
    assert sorted(map(tuple, square.tolist())) == [(1.5, 2.5), (1.5, 7.5), (6.5, 2.5), (6.5, 7.5)]
    assert trace(np.zeros((4, 4), bool)) == []
