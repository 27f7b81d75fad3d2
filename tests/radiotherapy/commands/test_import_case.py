"""`tgsci radiotherapy import`, as typed."""

from __future__ import annotations

import shlex
import shutil
import zipfile
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from tests.radiotherapy.commands.typed import run
from tgsci.errors import UsageError
from tgsci_radiotherapy import NOTICE
from tgsci_radiotherapy.case import open_case


def openkbp(folder: Path) -> Path:
    """A patient of 16 x 16 x 8 voxels as OpenKBP has them: flat indices of a 128^3 cube."""
    size = 128
    folder.mkdir()
    z, y, x = np.meshgrid(np.arange(8) + 40, np.arange(40) + 40, np.arange(40) + 40, indexing="ij")

    def indices(mask: Any) -> np.ndarray:
        return np.sort(np.ravel_multi_index((y[mask], x[mask], z[mask]), (size,) * 3))

    radius = np.hypot(y - 59.5, x - 59.5)
    body, target, cord = radius < 18, radius < 5, np.hypot(y - 69.5, x - 59.5) < 2
    ct = indices(body)
    (folder / "ct.csv").write_text(",data\n" + "".join(f"{i},1024.0\n" for i in ct))
    (folder / "voxel_dimensions.csv").write_text("3.9\n3.9\n2.5\n")
    for name, mask in {"PTV70": target, "SpinalCord": cord, "possible_dose_mask": body}.items():
        (folder / f"{name}.csv").write_text(",data\n" + "".join(f"{i},\n" for i in indices(mask)))
    return folder


def test_an_import_is_checked_written_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = openkbp(tmp_path / "pt_7")
    target = tmp_path / "head.zarr"
    options = ["--beams", "0,120,240", "--engine", "builtin"]
    assert run("import", source, target, *options) == 0
    printed = capsys.readouterr()
    assert "case head: 70 Gy in 35 fractions" in printed.out
    assert "pt_7" not in printed.out.split("next:")[0]
    assert printed.out.rstrip().endswith(NOTICE)
    (step,) = [line for line in printed.err.splitlines() if line.startswith("computing")]
    (note,) = [line for line in printed.err.splitlines() if "no external is drawn" in line]
    assert step.endswith(" ...")
    assert (note.startswith("note: "), note.endswith("...")) == (True, False)
    case = open_case(str(target))
    assert {"PTV70", "SpinalCord"} <= set(case.names)
    assert len(case.beams) == 3
    with pytest.raises(UsageError, match=r"head\.zarr exists already"):
        run("import", source, target, *options)
    assert run("import", source, target, *options, "--force", "--fractions", "30") == 0
    assert open_case(str(target)).fractions == 30


def test_the_next_command_can_be_pasted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "my case $HOME.zarr"
    run("import", openkbp(tmp_path / "pt"), target, "--beams", "0,120", "--engine", "builtin")
    line = next(line for line in capsys.readouterr().out.splitlines() if "next: " in line)
    words = shlex.split(line.partition("next: ")[2])
    assert words == ["tgsci", "radiotherapy", "plan", "--case", str(target), "--goals", "SHEET"]


def test_a_case_is_not_imported_again(place: Path, tmp_path: Path) -> None:
    for name in ("my case.zarr", "renamed"):
        shutil.copy(place / "small.zarr", tmp_path / name)
        with pytest.raises(UsageError, match=f"{name}' is a case of tgsci already.*use it with --case .*{name}"):
            run("import", tmp_path / name, tmp_path / "e.zarr")
    (tmp_path / "my case.zarr").write_bytes((place / "small.zarr").read_bytes()[:3000])  # the end, with the list, lost
    with pytest.raises(UsageError, match="is a case of tgsci already"):
        run("import", tmp_path / "my case.zarr", tmp_path / "e.zarr")
    with zipfile.ZipFile(tmp_path / "dicom.zip", "w") as file:
        file.writestr("1.dcm", "")
    with pytest.raises(UsageError, match="is a zip file; unpack it"):
        run("import", tmp_path / "dicom.zip", tmp_path / "e.zarr")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["case.dat"], "name it 'case.dat.zarr'"),
        (["no/case.zarr"], "there is no directory"),
        (["case.zarr", "--prescription", "PTV"], "'PTV' must be NAME=GY"),
        (["case.zarr", "--prescription", "PTV=many"], "--prescription PTV: 'many' is no number"),
        (["case.zarr", "--prescription", "PTV=7000"], "prescription of 'PTV' is 7000"),
        (["case.zarr", "--beams", "0,x"], "--beams: 'x' is no number"),
        (["case.zarr", "--grid", "3,3"], "grid_mm has 2 figures"),
        (["case.zarr", "--type", "Cord=organ"], "the type of 'Cord'"),
        (["case.zarr", "--bixel", "0.01"], "bixel_mm"),
        (["case.zarr", "--hu-table", "no.csv"], "the HU table 'no.csv' cannot be read"),
        (["case.zarr"], "nowhere|no such|not there|recognise"),
    ],
)
def test_a_wrong_import_writes_nothing(tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run("import", tmp_path / "nowhere", tmp_path / words[0], *words[1:])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_look_shows_the_structures_before_anything_is_calculated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = openkbp(tmp_path / "pt")
    assert run("import", source, "--look", tmp_path / "pictures") == 0
    assert sorted(file.name for file in (tmp_path / "pictures").iterdir()) == ["structures.html", "structures.png"]
    assert "no external is drawn; Body is the source's own: " in capsys.readouterr().out
    assert (tmp_path / "pictures" / "structures.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(UsageError, match="exists already"):
        run("import", source, "--look", tmp_path / "pictures")
    with pytest.raises(UsageError, match=r"--look writes \.html, \.png"):
        run("import", source, "--look", tmp_path / "picture.exe")
    with pytest.raises(UsageError, match=r"CASE\.zarr, or a picture"):
        run("import", source)


@pytest.mark.slow
def test_a_look_may_come_with_the_case(tmp_path: Path) -> None:
    case = tmp_path / "head.zarr"
    run("import", openkbp(tmp_path / "pt"), case, "--beams", "0,120", "--engine", "builtin", "--look")
    assert (tmp_path / "head-structures.html").is_file()
    assert (tmp_path / "head-structures.png").is_file()


def test_what_an_import_changed_is_kept_with_the_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = tmp_path / "head.zarr"
    more = ["--density", "cord=1.1", "--crop", "PTV70"]
    with pytest.raises(UsageError, match="no structure 'cord'"):
        run("import", openkbp(tmp_path / "pt"), case, "--beams", "0,120", "--engine", "builtin", *more)
    more[1] = "SpinalCord=1.1"
    run("import", tmp_path / "pt", case, "--beams", "0,120", "--engine", "builtin", *more)
    capsys.readouterr()
    run("cases", case)
    printed = capsys.readouterr().out
    assert "    - no external is drawn; Body is the source's own: " in printed
    assert "    - SpinalCord (3.7 cc) has the density 1.1 of water: 195 HU in place of 0 HU" in printed
    with pytest.raises(UsageError, match="--density SpinalCord: 'heavy' is no number"):
        run("import", tmp_path / "pt", case, "--force", "--density", "SpinalCord=heavy")


def test_how_the_patient_lies_can_be_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.radiotherapy.dicom_folder import usual_folder

    folder = usual_folder(tmp_path / "patient")
    words = ["import", folder.path, tmp_path / "a.zarr", "--beams", "0", "--engine", "builtin", "--grid", "6"]
    assert run(*words, "--position", "hfp", "--dose", "1", "--plan", "1", "--fill-gaps", "--any-frame") == 0
    assert "beams: 1 at gantry 180 degrees" in capsys.readouterr().out
    assert "lies HFP" in open_case(str(tmp_path / "a.zarr")).provenance["notes"]
    with pytest.raises(click.BadParameter, match="'XYZ' is not one of"):
        run(*words, "--position", "XYZ", "--force")
