"""Goals with the patient shifted: the quick method against the dose calculated again."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.cases import small_case, small_setup
from tgsci.errors import UsageError
from tgsci_radiotherapy.case import open_case
from tgsci_radiotherapy.case.library import shifted_dij
from tgsci_radiotherapy.case.model import Case, Dij, Grid, Structure, own_rows
from tgsci_radiotherapy.goals import BoundSheet, evaluate, read_sheet
from tgsci_radiotherapy.planner import Planner
from tgsci_radiotherapy.planner.matrix import Matrix
from tgsci_radiotherapy.qa.robustness import METHODS, evaluate_scenarios, shifted_dose, under_shifts

#: What the static dose cloud may be off by, beside the exact method: mean over a structure, Gy of 50 prescribed.
CLOUD = 0.5


@cache
def planned() -> tuple[Case, BoundSheet, np.ndarray, np.ndarray]:
    """A plan of the small case: the case, its goals, fluence and dose."""
    from tgsci_radiotherapy.goals import default_parameters

    case, sheet = small_case(), read_sheet("tg119-easier")
    plan = Planner(case).solve(default_parameters(case, sheet))
    return case, sheet.bind(case), plan.fluence, plan.dose


@pytest.mark.parametrize("shift", [(3, 0, 0), (-3, 0, 0), (0, 3, 0), (0, -3, 0), (0, 0, 3), (0, 0, -3)])
def test_the_dose_cloud_agrees_with_the_dose_calculated_again(shift: tuple[int, int, int]) -> None:
    case, _, fluence, dose = planned()
    exact = Matrix(small_setup().dij(shift)).dose(fluence, exact=True)
    cloud = shifted_dose(case, dose, shift)
    for name in case.names:
        rows = case.rows(name)
        assert np.abs(exact - cloud)[rows].mean() < CLOUD
    # It is the shift that is described, not merely something near the nominal dose.
    assert np.sqrt(np.mean((exact - cloud) ** 2)) < 0.4 * np.sqrt(np.mean((exact - dose) ** 2))


def test_both_methods_find_the_same_worst_direction() -> None:
    case, goals, fluence, dose = planned()
    doses = {"nominal": dose}
    for name, shift in {"left": (3, 0, 0), "back": (0, 3, 0), "front": (0, -3, 0), "head": (0, 0, 3)}.items():
        doses[name] = Matrix(small_setup().dij(shift)).dose(fluence, exact=True).astype(np.float32)
    exact = evaluate_scenarios(case, goals, doses, 3.0, "exact")
    clouds = {"nominal": dose} | {
        name: shifted_dose(case, dose, shift)
        for name, shift in {"left": (3, 0, 0), "back": (0, 3, 0), "front": (0, -3, 0), "head": (0, 0, 3)}.items()
    }
    cloud = evaluate_scenarios(case, goals, clouds, 3.0, "cloud")
    core = next(i for i, goal in enumerate(exact.goals) if goal.criterion.startswith("Core"))
    assert exact.goals[core].shift == cloud.goals[core].shift == "front"  # the core lies behind the target
    for one, other in zip(exact.goals, cloud.goals, strict=True):
        assert one.nominal.value == other.nominal.value
        assert one.worst.value == pytest.approx(other.worst.value, abs=2.5)


@settings(max_examples=20, deadline=None)
@given(axis=st.integers(0, 2), voxels=st.integers(-2, 2))
def test_a_shift_by_whole_voxels_takes_the_neighbours_dose(axis: int, voxels: int) -> None:
    grid = Grid((7, 8, 9), (2.0, 3.0, 4.0))
    structure = Structure("Body", "external", np.arange(grid.size, dtype=np.int32), grid.size * grid.voxel_cc)
    rows, owners = own_rows([structure], grid)
    empty = Dij(np.zeros(grid.size + 1, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.float32), 1, np.zeros(1))  # type: ignore[arg-type]
    case = Case("box", grid, (structure,), empty, rows, owners, 1)
    cube = np.random.default_rng(axis).uniform(0, 50, grid.shape)
    shift = [0.0, 0.0, 0.0]
    shift[2 - axis] = voxels * grid.spacing[axis]  # (x, y, z) beside (z, y, x)
    moved = case.cube(shifted_dose(case, case.by_row(cube), shift))
    there = np.clip(np.arange(grid.shape[axis]) + voxels, 0, grid.shape[axis] - 1)
    assert moved == pytest.approx(np.take(cube, there, axis=axis), abs=1e-3)


def test_a_uniform_dose_is_robust_up_to_the_skin() -> None:
    case, goals, _, _ = planned()
    flat = np.full(len(case.voxels), 51.0, np.float32)
    assert shifted_dose(case, flat, (3, 3, 3)) == pytest.approx(51.0, abs=1e-4)
    found = under_shifts(case, goals, dose=flat, method="cloud")
    assert not found.lost
    assert [goal.worst.value for goal in found.goals] == pytest.approx(
        [goal.nominal.value for goal in found.goals], abs=1e-3
    )
    assert "stay met within 3 mm" in found.summary() or "no goal is met" in found.summary()


def test_the_worst_is_never_better_than_the_nominal_and_is_what_that_shift_gives() -> None:
    case, goals, _, dose = planned()
    found = under_shifts(case, goals, dose=dose, method="cloud", shift_mm=4.0)
    nominal = evaluate(goals, case, dose)
    assert found.tables.keys() == {
        "nominal",
        *(f"4 mm {w}" for w in ("left", "right", "back", "front", "head", "feet")),
    }
    for goal, result in zip(found.goals, nominal.results, strict=True):
        assert goal.nominal.value == result.value
        assert goal.worst.margin <= result.margin
        if goal.shift:
            own = next(r for r in found.tables[goal.shift].results if r.goal.criterion == goal.criterion)
            assert goal.worst.value == own.value


def test_the_method_and_the_notice_are_said() -> None:
    case, goals, _, dose = planned()
    found = under_shifts(case, goals, dose=dose)  # no fluence: the dose cannot be calculated again
    assert found.method == "cloud"
    for text in (found.text(), found._repr_html_()):
        assert METHODS["cloud"] in text
        assert "not for clinical use" in text
    assert found.as_dict()["method"] == "cloud"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dose": None}, "needs a dose or a fluence"),
        ({"method": "fancy"}, "method cannot be 'fancy'; there are: cloud, exact"),
        ({"method": "exact"}, "needs a plan's fluence"),
        ({"shift_mm": 0.0}, "above 0 and up to 20 mm"),
        ({"shift_mm": float("nan")}, "above 0 and up to 20 mm"),
        ({"method": "exact", "fluence": planned()[2]}, "for built-in cases only"),
        ({"dose": None, "fluence": np.ones(3)}, "another case"),
    ],
)
def test_what_cannot_be_shifted_is_named(change: dict, message: str) -> None:
    case, goals, _, dose = planned()
    with pytest.raises(UsageError, match=message):
        under_shifts(case, goals, **{"dose": dose, **change})


@pytest.mark.slow
def test_on_a_built_in_case_both_methods_agree() -> None:
    """To 1% of the prescription in the mean over every structure, and well where the shift shows."""
    case, shift = open_case("prostate"), (3.0, 0.0, -3.0)
    fluence = np.ones(case.dij.beamlets)
    dose = Matrix(case.dij).dose(fluence, exact=True)
    fluence *= case.prescription / dose[case.rows("PTV")].mean()
    dose = Matrix(case.dij).dose(fluence, exact=True)
    exact = Matrix(shifted_dij("prostate", shift)).dose(fluence, exact=True)
    cloud = shifted_dose(case, dose, shift)
    for name in case.names:
        rows = case.rows(name)
        assert np.abs(exact - cloud)[rows].mean() < 0.01 * case.prescription
    edge = np.abs(exact - dose) > 0.05 * case.prescription
    assert edge.sum() > 1000
    assert np.abs(exact - cloud)[edge].mean() < 0.25 * np.abs(exact - dose)[edge].mean()
