"""Cells: figures that tell values apart, and not more."""

from __future__ import annotations

import tgsci as tg
from tests.search.pages import rows, write
from tgsci.search.insight import Insight


class Facing(tg.Loss):
    """A contact that is near enough and faces away: its figure alone misleads."""

    units = {"gap": "A"}

    def evaluate(self, value):
        return tg.Feedback(1.0, "", {"gap": 0.1}, {"bond": 0.1})

    def in_words(self, name, value):
        return "faces away" if name in ("gap", "bond") and 0 < value <= 0.1 else ""


def test_counts_are_whole_and_a_metric_that_is_missing_is_a_dash():
    insight = Insight(key_columns=("rings", "QED", "charge"))
    metrics = [{"rings": 3.0, "QED": 0.04}, {"rings": 12.0, "QED": 0.91}, {"QED": 0.5}]
    trials = [tg.Trial(i, i, f"v{i}", feedback=tg.Feedback(float(i), "r", each)) for i, each in enumerate(metrics)]
    found = rows(write(tg.Trials(trials, insight=insight)))
    assert [row["rings"] for row in found.values()] == ["12", "-", "3"]
    assert {row["charge"] for row in found.values()} == {"-"}
    assert found[0]["QED"] == "0.040"


def test_a_metric_with_a_unit_that_no_value_has_yet_is_a_column_of_dashes():
    class Timed(tg.Loss):
        units = {"time": "ms"}

        def evaluate(self, value):
            return tg.Feedback(1.0)

    trials = [tg.Trial(0, 0, "v", feedback=tg.Feedback(1.0))]
    found = rows(write(tg.Trials(trials, loss=Timed(), insight=Insight(key_columns=("time",)))))
    assert [row["time (ms)"] for row in found.values()] == ["-"]


def test_small_and_equal_losses_stay_apart():
    trials = tg.Trials(
        [
            tg.Trial(i, i, f"v{i}", parent=0 if i else None, feedback=tg.Feedback(loss))
            for i, loss in enumerate([2e-6, 2e-6, 3e-6])
        ]
    )
    assert [row["change of loss"] for row in rows(write(trials)).values()][-1] != "+0.00"


def test_a_figure_that_misleads_is_told_in_the_words_of_its_loss():
    trials = tg.Trials(
        [tg.Trial(0, 0, "v", feedback=tg.Feedback(1.0, "r", {"gap": 0.1}, {"bond": 0.1, "size": 0.1}))],
        loss=Facing(),
        insight=Insight(key_columns=("gap",)),
    )
    page = write(trials)
    assert [row["gap (A)"] for row in rows(page).values()] == ["faces away"]
    assert "breaks bond: faces away, breaks size by 0.10" in page
    assert "bond by" not in page
