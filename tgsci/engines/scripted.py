"""An engine that answers from a script: for tests and benchmarks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..engine import Engine, Reply
from ..errors import EngineError, UsageError

Line: TypeAlias = "str | Reply | BaseException"


class Scripted(Engine):
    """Answers from a list, in order, or from a function. Safe to call from many threads.

    Args:
        replies: Texts, `Reply`s and exceptions (raised when their turn comes), or a function
            `(prompt, system) -> str | Reply`.
        seconds: How long each answer takes, s.
        name: Shown in tables.

    Raises:
        UsageError: `replies` is neither; a single text belongs in a list.
    """

    destination = "a script answers: nothing leaves this machine"

    def __init__(
        self,
        replies: Sequence[Line] | Callable[[str, str], str | Reply],
        *,
        seconds: float = 0.0,
        name: str = "scripted",
    ) -> None:
        if isinstance(replies, str | bytes) or not (callable(replies) or isinstance(replies, Sequence)):
            raise UsageError("a script is a list of replies, or a function (prompt, system) -> reply")
        self.name = name
        self.seconds = seconds
        #: Every `(prompt, system)` asked so far.
        self.calls: list[tuple[str, str]] = []
        self._replies = replies
        self._next = 0
        self._lock = threading.Lock()

    def complete(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Reply | str:
        with self._lock:
            self.calls.append((prompt, system))
            position, self._next = self._next, self._next + 1
        if self.seconds:
            time.sleep(self.seconds)
        if callable(self._replies):
            return self._replies(prompt, system)
        if position >= len(self._replies):
            raise EngineError(
                f"the script has {len(self._replies)} replies and was asked for one more: {_start(prompt)}"
            )
        line = self._replies[position]
        if isinstance(line, BaseException):
            raise line
        return line

    def skip(self, calls: int) -> None:
        with self._lock:
            self._next = max(self._next, calls)


def _start(prompt: str) -> str:
    return repr(prompt if len(prompt) <= 80 else prompt[:80] + "...")
