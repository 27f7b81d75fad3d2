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


def chest(pixel: float):
    """An ellipse of water, 220 x 154 mm, in a wide image."""
    nx, ny = int(460 / pixel), int(300 / pixel)
    grid = Grid((3, ny, nx), (pixel, pixel, pixel), (0.0, -pixel * (ny - 1) / 2, -pixel * (nx - 1) / 2))
    _, y, x = np.meshgrid(*grid.axes(), indexing="ij")
    return np.hypot(x, y / 0.7) <= 110, grid, x, y


@pytest.mark.parametrize("pixel", [2.5, 5.0])
@pytest.mark.parametrize("height", [0, 60])
def test_the_wings_of_a_mask_do_not_take_the_patient_along(pixel, height):
    body, grid, x, y = chest(pixel)
    wings = (abs(x) > 105) & (abs(x) < 180) & (abs(y - height) < 3)
    inside = found(np.where(body | wings, 0, -1000).astype(np.int16), grid)
    assert (body & ~inside).sum() <= 0.002 * body.sum()


@pytest.mark.parametrize("pixel", [2.5, 5.0])
@pytest.mark.parametrize(
    "more",
    [
        lambda x, y: (abs(x) > 115) & (abs(x) < 200) & (y > 60) & (y < 68),
        lambda x, y: (abs(x) < 170) & (abs(y - 55) < 22),
        lambda x, y: np.hypot(abs(x) - 150, y - 42) <= 30,
    ],
    ids=["pads", "shoulders", "arms"],
)
def test_what_lies_low_beside_a_patient_is_no_couch_below(pixel, more):
    body, grid, x, y = chest(pixel)
    inside = found(np.where(body | more(x, y), 0, -1000).astype(np.int16), grid)
    assert (body & ~inside).sum() <= 0.002 * body.sum()


@pytest.mark.parametrize("pixel", [2.5, 5.0])
@pytest.mark.parametrize("hollow", ["lungs", "a box of gas"])
def test_the_wall_behind_a_hollow_is_no_couch(pixel, hollow):
    body, grid, x, y = chest(pixel)
    lungs, gas = np.hypot((abs(x) - 50) / 0.8, y) <= 40, (abs(x) < 60) & (y > 0) & (y < 50)
    couch = (abs(x) < 200) & (((y > 77) & (y <= 81)) | ((y > 105) & (y <= 109))) & ~body
    tissue = (body & ~(lungs if hollow == "lungs" else gas)) | couch
    inside = found(np.where(tissue, 0, -900).astype(np.int16), grid)
    assert (body & ~inside).sum() <= 0.002 * body.sum()
    assert (inside & ~body).sum() <= 0.01 * body.sum()


def test_nothing_but_air():
    hu, grid, *_ = neck(4.0)
    with pytest.raises(UsageError, match="holds no tissue"):
        body_of(np.full_like(hu, -1000), grid)
