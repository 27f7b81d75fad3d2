"""OpenKBP folders, written as the challenge's own are: sparse .csv, axes to the back, to the left, to the feet."""

from __future__ import annotations

import numpy as np
import pytest

from tgsci.errors import UsageError
from tgsci_radiotherapy.importers import Options, kind_of, read
from tgsci_radiotherapy.importers.openkbp import read_openkbp

SIDE = 128
STEPS = (3.5, 3.0, 2.5)  # by row, column and slice: y, x and z, mm
FAST = {"engine": "builtin", "gantry": (0, 90)}


def places():
    """x, y, z of every voxel, mm from the centre, in the order of the files' arrays: (row, column, slice)."""
    row, column, place = (s * (np.arange(SIDE) - 63.5) for s in STEPS)
    y, x, z = np.meshgrid(row, column, -place, indexing="ij")  # slices run from head to feet
    return x, y, z


def write_sparse(path, array, values=True):
    flat = array.ravel()
    lines = [",data"]
    for n in np.flatnonzero(flat):
        lines.append(f"{n},{float(flat[n])!r}" if values else f"{n},")
    path.write_text("\n".join(lines) + "\n")


def write_folder(path):
    """A neck along z (radius 40 mm, 60 mm long), a target to the left and the head, a cord behind."""
    path.mkdir()
    x, y, z = places()
    body = (np.hypot(x, y) <= 40) & (np.abs(z) <= 30)
    ct = np.where(body, 1024 + 20, 0)
    ct[(np.hypot(x, y) <= 3) & (np.abs(z) <= 30)] = 4095
    write_sparse(path / "ct.csv", ct)
    (path / "voxel_dimensions.csv").write_text("".join(f"{s:.18e}\n" for s in STEPS))
    target = (x - 15) ** 2 + y**2 + (z - 12) ** 2 <= 12**2
    near = ((x - 15) ** 2 + y**2 + (z - 12) ** 2 <= 20**2) & ~target & body
    cord = (np.hypot(x, y - 25) <= 6) & (np.abs(z) <= 30)
    for name, mask in (("PTV70", target), ("PTV56", near), ("SpinalCord", cord), ("possible_dose_mask", body)):
        write_sparse(path / f"{name}.csv", mask, values=False)
    write_sparse(path / "dose.csv", np.where(body, np.round(60 + 0.4 * z + 0.1 * x, 3), 0))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("kbp") / "pt_241")


@pytest.fixture(scope="module")
def case(folder):
    return read(folder, **FAST)


def test_what_a_folder_becomes(case, folder):
    assert kind_of(folder) == "openkbp"
    assert case.name == "pt_241"
    assert [(s.name, s.type, s.prescription) for s in case.structures] == [
        ("PTV70", "target", 70.0),
        ("PTV56", "target", 56.0),
        ("SpinalCord", "oar", None),
        ("Body", "external", None),
    ]
    assert case.fractions == 35
    assert case.grid.spacing == (2.5, 3.5, 3.0)  # the structures exist on these voxels only
    assert "no external is drawn; Body is the source's own" in case.provenance["notes"]


def test_what_is_no_structure_is_left_out_or_asked_about(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "predicted.csv").write_text(",data\n5,1.5\n9,2.0\n")
    made = read_openkbp(tmp_path, Options.of(FAST))
    assert [one.name for one in made.structures] == ["PTV56", "PTV70", "SpinalCord"]
    assert [note for note in made.notes if note.startswith("predicted.csv is left out: it holds values")]
    (tmp_path / "readme.csv").write_text("name,what\na,b\n")
    with pytest.raises(UsageError, match=r"readme\.csv is damaged.*if it is no structure, take it out of the folder"):
        read_openkbp(tmp_path, Options.of(FAST))


def test_the_body_is_the_possible_dose_mask_airway_and_all(folder, tmp_path):
    other = tmp_path / "pt_2"
    other.mkdir()
    for path in folder.iterdir():
        (other / path.name).symlink_to(path)
    x, y, z = places()
    body = (np.hypot(x, y) <= 40) & (np.abs(z) <= 30)
    (other / "ct.csv").unlink()
    # An airway 6 mm under the skin: to the image, tissue of two voxels stands before it.
    write_sparse(other / "ct.csv", np.where(body & (np.hypot(x, y + 27) > 7), 1044, 0))
    drawn = read(other, **FAST).structure("Body")
    assert drawn.volume_cc == pytest.approx(np.count_nonzero(body) * np.prod(STEPS) / 1000, rel=1e-6)
    (other / "possible_dose_mask.csv").unlink()
    assert "found in the CT" in read(other, **FAST).provenance["notes"]


def test_axes_and_units(case):
    centre = case.grid.points(case.structure("PTV70").voxels).mean(axis=0) - case.grid.points(
        case.structure("Body").voxels
    ).mean(axis=0)
    np.testing.assert_allclose(centre, [12, 0, 15], atol=2.0)  # towards the head, the left
    cord = case.grid.points(case.structure("SpinalCord").voxels)[:, 1].mean()
    assert cord > case.grid.points(case.structure("Body").voxels)[:, 1].mean() + 20  # towards the back
    assert case.ct[case.ct > 1000].min() == 3071
    assert np.bincount(case.ct[(case.ct > -500) & (case.ct < 500)] + 500).argmax() == 520
    assert case.structure("PTV70").volume_cc == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.08)


def test_the_dose_of_the_challenge_is_kept_voxel_by_voxel(case):
    points = case.grid.points(case.voxels)
    z0, x0 = (63.5 * STEPS[2], 63.5 * STEPS[1])
    wanted = np.round(60 + 0.4 * (points[:, 0] - z0) + 0.1 * (points[:, 2] - x0), 3)
    np.testing.assert_allclose(case.reference, wanted, atol=1e-4)


def test_another_dose_grid_and_no_reference(folder):
    case = read(folder, grid_mm=5.0, reference=False, name="neck 1", **FAST)
    assert case.grid.spacing == (5.0, 5.0, 5.0)
    assert case.reference is None
    assert case.name == "neck 1"


def test_a_folder_of_another_name_names_nobody(folder, tmp_path):
    other = tmp_path / "Quixotesson"
    other.symlink_to(folder)
    assert read(other, grid_mm=8.0, **FAST).name == "openkbp"


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("ct.csv", ",data\n12,abc\n", "ct.csv is damaged"),
        ("ct.csv", ",data\n12\x1b[31m,5\n", "damaged"),
        ("ct.csv", ",data\n2097152,5\n", "outside of 128"),
        ("ct.csv", ",data\n-1,5\n", "outside of 128"),
        ("ct.csv", ",data\n1.5,5\n", "outside of 128"),
        ("ct.csv", ",data\n12,nan\n", "no numbers"),
        ("ct.csv", "", "the body reads -1024 HU"),
        ("PTV70.csv", ",data\nx,\n", "PTV70.csv is damaged"),
        ("PTV70.csv", ",data\n99999999,\n", "outside of 128"),
        ("PTV70.csv", ",data\n", "the target PTV70 is empty"),
        ("voxel_dimensions.csv", "3.0 2.5", "three numbers"),
        ("voxel_dimensions.csv", "3.0 2.5 nan", "0.1 to 20"),
        ("voxel_dimensions.csv", "3.0 2.5 0", "0.1 to 20"),
        ("dose.csv", ",data\n12,5\n", "gives PTV70 0 Gy"),
    ],
)
def test_files_that_are_wrong(folder, tmp_path, name, content, word):
    broken = tmp_path / "pt_1"
    broken.mkdir()
    for path in folder.iterdir():
        if path.name != name:
            (broken / path.name).symlink_to(path)
    (broken / name).write_text(content)
    with pytest.raises(UsageError) as caught:
        read(broken, **FAST)
    said = str(caught.value)
    assert word in said, said
    assert "\x1b" not in said
    assert len(said) < 500


def test_a_file_that_is_too_large_is_not_read(folder, tmp_path):
    broken = tmp_path / "pt_1"
    broken.mkdir()
    for path in folder.iterdir():
        (broken / path.name).symlink_to(path)
    (broken / "ct.csv").unlink()
    with (broken / "ct.csv").open("wb") as file:
        file.truncate(10_000_000_000)
    with pytest.raises(UsageError, match="too large"):
        read(broken, **FAST)


def test_a_missing_file(folder, tmp_path):
    for name, other in (("voxel_dimensions", "ct"), ("ct", "voxel_dimensions")):
        part = tmp_path / other
        part.mkdir()
        (part / f"{other}.csv").symlink_to(folder / f"{other}.csv")
        with pytest.raises(UsageError, match=rf"there is no {name}\.csv"):
            read(part)


def test_what_is_optional_may_be_missing(folder, tmp_path):
    part = tmp_path / "pt_9"
    part.mkdir()
    for name in ("ct", "PTV70", "SpinalCord"):
        (part / f"{name}.csv").symlink_to(folder / f"{name}.csv")
    (part / "voxel_dimensions.csv").write_text(",".join(map(str, STEPS)))
    case = read(part, grid_mm=8.0, **FAST)
    assert case.reference is None
    assert case.names == ("PTV70", "SpinalCord", "Body")
