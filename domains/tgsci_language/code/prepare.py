"""What a task needs before the first solution is measured: results and inputs filled in, and the task itself tested."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass

from tgsci.basics.files import digest
from tgsci.errors import InvalidValue, UsageError

from .goal import measure
from .runner import Session, layer_name, make_inputs, results_of, run_tests
from .source import canonical
from .task import CodeTask
from .tests import TestSet

#: The loss of a solution that fails a test, as a share of the baseline's time. Twice, as in the scores of solvers
#: (PAR-2): what fails never leads, and a larger figure would take the decimals from those that pass.
_FAILED_RATIO = 2.0
#: Tasks whose tests are kept at hand in this process.
_MOST_KEPT = 8


@dataclass(frozen=True)
class Checked:
    """What testing a task found.

    Args:
        baseline: "start" or "reference": whose run time stands for 1; "" for nobody's.
        penalty: The loss of a solution that fails a test; None where nothing is minimised.
        layer: What keeps code in.
    """

    baseline: str = ""
    penalty: float | None = None
    layer: str = ""


_kept: dict[str, TestSet] = {}
_lock = threading.Lock()


def visible_set(task: CodeTask) -> TestSet:
    """Make the tests that drive the search; once a process.

    Raises:
        UsageError: The reference or the generator fails.
    """
    return _filled(task, TestSet(task.visible_tests, ()), task.seed)


def hidden_set(task: CodeTask) -> TestSet:
    """Make the tests that are run once, at the end; the generator gets the next seed.

    Raises:
        UsageError: The reference or the generator fails.
    """
    return _filled(task, TestSet(task.hidden_tests, (), "hidden"), task.seed + 1)


def judge(task: CodeTask, source: str, tests: TestSet) -> Session:
    """Run a solution on a set of tests, listed ones and inputs in processes of their own."""
    parts = [(tests.tests, tests.test_label), (tests.inputs, tests.input_label)]
    sessions = [run_tests(task, source, part, label=label) for part, label in parts if part]
    verdicts = [verdict for session in sessions for verdict in session.verdicts]
    first = next((session for session in sessions if session.fault), sessions[0])
    return Session(verdicts, first.fault, first.line, layer=first.layer)


def check_task(task: CodeTask) -> Checked:
    """Test a task before anything is asked: the sandbox holds, the reference passes, nothing runs for ever.

    Raises:
        UsageError: It cannot be used: why, and what to change.
        MeasurementError: The sandbox does not start.
    """
    layer = layer_name(task)
    visible, hidden = visible_set(task), hidden_set(task)
    for name, text in (("reference", task.reference), ("start", task.start)):
        if text is not None:
            try:
                canonical(text, task.entry)
            except InvalidValue as error:
                raise UsageError(f"the {name} solution cannot be used: {error}") from None
    if task.reference is not None:
        for tests in filter(len, (visible, hidden)):
            _check_reference(judge(task, task.reference, tests))
    if task.minimise is None:
        return Checked(layer=layer)
    baseline = "reference" if task.reference is not None else ""
    if task.start is not None and judge(task, task.start, visible).passed:
        baseline = "start"
    return Checked(baseline, _penalty(task, visible, baseline), layer)


def _check_reference(session: Session) -> None:
    if session.fault:
        where = f" at its line {session.line}" if session.line else ""
        raise UsageError(f"the reference solution does not load: {session.fault}{where}")
    wrong = [verdict for verdict in session.verdicts if not verdict.passed]
    if not wrong:
        return
    first = wrong[0]
    said = first.error or f"it gives {first.got}, and the test says {first.expected}"
    more = f"; {len(wrong)} of {len(session.verdicts)} tests fail" if len(wrong) > 1 else ""
    hint = "; give more time with the key 'seconds', or a smaller test" if first.slow else ""
    raise UsageError(f"the reference solution fails {first.label}, {first.call}: {said}{more}{hint}")


def _penalty(task: CodeTask, visible: TestSet, baseline: str) -> float:
    """Choose the loss of a solution that fails a test. It is no measurement: the same each time the task is tested."""
    if task.penalty is not None:
        return task.penalty
    if task.minimise == "memory":
        return float(task.memory_mb)
    source = {"start": task.start, "reference": task.reference}.get(baseline)
    if task.minimise == "time":
        return _FAILED_RATIO if source else 1000 * task.seconds * len(visible.measured)
    if not source:
        raise UsageError(
            f"neither the start nor the reference passes its tests, so minimise = {task.minimise!r} needs the key "
            "'penalty': the loss of a solution that fails a test"
        )
    found = measure(task, source, visible, run_tests(task, source, visible.measured, label=visible.label))
    if found.failed:
        raise UsageError(f"the {baseline} gives no figure on {found.failed[0].label}: {found.failed[0].error}")
    return found.loss


def _filled(task: CodeTask, tests: TestSet, seed: int) -> TestSet:
    """Make the inputs, and let a solution that is right say what tests must give that do not say it."""
    key = digest(json.dumps([asdict(task), tests.kind], sort_keys=True, default=repr))
    with _lock:  # two threads of one process would both run the generator
        if key not in _kept:
            listed, made = list(tests.tests), make_inputs(task, seed)
            source, who = (task.reference, "reference") if task.reference else (task.start, "start")
            if source is not None and not task.figure_counts:
                listed = results_of(task, source, listed, who, tests.test_label)
                made = results_of(task, source, made, who, tests.input_label)
            while len(_kept) >= _MOST_KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[key] = TestSet(listed, made, tests.kind)
        return _kept[key]
