"""`tgsci language code`, as typed: a task, a published set, and what is said before anything is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.language.code.tasks import AREA, WRONG_AREA
from tgsci import load

Typed = Callable[..., "CompletedProcess[str]"]

TASK = """
signature = "def area(w, h)"
statement = "Compute the area."
visible = ["area(2, 3) == 6", "area(1, 1) == 1"]
hidden = ["area(5, 7) == 35"]
seconds = 1.0

[budget]
evaluations = 6
"""
TIMED = """
signature = "def total(n)"
statement = "Sum the whole numbers below n."
visible = ["total(10) == 45", "total(300_000) == 44999850000"]
start = '''
def total(n):
    found = 0
    for i in range(n):
        found += i
    return found
'''
minimise = "time"
repeats = 2
"""
HUMANEVAL = [
    {
        "task_id": "HumanEval/0",
        "prompt": 'def double(x):\n    """Double a number.\n    >>> double(2)\n    4\n    """\n',
        "entry_point": "double",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(3) == 6\n    assert candidate(-1) == -2\n",
    },
    {
        "task_id": "HumanEval/1",
        "prompt": 'def last(x):\n    """Give the last item.\n    >>> last([1])\n    1\n    """\n',
        "entry_point": "last",
        "canonical_solution": "    return x[-1]\n",
        "test": "def check(candidate):\n    assert candidate([1, 2]) == 2\n    assert candidate('ab') == 'b'\n",
    },
]


@pytest.fixture
def task(tmp_path: Path) -> Path:
    path = tmp_path / "task.toml"
    path.write_text(TASK)
    return path


def replies(path: Path, *texts: str) -> str:
    """Write a recording of replies; the name of the engine that plays it."""
    path.write_text("".join(json.dumps({"reply": text}) + "\n" for text in texts))
    return f"replay:{path}"


def ideas(*codes: str) -> str:
    return "\n".join(
        f"IDEA {n} | FROM 0 | ROLE refine | EXPECT 0\nCHANGE: try\nREASON: the tests say so\n<VALUE>\n{code}</VALUE>"
        for n, code in enumerate(codes, 1)
    )


def fenced(code: str) -> str:
    return f"So:\n```python\n{code}\n```\n"


def test_a_task_is_run_and_its_hidden_tests_stand_at_the_end(tgsci: Typed, task: Path, tmp_path: Path) -> None:
    engine = replies(tmp_path / "replies.jsonl", *[ideas(WRONG_AREA, AREA, AREA + "# a\n", AREA + "# b\n")] * 3)
    done = tgsci(
        "language", "code", str(task), "--engine", engine, "--run", "run", "--proposals", "1", "--workers", "0"
    )
    assert done.returncode == 0, done.stderr
    assert "The search is driven by 2 visible tests." in done.stderr
    assert "Run once, at the end, on the best solution: 1 hidden test." in done.stderr
    assert "Code runs in a sandbox: bubblewrap" in done.stderr
    assert done.stdout.endswith("2 of 2 visible tests pass.\nHidden tests: 1 of 1 pass.\n")
    assert (tmp_path / "run" / "solution.py").read_text() == AREA
    assert load(tmp_path / "run").header["ideas"] == 4


def test_a_finished_run_is_shown_again_and_nothing_is_asked(tgsci: Typed, task: Path, tmp_path: Path) -> None:
    engine = replies(tmp_path / "replies.jsonl", ideas(WRONG_AREA, AREA, AREA + "# a\n", AREA + "# b\n"))
    words = ("language", "code", str(task), "--run", "run", "--workers", "0")
    assert tgsci(*words, "--engine", engine).returncode == 0
    again = tgsci(*words, "--engine", replies(tmp_path / "empty.jsonl", "nothing"))
    assert again.returncode == 0, again.stderr
    assert "Hidden tests: 1 of 1 pass." in again.stdout
    assert tgsci("runs", "resume", "run").returncode == 0


@pytest.mark.slow
def test_the_same_command_goes_on_with_a_timed_run(tgsci: Typed, tmp_path: Path) -> None:
    (tmp_path / "task.toml").write_text(TIMED)
    codes = [f"def total(n):\n    return sum(range({k} * n // {k}))\n" for k in range(1, 5)]
    engine = replies(tmp_path / "replies.jsonl", *[ideas(*codes)] * 3)
    words = ("language", "code", "task.toml", "--run", "run", "--workers", "0", "--engine", engine, "--proposals", "1")
    assert tgsci(*words, "--evals", "2").returncode == 0
    again = tgsci(*words, "--evals", "3")
    assert again.returncode == 0, again.stderr
    assert "3 evaluations" in again.stdout
    assert "Run time:" in again.stdout


def test_without_an_engine_it_says_who_may_propose(tgsci: Typed, task: Path) -> None:
    done = tgsci("language", "code", str(task))
    assert done.returncode == 2
    for words in ("no rule editor", "human", "replay:FILE", "local server"):
        assert words in done.stderr
    assert not Path("runs").exists()


def test_a_dry_run_shows_the_prompt_and_asks_nothing(tgsci: Typed, task: Path, tmp_path: Path) -> None:
    engine = replies(tmp_path / "replies.jsonl", "never")
    done = tgsci("language", "code", str(task), "--engine", engine, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "area(2, 3) == 6" in done.stdout
    assert "area(5, 7)" not in done.stdout
    assert "nothing was asked now" in done.stdout
    assert not Path("runs").exists()


def test_without_a_sandbox_every_report_says_so(tgsci: Typed, task: Path, tmp_path: Path) -> None:
    engine = replies(tmp_path / "replies.jsonl", *[ideas(AREA, WRONG_AREA)] * 4)
    done = tgsci("language", "code", str(task), "--engine", engine, "--unsafe-local", "--run", "run", "--workers", "0")
    assert done.returncode == 0, done.stderr
    assert "WARNING: code that a model writes runs without a sandbox here" in done.stderr
    assert "runs without a sandbox here" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("visible =", "visibel ="), "unknown key 'visibel' in 'task.toml'; did you mean visible?"),
        (("area(5, 7) == 35", "area(2, 3) == 6"), "what is visible cannot be hidden"),
        (("area(2, 3) == 6", "area(2, x) == 6"), "visible test 1 must hold literals only"),
        (("seconds = 1.0", "reference = 'def area(w, h): return 1'"), "the reference solution fails test 1"),
        (
            ("seconds = 1.0", "seconds = 0.2\nreference = 'def area(w, h): return [0 for _ in iter(int, 1)]'"),
            "the time limit",
        ),
        (("evaluations", "evaluatons"), "unknown key 'evaluatons' in [budget]"),
        (("[budget]", "[budget"), "is no valid TOML"),
        (("signature", 'domain = "molecules"\nsignature'), "unknown key 'signature'"),
    ],
)
def test_a_bad_task_is_refused_before_anything(
    tgsci: Typed, tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    (tmp_path / "task.toml").write_text(TASK.replace(*change, 1))
    done = tgsci("language", "code", "task.toml", "--engine", replies(tmp_path / "r.jsonl", "never"))
    assert done.returncode == 2
    assert says in done.stderr
    assert not Path("runs").exists()


def test_a_job_file_of_a_code_task_is_taken_too(tgsci: Typed, tmp_path: Path) -> None:
    head, _, budget = TASK.partition("[budget]")
    (tmp_path / "job.toml").write_text(f'domain = "language"\n[language]\nkind = "code"\n{head}\n[budget]{budget}')
    engine = replies(tmp_path / "replies.jsonl", *[ideas(AREA, WRONG_AREA)] * 4)
    for command in (("language", "code"), ("run",)):
        done = tgsci(*command, "job.toml", "--engine", engine, "--workers", "0")
        assert done.returncode == 0, done.stderr
        assert "return w * h" in done.stdout


@pytest.mark.slow
def test_a_published_set_gives_pass_at_k_and_goes_on(tgsci: Typed, tmp_path: Path) -> None:
    (tmp_path / "humaneval.jsonl").write_text("\n".join(map(json.dumps, HUMANEVAL)))
    right, wrong = "def double(x):\n    return x + x\n", "def double(x):\n    return 4\n"
    texts = [fenced(right), fenced(wrong), fenced("def last(x):\n    return 0\n"), "no code at all"]
    texts += [ideas("def last(x):\n    return x[-1]\n", "def last(x):\n    return x[0]\n")] * 8
    engine = replies(tmp_path / "replies.jsonl", *texts)
    words = ["language", "code", "--set", "humaneval.jsonl", "--engine", engine, "--samples", "2", "--run", "set"]
    done = tgsci(*words, "--workers", "0")
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines() if line.startswith("HumanEval/")]
    assert rows == [
        ["HumanEval/0", "2", "2", "1", "yes", "yes", "2"],
        ["HumanEval/1", "2", "0", "0", "yes", "yes", rows[1][-1]],
    ]
    assert "pass@1 of the samples: 25.0 % (on the visible tests 50.0 %)" in done.stdout
    assert "after improvement by the visible tests: 100.0 % pass the hidden tests" in done.stdout
    assert "of 2 samples that pass all visible tests 1 fail hidden ones" in done.stdout
    assert (tmp_path / "set" / "set.csv").read_text().startswith("task,samples")
    empty = replies(tmp_path / "empty.jsonl", "never")
    again = tgsci(*[empty if word == engine else word for word in words], "--workers", "0")
    assert again.returncode == 0, again.stderr
    assert again.stdout == done.stdout


def test_a_budget_holds_for_a_whole_set(tgsci: Typed, tmp_path: Path) -> None:
    (tmp_path / "humaneval.jsonl").write_text("\n".join(map(json.dumps, HUMANEVAL)))
    engine = replies(tmp_path / "replies.jsonl", *[fenced("def double(x):\n    return x + x\n")] * 9)
    words = ["language", "code", "--set", "humaneval.jsonl", "--engine", engine, "--model-calls", "1"]
    done = tgsci(*words, "--workers", "0", "--run", "set")
    assert "The budget of model_calls is used up after 1 of 2 tasks." in done.stdout
    assert "1 tasks, 1 model calls" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "give a task (TASK.toml), or --set FILE"),
        (["task.toml", "--set", "x.jsonl"], "one of them"),
        (["task.toml", "--samples", "3"], "--samples goes with --set"),
        (["--set", "nowhere.jsonl"], "nowhere.jsonl"),
        (["nowhere.toml"], "cannot read the task 'nowhere.toml'"),
    ],
)
def test_a_task_or_a_set(tgsci: Typed, task: Path, words: list[str], says: str) -> None:
    done = tgsci("language", "code", *words)
    assert done.returncode in (1, 2)
    assert says in done.stderr


def test_a_set_whose_reference_fails_is_refused(tgsci: Typed, tmp_path: Path) -> None:
    bad: dict[str, Any] = {**HUMANEVAL[0], "canonical_solution": "    return x\n"}
    (tmp_path / "set.jsonl").write_text(json.dumps(bad))
    done = tgsci("language", "code", "--set", "set.jsonl", "--engine", replies(tmp_path / "r.jsonl", "never"))
    assert done.returncode == 2
    assert "HumanEval/0: the reference solution fails its own test" in done.stderr
