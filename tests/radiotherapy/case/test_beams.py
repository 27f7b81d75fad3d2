"""Beams: where they come from, what they see, and what dose they give, beside published figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.cases import small_case, small_setup
from tgsci.errors import UsageError
from tgsci_radiotherapy.case.beams import Beam, axes, covering, field, influence, project
from tgsci_radiotherapy.case.beams.geometry import BIXEL, SAD
from tgsci_radiotherapy.case.beams.influence import electron_density
from tgsci_radiotherapy.case.beams.kernels import depths
from tgsci_radiotherapy.case.beams.pencil import CUTOFF, depth_dose
from tgsci_radiotherapy.case.library import shifted_dij
from tgsci_radiotherapy.case.model import Grid

#: The first example may have to compile, and a busy machine is no failure.
COMPILED = settings(deadline=None, max_examples=50)

ANGLES = st.floats(0, 360)
LENGTHS = st.floats(-300, 300)


def dose(points: np.ndarray, bixels, *, surface: float = 0.0, beam: Beam = Beam(0.0), fluence=1.0) -> np.ndarray:  # noqa: B008
    """Dose of bixels of fluence 1 in a tank of water of 60 cm a side whose surface lies at y = `surface`."""
    grid = Grid((60, 60, 60), (10.0, 10.0, 10.0), (-295.0, surface + 5.0, -295.0))
    dij = influence(np.zeros(grid.shape), grid, [beam], (0.0, 0.0, 0.0), bixels, np.atleast_2d(points).astype(float))
    return np.add.reduceat(
        np.append(dij.values * np.broadcast_to(fluence, dij.beamlets)[dij.columns], 0), dij.starts[:-1]
    )


def on_axis(depth, *, size: float, ssd: float = SAD) -> np.ndarray:
    """Dose at depths on the axis of a square field, `size` mm at the isocentre, the surface at `ssd`."""
    depth = np.atleast_1d(depth)
    y = depth + ssd - SAD
    return dose(np.stack([0 * y, y, 0 * y], axis=1), field(size, size), surface=ssd - SAD)


# Geometry


@pytest.mark.parametrize(
    ("gantry", "couch", "side"),
    [
        (0, 0, (0, -1, 0)),  # the front
        (90, 0, (1, 0, 0)),  # the patient's left
        (180, 0, (0, 1, 0)),
        (270, 0, (-1, 0, 0)),
        (90, 90, (0, 0, -1)),  # the feet
        (90, 270, (0, 0, 1)),
        (0, 37, (0, -1, 0)),
    ],
)
def test_beams_enter_where_iec_61217_says(gantry, couch, side):
    assert axes(Beam(gantry, couch), (1.0, 2.0, 3.0)).source == pytest.approx(
        np.array([1, 2, 3]) + SAD * np.array(side)
    )


def test_the_beams_axes_are_those_of_the_collimator():
    front = axes(Beam(0.0), (0, 0, 0))
    assert front.right == pytest.approx([1, 0, 0])  # seen from the source, the patient's left
    assert front.up == pytest.approx([0, 0, 1])
    assert axes(Beam(90.0), (0, 0, 0)).right == pytest.approx([0, 1, 0])


@COMPILED
@given(ANGLES, ANGLES)
def test_axes_are_orthonormal_and_right_handed(gantry, couch):
    seen = axes(Beam(gantry, couch), (0, 0, 0))
    frame = np.array([seen.right, seen.up, -seen.forward])
    assert frame @ frame.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(frame) == pytest.approx(1)


@COMPILED
@given(ANGLES, ANGLES, LENGTHS, LENGTHS, st.floats(-400, 400))
def test_a_projected_point_lies_on_its_ray(gantry, couch, x, y, further):
    seen = axes(Beam(gantry, couch), (10, -20, 30))
    plane = seen.source + SAD * seen.forward + x * seen.right + y * seen.up
    point = seen.source + (SAD + further) / SAD * (plane - seen.source)
    px, py, t = project(point[None], seen)
    assert (px[0], py[0], t[0]) == pytest.approx((x, y, SAD + further), abs=1e-6)


def test_bixels_cover_the_target_and_its_margin_and_no_more():
    points = np.array([[0.0, 0.0, 0.0], [30.0, 0.0, 12.0]])
    bixels = covering([Beam(0.0), Beam(90.0)], (0, 0, 0), points, margin=5.0)
    for b, beam in enumerate((Beam(0.0), Beam(90.0))):
        x, y, _ = project(points, axes(beam, (0, 0, 0)))
        own = bixels.beams == b
        away = np.hypot(bixels.x[own][:, None] - x, bixels.y[own][:, None] - y).min(axis=1)
        assert away.max() <= 5.0
        lattice = np.stack(np.meshgrid(*[np.arange(-60, 61, BIXEL)] * 2), axis=-1).reshape(-1, 2)
        near = np.hypot(lattice[:, :1] - x, lattice[:, 1:] - y).min(axis=1) <= 5.0
        assert own.sum() == near.sum()


def test_bixels_are_numbered_beam_by_beam_and_row_by_row():
    bixels = covering([Beam(0.0), Beam(40.0)], (0, 0, 0), np.array([[0.0, 0.0, 0.0], [9.0, 5.0, 3.0]]))
    order = np.lexsort((bixels.x, bixels.y, bixels.beams))
    assert (order == np.arange(len(bixels))).all()
    beam, row, column = np.nonzero(bixels.lookup >= 0)
    assert bixels.lookup[beam, row, column].tolist() == list(range(len(bixels)))
    assert bixels.first_x + column * BIXEL == pytest.approx(bixels.x)
    assert bixels.first_y + row * BIXEL == pytest.approx(bixels.y)


def test_a_field_has_the_size_asked_for():
    bixels = field(100, 50)
    assert (len(bixels), bixels.x.min(), bixels.x.max(), bixels.y.max()) == (200, -47.5, 47.5, 22.5)


@pytest.mark.parametrize(
    ("beams", "points", "said"),
    [
        ([], [[0, 0, 0]], "at least one beam"),
        ([Beam(0.0)], np.zeros((0, 3)), "one voxel of a target"),
        ([Beam(0.0)], [[900.0, 0, 0]], "at most 60 cm"),
        ([Beam(0.0)], [[0.0, -SAD, 0]], "source"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*divide:RuntimeWarning")
def test_what_no_field_covers_is_refused(beams, points, said):
    with pytest.raises(UsageError, match=said):
        covering(beams, (0, 0, 0), np.array(points, float))


# Radiological depth


def traced(points, source, density, grid) -> np.ndarray:
    points = np.atleast_2d(np.asarray(points, float))
    wanted = np.ones(len(points), bool)
    spacing, origin = (np.array(of[::-1], float) for of in (grid.spacing, grid.origin))
    return depths(points, wanted, np.asarray(source, float), np.asarray(density, np.float32), spacing, origin)


@COMPILED
@given(ANGLES, ANGLES, st.tuples(*[st.floats(-45, 45)] * 3))
def test_depth_is_the_distance_in_water_from_the_surface(gantry, couch, point):
    grid = Grid((20, 25, 50), (5.0, 4.0, 2.0), (-47.5, -48.0, -49.0))
    source = axes(Beam(gantry, couch), (0, 0, 0)).source
    ray = np.asarray(point) - source
    with np.errstate(all="ignore"):
        sides = np.sort(np.stack([(-50 - source) / ray, (50 - source) / ray]), axis=0)[0]
    enters = max(s for s, r in zip(sides, ray, strict=True) if r != 0)
    expected = (1 - enters) * np.linalg.norm(ray)
    assert traced(point, source, np.ones(grid.shape), grid)[0] == pytest.approx(expected, rel=1e-5, abs=1e-3)


@COMPILED
@given(st.integers(0, 2**32 - 1), ANGLES, ANGLES)
def test_depth_is_the_integral_of_density_along_the_ray(seed, gantry, couch):
    rng = np.random.default_rng(seed)
    grid = Grid((8, 9, 10), (6.0, 5.0, 4.0), (-21.0, -20.0, -18.0))
    density = rng.random(grid.shape) * 2
    source = axes(Beam(gantry, couch), (0, 0, 0)).source
    point = rng.uniform(-15, 15, 3)
    along = (np.arange(12_000) + 0.5) / 12_000 * 120 - 120
    way = (point - source) / np.linalg.norm(point - source)
    places = np.rint((point + along[:, None] * way - np.array(grid.origin[::-1])) / np.array(grid.spacing[::-1]))
    places = places.astype(int)[:, ::-1]
    within = ((places >= 0) & (places < grid.shape)).all(axis=1)
    expected = density[tuple(places[within].T)].sum() * 120 / 12_000
    assert traced(point, source, density, grid)[0] == pytest.approx(expected, abs=0.05)


def test_points_outside_the_image_and_rays_beside_it():
    grid = Grid((10, 10, 10), (10.0, 10.0, 10.0), (-45.0, -45.0, -45.0))
    water = np.ones(grid.shape)
    found = traced([[0, 80, 0], [0, -80, 0], [400, 0, 0]], (0.0, -1000.0, 0.0), water, grid)
    assert found == pytest.approx([100, 0, 0], abs=1e-3)


def test_electron_density_of_what_is_in_a_patient():
    found = electron_density(np.array([-1024, -1000, -700, -90, 0, 40, 300, 1000, 30_000]))
    assert found == pytest.approx([0, 0, 0.3, 0.91, 1, 1.0205, 1.1538, 1.5128, 2.5385], abs=1e-3)
    assert (np.diff(electron_density(np.arange(-1000, 3000))) > 0).all()


# Dose


@pytest.mark.parametrize(
    ("depth", "published"),
    # BJR Supplement 25: 67.5 and 39.3%; 86.5% is the middle of what accelerators are commissioned with.
    [(50, 86.5), (100, 67.5), (200, 39.3)],
)
def test_depth_dose_of_10x10_at_ssd_100_is_the_published_one(depth, published):
    depths_mm = np.arange(0.5, 40, 0.5)
    most = on_axis(depths_mm, size=100).max()
    assert 100 * on_axis(depth, size=100)[0] / most == pytest.approx(published, rel=0.02)


def test_dose_builds_up_to_a_maximum_at_15_mm():
    depths_mm = np.arange(0.5, 60, 0.5)
    curve = on_axis(depths_mm, size=100)
    assert depths_mm[curve.argmax()] == pytest.approx(15, abs=2)
    assert 0.2 < curve[0] / curve.max() < 0.5
    assert (np.diff(curve[depths_mm > 16]) < 0).all()


def test_a_unit_of_fluence_is_a_gray_at_the_reference_point():
    assert on_axis(100, size=100, ssd=900)[0] == pytest.approx(1.0, abs=0.005)


def test_fractions_multiply():
    grid = Grid((60, 60, 60), (10.0, 10.0, 10.0), (-295.0, -95.0, -295.0))
    given_once, given_often = (
        influence(np.zeros(grid.shape), grid, [Beam(0.0)], (0, 0, 0), field(100, 100), np.zeros((1, 3)), fractions)
        for fractions in (1, 25)
    )
    assert given_often.values == pytest.approx(25 * given_once.values, rel=1e-4)


def test_the_bixels_of_a_field_add_up_to_its_depth_dose():
    depth = np.array([5.0, 15, 50, 100, 200, 300])
    assert on_axis(depth, size=100) == pytest.approx(depth_dose(depth), rel=0.01)


def test_dose_falls_by_the_inverse_square():
    near, far = on_axis(100, size=100, ssd=900)[0], on_axis(100, size=100, ssd=1100)[0]
    assert near / far == pytest.approx((1200 / 1000) ** 2, rel=0.01)


def test_penumbra_at_10_cm_is_that_of_a_linac():
    x = np.arange(-80, 0, 0.25)
    profile = dose(np.stack([x, 0 * x, 0 * x], axis=1), field(100, 100), surface=-100.0)
    at_axis = on_axis(100, size=100, ssd=900)[0]
    x20, x50, x80 = (np.interp(level * at_axis, profile, x) for level in (0.2, 0.5, 0.8))
    assert 5 <= x80 - x20 <= 8
    assert x50 == pytest.approx(-50, abs=0.5)


def test_output_grows_with_the_field():
    outputs = [on_axis(100, size=size, ssd=900)[0] for size in (10, 20, 30, 50, 100)]
    assert (np.diff(outputs) > -1e-3).all()
    assert outputs[0] / outputs[-1] < 0.85
    assert 0.93 < outputs[2] / outputs[-1] < 0.97  # measured are 0.83 to 0.88: what the cutoff costs
    assert outputs[-2] / outputs[-1] == pytest.approx(1, abs=0.005)  # twice the cutoff: no more to come


def test_an_open_field_is_flat_and_symmetric():
    x = np.arange(0, 26.0)
    bixels = field(100, 100)
    right, left, up = (
        dose(np.stack(axis, axis=1), bixels, surface=-100.0)
        for axis in ((x, 0 * x, 0 * x), (-x, 0 * x, 0 * x), (0 * x, 0 * x, x))
    )
    assert right == pytest.approx(left, rel=1e-4)
    assert right == pytest.approx(up, rel=1e-4)
    assert right == pytest.approx(np.full(26, right[0]), rel=0.01)


@COMPILED
@given(st.floats(-30, 30), st.floats(-30, 30))
def test_a_bixel_gives_nothing_beyond_the_cutoff(x, z):
    given_dose = dose(np.array([x, 0.0, z]), field(BIXEL, BIXEL), surface=-100.0)[0]
    assert (given_dose > 0) == (np.hypot(x, z) < CUTOFF)


def test_what_lies_behind_bone_gets_less_and_behind_lung_more():
    grid = Grid((60, 60, 60), (10.0, 10.0, 10.0), (-295.0, -95.0, -295.0))
    doses = []
    for hu in (-700, 0, 1000):
        ct = np.zeros(grid.shape)
        ct[:, 2:5] = hu
        doses.append(
            influence(ct, grid, [Beam(0.0)], (0, 0, 0), field(100, 100), np.array([[0, 0, 0]]) * 1.0).values.sum()
        )
    assert doses[0] > 1.05 * doses[1] > 1.1 * doses[2]


def test_every_gantry_angle_gives_a_sphere_the_same_dose():
    grid = Grid((50, 50, 50), (4.0, 4.0, 4.0), (-98.0, -98.0, -98.0))
    z, y, x = np.meshgrid(*grid.axes(), indexing="ij")
    ct = np.where(x**2 + y**2 + z**2 <= 90**2, 0, -1000)
    doses = [
        influence(ct, grid, [beam], (0, 0, 0), field(50, 50), np.zeros((1, 3))).values.sum()
        for beam in (Beam(0.0), Beam(90.0), Beam(180.0), Beam(33.0), Beam(33.0, 20.0), Beam(271.0, 340.0))
    ]
    assert doses == pytest.approx([doses[0]] * 6, rel=0.015)


def test_rows_and_columns_come_in_order():
    dij = small_case().dij
    for row in range(0, dij.rows, 7):
        assert (np.diff(dij.columns[dij.starts[row] : dij.starts[row + 1]].astype(int)) > 0).all()
    assert dij.starts[-1] == dij.nonzeros
    assert dij.columns.max() == dij.beamlets - 1
    assert (dij.values > 0).all()


# Shifts


def test_no_shift_is_the_plan_itself():
    assert (small_setup().dij((0, 0, 0)).values == small_case().dij.values).all()


def test_a_shift_by_voxels_moves_the_dose_by_voxels():
    """In water without an end, the patient moved to the left by 4 mm gets what the voxel 4 mm to its left got."""
    setup, case = small_setup(), small_case()
    moved = setup.dij((4.0, 0.0, 0.0))

    def cube(dij):
        return case.cube(np.add.reduceat(np.append(dij.values, 0), dij.starts[:-1]) * (np.diff(dij.starts) > 0))

    before, after = cube(case.dij), cube(moved)
    inner = case.rows("Core")
    z, y, x = np.unravel_index(case.voxels[inner], case.grid.shape)
    # The surface is 0.1 mm of depth or so off, hence 2%.
    assert after[z, y, x] == pytest.approx(before[z, y, x + 1], rel=0.02)
    assert abs(after[z, y, x] / before[z, y, x] - 1).max() > 0.05


def test_shifts_that_are_none_are_refused():
    for shift in ((1, 2), (0, 0, float("nan")), (0, 0, 1e6), "abc", None):
        with pytest.raises(UsageError, match="three figures"):
            shifted_dij("cshape", shift)
    with pytest.raises(UsageError, match="no built-in case"):
        shifted_dij("../../etc/passwd", (0, 0, 0))
