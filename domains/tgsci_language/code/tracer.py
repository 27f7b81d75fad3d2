"""Runs in the sandbox, before a solution: wraps its function, and times each of its lines.

Whatever this file holds is known to the solution, which shares the process; it can spoil its own profile and no more.
It imports the standard library alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter
from types import FrameType
from typing import Any


class Enough(BaseException):
    """The time for tracing is up."""


def traced(function: Callable[..., Any], file: str, seconds: float) -> Callable[..., dict[int, tuple[int, float]]]:
    """Wrap a function: a call returns, for each line of its file, how often it ran and how long, s.

    What a line calls counts as time of the line, unless that is in the file as well.

    Args:
        function: What is called; whatever it raises ends the tracing.
        file: The name of the file whose lines are timed.
        seconds: After so long the call is ended.
    """

    def call(*arguments: Any, **keywords: Any) -> dict[int, tuple[int, float]]:
        counts: dict[int, int] = {}
        times: dict[int, float] = {}
        begun = last = perf_counter()
        line = 0

        def look(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal line, last
            now = perf_counter()
            times[line] = times.get(line, 0.0) + now - last
            if now - begun > seconds:
                raise Enough
            if event == "return":
                back = frame.f_back
                line = back.f_lineno if back is not None and back.f_code.co_filename == file else 0
            else:
                line = frame.f_lineno
                if event == "line":
                    counts[line] = counts.get(line, 0) + 1
            last = perf_counter()  # the time of this function is nobody's
            return look

        def enter(frame: FrameType, event: str, argument: Any) -> Any:
            return look(frame, event, argument) if frame.f_code.co_filename == file else None

        sys.settrace(enter)
        try:
            function(*arguments, **keywords)
        except BaseException:
            pass
        finally:
            sys.settrace(None)
        return {number: (counts[number], times.get(number, 0.0)) for number in counts}

    return call
