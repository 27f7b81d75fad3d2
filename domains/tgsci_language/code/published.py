"""Tasks of published sets (HumanEval, MBPP, LeetCode): samples of a model, then improvement by the visible tests."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.basics import checks
from tgsci.basics.files import digest
from tgsci.basics.threads import run_all
from tgsci.engine import Engine
from tgsci.errors import InvalidValue, UsageError
from tgsci.feedback import Feedback
from tgsci.loss import Loss
from tgsci.runs.domain import Problem
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials

from ..datasets.code_sets import read_tasks
from ..datasets.code_tasks import Task
from ..datasets.exam import Mark, answers_of_reference, examine, without_wrong_examples
from ..sandbox.layers import Layer, Local, best
from ..sandbox.limits import Limits
from . import views
from .page import bounded
from .source import canonical, signature_of, skeleton, stub

if TYPE_CHECKING:
    from tgsci.runs.finalists import Finishing
    from tgsci.runs.result import Result

#: Failing tests that a page tells, and characters of each part.
_TOLD, _PART = 10, 500
#: Samples that are asked for at the same time.
_CONCURRENT = 8
SYSTEM = "You write correct Python. Think as long as you need, then end your reply with one block of code."
_KEYS = ("set", "task", "format", "seconds", "unsafe_local")


class PublishedLoss(Loss):
    """The share of a published task's visible tests that a solution fails.

    Args:
        task: The task; what is hidden of it is left out.
        seconds: The longest that one call may take, s.
        unsafe_local: Whether code runs without a sandbox.
    """

    name = "share of tests that fail"
    units: Mapping[str, str] = {"visible tests passed": "", "hidden tests passed": ""}

    def __init__(self, task: Task, seconds: float = 5.0, unsafe_local: bool = False) -> None:
        self.task = replace(task, hidden=(), scripts=(), inputs=(), reference="")
        self.seconds, self.unsafe_local = seconds, unsafe_local

    @property
    def fingerprint(self) -> str:
        """The task's visible part and the limit of time."""
        facts = [self.task.name, self.task.function, self.task.prelude, [test.text for test in self.task.visible]]
        facts += self.task.visible_scripts
        return f"code:{digest(json.dumps([*facts, self.seconds]))}"

    def validate(self, value: str) -> str:
        return canonical(value, signature_of(self.task.function))

    def evaluate(self, value: str) -> Feedback:
        if (
            not self.task.visible and not self.task.visible_scripts
        ):  # nothing may be told of it: whatever is more than the start is as good
            written = value != start_of(self.task)
            page = "This task shows no test." if written else "This is the start: nothing is written yet."
            return Feedback(0.0 if written else 1.0, page, {}, {} if written else {"written": 1.0})
        return _feedback("visible", examine(self.task, value, hidden=False, limits=self.limits, layer=self.layer))

    @property
    def limits(self) -> Limits:
        """What a solution may use."""
        return Limits(seconds=self.seconds, total_seconds=60.0 + 3 * self.seconds)

    @property
    def layer(self) -> Layer:
        """What keeps it in."""
        return Local() if self.unsafe_local else best()


class Sampler(Proposer):
    """Asks a model for independent samples first, each by the same plain question; then another proposer takes over.

    Args:
        engine: Is asked for the samples.
        samples: How many.
        then: Improves them; it sees the tests that failed.
    """

    engine: Engine

    def __init__(self, engine: Engine, samples: int, then: Proposer) -> None:
        self.engine, self.samples, self.then = engine, samples, then
        self.name, self.description = engine.name, then.description

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        done = sum(1 for trial in trials if trial.edit == "sample")
        if done >= self.samples:
            return self.then.ask(trials, n, rng)
        replies = run_all(lambda _: self._sample(trials), range(min(n, self.samples - done)), _CONCURRENT)
        return [self._proposal(trials, reply) for reply in replies]

    def _sample(self, trials: Trials) -> str:
        question = f"{trials.task}\n\nReply with the complete code in one ```python block."
        return self.engine(question, SYSTEM).text

    def _proposal(self, trials: Trials, reply: str) -> Proposal:
        loss = trials.loss
        try:
            value = loss.validate(reply) if loss else reply
        except InvalidValue as error:
            return Proposal(reply[:2000], "a sample", 0, "sample", fault=str(error))
        return Proposal(str(value), "a sample", 0, "sample")


def start_of(task: Task) -> str:
    """Give what a task starts from: its own head of the function where that is whole Python, else a stub."""
    signature = signature_of(task.function)
    try:
        return canonical(task.start, signature)
    except InvalidValue:
        return stub(signature)


def published(
    task: Task, path: Path, format: str | None = None, *, seconds: float = 5.0, unsafe_local: bool = False
) -> Problem:
    """Build the problem of one task of a set.

    Args:
        task: The task.
        path: The set's file, from which a resumed run reads it again.
        format: Of the file; None where its fields tell it.
        seconds: The longest that one call may take, s.
        unsafe_local: Whether code runs without a sandbox.
    """
    limited = PublishedLoss(task, seconds, unsafe_local)
    task = without_wrong_examples(task, limits=limited.limits, layer=limited.layer)
    loss = PublishedLoss(task, seconds, unsafe_local)
    config = {"kind": "code", "set": str(path.absolute()), "task": task.name, "format": format, "seconds": seconds}
    return Problem(
        loss=loss,
        start=[start_of(task)],
        rules=None,
        task=_told(task),
        domain="language",
        name=task.name,
        notes=["WARNING: code runs without a sandbox here, under resource limits only."] if unsafe_local else [],
        config={**config, **({"unsafe_local": True} if unsafe_local else {})},
        columns=["visible tests passed"],
        goal=0.0,
        export=views.export,
        finish=partial(_finish, task=task, loss=loss),
        sections=views.sections,
        key_columns=["visible tests passed"],
        family=skeleton,
        contrast=views.contrast,
        limiting=views.limiting,
    )


def problem_of(config: Mapping[str, Any]) -> Problem:
    """Build the problem of a set's task again, from a run's record.

    Raises:
        UsageError: The file is gone, or the task is no longer in it.
    """
    checks.keys(config, _KEYS, "a task of a set")
    path, name = Path(checks.text("set", config["set"])), config.get("task")
    for task in read_tasks(path, config.get("format")):
        if task.name == name:
            return published(
                task,
                path,
                config.get("format"),
                seconds=checks.number("seconds", config.get("seconds", 5.0), above=0),
                unsafe_local=checks.flag("unsafe_local", config.get("unsafe_local", False)),
            )
    raise UsageError(f"{str(path)!r} holds no task {name!r}")


def _told(task: Task) -> str:
    """Say what is wanted; of the tests only those that are visible."""
    parts = ["Write Python code that solves this task; the whole module, with its imports.", task.statement.strip()]
    if task.start.strip() and task.start.strip() not in task.statement:
        parts.append(f"Begin with:\n{task.start.rstrip()}")
    parts.append(f"What is called: {task.function}")
    tests = [*(test.text for test in task.visible), *task.visible_scripts]
    shown = [test for test in tests if test not in task.statement]
    if shown:
        parts.append("Tests that it must pass:\n" + "\n".join(text[:_PART] for text in shown[:_TOLD]))
    return "\n\n".join(parts)


def _feedback(kind: str, marks: Sequence[Mark]) -> Feedback:
    label = "test" if kind == "visible" else f"{kind} test"
    failing = [(number, mark) for number, mark in enumerate(marks, 1) if not mark.passed]
    parts = [f"{len(marks) - len(failing)} of {len(marks)} {kind} tests pass."]
    parts += [f"{label} {n}: {mark.test[:_PART]}\n  {mark.why[:_PART]}" for n, mark in failing[:_TOLD]]
    parts += [f"and {len(failing) - _TOLD} more tests fail"] if len(failing) > _TOLD else []
    metrics = {f"{kind} tests passed": float(len(marks) - len(failing))}
    violations = {f"{label} {number}": 1.0 for number, _ in failing}
    return Feedback(len(failing) / max(1, len(marks)), bounded(parts), metrics, violations)


def _finish(result: Result, finishing: Finishing, *, task: Task, loss: PublishedLoss) -> None:
    """Run the hidden tests once, at the end: on every sample, and on the best solution."""
    wanted = {trial.number: trial for trial in result.trials if trial.edit == "sample" and trial.measured}
    if result.best is not None:
        wanted[result.best.number] = result.best
    todo = [str(trial.value) for number, trial in wanted.items() if number not in result.finals]
    if not todo:
        return
    expected = answers_of_reference(task, limits=loss.limits, layer=loss.layer)
    run = partial(_hidden, task=task, loss=loss, expected=expected)
    numbers = {str(trial.value): trial for trial in wanted.values()}
    for value, outcome in finishing.each(run, todo, "running the hidden tests"):
        feedback = outcome if isinstance(outcome, Feedback) else Feedback.failed(str(outcome))
        finishing.keep(numbers[value], feedback)


def _hidden(value: str, *, task: Task, loss: PublishedLoss, expected: Sequence[Any]) -> Feedback:
    marks = examine(task, value, hidden=True, limits=loss.limits, layer=loss.layer, expected=expected)
    if not marks:
        return Feedback(0.0, "This task hides no test.", {})
    return _feedback("hidden", marks)
