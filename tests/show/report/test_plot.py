"""The curve on the page."""

from __future__ import annotations

import re

import pytest

import tgsci as tg
from tests.show.report.runs import Round
from tgsci.show import report


def test_the_plot_shows_every_measurement_and_leads_to_it(plain):
    svg = re.search(r'<svg class="plot" viewBox.*?</svg>', report.html(plain), re.DOTALL)[0]
    measured = [t for t in plain.trials if t.feedback]
    points = re.findall(r'<a href="#trial-(\d+)"', svg)
    assert sorted(map(int, points)) == [t.number for t in measured]
    assert svg.count('class="failed"') == 1
    assert svg.count('class="rejected outside"') == 1
    assert svg.count("<circle") == len(measured) - 1
    assert "best-so-far" in svg


@pytest.mark.parametrize(
    "losses",
    [[0.0], [5.0, 5.0], [1e300, -1e300], [1.7e308, -1.7e308], [1e-320, 0.0], [-1.7e308, 1e-300], [1e17, 1e17 + 16]],
)
def test_the_plot_takes_any_losses(losses):
    values = iter(losses)
    rules = Round(*(tg.Proposal(str(i), "", 0) for i in range(1, len(losses))))
    result = tg.minimize(lambda value: next(values), "0", rules, budget=len(losses))
    html = report.html(result)
    assert html.count("<circle") >= len(losses)
    assert not re.search(r'(cx|cy|y|x|d)="[^"]*(nan|inf)', html)


@pytest.mark.parametrize(("bad", "above"), [(80.0, False), (1348.0, True), (1.7e308, True)])
def test_one_bad_value_does_not_press_the_curve_flat(bad, above):
    values = iter([70.0, 66.0, bad, 65.0])
    rules = Round(*(tg.Proposal(str(i), "", 0) for i in range(1, 4)))
    html = report.html(tg.minimize(lambda value: next(values), "0", rules, budget=4))
    best = re.search(r'<path class="best-so-far" d="M([^"]*)"', html)[1]
    heights = [float(y) for y in re.findall(r"[,V]([\d.]+)", best)]
    assert max(heights) - min(heights) > 60  # of 246
    assert ("1 above the picture" in html) == above
