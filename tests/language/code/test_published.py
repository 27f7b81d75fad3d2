"""Tasks of published sets: independent samples first, then improvement; hidden tests stay hidden until the end."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import tgsci as tg
from tests.language.code.proposers import reply
from tgsci.errors import UsageError
from tgsci.search.proposer import as_proposer
from tgsci.search.trial import State
from tgsci.testing import Scripted
from tgsci_language import domain
from tgsci_language.code.published import Sampler, published, start_of
from tgsci_language.datasets.code_sets import read_tasks

ROWS = [
    {
        "task_id": "HumanEval/0",
        "prompt": 'def double(x):\n    """Double a number.\n    >>> double(2)\n    4\n    """\n',
        "entry_point": "double",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(4711) == 9422\n",
    },
    {
        "task_id": "HumanEval/1",
        "prompt": 'def half(x):\n    """Halve a number."""\n',
        "entry_point": "half",
        "canonical_solution": "    return x / 2\n",
        "test": "def check(candidate):\n    assert candidate(4) == 2\n",
    },
]
RIGHT, HEART = "def double(x):\n    return 2 * x\n", "def double(x):\n    return 4\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "humaneval.jsonl"
    file.write_text("\n".join(map(json.dumps, ROWS)))
    return file


class Model(Scripted):
    """Samples by heart, and reads the page once it may improve."""

    def __init__(self, *samples: str) -> None:
        left = list(samples)

        def answer(prompt: str, system: str) -> str:
            if "```python block" in prompt:
                return f"```python\n{left.pop(0)}```"
            return reply(prompt, [("read the docstring", RIGHT)])

        super().__init__(answer, name="model")


def solve(path: Path, model: Scripted, samples: int, number: int = 0) -> tg.Result:
    problem = published(read_tasks(path)[number], path)
    then = tg.TGD(engine=model)
    proposer = Sampler(model, samples, as_proposer(then))
    return tg.solve(problem, optimizer=proposer, budget=1 + 2 * samples, proposals=samples, workers=0)


def test_every_sample_is_asked_by_the_same_question_and_judged_at_the_end(path: Path) -> None:
    model = Model(HEART, RIGHT, "no code")
    result = solve(path, model, 3)
    samples = {trial.value: trial for trial in result.trials if trial.edit == "sample"}  # in any order: asked at once
    assert samples[HEART].measured
    assert samples[RIGHT].measured
    assert [trial.state for trial in samples.values()].count(State.INVALID) == 1
    assert len({prompt for prompt, _ in model.calls}) == 1
    assert result.finals[samples[HEART].number].violations == {"hidden test 1": 1.0}
    assert result.finals[samples[RIGHT].number].feasible
    assert result.stopped.startswith("the goal is met")


def test_where_no_sample_passes_the_visible_tests_the_model_improves_them(path: Path) -> None:
    model = Model("def double(x):\n    return x\n")
    result = solve(path, model, 1)
    assert result.best is not None
    assert result.best.value == RIGHT
    assert result.finals[result.best.number].metrics == {"hidden tests passed": 1.0}
    assert not any("4711" in prompt + system for prompt, system in model.calls)


def test_a_task_that_shows_no_test_takes_the_first_solution(path: Path) -> None:
    problem = published(read_tasks(path)[1], path)
    start = problem.loss.validate(problem.start[0])
    assert not problem.loss.measure(start).feasible
    written = problem.loss.measure(problem.loss.validate("def half(x):\n    return x / 2\n"))
    assert written.loss == 0.0
    assert written.feasible


def test_a_run_finds_its_task_again_and_says_where_the_file_is_gone(path: Path) -> None:
    problem = published(read_tasks(path)[0], path, seconds=2.0)
    again = domain.problem(json.loads(json.dumps(problem.config)))
    assert again.loss.fingerprint == problem.loss.fingerprint
    assert (again.task, list(again.start)) == (problem.task, list(problem.start))
    with pytest.raises(UsageError, match="holds no task"):
        domain.problem({**problem.config, "task": "HumanEval/9"})
    path.unlink()
    with pytest.raises(UsageError, match=r"humaneval\.jsonl"):
        domain.problem(problem.config)


def test_a_sampler_that_has_its_samples_hands_over(path: Path) -> None:
    problem = published(read_tasks(path)[0], path)
    value = problem.loss.validate(HEART)
    trials = tg.Trials(
        [
            tg.Trial(0, 0, problem.loss.validate(problem.start[0]), feedback=tg.Feedback(1.0, "x")),
            tg.Trial(1, 1, value, edit="sample", feedback=tg.Feedback(0.5, "x")),
        ],
        problem.loss,
        problem.task,
    )

    class Then(tg.Proposer):
        name = "then"

        def ask(self, trials: tg.Trials, n: int, rng: random.Random) -> list[tg.Proposal]:
            return [tg.Proposal(RIGHT, "then")]

    assert Sampler(Model(), 1, Then()).ask(trials, 1, random.Random(0))[0].reason == "then"


def test_a_start_is_the_head_of_the_function_or_a_stub(path: Path) -> None:
    first, second = read_tasks(path)
    assert start_of(first).startswith("def double(x):")
    assert start_of(second).startswith("def half(x):")
