"""One report a page: new whenever there is a new one, and chosen from the trials alone."""

from __future__ import annotations

import tgsci as tg
from tests.search.searches import search
from tgsci.search.insight import Insight
from tgsci.search.reports import choose_report

INSIGHT = Insight(family=lambda value: value[0])


def trial(number, value, loss, parent=None, expected=None, round=None, text="report"):
    feedback = tg.Feedback(loss, text and f"{text} {number}")
    return tg.Trial(
        number, number if round is None else round, value, parent=parent, feedback=feedback, expected=expected
    )


def shown(trials, ahead=False):
    """The numbers of the reports that are shown one after the other, and why, as a search grows by its rounds."""
    found = []
    for last in range(trials[-1].round + 1):
        known = [t for t in trials if t.round <= last]
        pending = [tg.Trial(99, last + 1, "zz")] if ahead else []
        for under_way in ([[]] if last == 0 else []) + ([pending] if ahead or last else []):
            chosen = choose_report(tg.Trials(known, insight=INSIGHT, pending=under_way))
            found.append((chosen.trial.number, chosen.why))
    return found


def test_the_leaders_report_comes_first_while_it_is_new():
    trials = [trial(i, "a", -float(i), i - 1 if i else None) for i in range(4)]
    assert shown(trials) == [(i, "the best so far") for i in range(4)]


def test_then_a_gain_a_surprise_and_the_best_of_another_family_take_turns():
    trials = [
        trial(0, "a", -9.0),
        trial(1, "b1", -5.0, 0, round=1),
        trial(2, "b2", -6.0, 1, round=2),
        trial(3, "a3", -4.0, 0, expected=-9.5, round=2),
        trial(4, "c4", -3.0, 0, round=2),
        trial(5, "a5", -2.0, 0, round=3),
        trial(6, "a6", -2.5, 5, round=3),
        trial(7, "a7", -1.0, 0, round=4),
        trial(8, "a8", -1.0, 0, round=5),
    ]
    assert shown(trials) == [
        (0, "the best so far"),
        (1, "the best of its family"),
        (2, "the newest gain: better than its parent #1"),
        (3, "a surprise: -9.500 was expected"),
        (4, "the best of its family"),  # that #6 is better than the poor #5 is no news
        (6, "the best that you have not seen yet"),
    ]


def test_no_report_is_shown_again_while_there_is_another():
    for seed in range(5):
        trials = search(60, seed=seed)
        numbers = [number for number, _ in shown(list(trials))]
        assert len(set(numbers)) == len(numbers)
        assert [number for number, _ in shown(list(trials), ahead=True)][:2] == [0, 0], "there is no other one yet"
        assert len(set([n for n, _ in shown(list(trials), ahead=True)][1:])) == len(numbers)


def test_a_new_leader_is_shown_at_once():
    trials = [trial(0, "a", -5.0), trial(1, "b", -4.0, 0), trial(2, "b2", -8.0, 1), trial(3, "c", -1.0, 0)]
    assert [number for number, _ in shown(trials)] == [0, 1, 2, 3]


def test_when_all_were_shown_it_is_the_leaders_once_more():
    trials = [trial(0, "a", -5.0), trial(1, "a1", -4.0, 0), *(tg.Trial(n, n, f"v{n}") for n in (2, 3))]
    assert shown(trials)[2:] == [(0, "the best so far, once more")] * 2


def test_what_has_no_report_is_passed_over():
    trials = [trial(0, "a", -5.0), trial(1, "b", -9.0, 0, text=""), trial(2, "c", -6.0, 0)]
    assert [number for number, _ in shown(trials)] == [0, 0, 2]
    assert choose_report(tg.Trials([])) is None
    assert choose_report(tg.Trials([trial(0, "a", 1.0, text="")])) is None


def test_the_nearest_miss_is_shown_before_what_is_poor():
    trials = [
        trial(0, "a", -9.0),
        *(trial(n, f"a{n}", loss, 0, round=1) for n, loss in ((1, -1.0), (2, -8.9), (3, -2.0))),
        *(trial(n, f"a{n}", -3.0, 0, round=n) for n in range(4, 9)),
    ]
    assert shown(trials)[1] == (2, "the nearest miss: good, and not the best")
