"""Hot and cold spots and overlaps, told where they are."""

from __future__ import annotations

import re

import numpy as np

from tests.radiotherapy.cases import small_case, tiny_case
from tgsci_radiotherapy.case.model import Case
from tgsci_radiotherapy.loss import places


def painted(case: Case, name: str, dose: float, *, where: slice | None = None) -> np.ndarray:
    """50 Gy in the PTV, 10 Gy elsewhere, and another dose in (a part of) a structure."""
    by_row = np.full(case.dij.rows, 10.0)
    by_row[case.rows("PTV")] = 50.0
    rows = case.rows(name)
    by_row[rows if where is None else rows[where]] = dose
    return by_row


def test_a_cold_spot_is_found_where_it_is() -> None:
    case = small_case()
    points = case.grid.points(case.voxels[case.rows("PTV")])
    order = np.argsort(points[:, 1])  # from anterior to posterior
    dose = np.full(case.dij.rows, 10.0)
    dose[case.rows("PTV")] = 50.0
    dose[case.rows("PTV")[order[-12:]]] = 40.0  # the posterior end, next to the Core
    said = "\n".join(places.lines(case, dose))
    assert re.search(r"coldest .* of PTV: 40\.0 Gy \(80% of the prescription\), towards its posterior side", said)
    assert "Core" in said.split("coldest")[1].splitlines()[0]


def test_a_hot_spot_outside_is_told_by_direction_and_distance() -> None:
    case = small_case()
    cube = case.cube(painted(case, "PTV", 50.0))
    z, y, x = case.grid.axes()
    i, j, k = (int(np.abs(axis - at).argmin()) for axis, at in ((z, 0.0), (y, -5.0), (x, 36.0)))
    cube[i - 1 : i + 2, j - 1 : j + 2, k] = 60.0
    (said,) = [line for line in places.lines(case, case.by_row(cube)) if line.startswith("Outside")]
    assert "60.0 Gy, in Body" in said
    assert "left of the edge of PTV" in said
    distance = int(re.search(r"(\d+) mm left", said)[1])  # type: ignore[index]
    assert abs(distance - (36 - 14)) <= 6


def test_overlaps_are_told_with_who_sees_them() -> None:
    (said,) = places.overlaps(tiny_case())
    assert said == "PTV and OAR share 1.0 cc (25% of OAR); objectives see it in PTV"
