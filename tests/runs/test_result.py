"""A run to look at: table, plot, notebook, summary."""

from __future__ import annotations

import math
from html import unescape

import pytest
from matplotlib.figure import Figure

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.show import report

HOSTILE = "<script>alert('x')</script> & \"quoted\""


class Rounds(tg.Proposer):
    name = "rounds"

    def __init__(self, *rounds):
        super().__init__()
        self.rounds = rounds

    def ask(self, trials, n, rng):
        done = trials[-1].round
        return list(self.rounds[done]) if done < len(self.rounds) else []


class Size(tg.Loss):
    name = "size"
    units = {"size": "chars"}

    def validate(self, value):
        if "!" in value:
            raise tg.InvalidValue("no shouting")
        return value

    def evaluate(self, value):
        if value == "crash":
            raise tg.MeasurementError("it crashed")
        size = float(len(value))
        return tg.Feedback(size, f"{size}", {"size": size}, {"size <= 4": max(0.0, size - 4)})


@pytest.fixture
def result(tmp_path):
    rounds = Rounds(
        [tg.Proposal("crash", "why not", 0), tg.Proposal("abc", "shorter", 0), tg.Proposal("a!", "loud", 0)],
        [tg.Proposal("abcd", "longer", 2), tg.Proposal("abc", "again", 2), tg.Proposal("abcdefgh", "long", 2)],
        [tg.Proposal("a", HOSTILE, 2)],
    )
    return tg.minimize(Size(), "abcdef", rounds, run=tmp_path / "run")


def test_every_trial_is_a_row(result):
    frame = result.to_frame()
    assert list(frame["value"]) == ["abcdef", "crash", "abc", "a!", "abcd", "abc", "abcdefgh", "a"]
    assert list(frame["state"]) == [
        "accepted",
        "failed",
        "accepted",
        "invalid",
        "rejected",
        "duplicate",
        "rejected",
        "accepted",
    ]
    assert frame["loss"].isna().tolist() == [False, True, False, True, False, True, False, False]
    assert frame["size (chars)"][2] == 3.0
    assert frame["violation"][6] == 4.0
    assert frame["parent"].isna().tolist() == [True] + [False] * 7
    assert frame["parent"][7] == 2
    assert frame["decision"][1] == "it crashed"


def test_the_table_of_a_run_without_any_measurement_has_a_row_too():
    def fails(value):
        raise tg.MeasurementError("no")

    result = tg.minimize(fails, "x", Rounds())
    assert len(result.to_frame()) == 1
    assert result.best is None
    assert "best" not in result.summary()
    result.plot()
    assert "<table>" in result._repr_html_()


def test_the_plot_shows_every_measurement_and_the_best_so_far(result):
    figure = result.plot()
    (axes,) = figure.axes
    points = {c.get_label(): c.get_offsets().data.tolist() for c in axes.collections}
    assert points == {
        "best so far": [[3, 3], [6, 1]],
        "best so far, outside a hard limit": [[1, 6]],
        "not better": [[4, 4]],
        "not better, outside a hard limit": [[5, 8]],
        "could not be measured": [[2, 8]],
    }
    (line,) = axes.lines
    assert list(zip(*line.get_data(), strict=True)) == [(1, 6), (3, 3), (6, 1), (6, 1)]
    assert axes.get_xlabel() == "evaluations"
    assert axes.get_ylabel() == "loss: size"


def test_a_plot_goes_onto_the_axes_that_are_given(result):
    axes = Figure().add_subplot()
    assert result.plot(axes) is axes.figure
    assert axes.collections


def test_hostile_text_is_shown_and_not_run(result):
    html = result._repr_html_()
    assert "<script>" not in html
    assert "<script>alert('x')</script> & \"quoted\"" in unescape(html)
    hostile = tg.minimize(
        tg.FunctionLoss(lambda v: tg.Feedback(1.0, metrics={HOSTILE: 1.0}), name=HOSTILE), HOSTILE, Rounds()
    )
    assert "<script>" not in hostile._repr_html_()


def test_the_notebook_shows_the_best_first(result):
    html = result._repr_html_()
    assert html.index(">a<") < html.index(">abc<") < html.index(">abcd<")
    assert "size (chars)" in html
    assert "crash" not in html


def test_the_summary_says_what_was_found_and_what_it_cost(result):
    assert result.summary().splitlines()[:3] == [
        "stopped: nothing is left to propose",
        "best: trial 7, loss 1.000 (size 1.000 chars)",
        "      a",
    ]
    assert "used: 6 evaluations" in result.summary()
    assert "model call" not in result.summary()
    assert "nothing is left" in repr(result)


def test_the_summary_names_the_price_or_that_it_is_unknown():
    def run(usd):
        text = "<IMPROVED_VARIABLE>a</IMPROVED_VARIABLE>"
        engine = Scripted([tg.Reply(text, usd=usd)])
        return tg.minimize(Size(), "abc", tg.TGD(engine=engine), budget=2, proposals=1).summary()

    assert "1 model calls (0.0200 USD)" in run(0.02)
    assert "1 model calls (price unknown)" in run(None)


def test_the_lineage_leads_from_the_start_to_the_value(result):
    assert [t.value for t in result.lineage(result.best)] == ["abcdef", "abc", "a"]
    assert [t.value for t in result.lineage(result.trials[0])] == ["abcdef"]


def test_a_loaded_run_is_the_run(result):
    loaded = tg.Result.load(result.directory)
    assert loaded.to_frame().equals(result.to_frame())
    assert loaded.summary().splitlines()[:3] == result.summary().splitlines()[:3]
    assert loaded.directory == result.directory
    assert loaded.units == {"size": "chars"}


def test_the_ranking_is_the_order_of_is_better(result):
    ranked = result.trials.ranked()
    assert [t.value for t in ranked] == ["a", "abc", "abcd", "abcdef", "abcdefgh"]
    assert ranked[0] is result.best
    assert result.trials.find("abc").number == 2
    assert result.trials.find("a!") is None
    assert result.trials.find("never") is None
    with pytest.raises(tg.InvalidValue, match="proposed before as trial 2"):
        tg.Trials(result.trials, Size()).check("abc")
    assert math.isnan(result.trials.find("crash").loss)


def test_the_best_of_an_unfinished_round_is_said_to_be_so(tmp_path):
    def stop(event):
        if event.spent.evaluations == 2:
            raise KeyboardInterrupt

    rounds = Rounds([tg.Proposal("abc", "shorter", 0), tg.Proposal("a", "shortest", 0)])
    first = tg.minimize(Size(), "abcdef", rounds, run=tmp_path / "r", progress=stop)
    assert first.stopped == "interrupted"
    assert "best: trial 1 (not judged yet: its round is unfinished), loss 3.000" in first.summary()
    assert "trial 1 (not judged yet" in (report.write(first, tmp_path / "a.html") and (tmp_path / "a.html").read_text())
    assert "not judged yet" not in tg.minimize(Size(), "abcdef", rounds, run=tmp_path / "r").summary()


class Careful(Size):
    def evaluate(self, value):
        return tg.Feedback(len(value) + 0.5, "with care", {"size": len(value) + 0.5})


def test_both_figures_of_a_leader_that_was_measured_with_care_are_shown(tmp_path):
    insight = tg.Insight(careful=tg.Careful(Careful(), share=1.0), contrast=lambda parent, child: "a letter less")
    rounds = Rounds([tg.Proposal("abc", "shorter", 0, expected=2.0, role="refine"), tg.Proposal("abcd", "longer", 0)])
    result = tg.minimize(Size(), "abcd", rounds, run=tmp_path, insight=insight)
    assert "best: trial 1, loss 3.500 (size 3.500 chars)" in result.summary()
    assert "measured with care; at first: loss 3.000, size 3.000 chars" in result.summary()
    assert "2 leaders measured with care" in result.summary()
    assert "1 leader measured with care" in tg.minimize(Size(), "abcd", Rounds([]), insight=insight).summary()
    row = result.to_frame().iloc[1]
    assert (row["loss"], row["first loss"], row["expected"], row["role"]) == (3.5, 3.0, 2.0, "refine")
    assert row["contrast"] == "a letter less"
    assert tg.load(tmp_path).to_frame().equals(result.to_frame())
