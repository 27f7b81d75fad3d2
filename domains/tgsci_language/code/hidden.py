"""The hidden tests: run once, at the end, on the best solution. No prompt and no page of the search ever holds them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tgsci.feedback import Feedback

from .loss import CodeLoss
from .prepare import Checked, hidden_set
from .task import CodeTask

if TYPE_CHECKING:
    from tgsci.runs.finalists import Finishing
    from tgsci.runs.result import Result


def finish(result: Result, finishing: Finishing, *, task: CodeTask, checked: Checked) -> None:
    """Run the hidden tests on the best solution, unless that was done."""
    best = result.best
    if best is None or best.number in result.finals:
        return
    run = partial(run_hidden, task=task, checked=checked)
    for value, outcome in finishing.each(run, [str(best.value)], "running the hidden tests"):
        assert value == best.value
        finishing.keep(best, outcome if isinstance(outcome, Feedback) else Feedback.failed(str(outcome)))


def run_hidden(value: str, *, task: CodeTask, checked: Checked) -> Feedback:
    """Run the hidden tests on a solution.

    Args:
        value: The solution, canonical.
        task: With its hidden tests.
        checked: What testing the task found.

    Returns:
        As of the visible tests, with the metric "hidden tests passed".
    """
    return CodeLoss(task, checked).judged(value, hidden_set(task))
