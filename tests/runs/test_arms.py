"""Arms of a comparison: runs that differ in nothing but the seed, together."""

from __future__ import annotations

import pytest

import tgsci as tg
from tgsci.runs.arms import ARM, Spread, arm_of, counted, spread, winner


class Distance(tg.Loss):
    name = "distance"
    units = {"x": "m"}

    def evaluate(self, value):
        return tg.Feedback(abs(float(value) - 10), f"x = {value} m", {"x": float(value)})


class Steps(tg.Proposer):
    def __init__(self, name, size):
        super().__init__()
        self.name, self.size = name, size

    def ask(self, trials, n, rng):
        best = trials.best
        return [tg.Proposal(str(float(best.value) + self.size * rng.random()), "up", best.number) for _ in range(n)]


def run(name="near", size=1.0, seed=0, **header):
    return tg.minimize(Distance(), "0", Steps(name, size), budget=11, seed=seed, header=header)


@pytest.fixture(scope="module")
def compared():
    runs = [
        run(size=size, seed=seed, **{ARM: arm}) for arm, size in (("small", 0.5), ("large", 2.0)) for seed in (0, 1)
    ]
    return tg.compare(runs)


def test_an_arm_has_the_name_that_it_was_given_or_that_of_who_proposes():
    assert arm_of(run(arm="mine")) == "mine"
    assert arm_of(run()) == "near"
    assert arm_of(run(optimizer="rules", engine="rules")) == "rules"
    assert arm_of(run(optimizer="team", engine={"name": "openai/m", "temperature": 1})) == "team openai/m"
    assert arm_of(run(optimizer="tgd")) == "tgd"


def test_figures_of_several_runs_have_a_median_and_a_range():
    assert spread([1.0, 3.0, 2.0]) == Spread([1.0, 3.0, 2.0], 3)
    assert spread([1.0, 3.0, 2.0]).words(2) == "2.00 (1.00 to 3.00)"
    assert spread([2.0]).words(1) == "2.0"
    assert spread([2.0, 2.0]).words(1) == "2.0"
    assert spread([1.0, None, 2.0]).words(1) == "1.5 (1.0 to 2.0), 2 of 3 runs"
    assert (spread([None]).median, spread([None]).words(1)) == (None, "")


def test_names_are_counted_the_most_frequent_first():
    assert counted(["a", "b", "b", ""]) == "b 2, a 1"
    assert counted(["a", "a"]) == "a"
    assert counted([]) == ""


def test_the_winner_is_who_proposed_the_best_value():
    assert winner(run()) == "near"
    assert winner(tg.minimize(Distance(), "10", Steps("far", 5.0), budget=3)) == "start"


def test_runs_of_several_arms_stand_together_with_medians_and_ranges(compared):
    assert compared.together
    assert compared.arms == {"small": ["run 1", "run 2"], "large": ["run 3", "run 4"]}
    text = repr(compared)
    assert text.startswith("arm: small | large\nruns: 2 | 2\nevaluations: 11 | 11\n")
    losses = [compared.best_after(name, 10).loss for name in compared.arms["large"]]
    low, high = (f"{each(losses):.3f}" for each in (min, max))
    (line,) = [line for line in text.splitlines() if line.startswith("best loss after 10")]
    assert line.endswith(f"({low} to {high})")
    assert "best proposed by: near | near" in text
    html = compared._repr_html_()
    assert ">small</th>" in html
    assert ">large</th>" in html
    assert list(compared.table()["best proposed by"]) == ["near"] * 4


def test_each_run_keeps_its_column_where_that_is_wanted_or_there_is_one_arm(compared):
    runs = list(compared.runs.values())
    assert repr(tg.compare(runs, together=False)).startswith("run: run 1 | run 2 | run 3 | run 4\n")
    assert not tg.compare(runs[:2]).together
    assert repr(tg.compare(runs[:2], together=True)).startswith("arm: small\nruns: 2\n")
    assert not tg.compare([runs[0], runs[2]]).together


@pytest.mark.parametrize("width", [40, 100])
def test_arms_fit_a_terminal_of_any_width(compared, width):
    import io

    from rich.console import Console

    console = Console(file=io.StringIO(), width=width)
    console.print(compared.rich_table(width))
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "large" in text
    assert "2" in text
