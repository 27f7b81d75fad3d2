"""Planes of images with outlines: what is drawn lies where it is in the patient."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from tgsci_radiotherapy.case.model import Grid
from tgsci_radiotherapy.views.slices import VIEWS, View, draw_image, draw_outline, frame, plane

GRID = Grid((5, 6, 8), (3.0, 2.0, 1.0), (-6.0, 10.0, -4.0))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_plane_is_the_nearest_one_the_right_way_up(view: View) -> None:
    cube = np.random.default_rng(1).random(GRID.shape)
    axis = GRID.axes()[view.cut]
    taken, (left, right, bottom, top) = plane(cube, GRID, view, float(axis[2]) + 0.3)
    wanted = np.take(cube, 2, axis=view.cut)
    assert np.array_equal(taken, wanted[::-1] if view.flip else wanted)
    across, down = GRID.axes()[view.across], GRID.axes()[view.down]
    assert (left, right) == (across[0] - GRID.spacing[view.across] / 2, across[-1] + GRID.spacing[view.across] / 2)
    assert (top > bottom) == view.flip  # the head is up, and of an axial slice the front
    assert abs(top - bottom) == pytest.approx(GRID.spacing[view.down] * len(down))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_an_outline_runs_around_its_structure_and_closes_at_the_edge(view: View) -> None:
    mask = np.zeros(GRID.shape, bool)
    mask[1:4, 2:5, 0:3] = True  # touches the edge along x
    ax = Figure().add_subplot()
    at = float(GRID.axes()[view.cut][2])
    assert draw_outline(ax, mask, GRID, view, at, "#d55e00")
    (path,) = (p for c in ax.collections for p in c.get_paths() if len(p.vertices))
    for i, axis in enumerate((view.across, view.down)):
        inside = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        ends = GRID.axes()[axis][[inside[0], inside[-1]]]
        half = GRID.spacing[axis] / 2
        assert path.vertices[:, i].min() == pytest.approx(ends[0] - half)
        assert path.vertices[:, i].max() == pytest.approx(ends[1] + half)


def test_a_structure_that_the_plane_does_not_meet_is_not_drawn() -> None:
    ax = Figure().add_subplot()
    mask = np.zeros(GRID.shape, bool)
    mask[0] = True
    assert not draw_outline(ax, mask, GRID, VIEWS[0], float(GRID.axes()[0][4]), "#d55e00")
    assert not ax.collections


def test_sides_are_lettered_and_the_place_is_said() -> None:
    ax = Figure().add_subplot()
    draw_image(ax, np.zeros(GRID.shape, np.int16), GRID, VIEWS[2], 0.0)
    frame(ax, GRID, VIEWS[2], 0.0)
    assert [text.get_text() for text in ax.texts] == ["A", "P", "H", "F"]
    assert ax.get_title(loc="left") == "sagittal, x = 0.0 mm"
    assert ax.get_ylim() == (-7.5, 7.5)
    frame(ax, GRID, VIEWS[0], 0.0, "before", window=((0.0, 1.0), (12.0, 16.0), (-2.0, 1.0)))
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2.0, 1.0), (16.0, 12.0))
    assert ax.get_title(loc="left") == "before"
