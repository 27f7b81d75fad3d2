"""The pool: ranked anew with everything that is known; places for other families and for whose turn it is."""

from __future__ import annotations

import math

import pytest

import tgsci as tg
from tgsci.search.pool import choose, rank
from tgsci.search.trial import Idea


def trials(*values, insight=None, round=None, best=0):
    """Trials of which the one numbered `best` has the lowest loss, the last one in round `round`."""
    rows = [
        tg.Trial(i, i, v, state=tg.State.REJECTED, feedback=tg.Feedback(0.0 if i == best else 1.0 + i))
        for i, v in enumerate(values)
    ]
    if round is not None:
        rows.append(tg.Trial(len(rows), round, "", state=tg.State.INVALID))
    return tg.Trials(rows, insight=insight)


def pool(*ideas):
    """Ideas by number; each given as VALUE, or (VALUE, proposer, round)."""
    rows = [(idea, "model", 1) if isinstance(idea, str) else idea for idea in ideas]
    return {10 + i: Idea(tg.Proposal(value), proposer, round) for i, (value, proposer, round) in enumerate(rows)}


def names(ideas):
    return [idea.proposal.value for idea in ideas.values()]


def expects(**outlooks):
    """A domain that expects of each value what is given: a loss, or (loss, sd); nothing of the others."""

    def predict(known, values):
        found = [outlooks.get(value) for value in values]
        return [f and tg.Outlook(*f) if isinstance(f, tuple) else f and tg.Outlook(f, 0.0) for f in found]

    return predict


FAMILY = {"family": lambda value: value[0]}


def test_where_nothing_is_expected_the_newest_round_comes_first_and_each_proposer_in_turn():
    ideas = pool("old1", ("m1", "model", 2), ("m2", "model", 2), ("r1", "rules", 2), ("r2", "rules", 2))
    assert names(rank(ideas, trials("start"))) == ["m1", "r1", "m2", "r2", "old1"]


def test_what_promises_most_comes_first_and_what_nothing_is_expected_of_last():
    insight = tg.Insight(predict=expects(good=-5.0, unsure=(-4.0, 2.0), bad=-1.0, broken=(math.nan, 1.0)))
    ranked = rank(pool("dark", "broken", "bad", "good", "unsure"), trials("start", insight=insight))
    assert names(ranked) == ["unsure", "good", "bad", "dark", "broken"]
    assert [idea.outlook for idea in ranked.values()][:2] == [tg.Outlook(-4.0, 2.0), tg.Outlook(-5.0, 0.0)]


def test_a_domain_that_cannot_tell_yet_leaves_the_proposers_order():
    def refuses(known, values):
        raise tg.MeasurementError("too few")

    assert names(rank(pool("b", "a"), trials("s", insight=tg.Insight(predict=refuses)))) == ["b", "a"]


def test_what_waits_keeps_its_rank_and_why():
    choice = choose(pool("a", "b", "c", "d"), trials("start"), 2)
    assert names(choice.taken) == ["a", "b"]
    assert [(i.proposal.value, i.rank, i.why) for i in choice.waiting.values()] == [
        ("c", 1, "newer ideas came first"),
        ("d", 2, "newer ideas came first"),
    ]
    assert choose({}, trials("start"), 4).taken == {}


@pytest.mark.parametrize(("round", "best", "elsewhere"), [(1, 0, 1), (7, 0, 2)])
def test_one_place_in_four_goes_to_another_family_two_when_the_search_has_stalled(round, best, elsewhere):
    insight = tg.Insight(predict=expects(a1=-9, a2=-8, a3=-7, a4=-6, b1=-3, b2=-2, c1=-1), **FAMILY)
    known = trials("a0", "b0", insight=insight, round=round, best=best)
    choice = choose(pool("a1", "a2", "a3", "a4", "b1", "b2", "c1"), known, 4)
    assert names(choice.taken) == [["c1"], ["c1", "b1"]][elsewhere - 1] + ["a1", "a2", "a3"][: 4 - elsewhere]
    whys = {i.proposal.value: i.why for i in choice.waiting.values()}
    assert whys["a4"] == "its place went to another family or to another proposer"
    assert whys["b2"] == whys["a4"], "c1, of which less was expected, was measured"


def test_of_rounds_with_one_place_each_fourth_goes_elsewhere():
    insight = tg.Insight(predict=expects(a1=-9, b1=-3), **FAMILY)
    taken = [names(choose(pool("a1", "b1"), trials("a0", insight=insight, round=r, best=0), 1).taken) for r in (0, 1)]
    assert taken == [["a1"], ["a1"]]
    stalled = [trials("a0", insight=insight, round=r) for r in range(2, 6)]
    assert [names(choose(pool("a1", "b1"), known, 1).taken) for known in stalled] == [["a1"], ["b1"]] * 2


def test_a_place_for_another_family_goes_by_rank_where_there_is_none():
    insight = tg.Insight(**FAMILY)
    choice = choose(pool("a1", "a2", "a3", "a4", "a5"), trials("a0", insight=insight), 4)
    assert names(choice.taken) == ["a1", "a2", "a3", "a4"]


def test_turns_share_the_places_and_the_best_of_each_comes_first():
    insight = tg.Insight(predict=expects(m1=-9, m2=-8, r1=-2, r2=-1, r3=-3))
    ideas = pool("m1", "m2", ("r1", "rules", 1), ("r2", "rules", 1), ("r3", "rules", 1))
    choice = choose(ideas, trials("start", insight=insight), 3, ["rules", "model", "rules"])
    assert sorted(names(choice.taken)) == ["m1", "r1", "r3"]


def test_an_empty_place_goes_to_whoever_has_most_turns_and_to_nobody_else():
    ideas = pool("m1", "m2", "m3", ("r1", "rules", 1))
    known = trials("start")
    assert names(choose(ideas, known, 4, ["rules", "rules", "rules", "model"]).taken) == ["r1", "m1"]
    assert names(choose(ideas, known, 4, ["model", "model", "model", "rules"]).taken) == ["m1", "m2", "m3", "r1"]
    assert names(choose(pool("m1", "m2"), known, 2, ["rules", "rules"]).taken) == ["m1", "m2"]


def test_another_family_too_is_a_matter_of_turns():
    insight = tg.Insight(**FAMILY)
    ideas = pool("b1", ("a1", "rules", 1), ("a2", "rules", 1), ("c1", "rules", 1))
    choice = choose(ideas, trials("a0", "b0", insight=insight), 2, ["rules", "rules"])
    assert set(names(choice.taken)) <= {"a1", "a2", "c1"}
