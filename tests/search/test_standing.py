"""Where a search stands: noise, forecasts, families and changes, as measured in this run."""

from __future__ import annotations

import time

import pytest

import tgsci as tg
from tgsci.search.standing import Forecasts, Spread, changes, families, forecasts, noise, rounds_without_gain, stalled


def row(number, value, loss, parent=None, round=None, **more):
    feedback = None if loss is None else tg.Feedback(loss)
    return tg.Trial(number, number if round is None else round, value, parent=parent, feedback=feedback, **more)


def test_rounds_without_gain_are_counted_from_the_best():
    assert rounds_without_gain(tg.Trials([])) == 0
    known = tg.Trials([row(0, "a", 2.0), row(1, "b", 1.0), row(2, "c", 3.0)])
    assert (rounds_without_gain(known), stalled(known)) == (1, False)
    known.append(row(3, "d", None))
    assert (rounds_without_gain(known), stalled(known)) == (2, True)


def test_noise_is_what_two_measurements_of_one_value_differ_by():
    known = [row(0, "a", 2.0), row(1, "b", 1.0, first=tg.Feedback(0.5)), row(2, "c", 3.0, first=tg.Feedback(1.5))]
    assert noise(known[:1]) is None
    assert noise(known[:2]) == Spread(1, 0.5, 0.5)
    found = noise(known)
    assert (found.pairs, found.shift, found.sd) == (2, 1.0, pytest.approx(0.5**0.5))
    finals = {0: tg.Feedback(2.4), 2: tg.Feedback.failed("no convergence"), 9: tg.Feedback(1.0)}
    assert (noise(known, finals).pairs, noise(known, finals).shift) == (3, pytest.approx(0.8))


def test_forecasts_are_compared_with_what_came():
    known = [
        row(0, "a", 2.0),
        row(1, "b", 1.0, expected=0.0, proposer="model"),
        row(2, "c", 1.0, expected=4.0, proposer="model"),
        row(3, "d", None, expected=1.0, proposer="model"),
        row(4, "e", 1.0, expected=1.5, proposer="other"),
    ]
    assert forecasts(known) == {"model": Forecasts(2, 2.0, -1.0), "other": Forecasts(1, 0.5, -0.5)}


def test_families_stand_in_the_order_of_their_best():
    known = tg.Trials(
        [row(0, "a0", 2.0), row(1, "b0", 1.0), row(2, "a1", 0.0), row(3, "?", 9.0), row(4, "b1", None)],
        insight=tg.Insight(family=lambda value: "" if value == "?" else value[0]),
    )
    assert {name: [t.number for t in members] for name, members in families(known).items()} == {"a": [2, 0], "b": [1]}
    assert families(tg.Trials([row(0, "a", 1.0)])) == {}


def test_a_change_seen_twice_is_a_matched_change():
    known = tg.Trials(
        [
            row(0, "HH", 2.0),
            row(1, "FH", 1.6, parent=0),
            row(2, "HF", 2.6, parent=0),
            row(3, "FF", 1.1, parent=2),
            row(4, "FX", None, parent=1),
        ],
        insight=tg.Insight(change=lambda parent, child: f"{parent[0]} to {child[0]}" if parent[0] != child[0] else ""),
    )
    made = changes(known)
    assert {name: [(t.number, d) for t, d in each] for name, each in made.items()} == {
        "H to F": [(1, pytest.approx(-0.4)), (3, pytest.approx(-1.5))]
    }
    assert changes(known, least=3) == {}


def test_a_long_run_is_looked_at_in_a_few_milliseconds_and_names_are_asked_once():
    asked = []

    def family(value):
        asked.append(value)
        return value[-1]

    known = tg.Trials([row(0, "v0", 1.0)], insight=tg.Insight(family=family, change=lambda a, b: b[-1]))
    for i in range(1, 2000):
        known.append(row(i, f"v{i}", float(i % 97), parent=i // 2))
    best = 1.0
    for _ in range(5):
        began = time.perf_counter()
        assert len(families(known)) == len(changes(known)) == 10
        best = min(best, time.perf_counter() - began)
    assert len(asked) == 2000
    assert best < 0.05
