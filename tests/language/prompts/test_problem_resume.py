"""A prompt search that is killed at any instant goes on, ends the same, and pays no recorded call twice."""

from pathlib import Path

import pytest

import tgsci as tg
from tests.language.prompts import scripts
from tgsci_language.prompts.final import verdict
from tgsci_language.prompts.problem import prompt_problem

SCRIPT = """
    import sys
    sys.path.insert(0, sys.argv[1])
    from tests.language.prompts import test_problem_resume as here
    here.search(*sys.argv[2:4], fall_at=int(sys.argv[4]), concurrency=int(sys.argv[5]))
"""
SETS = scripts.split((12, 20, 20))


def search(run, log, fall_at=None, concurrency=1):
    student = scripts.Student(SETS, log, fall_at, seconds=0.002)
    student.concurrency = concurrency
    made = prompt_problem(SETS, student, scripts.START, minibatch=4, race=8)
    made.loss.threads = made.careful.loss.threads = min(concurrency, 4)
    proposer = scripts.Proposer(scripts.STATED, scripts.WORSE, scripts.SLOW, scripts.BEST)
    return tg.solve(made, engine=proposer, budget=5, proposals=2, ideas=2, run=run)


def story(result):
    figures = [dict(t.feedback.metrics) if t.feedback else None for t in result.trials]
    return [(t.number, t.value, t.state, t.loss, of) for t, of in zip(result.trials, figures, strict=True)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("undisturbed")
    result = search(directory / "run", directory / "log")
    return story(result), verdict(result), (directory / "log").read_text().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("fall_at", [1, 5, 13, 30, 60, 95, 110, 125])
def test_killed_at_any_instant_and_resumed(tmp_path, start_script, undisturbed, fall_at):
    """In the first measurement, in a race, while a leader is confirmed, and in the middle of test."""
    root, run, log = Path(__file__).parents[3], tmp_path / "run", tmp_path / "log"
    process = start_script(SCRIPT, str(root), str(run), str(log), str(fall_at), "1")
    process.wait(60)
    assert process.returncode == -9
    assert len(log.read_text().splitlines() if log.exists() else []) == fall_at - 1
    result = search(run, log)
    trials, said, calls = undisturbed
    assert story(result) == trials
    assert verdict(result) == said
    assert sorted(log.read_text().splitlines()) == sorted(calls)


@pytest.mark.slow
def test_killed_with_many_calls_on_their_way(tmp_path, start_script, undisturbed):
    root, run, log = Path(__file__).parents[3], tmp_path / "run", tmp_path / "log"
    process = start_script(SCRIPT, str(root), str(run), str(log), "70", "6")
    process.wait(60)
    assert process.returncode == -9
    result = search(run, log)
    trials, said, calls = undisturbed
    assert story(result) == trials
    assert verdict(result) == said
    asked = log.read_text().splitlines()
    assert set(asked) == set(calls)
    # Six whose replies were on their way, and as many whose replies were there and not written down yet.
    assert len(asked) - len(calls) <= 12
