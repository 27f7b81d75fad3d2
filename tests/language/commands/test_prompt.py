"""`tgsci language prompt`, as somebody types it."""

import json
from pathlib import Path

import pytest

import tgsci as tg
from tests.language.prompts import scripts
from tgsci.engine import Reply
from tgsci.engines.replay import RecordingEngine
from tgsci_language.prompts.job import absolute
from tgsci_language.prompts.problem import problem

TASK = """
domain = "language"
[language]
kind = "prompt"
data = "set.json"
split = [20, 40, 40]
instruction = "Answer the question."
[budget]
evaluations = 3
[run]
proposals = 1
ideas = 1
"""


@pytest.fixture
def task(tgsci, tmp_path):
    assert tgsci("language", "prompt", "set.toml", "--make", "object-counting", "--size", "100").returncode == 0
    (tmp_path / "tasks").mkdir()
    Path("set.json").rename(tmp_path / "tasks" / "set.json")
    path = tmp_path / "tasks" / "task.toml"
    path.write_text(TASK)
    return path


@pytest.fixture
def recordings(task, tmp_path):
    """Recordings of every reply that the search needs."""

    class Priced(scripts.Student):
        def complete(self, prompt, system="", images=()):
            return Reply(super().complete(prompt, system, images), usd=0.001, tokens_in=10, tokens_out=5)

    import tomllib

    table = absolute(tomllib.loads(task.read_text())["language"], task.parent)
    del table["kind"]
    student = RecordingEngine(Priced(scripts.split()), tmp_path / "student.jsonl")
    for budget in (3, 2):
        proposer = scripts.Proposer(scripts.SLOW, scripts.BEST)
        tg.solve(problem(table, student=student), engine=proposer, budget=budget, proposals=1, ideas=1)
    offered = scripts.Proposer(scripts.SLOW, scripts.BEST)
    lines = [json.dumps({"reply": str(offered("Give 1 different idea"))}) for _ in range(2)]
    (tmp_path / "strong.jsonl").write_text("\n".join(lines))  # in their order, to whatever is asked
    return [
        *("--engine", f"replay:{tmp_path / 'strong.jsonl'}"),
        *("--student", f"replay:{tmp_path / 'student.jsonl'}"),
    ]


@pytest.mark.slow
def test_the_better_instruction_is_found_and_the_verdict_is_said(tgsci, task, recordings):
    done = tgsci("language", "prompt", str(task), *recordings, "--run", "run")
    assert done.returncode == 0, done.stderr
    assert "20 train, 40 validation and 40 test examples; replies are scored by: last integer." in done.stderr
    assert scripts.BEST in done.stdout
    assert "Test, measured once: " in done.stdout
    assert "Test shows that the best instruction is better than the first one." in done.stdout
    assert "were dropped there. That saved" in done.stdout
    assert "Accuracy against calls" in Path("run/report.html").read_text()
    shown = tgsci("runs", "show", "run")
    assert shown.returncode == 0
    assert "test gain" in shown.stdout


@pytest.mark.slow
def test_a_run_goes_on_from_its_directory_in_another_place(tgsci, task, recordings, monkeypatch, tmp_path):
    assert tgsci("language", "prompt", str(task), *recordings, "--run", "run", "--evals", "2").returncode == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = tgsci("runs", "resume", str(tmp_path / "run"), "--evals", "3")
    assert again.returncode == 0, again.stderr
    assert scripts.BEST in again.stdout
    assert "Test shows that the best instruction is better than the first one." in again.stdout


@pytest.mark.slow
def test_a_task_is_a_job_too_and_its_files_are_beside_it(tgsci, task, recordings):
    engine, student = recordings[1], recordings[3]
    done = tgsci("run", str(task), "--engine", engine, "--student", student, "--run", "run")
    assert done.returncode == 0, done.stderr
    assert scripts.BEST in done.stdout


def test_a_task_may_be_its_table_alone(tgsci, task, recordings):
    table = task.read_text().partition("[language]")[2].partition("[budget]")[0].replace('kind = "prompt"', "")
    task.write_text(table)
    done = tgsci("language", "prompt", str(task), *recordings, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "1,040  instructions measured" in done.stdout  # 20 x 52


def test_a_dry_run_asks_nothing_and_counts(tgsci, task, recordings):
    done = tgsci("language", "prompt", str(task), *recordings, "--dry-run", "--student-concurrency", "4")
    assert done.returncode == 0, done.stderr
    assert "156  instructions measured" in done.stdout
    assert "80  test, at the end" in done.stdout
    assert "2  proposals, a round each" in done.stdout
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no student is named"),
        (["--student", "human"], "language has no rule editor"),
        (["--student", "human", "--engine", "human", "--minbatch", "3"], "did you mean minibatch"),
        (["--student", "human", "--engine", "human", "--scorer", "choice"], "has no choices"),
        (["--student", "human", "--engine", "human", "--split", "90", "5", "20"], "there are 100"),
        (["--student", "human", "--engine", "human", "--model-calls", "51"], "does not pay for one measurement, which"),
        (["--size", "5"], "--size goes with --make"),
        (["--student", "human", "--engine-concurrency", "2"], "--engine-concurrency goes with an engine"),
    ],
)
def test_bad_input_is_said_before_anything_is_asked(tgsci, task, arguments, message):
    done = tgsci("language", "prompt", str(task), *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert not Path("runs").exists()


def test_a_task_of_another_kind_is_refused(tgsci, tmp_path):
    Path("other.toml").write_text('domain = "molecules"\n')
    done = tgsci("language", "prompt", "other.toml")
    assert done.returncode == 2
    assert 'it needs domain = "language", and kind = "prompt" in [language]' in done.stderr


@pytest.mark.parametrize("name", ["object-counting", "word-sorting", "arithmetic"])
def test_a_made_set_comes_with_a_task_that_runs(tgsci, name):
    made = tgsci("language", "prompt", "mine.toml", "--make", name, "--seed", "3")
    assert made.returncode == 0
    assert len(json.loads(Path("mine.json").read_text())["examples"]) == 250
    planned = tgsci("language", "prompt", "mine.toml", "--student", "human", "--engine", "human", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "2,240  instructions measured" in planned.stdout
    assert tgsci("language", "prompt", "mine.toml", "--make", name).returncode == 2  # it is there already
