"""Edits in words: what changes by number, what every missed goal becomes, predicted and solved, nothing hidden."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.goal_results import effects
from tgsci_radiotherapy.loss import PlanLoss, steps
from tgsci_radiotherapy.loss.ahead import ONE_STEP, STEP
from tgsci_radiotherapy.loss.effects import Try
from tgsci_radiotherapy.loss.linear import Region
from tgsci_radiotherapy.plan import Objective, PlanParameters

FREE = effects(("PTV D95%", 49.0, 50.0, True, [2.0, 0.0]), ("Core D10%", 24.0, 25.0, False, [0.0, 0.0]))


def test_a_step_names_what_changes_and_what_every_missed_goal_becomes() -> None:
    said = steps.one_step(small_case(), FREE, Region(1.0, 1.0), {0, 1})
    assert re.fullmatch(r"\[1\] weight 100 -> [12]\d\d", said[0])
    assert said[1].startswith("predicted: loss ")
    assert "goals met 1 of 2 -> 2 of 2" in said[1]
    assert [line.split()[0] for line in said[2:]] == ["goal", "PTV"]
    assert said[3].split()[-1] == "MET"
    assert "solved" not in " ".join(said)


def test_what_came_when_the_step_was_solved_stands_beside_the_prediction() -> None:
    parameters = FREE.parameters.replaced(0, weight=150.0)
    solved = replace(FREE, tries=(Try(ONE_STEP, parameters, np.array([49.6, 25.4])),))
    said = steps.one_step(small_case(), solved, Region(1.0, 1.0), {0, 1})
    assert "solved again: loss" in said[1]
    assert said[1].endswith("goals met 1 of 2 -> 0 of 2")
    table = {line.split()[0]: line.split() for line in said[3:]}
    assert table["PTV"][-2:] == ["49.60", "nearer"]
    assert table["Core"][-2:] == ["25.40", "LOST"]


def test_goals_that_the_page_does_not_show_are_not_named() -> None:
    assert "PTV D95%" not in "\n".join(steps.one_step(small_case(), FREE, Region(1.0, 1.0), {1}))
    tried = replace(FREE, tries=(Try("weights", FREE.parameters.replaced(0, weight=400.0), np.array([51.0, 25.5])),))
    assert "Core D10%" not in "\n".join(steps.further(tried, {0}))


def test_edits_that_help_are_told_the_best_first_and_the_others_named() -> None:
    better, best, worse = (FREE.parameters.replaced(0, weight=w) for w in (200.0, 300.0, 10.0))
    tries = (
        Try(ONE_STEP, FREE.parameters.replaced(0, weight=150.0), np.array([50.5, 24.0])),
        Try("better", better, np.array([49.5, 24.0])),
        Try("best", best, np.array([50.4, 24.2])),
        Try("worse", worse, np.array([40.0, 24.0])),
    )
    said = steps.further(replace(FREE, tries=tries), {0, 1})
    assert [line.split(":")[0] for line in said] == ["- best", "- better", "- no better"]
    assert "[1] weight 100 -> 300" in said[0]
    assert "PTV D95% 49.00 -> 50.40 Gy (MET)" in said[0]
    assert "PTV D95% 49.00 -> 49.50 Gy (missed)" in said[1]
    assert "worse (loss" in said[2]
    assert ONE_STEP not in " ".join(said)


def test_changes_are_told_by_number_and_new_objectives_as_they_would_be_written() -> None:
    before = FREE.parameters
    after = PlanParameters(
        (replace(before.objectives[0], weight=50.0, dose_gy=51.0), Objective("Core", "mean", None, 3.0))
    )
    assert steps.changes(before, after) == [
        "[1] weight 100 -> 50 and dose 50 -> 51 Gy",
        "[2] left out",
        "new: Core mean, weight 3",
    ]
    assert steps.changes(before, before) == []


def test_the_step_on_a_real_page_is_solved_and_near_its_prediction(loss: PlanLoss) -> None:
    solved = loss.solve(loss.start)
    said = steps.one_step(loss.case, solved.effects, STEP, set(range(len(solved.effects.results))))
    found = re.search(r"predicted: loss (\S+) -> (\S+), .*solved again: loss \S+ -> (\S+),", said[1])
    assert found is not None
    before, told, came = map(float, found.groups())
    assert came < before
    assert told < before
    rows = [line.split() for line in said[3:] if ">=" in line or "<=" in line]
    for *_, now, foretold, solved_again, turn in (row for row in rows if row[-1] == "MET"):
        assert (float(foretold.rstrip("*")) > float(now)) == (float(solved_again) > float(now)), turn
    missed = {r.goal.criterion for r in solved.effects.results if not r.met}
    assert missed <= {" ".join(row[:5] if row[4] == "Gy" else row[:4]) for row in rows}
