"""Runs as matplotlib figures."""

from __future__ import annotations

import pytest

import tgsci as tg

pytest.importorskip("matplotlib")


class Shorten(tg.Proposer):
    def ask(self, trials, n, rng):
        return [tg.Proposal(value, "") for value in ("bb", "fail", "bbbbbbbbb", "b")[len(trials) - 1 :]][:n]


def loss(value):
    if value == "fail":
        raise tg.MeasurementError("no figure")
    return tg.Feedback(float(len(value)), "", violations={"length": len(value) - 5.0})


@pytest.fixture(scope="module")
def result():
    return tg.minimize(loss, "aaa", Shorten(), budget=5, proposals=1)


def test_a_plot_shows_every_outcome_and_the_best_so_far(result):
    from tgsci.show.plots import progress

    figure = progress(result)
    (ax,) = figure.axes
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["best so far", "not better, outside a hard limit", "could not be measured"]
    (line,) = ax.lines
    assert list(line.get_xdata()) == [1, 2, 5, 5]
    assert list(line.get_ydata()) == [3.0, 2.0, 1.0, 1.0]
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_runs_lie_over_each_other_under_harmless_names(result):
    from tgsci.show.plots import overlay

    empty = tg.minimize(loss, "fail", Shorten(), budget=1)
    (ax,) = overlay({"_$x$": result, "y" * 100: result, "none": empty}, note="both").axes
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [r"\$x\$", "..." + "y" * 60]
    assert ax.get_title() == "both"
    overlay({"none": empty})
