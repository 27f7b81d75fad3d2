"""Where the time of a function goes, line by line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tgsci_language.code.tracer import traced

CODE = """
import time

def helper():
    time.sleep(0.02)

def f(n):
    for i in range(n):
        helper()
    x = n + 1
    return x / (n - 3)

def endless():
    while True:
        x = 1
"""


def function(name: str) -> Callable[..., Any]:
    space: dict[str, Any] = {}
    exec(compile(CODE, "<code>", "exec"), space)  # noqa: S102 - the code above
    found: Callable[..., Any] = space[name]
    return found


def test_each_line_is_counted_and_timed() -> None:
    lines = traced(function("f"), "<code>", 10.0)(2)
    assert {line: count for line, (count, _) in lines.items()} == {5: 2, 8: 3, 9: 2, 10: 1, 11: 1}
    slowest = max(lines, key=lambda line: lines[line][1])
    assert slowest == 5, "the line that waits, not the one that calls it"
    assert lines[5][1] >= 0.03


def test_what_raises_is_told_up_to_there() -> None:
    assert traced(function("f"), "<code>", 10.0)(3)[11][0] == 1


def test_what_never_ends_is_ended() -> None:
    started = time.monotonic()
    lines = traced(function("endless"), "<code>", 0.2)()
    assert lines[15][0] > 1000
    assert time.monotonic() - started < 10
