"""Values that do not compete: every measured one is accepted, and no goal of a best one is met by them."""

import tgsci as tg
from tgsci.runs.domain import Problem
from tgsci.runs.run import solve


class Length(tg.Loss):
    name = "length"

    def evaluate(self, value):
        if value == "bad":
            raise tg.MeasurementError("no ruler at hand")
        return tg.Feedback(float(len(value)))


class Next(tg.Proposer):
    name = "next"

    def ask(self, trials, n, rng):
        known = {trial.value for trial in trials}
        return [tg.Proposal(value) for value in ("longest", "bad", "x", "same") if value not in known][:n]


def run(tmp_path, **more):
    problem = Problem(loss=Length(), start=["four"], rules=Next(), task="", domain="", config={}, **more)
    return solve(problem, budget=5, workers=0, run=tmp_path)


def test_every_measured_value_is_accepted(tmp_path):
    found = run(tmp_path, rivals=False)
    states = {trial.value: (trial.state.value, trial.decision) for trial in found.trials}
    assert states == {
        "four": ("accepted", "measured"),
        "longest": ("accepted", "measured"),
        "bad": ("failed", "no ruler at hand"),
        "x": ("accepted", "measured"),
        "same": ("accepted", "measured"),
    }
    page = (tmp_path / "report.html").read_text()
    assert "The best trials" not in page
    assert "best loss" not in page


def test_unless_it_is_said_values_are_rivals(tmp_path):
    found = run(tmp_path)
    assert [trial.state.value for trial in found.trials if trial.measured] == [
        *("accepted", "rejected", "accepted", "rejected"),
    ]
    assert "The best trials" in (tmp_path / "report.html").read_text()
