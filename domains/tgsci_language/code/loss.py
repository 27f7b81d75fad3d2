"""The loss of code: tests that fail, and once none does, what the task minimises."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, replace

from tgsci.basics.files import digest
from tgsci.basics.texts import figure
from tgsci.errors import UsageError
from tgsci.feedback import Feedback
from tgsci.loss import Loss

from .goal import UNITS, Measured, measure
from .page import bounded, page_of_tests, profile_page
from .prepare import Checked, check_task, judge, visible_set
from .runner import Session, profile_of
from .source import canonical
from .task import CodeTask
from .tests import TestSet
from .verdict import Verdict, failing, passed

#: A careful measurement has so many times the repeats.
_CARE = 3
_NAMES = {
    None: "share of tests that fail",
    "time": "run time",
    "memory": "memory",
    "returned": "returned figure",
    "printed": "printed figure",
    "score": "score",
}


class CodeLoss(Loss):
    """Run a solution's tests in a sandbox; once all pass, measure what the task minimises.

        loss = CodeLoss(CodeTask(signature="def area(w, h)", statement="...", visible=["area(2, 3) == 6"]))
        loss.measure("def area(w, h):\\n    return w * h\\n").loss  # 0.0

    Each failing test is a violation of 1. The loss is the share of tests that fail or, with something to minimise, its
    figure: run time as a share of the start's, memory in MB, or the function's own figure. A solution that fails a
    test is charged `checked.penalty`: twice the start's time, the limit of memory, the figure of the start.

    Args:
        task: What is to be solved; its hidden tests are left out.
        checked: What testing the task found; it is tested now where None.
        repeats: How often run times are measured; the task's own number where None.

    Raises:
        UsageError: The task cannot be used: its reference fails, no sandbox, and so on.
    """

    def __init__(self, task: CodeTask, checked: Checked | None = None, repeats: int | None = None) -> None:
        self.checked = checked or check_task(task)
        self.task = task.visible_part if repeats is None else replace(task.visible_part, repeats=repeats)
        self.name = _NAMES[task.minimise]
        whose = f"of the {self.checked.baseline}'s" if self.checked.baseline else "ms"
        self.units: Mapping[str, str] = {
            "loss": whose if task.minimise == "time" else task.unit,
            "visible tests passed": "",
            "hidden tests passed": "",
            **UNITS,
        }

    @property
    def fingerprint(self) -> str:
        """The task without its hidden tests, what failing costs, and the version of Python that runs it."""
        found = [self.checked.baseline, self.checked.penalty]
        facts = json.dumps([asdict(self.task), found], sort_keys=True, default=repr)
        return f"code:{digest(facts)}:python-{'.'.join(platform.python_version_tuple()[:2])}"

    @property
    def careful(self) -> CodeLoss:
        """The same loss with more repeats: what would lead is timed by it before it does."""
        return CodeLoss(self.task, self.checked, min(100, _CARE * self.task.repeats))

    def validate(self, value: str) -> str:
        """Take code out of its fence, dedent it, and check that it is Python and defines the function.

        Raises:
            InvalidValue: It does not; says at which line.
        """
        return canonical(value, self.task.entry)

    def evaluate(self, value: str) -> Feedback:
        """Run the visible tests, and measure what the task minimises where all pass.

        Raises:
            MeasurementError: The sandbox does not start.
        """
        return self.judged(value, visible_set(self.task))

    def judged(self, value: str, tests: TestSet) -> Feedback:
        """Run a solution on a set of tests: the visible ones, or at the end of a run the hidden ones.

        Args:
            value: The solution.
            tests: Their labels say what they are.

        Raises:
            MeasurementError: The sandbox does not start.
        """
        session = judge(self.task, value, tests)
        measured = None
        if session.passed and self.task.minimise:
            own = session.verdicts[len(tests.tests) :] if tests.inputs else session.verdicts
            whose = self.checked.baseline
            baseline = {"start": self.task.start, "reference": self.task.reference}.get(whose) or ""
            measured = measure(self.task, value, tests, replace(session, verdicts=own), baseline, whose)
        verdicts = _together(session, measured)
        wrong = failing(verdicts)
        metrics = {f"{tests.kind} tests passed": float(passed(verdicts))}
        if measured is None or wrong:
            loss = len(wrong) / len(verdicts) if self.task.minimise is None else self._penalty
        else:
            loss, metrics = measured.loss, {**metrics, **measured.metrics}
        return Feedback(loss, self._page(value, session, verdicts, measured, tests), metrics, wrong)

    @property
    def _penalty(self) -> float:
        if self.checked.penalty is None:
            raise UsageError("this task was not tested before its first measurement")
        return self.checked.penalty

    def _page(
        self, source: str, session: Session, verdicts: list[Verdict], measured: Measured | None, tests: TestSet
    ) -> str:
        parts = []
        if session.fault:
            where = f" at line {session.line}: {source.splitlines()[session.line - 1].strip()}" if session.line else ""
            parts.append(f"The code does not load, so that no test ran: {session.fault}{where}"[:1000])
        else:
            parts.append(page_of_tests(verdicts, source, self.task.seconds, tests.kind))
        if measured is not None and not measured.failed:
            parts += [measured.words, profile_page(measured.profile, source)]
        elif self.task.minimise:
            parts.append(
                f"Not measured: {self.name}. A solution that fails a test is charged {figure(self._penalty)} "
                f"{self.units['loss']}.".replace(" .", ".")
            )
        slow = [index for index, verdict in enumerate(verdicts) if verdict.slow]
        if slow and not session.fault:
            listed = [*tests.tests, *tests.inputs]
            parts.append(profile_page(profile_of(self.task, source, [listed[slow[0]]]), source))
        if self.task.unsafe_local:
            parts.append("Run without a sandbox, under resource limits only.")
        return bounded(parts)


def _together(session: Session, measured: Measured | None) -> list[Verdict]:
    """Put what failed only when it was measured in the place of what had passed."""
    failed = {verdict.label: verdict for verdict in measured.failed} if measured else {}
    return [failed.get(verdict.label, verdict) for verdict in session.verdicts]
