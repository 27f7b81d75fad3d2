"""A published set as a whole: pass@k of a model's samples, and what improvement by the visible tests made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tgsci.feedback import Feedback
from tgsci.runs.result import Result
from tgsci.search.trial import State

from ..datasets.pass_at_k import mean_pass_at_k

#: The k of pass@k, as far as there are samples.
_KS = (1, 5, 10, 100)


@dataclass(frozen=True)
class Row:
    """One task.

    Args:
        task: Its name.
        visible: Of each sample, whether it passes all visible tests.
        hidden: Of each sample, whether it passes all hidden tests.
        best_visible: Whether the best solution of the search passes all visible tests.
        best_hidden: Whether it passes all hidden tests.
        model_calls: How many were asked.
    """

    task: str
    visible: Sequence[bool]
    hidden: Sequence[bool]
    best_visible: bool
    best_hidden: bool
    model_calls: int


def row(task: str, result: Result) -> Row:
    """Read a finished run of a task."""
    visible, hidden = [], []
    for trial in result.trials:
        if trial.edit != "sample":
            continue
        measured = result.trials.find(trial.value) if trial.state is State.DUPLICATE else trial
        visible.append(measured is not None and measured.measured and _all(measured.feedback))
        hidden.append(measured is not None and _all(result.finals.get(measured.number)))
    best = result.best
    return Row(
        task,
        visible,
        hidden,
        best is not None and _all(best.feedback),
        best is not None and _all(result.finals.get(best.number)),
        result.spent.model_calls,
    )


def table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Make the table of a set: header and rows, a task each."""
    header = ["task", "samples", "pass visible", "pass hidden", "best passes visible", "best passes hidden", "calls"]
    return header, [
        [
            each.task,
            str(len(each.visible)),
            str(sum(each.visible)),
            str(sum(each.hidden)),
            "yes" if each.best_visible else "no",
            "yes" if each.best_hidden else "no",
            str(each.model_calls),
        ]
        for each in rows
    ]


def summary(rows: Sequence[Row]) -> str:
    """Write what a set comes to: pass@k of the samples, the best after the search, and visible against hidden."""
    lines = [f"{len(rows)} tasks, {sum(each.model_calls for each in rows)} model calls"]
    fewest = min((len(each.hidden) for each in rows), default=0)
    for k in [k for k in _KS if k <= fewest]:
        seen, unseen = (mean_pass_at_k([part(each) for each in rows], k) for part in (_visible, _hidden))
        lines.append(f"pass@{k} of the samples: {100 * unseen:.1f} % (on the visible tests {100 * seen:.1f} %)")
    best, shown = sum(each.best_hidden for each in rows), sum(each.best_visible for each in rows)
    if rows:
        lines.append(
            f"after improvement by the visible tests: {100 * best / len(rows):.1f} % pass the hidden tests "
            f"({100 * shown / len(rows):.1f} % the visible ones)"
        )
    samples = [(v, h) for each in rows for v, h in zip(each.visible, each.hidden, strict=True)]
    passing = [h for v, h in samples if v]
    if passing:
        lines.append(
            f"of {len(passing)} samples that pass all visible tests {len(passing) - sum(passing)} fail hidden ones"
        )
    return "\n".join(lines)


def _visible(row: Row) -> Sequence[bool]:
    return row.visible


def _hidden(row: Row) -> Sequence[bool]:
    return row.hidden


def _all(feedback: Feedback | None) -> bool:
    return feedback is not None and feedback.measured and feedback.feasible
