"""The built-in cases: sizes as published or as in patients, rows in order, and a cache that cannot do harm."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from pathlib import Path

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case, small_setup
from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Case, case_names, check, library, load, open_case, save
from tgsci_radiotherapy.case.library import shifted_dij
from tgsci_radiotherapy.case.phantoms import cshape, prostate
from tgsci_radiotherapy.goals import evaluate, read_sheet
from tgsci_radiotherapy.plan import Objective, PlanParameters
from tgsci_radiotherapy.planner import Planner


def points(case: Case, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates x, y, z of a structure's voxels, mm."""
    z, y, x = case.grid.points(case.structure(name).voxels).T
    return x, y, z


@pytest.mark.slow
@pytest.mark.parametrize("name", case_names())
def test_built_in_cases_are_sound_and_of_reasonable_size(name):
    case = open_case(name)
    check(case)
    assert case.name == name
    assert max(case.grid.spacing) <= 3.0
    assert case.dij.nonzeros < 30e6
    assert case.dij.beamlets < 3000  # what Newton's method is good to
    assert case.structures[0].type == "target"
    assert case.structures[-1].type == "external"
    assert open_case(name) is case
    for s in case.structures:
        assert len(s.voxels) * case.grid.voxel_cc == pytest.approx(s.volume_cc, rel=0.05)
        assert np.isin(s.voxels, case.structures[-1].voxels).all()
    assert "not for clinical use" in case.provenance["dose"]


def test_case_names_say_what_each_is():
    assert list(case_names()) == ["cshape", "prostate", "headneck"]
    assert all("Gy in" in line and "\n" not in line for line in case_names().values())


@pytest.mark.slow
def test_the_c_shape_is_that_of_tg_119():
    case = open_case("cshape")
    assert (case.prescription, case.fractions, len(case.beams)) == (50.0, 25, 9)
    assert [b.gantry for b in case.beams] == [0, 40, 80, 120, 160, 200, 240, 280, 320]
    assert [(s.name, s.type) for s in case.structures] == [("PTV", "target"), ("Core", "oar"), ("Body", "external")]
    x, y, z = points(case, "PTV")
    r = np.hypot(x, y)
    assert 15 <= r.min() < 17
    assert 35.5 < r.max() <= 37
    assert np.ptp(z) + 3 == pytest.approx(80, abs=3)
    assert y.max() <= 7  # open to the back
    assert (x > 30).any()
    assert (x < -30).any()
    assert (y < -35).any()
    x, y, z = points(case, "Core")
    assert np.hypot(x, y).max() <= 10
    assert np.ptp(z) + 3 == pytest.approx(100, abs=3)
    assert case.structure("Core").volume_cc == pytest.approx(pi * 10, rel=0.01)
    assert case.structure("PTV").volume_cc == pytest.approx(168, abs=2)
    assert case.ct is not None
    assert (case.ct == 0).all()


@pytest.mark.slow
def test_the_gap_between_core_and_target_is_5_mm():
    case = open_case("cshape")
    core = np.hypot(*points(case, "Core")[:2])
    target = np.hypot(*points(case, "PTV")[:2])
    assert target.min() - core.max() == pytest.approx(5, abs=3)


@pytest.mark.slow
def test_the_prostate_is_that_of_a_man():
    case = open_case("prostate")
    assert (case.prescription, case.fractions, len(case.beams)) == (70.2, 39, 7)
    assert case.names == ("PTV", "Bladder", "Rectum", "Femur_Head_L", "Femur_Head_R", "Body")
    volumes = {s.name: s.volume_cc for s in case.structures}
    assert 100 < volumes["PTV"] < 200
    assert 100 < volumes["Bladder"] < 300
    assert 50 < volumes["Rectum"] < 120
    assert volumes["Femur_Head_L"] == pytest.approx(volumes["Femur_Head_R"]) == pytest.approx(58, abs=10)
    middle = {name: np.array([axis.mean() for axis in points(case, name)]) for name in case.names}
    assert middle["Femur_Head_L"][0] > 60  # to the patient's left
    assert middle["Femur_Head_R"][0] < -60
    assert middle["Rectum"][1] > middle["PTV"][1] + 20  # behind
    assert middle["Bladder"][2] > middle["PTV"][2] + 20  # above
    for organ in ("Rectum", "Bladder"):
        shared = np.isin(case.structure(organ).voxels, case.structure("PTV").voxels).mean()
        assert 0.02 < shared < 0.2, organ


def test_densities_are_those_of_tissues():
    setup = prostate()

    def hu(name):
        z, y, x = setup.grid.points(next(s for s in setup.structures if s.name == name).voxels).T
        at = (np.stack([z, y, x], axis=1) - setup.ct_grid.origin) / setup.ct_grid.spacing
        return setup.ct[tuple(np.rint(at).astype(int).T)]

    assert hu("Femur_Head_L").mean() > 250
    assert np.abs(np.median(hu("Bladder"))) < 20
    assert -120 < hu("Body").min() <= -80 or hu("Body").min() == -1000
    assert (hu("Body") == -1000).mean() < 0.01
    assert setup.ct[0, 0, 0] == -1000


@pytest.mark.slow
def test_the_head_and_neck_is_as_hard_as_a_patients():
    case = open_case("headneck")
    assert [(t.name, t.prescription) for t in case.targets] == [("PTV70", 70.0), ("PTV63", 63.0), ("PTV56", 56.0)]
    assert (case.fractions, len(case.beams)) == (35, 7)
    assert case.dij.beamlets <= 1500  # so that a plan takes seconds
    levels = [set(t.voxels.tolist()) for t in case.targets]
    assert len(set.union(*levels)) == sum(map(len, levels))  # no two share a voxel
    targets = np.concatenate([t.voxels for t in case.targets])
    shared = {name: np.isin(case.structure(name).voxels, targets).mean() for name in case.names}
    assert 0.1 < shared["Parotid_R"] < shared["Parotid_L"] < 0.25
    assert 0 < shared["Larynx"] < 0.1
    assert 0 < shared["Bone_Mandible"] < 0.1
    assert shared["SpinalCord"] == shared["Brainstem"] == 0
    z, y, x = case.grid.points(targets).T
    _, cord_y, _ = (axis.mean() for axis in points(case, "SpinalCord"))
    around = np.hypot(x, y - cord_y)
    assert around.min() < 15  # near to the cord,
    for side in (x > 10, x < -10, np.abs(x) < 10):
        assert (around[side & (np.abs(z) < 20)] < 30).any()  # on both sides and in front: concave
    sheet = read_sheet("headneck-70-63-56").bind(case)
    assert len([g for g in sheet.goals if not getattr(g, "implied", False)]) == 20


@pytest.mark.slow
def test_a_physicists_first_plan_of_the_head_and_neck_meets_most_goals_but_not_all():
    case = open_case("headneck")
    wishes = [
        *(Objective(f"PTV{p}", "squared_deviation", p + 1.7, w) for p, w in ((70, 300), (63, 200), (56, 200))),
        *(Objective(f"PTV{p}", "squared_underdose", p, w) for p, w in ((70, 500), (63, 300), (56, 300))),
        Objective("SpinalCord", "squared_overdose", 38, 300),
        Objective("SpinalCord", "mean", None, 1),
        Objective("Brainstem", "squared_overdose", 40, 100),
        Objective("Bone_Mandible", "squared_overdose", 68, 50),
        *(Objective(name, "mean", None, 20) for name in ("Parotid_L", "Parotid_R")),
        Objective("Larynx", "mean", None, 30),
        Objective("Body", "squared_overdose", 45, 40),
        Objective("Body", "squared_overdose", 70, 400),
    ]
    plan = Planner(case).solve(PlanParameters(tuple(wishes)), gap=5e-3)
    results = evaluate(read_sheet("headneck-70-63-56").bind(case), case, plan.dose).results
    written = [r for r in results if not getattr(r.goal, "implied", False)]
    assert 16 <= sum(r.met for r in written) <= 18
    assert "Parotid_L Dmean" in {r.goal.name for r in written if not r.met}


@pytest.mark.slow
def test_cases_are_symmetric_as_drawn():
    """TG-119's phantom and the pelvis are their own mirror images, and so are their open beams' doses."""
    for name in ("cshape", "prostate"):
        case = open_case(name)
        dose = np.add.reduceat(np.append(case.dij.values, 0), case.dij.starts[:-1]) * (np.diff(case.dij.starts) > 0)
        target = case.cube(dose)
        own = np.zeros(case.grid.size, bool)
        own[case.structure("PTV").voxels] = True
        own = own.reshape(case.grid.shape)
        assert np.array_equal(own, own[:, :, ::-1])
        assert target[own] == pytest.approx(target[:, :, ::-1][own], rel=0.02)


@pytest.mark.slow
def test_a_shifted_dij_has_the_rows_of_the_case():
    case = open_case("cshape")
    moved = shifted_dij("cshape", (3.0, 0.0, 0.0))
    assert (moved.rows, moved.beamlets) == (case.dij.rows, case.dij.beamlets)
    assert np.array_equal(moved.beams, case.dij.beams)
    assert moved.values.mean() == pytest.approx(case.dij.values.mean(), rel=0.01)
    assert not np.array_equal(moved.starts, case.dij.starts)


def test_setups_are_the_same_every_time():
    assert cshape().structures[0].volume_cc == cshape().structures[0].volume_cc
    assert small_setup().case().fingerprint == small_case().fingerprint


# The cache


@pytest.fixture
def cached(tmp_path: Path, monkeypatch) -> Path:
    """A cache of its own, and a built-in case that takes no time."""
    monkeypatch.setenv("TGSCI_CACHE", str(tmp_path))
    monkeypatch.setattr(library, "built_in_setup", lambda name: small_setup())
    library.built_in_case.cache_clear()
    yield tmp_path / "radiotherapy"
    library.built_in_case.cache_clear()


def open_again(monkeypatch) -> tuple[Case, bool]:
    """The case as another process would get it, and whether it had to be calculated."""
    calculated = []
    monkeypatch.setattr(library, "built_in_setup", lambda name: calculated.append(name) or small_setup())
    library.built_in_case.cache_clear()
    return open_case("cshape"), bool(calculated)


def test_a_case_is_calculated_once_and_read_from_then_on(cached, monkeypatch):
    first = open_case("cshape")
    assert [p.name.split("-")[0] for p in cached.iterdir()] == ["cshape"]
    again, calculated = open_again(monkeypatch)
    assert not calculated
    assert again.fingerprint == first.fingerprint
    assert np.array_equal(again.dij.values, first.dij.values)


def test_a_damaged_cache_is_calculated_again(cached, monkeypatch, caplog):
    open_case("cshape")
    (file,) = cached.iterdir()
    file.write_bytes(b"PK\x03\x04 nothing")
    again, calculated = open_again(monkeypatch)
    assert calculated
    assert again.fingerprint == small_case().fingerprint
    assert "calculated again" in caplog.text
    assert load(file).fingerprint == again.fingerprint  # and mended


def test_what_earlier_code_calculated_goes(cached, monkeypatch):
    cached.mkdir()
    old = save(replace(small_case(), name="cshape"), cached / "cshape-0123456789abcdef.zarr")
    other = save(small_case(), cached / "prostate-0123456789abcdef.zarr")
    open_case("cshape")
    assert not old.exists()
    assert other.exists()


def test_no_cache_and_an_unusable_one(cached, monkeypatch, caplog):
    monkeypatch.setenv("TGSCI_CACHE", "")
    assert open_again(monkeypatch)[1]
    assert not cached.exists()
    cached.write_text("a file where the directory belongs")
    monkeypatch.setenv("TGSCI_CACHE", str(cached.parent))
    assert open_again(monkeypatch)[1]
    assert "is not kept in the cache" in caplog.text


def test_names_that_are_no_case():
    for text in ("c-shape", "tg119", "prostate.zarr"):
        with pytest.raises(UsageError, match="built in are cshape, prostate"):
            open_case(text)
