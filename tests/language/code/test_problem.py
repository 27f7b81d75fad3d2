"""A code task as a search sees it: what a model is told, the whole loop to the right solution, and the hidden tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tgsci as tg
from tests.language.code.proposers import Coder, reader
from tests.language.code.tasks import AREA, FAST_SUM, SLOW_SUM, WRONG_AREA, area, total
from tgsci.errors import UsageError
from tgsci.search.trial import State
from tgsci.testing import Scripted
from tgsci_language import CodeLoss, domain, problem_of_task
from tgsci_language.commands.code import read_task_file

DATA = Path(__file__).parents[3] / "data" / "code"
CONFIG: dict[str, Any] = {
    "kind": "code",
    "signature": "def area(w, h)",
    "statement": "Compute the area of a rectangle.",
    "visible": ["area(2, 2) == 4", "area(2, 3) == 6", "area(1, 1) == 1"],
    "hidden": ["area(4711, 2) == 9422"],
    "seconds": 1.0,
}


def test_a_problem_builds_itself_again_from_its_config_and_tests_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = domain.problem(CONFIG)
    recorded = json.loads(json.dumps(problem.config))
    monkeypatch.setattr("tgsci_language.code.problem.check_task", lambda task: pytest.fail("tested again"))
    again = domain.problem(recorded)
    assert again.config == problem.config
    assert again.loss.fingerprint == problem.loss.fingerprint
    assert (again.task, again.notes, list(again.start)) == (problem.task, problem.notes, list(problem.start))


def test_what_a_problem_offers() -> None:
    problem = domain.problem(CONFIG)
    assert problem.rules is None
    assert problem.name == "area"
    assert problem.goal == 0.0
    assert isinstance(problem.loss, CodeLoss)
    assert set(problem.columns) <= set(problem.loss.units)
    assert problem.loss.validate(problem.start[0]) == "def area(w, h):\n    raise NotImplementedError\n"
    assert problem.careful is None
    timed = problem_of_task(total())
    assert timed.goal is None
    assert timed.careful is not None
    assert list(timed.start) == [SLOW_SUM]


def test_a_method_gets_a_start_as_well() -> None:
    signature = "class Solution:\n    def area(self, w, h) -> int:"
    problem = problem_of_task(area(signature=signature, visible=["Solution().area(2, 3) == 6"]))
    start = problem.loss.validate(problem.start[0])
    assert problem.loss.measure(start).loss == 1.0
    right = problem.loss.validate("class Solution:\n    def area(self, w, h):\n        return w * h\n")
    assert problem.loss.measure(right).loss == 0.0


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"visibel": 1}, "did you mean visible?"),
        ({"kind": "cod"}, "kind must be one of"),
        ({"reference": WRONG_AREA}, "the reference solution fails test 2"),
        ({"hidden": ["area(2, 3) == 6"]}, "what is visible cannot be hidden"),
        ({"checked": {"base": 1}}, "unknown key 'base' in checked"),
    ],
)
def test_bad_tasks_are_refused_before_a_run(more: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        domain.problem({**CONFIG, **more})
    assert says in str(refused.value)


def test_without_a_model_it_says_who_may_propose() -> None:
    with pytest.raises(UsageError) as refused:
        tg.solve(domain.problem(CONFIG), engine="rules", budget=2, workers=0)
    for word in ("human", "replay:FILE", "local server"):
        assert word in str(refused.value)


@pytest.mark.slow
def test_a_model_is_told_the_task_and_nothing_of_the_hidden_tests() -> None:
    problem = problem_of_task(total(hidden=["total([4711.0]) == 22193521.0"]))
    engine = Coder([("worse", WRONG_AREA), ("a list", FAST_SUM)])
    result = tg.solve(problem, engine=engine, budget=3, workers=0, proposals=1)
    assert result.finals
    asked = "\n".join(prompt + system for prompt, system in engine.calls)
    assert "total([1.0, 2.0]) == 5.0" in asked
    assert "def inputs(seed)" in asked
    assert "the less run time, the better. The loss is then its run time divided by the start's." in asked
    assert "what a library sets up at its first use counts." in asked
    assert "numpy numpy" not in asked
    for trial in result.trials:
        assert trial.feedback is None or "4711" not in trial.feedback.text
    assert "4711" not in asked + problem.task + problem.setting
    assert "22193521" not in asked


def test_the_loop_finds_the_right_solution_by_what_the_page_says(tmp_path: Path) -> None:
    """Each step is called forth by the page of the one before: the whole loop, with the real sandbox."""
    rules = [
        (r"got: 2 \(off by 1\)", "multiply", AREA),
        (r"NotImplementedError", "add", WRONG_AREA),
    ]
    engine = Scripted(reader(rules))
    problem = domain.problem(CONFIG)
    result = tg.solve(problem, engine=engine, budget=10, workers=0, proposals=1, run=tmp_path / "run")
    assert result.best is not None
    assert result.best.value == AREA
    assert result.best.loss == 0.0
    final = result.finals[result.best.number]
    assert final.metrics == {"hidden tests passed": 1.0}
    assert (tmp_path / "run" / "solution.py").read_text() == AREA
    html = (tmp_path / "run" / "report.html").read_text()
    assert "Visible against hidden tests" in html
    assert "Tests by solution" in html
    assert 'class="diff"' in html
    assert "1 of 1" in html


@pytest.mark.slow
def test_the_loop_makes_a_kernel_faster() -> None:
    engine = Coder([("wrong", "def total(values):\n    return 1.0\n"), ("a list", FAST_SUM)])
    result = tg.solve(problem_of_task(total()), engine=engine, budget=3, workers=0, proposals=1)
    assert [trial.state for trial in result.trials][1:3] == [State.REJECTED, State.ACCEPTED]
    assert result.best is not None
    assert result.best.value == FAST_SUM
    assert "speed-up" in result.finals[result.best.number].metrics
    assert "hidden inputs made" not in result.trials.task


def test_a_solution_that_only_learned_the_visible_tests_is_found_out() -> None:
    cheat = "def area(w, h):\n    return {(2, 2): 4, (2, 3): 6, (1, 1): 1}[w, h]\n"
    result = tg.solve(
        domain.problem(CONFIG), engine=Coder([("learn by heart", cheat)]), budget=2, workers=0, proposals=1
    )
    assert result.best is not None
    assert result.best.loss == 0.0
    final = result.finals[result.best.number]
    assert final.loss == 1.0
    assert final.violations == {"hidden test 1": 1.0}
    assert "KeyError" in final.text


@pytest.mark.slow
def test_one_bad_value_costs_one_trial() -> None:
    bad = [
        ("big", "x" * 1_000_000),
        ("null", "area = 1\x00"),
        ("deep", "area = " + "(" * 10_000),
        ("no end", "while True: pass\ndef area(w, h): return 1\n"),
        ("right", AREA),
    ]
    result = tg.solve(domain.problem(CONFIG), engine=Coder(bad, each=2), budget=9, workers=0, proposals=1)
    assert result.best is not None
    assert result.best.value == AREA


@pytest.mark.slow
@pytest.mark.parametrize("name", ["element-counts", "pair-energy"])
def test_the_example_tasks_can_be_run(name: str) -> None:
    job = read_task_file(DATA / f"{name}.toml")
    problem = domain.problem({"kind": "code", **job.table})
    assert problem.name == name
    assert problem.finish is not None
    assert problem.loss.measure(problem.loss.validate(problem.start[0])).measured


def test_a_run_that_goes_on_after_its_hidden_tests_tells_nobody_of_them(tmp_path: Path) -> None:
    cheat = "def area(w, h):\n    return {(2, 2): 4, (2, 3): 6}[w, h]\n"
    engine = Coder([("by heart", cheat), ("multiply", AREA), ("again", AREA + "# x\n")])
    first = tg.solve(
        domain.problem(CONFIG), engine=engine, budget=2, workers=0, proposals=1, ideas=1, run=tmp_path / "run"
    )
    assert first.finals
    asked = len(engine.calls)
    second = tg.resume(tmp_path / "run", engine=engine, budget=5, workers=0)
    assert second.best is not None
    assert second.best.loss == 0.0
    assert second.best.number in second.finals
    assert len(engine.calls) > asked
    assert not any("4711" in prompt + system for prompt, system in engine.calls)
