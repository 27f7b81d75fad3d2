"""The gamma index, against doses whose gamma is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case
from tgsci.errors import UsageError
from tgsci_radiotherapy.case.model import Case, Dij, Grid, Structure, own_rows
from tgsci_radiotherapy.qa.gamma import gamma_index


def ramp_case() -> Case:
    """A box of 20 x 12 x 12 voxels of 2 mm."""
    grid = Grid((12, 12, 20), (2.0, 2.0, 2.0))
    structures = (Structure("Body", "external", np.arange(grid.size, dtype=np.int32), grid.size * grid.voxel_cc),)
    voxels, owners = own_rows(structures, grid)
    dij = Dij(np.zeros(len(voxels) + 1, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.float32), 1, np.zeros(1))  # type: ignore[arg-type]
    return Case("ramp", grid, structures, dij, voxels, owners, 1)


def along_x(case: Case, gray_per_mm: float, offset: float) -> np.ndarray:
    """A dose that rises along x only."""
    x = case.grid.points(case.voxels)[:, 2]
    return (offset + gray_per_mm * x).astype(np.float32)


@pytest.mark.slow
def test_a_dose_agrees_with_itself() -> None:
    case = small_case()
    dose = np.linspace(1, 50, len(case.voxels))
    found = gamma_index(case, dose, dose)
    assert found.pass_rate == 100.0
    assert found.mean == 0.0
    assert found.points == found.above_threshold == int((dose >= 0.1 * dose.max()).sum())


@pytest.mark.parametrize(("scale", "expected"), [(1.01, 1 / 3), (1.02, 2 / 3), (0.97, 1.0)])
def test_a_flat_dose_that_is_scaled_has_the_gamma_of_its_scale(scale: float, expected: float) -> None:
    case = ramp_case()
    flat = np.full(len(case.voxels), 50.0)
    found = gamma_index(case, flat, scale * flat, points=300)
    assert found.map[np.isfinite(found.map)] == pytest.approx(expected, abs=1e-3)  # nowhere is a better voxel


@pytest.mark.parametrize("local", [False, True])
def test_a_scaled_dose_fails_beyond_the_dose_criterion(local: bool) -> None:
    case = ramp_case()
    flat = np.full(len(case.voxels), 50.0)
    assert gamma_index(case, flat, 1.029 * flat, local=local, points=300).pass_rate == 100.0
    assert gamma_index(case, flat, 1.031 * flat, local=local, points=300).pass_rate == 0.0


@pytest.mark.slow
def test_global_and_local_differ_where_the_dose_is_low() -> None:
    case = ramp_case()
    dose = np.full(len(case.voxels), 10.0)
    dose[: len(dose) // 2] = 50.0
    other = dose + 1.0  # 2% of the maximum, 10% of the low half's own dose
    assert gamma_index(case, dose, other, points=600).pass_rate == 100.0
    assert gamma_index(case, dose, other, local=True, points=600).pass_rate == pytest.approx(50.0, abs=10.0)


def test_a_shifted_ramp_has_the_gamma_of_theory() -> None:
    # On a linear dose of slope g, shifted by s: the smallest of sqrt((g (s - r) / D)^2 + (r / d)^2) over distances r
    # is s / sqrt(d^2 + (D / g)^2); Low et al. 1998.
    case = ramp_case()
    slope, shift, percent, distance = 0.8, 1.0, 3.0, 2.0
    reference = along_x(case, slope, 10.0)
    criterion = percent / 100 * reference.max()
    found = gamma_index(case, reference, along_x(case, slope, 10.0 + slope * shift))
    expected = shift / np.hypot(distance, criterion / slope)
    inner = found.map[3:-3, 3:-3, 4:-4]
    assert inner == pytest.approx(expected, abs=0.02)


@pytest.mark.slow
def test_the_sample_is_the_same_every_time_and_near_the_whole() -> None:
    case = small_case()
    rng = np.random.default_rng(3)
    dose = rng.uniform(20, 50, len(case.voxels))
    other = dose * rng.uniform(0.94, 1.06, len(dose))
    part, again, whole = (gamma_index(case, dose, other, points=n) for n in (800, 800, 10_000))
    assert part.pass_rate == again.pass_rate
    assert part.points == 800
    assert np.isfinite(part.map).sum() == 800
    assert np.array_equal(part.map[np.isfinite(part.map)], whole.map[np.isfinite(part.map)])
    assert part.pass_rate == pytest.approx(whole.pass_rate, abs=6)
    assert f"a random sample of {whole.points:,}" in part.text()


def test_no_dose_is_no_agreement() -> None:
    case = small_case()
    nothing = np.zeros(len(case.voxels))
    found = gamma_index(case, nothing, nothing + 50)
    assert np.isnan(found.pass_rate)
    assert found.points == 0
    assert "no point of the reference" in found.text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": np.ones(3)}, "reference dose has shape .*another case"),
        ({"evaluated": np.full(len(small_case().voxels), np.nan)}, "evaluated dose is not finite"),
        ({"dose_percent": 0.0}, "dose_percent must be a number from 0.1 to 50 %"),
        ({"distance_mm": -2.0}, "distance_mm must be"),
        ({"threshold_percent": 100.0}, "threshold_percent must be"),
        ({"points": 0}, "points must be a whole number of 1 or more"),
    ],
)
def test_bad_input_is_named(change: dict, message: str) -> None:
    case = small_case()
    dose = np.ones(len(case.voxels))
    with pytest.raises(UsageError, match=message):
        gamma_index(case, **{"reference": dose, "evaluated": dose, **change})
