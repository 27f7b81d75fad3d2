"""Goals with the patient shifted: the quick method against the dose calculated again."""

from __future__ import annotations

from dataclasses import replace
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
from tgsci_radiotherapy.qa.robustness import METHODS, denser_dose, evaluate_scenarios, shifted_dose, under_shifts

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
    assert exact.goals[core].scenario == cloud.goals[core].scenario == "front"  # the core lies behind the target
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
    found = under_shifts(case, goals, dose=flat, method="cloud", density_percent=0.0)
    assert not found.lost
    assert [goal.worst.value for goal in found.goals] == pytest.approx(
        [goal.nominal.value for goal in found.goals], abs=1e-3
    )
    assert "stay met within 3 mm" in found.summary() or "no goal is met" in found.summary()


def test_the_worst_is_never_better_than_the_nominal_and_is_what_that_shift_gives() -> None:
    case, goals, _, dose = planned()
    found = under_shifts(case, goals, dose=dose, method="cloud", shift_mm=4.0, density_percent=2.0)
    nominal = evaluate(goals, case, dose)
    assert found.tables.keys() == {
        "nominal",
        *(f"4 mm {w}" for w in ("left", "right", "back", "front", "head", "feet")),
        "density +2%",
        "density -2%",
    }
    for goal, result in zip(found.goals, nominal.results, strict=True):
        assert goal.nominal.value == result.value
        assert goal.worst.margin <= result.margin
        if goal.scenario:
            own = next(r for r in found.tables[goal.scenario].results if r.goal.criterion == goal.criterion)
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
        ({"method": "exact", "fluence": planned()[2]}, "not calculated by the built-in dose engine"),
        ({"density_percent": -1.0}, "density_percent must be"),
        ({"density_percent": 30.0}, "density_percent must be"),
        ({"dose": None, "fluence": np.ones(3)}, "another case"),
    ],
)
def test_what_cannot_be_shifted_is_named(change: dict, message: str) -> None:
    case, goals, _, dose = planned()
    with pytest.raises(UsageError, match=message):
        under_shifts(case, goals, **{"dose": dose, **change})


# -- densities


@pytest.mark.parametrize("density", [0.97, 1.03])
def test_scaled_depths_agree_with_the_dose_calculated_again(density: float) -> None:
    case, _, fluence, dose = planned()
    exact = Matrix(small_setup().dij(density=density)).dose(fluence, exact=True)
    scaled = denser_dose(case, dose, density, fluence)
    moved = np.abs(exact - dose)
    assert np.abs(exact - scaled).mean() < 0.4 * moved.mean()  # a field of 2 cm scatters less than a wide one
    target = case.rows("PTV")
    assert (exact[target].mean() < dose[target].mean()) == (density > 1.0)  # a denser patient gets less
    assert scaled[target].mean() == pytest.approx(exact[target].mean(), abs=0.1)
    assert moved[target].mean() > 0.2


def test_without_a_fluence_or_an_image_the_depths_still_tell_most() -> None:
    case, goals, fluence, dose = planned()
    exact = denser_dose(case, dose, 1.03, fluence)
    alike = denser_dose(case, dose, 1.03)
    water = denser_dose(replace(case, ct=None, ct_grid=None), dose, 1.03, fluence)
    target = case.rows("PTV")
    assert alike[target].mean() == pytest.approx(exact[target].mean(), abs=0.15)
    assert water[target].mean() == pytest.approx(exact[target].mean(), abs=0.05)  # the phantom is of water
    said = under_shifts(replace(case, ct=None, ct_grid=None), goals, dose=dose, method="cloud").how
    assert "every beam taken to give the same share" in said
    assert "in water: the case has no image" in said


def test_without_beams_no_density_error_is_made_up() -> None:
    case, goals, _, dose = planned()
    without = replace(case, beams=())
    found = under_shifts(without, goals, dose=dose)
    assert not any(name.startswith("density") for name in found.tables)
    assert found.density_percent == 0
    assert "does not say where its beams come from" in found.text()
    with pytest.raises(UsageError, match="where its beams come from"):
        denser_dose(without, dose, 1.03)


def test_protons_stop_earlier_in_a_denser_patient() -> None:
    """A depth dose of one beam moves along it by what its range changes."""
    from tgsci_radiotherapy.case.model import Beam

    case, _, _, _ = planned()
    _, y, _ = case.grid.points(case.voxels).T
    dose = np.where(np.abs(y - 20.0) < 6.0, 50.0, 0.0).astype(np.float32)  # a peak 20 mm behind the middle
    protons = replace(case, modality="protons", beams=(Beam(0.0),))
    doses = [denser_dose(protons, dose, by) for by in (1.0, 1.1)]
    middle = [float((there * y).sum() / there.sum()) for there in doses]
    assert middle[0] == pytest.approx(20.0, abs=0.6)
    assert middle[0] - middle[1] == pytest.approx(0.1 * 66.0, rel=0.25)  # about 66 mm of water before it


def test_a_matrix_of_the_built_in_engine_is_calculated_again_for_any_case() -> None:
    case, goals, fluence, dose = planned()
    imported = replace(case, provenance={"dose engine": "built-in analytic 6 MV pencil beam, 5 mm beamlets"})
    found = under_shifts(imported, goals, dose=dose, fluence=fluence, method="exact")
    again = Matrix(small_setup().dij(density=1.03)).dose(fluence, exact=True).astype(np.float32)
    assert np.array_equal(found.doses["density +3%"], again)
    assert found.method == "exact"
    other = replace(imported, ct=np.where(case.ct == 0, 200, case.ct).astype(np.int16))
    with pytest.raises(UsageError, match="does not reproduce the matrix"):
        under_shifts(other, goals, dose=dose, fluence=fluence, method="exact")


def test_the_worst_case_is_the_scenario_that_loses_most() -> None:
    case, goals, _, dose = planned()
    dose = dose * np.float32(50.05 / goals.goals[0].metric.value(dose[case.rows("PTV")], case.grid.voxel_cc))
    found = under_shifts(case, goals, dose=dose, shift_mm=6.0)
    counts = {name: len(found.lost_in(name)) for name in found.tables if name != "nominal"}
    assert counts[found.worst] == max(counts.values()) > 0
    assert f"worst case: {found.worst}" in found.text()
    assert found.as_dict()["worst_case"] == found.worst
    assert {row[0] for row in found.scenario_rows()} == set(found.tables)


@pytest.mark.slow
def test_the_quick_density_error_is_that_of_the_dose_calculated_again_in_a_neck() -> None:
    case = open_case("headneck")
    fluence = np.ones(case.dij.beamlets)
    dose = Matrix(case.dij).dose(fluence, exact=True)
    scale = case.prescription / dose[case.rows("PTV70")].mean()
    fluence, dose = fluence * scale, dose * scale
    exact = Matrix(shifted_dij("headneck", (0, 0, 0), 1.03)).dose(fluence, exact=True)
    scaled = denser_dose(case, dose, 1.03, fluence)
    for name in ("PTV70", "PTV63", "PTV56", "Parotid_L", "Larynx"):
        rows = case.rows(name)
        moved = (exact - dose)[rows].mean()
        assert moved < -0.1
        assert (scaled - dose)[rows].mean() == pytest.approx(moved, rel=0.2)


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


def test_implied_goals_are_counted_apart() -> None:
    case, goals, _, dose = planned()
    found = under_shifts(case, goals, dose=dose)
    table = found.tables["nominal"]
    written = [r for r in table.evaluated if not r.goal.implied]
    (_, counted, _), *_ = found.scenario_rows()
    assert counted.startswith(f"{sum(r.met for r in written)} of {len(written)}")
    assert (f"implied {sum(r.met for r in table.implied)} of {len(table.implied)}" in counted) == bool(table.implied)
    for name, words, _ in found.scenario_rows():
        near = sum(r.status == "tolerance" and not r.goal.implied for r in found.tables[name].results)
        assert (f", {near} within tolerance" in words) == bool(near)  # neither met nor lost
    (first, *_) = found.as_dict()["scenarios"]
    assert (first["evaluated"], first["implied"]) == (len(written), len(table.implied))
