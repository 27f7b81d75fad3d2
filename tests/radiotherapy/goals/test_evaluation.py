"""Goals evaluated on a dose, and histograms."""

from __future__ import annotations

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tests.radiotherapy.goals.tables import DOSE, table
from tgsci.errors import UsageError
from tgsci_radiotherapy.goals import (
    Metric,
    dvh,
    evaluate,
    measure,
    parse_sheet,
    read_sheet,
    sheet_names,
)


@pytest.mark.parametrize(
    ("dose", "said"),
    [
        (DOSE[:-1], "has 12 rows"),
        (DOSE.reshape(3, 4), "has 12 rows"),
        (np.where(DOSE == 9.0, np.nan, DOSE), "1 voxels that are not finite"),
        (np.where(DOSE == 0.0, np.inf, DOSE), "4 voxels that are not finite"),
    ],
)
def test_a_dose_that_is_not_one_of_the_case(dose: np.ndarray, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        table("PTV Dmin >= 8 Gy", dose=dose)


def test_whole_numbers_are_doses_too() -> None:
    assert table("PTV Dmin >= 8 Gy", dose=DOSE.astype(int)).results[0].value == 8.0


def test_evaluating_together_is_evaluating_one_by_one() -> None:
    """The ranks of all goals on a structure are found at once; each figure is as if it were alone."""
    case = small_case()
    dose = np.random.default_rng(0).gamma(4.0, 10.0, case.dij.rows).astype(np.float32)
    goals = [
        f"{s} {m} <= {u}" for s in case.names for m, u in (("D95%", "299 Gy"), ("D2%", "299 Gy"), ("D0.3cc", "299 Gy"))
    ]
    goals += [
        "PTV HI <= 0.1",
        "PTV CI >= 0.1",
        "Core V20Gy <= 30%",
        "Body V20Gy <= 30 cc",
        "PTV Dmin >= 1 Gy",
        "PTV V95% >= 9%",
    ]
    bound = parse_sheet(f"goals = {goals!r}".replace("'", '"')).bind(case)
    for result in evaluate(bound, case, dose).results:
        assert result.value == measure(result.goal.metric, case, result.goal.structure, dose)


def test_histograms() -> None:
    case = tiny_case()
    gray, volume = dvh(case, DOSE, "OAR", bins=8)
    assert gray.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert volume.tolist() == [100.0, 100.0, 75.0, 50.0, 50.0, 25.0, 25.0, 25.0, 25.0]
    gray, volume = dvh(case, DOSE.astype(np.float32), "Body", bins=100, top=20.0)
    assert (len(gray), gray[-1], volume[-1]) == (101, 20.0, 0.0)
    assert (np.diff(volume) <= 0).all()
    for at, v in zip(gray[1:], volume[1:], strict=True):
        assert v == pytest.approx(Metric("VGy", float(at), "%").value(DOSE))
    with pytest.raises(UsageError, match="at least one step"):
        dvh(case, DOSE, "OAR", bins=0)
    with pytest.raises(UsageError, match="did you mean OAR"):
        dvh(case, DOSE, "OARs")


def test_a_histogram_of_nothing() -> None:
    case = tiny_case()
    gray, volume = dvh(case, np.zeros(12), "PTV", bins=4)
    assert gray.tolist() == [0.0] * 5
    assert volume.tolist() == [100.0] * 5


def test_every_sheet_of_the_package_is_evaluated_quickly() -> None:
    """A table belongs to every plan of a search: it must cost nothing beside the plan."""
    import time

    case = small_case()
    dose = np.random.default_rng(1).gamma(4.0, 10.0, case.dij.rows).astype(np.float32)
    bound = [read_sheet(name).bind(case) for name in sheet_names() if name.startswith(("tg119", "quantec"))]
    for sheet in bound:
        evaluate(sheet, case, dose)
    start = time.process_time()
    for sheet in bound:
        evaluate(sheet, case, dose)
    assert time.process_time() - start < 0.05
