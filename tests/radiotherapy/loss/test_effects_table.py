"""Sensitivities in words: what pulls apart, and what goals exclude each other near a plan."""

from __future__ import annotations

import pytest

from tests.radiotherapy.goal_results import AGAINST, effects
from tgsci_radiotherapy.loss import effects_table, linear


def test_objectives_that_pull_apart_are_named_with_what_they_do() -> None:
    (said,) = effects_table.pulls(AGAINST)
    assert "Core and PTV pull against each other" in said or "PTV and Core pull against each other" in said
    assert "PTV D95% +0.60 Gy (helps)" in said or "Core D10% -1.90 Gy (helps)" in said
    assert "(costs)" in said


def test_objectives_that_pull_together_are_not() -> None:
    together = effects(("PTV D95%", 48.0, 50.0, True, [0.6, 0.5]), ("PTV D98%", 45.0, 47.0, True, [0.4, 0.5]))
    assert effects_table.pulls(together) == []


def test_an_objective_that_does_next_to_nothing_pulls_at_nothing() -> None:
    idle = effects(("PTV D95%", 48.0, 50.0, True, [0.8, -0.04]), ("Core D10%", 27.0, 25.0, False, [1.0, -0.05]))
    assert effects_table.pulls(idle) == []


def test_exclusion_names_the_goals_and_the_rate_of_exchange() -> None:
    (said,) = effects_table.exclusion(AGAINST, linear.Region(1.0, 1.0))
    assert "at the same pace, with what is met kept, by nothing at most" in said
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


def test_a_protocol_of_weights_only_is_told_of_no_dose() -> None:
    (said,) = effects_table.exclusion(AGAINST, linear.Region(1.0, 0.0))
    assert "within a doubling of weights, all" in said
    assert "per +1 Gy" not in "\n".join(effects_table.table(AGAINST, {0, 1}, 10, doses=False))
    assert "per +1 Gy" in "\n".join(effects_table.table(AGAINST, {0, 1}, 10))


def test_the_table_fits_its_room_and_names_only_goals_that_are_shown() -> None:
    for room in range(12):
        assert len(effects_table.table(AGAINST, {0, 1}, room)) <= room
    assert "Core D10%" not in "\n".join(effects_table.table(AGAINST, {0}, 12))
    assert "Core D10%" not in "\n".join(effects_table.pulls(AGAINST, {0}))
    assert effects_table.exclusion(AGAINST, linear.Region(1.0, 1.0), {0}) == []
