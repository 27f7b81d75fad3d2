"""What people and models look at of a run: what an edit gained, sections of the report, the best solution as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tgsci.basics.diff import changed_lines
from tgsci.basics.files import write_atomically
from tgsci.basics.texts import figure
from tgsci.feedback import Feedback
from tgsci.show.report import Section

from .task import CodeTask

if TYPE_CHECKING:
    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial

#: Tests that are named in a line; solutions in a table.
_NAMED, _ROWS = 8, 30
#: Changed lines that stand in a contrast, and characters of each.
_LINES, _LINE = 8, 90
#: The metric that is compared from parent to child, with its unit, by what it is called.
_COMPARED = {"time": "ms", "memory": "MB", "figure": ""}
FILE = "solution.py"


def columns(task: CodeTask, baseline: str) -> list[str]:
    """Choose the metrics that are worth a column; without a baseline, times are compared with nobody's."""
    times = ["time", "baseline time", "speed-up"] if baseline else ["time"]
    own = {"time": times, "memory": ["memory"], None: []}
    return ["visible tests passed", *own.get(task.minimise, ["figure"])]


def contrast(parent: Trial, child: Trial) -> str:
    """Say what an edit gained and lost: tests, time, and the lines that it changed where they are few."""
    if parent.feedback is None or child.feedback is None or not (parent.measured and child.measured):
        return ""
    before, after = _failing(parent.feedback), _failing(child.feedback)
    gained, lost = [name for name in before if name not in after], [name for name in after if name not in before]
    parts = [f"gained {_named(gained)}"] if gained else []
    parts += [f"lost {_named(lost)}"] if lost else []
    if not parts:
        parts = ["the same tests fail" if after else "all tests still pass"]
    for name, unit in _COMPARED.items():
        old, new = parent.feedback.metrics.get(name), child.feedback.metrics.get(name)
        if old is not None and new is not None:
            parts.append(f"{name} {figure(old)} -> {figure(new)} {unit}".rstrip())
    told = "; ".join(parts)
    changed = [line for line in changed_lines(parent.value, child.value, 0) if line[:1] in "+-" and line[1:].strip()]
    if changed and len(changed) <= _LINES:
        told += "\nlines: " + " | ".join(f"{line[0]} {line[1:].strip()}"[:_LINE] for line in changed)
    elif changed:
        told += f"\n{sum(x[0] == '+' for x in changed)} lines came, {sum(x[0] == '-' for x in changed)} went"
    return told


def limiting(feedback: Feedback) -> str:
    """Say what decides a solution's loss: the tests that fail, or else what is minimised."""
    failing = _failing(feedback)
    if failing:
        return f"{_named(list(failing))} {'fails' if len(failing) == 1 else 'fail'}"
    names = {"time": "run time", "memory": "memory", "figure": "the figure of its results"}
    return next((words for name, words in names.items() if name in feedback.metrics), "")


def sections(result: Result) -> list[Section]:
    """Show the hidden tests beside the visible ones, and which tests each of the best solutions fails."""
    found = []
    rows = [_against(result, number, final) for number, final in sorted(result.finals.items())]
    if rows:
        header = ["trial", "visible tests passed", "loss", "hidden tests passed", "loss on the hidden ones"]
        text = "Visible tests drove the search. The hidden ones were run once, at the end; no prompt held them."
        found.append(Section("Visible against hidden tests", text, header, rows))
    ranked = result.trials.ranked(_ROWS)
    if any(trial.feedback and _failing(trial.feedback) for trial in ranked):
        rows = [
            [
                trial.number,
                figure(trial.loss),
                passed_of(trial.feedback, "visible"),
                _named(list(_failing(trial.feedback))),
            ]
            for trial in ranked
            if trial.feedback
        ]
        found.append(Section("Tests by solution", "", ["trial", "loss", "visible tests passed", "failing"], rows))
    return found


def passed_of(feedback: Feedback, kind: str) -> str:
    """Say how many tests of a kind passed: "7 of 8"; "" where none was run."""
    passed = feedback.metrics.get(f"{kind} tests passed")
    return "" if passed is None else f"{passed:.0f} of {passed + len(_failing(feedback)):.0f}"


def export(result: Result, directory: Path) -> Sequence[Path]:
    """Write the best solution into the run's directory."""
    if result.best is None:
        return []
    write_atomically(directory / FILE, result.best.value)
    return [directory / FILE]


def _against(result: Result, number: int, final: Feedback) -> list[object]:
    trial = result.trials[number]
    visible = passed_of(trial.feedback, "visible") if trial.feedback else ""
    return [number, visible, figure(trial.loss), passed_of(final, "hidden") or final.error, figure(final.loss)]


def _failing(feedback: Feedback) -> Mapping[str, float]:
    return {name: by for name, by in feedback.violations.items() if by > 0}


def _named(labels: Sequence[str]) -> str:
    """Name tests: "test 3, test 5 and 4 more"."""
    more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
    return ", ".join(labels[:_NAMED]) + more
