"""Matcher: a regular expression of somebody's own, run on hostile text with a limit of time.

Some expressions take centuries on some texts, and `re` can not be interrupted from another thread. So matching is done
by a small process that is killed where it takes too long.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from typing import Any

#: Longest that one text may take, s; and the start of Python.
SECONDS, _START_SECONDS = 1.0, 10.0

_PROGRAM = r"""
import json, re, sys
for line in sys.stdin:
    pattern, text = json.loads(line)
    found = None
    for match in re.finditer(pattern, text):
        found = match
    if found is None:
        answer = None
    elif "answer" in found.re.groupindex:
        answer = found["answer"] or ""
    else:
        answer = found[1] or "" if found.re.groups else found[0]
    print(json.dumps(answer and answer[:1000]), flush=True)
"""


class TooSlow(Exception):
    """The expression took too long on a text."""


class Matcher:
    """Finds the last match of an expression in a text. Safe in many threads; each process has its own."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def last(self, pattern: str, text: str, seconds: float = SECONDS) -> str | None:
        """Find the last match: its group `answer`, else its first group, else all of it. None where there is none.

        Raises:
            TooSlow: It took longer than `seconds`, or the process died.
        """
        with self._lock:
            for _ in range(2):  # a process that ended by itself says nothing of the text
                started = time.monotonic()
                line = self._ask(self._started(), pattern, text, seconds)
                if line:
                    found: str | None = json.loads(line)
                    return found
                self.close()
                if time.monotonic() - started >= seconds:
                    break
            raise TooSlow

    def _started(self) -> subprocess.Popen[str]:
        """Start the process where there is none, and wait until it answers."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="ascii",
            )
            self._ask(self._process, "a", "a", _START_SECONDS)
        return self._process

    def _ask(self, process: subprocess.Popen[str], pattern: str, text: str, seconds: float) -> str:
        """Ask, and wait for a line; "" where the process ended, or was ended because it took too long."""
        timer = threading.Timer(seconds, process.kill)
        timer.daemon = True
        timer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{json.dumps([pattern, text])}\n")
            process.stdin.flush()
            return process.stdout.readline()
        except OSError:  # it ended while it was written to
            return ""
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the process; the next text starts another one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError):  # what was not written yet has nowhere to go
                process.communicate()

    def __del__(self) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: object) -> None:
        self._process, self._lock = None, threading.Lock()
