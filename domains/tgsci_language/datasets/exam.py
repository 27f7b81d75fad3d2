"""Which tests of a published task a solution passes; what is expected stays outside of the sandbox."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tgsci.errors import UsageError

from ..sandbox.calls import CallResult, call
from ..sandbox.layers import Layer
from ..sandbox.limits import Limits
from ..sandbox.scripts import check
from .assertions import Assertion, call_text
from .code_tasks import Task

#: How far a float may be off where a set gives no tolerance, as EvalPlus has it: relative and absolute.
_RELATIVE, _ABSOLUTE = 1e-7, 1e-6


@dataclass(frozen=True)
class Mark:
    """How one test went.

    Args:
        test: The test, as a person reads it.
        passed: Whether it holds.
        why: Why not: the exception, the limit, or what came back.
    """

    test: str
    passed: bool
    why: str = ""


def examine(
    task: Task,
    solution: str,
    *,
    hidden: bool,
    limits: Limits | None = None,
    layer: Layer | None = None,
    expected: Sequence[Any] | None = None,
) -> list[Mark]:
    """Run a solution on the visible or on the hidden tests of a task.

    Args:
        task: The task.
        solution: The whole code. Hostile.
        hidden: Which tests.
        limits: What it may use.
        layer: What keeps it in; the best of this machine where None.
        expected: What `answers_of_reference(task)` gave, to ask it once for many solutions.

    Raises:
        UsageError: There is no sandbox here, or the reference fails its own inputs.
        MeasurementError: The sandbox does not start.
    """
    tests = task.hidden if hidden else task.visible
    calls = [each for test in tests for each in test.calls]
    inputs = list(task.inputs) if hidden else []
    if inputs and expected is None:
        expected = answers_of_reference(task, limits=limits, layer=layer)
    packages = packages_of(task)
    outcome = call(
        solution, task.function, [*calls, *inputs], limits, layer=layer, packages=packages, prelude=task.prelude
    )
    results = iter(outcome.calls)
    marks = []
    for test in tests:
        found = [next(results) for _ in test.calls]
        broken = next((each for each in found if not each.returned), None)
        marks.append(_fault(test.text, broken) if broken else _holds(test, [each.value for each in found]))
    for given, right in zip(inputs, expected or (), strict=True):
        marks.append(_same(call_text(given, task.function), next(results), right, task.tolerance))
    for number, script in enumerate(task.scripts if hidden else task.visible_scripts, 1):
        result = check(
            script, solution, task.function, limits, names=[task.function], layer=layer, packages=packages,
            prelude=task.prelude,
        )  # fmt: skip
        name = f"script {number}"
        marks.append(Mark(name, True) if result.returned else _fault(name, result))
    return marks


def answers_of_reference(task: Task, *, limits: Limits | None = None, layer: Layer | None = None) -> list[Any]:
    """Ask the reference solution what the task's inputs must give.

    Raises:
        UsageError: It fails on one of them.
    """
    if not task.inputs:
        return []
    outcome = call(
        task.reference, task.function, task.inputs, limits, layer=layer, packages=packages_of(task),
        prelude=task.prelude,
    )  # fmt: skip
    for given, result in zip(task.inputs, outcome.calls, strict=True):
        if not result.returned:
            why = _fault("", result).why
            raise UsageError(f"{task.name}: the reference solution fails on {call_text(given, task.function)}: {why}")
    return [each.value for each in outcome.calls]


def check_references(tasks: Sequence[Task], *, limits: Limits | None = None, layer: Layer | None = None) -> list[Task]:
    """Check that the reference solution of each task passes its own tests, before anything is paid.

    Returns:
        The tasks, each `without_wrong_examples`.

    Raises:
        UsageError: A reference fails a test: which task, which test.
    """
    found = [without_wrong_examples(task, limits=limits, layer=layer) for task in tasks]
    for task in found:
        for hidden in (False, True) if task.reference else ():
            for mark in examine(task, task.reference, hidden=hidden, limits=limits, layer=layer):
                if not mark.passed:
                    raise UsageError(f"{task.name}: the reference solution fails its own test {mark.test}: {mark.why}")
    return found


def without_wrong_examples(task: Task, *, limits: Limits | None = None, layer: Layer | None = None) -> Task:
    """Leave out the examples of a docstring that the task's own reference contradicts.

    HumanEval has some, and a right solution would never pass them. Tests that are published as tests all stay.
    """
    if not task.visible_from_text or not task.reference or not task.visible:
        return task
    marks = examine(task, task.reference, hidden=False, limits=limits, layer=layer)
    return replace(task, visible=[test for test, mark in zip(task.visible, marks, strict=False) if mark.passed])


def packages_of(task: Task) -> list[str]:
    """List the packages beside the standard library that a task's own code imports: its solutions may use them, too."""
    names: set[str] = set()
    for source in (task.prelude, task.reference, *task.scripts):
        try:
            nodes = list(ast.walk(ast.parse(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # said where it is run
            continue
        names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return sorted({name.partition(".")[0] for name in names if name} - sys.stdlib_module_names)


def _holds(test: Assertion, values: list[Any]) -> Mark:
    try:
        good = test.holds(values)
    except Exception as error:  # what the published script would have raised on these values
        return Mark(test.text, False, f"{type(error).__name__}: {str(error)[:200]}")
    return Mark(test.text, good, "" if good else f"it returned {_shown(values[0] if len(values) == 1 else values)}")


def _fault(test: str, result: CallResult) -> Mark:
    what = f"{result.error}: {result.message}".strip(": ") if result.error else result.message or result.status
    return Mark(test, False, f"line {result.line}: {what}" if result.line else what)


def _same(test: str, result: CallResult, right: Any, tolerance: float) -> Mark:
    if not result.returned:
        return _fault(test, result)
    good = _equal(result.value, right, tolerance)
    return Mark(test, good, "" if good else f"it returned {_shown(result.value)}, not {_shown(right)}")


def _equal(got: Any, right: Any, tolerance: float) -> bool:
    """Compare as EvalPlus does: equal, or numbers that are close, alone or in a list or tuple."""
    if got == right:
        return True
    if isinstance(right, list | tuple):
        return (
            isinstance(got, list | tuple)
            and len(got) == len(right)
            and all(_equal(one, other, tolerance) for one, other in zip(got, right, strict=True))
        )
    close = tolerance or (_ABSOLUTE if isinstance(right, float) else 0.0)
    if not close or not all(isinstance(each, int | float) for each in (got, right)):
        return False
    try:
        return bool(abs(got - right) <= close + _RELATIVE * abs(right)) or (got != got and right != right)
    except OverflowError:  # a whole number that no float can hold
        return False


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python writes
        return "a very large number"
    return text if len(text) <= 200 else f"{text[:197]}..."
