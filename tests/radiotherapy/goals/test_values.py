"""Gradients of metrics: the slope of what is measured, smoothed over neighbours where it jumps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.radiotherapy.cases import small_case
from tgsci.errors import UsageError
from tgsci_radiotherapy.case.model import Case, Dij, Grid, Structure, own_rows
from tgsci_radiotherapy.goals import Metric, gradient, measure
from tgsci_radiotherapy.goals.values import SHARE

CC, PRESCRIPTION = 0.3, 50.0
doses = arrays(np.float64, st.integers(1, 80), elements=st.floats(0.0, 80.0, width=32))
PERCENTILES = ("D95%", "D2%", "D50%", "D1cc", "D0.03cc", "Dmax", "Dmin", "Dmean")
ALL = (*PERCENTILES, "V20Gy", "V20Gy[cc]", "V95%", "CV20Gy", "HI", "gEUD(4)", "gEUD(-4)")


def voxels_case(target: int, body: int) -> Case:
    """A case of nothing but voxels: the first are the PTV, all are the body."""
    grid = Grid((body, 1, 1), (3.0, 3.0, 3.0))
    structures = (
        Structure("PTV", "target", np.arange(target, dtype=np.int32), 1.0, PRESCRIPTION),
        Structure("Body", "external", np.arange(body, dtype=np.int32), 1.0),
    )
    voxels, owners = own_rows(structures, grid)
    starts, none = np.zeros(body + 1, np.int64), np.zeros(0, np.float32)
    dij = Dij(starts, np.zeros(0, np.uint16), none, 1, np.zeros(1, np.int16))
    return Case("voxels", grid, structures, dij, voxels, owners, 25)


def slope(text: str, dose: np.ndarray) -> np.ndarray:
    return Metric.parse(text).gradient(dose, CC, PRESCRIPTION)


@settings(deadline=None)
@given(doses, st.sampled_from(PERCENTILES))
def test_one_gray_more_everywhere_is_one_gray_more(dose: np.ndarray, text: str) -> None:
    found = slope(text, dose)
    assert found.sum() == pytest.approx(1.0, abs=1e-9)
    assert (found >= 0).all()


@settings(deadline=None)
@given(doses, st.sampled_from(ALL), st.randoms(use_true_random=False))
def test_the_order_of_voxels_does_not_count(dose: np.ndarray, text: str, rng: object) -> None:
    order = rng.sample(range(len(dose)), len(dose))  # type: ignore[attr-defined]
    assert slope(text, dose[order]) == pytest.approx(slope(text, dose)[order], abs=1e-9)


@settings(deadline=None)
@given(doses.filter(lambda d: d.min() > 0.5), st.sampled_from(["gEUD(4)", "gEUD(-4)", "Dmean", "gEUD(1)"]))
def test_smooth_metrics_against_finite_differences(dose: np.ndarray, text: str) -> None:
    metric, found = Metric.parse(text), slope(text, dose)
    for i in range(len(dose)):
        step = np.zeros(len(dose))
        step[i] = 1e-4
        change = metric.value(dose + step) - metric.value(dose - step)
        assert found[i] == pytest.approx(change / 2e-4, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("text", ["D95%", "D2%", "D50%", "D0.4cc", "Dmax", "Dmin", "HI"])
def test_few_voxels_have_the_exact_slope(text: str) -> None:
    """Below 50 voxels 2% is less than a voxel: the metric itself, between the two voxels that it lies between."""
    rng = np.random.default_rng(3)
    dose, metric = rng.permutation(np.linspace(10.0, 60.0, 40)), Metric.parse(text)
    found = slope(text, dose)
    for i in range(len(dose)):
        step = np.zeros(len(dose))
        step[i] = 1e-5
        change = metric.value(dose + step, CC) - metric.value(dose - step, CC)
        assert found[i] == pytest.approx(change / 2e-5, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("text", ["D95%", "D5%", "D50%", "D20cc", "V45Gy", "V45Gy[cc]", "V90%", "CV45Gy", "HI"])
@pytest.mark.parametrize("pattern", ["all", "tilt", "hot"])
def test_many_voxels_move_as_the_slope_says(text: str, pattern: str) -> None:
    """What a change of the whole dose does to a metric, the smoothed slope foretells to a few percent."""
    rng = np.random.default_rng(5)
    at = rng.uniform(-1.0, 1.0, 20000)
    dose = 45.0 + 6.0 * at + rng.normal(0.0, 1.0, len(at))
    change = {"all": np.ones(len(at)), "tilt": 1.0 + 0.5 * at, "hot": np.where(dose > 46.0, 1.0, 0.6)}[pattern]
    metric, step = Metric.parse(text), 0.2
    moved = [metric.value(dose + sign * step * change, CC, PRESCRIPTION) for sign in (1, -1)]
    foretold = slope(text, dose) @ change
    assert foretold == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=0.05, abs=1e-4)


def test_the_neighbourhood_is_one_percent_of_the_volume() -> None:
    dose = np.random.default_rng(1).permutation(np.linspace(0.0, 70.0, 10000))
    for text in ("D95%", "D50%", "D10%"):
        at = Metric.parse(text).value(dose)
        touched = dose[slope(text, dose) > 0]
        assert len(touched) == pytest.approx(2 * SHARE * len(dose), abs=2)
        assert touched.mean() == pytest.approx(at, abs=0.01)
    ends = slope("D99.9%", dose)  # ten voxels from the end: the neighbourhood is as narrow on the other side
    assert np.count_nonzero(ends) < 25
    assert dose @ ends == pytest.approx(Metric.parse("D99.9%").value(dose), abs=0.01)


def test_a_volume_far_from_its_dose_does_not_move() -> None:
    dose = np.linspace(0.0, 20.0, 1000)
    assert not slope("V45Gy", dose).any()
    assert not slope("V45Gy", np.full(1000, 60.0)).any()
    assert slope("V45Gy", np.full(1000, 45.0)).sum() > 0


def test_the_conformity_index_has_its_slope_over_the_whole_case() -> None:
    case = voxels_case(target=12000, body=40000)
    rng = np.random.default_rng(2)
    dose = rng.uniform(20.0, 60.0, case.dij.rows)
    dose[case.rows("PTV")] = rng.uniform(49.0, 60.0, len(case.rows("PTV")))
    metric = Metric.parse("CI")
    rows, found = gradient(metric, case, "PTV", dose)
    more = np.isin(np.arange(case.dij.rows), case.rows("PTV"))
    for change in (more, ~more):  # in the target it makes the plan better, around it worse
        moved = [measure(metric, case, "PTV", dose + sign * 0.5 * change) for sign in (1, -1)]
        assert found @ change[rows] == pytest.approx(moved[0] - moved[1], rel=0.15)
    outside = ~np.isin(rows, case.rows("PTV"))
    assert (found[outside] <= 0).all()
    assert outside.any()
    with pytest.raises(UsageError, match="whole case"):
        metric.gradient(dose, CC, PRESCRIPTION)


def test_of_a_case_the_gradient_is_that_of_the_structures_rows() -> None:
    case = small_case()
    dose = np.random.default_rng(4).uniform(30.0, 60.0, case.dij.rows).astype(np.float32)
    rows, found = gradient(Metric.parse("V95%"), case, "PTV", dose)
    assert (rows == case.rows("PTV")).all()
    assert found == pytest.approx(Metric.parse("V95%").gradient(dose[rows], case.grid.voxel_cc, 50.0))
