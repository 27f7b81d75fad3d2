"""`tgsci radiotherapy plan`, as typed; and one real run on a built-in case."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.commands.typed import run
from tgsci import load
from tgsci.cli.main import main
from tgsci.errors import UsageError
from tgsci.runs import run as runs
from tgsci_radiotherapy import domain
from tgsci_radiotherapy.case.store import save
from tgsci_radiotherapy.commands.plan import read_prescription, summary
from tgsci_radiotherapy.notice import NOTICE

QUICK = ["--workers", "0", "--engine", "rules"]
MILD = 'goals = ["PTV D95% >= 46 Gy", "PTV D10% <= 56 Gy"]\n[prescription]\nPTV = 50\n'


def plan(*words: str) -> int:
    """The exit code of `tgsci radiotherapy plan` with these words, in this process."""
    return run("plan", *words)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save(small_case(), tmp_path_factory.mktemp("cases") / "small.zarr"))


@pytest.mark.slow
def test_a_run_ends_with_its_goals_its_files_and_the_notice(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mild.toml").write_text(MILD)
    directory = tmp_path / "run"
    assert (
        plan("--case", case, "--goals", str(tmp_path / "mild.toml"), "--run", str(directory), "--evals", "6", *QUICK)
        == 0
    )
    told = capsys.readouterr()
    assert NOTICE in told.err
    assert "PTV D95%" in told.err  # a line a plan, while it works
    assert "objectives" not in told.err, "the live lines tell edits, not JSON"
    end = told.out.splitlines()
    assert end[-1] == NOTICE
    assert "2 of 2 met" in told.out
    assert f"wrote {directory / 'plan.json'}" in told.out
    assert told.out.count('"objectives"') == 1, "the best plan's parameters stand there once"
    written = json.loads((directory / "plan.json").read_text())
    assert written["goals"]["passed"] is True
    assert (directory / "report.html").is_file()


@pytest.mark.slow
def test_where_goals_exclude_each_other_the_end_says_which(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "run"
    assert plan("--case", case, "--goals", "tg119-harder", "--run", str(directory), "--evals", "3", *QUICK) == 0
    told = capsys.readouterr().out
    assert "GOALS THAT WERE NOT MET TOGETHER" in told
    assert "Gy  fail" in told
    assert summary(load(directory)) in told
    assert load(directory).header["budget"]["evaluations"] == 3


@pytest.mark.slow
def test_options_reach_the_problem(case: str, tmp_path: Path) -> None:
    start = tmp_path / "start.json"
    start.write_text(
        json.dumps(
            {
                "objectives": [
                    {"structure": "PTV", "type": "squared_deviation", "dose_gy": 51, "weight": 9},
                    {"structure": "Body", "type": "squared_overdose", "dose_gy": 20, "weight": 1},
                ]
            }
        )
    )
    words = ["--case", case, "--goals", "tg119-easier", "--start", str(start), "--gap", "0.01", "--plan-seconds", "60"]
    assert plan(*words, "--optimizer", "random", "--evals", "2", "--workers", "0", "--run", str(tmp_path / "run")) == 0
    header = load(tmp_path / "run").header
    assert header["config"]["gap"] == 0.01
    assert header["config"]["seconds"] == 60
    assert header["optimizer"] == "random"
    assert json.loads(header["config"]["start"][0]) == json.loads(start.read_text())


@pytest.mark.slow
def test_the_papers_protocol_has_its_own_budget(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--case", case, "--goals", "tg119-harder", "--protocol", "textgrad-paper", "--run", str(tmp_path / "run")]
    assert plan(*words, *QUICK) == 0
    result = load(tmp_path / "run")
    assert result.header["budget"]["evaluations"] == 11
    assert len(result.trials) <= 11
    assert all(t.feedback.metrics["PTV D95%"] == pytest.approx(50, abs=0.01) for t in result.trials if t.feedback)
    assert "--optimizer optuna --evals 50" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--goals", "tg119-easier", "--case", "nowhere.zarr"], "nowhere.zarr"),
        (["--goals", "none"], "none"),
        (["--goals", "tg119-easier", "--gap", "2"], "gap must be a number"),
        (["--goals", "tg119-easier", "--prescription", "PTV"], "must be a target, = and total Gy"),
        (["--goals", "tg119-easier", "--prescription", "Core=40"], "Core is no target"),
        (["--goals", "tg119-easier", "--start", "nothing.json"], "cannot read 'nothing.json'"),
        (["--goals", "tg119-easier", "--optimizer", "cma"], "there is no optimizer 'cma'"),
    ],
)
def test_bad_input_starts_nothing(
    words: list[str], reason: str, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=reason):
        plan("--case", case, *words)
    assert not (tmp_path / "runs").exists(), "a directory was left behind"


def test_bad_input_is_one_line_and_exit_code_2(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["radiotherapy", "plan", "--case", case, "--goals", "tg119-easiest"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_prescriptions_are_read() -> None:
    assert read_prescription(["PTV=50", "PTV 60 = 60 Gy"]) == {"PTV": 50.0, "PTV 60": 60.0}
    with pytest.raises(UsageError, match="twice"):
        read_prescription(["PTV=50", "PTV=51"])


@pytest.mark.slow
def test_the_c_shape_meets_the_easier_goals_in_few_plans() -> None:
    problem = domain.problem({"case": "cshape", "goals": "tg119-easier"})
    result = runs.solve(problem, engine="rules", budget=5, workers=0)
    assert result.best is not None
    assert result.best.loss <= 0
    assert len(result.trials) <= 5
    metrics = result.best.feedback.metrics if result.best.feedback else {}
    assert metrics["PTV D95%"] >= 50
    assert metrics["PTV D10%"] <= 55
    assert metrics["Core D10%"] <= 25
