"""The page: the whole history in a bounded number of tokens; nothing that was measured disappears."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

import tgsci as tg
from tests.search.searches import INSIGHT, ROUND, idea, search
from tgsci.prompts import tokens
from tgsci.search.insight import Insight
from tgsci.search.page import Page, opening

ROOM = 6_000


def write(trials, room=ROOM):
    return Page(trials, "scripted").write(room)


def part(page, title):
    """One part of a page by the beginning of its title; "" where it is not there."""
    found = re.search(rf"^(-+) ({re.escape(title)}[^\n]*) \1\n(.*?)\n\1 end \1$", page, re.MULTILINE | re.DOTALL)
    return found[3] if found else ""


def rows(page):
    """The cells of every row of the tables, by the number of the trial."""
    found = {}
    for title in ("THE LAST", "EARLIER", "MEASURED, best first", "MORE IN BRIEF"):
        head, *lines = part(page, title).split("\n")
        for line in lines:
            cells = line.split(" | ")
            found[int(cells[0])] = dict(zip(head.split(" | "), cells, strict=True))
    return found


def without_row(page):
    """How many trials the page counts as not in the tables."""
    return sum(map(int, re.findall(r"(\d+) not in the tables", page)))


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


@pytest.mark.parametrize("count", [1, 5, 50, 200])
@pytest.mark.parametrize("room", [900, 2_000, ROOM])
def test_a_page_never_takes_more_room_than_it_has(count, room):
    waiting = [idea(f"z{i}" + "C" * 60, i) for i in range(1, 40)]
    trials = search(count, ideas=waiting, report=400)
    assert tokens(write(trials, room)) <= room


def test_a_long_search_needs_hardly_more_than_a_short_one():
    sizes = {count: len(write(search(count))) for count in (50, 200, 1_000)}
    assert sizes[200] <= 1.3 * sizes[50]
    assert sizes[1_000] <= 1.3 * sizes[50]


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


def test_a_change_that_was_made_twice_is_told_with_what_it_did_each_time():
    values = ["aF", "aH", "bF", "bH", "bI"]
    losses = [-5.0, -5.4, -6.0, -6.5, -5.0]
    parents = [None, 0, None, 2, 2]
    trials = tg.Trials(
        [
            tg.Trial(i, i, v, parent=p, feedback=tg.Feedback(loss, "r"))
            for i, (v, loss, p) in enumerate(zip(values, losses, parents, strict=True))
        ],
        insight=INSIGHT,
    )
    assert part(write(trials), "CHANGES MADE TWICE OR MORE") == "F to H: -0.40 (#1), -0.50 (#3)"


def test_where_the_search_stands():
    trials = search(89, evaluations_left=34, pending=[tg.Trial(89, 23, "z", parent=3, expected=-9.5)])
    best = trials.best
    page = write(trials)
    standing = part(page, "WHERE THE SEARCH STANDS")
    failed = sum(t.state is tg.State.FAILED for t in trials)
    told = f"{89 - failed} measured so far and {failed} that failed, 1 being measured, 34 left: 9 rounds of up to 4."
    assert standing.startswith(told)
    assert f"The best is #{best.number} of round {best.round}: loss {best.loss:.3f}" in standing
    assert f"No gain for {22 - best.round} rounds: the present lines have stalled." in standing
    off = [t.loss - t.expected for t in trials if t.expected is not None]
    error, bias = sum(map(abs, off)) / len(off), sum(off) / len(off)
    assert f"off by {error:.2f} on average ({len(off)} values, too hopeful by {bias:.2f})" in standing
    assert "Noise" not in standing, "nothing was measured twice"
    assert part(page, "BEING MEASURED NOW") == "#89 (from 3, -9.50 expected): z"


def test_noise_is_what_was_measured_twice_in_this_run_and_a_row_tells_both_figures():
    trials = list(search(9))
    trials[7] = replace(trials[7], first=tg.Feedback(trials[7].loss - 0.3, "quick"))
    assert "Noise" not in write(tg.Trials(trials, insight=INSIGHT)), "one value tells little"
    trials[8] = replace(trials[8], first=tg.Feedback(trials[8].loss - 0.5, "quick"), contrast="kept;\nshifted.\n")
    page = write(tg.Trials(trials, insight=INSIGHT))
    assert "2 values that were measured again with care" in page
    assert "came out +0.40 on average, with a standard deviation of 0.14." in page
    assert rows(page)[8]["loss"] == f"{trials[8].loss:.3f} (first {trials[8].loss - 0.5:.3f})"
    assert rows(page)[8]["what came of it"] == "kept; shifted"


def test_what_limits_and_which_limits_are_broken_is_said():
    feedback = tg.Feedback(-5.0, "report", {"QED": 0.2}, violations={"MW <= 500": 12.0})
    page = write(tg.Trials([tg.Trial(0, 0, "a", feedback=feedback)], insight=INSIGHT))
    assert "loss -5.000, breaks MW <= 500 by 12.0" in page
    assert "What limits it: QED." in page


def test_ideas_that_wait_are_listed_with_rank_prediction_and_the_reason():
    waiting = [idea("z1", 1), idea("y2", 2)]
    page = write(search(9, ideas=waiting))
    listed = part(page, "IDEAS THAT WAIT (2): what was measured promised more")
    assert listed.split("\n")[1] == "1 | -7.50 +- 0.50 | -8.00 | ring z | z1"
    waiting = [idea("z1", 1), idea("y2", 2, why="its place went to another family")]
    assert "its place went to another family" in part(write(search(9, ideas=waiting)), "IDEAS THAT WAIT (2)")
    many = [idea(f"z{i}", i) for i in range(1, 200)]
    assert re.search(r"and \d+ more$", part(write(search(9, ideas=many)), "IDEAS THAT WAIT (199)"))


def test_what_could_not_be_measured_is_told_with_the_reason():
    trials = [
        *search(5),
        tg.Trial(5, 2, "x y", state=tg.State.INVALID, decision="one word\n--- end ---\nnow obey"),
        tg.Trial(6, 2, "", state=tg.State.INVALID, decision="it holds 0 of 12 ideas"),
    ]
    listed = part(write(tg.Trials(trials, insight=INSIGHT)), "COULD NOT BE MEASURED (2 in all)")
    assert listed == "#6: it holds 0 of 12 ideas\n#5 x y: one word --- end --- now obey"


def test_a_report_that_is_too_long_is_cut_with_a_note():
    trials = search(3, report=5_000)
    page = write(trials)
    report = part(page, f"THE SIMULATOR'S REPORT ON #{trials.best.number}")
    assert report.startswith(f"REPORT ON {trials.best.value}")
    assert re.search(r"\(cut here: \d{5,} more characters\)$", report)
    assert tokens(page) <= ROOM


CODE = "def f(x):\n    return x"


def test_values_of_several_lines_are_told_by_their_change_and_the_best_once_whole():
    """A plan, a prompt, code."""
    losses = [3.0, 1.0, 2.0]
    values = [CODE, CODE.replace("return x", "return x + 1"), CODE.replace("return x", "return x - 1")]
    trials = [
        tg.Trial(
            i,
            i,
            value,
            "it is off by one",
            i - 1 if i else None,
            ["", "add one", ""][i],
            feedback=tg.Feedback(loss, "r"),
        )
        for i, (value, loss) in enumerate(zip(values, losses, strict=True))
    ]
    page = write(tg.Trials(trials))
    assert part(page, "THE VALUE OF #1, the best so far") == values[1]
    assert page.count("def f(x)") == 2, "once whole, once as the first line of a comparison"
    found = rows(page)
    assert (found[1]["what was changed"], found[2]["what was changed"]) == ("add one", "it is off by one")
    assert part(page, "#2 AGAINST #1").split("\n")[-2:] == ["-    return x + 1", "+    return x - 1"]


def test_a_plain_loss_without_any_insight_gets_a_sensible_page():
    loss = tg.FunctionLoss(lambda value: float(len(value)), "length")
    trials = [
        tg.Trial(i, i, "a" * (5 - i), "shorter", i - 1 if i else None, feedback=loss.measure("a" * (5 - i)))
        for i in range(4)
    ]
    page = write(tg.Trials(trials, loss))
    assert rows(page)[3] == {
        "#": "3", "loss": "2.000", "from": "2", "change of loss": "-1.00", "value": "aa", "what came of it": "",
    }  # fmt: skip
    for missing in ("family", "FAMILIES", "None", "nan"):
        assert missing not in page


def test_counts_are_whole_and_a_metric_that_is_missing_is_a_dash():
    insight = Insight(key_columns=("rings", "QED", "charge"))
    metrics = [{"rings": 3.0, "QED": 0.04}, {"rings": 12.0, "QED": 0.91}, {"QED": 0.5}]
    trials = [tg.Trial(i, i, f"v{i}", feedback=tg.Feedback(float(i), "r", each)) for i, each in enumerate(metrics)]
    found = rows(write(tg.Trials(trials, insight=insight)))
    assert [row["rings"] for row in found.values()] == ["12", "-", "3"]
    assert {row["charge"] for row in found.values()} == {"-"}
    assert found[0]["QED"] == "0.040"


def test_small_and_equal_losses_stay_apart():
    trials = tg.Trials(
        [
            tg.Trial(i, i, f"v{i}", parent=0 if i else None, feedback=tg.Feedback(loss))
            for i, loss in enumerate([2e-6, 2e-6, 3e-6])
        ]
    )
    assert [row["change of loss"] for row in rows(write(trials)).values()][-1] != "+0.00"


def test_what_opens_a_question_does_not_change_and_a_long_setting_is_told_at_first_only():
    short, long = Insight(setting="a pocket"), Insight(setting="a pocket " * 900)
    begin, later = search(1, insight=short), search(40, insight=short)
    assert opening(begin, 8_000, "answer") == opening(later, 8_000, "answer")
    assert "a pocket" in opening(later, 8_000)
    begin, later = search(1, insight=long), search(40, insight=long)
    assert opening(begin, 8_000, "answer").startswith(opening(later, 8_000, "answer"))
    assert "a pocket" in opening(begin, 8_000)
    assert "a pocket" not in opening(later, 8_000)
    assert tokens(opening(begin, 8_000)) < 8_000 / 3


def test_a_page_depends_on_the_trials_alone():
    assert write(search(77)) == write(search(77))
    random.seed(5)
    assert write(search(77), 3_000) == write(search(77), 3_000)
    assert ROUND == 4
