"""The page about a plan, and the account of goals that exclude each other: figures in words that hold."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tests.radiotherapy.goal_results import goal_result
from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial, Trials
from tgsci_radiotherapy.case.model import Case
from tgsci_radiotherapy.loss import PlanLoss, effects_table, linear, places
from tgsci_radiotherapy.loss.effects import Effects
from tgsci_radiotherapy.loss.page import MOST_LINES, write_page
from tgsci_radiotherapy.notice import NOTICE
from tgsci_radiotherapy.plan import Objective, PlanParameters
from tgsci_radiotherapy.views.conflicts import account
from tgsci_radiotherapy.views.tables import goal_table


@pytest.fixture(scope="module")
def loss() -> PlanLoss:
    return PlanLoss(small_case(), "tg119-easier")


def effects(*rows: tuple[str, float, float, bool, list[float]], doses: bool = True) -> Effects:
    """Two objectives, and goals given as name, value, limit, above, per doubling of the two weights."""
    objectives = (
        Objective("PTV", "squared_deviation", 50.0, 100.0),
        Objective("Core", "squared_overdose", 20.0, 100.0),
    )
    results = tuple(
        goal_result(f"{name} {'>=' if above else '<='} {limit} Gy, tolerance 0.5 Gy", value)
        for name, value, limit, above, _ in rows
    )
    doubling = np.array([e for *_, e in rows])
    gray = np.zeros_like(doubling) if doses else np.full_like(doubling, np.nan)
    return Effects(PlanParameters(objectives), results, doubling, gray, (), np.zeros((len(rows), 0)))


AGAINST = effects(("PTV D95%", 48.0, 50.0, True, [0.6, -0.6]), ("Core D10%", 27.0, 25.0, False, [1.9, -1.9]))


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
    parts = [float(x) for x in re.findall(r"weight 100: ([\d.]+)%", text)]
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
    )
    text = write_page(loss.case, solved.plan, many, unevaluated=["x"] * 50)
    assert len(text.splitlines()) <= MOST_LINES
    assert "goals more" in text
    assert "SENSITIVITIES" in text


def test_a_goal_within_its_tolerance_is_still_missed() -> None:
    near = effects(("PTV D95%", 49.8, 50.0, True, [0.1, -0.1]))
    trial = Trial(3, 1, "", feedback=Feedback(1.0, artifacts={"sensitivities.json": near.text()}))
    assert "-0.20 Gy  tolerance 0.5 Gy" in goal_table(trial)
    assert "has no goals" in goal_table(Trial(3, 1, "", decision="took too long"))


# -- pulls, sensitivities, exclusion -------------------------------------------------------------------


def test_objectives_that_pull_apart_are_named_with_what_they_do() -> None:
    (said,) = effects_table.pulls(AGAINST)
    assert "Core and PTV pull against each other" in said or "PTV and Core pull against each other" in said
    assert "PTV D95% +0.60 Gy (helps)" in said or "Core D10% -1.90 Gy (helps)" in said
    assert "(costs)" in said


def test_objectives_that_pull_together_are_not() -> None:
    together = effects(("PTV D95%", 48.0, 50.0, True, [0.6, 0.5]), ("PTV D98%", 45.0, 47.0, True, [0.4, 0.5]))
    assert effects_table.pulls(together) == []


def test_exclusion_names_the_goals_and_the_rate_of_exchange() -> None:
    (said,) = effects_table.exclusion(AGAINST, linear.Region(1.0, 1.0))
    assert "by nothing at most" in said
    assert "PTV D95% and Core D10% stand in each other's way" in said
    # Per doubling PTV D95% +0.6 Gy costs Core D10% 1.9 Gy, whichever is asked for.
    assert "1 Gy gained of PTV D95% costs about 3.2 Gy of Core D10%" in said or "about 0.32 Gy of PTV D95%" in said


def test_goals_that_go_together_exclude_nothing() -> None:
    free = effects(("PTV D95%", 48.0, 50.0, True, [0.6, 0.0]), ("Core D10%", 27.0, 25.0, False, [0.0, -1.9]))
    found = linear.conflict(free, linear.Region(1.0, 1.0))
    assert found is not None
    assert found.gain == pytest.approx(0.6 / 50)
    met = effects(("PTV D95%", 51.0, 50.0, True, [0.6, -0.6]))
    assert linear.conflict(met, linear.Region(1.0, 1.0)) is None
    assert effects_table.exclusion(met, linear.Region(1.0, 1.0)) == []


def test_a_linear_step_meets_what_can_be_met_with_the_least_change() -> None:
    reachable = effects(("PTV D95%", 49.5, 50.0, True, [1.0, -0.1]), ("Core D10%", 20.0, 25.0, False, [0.5, -0.5]))
    step = linear.best_step(reachable, linear.Region(2.0, 1.0))
    assert step.predicted[0] == pytest.approx(50.0 + linear.AIM * 50.0, abs=1e-6)
    assert step.doublings[0] == pytest.approx(0.7, abs=0.01)
    assert step.doublings[1] == pytest.approx(0.0, abs=1e-6)


def test_a_step_never_leaves_its_region_nor_makes_a_dose_negative() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        k = rng.normal(size=(2, 2))
        found = replace(AGAINST, per_doubling=k, per_gray=3 * rng.normal(size=(2, 2)))
        region = linear.Region(float(rng.uniform(0.1, 3)), float(rng.uniform(1, 60)))
        step = linear.best_step(found, region)
        assert np.abs(step.doublings).max() <= region.doublings + 1e-9
        assert np.abs(step.grays).max() <= region.grays + 1e-9
        assert (np.array([50.0, 20.0]) + step.grays >= -1e-9).all()


# -- places --------------------------------------------------------------------------------------------


def painted(case: Case, name: str, dose: float, *, where: slice | None = None) -> np.ndarray:
    """50 Gy in the PTV, 10 Gy elsewhere, and another dose in (a part of) a structure."""
    by_row = np.full(case.dij.rows, 10.0)
    by_row[case.rows("PTV")] = 50.0
    rows = case.rows(name)
    by_row[rows if where is None else rows[where]] = dose
    return by_row


def test_a_cold_spot_is_found_where_it_is() -> None:
    case = small_case()
    points = case.grid.points(case.voxels[case.rows("PTV")])
    order = np.argsort(points[:, 1])  # from anterior to posterior
    dose = np.full(case.dij.rows, 10.0)
    dose[case.rows("PTV")] = 50.0
    dose[case.rows("PTV")[order[-12:]]] = 40.0  # the posterior end, next to the Core
    said = "\n".join(places.lines(case, dose))
    assert re.search(r"coldest .* of PTV: 40\.0 Gy \(80% of the prescription\), towards its posterior side", said)
    assert "Core" in said.split("coldest")[1].splitlines()[0]


def test_a_hot_spot_outside_is_told_by_direction_and_distance() -> None:
    case = small_case()
    cube = case.cube(painted(case, "PTV", 50.0))
    z, y, x = case.grid.axes()
    i, j, k = (int(np.abs(axis - at).argmin()) for axis, at in ((z, 0.0), (y, -5.0), (x, 36.0)))
    cube[i - 1 : i + 2, j - 1 : j + 2, k] = 60.0
    (said,) = [line for line in places.lines(case, case.by_row(cube)) if line.startswith("Outside")]
    assert "60.0 Gy, in Body" in said
    assert "left of the edge of PTV" in said
    distance = int(re.search(r"(\d+) mm left", said)[1])  # type: ignore[index]
    assert abs(distance - (36 - 14)) <= 6


def test_overlaps_are_told_with_who_sees_them() -> None:
    (said,) = places.overlaps(tiny_case())
    assert said == "PTV and OAR share 1.0 cc (25% of OAR); objectives see it in PTV"


# -- the account ---------------------------------------------------------------------------------------


def trial(number: int, ptv: float, core: float) -> Trial:
    found = replace(
        AGAINST,
        results=(replace(AGAINST.results[0], value=ptv), replace(AGAINST.results[1], value=core)),
    )
    loss = max(0.0, 50 - ptv) + max(0.0, core - 25)
    feedback = Feedback(loss, "page", artifacts={"sensitivities.json": found.text()})
    return Trial(number, number, f"value {number}", state=State.ACCEPTED, feedback=feedback)


def test_the_account_says_what_each_goal_costs_the_other() -> None:
    trials = [trial(0, 48.0, 26.0), trial(1, 50.5, 28.0), trial(2, 51.0, 29.0), trial(3, 45.0, 24.0)]
    random.Random(0).shuffle(trials)
    text = account(Trials(sorted(trials, key=lambda t: t.number)))
    assert NOTICE in text
    assert "PTV D95% >= 50 Gy (met in 2 plans) and Core D10% <= 25 Gy (met in 1 plan): no plan met both" in text
    assert "with PTV D95% met, Core D10% came to 28 Gy at best (trial 1)" in text
    assert "with Core D10% met, PTV D95% came to 45 Gy at best (trial 3)" in text
    assert "not a proof" in text


def test_a_goal_that_no_plan_met_is_told_with_the_nearest() -> None:
    text = account(Trials([trial(0, 50.5, 30.0), trial(1, 49.0, 27.0)]))
    assert "Core D10% <= 25 Gy: met in no plan. The nearest was 27 Gy in trial 1, where it missed PTV D95%" in text
    assert "All goals but Core D10% <= 25 Gy were met in 1 plan" in text


def test_where_all_is_met_there_is_nothing_to_account_for() -> None:
    assert account(Trials([trial(0, 48.0, 26.0), trial(1, 51.0, 24.0)])) == ""
    assert account(Trials([])) == ""
    assert account(Trials([Trial(0, 0, "x", feedback=Feedback(1.0, "page"))])) == ""
