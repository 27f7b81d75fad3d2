"""The end of a prompt search: the best and the first instruction on test, which nobody has seen before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tgsci.feedback import Feedback

from ..scoring.intervals import Difference, paired_difference
from .loss import PromptLoss
from .page import headline
from .student import SAMPLES, Sample, accuracy, read_samples, write_samples

if TYPE_CHECKING:
    from tgsci.runs.finalists import Finishing
    from tgsci.runs.result import Result


class Final:
    """Measures the first and the best instruction on test, once.

    Args:
        loss: Asks the student.
    """

    def __init__(self, loss: PromptLoss) -> None:
        self.loss = loss

    def __call__(self, result: Result, finishing: Finishing) -> None:
        best = result.best
        assert best is not None
        todo = [0, *([best.number] if best.number else [])]
        before: list[Sample] = []
        for done, number in enumerate(todo):
            if number not in result.finals:
                finishing.say("measuring on test", done, len(todo))
                trial = result.trial(number)
                asked = [("test", example) for example in self.loss.split.test]
                samples = self.loss.student.ask(self.loss.read(trial.value), asked)
                finishing.keep(trial, self._feedback(samples, before))
            before = before or read_samples(result.finals[number].artifacts)

    def _feedback(self, samples: Sequence[Sample], before: Sequence[Sample]) -> Feedback:
        metrics = {
            "test accuracy": accuracy(samples),
            "test n": float(len(samples)),
        }
        text = headline("Test", samples)
        if before:
            gain = _difference(before, samples)
            metrics |= {
                "test gain": 100 * gain.mean,
                "test gain low": 100 * gain.low,
                "test gain high": 100 * gain.high,
            }
            text += f"\nAgainst the first instruction: {gain}"
        return Feedback(100 - metrics["test accuracy"], text, metrics, artifacts={SAMPLES: write_samples(samples)})


def gain_on_test(result: Result) -> Difference | None:
    """Compare the best instruction with the first one on test; None before both are measured, or where they are one."""
    best = result.best
    if best is None or not best.number or not {0, best.number} <= set(result.finals):
        return None
    first, second = (read_samples(result.finals[number].artifacts) for number in (0, best.number))
    return _difference(first, second) if len(first) == len(second) and first else None


def verdict(result: Result) -> str:
    """Say what test says of the best instruction, in a sentence or two; "" before test was measured."""
    best = result.best
    if best is None or best.number not in result.finals:
        return ""
    line = headline("Test, measured once", read_samples(result.finals[best.number].artifacts))
    if not best.number:
        return f"{line}. No instruction was better on validation than the first one."
    gain = gain_on_test(result)
    if gain is None:
        return line
    said = (
        "The gain is within noise: test does not show that the best instruction is better than the first one."
        if gain.within_noise
        else f"Test shows that the best instruction is {'better' if gain.mean > 0 else 'WORSE'} than the first one."
    )
    return f"{line}.\nAgainst the first instruction: {gain}.\n{said}"


def _difference(first: Sequence[Sample], second: Sequence[Sample]) -> Difference:
    return paired_difference([sample.right for sample in first], [sample.right for sample in second])
