"""The body found in a CT, at any voxel size: with airways and thin tissue, without couch and mask."""

from __future__ import annotations

import numpy as np
import pytest

from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Grid
from tgsci_radiotherapy.importers.body import body_of

RADIUS = 60.0


def neck(pixel: float, *, airway: bool = True, slices: int = 6):
    """A cylinder of water with an airway of 24 mm, 6 mm below the skin; y runs to the back."""
    n = int(240 / pixel)
    grid = Grid((slices, n, n), (3.0, pixel, pixel), (0.0, -pixel * (n - 1) / 2, -pixel * (n - 1) / 2))
    _, y, x = np.meshgrid(*grid.axes(), indexing="ij")
    body = np.hypot(x, y) <= RADIUS
    air = np.hypot(x, y + 42) <= 12
    hu = np.where(body & ~(air if airway else False), 0, -1000).astype(np.int16)
    return hu, grid, body, x, y


def found(hu, grid):
    return body_of(hu, grid).full(grid.shape)


@pytest.mark.parametrize("pixel", [1.0, 2.0, 3.0, 4.0, 5.0])
def test_an_airway_below_the_skin_is_in_the_body(pixel):
    hu, grid, body, *_ = neck(pixel)
    assert np.array_equal(found(hu, grid), body)


@pytest.mark.parametrize("pixel", [1.0, 2.5, 4.0])
@pytest.mark.parametrize(
    "couch",
    [
        lambda x, y: (y > 60) & (y <= 75),
        lambda x, y: (y > 60) & (y <= 64),
        lambda x, y: ((y > 60) & (y <= 64)) | ((y > 84) & (y <= 88)),
        lambda x, y: (y > 70) & (y <= 100),
    ],
    ids=["board", "cover", "foam between shells", "below the patient"],
)
def test_a_couch_is_no_body(pixel, couch):
    hu, grid, body, x, y = neck(pixel)
    inside = found(np.where(couch(x, y) & ~body, 0, hu), grid)
    assert (body & ~inside).sum() <= 0.002 * body.sum()
    assert (inside & ~body).sum() <= 0.01 * body.sum()


def test_a_mask_is_no_body():
    hu, grid, body, x, y = neck(1.0)
    mask = (np.hypot(x, y) > 66) & (np.hypot(x, y) <= 68.5) & (y < 40)
    assert np.array_equal(found(np.where(mask, -50, hu), grid), body)


def test_an_ear_is_body():
    hu, grid, _, x, y = neck(1.0)
    ear = (x > 55) & (x <= 85) & (abs(y - 0.3 * x) <= 2)
    assert found(np.where(ear, 0, hu), grid)[ear].mean() > 0.99


def test_both_legs_are_body():
    _, grid, _, x, y = neck(2.0)
    legs = (np.hypot(x - 60, y) <= 50) | (np.hypot(x + 60, y) <= 45)
    assert np.array_equal(found(np.where(legs, 0, -1000).astype(np.int16), grid), legs)


def test_arms_at_one_height_are_no_couch():
    _, grid, _, x, y = neck(2.0)
    body = ((x / 55) ** 2 + (y / 70) ** 2 <= 1) | (np.hypot(abs(x) - 80, y - 40) <= 27)
    assert np.array_equal(found(np.where(body, 0, -1000).astype(np.int16), grid), body)


def test_lungs_are_filled_and_a_box_of_water_is_a_body():
    hu, grid, body, x, y = neck(2.0, airway=False)
    assert np.array_equal(found(np.where(np.hypot(x, y) < 40, -800, hu).astype(np.int16), grid), body)
    slab = (abs(x) <= 90) & (abs(y) <= 20)
    assert np.array_equal(found(np.where(slab, 0, -1000).astype(np.int16), grid), slab)


def test_nothing_but_air():
    hu, grid, *_ = neck(4.0)
    with pytest.raises(UsageError, match="holds no tissue"):
        body_of(np.full_like(hu, -1000), grid)
