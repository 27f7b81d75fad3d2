"""A scanner's own table of HU and densities: what is read, what is refused, and that doses are computed by it."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.radiotherapy.dicom_folder import usual_folder
from tgsci.errors import UsageError
from tgsci_radiotherapy.case import load, save
from tgsci_radiotherapy.case.beams import electron_density
from tgsci_radiotherapy.importers import Options, read
from tgsci_radiotherapy.importers.anatomy import hounsfield_of
from tgsci_radiotherapy.importers.hu_table import read_hu_table, table_of

USUAL = "HU,electron density\n-1000,0\n0,1\n1000,1.5\n"
FAST = {"gantry": (0,), "grid_mm": 6.0}


def table(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text)
    return read_hu_table(path)


@pytest.mark.parametrize(
    "text",
    [
        USUAL,
        "# CIRS 062, 120 kV\nHU;RED\n-1000;0\n0;1\n1000;1,5\n",
        "CT number\trelative electron density (water = 1)\n-1000\t0\n0\t1\n1000\t1.5\n",
        "hu rho_e\n\n-1000 0\n0 1.0\n1e3 1.5\n",
    ],
)
def test_tables_as_people_write_them(tmp_path, text):
    assert table(tmp_path, text) == ((-1000.0, 0.0), (0.0, 1.0), (1000.0, 1.5))


def test_mass_densities_become_electron_densities_of_tissues(tmp_path):
    points = dict(table(tmp_path, "HU,mass density (g/cm3)\n-1000,0.0012\n0,1.0\n50,1.05\n1600,1.92\n3000,4.5\n"))
    # ICRU Report 44: muscle 1.04, cortical bone 1.78 times as many electrons in a volume as water.
    assert points[50.0] == pytest.approx(1.04, abs=0.002)
    assert points[1600.0] == pytest.approx(1.78, abs=0.002)
    assert points[0.0] == pytest.approx(1.0, abs=0.01)
    assert points[3000.0] == pytest.approx(4.5 * points[1600.0] / 1.92, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must begin with a line that says"),
        ("-1000,0\n0,1\n1000,1.5\n", "must begin with a line that says"),
        ("HU,stopping power\n-1000,0\n0,1\n", "must begin with a line that says"),
        ("HU,RED\n-1000,0\n", "has 1 points"),
        ("HU,RED\n-1000,0\n0,one\n1000,1.5\n", "line 3: '0 one' is no pair"),
        ("HU,RED\n-1000,0\n0,nan\n1000,1.5\n", "line 3: '0 nan' is no pair of numbers"),
        ("HU,RED\n-1000,0,3\n0,1\n", "line 2"),
        ("HU,RED\n0,1\n-1000,0\n1000,1.5\n", "HU must rise from line to line, and -1000 follows 0"),
        ("HU,RED\n-1000,0\n0,1\n0,1\n1000,1.5\n", "0 follows 0"),
        ("HU,RED\n-1000,0\n0,1\n1000,0.9\n", "densities must not fall"),
        ("HU,RED\n-1000,-0.1\n0,1\n1000,1.5\n", "a density of -0.1"),
        ("HU,RED\n-1000,0\n0,1\n1000,150\n", "a density of 150; 0 to 15"),
        ("HU,RED\n-100,0.9\n0,1\n1000,1.5\n", "it must reach from air"),
        ("HU,RED\n-1000,0\n0,1\n300,1.2\n", "it must reach from air"),
        ("HU,RED\n-1000,0\n0,0.001\n1000,1.0\n2000,1.5\n", "counted from air, with water at 1000"),
        ("HU,RED\n-1000,0\n0,100\n1000,150\n", "a density of 150"),
        ("HU,RED\n-1000,0\n0,1\n" + "".join(f"{n},{1 + n}\n" for n in range(1, 300)), "has 301 points"),
    ],
)
def test_tables_that_are_none(tmp_path, text, words):
    with pytest.raises(UsageError) as caught:
        table(tmp_path, text)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 300


def test_files_that_are_none(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_hu_table(tmp_path / "nothing.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        read_hu_table(tmp_path)
    (tmp_path / "long.csv").write_text(USUAL * 10_000)
    with pytest.raises(UsageError, match="is longer than"):
        read_hu_table(tmp_path / "long.csv")
    with pytest.raises(UsageError, match="protons need stopping powers"):
        table_of(Options(hu_table=str(tmp_path / "long.csv"), modality="protons"))


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(0, 0.2)), min_size=2, max_size=20))
def test_densities_are_straight_lines_between_the_points(steps):
    points, hu, density = [], -1000, 0.0
    for wide, high in steps:
        points.append((float(hu), density))
        hu, density = hu + wide, density + high
    found = electron_density(np.array([h for h, _ in points]), points)
    np.testing.assert_allclose(found, [d for _, d in points], atol=1e-6)
    assert (np.diff(electron_density(np.arange(-2000, 3000), points)) >= 0).all()


def deep(case):
    """Mean of the matrix over the rear half of the target, of a beam from the front."""
    y = case.grid.points(case.voxels)[:, 1]
    rows = [r for r in case.rows("PTV") if y[r] > 0]
    return np.mean([case.dij.values[case.dij.starts[r] : case.dij.starts[r + 1]].sum() for r in rows])


def test_a_dose_is_computed_by_the_table_and_the_case_keeps_it(tmp_path):
    folder = usual_folder(tmp_path / "patient")
    (tmp_path / "dense.csv").write_text("HU,electron density\n-1000,0\n0,1.1\n1000,1.6\n")
    usual = read(folder.path, engine="builtin", **FAST)
    dense = read(folder.path, engine="builtin", hu_table=str(tmp_path / "dense.csv"), **FAST)
    assert 0.96 < deep(dense) / deep(usual) < 0.985  # 6 mm of water more before 60 mm
    assert usual.hu_table == ()
    assert dense.hu_table == ((-1000.0, 0.0), (0.0, 1.1), (1000.0, 1.6))
    assert "3 points of the user's table" in dense.provenance["HU table"]
    assert load(save(dense, tmp_path / "case.zarr")).hu_table == dense.hu_table
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "nothing", hu_table=str(tmp_path / "nothing.csv"))


def test_a_density_override_means_the_same_by_any_table():
    for points in ((), ((-1000.0, 0.0), (0.0, 1.1), (1000.0, 1.6))):
        hu = hounsfield_of(1.3, points)
        assert electron_density(np.array([hu]), points)[0] == pytest.approx(1.3, abs=1e-3)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("pyRadPlan") is None, reason="pyRadPlan is not installed")
def test_pyradplan_computes_by_the_table_too(tmp_path):
    folder = usual_folder(tmp_path / "patient")
    (tmp_path / "dense.csv").write_text("HU,electron density\n-1000,0\n0,1.1\n1000,1.6\n")
    usual = read(folder.path, engine="pyradplan", **FAST)
    dense = read(folder.path, engine="pyradplan", hu_table=str(tmp_path / "dense.csv"), **FAST)
    assert 0.96 < deep(dense) / deep(usual) < 0.985
