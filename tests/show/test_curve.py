"""The curve of a run: what each measurement came to."""

from __future__ import annotations

import tgsci as tg
from tgsci.show.curve import best_so_far, points


class Scripted(tg.Proposer):
    def ask(self, trials, n, rng):
        values = ["bb", "fail", "long enough", "b"]
        return [tg.Proposal(value, "") for value in values[len(trials) - 1 :]][:n]


def loss(value):
    if value == "fail":
        raise tg.MeasurementError("no figure")
    return tg.Feedback(float(len(value)), "", violations={"length": len(value) - 5.0})


def test_each_measurement_has_its_place_and_outcome():
    found = points(tg.minimize(loss, "aaa", Scripted(), budget=5, proposals=1).trials)
    assert [point.evaluation for point in found] == [1, 2, 3, 4, 5]
    assert [point.loss for point in found] == [3.0, 2.0, 11.0, 11.0, 1.0]  # what failed stands with the worst
    assert [point.outcome for point in found] == [
        "best so far",
        "best so far",
        "could not be measured",
        "not better, outside a hard limit",
        "best so far",
    ]
    assert [point.evaluation for point in best_so_far(found)] == [1, 2, 5]


def test_a_run_without_measurements_has_no_curve():
    assert points([]) == best_so_far([]) == []
