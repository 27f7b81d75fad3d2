"""TextGrad's `evaluation/code_optimization/` with the controls that it lacks, on any set that tgsci reads.

    python benchmarks/textgrad_code.py LeetCodeDataset-test.jsonl --engine gpt-4o --first 39
    python benchmarks/textgrad_code.py HumanEvalPlus.jsonl.gz --engine ollama/qwen3

As there, a first solution is revised at least once and at most five times, until it passes the visible tests; hidden
tests decide. Unlike there, the page of the failed tests is the gradient, so a revision costs one call and not two.
Beside it as many calls are spent on plain samples, of which the first that passes the visible tests counts; and what
passed the visible tests and failed the hidden ones is counted. Code runs in the sandbox. What was interrupted goes on.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _textgrad import parser, published, tell

from tgsci.basics.files import digest
from tgsci.engine import Engine, map, recording
from tgsci.errors import InvalidValue, TgsciError
from tgsci.feedback import Feedback
from tgsci.loss import Loss
from tgsci.optimizer import TGD
from tgsci.runs.result import Result
from tgsci.runs.run import minimize
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials
from tgsci.variable import Variable
from tgsci_language.answers.comparison import METHOD, Row, mcnemar
from tgsci_language.answers.protocol import Meter
from tgsci_language.datasets.code_sets import read_tasks
from tgsci_language.datasets.code_tasks import Task
from tgsci_language.datasets.exam import Mark, check_references, examine
from tgsci_language.datasets.pass_at_k import mean_pass_at_k
from tgsci_language.engines import Engines
from tgsci_language.scoring.intervals import paired_difference

#: Most revisions of a solution, as TextGrad has it.
REVISIONS = 5
SYSTEM = (
    "You write Python. Answer with one block of code between ```python and ```, and nothing else: the complete "
    "implementation, with its imports and the signature that is asked for."
)
CONSTRAINTS = ["The value is the complete Python code, with its imports; no asserts, no tests, no explanation."]
_BLOCK = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.DOTALL)
#: Failed tests on a page, and characters of each.
_SHOWN, _LONGEST = 5, 600
ARMS = ("first", "revised", "sampled")


class Visible(Loss):
    """The share of a task's visible tests that a solution fails; its page is the gradient."""

    name = "visible tests failed"

    def __init__(self, task: Task) -> None:
        self.task = task

    def evaluate(self, value: str) -> Feedback:
        marks = examine(self.task, value, hidden=False)
        failed = [mark for mark in marks if not mark.passed]
        lines = [f"{len(marks) - len(failed)} of {len(marks)} visible tests pass; harder ones follow."]
        lines += [f"failed: {mark.test[:_LONGEST]}\n  {mark.why[:_LONGEST]}" for mark in failed[:_SHOWN]]
        return Feedback(len(failed) / max(1, len(marks)), "\n".join(lines))


class Problems(Loss):
    """1 where the revised solution of a task fails a hidden test, 0 where it passes all."""

    name = "revised solution wrong"
    threads = 4

    def __init__(self, tasks: Sequence[Task], engine: Engine) -> None:
        self.engine = engine
        self.tasks = {task.name: task for task in tasks}

    @property
    def fingerprint(self) -> str:
        tasks = [part for task in self.tasks.values() for part in (task.name, _question(task), repr(task))]
        return f"code({digest(*tasks, size=8)}, {self.engine.identity})"

    def validate(self, value: str) -> str:
        if value not in self.tasks:
            raise InvalidValue("it is no task of the set")
        return value

    def evaluate(self, value: str) -> Feedback:
        task = self.tasks[value]
        visible = Visible(task)
        first = self._solution(task)
        code = Variable(first, role_description=f"Python code that solves the problem:\n{_question(task)}")
        optimizer = TGD([code], engine=self.engine, constraints=CONSTRAINTS)
        passed, meter = _passed(visible, first), Meter()
        for _ in range(REVISIONS):
            optimizer.zero_grad()
            visible(code).backward()
            with recording(meter):
                optimizer.step()
            if _passed(visible, code.text):
                break
        calls = 1 + meter.calls
        samples = [first, *map(lambda _: self._solution(task), range(meter.calls))]
        chosen = next((sample for sample in samples if _passed(visible, sample)), first)
        solutions = first, code.text, chosen
        right = {name: _all(examine(task, each, hidden=True)) for name, each in zip(ARMS, solutions, strict=True)}
        metrics: dict[str, float] = {**right, "calls": float(calls), "visible": passed}
        metrics["samples right"] = sum(_all(examine(task, sample, hidden=True)) for sample in samples)
        page = f"{_question(task)}\n\nfirst:\n{first}\n\nrevised:\n{code.text}\n\nsampled:\n{chosen}"
        return Feedback(1.0 - right["revised"], page, metrics)

    def _solution(self, task: Task) -> str:
        reply = self.engine(_question(task), SYSTEM).text
        blocks = _BLOCK.findall(reply)
        return str(blocks[-1] if blocks else reply).strip()


def _question(task: Task) -> str:
    return "\n\n".join(filter(None, (task.statement.strip(), task.start.strip())))


def _passed(visible: Visible, code: str) -> float:
    return float(visible.measure(code).loss == 0)


def _all(marks: Sequence[Mark]) -> float:
    return float(all(mark.passed for mark in marks))


class NextTasks(Proposer):
    """Takes the tasks in their order."""

    name = "the set"

    def __init__(self, names: Sequence[str], engine: Engine) -> None:
        self.names = names
        self.description = f"Every call goes to {engine.name}: {engine.destination}."

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        known = {trial.value for trial in trials}
        return [Proposal(name) for name in self.names if name not in known][:n]


def table(result: Result) -> str:
    """Write what was measured: each arm with its interval, the paired difference, and visible against hidden tests."""
    found = [trial.feedback.metrics for trial in result.trials if trial.feedback and trial.measured]
    n = len(found)
    if not n:
        return "no task was solved yet"
    column = {name: [metrics[name] for metrics in found] for name in (*ARMS, "calls", "visible", "samples right")}
    mean = sum(column["calls"]) / n
    titles = {
        "first": "first solution",
        "revised": "revised by its page",
        "sampled": "plain samples, chosen by visible",
    }
    rows = [Row(titles[arm], 1 if arm == "first" else mean, int(sum(column[arm])), n).cells[:-1] for arm in ARMS]
    header = ["solution", "calls a task", "right", "accuracy, %", "95 % interval, %"]
    widths = [max(map(len, cells)) for cells in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    ]
    difference = paired_difference(column["sampled"], column["revised"])
    won = "no difference shown" if difference.within_noise else "revised" if difference.mean > 0 else "plain samples"
    p = mcnemar(difference.gained, difference.lost)
    lines += ["", f"won: {won}; revised minus plain samples is {difference}; p = {p:.2g}"]
    passed = sum(column["visible"])
    failed = sum(v and not right for v, right in zip(column["visible"], column["first"], strict=True))
    lines.append(f"{failed:.0f} of {passed:.0f} first solutions that passed all visible tests failed hidden ones")
    least = int(min(column["calls"]))
    pairs = zip(column["samples right"], column["calls"], strict=True)
    samples = [[True] * int(r) + [False] * int(c - r) for r, c in pairs]
    lines.append(", ".join(f"pass@{k} {100 * mean_pass_at_k(samples, k):.1f} %" for k in sorted({1, least})))
    return "\n".join([*lines, METHOD])


def main(arguments: Sequence[str], engine: Any = None) -> int:
    """Run, print what TextGrad reported and what was measured; `engine` takes the place of a name."""
    options = parser(__doc__ or "", "HumanEval, HumanEval+, MBPP, MBPP+ or LeetCodeDataset, as published")
    options.add_argument("--first", type=int, help="only so many tasks")
    asked = options.parse_args(arguments)
    try:
        engines = Engines.of(engine or asked.engine)
        engines.check()
        tasks = read_tasks(asked.data)[: asked.first]
        tasks = check_references(tasks)
        names = [task.name for task in tasks]
        result = minimize(
            Problems(tasks, engines.engine),
            names[0],
            NextTasks(names, engines.engine),
            budget=len(tasks),
            run=asked.work / f"code-{Path(asked.data.name).stem}",
            progress=tell("tasks"),
        )
    except TgsciError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"\n{published('code', asked.data)}\n\nmeasured here:\n{table(result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
