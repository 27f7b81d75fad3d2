"""The end of a run, where finalists are measured again: nothing of it is lost, and it is seen while it works."""

from __future__ import annotations

import math

import pytest

import tgsci as tg
from tgsci.search.ledger import Ledger


class Size(tg.Loss):
    name = "size"
    units = {"size": "chars"}

    def evaluate(self, value):
        return tg.Feedback(float(len(value)), f"{len(value)} chars", {"size": float(len(value))})


class Shorten(tg.Proposer):
    name = "shorten"

    def ask(self, trials, n, rng):
        best = trials.best
        return [tg.Proposal(best.value[:-1], "shorter", best.number)] if len(best.value) > 1 else []


def careful(measured=None, stop_after=None):
    """A finish that measures the three best again, and may be interrupted."""

    def finish(result, finishing):
        todo = [t for t in result.trials.ranked()[:3] if t.number not in result.finals]
        for done, (trial, outcome) in enumerate(finishing.each(again, todo, "again", timeout=5), 1):
            if measured is not None:
                measured.append(trial.number)
            finishing.keep(
                trial, outcome if isinstance(outcome, tg.Feedback) else tg.Feedback.failed(str(outcome)), 0.5
            )
            if done == stop_after:
                raise KeyboardInterrupt

    return finish


def again(trial):
    if trial.value == "aaa":
        raise tg.MeasurementError("the ruler broke")
    metrics = {"size": trial.loss, "hardness": 7.0}
    return tg.Feedback(trial.loss + 0.25, "again", metrics, artifacts={"pose.txt": trial.value})


def run(directory=None, finish=None, budget=5, **options):
    return tg.minimize(Size(), "aaaaa", Shorten(), budget=budget, run=directory, finish=finish, **options)


@pytest.mark.parametrize("workers", [0, 2])
def test_finalists_are_measured_again_where_the_run_measures(tmp_path, workers):
    result = run(tmp_path, careful(), workers=workers)
    assert result.stopped == "the budget of 5 evaluations is used up"
    kept = tg.Result.load(tmp_path)
    for finals in (result.finals, kept.finals):
        assert sorted(finals) == [2, 3, 4]
        assert finals[4].loss == 1.25
        assert finals[4].artifacts["pose.txt"] == "a"
        assert math.isnan(finals[2].loss)
        assert finals[2].error == "the ruler broke"
    assert kept.trials[4].loss == 1.0, "the trial's own measurement stays"
    assert "measured again: loss 1.250, size 1.000 chars\n" in kept.summary(), "of its figures, those of the columns"


def test_a_run_in_memory_is_finished_too():
    assert sorted(run(None, careful()).finals) == [2, 3, 4]


def test_interrupted_it_keeps_what_it_has_and_a_resumed_run_does_the_rest(tmp_path):
    first = run(tmp_path, careful(stop_after=1))
    assert first.stopped == "interrupted"
    assert sorted(first.finals) == [4]
    assert tg.Result.load(tmp_path).stopped == "interrupted"
    measured = []
    second = run(tmp_path, careful(measured))
    assert measured == [3, 2]
    assert sorted(second.finals) == [2, 3, 4]
    assert second.stopped == "the budget of 5 evaluations is used up"
    assert second.spent.evaluations == 5


def test_an_interrupted_search_is_not_finished(tmp_path):
    def progress(event):
        if event.spent.evaluations == 3:
            raise KeyboardInterrupt

    measured = []
    result = run(tmp_path, careful(measured), progress=progress)
    assert (result.stopped, measured) == ("interrupted", [])


def test_nothing_measured_is_nothing_to_finish():
    class Fails(Size):
        def evaluate(self, value):
            raise tg.MeasurementError("no")

    called = []
    tg.minimize(Fails(), "a", Shorten(), finish=lambda *_: called.append(1))
    assert not called


def test_what_goes_on_is_told_with_an_estimate():
    told = []
    run(None, careful(), progress=told.append)
    finishing = [p for p in told if p.total]
    assert [(p.activity, p.done, p.total) for p in finishing] == [("again", i, 3) for i in range(4)]
    assert finishing[0].eta_seconds is None
    assert finishing[-1].eta_seconds == 0.0
    assert (told[-1].activity, told[-1].total) == ("done", 0)


def test_a_bug_in_it_is_raised_and_everything_is_recorded(tmp_path):
    def finish(result, finishing):
        finishing.keep(result.best, tg.Feedback(1.0))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, finish)
    kept = tg.Result.load(tmp_path)
    assert kept.stopped == "an error"
    assert sorted(kept.finals) == [4]
    with Ledger.open(tmp_path, write=True):
        pass  # it is free again


def test_a_second_measurement_needs_a_trial_and_replaces_an_earlier_second_one(tmp_path):
    def finish(result, finishing):
        finishing.keep(result.best, tg.Feedback(3.0, artifacts={"a.txt": "1"}))
        finishing.keep(result.best, tg.Feedback(2.0, "\ud800", artifacts={"b.txt": b"2"}))
        with pytest.raises(tg.UsageError, match="there is no trial 99"):
            result.keep_final(99, tg.Feedback(1.0))

    finals = run(tmp_path, finish).finals
    assert finals[4].loss == 2.0
    assert dict(finals[4].artifacts) == {"b.txt": b"2"}
    assert finals[4].text == "\ufffd"


def test_the_report_shows_it_and_hides_no_failure(tmp_path):
    from tgsci.show import report

    page = report.html(run(tmp_path, careful()))
    assert "Measured again:</b> <bdi>loss 1.250, size 1.000 chars" in page
    assert "Measuring it again failed: <bdi>the ruler broke" in page


def test_a_person_sees_how_far_it_is():
    from io import StringIO

    from rich.console import Console

    from tgsci.show.progress import LiveProgress

    told = []
    run(None, careful(), progress=told.append)
    for live in (False, True):
        out = StringIO()
        progress = LiveProgress(["size"], Size.units, Console(file=out, force_terminal=live, width=100))
        for event in told:
            progress.console.print(progress._screen(event)) if live else progress(event)
        lines = [line for line in out.getvalue().splitlines() if "3/3" in line]
        assert len(lines) == 1
        assert "again" in lines[0]
        assert "0 s left" in lines[0]


def test_an_executor_that_breaks_is_said_and_keeps_what_there_is(tmp_path):
    from concurrent.futures import BrokenExecutor, ThreadPoolExecutor

    def breaks(trial):
        if trial.number == 3:
            raise BrokenExecutor("gone")
        return again(trial)

    def finish(result, finishing):
        for trial, outcome in finishing.each(breaks, [result.trials[4], result.trials[3]], "again"):
            finishing.keep(trial, outcome)

    with ThreadPoolExecutor(1) as pool, pytest.raises(tg.TgsciError, match=r"gone.*nothing measured is lost"):
        run(tmp_path, finish, workers=pool)
    assert 3 not in tg.Result.load(tmp_path).finals
