"""What a report adds for a prompt search: accuracy against calls, test, the race, and the confusion of answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tgsci.search.trial import State, Trial
from tgsci.show.report import Section

from ..scoring.intervals import accuracy_interval
from .final import verdict
from .loss import PromptLoss
from .page import faults
from .student import Sample, accuracy, of_set, read_samples

if TYPE_CHECKING:
    from tgsci.runs.result import Result

#: Most different answers that a table of expected against read shows, and most pairs where there are more.
_MOST_ANSWERS, _MOST_PAIRS = 12, 20
#: Size of the picture and its margins, pixels.
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 680, 300, 52, 90, 16, 44
_BLUE, _GREY, _RED = "#1f6fb4", "#9aa4ad", "#c0392b"


class Sections:
    """Makes the sections of a run's report; a pure function of the result.

    Args:
        loss: Knows what a measurement costs.
    """

    def __init__(self, loss: PromptLoss) -> None:
        self.loss = loss

    def __call__(self, result: Result) -> list[Section]:
        found = [self._curve(result), self._test(result)]
        if self.loss.first:
            found.append(self._race(result))
        return [section for section in (*found, *self._answers(result)) if section]

    def _curve(self, result: Result) -> Section | None:
        points = calls_and_accuracy(result.trials)
        if not points:
            return None
        picture = curve(points, points_of_test(result, points[-1][0]))
        text = (
            "Each point is an instruction on validation; the line is the best one so far. Small grey points were "
            "dropped after the first validation examples. Test stands apart at the right: it was measured once, at the "
            "end, with its 95 % interval."
        )
        return Section(
            "Accuracy against calls", text, picture=picture, alternative="validation and test accuracy against calls"
        )

    def _test(self, result: Result) -> Section | None:
        if not result.finals:
            return None
        rows: list[list[object]] = []
        for number, final in sorted(result.finals.items()):
            samples = read_samples(final.artifacts)
            if samples:
                low, high = accuracy_interval(sum(s.right for s in samples), len(samples))
                name = "first" if number == 0 else "best" if result.best and number == result.best.number else ""
                span = f"{100 * low:.1f} to {100 * high:.1f}"
                rows.append([number, name, f"{accuracy(samples):.1f}", span, len(samples)])
        header = ["trial", "", "test accuracy (%)", "95 % interval (%)", "n"]
        return Section("Test, measured once", verdict(result), header, rows)

    def _race(self, result: Result) -> Section:
        return Section("Racing", race(result))

    def _answers(self, result: Result) -> list[Section]:
        best = result.best
        if best is None or best.feedback is None:
            return []
        samples = of_set(read_samples(best.feedback.artifacts), "validation")
        first = result.trials[0].feedback
        before = of_set(read_samples(first.artifacts), "validation") if first else []
        old, new = faults(before), faults(samples)
        wrong = [[fault, old.get(fault, 0), new.get(fault, 0)] for fault in dict.fromkeys((*old, *new))]
        header = ["what went wrong", f"first, of {len(before)}", f"best, of {len(samples)}"]
        found = [Section("What went wrong on validation", "", header, wrong)] if wrong else []
        return [*found, *([confusion(samples)] if samples else [])]


def race(result: Result) -> str:
    """Say how many instructions were dropped early, and how many calls that saved; "" where there was no race."""
    loss = result.loss
    if not isinstance(loss, PromptLoss) or not loss.first:
        return ""
    measured = [t for t in result.trials if t.feedback is not None and t.measured]
    n = len(loss.validation)
    if not any(t.first is not None for t in measured):
        return (
            f"No instruction was asked more than the first {loss.first} of {n} validation examples: leaders were not "
            "confirmed in this run."
        )
    left = [n - int(t.feedback.metrics["validation n"]) for t in measured if t.feedback]
    dropped = sum(each > 0 for each in left)
    saved = sum(left) * loss.student.calls(loss.steps)
    spent = sum(int(t.feedback.metrics["calls"]) for t in measured if t.feedback)
    return (
        f"{dropped} of {len(measured)} instructions were behind on the first {loss.first} of {n} validation examples "
        f"and were dropped there. That saved {saved} of {saved + spent} calls to the student "
        f"({100 * saved / max(1, saved + spent):.0f} %)."
    )


def calls_and_accuracy(trials: Sequence[Trial]) -> list[tuple[int, float, Trial]]:
    """List the measured trials with the calls that all measurements up to it had cost, and its validation accuracy."""
    found, calls = [], 0
    for trial in trials:
        if trial.feedback is not None and trial.measured:
            calls += int(trial.feedback.metrics.get("calls", 0))
            found.append((calls, trial.feedback.metrics.get("validation accuracy", float("nan")), trial))
    return found


def points_of_test(result: Result, calls: int) -> list[tuple[str, float, float, float]]:
    """List what test says of the first and the best: a name, the accuracy and the ends of its interval, %."""
    found = []
    for number, final in sorted(result.finals.items()):
        samples = read_samples(final.artifacts)
        if samples and (number == 0 or (result.best and number == result.best.number)):
            low, high = accuracy_interval(sum(s.right for s in samples), len(samples))
            found.append(("best" if number else "first", accuracy(samples), 100 * low, 100 * high))
    return found


def curve(points: Sequence[tuple[int, float, Trial]], tests: Sequence[tuple[str, float, float, float]]) -> str:
    """Draw accuracy against calls as SVG: validation as points and a line, test at the right with its interval."""
    most = max(calls for calls, _, _ in points) * 1.03
    values = [value for _, value, _ in points] + [end for _, _, low, high in tests for end in (low, high)]
    low, high = max(0.0, min(values) // 10 * 10 - 5), min(100.0, max(values) // 10 * 10 + 15)
    wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(calls: float) -> str:
        return f"{_LEFT + wide * calls / most:.1f}"

    def y(value: float) -> str:
        return f"{_TOP + tall * (high - value) / (high - low):.1f}"

    parts = [f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>']
    for tick in range(int(-(-low // 10) * 10), int(high) + 1, 10):
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y(tick)}" y2="{y(tick)}" stroke="#e6e9ec"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{float(y(tick)) + 4:.1f}" text-anchor="end">{tick}</text>')
    for share in (0, 0.25, 0.5, 0.75, 1):
        calls = share * most / 1.03
        parts.append(f'<text x="{x(calls)}" y="{_HEIGHT - 26}" text-anchor="middle">{calls:.0f}</text>')
    middle, bottom = _LEFT + wide / 2, _HEIGHT - 8
    parts.append(f'<text x="{middle:.0f}" y="{bottom}" text-anchor="middle">calls to the student</text>')
    turn = f'transform="rotate(-90 12 {_TOP + tall / 2:.0f})"'
    parts.append(f'<text x="12" y="{_TOP + tall / 2:.0f}" text-anchor="middle" {turn}>accuracy (%)</text>')
    line, last = "", ""
    whole = max(int(t.feedback.metrics.get("validation n", 0)) for _, _, t in points if t.feedback)
    for calls, value, trial in points:
        raced = trial.feedback is not None and trial.feedback.metrics.get("validation n", 0) < whole
        if trial.state is State.ACCEPTED:
            line += f"{'L' if line else 'M'}{x(calls)} {last or y(value)} L{x(calls)} {y(value)} "
            last = y(value)
        colour = _GREY if raced else _BLUE
        parts.append(f'<circle cx="{x(calls)}" cy="{y(value)}" r="{2.5 if raced else 4}" fill="{colour}"/>')
    if line:
        parts.append(f'<path d="{line}L{x(most)} {last}" fill="none" stroke="{_BLUE}" stroke-width="1.5"/>')
    for number, (name, value, bottom_end, top_end) in enumerate(tests, 1):
        at = _WIDTH - _RIGHT + 28 * number
        parts.append(f'<line x1="{at}" x2="{at}" y1="{y(bottom_end)}" y2="{y(top_end)}" stroke="{_RED}"/>')
        parts.append(f'<rect x="{at - 4}" y="{float(y(value)) - 4:.1f}" width="8" height="8" fill="{_RED}"/>')
        parts.append(f'<text x="{at}" y="{_HEIGHT - 26}" text-anchor="middle" fill="{_RED}">{name}</text>')
    if tests:
        at = _WIDTH - _RIGHT + 14 * (len(tests) + 1)
        parts.append(f'<text x="{at}" y="{bottom}" text-anchor="middle" fill="{_RED}">test</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" font-family="sans-serif" font-size="11">{"".join(parts)}</svg>'
    )


def confusion(samples: Sequence[Sample]) -> Section:
    """Make the table of expected against read answers of validation; of many different ones the commonest mistakes."""
    expected = _in_order({sample.expected for sample in samples})
    if len(expected) <= _MOST_ANSWERS:
        read = _in_order({sample.answer for sample in samples})
        columns = [*expected, *(answer for answer in read if answer not in expected)][: 2 * _MOST_ANSWERS]
        count = Counter((sample.expected, sample.answer) for sample in samples)
        rows = [[wanted, *(count[wanted, answer] or "" for answer in columns)] for wanted in expected]
        header = ["expected", *(f"read {answer}" if answer else "none read" for answer in columns)]
        return Section("Confusion of answers (best, validation)", "", header, rows)
    wrong = Counter((s.expected, s.answer, s.fault) for s in samples if s.right < 1)
    listed = [[*pair, times] for pair, times in wrong.most_common(_MOST_PAIRS)]
    text = f"{len(expected)} different reference answers; the commonest mistakes:" if listed else "No mistake."
    return Section(
        "Confusion of answers (best, validation)", text, ["expected", "read", "what went wrong", "times"], listed
    )


def _in_order(answers: set[str]) -> list[str]:
    """Sort answers: numbers by their size, texts by the alphabet."""

    def key(answer: str) -> tuple[int, float, str]:
        try:
            return 0, float(answer), answer
        except ValueError:
            return 1, 0.0, answer

    return sorted(answers, key=key)
