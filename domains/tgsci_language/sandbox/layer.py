"""Layer: what stands between a candidate and this machine; the others derive from it."""

from __future__ import annotations

import marshal
import os
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .limits import Limits
from .view import interpreter

#: The user that a candidate is.
NOBODY = 65534
#: What Python starts with in the sandbox: it takes the driver's code from its standard input, since the compiled files
#: may not be there and compiling takes longer than all else. Its argument is the descriptor of the replies.
_START = """
import marshal, posix, sys
def read(size):
    data = b""
    while len(data) < size:
        piece = posix.read(0, size - len(data))
        if not piece:
            posix._exit(0)
        data += piece
    return data
package = sys.modules["inside"] = type(sys)("inside")
package.__path__ = []
for name, code in marshal.loads(read(int.from_bytes(read(8), "big"))):
    module = sys.modules["inside." + name] = type(sys)("inside." + name)
    module.__package__ = "inside"
    exec(code, module.__dict__)
sys.modules["inside.driver"].main(int(sys.argv[1]))
"""


@cache
def driver_code() -> bytes:
    """Compile what runs in the sandbox, in the order in which it is imported; the first bytes that it reads."""
    paths = [Path(__file__).parent / "inside" / f"{name}.py" for name in ("values", "objects", "driver")]
    codes = [
        (path.stem, compile(path.read_bytes(), f"inside/{path.name}", "exec", dont_inherit=True)) for path in paths
    ]
    data = marshal.dumps(codes)
    return len(data).to_bytes(8, "big") + data


@dataclass
class Started:
    """A candidate's process, before it was told anything.

    Args:
        process: What was started: the sandbox with the candidate in it.
        requests: The descriptor to write requests to.
        replies: The descriptor to read replies from.
        first: The process that holds all others of the candidate, or the candidate itself.
        drop: Whether the candidate's process has to change from root to another user.
        paths: Where packages are, as the candidate sees them.
        directory: The directory that it works in, where that is one of this machine.
        depth: How many processes `first` is above the candidate's own.
    """

    process: subprocess.Popen[bytes]
    requests: int
    replies: int
    first: int
    drop: bool = False
    paths: Sequence[str] = ()
    directory: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)
    depth: int = 0


class Layer(ABC):
    """A way to keep a candidate in."""

    #: As reports and `tgsci doctor` call it.
    name: str
    #: Whether it keeps hostile code in; without it there are limits of resources only.
    safe = True

    @abstractmethod
    def start(self, limits: Limits, packages: Sequence[str]) -> Started:
        """Start a process that waits for its first request.

        Raises:
            MeasurementError: It does not start.
            UsageError: A package is not installed.
        """


class Pipes:
    """The pipes between this process and a sandbox; what the sandbox got is closed here at the end."""

    def __enter__(self) -> Pipes:
        self.requests, self.replies, self.info, self.rules, self.mapped = (os.pipe() for _ in range(5))
        self._close = {*self.requests, *self.replies, *self.info, *self.rules, *self.mapped}
        return self

    def popen(self, before: list[str], passed: list[int], cwd: str | None = None, *, standard: bool = False) -> Started:
        """Start Python, by a command that is given.

        Args:
            before: The command, up to Python.
            passed: Further descriptors that it gets.
            cwd: Where it starts.
            standard: Whether replies come by its standard output, since no other descriptor gets through.
        """
        python = [interpreter(), "-I", "-S", "-B", "-c", _START, "1" if standard else str(self.replies[1])]
        pipe = subprocess.PIPE
        os.close(self.rules[1])  # its reader waits for the end
        self._close.discard(self.rules[1])
        process = subprocess.Popen(
            [*before, *python], stdin=self.requests[0], stdout=self.replies[1] if standard else pipe, stderr=pipe,
            env={}, cwd=cwd, pass_fds=[self.replies[1], *passed], start_new_session=True,
        )  # fmt: skip
        for descriptor in (self.requests[0], self.replies[1], self.info[1], self.rules[0], self.mapped[0]):
            os.close(descriptor)
            self._close.discard(descriptor)
        self._close -= {self.requests[1], self.replies[0]}
        return Started(process, self.requests[1], self.replies[0], process.pid)

    def __exit__(self, *error: object) -> None:
        for descriptor in self._close:
            os.close(descriptor)
