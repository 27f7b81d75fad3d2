"""Bounds of a voxel's dose by its neighbours', from the matrix alone."""

from __future__ import annotations

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tgsci_radiotherapy.planner.hottest import hottest, largest_by_column
from tgsci_radiotherapy.planner.recent import planner_of


@pytest.mark.parametrize("spare", [1, 2])
def test_no_fluence_makes_a_voxel_hotter_than_its_bound(spare: int) -> None:
    case = small_case()
    rng = np.random.default_rng(spare)
    bound = hottest(case, 50.0, spare)
    assert (bound >= 50.0).all()
    for _ in range(30):
        x = rng.exponential(1.0, case.dij.beamlets) * (rng.random(case.dij.beamlets) < rng.uniform(0.02, 1.0))
        dose = planner_of(case).dose(x).astype(float)
        # As hot as may be: all but `spare` voxels at 50 Gy at most.
        dose *= 50.0 / max(np.sort(dose)[-spare - 1], 1e-9)
        assert (dose <= bound * (1 + 1e-6)).all()


def test_bounds_by_hand() -> None:
    """Voxel 0 gets twice what voxel 1 gets, and is one of three around it; what no beamlet reaches stays below."""
    bound = hottest(tiny_case(), 10.0, 1)
    assert bound[:2] == pytest.approx([2 * 3 * 10.0, 0.5 * 5 * 10.0])
    assert bound[8:].tolist() == [10.0] * 4
    assert np.isinf(hottest(tiny_case(), 10.0, 3)).all()  # both voxels of a beamlet may be hot


def test_the_largest_entries_of_each_column() -> None:
    dij = tiny_case().dij
    out = np.zeros((4, 3))
    largest_by_column(dij.starts, dij.columns, dij.values, np.arange(dij.rows), out)
    assert out.tolist() == [[2.0, 1.0, 0.0]] * 4
