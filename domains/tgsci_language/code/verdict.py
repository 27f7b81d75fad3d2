"""What became of one test, and of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """What became of one test.

    Args:
        label: "test 3"; "input 1" for one that a generator made.
        call: The call, as Python writes it.
        expected: What must come back, as Python writes it; "" for anything.
        passed: True where it came back.
        got: What came back, as Python writes it.
        difference: Where the two differ, in a few words.
        error: The exception, or why there was no answer; "" where there was one.
        line: Number of the line of the solution where that was raised; None where it is unknown.
        seconds: Time of the call, by the clock inside the sandbox, s.
        slow: True where it was stopped for its time.
        printed: What it printed.
        value: What came back; it comes from hostile code.
    """

    label: str
    call: str
    expected: str
    passed: bool
    got: str = ""
    difference: str = ""
    error: str = ""
    line: int | None = None
    seconds: float = 0.0
    slow: bool = False
    printed: str = ""
    value: Any = None


def passed(verdicts: Sequence[Verdict]) -> int:
    """Count the tests that passed."""
    return sum(verdict.passed for verdict in verdicts)


def failing(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """List the tests that failed, as violations: each is one test."""
    return {verdict.label: 1.0 for verdict in verdicts if not verdict.passed}
