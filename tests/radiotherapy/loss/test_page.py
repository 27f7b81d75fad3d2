"""The page about a plan, and the account of goals that exclude each other: figures in words that hold."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.radiotherapy.goal_results import goal_result
from tgsci_radiotherapy.loss import PlanLoss, scoring
from tgsci_radiotherapy.loss.page import MOST_LINES, loss_lines, write_page
from tgsci_radiotherapy.notice import NOTICE


def test_a_page_has_everything_that_the_next_edit_needs(loss: PlanLoss) -> None:
    solved = loss.solve(loss.start)
    text = write_page(loss.case, solved.plan, solved.effects)
    assert NOTICE in text
    assert "PLAN for small: PTV 50 Gy in 25 fractions" in text
    assert str(loss.case.grid) in text
    for title in ("SOLVER", "GOALS", "OBJECTIVES", "PULLING APART", "HOT AND COLD", "SENSITIVITIES", "ONE STEP"):
        assert title in text
    for result in solved.effects.results:
        assert result.goal.criterion in text
    assert len(text.splitlines()) <= MOST_LINES
    parts = [float(x) for x in re.findall(r"weight [\d.e+]+: ([\d.]+)%", text)]
    assert sum(parts) == pytest.approx(100, abs=0.2)
    missed = next(r for r in solved.effects.results if not r.met)
    assert f"{missed.margin:.2f} Gy  fail" in text
    value = solved.effects.per_doubling[solved.effects.results.index(missed), 0]
    assert f"{value:+.2f}" in text


def test_the_page_is_bounded_however_much_there_is_to_say(loss: PlanLoss) -> None:
    solved = loss.solve(loss.start)
    many = replace(
        solved.effects,
        results=solved.effects.results * 20,
        per_doubling=np.tile(solved.effects.per_doubling, (20, 1)),
        per_gray=np.tile(solved.effects.per_gray, (20, 1)),
        per_addition=np.tile(solved.effects.per_addition, (20, 1)),
        tries=(),
    )
    text = write_page(loss.case, solved.plan, many, unevaluated=["x"] * 50)
    assert len(text.splitlines()) <= MOST_LINES
    assert "goals more" in text
    assert "SENSITIVITIES" in text


def test_the_loss_is_written_out_with_its_weights(loss: PlanLoss) -> None:
    solved = loss.solve(loss.start)
    text = write_page(loss.case, solved.plan, solved.effects)
    assert "27 : 9 : 3 : 1 for priority 1 : 2 : 3 : 4" in text
    terms = [line for line in text.splitlines() if re.match(r"- .* \((P\d|implied)\): [\d.]+ x \(", line)]
    added = [float(re.search(r"= ([\d.]+), s", line)[1]) for line in terms]  # type: ignore[index]
    left = float(text.partition("room that is left on organs and conformity: ")[2].split()[0])
    assert sum(added) + left == pytest.approx(scoring.loss(solved.effects.results), rel=1e-3)
    for line, term in zip(terms, added, strict=True):
        cost, lost, far = map(float, re.search(r"([\d.]+) x \(([\d.]+) \+ ([\d.]+)\)", line).groups())  # type: ignore[union-attr]
        assert cost * (lost + far) == pytest.approx(term, rel=1e-2)


def test_many_terms_are_summed_up_and_a_plan_that_meets_its_goals_says_what_is_measured() -> None:
    missed = [goal_result("PTV D95% >= 50 Gy", 49.0 - i) for i in range(8)]
    lines = loss_lines(missed)
    assert len(lines) == 8
    assert lines[-2].startswith("- and 3 goals more: ")
    (said,) = loss_lines([goal_result("PTV D95% >= 50 Gy", 55.0)])
    assert said.startswith("LOSS -0.5: all goals are met, so it is minus the room")
    assert loss_lines([]) == []
