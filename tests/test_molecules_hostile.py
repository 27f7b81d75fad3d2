"""What goes wrong in a night: workers that crash or hang, a full disk, a power cut, spoiled targets and starts.

Real runs with real dockings. Nothing that was measured is lost, and every message says what happened.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

import tgsci
from tgsci.cli.main import main
from tgsci.feedback import Feedback
from tgsci_molecules import DockingLoss, RuleEditor, Settings, Target, domain

PARACETAMOL = "CC(=O)Nc1ccc(O)cc1"
CRASHES = "CCCCO"
HANGS = "CCCCN"
QUICK = Settings(exhaustiveness=1, max_evals=500, conformers=1, isomers=1, ring_conformers=1, box=12.0)
DOCKING = ["--exhaustiveness", "1", "--max-evals", "500", "--conformers", "1", "--isomers", "1", "--box", "12"]
OPTIONS = [*DOCKING, "--ring-conformers", "1", "--finalists", "0", "--engine", "rules", "--workers", "1"]
DESIGN = ["molecules", "design", "--target", "ABL1", "--start", PARACETAMOL, *OPTIONS]


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the command line in an empty directory, with a cache of its own."""

    def run(*words: str, cache: str = "cache", limit: int | None = None) -> subprocess.Popen[str]:
        def smaller_disk() -> None:
            if limit:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.Popen(
            [sys.executable, "-m", "tgsci", *words],
            cwd=tmp_path,
            env={**os.environ, "TGSCI_CACHE": str(tmp_path / cache) if cache else "", "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=smaller_disk,
        )

    return run


@pytest.fixture
def done(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*words: str, **how: object) -> subprocess.CompletedProcess[str]:
        process = start(*words, **how)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


def measured(run: Path) -> int:
    try:
        with sqlite3.connect(f"{(run / 'run.db').as_uri()}?mode=ro", uri=True) as db:
            return int(db.execute("SELECT count(*) FROM measurements").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def rows(run: Path) -> list[dict[str, str]]:
    """The table without the columns of time."""
    with (run / "molecules.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if "second" not in k} for row in csv.DictReader(file)]


class Fragile(DockingLoss):
    """One molecule takes the whole process down, another never ends."""

    def evaluate(self, value: str) -> Feedback:
        if value == CRASHES:
            os.kill(os.getpid(), signal.SIGSEGV)
        if value == HANGS:
            time.sleep(3600)
        return super().evaluate(value)


@pytest.mark.slow
def test_a_crash_and_a_hang_cost_one_trial_each(tmp_path: Path) -> None:
    loss = Fragile("ABL1", QUICK)
    loss.timeout = 15.0
    result = tgsci.minimize(
        loss,
        [PARACETAMOL, HANGS, CRASHES, "Cc1ccccc1"],
        RuleEditor(),
        budget=6,
        proposals=2,
        workers=2,
        run=tmp_path / "run",
    )
    assert result.stopped == "the budget of 6 evaluations is used up"
    errors = {trial.value: trial.feedback.error for trial in result.trials if trial.feedback and trial.feedback.error}
    assert "died" in str(errors.pop(CRASHES))
    assert "took longer than 15 s" in str(errors.pop(HANGS))
    assert not any("died" in str(error) or "longer" in str(error) for error in errors.values())
    assert {PARACETAMOL, "Cc1ccccc1"} <= {trial.value for trial in result.trials if trial.measured}
    assert result.best is not None
    assert result.best.value not in (CRASHES, HANGS)


@pytest.mark.slow
def test_a_run_that_is_killed_ends_like_one_that_was_not(
    start: Callable[..., subprocess.Popen[str]],
    done: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    finished = done(*DESIGN, "--evals", "4", "--proposals", "2", "--run", "whole", cache="one")
    assert finished.returncode == 0, finished.stderr
    process = start(*DESIGN, "--evals", "4", "--proposals", "2", "--run", "cut", cache="two")
    while measured(tmp_path / "cut") < 2:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.kill()
    process.communicate()
    before = measured(tmp_path / "cut")
    assert 2 <= before < 4
    resumed = done("runs", "resume", "cut", cache="two")
    assert resumed.returncode == 0, resumed.stderr
    assert rows(tmp_path / "cut") == rows(tmp_path / "whole")
    poses = [(tmp_path / run / "poses.sdf").read_text() for run in ("cut", "whole")]
    assert poses[0] == poses[1]


@pytest.mark.slow
def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(
    done: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    # A limit on the size of a file: what SQLite sees is a write that does not fit.
    stopped = done(*DESIGN, "--evals", "4", "--run", "r", cache="", limit=120_000)
    assert stopped.returncode not in (0, 130)
    assert "Traceback" not in stopped.stderr
    assert "cannot write into 'r'" in stopped.stderr
    before = measured(tmp_path / "r")
    assert before < 4
    resumed = done("runs", "resume", "r", cache="")
    assert resumed.returncode == 0, resumed.stderr
    assert measured(tmp_path / "r") == 4
    assert sum(line.startswith("$$$$") for line in (tmp_path / "r" / "poses.sdf").read_text().splitlines()) >= 1


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_costs_nothing(done: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    command = ("molecules", "dock", "--target", "ABL1", PARACETAMOL, *DOCKING, "--workers", "1")
    finished = done(*command, cache="/dev/null")
    assert finished.returncode == 0, finished.stderr
    assert PARACETAMOL in finished.stdout


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A target directory whose box lies in the solvent, 80 Angstrom from the protein."""
    directory = tmp_path / "own"
    directory.mkdir()
    source = Target("ABL1")
    shutil.copy(source.receptor, directory / "receptor.pdbqt")
    (directory / "receptor.pdb").write_text("END\n")
    names = ("receptor.pdbqt", "receptor.pdb")
    description = {
        "format": "tgsci target 1",
        "name": "OWN",
        "center": [source.center[0] + 80.0, source.center[1], source.center[2]],
        "box": [20.0, 20.0, 20.0],
        "chains": ["A"],
        "numbering": "as in the file",
        "files": {name: sha256((directory / name).read_bytes()).hexdigest() for name in names},
    }
    (directory / "target.json").write_text(json.dumps(description))
    return directory


def test_a_box_in_solvent_gives_no_score(
    own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(own.parent)
    assert main(["molecules", "design", "--target", "./own", "--start", PARACETAMOL, *OPTIONS, "--run", "r"]) == 2
    told = capsys.readouterr().err
    assert "lies in solvent" in told
    assert "tgsci molecules prepare" in told  # what to do about it
    assert not (own.parent / "r").exists()  # nothing was begun


@pytest.mark.parametrize("name", ["receptor.pdbqt", "receptor.pdb", "target.json"])
def test_a_truncated_target_starts_no_run(
    name: str, own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = own / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(tgsci.errors.UsageError, match=r"prepare|target"):
        domain.problem({"target": "./own", "start": PARACETAMOL})
    assert not (tmp_path / "runs").exists()


def test_one_bad_line_in_a_file_of_starts_is_named_before_anything_is_docked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "start.smi").write_text(f"{PARACETAMOL} paracetamol\nCc1ccccc1 toluene\nC1CC( broken\n")
    assert main(["molecules", "design", "--target", "ABL1", "--start", "start.smi", *OPTIONS, "--run", "r"]) == 2
    told = capsys.readouterr().err
    assert "line 3" in told
    assert "C1CC(" in told
    assert "paracetamol" not in told
    assert not (tmp_path / "r").exists()
