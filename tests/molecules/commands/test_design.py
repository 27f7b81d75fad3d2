"""`tgsci molecules design` and `tgsci molecules objectives`, as typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.molecules.commands.typed import run
from tgsci.cli.run import RunArguments, run_problem
from tgsci.errors import UsageError
from tgsci.runs import directory as runs
from tgsci.runs.domain import Problem
from tgsci.runs.result import Result
from tgsci_molecules.commands.design import read_limits
from tgsci_molecules.objective.metrics import kinds
from tgsci_molecules.objective.presets import PRESETS

QUICK = ["--exhaustiveness", "1", "--max-evals", "1000", "--conformers", "1", "--workers", "1", "--finalists", "0"]
QUICK += ["--engine", "rules", "--isomers", "1", "--proposals", "2", "--box", "14"]


@pytest.mark.slow
def test_a_run_keeps_to_its_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["--core", "Nc1nccc([*:1])n1", "--limit", "MW<=350", "--limit", "0<=cLogP<=4", "--avoid", "[Br]"]
    wanted += ["--advise", "no nitro groups, more polar", "--contact", "hbond Met318"]
    start = ["--target", "ABL1", "--start", "Nc1nccc(-c2ccccc2)n1"]
    assert run("design", *start, *wanted, "--evals", "4", "--run", str(tmp_path / "run"), *QUICK) == 0
    told = capsys.readouterr().err
    assert "understood as a limit: avoid nitro" in told
    assert "the rule editor cannot follow: 'more polar'" in told
    result = runs.load(tmp_path / "run")
    assert len([t for t in result.trials if t.measured]) >= 2  # so short a search finds no pose of some
    objective = result.problem.loss if result.problem else None
    for trial in result.trials:
        if trial.measured:
            assert trial.feedback is not None
            assert trial.feedback.violations["core"] == trial.feedback.violations["avoid nitro"] == 0
            assert objective.combine(trial.feedback.metrics) == trial.loss  # type: ignore[union-attr]
            assert "hbond Met318" in trial.feedback.violations
    assert result.header["config"]["limits"] == {"MW": [None, 350.0], "cLogP": [0.0, 4.0]}


@pytest.mark.slow
def test_several_targets_are_a_batch_with_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "start.smi").write_text("Cc1ccccc1 toluene\nc1ccncc1 pyridine\n")
    root = tmp_path / "batch"
    words = ["--target", "F2", "abl1", "--start", str(tmp_path / "start.smi"), "--evals", "2", "--run", str(root)]
    assert run("design", *words, *QUICK) == 0
    table = capsys.readouterr().out.partition("The best of every target:\n")[2].splitlines()
    assert table[0].split("\t")[:4] == ["target", "loss", "vina (kcal/mol)", "QED"]
    assert [row.split("\t")[0] for row in table[1:3]] == ["F2", "ABL1"]
    for name, row in zip(("F2", "ABL1"), table[1:3], strict=True):
        result = runs.load(root / name)
        assert result.best is not None
        assert row.split("\t")[1] == f"{result.best.loss:.2f}"
        assert [t.value for t in result.trials] == ["Cc1ccccc1", "c1ccncc1"]


def _interrupted_run(problem: Problem, arguments: RunArguments) -> Result:
    result = run_problem(problem, arguments)
    result.stopped = "interrupted"
    return result


@pytest.mark.slow
def test_an_interrupted_batch_says_how_all_of_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "batch"
    words = ["--target", "F2", "abl1", "--start", "Cc1ccccc1", "--evals", "1", "--run", str(root), *QUICK]
    with monkeypatch.context() as interrupted:
        interrupted.setattr("tgsci_molecules.commands.design.run_problem", _interrupted_run)
        assert run("design", *words) == 130
    assert f"The same command with --run {root} goes on with this target and all after it." in capsys.readouterr().err
    assert [path.name for path in root.iterdir()] == ["F2"]
    assert run("design", *words) == 0
    assert sorted(path.name for path in root.iterdir()) == ["ABL1", "F2"]


def test_everything_is_checked_before_the_first_target_of_a_batch(tmp_path: Path) -> None:
    root = tmp_path / "batch"
    with pytest.raises(UsageError, match="did you mean ABL1"):
        run("design", "--target", "F2", "ABL9", "--start", "CCO", "--run", str(root), *QUICK)
    assert not root.exists()


@pytest.mark.slow
def test_a_contact_may_be_for_one_target_of_a_batch(tmp_path: Path) -> None:
    root = tmp_path / "batch"
    words = ["--target", "abl1", "JAK2", "--start", "Cc1ccncc1", "--evals", "1", "--run", str(root), *QUICK]
    with pytest.raises(UsageError, match=r"JAK2 has no residue 'Met318'.*in one target only: .*'ABL1 hbond Met318'"):
        run("design", *words, "--contact", "hbond Met318")
    assert not root.exists()
    assert run("design", *words, "--contact", "ABL1 hbond Met318") == 0
    found = [runs.load(root / name).header["config"].get("contacts") for name in ("ABL1", "JAK2")]
    assert found == [["ABL1 hbond Met318"], None]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--start", "CCO"], "the key 'target' is missing"),
        (["--target", "ABL1", "--start", "CCO", "--objective", "dockstring-f2"], "docks into F2"),
        (["--start", "CCO", "--objective", "f2"], "There are:\n  dockstring"),
        (["--target", "ABL1", "--start", "a.smi", "CCO"], "one file, not both"),
        (["--target", "ABL1", "--start", "no.smi"], "no.smi"),
        (["--target", "ABL1", "--start", "CCO", "--limit", "MW"], "must be a metric, a sign and a number"),
        (["--target", "ABL1", "--start", "CCO", "--keep", "c1cc("], "not a SMARTS"),
        (["--target", "ABL1", "--start", "CCO", "--contact", "Met318"], "must be a kind and a residue"),
    ],
)
def test_bad_input_starts_nothing(words: list[str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=reason):
        run("design", *words, "--run", str(tmp_path / "x"), *QUICK)
    assert not (tmp_path / "x").exists()


def test_limits_are_read_as_they_are_written() -> None:
    texts = ["MW<=450", "MW >= 200", "1 <= cLogP <= 4.5", "rotatable bonds<8", "LCK vina >= -8.5", "formal charge>-1"]
    assert read_limits(texts) == {
        "MW": [200.0, 450.0],
        "cLogP": [1.0, 4.5],
        "rotatable bonds": [None, 8.0],
        "LCK vina": [-8.5, None],
        "formal charge": [-1.0, None],
    }
    for bad in ("MW", "MW=3", "<=3", "MW<=a", "5>=MW<=3", "5<=MW>=3", ""):
        with pytest.raises(UsageError, match="limit"):
            read_limits([bad])
    with pytest.raises(UsageError, match="given already"):
        read_limits(["MW<=450", "MW<=400"])


def test_what_can_be_optimised_is_listed_without_rdkit() -> None:
    code = (
        "import sys; from tgsci.cli.main import main; main(['molecules', 'objectives']); "
        "print('loaded', 'rdkit' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.endswith("loaded False\n")
    for name in (*PRESETS, *kinds(), "double_sigmoid", "geometric_mean"):
        assert f"\n  {name} " in printed
    assert max(len(line) for line in printed.splitlines()) <= 160
