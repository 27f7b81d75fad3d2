"""Runs a candidate, inside the sandbox: `python -I -S driver`, started by `process.py`.

It reads requests from its standard input and writes replies to a descriptor of its own; both are frames of 8 bytes of
length and a value (`values.py`). The first request holds the limits and the code. Nothing that is secret ever comes
here: the candidate shares this process and can change anything in it. What it can reach that way is its own answers,
which are compared outside.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from time import perf_counter, thread_time

from .objects import flatten, restore
from .values import BadValue, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

#: The file name that a candidate's code has in tracebacks.
CANDIDATE = "<candidate>"
#: Characters that are kept of the message of an exception, and bytes of what a call prints.
LONGEST_MESSAGE, LONGEST_PRINTED = 2000, 20_000
#: Between two looks at the line that runs, in seconds, where a profile is wanted.
_PROFILE_EVERY = 0.001
_NOBODY = 65534


class _Printed(io.BytesIO):
    """Keeps the beginning of what a call prints."""

    def write(self, data: Any) -> int:
        super().write(bytes(data)[: max(0, LONGEST_PRINTED - self.tell())])
        return len(data)

    def clear(self) -> None:
        self.seek(0)
        self.truncate()


class _TimeUp(BaseException):
    """A call takes longer than it may."""


def main(replies: int) -> None:
    """Serve one candidate.

    Args:
        replies: The descriptor that replies are written to; where it is the standard output, what is printed goes to
            the standard error.
    """
    requests = os.dup(0)
    if replies == 1:
        replies = os.dup(1)
        os.dup2(2, 1)
    os.set_inheritable(replies, False)
    setup = _read(requests)
    _limit(setup)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    sys.path += setup["paths"]
    if setup["paths"]:  # one thread each: their pools would take memory and processes
        os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    sys.dont_write_bytecode = True
    sys.argv = [CANDIDATE]
    vars(builtins).update(exit=sys.exit, quit=sys.exit)  # what `site` would bring
    if setup["mode"] == "program":
        _program(setup, requests, replies)
    else:
        _function(setup, requests, replies)


def _limit(setup: dict[str, Any]) -> None:
    """Give up root where the sandbox was made by it, then take the limits, which cannot be raised again."""
    if setup["drop"]:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    import resource

    for name, most in setup["limits"].items():
        which = getattr(resource, name, None)
        if which is not None:
            hard = resource.getrlimit(which)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            try:
                resource.setrlimit(which, (most, most))
            except (ValueError, OSError):
                if name != "RLIMIT_AS":  # macOS has no limit of memory
                    raise


def _program(setup: dict[str, Any], requests: int, replies: int) -> None:
    """Run the code as a program of its own, with its standard input in a file."""
    file = os.open(".input", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(".input")
    for start in range(0, len(setup["stdin"]), 1 << 20):
        os.write(file, setup["stdin"][start : start + (1 << 20)])
    os.lseek(file, 0, os.SEEK_SET)
    os.dup2(file, 0)
    os.close(file)
    module = type(sys)("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    sys.argv += setup["arguments"]
    _write(replies, {"nonce": setup["nonce"]})
    left: BaseException | None = None
    try:
        exec(compile(setup["source"], CANDIDATE, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    except BaseException as error:
        left = error
    found = {} if left is None or isinstance(left, SystemExit) else _described(left)
    _write(replies, {**found, "nonce": setup["nonce"]})
    os.read(requests, 1)  # until its memory has been read from outside
    if isinstance(left, SystemExit):
        raise left
    if left is not None:
        trace = left.__traceback__
        left.__traceback__ = trace and trace.tb_next  # without the driver's own frame
        sys.excepthook(type(left), left, left.__traceback__)
        sys.exit(1)


def _function(setup: dict[str, Any], requests: int, replies: int) -> None:
    """Load the code, then answer call by call."""
    signal: Any = __import__("_signal")  # without the enumerations of `signal`, which take a third of the start

    module = type(sys)("candidate")
    sys.modules["candidate"] = module
    space = module.__dict__
    space["__builtins__"] = __builtins__
    printed = _Printed()
    sys.stdout = sys.stderr = io.TextIOWrapper(printed, "utf-8", "backslashreplace", "\n", write_through=True)
    sys.stdin = io.StringIO("")
    lines: dict[int, int] = {}
    #: The task's own classes by name, where objects of them are handed over between two processes.
    classes: dict[str, type] | None = {} if "asks" in setup else None

    def up(number: int, frame: FrameType | None) -> None:
        raise _TimeUp

    def look(number: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code.co_filename != CANDIDATE:
            frame = frame.f_back
        if frame is not None:
            lines[frame.f_lineno] = lines.get(frame.f_lineno, 0) + 1

    signal.signal(signal.SIGALRM, up)
    if setup["profile"]:
        signal.signal(signal.SIGPROF, look)

    def answer(work: Any) -> dict[str, Any]:
        printed.clear()
        lines.clear()
        started, worked = perf_counter(), thread_time()
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, setup["seconds"])
                if setup["profile"]:
                    signal.setitimer(signal.ITIMER_PROF, _PROFILE_EVERY, _PROFILE_EVERY)
                started, worked = perf_counter(), thread_time()
                value = work()
                processor, seconds = thread_time() - worked, perf_counter() - started
                found = {"value": encode(value if classes is None else flatten(value, classes))}
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
        except BaseException as error:
            processor, seconds = thread_time() - worked, perf_counter() - started
            found = _described(error)
        signal.setitimer(signal.ITIMER_REAL, 0)
        return {**found, "printed": printed.getvalue(), "inside": seconds, "processor": processor, "lines": dict(lines)}

    def load() -> None:
        exec(compile(setup["prelude"], "<prelude>", "exec", dont_inherit=True), space)  # noqa: S102
        if classes is not None:  # those that were imported are no task's own
            own = {name: each for name, each in space.items() if isinstance(each, type)}
            classes.update({name: each for name, each in own.items() if each.__module__ == module.__name__})
        space.update(dict.fromkeys(setup.get("asks", ()), ask))  # the prelude may have a head of the same name
        exec(compile(setup["source"], CANDIDATE, "exec", dont_inherit=True), space)  # noqa: S102
        if setup["function"]:
            eval(expression, space)  # noqa: S307

    last = setup["nonce"]

    def ask(*arguments: Any, **keywords: Any) -> Any:
        """Ask for a call of a function that is in another process."""
        nonlocal last
        _write(replies, {"ask": encode(flatten((arguments, keywords), classes or {})), "nonce": last})
        reply = _read(requests)
        last = reply["nonce"]
        if "error" not in reply:
            return restore(reply["value"], classes or {})
        kind = vars(builtins).get(reply["error"])
        known = isinstance(kind, type) and issubclass(kind, Exception)
        raise (kind if known else RuntimeError)(reply["message"])  # type: ignore[misc]

    _write(replies, {"nonce": setup["nonce"]})
    expression = compile(setup["function"] or "None", "<function>", "eval")
    reply = answer(load)
    _write(replies, {**reply, "nonce": last})
    while True:
        request = _read(requests)
        last = request["nonce"]
        if classes is None:
            arguments, keywords = request["arguments"], request["keywords"]
        else:
            arguments, keywords = restore(request["call"], classes)
        reply = answer(lambda: eval(expression, space)(*arguments, **keywords))  # noqa: B023, S307
        _write(replies, {**reply, "nonce": last})


def _described(error: BaseException) -> dict[str, Any]:
    """Say what an exception was and at which line of the candidate; its own methods may do anything."""
    if isinstance(error, _TimeUp):
        return {"error": "TimeUp", "message": "", "line": _line(error)}
    if isinstance(error, BadValue):
        return {"error": "BadValue", "message": f"the value that was returned is {error}", "line": None}
    try:
        message = str(error)[:LONGEST_MESSAGE]
    except BaseException as second:
        message = f"its message cannot be shown: str() raises {type(second).__name__}"
    return {"error": type(error).__name__, "message": message, "line": _line(error)}


def _line(error: BaseException) -> int | None:
    line = None
    if isinstance(error, SyntaxError) and error.filename == CANDIDATE:
        line = error.lineno
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == CANDIDATE:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _read(requests: int) -> Any:
    size = int.from_bytes(_read_bytes(requests, 8), "big")
    return decode(_read_bytes(requests, size))


def _read_bytes(requests: int, size: int) -> bytes:
    pieces = []
    while size:
        piece = os.read(requests, min(size, 1 << 20))
        if not piece:  # nobody asks any more
            os._exit(0)
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _write(replies: int, reply: dict[str, Any]) -> None:
    data = encode(reply)
    left = memoryview(len(data).to_bytes(8, "big") + data)
    while left:
        left = left[os.write(replies, left) :]
