"""The history: nothing that was measured disappears."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import tgsci as tg
from tests.search.pages import ROOM, part, rows, without_row, write
from tests.search.searches import INSIGHT, search
from tgsci.search.insight import Insight


@pytest.mark.parametrize("room", [700, 1_500, 3_000, ROOM])
@pytest.mark.parametrize("count", [1, 2, 7, 30, 200])
@pytest.mark.parametrize("families", [1, 6, 26])
def test_every_measured_trial_has_a_row_or_is_counted(count, room, families):
    trials = search(count, families=families)
    page = write(trials, room)
    assert len(rows(page)) + without_row(page) == len(trials.ranked())


def test_without_families_what_has_no_row_is_condensed_to_one_line():
    trials = search(200, insight=Insight(key_columns=("vina",)))
    page = write(trials, 2_500)
    hidden = re.search(r"Not in the tables: (\d+) measured, best (-[\d.]+) \(#\d+\), median", page)
    assert hidden
    assert len(rows(page)) + int(hidden[1]) == len(trials.ranked())
    assert "family" not in page


def test_a_row_tells_figures_parent_change_expectation_and_what_came_of_it():
    trials = search(30)
    trial = next(t for t in trials.last_round() if t.measured and t.parent is not None and trials[t.parent].measured)
    row = rows(write(trials))[trial.number]
    assert row["family"] == trials.family(trial.value)
    assert float(row["loss"]) == pytest.approx(trial.loss, abs=1e-3)
    assert float(row["vina (kcal/mol)"]) == pytest.approx(trial.feedback.metrics["vina"], abs=1e-2)
    assert row["from"] == f"{trial.parent}"
    assert float(row["change of loss"]) == pytest.approx(trial.loss - trials[trial.parent].loss, abs=1e-2)
    assert (row["role"], row["value"]) == (trial.role, trial.value)
    assert float(row["expected"]) == pytest.approx(trial.expected, abs=1e-2)
    assert row["what came of it"] == trial.contrast


def test_what_has_no_room_for_a_whole_row_has_a_brief_one():
    """So that a model sees what was tried, and need not propose it again."""
    page = write(search(200), 3_500)
    head, *brief = part(page, "MORE IN BRIEF, best first").split("\n")
    assert head == "# | loss | value"
    assert len(brief) >= 10
    assert [float(line.split(" | ")[1]) for line in brief] == sorted(float(line.split(" | ")[1]) for line in brief)
    assert "MORE IN BRIEF" not in write(search(20))


def test_the_last_two_rounds_stand_whole_and_the_others_best_first():
    trials = search(41)
    page = write(trials)
    recent = [t.number for t in trials if t.round >= trials[-1].round - 1 and t.measured]
    assert [int(line.split(" | ")[0]) for line in part(page, "THE LAST 2 ROUNDS").split("\n")[1:]] == recent
    earlier = [float(line.split(" | ")[2]) for line in part(page, "EARLIER, best first").split("\n")[1:]]
    assert earlier == sorted(earlier)


def test_the_best_of_every_good_family_and_what_disappointed_most_keep_their_rows():
    trials = search(200)
    page = write(trials)
    found, ranked = rows(page), trials.ranked()
    leaders = {trials.family(t.value): t.number for t in reversed(ranked)}
    assert set(leaders.values()) <= set(found)
    missed = max((t for t in ranked if t.expected is not None), key=lambda t: t.loss - t.expected)
    assert missed.number in found
    assert missed.number not in {t.number for t in ranked[:60]}, "its rank alone would not have kept it"


def test_a_family_keeps_its_name_and_is_told_with_count_best_and_spread():
    for count in (50, 200):
        trials = search(count)
        lines = part(write(trials), "FAMILIES").split("\n")
        for line in lines:
            name, size, best, number = re.match(r"(.+?): (\d+) measured, best (-[\d.]+) \(#(\d+)\)", line).groups()
            members = [t for t in trials.ranked() if trials.family(t.value) == name]
            assert (int(size), int(number)) == (len(members), members[0].number)
            assert float(best) == pytest.approx(members[0].loss, abs=1e-2)
            assert "median" in line
            assert "worst" in line


def test_a_family_with_a_long_name_goes_by_a_number_that_stays():
    long = replace(INSIGHT, family=lambda value: f"{value[0]} with everything that makes a name a long one")
    numbers = {}
    for count in (30, 200):
        trials = search(count, insight=long)
        page = write(trials)
        legend = dict(
            re.findall(r"^(F\d+): .*; (\w) with everything that makes a name a long one$", page, re.MULTILINE)
        )
        assert set(legend.values()) == {trials.family(t.value)[0] for t in trials.ranked()}
        assert all(legend[row["family"]] == row["value"][0] for row in rows(page).values() if "family" in row)
        numbers[count] = legend
    assert numbers[30] == numbers[200]


def test_noise_is_what_was_measured_twice_in_this_run_and_a_row_tells_both_figures():
    trials = list(search(9))
    trials[7] = replace(trials[7], first=tg.Feedback(trials[7].loss - 0.3, "quick"))
    assert "Noise" not in write(tg.Trials(trials, insight=INSIGHT)), "one value tells little"
    trials[6] = replace(trials[6], first=tg.Feedback(trials[6].loss - 0.5, "quick"), contrast="kept;\nshifted.\n")
    page = write(tg.Trials(trials, insight=INSIGHT))
    assert "2 good values that were measured again with care" in page
    assert "came out +0.40 on average, with a standard deviation of 0.14." in page
    assert rows(page)[6]["loss"] == f"{trials[6].loss:.3f} (first {trials[6].loss - 0.5:.3f})"
    assert rows(page)[6]["what came of it"] == "kept; shifted"
