"""Killed at any instant, a run goes on and ends as if nothing had happened; nothing is paid for twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tgsci as tg
from tests.processes import child_environment
from tests.search.resume_job import hash_of

JOB = Path(__file__).with_name("resume_job.py")


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, str(JOB), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )


def content(run: Path):
    """All that a run holds, except for times."""
    with tg.Ledger.open(run) as ledger:
        trials = [
            (
                (t.number, t.round, t.value, t.state, t.decision, t.reason, t.parent, t.edit, t.proposer, repr(t.loss)),
                (t.expected, t.role, t.contrast, t.first and (t.first.loss, dict(t.first.artifacts))),
                t.feedback
                and (
                    t.feedback.text,
                    repr(t.feedback.metrics),
                    repr(t.feedback.violations),
                    dict(t.feedback.artifacts),
                    t.feedback.error,
                ),
            )
            for t in ledger.trials()
        ]
        calls = [
            (number, system, prompt, reply.text, reply.tokens_in, reply.tokens_out, reply.usd, reply.model)
            for number, system, prompt, reply in ledger.calls()
        ]
        ideas, with_care = list(ledger.ideas().values()), {n: repr(f.loss) for n, f in ledger.careful().items()}
    return trials, calls, ideas, with_care


def recorded(run: Path) -> set[str]:
    """What must never be done again: measured values and answered questions."""
    if not tg.Ledger.exists(run):
        return set()
    with tg.Ledger.open(run) as ledger:
        values = {f"value {t.value}" for t in ledger.trials() if t.feedback}
        values |= {f"careful {ledger.trials()[number].value}" for number in ledger.careful()}
        return values | {f"asked {hash_of(prompt)}" for _, _, prompt, _ in ledger.calls()}


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The run that nobody disturbs, one for each proposer; the log's name is a setting of its loss."""
    runs = {}

    def run(proposer):
        if proposer not in runs:
            directory = tmp_path_factory.mktemp("uninterrupted")
            process = start(directory / "run", directory / "log", 0, proposer)
            assert "ended: the budget of 26 evaluations" in process.communicate(timeout=60)[0]
            done = lines(directory / "log")
            assert len(done) == len(set(done))
            runs[proposer] = content(directory / "run")
        return runs[proposer]

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("proposer", "workers", "most"), [("walk", 0, 4), ("model", 2, 4), ("ahead", 0, 7), ("team", 2, 7)]
)
def test_a_run_killed_again_and_again_ends_like_one_that_never_was(proposer, workers, most, tmp_path, uninterrupted):
    expected = uninterrupted(proposer)
    run, log = tmp_path / "run", tmp_path / "log"
    chance = random.Random(f"{proposer}{workers}")
    kills, moments = 0, []
    while kills < most:
        before, seen = recorded(run), len(lines(log))
        process = start(run, log, workers, proposer)
        assert process.stdout.readline() == "begins\n"
        # After some more work, not after some time: a slow machine is killed as often as a fast one.
        enough = seen + chance.randint(1, 3)
        while len(lines(log)) < enough and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.03))
        finished = process.poll() is not None
        process.kill()
        process.communicate()
        if workers:
            time.sleep(0.1)  # a worker may still be writing its last line
        assert not before & set(lines(log)[seen:]), "measured or asked again although it was recorded"
        assert before <= recorded(run), "something recorded was lost"
        if finished:
            break
        kills += 1
        moments.append(len(recorded(run)))
    before, seen = recorded(run), len(lines(log))
    process = start(run, log, workers, proposer)
    assert "ended: the budget of 26 evaluations" in process.communicate(timeout=60)[0]
    assert not before & set(lines(log)[seen:])
    assert content(run) == expected
    assert kills >= 3, "it was hardly ever killed"
    assert len(set(moments)) >= 3, "it was killed at the same point each time"
    # What was under way when the blow fell is done again, nothing else.
    done = lines(log)
    assert len(done) - len(set(done)) <= kills * (max(1, workers) + (proposer in ("ahead", "team")))
    assert {line for line in done if line.startswith("asked")} == {f"asked {hash_of(call[2])}" for call in expected[1]}


@pytest.mark.slow
def test_a_finished_run_is_returned_without_any_work(tmp_path):
    run, log = tmp_path / "run", tmp_path / "log"
    start(run, log, 0, "model").communicate(timeout=60)
    before, done = content(run), lines(log)
    output, _ = start(run, log, 0, "model").communicate(timeout=60)
    assert "ended: the budget of 26 evaluations" in output
    assert content(run) == before
    assert lines(log) == done


@pytest.mark.parametrize("point", range(12))
def test_a_run_that_stops_at_any_commit_goes_on_from_there(point, tmp_path):
    """The process dies right before and right after the ledger writes, at every kind of write in turn."""

    class Rules(tg.Proposer):
        name = "rules"

        def ask(self, trials, n, rng):
            return [tg.Proposal(str(rng.randint(0, 99)), "by chance", trials.best.number) for _ in range(n)]

    class Dies(BaseException):
        pass

    def run(directory, die_at=None, after=False):
        writes = 0
        measured: list[str] = []

        def loss(value):
            measured.append(value)
            return float(value)

        def tick(self, real=tg.Ledger._tick):
            nonlocal writes
            writes += 1
            if writes == die_at and not after:
                raise Dies
            real(self)

        def progress(event):
            if after and writes >= die_at:
                raise Dies

        patched = pytest.MonkeyPatch()
        with patched.context() as patch:
            patch.setattr(tg.Ledger, "_tick", tick)
            if die_at:  # nobody notes why a killed process stopped
                patch.setattr(tg.Ledger, "end_session", lambda self, reason: None)
            try:
                measure = tg.FunctionLoss(loss, name="loss")
                tg.minimize(measure, "50", Rules(), budget=8, proposals=2, run=directory, progress=progress)
            except Dies:
                pass
        return measured

    run(tmp_path / "whole")
    for after in (False, True):
        directory = tmp_path / f"cut{after}"
        first = run(directory, die_at=point + 2, after=after)
        kept = {t.value for t in tg.Result.load(directory).trials if t.feedback} if point else set()
        again = run(directory)
        assert not kept & set(again)
        assert set(first) | set(again) == {t.value for t in tg.Result.load(directory).trials if t.feedback}
        assert content(directory) == content(tmp_path / "whole")
