"""A docking looked at again from another's pose: the better pose counts, in every target, and the report says so."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import cloudpickle
import pytest

from tgsci.feedback import Feedback
from tgsci_molecules import DockingLoss, Objective, Settings
from tgsci_molecules.objective.presets import PRESETS
from tgsci_molecules.objective.revisit import PLACED, placed_of

GOOD = Settings(exhaustiveness=8, max_evals=5_000, conformers=1)
#: So short a search misses nearly every pose.
POOR = Settings(exhaustiveness=1, max_evals=60, conformers=1, isomers=1)
PARENT, CHILD = "CC(=O)Nc1ccc(O)cc1", "CC(=O)Nc1ccc(O)c(F)c1"


@cache
def parent() -> Feedback:
    return DockingLoss("ABL1", GOOD).measure(PARENT)


@cache
def missed() -> tuple[Feedback, Feedback]:
    """A child that was docked badly, and what its parent's pose makes of it."""
    loss = DockingLoss("ABL1", POOR)
    docked = loss.measure(CHILD)
    return docked, loss.reconsider(CHILD, docked, parent())


def test_a_pose_that_the_search_missed_counts_with_all_that_follows_from_it() -> None:
    docked, better = missed()
    loss = DockingLoss("ABL1", POOR)
    assert better.metrics["vina"] < docked.metrics["vina"] - 0.1
    assert better.loss == pytest.approx(loss.combine(better.metrics))
    assert better.metrics["LE"] == pytest.approx(-better.metrics["vina"] / better.metrics["heavy atoms"])
    assert better.metrics["QED"] == docked.metrics["QED"]
    assert f"POSE in ABL1: vina {better.metrics['vina']:.2f}" in better.text
    assert "missed this pose: it was found from the pose of its parent" in better.text
    last = f"IN ITS PARENT'S POSE in ABL1: vina {better.metrics['vina']:.2f} kcal/mol "
    assert better.text.splitlines()[-1].startswith(last)
    assert better.text.endswith("the search missed it, and it counts.")
    assert better.artifacts["pose.sdf"] != docked.artifacts["pose.sdf"]
    (found,) = placed_of(better).values()
    assert (found.placed, found.docked) == (better.metrics["vina"], docked.metrics["vina"])


def test_a_docked_pose_that_is_better_stays_and_both_figures_are_told() -> None:
    loss = DockingLoss("ABL1", GOOD)
    docked = loss.measure(CHILD)
    shallow = missed()[0]
    again = loss.reconsider(CHILD, docked, replace(shallow, artifacts={**shallow.artifacts}))
    assert again.loss <= docked.loss
    assert again.metrics["vina"] == min(docked.metrics["vina"], placed_of(again)["ABL1"].placed)
    assert "FROM ITS FIRST POSE in ABL1: vina -" in again.text
    assert placed_of(again)["ABL1"].same


def test_a_second_look_is_pure_and_travels_to_a_worker() -> None:
    docked, better = missed()
    loss = cloudpickle.loads(cloudpickle.dumps(DockingLoss("ABL1", POOR)))
    again = loss.reconsider(CHILD, docked, parent())
    assert (again.loss, again.text, dict(again.artifacts)) == (better.loss, better.text, dict(better.artifacts))


@pytest.mark.slow
def test_an_off_target_is_not_avoided_by_missing_its_pose() -> None:
    form = PRESETS["dockstring-jak2"]
    quick = replace(POOR, max_evals=600)
    deep, shallow = (Objective(form.targets, form.terms, settings=settings) for settings in (GOOD, quick))
    first = deep.measure(CHILD)
    docked = shallow.measure(CHILD)
    assert docked.metrics["LCK vina"] > first.metrics["LCK vina"] + 0.3
    again = shallow.reconsider(CHILD, docked, first)
    for name in ("JAK2 vina", "LCK vina"):
        assert again.metrics[name] <= min(docked.metrics[name], first.metrics[name] + 0.1)
    assert set(placed_of(again)) == {"JAK2", "LCK"}
    assert again.loss == pytest.approx(shallow.combine(again.metrics))


@pytest.mark.parametrize(
    "other",
    [
        Feedback(-3.0, "no pose"),
        Feedback.failed("no luck"),
        Feedback(-3.0, artifacts={"pose.sdf": b"\xff no such file"}),
        Feedback(-3.0, artifacts={"pose.sdf": "x" * 1_000_000}),
    ],
)
def test_another_without_a_usable_pose_changes_no_figure(other: Feedback) -> None:
    docked = missed()[0]
    again = DockingLoss("ABL1", POOR).reconsider(CHILD, docked, other)
    assert (again.loss, again.metrics, again.violations) == (docked.loss, docked.metrics, docked.violations)
    assert all(math.isnan(each.placed) for each in placed_of(again).values())


def test_a_parent_that_lends_no_pose_is_not_spoken_of() -> None:
    docked = missed()[0]
    other = DockingLoss("ABL1", POOR).measure("C1CCCC1")
    again = DockingLoss("ABL1", POOR).reconsider(CHILD, docked, other)
    assert math.isnan(placed_of(again)["ABL1"].placed)
    assert again.text == docked.text


def test_a_failure_stays_a_failure() -> None:
    failed = Feedback.failed("no pose")
    assert DockingLoss("ABL1", POOR).reconsider(CHILD, failed, parent()) is failed


def test_figures_that_cannot_be_read_are_none() -> None:
    for text in ("", "[1]", '{"ABL1": 3}', '{"ABL1": {"placed": "x"}}', b"\xff"):
        assert placed_of(Feedback(1.0, artifacts={PLACED: text})) in ({}, placed_of(Feedback(1.0)))
