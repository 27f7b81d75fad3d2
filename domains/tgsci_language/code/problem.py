"""The problem of a code task, as the search sees it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from functools import partial
from typing import Any

from tgsci.basics import checks
from tgsci.basics.packages import installed
from tgsci.errors import UsageError
from tgsci.runs.domain import Problem
from tgsci.search.insight import Careful

from . import views
from .hidden import finish
from .loss import CodeLoss
from .prepare import Checked, check_task
from .published import problem_of as published_problem
from .source import skeleton, stub
from .task import CodeTask, read_task

#: Tests that a model is told, and characters of all of them.
_MOST_TOLD, _LONGEST_TOLD = 30, 4000
_WISHES = {
    None: "Done once all tests pass.",
    "time": "Once all tests pass: the less run time, the better.",
    "memory": "Once all tests pass: the less memory, the better.",
    "returned": "Once all tests pass: the smaller the number that it returns, the better.",
    "printed": "Once all tests pass: the smaller the last number that it prints, the better.",
    "score": "Once all tests pass: the smaller the score of its results, the better.",
}


def problem(config: Mapping[str, Any]) -> Problem:
    """Build the problem of a code task, and test the task where that was not done before.

    Args:
        config: The keys of `tgsci_language.code.task.KEYS`; "checked" is what testing it found, in a run's record.

    Raises:
        UsageError: An unknown key, a missing one, a bad value; a reference that fails its own tests, tests that never
            end, no sandbox.
        MeasurementError: The sandbox does not start.
    """
    if "set" in config:
        return published_problem(config)
    table = dict(config)
    found = table.pop("checked", None)
    return problem_of_task(read_task(table, "a code task"), None if found is None else _checked(found))


def problem_of_task(task: CodeTask, checked: Checked | None = None) -> Problem:
    """Build the problem of a task that was read.

    Args:
        task: The task.
        checked: What testing it found; it is tested now where None.

    Raises:
        UsageError, MeasurementError: As `problem`.
    """
    checked = checked or check_task(task)
    loss = CodeLoss(task, checked)
    return Problem(
        loss=loss,
        start=[task.start or stub(task.entry)],
        rules=None,
        task=_task(task, loss),
        domain="language",
        name=task.name or task.entry.name,
        notes=_notes(task, checked),
        config={"kind": "code", **_stated(task), "checked": asdict(checked)},
        columns=views.columns(task, checked.baseline),
        goal=0.0 if task.minimise is None else None,
        export=views.export,
        finish=partial(finish, task=task, checked=checked) if task.hidden or task.inputs else None,
        sections=views.sections,
        key_columns=views.columns(task, checked.baseline)[:2],
        family=skeleton,
        contrast=views.contrast,
        limiting=views.limiting,
        setting=_setting(task),
        careful=Careful(loss.careful, share=0.5) if task.minimise == "time" else None,
    )


def _checked(found: object) -> Checked:
    if not isinstance(found, Mapping):
        raise UsageError("checked is what testing the task found; leave it out")
    checks.keys(found, [each.name for each in fields(Checked)], "checked")
    return Checked(**found)


def _stated(task: CodeTask) -> dict[str, Any]:
    """List what the task says, without what is left at its default."""
    stated = {}
    for each in fields(task):
        value = getattr(task, each.name)
        if value != (each.default if each.default_factory is MISSING else each.default_factory()):
            stated[each.name] = value
    return stated


def _task(task: CodeTask, loss: CodeLoss) -> str:
    """Say in words what is wanted: all that a model may know, and nothing of the hidden tests."""
    parts = [
        "Write a Python function. A value is the complete source of a module that defines it at its top level: "
        "imports, helpers and the function; no test code, no explanation.",
        f"Signature:\n{task.entry.text}",
        task.statement.strip(),
    ]
    tests = [_told(task, number) for number in range(len(task.visible_tests[:_MOST_TOLD]))]
    while sum(map(len, tests)) > _LONGEST_TOLD:
        tests.pop()
    if tests:
        left_out = len(task.visible_tests) - len(tests)
        more = f"\nand {left_out} more of this kind" if left_out else ""
        parts.append("Tests that it must pass:\n" + "\n".join(tests) + more)
    if task.inputs:
        of = "the reference's" if task.reference else "the start's"
        same = "" if task.figure_counts else f"; its results must equal {of}"
        parts.append(f"It is also run on inputs made by this code, with a seed{same}:\n{task.inputs.strip()}")
    if task.score:
        parts.append(f"Results are scored by this code:\n{task.score.strip()}")
    if task.tolerance:
        parts.append(f"Numbers may be off by {task.tolerance:g}, absolute, or relative where they are above 1.")
    wish = _WISHES[task.minimise]
    if task.minimise == "time" and loss.checked.baseline:
        wish += f" The loss is then its run time divided by the {loss.checked.baseline}'s."
    parts.append(f"It must be right for every input, not only for these. {wish}")
    if loss.checked.penalty is not None:
        parts.append(f"A solution that fails a test has the loss {loss.checked.penalty:.6g}.")
    return "\n\n".join(parts)


def _told(task: CodeTask, number: int) -> str:
    """Write a visible test as a line of Python."""
    test = task.visible_tests[number]
    call = test.call(task.entry.called, 400)
    if test.raises:
        return f"{call}  # raises {test.raises}"
    if test.condition is not None:
        return test.condition.text[:400]
    return call if test.open else f"{call} == {test.shown_expected(400)}"


def _setting(task: CodeTask) -> str:
    packages = [installed(name) or name for name in task.packages]
    may = f"the standard library and {', '.join(packages)}" if packages else "the standard library alone"
    version = ".".join(platform.python_version_tuple()[:2])
    first = "; its run time is that of first calls: what a library sets up at its first use counts"
    return (
        f"Python {version} with {may}; one process and one thread, {task.memory_mb} MB, {task.seconds:g} s a call; no "
        f"network, no files. Every solution runs in a process of its own{first if task.minimise == 'time' else ''}."
    )


def _notes(task: CodeTask, checked: Checked) -> list[str]:
    seen = [_count(len(task.visible), "visible test")] if task.visible else []
    unseen = [_count(len(task.hidden), "hidden test")] if task.hidden else []
    if task.inputs:
        seen.append(f"inputs made with seed {task.seed}")
        unseen.append(f"inputs made with seed {task.seed + 1}")
    notes = [f"The search is driven by {' and '.join(seen)}."]
    if unseen:
        notes.append(f"Run once, at the end, on the best solution: {' and '.join(unseen)}.")
    if task.unsafe_local:
        notes.append(
            "WARNING: code that a model writes runs without a sandbox here, under resource limits only "
            "(unsafe_local): it can read and change what you can."
        )
    else:
        notes.append(f"Code runs in a sandbox: {checked.layer}.")
    return notes


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
