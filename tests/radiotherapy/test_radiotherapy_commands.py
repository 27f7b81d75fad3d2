"""`tgsci radiotherapy ...` as typed: evaluate, compare, export, cases, goals, import."""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tgsci as tg
from tests.radiotherapy.cases import small_case, tiny_case
from tgsci.errors import UsageError
from tgsci_radiotherapy import NOTICE, domain
from tgsci_radiotherapy.case import open_case, save
from tgsci_radiotherapy.commands.given import given, goals_of
from tgsci_radiotherapy.views.summary import HEADER, structure_rows


def typed(*words: object) -> int:
    """The exit code of `tgsci radiotherapy` with these words."""
    parser = argparse.ArgumentParser()
    domain.add_commands(parser.add_subparsers())
    namespace = parser.parse_args([str(word) for word in words])
    code: int = namespace.run(namespace)
    return code


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a case, `small.zarr`, and a run on it, `run`."""
    root = tmp_path_factory.mktemp("commands")
    save(small_case(), root / "small.zarr")
    problem = domain.problem({"case": str(root / "small.zarr"), "goals": "tg119-easier"})
    tg.solve(problem, engine="rules", budget=2, workers=0, run=root / "run")
    return root


def table(printed: str) -> list[list[str]]:
    """The lines of a tab-separated table."""
    return [line.split("\t") for line in printed.splitlines() if "\t" in line]


# -- evaluate ------------------------------------------------------------------------------------------------


def test_a_run_knows_its_case_and_its_goals(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = typed("evaluate", place / "run")
    printed = capsys.readouterr().out
    assert "GOALS tg119-easier on small, dose grid 4 x 4 x 4 mm" in printed
    assert printed.rstrip().endswith(NOTICE)
    wanted = json.loads((place / "run" / "goals.json").read_text())
    assert code == (0 if wanted["met"] == wanted["evaluated"] else 1)


def test_the_exit_code_says_whether_the_goals_are_met(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for limit, tolerance, code in ((1, 0, 0), (60, 0, 1), (60, 40, 0)):
        sheet = tmp_path / "sheet.toml"
        sheet.write_text(f'goals = ["PTV D95% >= {limit} Gy, tolerance {tolerance} Gy"]\n[prescription]\nPTV = 50\n')
        assert typed("evaluate", place / "run", "--goals", sheet) == code
    assert "tolerance 40 Gy" in capsys.readouterr().out


def test_json_says_the_same_as_the_table(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed("evaluate", place / "run" / "plan.json", "--robust", "--shift", "4", "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["notice"] == NOTICE
    plan = given(place / "run")
    assert said["fingerprint"] == small_case().fingerprint == plan.case.fingerprint
    d95 = next(goal["value"] for goal in said["goals"] if goal["metric"] == "D95%")
    own = np.sort(plan.dose[plan.case.rows("PTV")])
    assert own[0] <= d95 <= own[len(own) // 10]
    assert said["robustness"]["shift_mm"] == 4
    assert said["robustness"]["method"] == "cloud"  # this case is not a built-in one


def test_a_goal_that_a_shift_loses_fails_with_robust_only(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = given(place / "run")
    limit = np.percentile(plan.dose[plan.case.rows("Core")], 90) * 1.05
    sheet = tmp_path / "sheet.toml"
    sheet.write_text(f'goals = ["Core D10% <= {limit:.2f} Gy"]\n[prescription]\nPTV = 50\n')
    assert typed("evaluate", place / "run", "--goals", sheet) == 0
    assert typed("evaluate", place / "run", "--goals", sheet, "--robust") == 1
    assert "are lost within 3 mm: Core D10%" in capsys.readouterr().out


def test_pictures_are_written_and_never_over_others(place: Path, tmp_path: Path) -> None:
    files = ["--dvh", tmp_path / "d.svg", "--wash", tmp_path / "w.png"]
    typed("evaluate", place / "run", *files)
    assert (tmp_path / "d.svg").read_text().lstrip().startswith("<?xml")
    assert (tmp_path / "w.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match=r"d\.svg exists already"):
        typed("evaluate", place / "run", *files)
    assert typed("evaluate", place / "run", *files, "--force") in (0, 1)
    with pytest.raises(UsageError, match=r"\.png or \.svg"):
        typed("evaluate", place / "run", "--dvh", tmp_path / "d.pdf")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("nothing.json", "there is no file .*nothing.json"),
        ("", "a directory without a plan.json"),
        ("small.zarr", "neither a plan .* nor an RTDOSE|a directory without a plan.json"),
        ("broken.json", "broken.json: not a plan file, but broken JSON"),
        ("other.json", "other.json: not a plan file: the key 'tgsci_plan' is missing"),
        ("bytes.json", "bytes.json: a plan file is UTF-8 text"),
        ("stranger.json", "stranger.json: the plan was made for another case"),
        ("negative.json", "negative.json: the plan file's fluence"),
        ("dose.dcm", "dose.dcm is no RTDOSE"),
    ],
)
def test_what_is_no_plan_of_this_case_is_named(place: Path, what: str, message: str) -> None:
    plan = json.loads((place / "run" / "plan.json").read_text())
    (place / "broken.json").write_text("{")
    (place / "other.json").write_text("{}")
    (place / "bytes.json").write_bytes(b"\xff\xfe{")
    (place / "dose.dcm").write_bytes(b"no DICOM at all")
    stranger = {**plan, "case": {"name": "elsewhere", "fingerprint": "0" * 64}}
    (place / "stranger.json").write_text(json.dumps(stranger))
    (place / "negative.json").write_text(json.dumps({**plan, "fluence": [-1.0, *plan["fluence"][1:]]}))
    with pytest.raises(UsageError, match=message):
        typed("evaluate", place / what, "--case", place / "small.zarr", "--goals", "tg119-easier")


def test_a_run_that_was_killed_is_to_be_resumed_first(place: Path, tmp_path: Path) -> None:
    run = tmp_path / "my run"
    run.mkdir()
    shutil.copy(place / "run" / "run.db", run)
    with pytest.raises(UsageError, match=r"is not finished and has no plan\.json yet.*tgsci runs resume '.*/my run'$"):
        typed("compare", place / "run", run)
    shutil.copy(place / "run" / "plans.csv", run)  # it ended, and its record is all that it has to say
    with pytest.raises(UsageError, match=r"none of its plans could be measured.*tgsci runs resume '.*/my run'$"):
        typed("compare", run, place / "run")


def test_what_a_plan_calls_its_case_is_never_opened_as_a_file(place: Path, tmp_path: Path) -> None:
    plan = json.loads((place / "run" / "plan.json").read_text())
    plan["case"]["name"] = str(place / "small.zarr")
    (tmp_path / "moved.json").write_text(json.dumps(plan))
    with pytest.raises(UsageError, match=r"say which file that is: --case CASE\.zarr"):
        typed("evaluate", tmp_path / "moved.json", "--goals", "tg119-easier")
    assert typed("evaluate", tmp_path / "moved.json", "--goals", "tg119-easier", "--case", place / "small.zarr") in (
        0,
        1,
    )
    plan["goals"]["sheet"] = "../../etc/passwd"
    (tmp_path / "moved.json").write_text(json.dumps(plan))
    with pytest.raises(UsageError, match="which goals"):
        typed("evaluate", tmp_path / "moved.json", "--case", place / "small.zarr")


def test_a_run_with_another_prescription_is_evaluated_as_it_was_planned(tmp_path: Path) -> None:
    save(small_case(), tmp_path / "small.zarr")
    config = {"case": str(tmp_path / "small.zarr"), "goals": "tg119-easier", "prescription": {"PTV": 48.0}}
    tg.solve(domain.problem(config), engine="rules", budget=1, workers=0, run=tmp_path / "run")
    found = given(tmp_path / "run")
    assert found.case.prescription == 48.0
    assert goals_of(found).prescriptions["PTV"] == 48.0
    assert typed("evaluate", tmp_path / "run") in (0, 1)


# -- compare -------------------------------------------------------------------------------------------------


def test_two_plans_side_by_side(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = json.loads((place / "run" / "plan.json").read_text())
    plan["fluence"] = [0.9 * x for x in plan["fluence"]]
    (tmp_path / "lower.json").write_text(json.dumps(plan))
    case = place / "small.zarr"
    assert typed("compare", place / "run", tmp_path / "lower.json", "--case", case, "--dvh", tmp_path / "d.png") == 0
    printed = capsys.readouterr().out
    header, *rows = table(printed)
    assert header == ["goal", "priority", "run", "status", "lower", "status", "change"]
    first, second = (float(rows[0][i].removesuffix(" Gy")) for i in (2, 4))
    assert second == pytest.approx(0.9 * first, rel=1e-3)
    assert rows[0][6] == f"{second - first:+.2f} Gy"
    assert "gamma 3% / 2 mm (global)" in printed
    assert printed.rstrip().endswith(NOTICE)
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")


def test_a_plan_agrees_with_its_own_rtdose(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("export", place / "run", "--rtdose", tmp_path / "dose.dcm") == 0
    capsys.readouterr()
    assert typed("compare", tmp_path / "dose.dcm", place / "run", "--json", "--gamma", "1/1", "--local") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["gamma"]["pass_rate"] == 100.0
    assert said["gamma"]["local"] is True
    a, b = (said["plans"][name]["goals"] for name in ("dose", "run"))
    assert [goal["value"] for goal in a] == pytest.approx([goal["value"] for goal in b], abs=1e-4)


def test_what_cannot_be_compared_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=r"--gamma is PERCENT/MM.*'3%2mm'"):
        typed("compare", place / "run", place / "run", "--gamma", "3%2mm")
    with pytest.raises(UsageError, match="came without a dose of its own"):
        typed("compare", place / "run", "reference", "--gamma", "0")
    assert typed("compare", place / "run", place / "run", "--gamma", "0") == 0
    assert "A run" in table(capsys.readouterr().out)[0]


# -- export --------------------------------------------------------------------------------------------------


def test_the_files_say_what_the_plan_has(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pydicom

    names = {"rtdose": "d.dcm", "csv": "g.csv", "json": "g.json", "dvh": "d.png", "wash": "w.png"}
    words = [word for name, file in names.items() for word in (f"--{name}", tmp_path / file)]
    assert typed("export", place / "run", *words) == 0
    assert NOTICE in capsys.readouterr().out
    plan = given(place / "run")
    data = pydicom.dcmread(tmp_path / "d.dcm")
    assert data.Modality == "RTDOSE"
    assert (str(data.PatientName), str(data.PatientID)) != ("run", "run")
    cube = data.pixel_array * float(data.DoseGridScaling)
    assert cube == pytest.approx(plan.case.cube(plan.dose), abs=1e-4)
    goals = json.loads((tmp_path / "g.json").read_text())
    with (tmp_path / "g.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["value"]) for row in rows] == pytest.approx([g["value"] for g in goals["goals"]], rel=1e-5)
    assert {row["grid"] for row in rows} == {str(plan.case.grid)}
    with pytest.raises(UsageError, match="exists already"):
        typed("export", place / "run", *words)


def test_nothing_is_written_where_a_word_is_wrong(place: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a file to write"):
        typed("export", place / "run")
    with pytest.raises(UsageError, match="there is no directory"):
        typed("export", place / "run", "--csv", tmp_path / "g.csv", "--rtdose", tmp_path / "no" / "d.dcm")
    with pytest.raises(UsageError, match="--patient-from goes with --rtdose"):
        typed("export", place / "run", "--csv", tmp_path / "g.csv", "--patient-from", tmp_path / "x.dcm")
    with pytest.raises(UsageError, match="no sheet of goals is called"):
        typed("export", place / "run", "--csv", tmp_path / "g.csv", "--goals", "nowhere")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "options"),
    [("export", ["rtdose", "csv", "json", "dvh", "wash"]), ("compare", ["dvh"]), ("evaluate", ["dvh", "wash"])],
)
def test_a_place_that_takes_no_file_is_named_before_any_work(
    place: Path, monkeypatch: pytest.MonkeyPatch, command: str, options: list[str]
) -> None:
    def none(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    inputs = ["nothing.json"] * (2 if command == "compare" else 1)  # would be named if it were looked at
    for option in options:
        with pytest.raises(UsageError, match=r"there is no directory .*no to write a\.png into"):
            typed(command, *inputs, f"--{option}", place / "no" / "a.png")
        with pytest.raises(UsageError, match=r"a+ cannot be written"):
            typed(command, *inputs, f"--{option}", place / f"{'a' * 300}.png")
        with monkeypatch.context() as patch:
            patch.setattr("tempfile.mkstemp", none)  # as in /proc
            with pytest.raises(UsageError, match=r"cannot write a\.png into the directory .*no file can be made"):
                typed(command, *inputs, f"--{option}", place / "a.png")
    assert not list(place.glob(".a.png*"))


def test_a_run_leaves_its_files_and_explains_every_column(place: Path) -> None:
    run = place / "run"
    with (run / "plans.csv").open() as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        titles = list(reader.fieldnames or ())
    with (run / "columns.csv").open() as file:
        explained = {row["column"] for row in csv.DictReader(file) if row["file"] == "plans.csv" and row["meaning"]}
    assert set(titles) == explained
    assert [row["rank"] for row in rows] == [str(i) for i in range(1, len(rows) + 1)]
    assert float(rows[0]["loss"]) <= float(rows[-1]["loss"])
    assert json.loads(rows[0]["parameters"])["objectives"]
    best = json.loads((run / "plan.json").read_text())
    assert best["goals"]["met"] == int(float(rows[0]["goals met"]))
    assert "static dose cloud" in (run / "robustness.txt").read_text()
    assert "SENSITIVITIES" in (run / "page.txt").read_text()


# -- cases and goals ------------------------------------------------------------------------------------------


def test_cases_are_listed_and_looked_into(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("cases") == 0
    assert [row[0] for row in table(capsys.readouterr().out)] == ["case", "cshape", "prostate"]
    assert typed("cases", place / "small.zarr") == 0
    printed = capsys.readouterr().out
    rows = {row[0]: row for row in table(printed)[1:]}
    assert rows["PTV"][1:3] == ["target", "50"]
    assert printed.startswith("case small: 50 Gy in 25 fractions, 2 Gy a fraction, photons")
    assert typed("cases", place / "small.zarr", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fingerprint"] == small_case().fingerprint
    assert [s["voxels"] for s in said["structures"]] == [len(s.voxels) for s in small_case().structures]


def test_overlaps_are_said_with_who_owns_them() -> None:
    rows = {row[0]: row for row in structure_rows(tiny_case())}  # voxels of 1 cc; one is both in PTV and OAR
    assert rows["PTV"][5:8] == ["4", "4", "OAR 1.0 cc"]
    assert rows["OAR"][5:8] == ["4", "3", "PTV 1.0 cc"]
    assert rows["Body"][7] == ""


@pytest.mark.parametrize(
    ("drawn", "remark"),
    [
        (4.0, ""),
        (3.85, ""),
        (3.5, "14% larger on the grid, which goals use"),
        (4.3, "7.0% smaller on the grid, which goals use"),
    ],
)
def test_volumes_are_shown_as_drawn_and_as_goals_use_them(drawn: float, remark: str) -> None:
    case = tiny_case()
    ptv = replace(case.structure("PTV"), volume_cc=drawn)
    case = replace(case, structures=tuple(ptv if s.name == "PTV" else s for s in case.structures))
    row = next(dict(zip(HEADER, row, strict=True)) for row in structure_rows(case) if row[0] == "PTV")
    assert (row["drawn (cc)"], row["on the grid (cc)"], row["remark"]) == (f"{drawn:.1f}", "4.0", remark)


def test_a_case_that_is_damaged_or_not_there_is_named(place: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        typed("cases", tmp_path / "nowhere.zarr")
    broken = tmp_path / "broken.zarr"
    content = bytearray((place / "small.zarr").read_bytes())
    content[len(content) // 2] ^= 0xFF
    broken.write_bytes(bytes(content[: len(content) * 3 // 4]))
    with pytest.raises(UsageError, match="broken"):
        typed("cases", broken)


def test_sheets_are_listed_printed_and_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("goals") == 0
    names = [row[0] for row in table(capsys.readouterr().out)[1:]]
    assert {"tg119-easier", "tg119-harder", "prostate-70.2", "quantec-prostate", "quantec-head-and-neck"} <= set(names)
    for name in names:
        assert typed("goals", name) == 0
        assert "source: " in capsys.readouterr().out
    assert typed("goals", "tg119-easier", "--toml") == 0
    (tmp_path / "mine.toml").write_text(capsys.readouterr().out)
    assert typed("goals", tmp_path / "mine.toml") == 0
    assert "PTV D95% >= 50 Gy" in capsys.readouterr().out
    with pytest.raises(UsageError, match="did you mean tg119-easier"):
        typed("goals", "tg119-easyer")
    with pytest.raises(UsageError, match="name it"):
        typed("goals", "--toml")


def test_goals_are_bound_to_a_case(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("goals", "tg119-easier", "--case", place / "small.zarr") == 0
    assert "on the case small:" in capsys.readouterr().out
    with pytest.raises(UsageError, match="prostate"):
        typed("goals", "prostate-70.2", "--case", place / "small.zarr")


# -- import --------------------------------------------------------------------------------------------------


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
    assert typed("import", source, target, *options) == 0
    printed = capsys.readouterr()
    assert "case head: 70 Gy in 35 fractions" in printed.out
    assert "pt_7" not in printed.out.split("next:")[0]
    assert printed.out.rstrip().endswith(NOTICE)
    assert "..." in printed.err
    case = open_case(str(target))
    assert {"PTV70", "SpinalCord"} <= set(case.names)
    assert len(case.beams) == 3
    with pytest.raises(UsageError, match=r"head\.zarr exists already"):
        typed("import", source, target, *options)
    assert typed("import", source, target, *options, "--force", "--fractions", "30") == 0
    assert open_case(str(target)).fractions == 30


def test_the_next_command_can_be_pasted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "my case $HOME.zarr"
    typed("import", openkbp(tmp_path / "pt"), target, "--beams", "0,120", "--engine", "builtin")
    line = next(line for line in capsys.readouterr().out.splitlines() if "next: " in line)
    words = shlex.split(line.partition("next: ")[2])
    assert words == ["tgsci", "radiotherapy", "plan", "--case", str(target), "--goals", "SHEET"]


def test_a_case_is_not_imported_again(place: Path, tmp_path: Path) -> None:
    for name in ("my case.zarr", "renamed"):
        shutil.copy(place / "small.zarr", tmp_path / name)
        with pytest.raises(UsageError, match=f"{name}' is a case of tgsci already.*use it with --case .*{name}"):
            typed("import", tmp_path / name, tmp_path / "e.zarr")
    (tmp_path / "my case.zarr").write_bytes((place / "small.zarr").read_bytes()[:3000])  # the end, with the list, lost
    with pytest.raises(UsageError, match="is a case of tgsci already"):
        typed("import", tmp_path / "my case.zarr", tmp_path / "e.zarr")
    with zipfile.ZipFile(tmp_path / "dicom.zip", "w") as file:
        file.writestr("1.dcm", "")
    with pytest.raises(UsageError, match="is a zip file; unpack it"):
        typed("import", tmp_path / "dicom.zip", tmp_path / "e.zarr")


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
        (["case.zarr"], "nowhere|no such|not there|recognise"),
    ],
)
def test_a_wrong_import_writes_nothing(tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        typed("import", tmp_path / "nowhere", tmp_path / words[0], *words[1:])
    assert not list(tmp_path.iterdir())


def test_no_command_needs_numpy_to_be_listed() -> None:
    import subprocess
    import sys

    code = (
        "import argparse, sys; from tgsci_radiotherapy import domain; "
        "domain.add_commands(argparse.ArgumentParser().add_subparsers()); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "numba", "scipy", "zarr", "pydicom", "matplotlib", "optuna", "pymedphys", "skimage", "rich"}
    assert not heavy & set(loaded)


def test_without_the_extra_a_command_says_how_to_install_it() -> None:
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['numpy'] = None; from tgsci.cli.main import main; "
        "sys.exit(main(['radiotherapy', 'cases', 'prostate']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2, "tgsci: this needs the package numpy: pip install 'tgsci[radiotherapy]'\n"
    )  # fmt: skip


def test_the_directory_of_a_run_can_be_moved(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "run", tmp_path / "elsewhere")
    assert given(tmp_path / "elsewhere").label == "elsewhere"
