"""pyRadPlan's dose engines and phantom: total Gy in the right places, and what happens where it is not installed."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from tests.radiotherapy.dicom_folder import usual_folder
from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Case, Grid
from tgsci_radiotherapy.importers import Options, pyradplan, read
from tgsci_radiotherapy.importers.pyradplan import by_rows, influence

installed = pytest.mark.skipif(not pyradplan.available(), reason="needs pyRadPlan: pip install 'tgsci[dose]'")
COARSE = {"grid_mm": 6.0, "bixel_mm": 10.0, "gantry": (0, 90), "cutoff_mm": 30.0}


def flat(case: Case, beam: int | None = None) -> np.ndarray:
    """Dose of unit fluence on the dose grid, of one beam or of all."""
    matrix = sparse.csr_matrix(
        (case.dij.values, case.dij.columns, case.dij.starts), shape=(len(case.voxels), case.dij.beamlets)
    )
    fluence = np.ones(case.dij.beamlets) if beam is None else (case.dij.beams == beam).astype(float)
    return case.cube(matrix @ fluence)


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    return usual_folder(tmp_path_factory.mktemp("patient")).path


@pytest.fixture(scope="module")
def phantom():
    return read("tg119", **COARSE)


@pytest.mark.slow
@installed
def test_the_phantom(phantom):
    assert [(s.name, s.type, s.prescription) for s in phantom.structures] == [
        ("OuterTarget", "target", 50.0),
        ("Core", "oar", None),
        ("BODY", "external", None),
    ]
    assert phantom.fractions == 25
    # The report of AAPM TG-119 (Med Phys 36:5359, 2009): the PTV is 168 cc, the core a cylinder of 1 cm by 10 cm.
    assert phantom.structure("OuterTarget").volume_cc == pytest.approx(168, abs=1)
    assert phantom.structure("Core").volume_cc == pytest.approx(np.pi * 10, rel=0.06)
    assert phantom.provenance["dose engine"].startswith("pyRadPlan 0.5")
    assert "cutoff 30 mm" in phantom.provenance["dose engine"]
    assert phantom.provenance["dose grid"] == "6 x 6 x 6 mm"
    target = phantom.grid.points(phantom.structure("OuterTarget").voxels)
    core = phantom.grid.points(phantom.structure("Core").voxels)
    assert np.hypot(*(target - core.mean(axis=0))[:, 1:].T).min() > 10  # around the core, at 5 mm


@pytest.mark.slow
@installed
def test_the_same_arguments_give_the_same_case(phantom):
    assert read("tg119", **COARSE).fingerprint == phantom.fingerprint


@installed
def test_photons_enter_where_the_gantry_stands(phantom):
    middle = phantom.grid.shape[0] // 2
    from_front, from_left = flat(phantom, 0)[middle], flat(phantom, 1)[middle]
    rows = np.flatnonzero(from_front.sum(axis=1) > 0)
    columns = np.flatnonzero(from_left.sum(axis=0) > 0)
    # y grows to the back, x to the left: gantry 0 is weaker at the back, gantry 90 stronger at the left.
    assert from_front[rows[3]].max() > 1.5 * from_front[rows[-3]].max()
    assert from_left[:, columns[-3]].max() > 1.5 * from_left[:, columns[3]].max()


@pytest.mark.slow
@installed
def test_doses_are_those_of_all_fractions(patient):
    few = read(patient, engine="pyradplan", fractions=5, reference=False, **COARSE)
    many = read(patient, engine="pyradplan", fractions=25, reference=False, **COARSE)
    np.testing.assert_allclose(many.dij.values, 5 * few.dij.values, rtol=1e-6)


@pytest.mark.slow
@installed
def test_both_engines_agree_about_a_patient(patient):
    common = {"gantry": (0, 90), "grid_mm": 5.0}
    theirs = read(patient, engine="pyradplan", **common)
    ours = read(patient, engine="builtin", **common)
    assert theirs.voxels.tolist() == ours.voxels.tolist()
    # Different machines, outputs and margins around the target; the same beams.
    for beam in (0, 1):
        for axis, across in ((0, True), (1, beam == 1), (2, beam == 0)):
            centres = [_centre(flat(case, beam), case.grid.axes()[axis], axis) for case in (theirs, ours)]
            assert abs(centres[0] - centres[1]) < (0.5 if across else 3.0)
    target = ours.rows("PTV")
    ratio = ours.by_row(flat(ours))[target] / theirs.by_row(flat(theirs))[target]
    assert ratio.std() / ratio.mean() < 0.06


def _centre(dose: np.ndarray, axis: np.ndarray, number: int) -> float:
    along = dose.sum(axis=tuple(a for a in range(3) if a != number))
    return float((along * axis).sum() / along.sum())


@pytest.mark.slow
@installed
def test_protons_stop(patient):
    case = read(patient, modality="protons", gantry=(270,), grid_mm=5.0, bixel_mm=8.0, reference=False)
    assert case.modality == "protons"
    assert "RBE 1.1" in case.provenance["dose engine"]
    profile = flat(case).sum(axis=(0, 1))
    x = case.grid.axes()[2]
    # From the patient's right (x < 0) to behind the target, which ends at x = 15, and no further.
    assert profile[(x > -50) & (x < -20)].min() > 0.2 * profile.max()
    assert profile[x > 35].max(initial=0.0) < 0.02 * profile.max()
    assert abs(x[profile.argmax()]) <= 17
    twice = read(patient, modality="protons", gantry=(270,), grid_mm=5.0, bixel_mm=8.0, reference=False, rbe=1.0)
    assert case.dij.values.max() == pytest.approx(1.1 * twice.dij.values.max(), rel=1e-5)


@installed
def test_a_matrix_too_large_is_refused_before_it_is_computed(patient, monkeypatch):
    monkeypatch.setattr(pyradplan, "MOST_ENTRIES", 10_000)
    with pytest.raises(UsageError, match=r"million entries, more than 0; take a smaller --cutoff"):
        read(patient, engine="pyradplan", **COARSE)
    with pytest.raises(UsageError, match=r"million entries, more than 0; take a smaller --cutoff"):
        read(patient, engine="builtin", grid_mm=4.0)


@installed
def test_it_is_quiet_and_leaves_no_trace(patient, capfd, monkeypatch):
    monkeypatch.setattr(pyradplan, "PATIENCE", -1.0)
    before = logging.root.manager.disable
    lines = []
    random.seed(11)
    chance = random.getstate()
    read(patient, engine="pyradplan", say=lines.append, **COARSE)
    assert random.getstate() == chance
    assert "".join(capfd.readouterr()) == ""
    assert logging.root.manager.disable == before
    assert any("beamlets from 2 beams with pyRadPlan" in line for line in lines)
    assert "1 of 2 beams computed" in lines


@installed
def test_a_fault_inside_it_is_one_sentence(monkeypatch):
    grid = Grid((6, 10, 10), (8.0, 8.0, 8.0), (-20.0, -36.0, -36.0))
    hu = np.zeros(grid.shape, np.int16)
    every = np.arange(grid.size, dtype=np.int32)
    import pyRadPlan

    def broken(*arguments):
        raise RuntimeError("engine on fire " * 100)

    monkeypatch.setattr(pyRadPlan, "calc_dose_influence", broken)
    with pytest.raises(UsageError, match="could not compute the dose: engine on fire") as caught:
        influence(hu, grid, every, every[300:305], 5, Options(gantry=(0.0,)))
    assert len(str(caught.value)) < 400


def test_without_the_extra_its_name_is_said_and_photons_are_built_in(patient, monkeypatch):
    monkeypatch.setattr(pyradplan, "available", lambda: False)
    case = read(patient, gantry=(0, 90), grid_mm=5.0)
    assert case.provenance["dose engine"].startswith("built-in analytic 6 MV pencil beam")
    for source, options in (
        ("tg119", {}),
        (patient, {"engine": "pyradplan"}),
        (patient, {"modality": "protons"}),
        (patient, {"bixel_mm": 8.0}),
        (patient, {"cutoff_mm": 60.0}),
    ):
        with pytest.raises(UsageError, match=r"pip install 'tgsci\[dose\]'"):
            read(source, **options)


def test_importing_the_readers_imports_nothing_heavy():
    code = (
        "import sys, tgsci_radiotherapy.importers as s; s.Options.of({'gantry': [0]}); "
        "print([m for m in ('numpy', 'pydicom', 'pyRadPlan', 'scipy', 'h5py', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = (
        "import sys; from tgsci_radiotherapy.importers import assemble, dicom, matrad, openkbp, pyradplan; "
        "print([m for m in ('pyRadPlan', 'SimpleITK', 'scipy', 'h5py', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rows_of_a_matrix_are_checked_and_packed():
    rng = np.random.default_rng(0)
    dense = np.where(rng.random((30, 5)) < 0.4, rng.random((30, 5)), 0.0)
    voxels = np.array([7, 3, 29, 0], np.int32)
    for made in (sparse.csc_matrix, sparse.csr_matrix, sparse.coo_matrix, sparse.csc_array):
        dij = by_rows(made(dense), voxels, np.arange(5), 2.0)
        found = sparse.csr_matrix((dij.values, dij.columns, dij.starts), shape=(4, 5)).toarray()
        np.testing.assert_allclose(found, 2 * dense[voxels], rtol=1e-6)
        assert (dij.columns.dtype, dij.values.dtype, dij.starts.dtype) == (np.uint16, np.float32, np.int64)
    for bad in (np.nan, np.inf, -1.0):
        wrong = dense.copy()
        wrong[3, 1] = bad
        with pytest.raises(UsageError, match="damaged"):
            by_rows(sparse.csc_matrix(wrong), voxels, np.arange(5), 2.0)


def test_a_path_that_is_called_tg119_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tg119").mkdir()
    with pytest.raises(UsageError, match="none of the 0 files"):
        read("tg119")
