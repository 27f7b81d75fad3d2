"""`tgsci language answer`, as somebody types it."""

import io
import json
import re
from pathlib import Path

import pytest

from tgsci.engine import Reply
from tgsci.engines.replay import RecordingEngine
from tgsci_language.answers.compare import compare

from ..answers.students import Student, write_questions


@pytest.fixture
def questions(tmp_path):
    return write_questions(tmp_path / "sums.csv", 4)


@pytest.fixture
def recording(questions, tmp_path):
    """A recording of every reply that the questions need."""

    class Priced(Student):
        def complete(self, prompt, system="", images=()):
            return Reply(super().complete(prompt, system, images), usd=0.001, tokens_in=10, tokens_out=5)

    path = tmp_path / "replies.jsonl"
    compare(questions, RecordingEngine(Priced(draft=0.3, refined=True), path), concurrent=1)  # in their order
    return f"replay:{path}"


def test_the_table_the_verdict_and_the_files(tgsci, questions, recording):
    done = tgsci("language", "answer", str(questions), "--engine", recording, "--run", "run")
    assert done.returncode == 0, done.stderr
    assert re.search(r"refinement: vote over 4 +7 +4 of 4", done.stdout)
    assert re.search(r"plain sampling: vote over 7 +7 ", done.stdout)
    assert re.search(r"(refinement won|no difference shown) at 7 calls a question: refinement minus", done.stdout)
    assert "0.028" in done.stdout  # 4 questions x 7 calls x 0.001 USD
    assert "used: 4 evaluations" in done.stdout
    assert "52 model calls (0.0520 USD)" in done.stdout
    assert "best:" not in done.stdout
    assert "4 questions, 13 calls each: a draft, 6 to refine it, 6 more samples." in done.stderr
    assert "Temperature of drafts and samples: the model's own, as none was given." in done.stderr
    assert "answers are played from" in done.stderr
    assert "4/4" in done.stderr
    lines = Path("run/answers.csv").read_text().splitlines()
    assert lines[0].startswith("id,question,order of choices,right answer,draft,iteration 1,iteration 2,iteration 3,")
    assert len(lines) == 5
    page = Path("run/report.html").read_text()
    for words in ("Refinement beside plain sampling", "Where the arms differ", "Confusion of answers, refinement"):
        assert words in page


def test_a_run_is_shown_and_listed(tgsci, questions, recording):
    tgsci("language", "answer", str(questions), "--engine", recording, "--run", "run")
    shown = tgsci("runs", "show", "run")
    assert "plain sampling: vote over " in shown.stdout
    assert "refinement minus sampling" in shown.stdout
    one = tgsci("runs", "show", "run", "--trial", "2")
    assert "sampling, vote over 7 answers" in one.stdout
    assert "run" in tgsci("runs", "list", ".").stdout
    again = tgsci("runs", "resume", "run")
    assert again.returncode == 0, again.stderr
    assert "refinement minus sampling" in again.stdout
    other = tgsci("runs", "resume", "run", "--engine", "gpt-4o")
    assert other.returncode == 2
    assert "asks the engines that its own settings name" in other.stderr


def test_a_dry_run_asks_nothing(tgsci, questions):
    done = tgsci("language", "answer", str(questions), "--engine", "gpt-4o", "--student", "ollama/qwen3", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "drafts: the first prompt to ollama/qwen3" in done.stdout
    assert "What is 11 + 3?" in done.stdout
    assert "[what ollama/qwen3 will have answered]" in done.stdout
    assert re.search(r" 12  criticisms \(gpt-4o\): about [\d,]+ tokens in, 6,000 out, price 0\.\d+ USD", done.stdout)
    assert re.search(r" 24  samples, asked as the drafts are \(ollama/qwen3\): .*price unknown", done.stdout)
    assert re.search(r"in all 52 calls, price about 0\.\d+ USD and what has an unknown price", done.stdout)
    few = tgsci("language", "answer", str(questions), "--engine", "gpt-4o", "--dry-run", "--model-calls", "30")
    assert "in all 26 calls" in few.stdout
    assert tgsci("runs", "list", ".").stdout == "no runs below .\n"


def test_without_an_engine_it_says_what_there_is(tgsci, questions):
    done = tgsci("language", "answer", str(questions))
    assert done.returncode == 2
    for words in ("ollama/qwen3", "human to answer yourself", "replay:FILE"):
        assert words in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine", "nonsense"], "no provider is known for the model 'nonsense'"),
        (["--engine", "human", "--student", "nonsense"], "no provider is known for the model 'nonsense'"),
        (["--engine", "human", "--temperature", "0.5"], "takes no temperature"),
        (["--engine", "gpt-4o", "--temperature", "0"], "at temperature 0 all samples are the same answer"),
        (["--engine", "human", "--iterations", "0"], "iterations must be a whole number from 1 to 50"),
        (["--engine", "human", "--answers", "letters"], "answers cannot be 'letters'"),
        (["--engine", "human", "--question", "prompt"], "no column 'prompt'"),
        (["--engine", "human", "--unit", "12", "--answers", "number"], "'12' is no unit"),
        (["--engine", "human", "--model-calls", "12"], "12 calls is too small: one question takes 13"),
        (["--engine", "human", "--usd", "0"], "the budget of usd must be"),
        (["--engine", "human", "--student-concurrency", "0"], "concurrency must be a whole number"),
    ],
)
def test_bad_input_is_said_before_any_call(tgsci, questions, arguments, words):
    done = tgsci("language", "answer", str(questions), *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert tgsci("runs", "list", ".").stdout == "no runs below .\n"


def test_a_person_answers_and_is_told_how_often(tgsci, tmp_path, monkeypatch):
    path = write_questions(tmp_path / "one.csv", 1)
    rewritten = "<IMPROVED_VARIABLE>\nYes.\nAnswer: A\n</IMPROVED_VARIABLE>"
    replies = ["I add.\nAnswer: A", "Is it so?", rewritten, "Answer: B", "Answer: B"]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{reply}\n.\n" for reply in replies)))
    done = tgsci(
        *("language", "answer", str(path), "--engine", "human", "--iterations", "1", "--no-shuffle", "--run", "run")
    )
    assert done.returncode == 0, done.stderr
    assert "You will be asked 5 times at most, one prompt after the other" in done.stderr
    assert re.search(r"refinement: vote over 2 +3 +1 of 1", done.stdout)
    assert re.search(r"plain sampling: vote over 3 +3 +0 of 1", done.stdout)
    assert "no difference shown" in done.stdout


def test_a_job_file_runs_the_same(tgsci, questions, recording, tmp_path):
    job = tmp_path / "job.toml"
    job.write_text(
        f'domain = "language"\n[language]\nkind = "answer"\nquestions = {json.dumps(str(questions))}\n'
        f"engine = {json.dumps(recording)}\n"
    )
    done = tgsci("run", str(job), "--run", "run")
    assert done.returncode == 0, done.stderr
    assert "refinement minus sampling" in done.stdout


def test_a_question_that_stands_there_twice(tgsci, tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("question,A,B,answer\nWhich?,1,2,A\nWhich?,1,2,A\n")
    refused = tgsci("language", "answer", str(path), "--engine", "human")
    assert refused.returncode == 2
    assert "drop duplicates with --drop-duplicates" in refused.stderr
    dropped = tgsci("language", "answer", str(path), "--engine", "human", "--drop-duplicates", "--dry-run")
    assert "in all 13 calls, price about 0 USD" in dropped.stdout


def test_a_budget_of_calls_is_kept_and_may_be_raised_later(tgsci, questions, recording):
    few = tgsci("language", "answer", str(questions), "--engine", recording, "--run", "run", "--model-calls", "30")
    assert few.returncode == 0, few.stderr
    assert "26 model calls" in few.stdout
    assert "2 of 4 questions were answered: the others count in neither arm" in few.stdout
    small = tgsci("runs", "resume", "run", "--model-calls", "12")
    assert small.returncode == 2
    assert "12 calls is too small: one question takes 13" in small.stderr
    more = tgsci("runs", "resume", "run", "--model-calls", "100")
    assert more.returncode == 0, more.stderr
    assert "52 model calls" in more.stdout
    assert "4 of 4" in more.stdout
