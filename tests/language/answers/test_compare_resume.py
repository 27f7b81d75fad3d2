"""A run of questions that is killed at any instant goes on, ends the same, and pays for no reply twice."""

import os
import signal
import time
from pathlib import Path

import pytest

from tgsci.errors import LedgerError
from tgsci.runs.result import Result
from tgsci_language.answers.compare import compare
from tgsci_language.answers.loss import REPLIES

from .students import Student, write_questions

SCRIPT = """
    import sys
    sys.path.insert(0, sys.argv[1])
    from tests.language.answers.students import Student
    from tgsci_language import compare
    questions, run, log = sys.argv[2:]
    compare(questions, Student(0.5, True, seconds=0.02, log=log), run=run, concurrent=3)
"""
N = 8


def story(result):
    """What a run found, but for what the order of threads decides."""
    return {t.value: dict(t.feedback.metrics) for t in result.trials if t.feedback}


def asked(log):
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 2, 9, 31, 60])
def test_killed_and_resumed(tmp_path, start_script, after):

    root = str(Path(__file__).parents[3])
    questions, log = write_questions(tmp_path / "q.csv", N), tmp_path / "log"
    process = start_script(SCRIPT, root, str(questions), str(tmp_path / "run"), str(log))
    deadline = time.monotonic() + 60
    while asked(log) < after and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    recorded = Result.load(tmp_path / "run").spent.model_calls if (tmp_path / "run" / "run.db").exists() else 0
    assert recorded >= min(after, asked(log)) - 3 * 6  # what was on its way is all that can be lost
    student = Student(0.5, True)
    found = compare(questions, student, run=tmp_path / "run", concurrent=3)
    assert found.n == N
    assert found.result.spent.model_calls == N * 13
    assert len(student.calls) == N * 13 - recorded


@pytest.mark.slow
def test_a_kept_reply_is_the_one_that_the_rest_was_made_from(tmp_path):
    """The draft is found again as the draft, though the samples asked the same at the same time."""
    questions = write_questions(tmp_path / "q.csv", 4)

    class Stops(Student):
        def _answer(self, prompt, system):
            if len(self.calls) > self.most:
                raise KeyboardInterrupt
            return super()._answer(prompt, system)

    for most in (1, 5, 8, 12, 20, 33):
        run = tmp_path / f"run{most}"
        student = Stops(0.5, True)
        student.most = most
        compare(questions, student, run=run, concurrent=1)
        again = Student(0.5, True)
        found = compare(questions, again, run=run, concurrent=1)
        assert found.n == 4
        assert found.result.spent.model_calls == 4 * 13
        assert len(again.calls) == 4 * 13 - most
        for trial in found.trials:
            assert REPLIES in trial.feedback.artifacts


def test_a_finished_run_asks_nothing_more(tmp_path):
    questions = write_questions(tmp_path / "q.csv", 3)
    first = compare(questions, Student(0.5, True), run=tmp_path / "run")
    student = Student(0.5, True)
    again = compare(questions, student, run=tmp_path / "run")
    assert student.calls == []
    assert story(again.result) == story(first.result)


def test_more_questions_than_a_budget_had_room_for_are_asked_later(tmp_path):
    questions = write_questions(tmp_path / "q.csv", 6)
    few = compare(questions, Student(0.5, True), run=tmp_path / "run", budget={"model_calls": 26})
    assert few.n == 2
    student = Student(0.5, True)
    rest = compare(questions, student, run=tmp_path / "run")
    assert rest.n == 6
    assert len(student.calls) == 4 * 13


def test_other_questions_or_engines_do_not_go_on_in_a_run(tmp_path):
    questions = write_questions(tmp_path / "q.csv", 3)
    compare(questions, Student(0.5, True), run=tmp_path / "run")

    for settings in ({"seed": 1}, {"iterations": 2}, {"shuffle": False}):
        with pytest.raises(LedgerError, match="other settings"):
            compare(questions, Student(0.5, True), run=tmp_path / "run", **settings)
    with pytest.raises(LedgerError, match="other settings"):
        compare(questions, Student(0.6, True), run=tmp_path / "run")
