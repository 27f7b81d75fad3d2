"""A problem whose loss asks engines of its own: nobody else proposes, and the domain says what the run found."""

import pytest

import tgsci as tg
from tgsci.errors import UsageError
from tgsci.runs.choose import choose
from tgsci.runs.domain import Problem
from tgsci.runs.run import solve


class Length(tg.Loss):
    name = "length"

    def evaluate(self, value):
        return tg.Feedback(float(len(value)))


class Next(tg.Proposer):
    name = "next"

    def ask(self, trials, n, rng):
        return []


def problem(**more):
    return Problem(
        loss=Length(), start=["aa", "b"], rules=Next(), task="", domain="", config={}, own_engines=True, **more
    )


def test_the_environments_engine_does_not_propose(monkeypatch):
    monkeypatch.setenv("TGSCI_ENGINE", "gpt-4o")
    assert choose(problem()).proposer.name == "next"
    assert choose(problem(), "rules", "rules").proposer.name == "next"


@pytest.mark.parametrize(("engine", "optimizer"), [("gpt-4o", None), (None, "tgd"), (None, Next())])
def test_nobody_else_proposes(engine, optimizer):
    with pytest.raises(UsageError, match="asks the engines that its own settings name"):
        choose(problem(), engine, optimizer)


def test_a_domains_own_summary_stands_in_place_of_the_best_trial():
    found = solve(problem(summary=lambda result: f"{len(result.trials)} questions"), budget=2, workers=0)
    assert found.summary().startswith("2 questions\n\nstopped: ")
    assert "best:" not in found.summary()
    assert "used: 2 evaluations" in found.summary()
