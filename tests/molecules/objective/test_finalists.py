"""Finalists: docked again with more care, both figures shown, and what is noise called noise."""

from __future__ import annotations

import csv
import math
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tgsci_molecules.objective.finalists as module
from tgsci.cli.main import main
from tgsci.errors import MeasurementError, UsageError
from tgsci.feedback import Feedback
from tgsci.loss import FunctionLoss
from tgsci.runs import directory as runs
from tgsci_molecules import DockingLoss, Settings
from tgsci_molecules.docking.vina import NOISE
from tgsci_molecules.objective.finalists import compared, finish, in_full

QUICK = Settings(exhaustiveness=1, max_evals=500, conformers=1)
DESIGN = ["molecules", "design", "--target", "ABL1", "--start", "CC(=O)Nc1ccc(O)cc1", "--exhaustiveness", "1"]
DESIGN += ["--max-evals", "500", "--conformers", "1", "--isomers", "1", "--box", "14", "--workers", "1"]
DESIGN += ["--engine", "rules", "--evals", "3", "--proposals", "2"]
#: Instead of the one: what is proposed may not fit into so small a box.
TWO = ["--start", "CC(=O)Nc1ccc(O)cc1", "CC(=O)Nc1ccccc1", "--evals", "2"]
#: The command line with a full setting of one second a molecule: long enough to be killed between two.
SLOWER = """
import sys
from dataclasses import replace
from tgsci.cli.main import main
from tgsci_molecules import Settings

def full(cls, target=None, settings=None):
    return replace(settings, exhaustiveness=2, max_evals=150_000)

Settings.full = classmethod(full)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def short_full(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The full setting takes minutes: here it is another fast one."""
    full = replace(QUICK, exhaustiveness=2, max_evals=1_000)
    monkeypatch.setattr(Settings, "full", classmethod(lambda cls, target=None, settings=None: full))
    return full


def test_the_full_objective_is_the_same_but_for_the_search() -> None:
    loss = DockingLoss("ABL1", QUICK, qed_weight=5.0)
    careful = in_full(loss)
    assert careful.settings == Settings(8, 0, conformers=1, whole_box=True)
    assert (careful.target, careful.qed_weight, careful.name) == (loss.target, 5.0, loss.name)
    assert careful.fingerprint != loss.fingerprint
    assert loss.settings == QUICK
    with pytest.raises(UsageError, match="no docking settings"):
        in_full(FunctionLoss(lambda value: 1.0, "length"))


def test_a_difference_within_the_noise_is_called_noise() -> None:
    assert "within the noise" in compared(-9.0, -9.0 - 0.9 * NOISE)
    assert compared(-9.0, -10.0) == "1.0 kcal/mol better than the fast search found"
    assert compared(-10.0, -9.0).startswith("1.0 kcal/mol worse")
    assert "only one" in compared(math.nan, -9.0)


class _Finishing:
    def __init__(self, finals: dict[int, Feedback], stop_after: int = 99) -> None:
        self.finals, self.stop_after, self.timeout = finals, stop_after, 0.0

    def each(self, function: Callable[[Any], Any], items: Sequence[Any], text: str, *, timeout: float) -> Iterator[Any]:
        self.timeout = timeout
        for number, item in enumerate(items):
            if number == self.stop_after:
                raise KeyboardInterrupt
            try:
                yield item, function(item)
            except MeasurementError as error:
                yield item, error

    def keep(self, trial: Any, feedback: Feedback, seconds: float = 0.0) -> None:
        self.finals[trial.number] = feedback


def run_of(loss: DockingLoss, values: Sequence[str]) -> Any:
    trials = [
        SimpleNamespace(number=n, value=value, feedback=loss.measure(value), first=None)
        for n, value in enumerate(values)
    ]
    ranking = SimpleNamespace(ranked=lambda: trials)
    return SimpleNamespace(loss=loss, problem=SimpleNamespace(loss=loss), trials=ranking, finals={})


@pytest.mark.slow
def test_a_finish_keeps_both_figures_and_goes_on_after_an_interruption(short_full: Settings) -> None:
    loss = DockingLoss("ABL1", QUICK)
    result = run_of(loss, ["CCO", "CCN", "CCCC"])
    with pytest.raises(KeyboardInterrupt):
        finish(result, _Finishing(result.finals, stop_after=1), count=2)  # type: ignore[arg-type]
    assert list(result.finals) == [0]
    first = result.finals[0]
    finish(result, _Finishing(result.finals), count=2)  # type: ignore[arg-type]
    assert list(result.finals) == [0, 1]
    assert result.finals[0] is first
    head = result.finals[1].text.splitlines()[0]
    assert head.startswith("FULL SETTING: vina -")
    assert f"; {result.trials.ranked()[1].feedback.metrics['vina']:.2f} in the search:" in head
    careful, first = in_full(loss), result.trials.ranked()[1].feedback
    assert result.finals[1].loss == careful.reconsider("CCN", careful.measure("CCN"), first).loss
    assert result.finals[1].loss <= careful.measure("CCN").loss


@pytest.mark.slow
def test_what_was_confirmed_during_the_run_is_not_docked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = DockingLoss("ABL1", QUICK)
    result = run_of(loss, ["CCO"])
    trial = result.trials.ranked()[0]
    trial.first, trial.feedback = trial.feedback, loss.reconsider("CCO", trial.feedback, trial.feedback)
    monkeypatch.setattr(DockingLoss, "measure", lambda self, value: pytest.fail(f"{value} is docked again"))
    finish(result, _Finishing(result.finals), count=1)  # type: ignore[arg-type]
    assert result.finals[0].loss == trial.feedback.loss
    assert result.finals[0].text.startswith("CONFIRMED DURING THE RUN: vina -")
    assert module.CHECK in result.finals[0].artifacts


def table(run: Path) -> list[dict[str, str]]:
    with (run / "molecules.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_run_ends_with_its_finalists_in_every_file(short_full: Settings, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main([*DESIGN, "--finalists", "1", "--run", str(run)]) == 0
    result = runs.load(run)
    assert result.best is not None
    assert list(result.finals) == [result.best.number]
    final = result.finals[result.best.number]
    assert final.metrics["vina"] < 0
    first, *others = table(run)
    assert float(first["finalist vina (kcal/mol)"]) == pytest.approx(final.metrics["vina"], abs=1e-3)
    assert first["finalist verdict"] == compared(result.best.feedback.metrics["vina"], final.metrics["vina"])  # type: ignore[union-attr]
    assert {row["finalist vina (kcal/mol)"] for row in others} == {""}
    assert f"CHECK of the pose: {first['finalist check']}." in final.text
    assert "REFINED in the rigid pocket" in final.text
    assert f"<finalist_check>\n{first['finalist check']}\n" in (run / "finalists.sdf").read_text()
    assert (run / "finalists.sdf").read_text().count("$$$$") == 1


def kept(run: Path) -> list[tuple[int, float]]:
    """Number and time of each finalist in the run's record."""
    try:
        with sqlite3.connect(f"{(run / 'run.db').as_uri()}?mode=ro", uri=True) as db:
            return db.execute("SELECT number, measured_at FROM finals ORDER BY measured_at").fetchall()
    except sqlite3.OperationalError:
        return []


@pytest.mark.slow
def test_a_run_that_is_killed_among_its_finalists_goes_on_there(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", SLOWER]
    process = subprocess.Popen(
        [*command, *DESIGN, *TWO, "--finalists", "2", "--run", str(run)], stderr=subprocess.PIPE, text=True
    )
    while not kept(run):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    process.kill()
    process.communicate()
    (before,) = kept(run)
    assert not (run / "finalists.sdf").exists()
    again = subprocess.run([*command, "runs", "resume", str(run)], capture_output=True, text=True, timeout=240)
    assert again.returncode == 0, again.stderr
    assert kept(run)[0] == before  # not measured again
    assert len(kept(run)) == 2
    assert len([row for row in table(run) if row["finalist vina (kcal/mol)"]]) == 2
    assert (run / "finalists.sdf").read_text().count("$$$$") == 2


def test_a_finalist_that_fails_is_kept_as_failed(short_full: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_of(DockingLoss("ABL1", QUICK), ["CCO"])

    def died(loss: object, measured: object, value: str) -> None:
        raise MeasurementError("the worker process died")

    monkeypatch.setattr(module, "_again", died)
    finish(result, _Finishing(result.finals), count=1)  # type: ignore[arg-type]
    assert result.finals[0].error == "the worker process died"


def test_no_finalists_where_none_are_wanted() -> None:
    result = run_of(DockingLoss("ABL1", QUICK), ["CCO"])
    finish(result, _Finishing(result.finals), count=0)  # type: ignore[arg-type]
    assert result.finals == {}
