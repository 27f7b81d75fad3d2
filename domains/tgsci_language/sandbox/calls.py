"""Run a candidate: call its function with given arguments, or run it as a program.

Expected answers never come near it: what it returns is read here by a strict format and compared here. A candidate can
change anything in its own process; that changes its own answers, nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any

from tgsci.errors import UsageError

from .inside.driver import LONGEST_MESSAGE, LONGEST_PRINTED
from .inside.values import BadValue, decode
from .layers import Layer, best
from .limits import Limits
from .process import Ended, Process

#: Longer than the driver's own clock of one call: that one says the line; a call which swallows it is ended.
_GRACE = 1.0


@dataclass(frozen=True)
class Call:
    """Arguments of a call: numbers, text, bytes, None, lists, tuples, sets, dicts of these, numpy arrays."""

    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CallResult:
    """What one call gave.

    Args:
        status: "returned"; "raised"; "timeout"; "ended" where the process ended during it; "not run" where it had
            ended before.
        value: What was returned. An object of a class that has no encoding is an `Opaque`, which equals nothing.
        error: The exception's type: "ValueError".
        message: Of the exception, cut; or why the call did not return.
        line: Of the candidate's code at which it was raised, or at which time was up.
        printed: The beginning of what it printed.
        seconds: Measured outside, with the way of the arguments and the value: it cannot be forged.
        inside: Seconds as the candidate's own process measured them: finer, and only as honest as the candidate.
        processor: Seconds of processor time as the candidate's own process measured them: what else runs on this
            machine hardly shows in it.
        lines: How often each line was seen running, a look each millisecond; only where a profile was asked for.
    """

    status: str
    value: Any = None
    error: str = ""
    message: str = ""
    line: int | None = None
    printed: str = ""
    seconds: float = nan
    inside: float = nan
    processor: float = nan
    lines: Mapping[int, int] = field(default_factory=dict)

    @property
    def returned(self) -> bool:
        return self.status == "returned"


@dataclass(frozen=True)
class Outcome:
    """What a candidate did.

    Args:
        status: "done"; "raised" where the code itself raises (a syntax error, say); "timeout", "memory", "disk",
            "output": the limit that was broken; "exited": its process ended itself.
        layer: What it ran in.
        calls: One result a call, in order; empty for a program.
        error: The exception's type, where the code itself raises.
        message: Of the exception; or why it was ended.
        line: Of the code at which that was.
        stdout, stderr: What a program printed; of a function, what went past Python's own printing.
        seconds: By the clock, without the start of the sandbox.
        memory_mb: The most memory that its process had; nan where it ended too soon to be looked at.
        exit_code: Of a program; None where it was ended.
        processor: Seconds of processor time that its process took for the calls, as the system counts them, with
            reading the arguments and writing the values: it cannot be forged. nan where it ended too soon, and of a
            program.
    """

    status: str
    layer: str
    calls: Sequence[CallResult] = ()
    error: str = ""
    message: str = ""
    line: int | None = None
    stdout: str = ""
    stderr: str = ""
    seconds: float = nan
    memory_mb: float = nan
    exit_code: int | None = None
    processor: float = nan


def call(
    source: str,
    function: str,
    calls: Sequence[Call | tuple[Any, ...]],
    limits: Limits | None = None,
    *,
    layer: Layer | None = None,
    packages: Sequence[str] = (),
    prelude: str = "",
    profile: bool = False,
) -> Outcome:
    """Call a function of a candidate, all calls in one fresh process; a call that raises does not stop the others.

    Args:
        source: The candidate's code. Hostile.
        function: An expression that gives the function in it: "solve", "Solution().solve". Evaluated for each call.
        calls: The arguments of each call, as a tuple or as a `Call`.
        limits: What the candidate may use; the defaults where None.
        layer: What keeps it in; the best of this machine where None.
        packages: What it may import beside the standard library: ("numpy",).
        prelude: Code that runs before it, in the same names: imports, classes of the task.
        profile: Whether to look each millisecond at which line runs.

    Raises:
        UsageError: There is no sandbox here, or a package is not installed.
        MeasurementError: The sandbox does not start.
        BadValue: An argument has no encoding.
    """
    limits, layer = limits or Limits(), layer or best()
    asked = [each if isinstance(each, Call) else Call(each) for each in calls]
    requests = [{"arguments": tuple(each.arguments), "keywords": dict(each.keywords)} for each in asked]
    setup = {"mode": "function", "source": source, "function": function, "prelude": prelude, "profile": profile}
    loaded, results, status, why, processor = CallResult("not run"), [], "done", "", nan
    with Process(layer, limits, packages, setup) as process:
        started = time.perf_counter()
        try:
            loaded = answer(process, limits)
            if not loaded.returned:
                status, why = loaded.status, loaded.message
                requests = []
            before = process.read_processor()
            for request in requests:
                results.append(answer(process, limits, request))
            process.read_memory()
            processor = process.read_processor() - before
        except Ended as ended:
            status, why = ended.status, ended.why
            if loaded.status != "not run":  # it was a call that ended it
                results.append(CallResult("timeout" if status == "timeout" else "ended", message=why))
        seconds = time.perf_counter() - started
        results += [CallResult("not run", message=why)] * (len(asked) - len(results))
        return Outcome(
            status, layer.name, results, loaded.error, why, loaded.line, *_texts(process),
            seconds, process.memory_mb, processor=processor,
        )  # fmt: skip


def run(
    source: str,
    stdin: str | bytes = b"",
    limits: Limits | None = None,
    *,
    arguments: Sequence[str] = (),
    layer: Layer | None = None,
    packages: Sequence[str] = (),
) -> Outcome:
    """Run a candidate as a program that reads its standard input and prints.

    Args:
        source: The candidate's code. Hostile.
        stdin: Its standard input.
        limits: What it may use; `seconds` is for the whole program.
        arguments: Its `sys.argv[1:]`.
        layer: What keeps it in; the best of this machine where None.
        packages: What it may import beside the standard library.

    Raises:
        UsageError: There is no sandbox here, a package is not installed, or the input is larger than the disk.
        MeasurementError: The sandbox does not start.
    """
    limits, layer = limits or Limits(), layer or best()
    given = stdin.encode() if isinstance(stdin, str) else stdin
    if len(given) > limits.disk_mb << 20:
        raise UsageError(f"the input has {len(given):,} bytes, more than disk_mb = {limits.disk_mb} MB can hold")
    setup = {"mode": "program", "source": source, "stdin": given, "arguments": list(arguments)}
    raised, code = CallResult("not run"), None
    with Process(layer, limits, packages, setup) as process:
        started = time.perf_counter()
        try:
            raised = read_result(process.receive(limits.seconds), nan)
            seconds = time.perf_counter() - started
            process.read_memory()
            code = process.wait(_GRACE)
            status, why = ("raised" if raised.error else "done"), raised.message
        except Ended as ended:
            status, why, seconds = ended.status, ended.why, time.perf_counter() - started
        return Outcome(
            status, layer.name, (), raised.error, why, raised.line, *_texts(process),
            seconds, process.memory_mb, code,
        )  # fmt: skip


def answer(process: Process, limits: Limits, request: Mapping[str, Any] | None = None) -> CallResult:
    """Send a request, where there is one, and wait for its answer; measures the time in between."""
    started = time.perf_counter()
    if request is not None:
        process.send(request, limits.seconds)
    reply = process.receive(limits.seconds + _GRACE)
    return read_result(reply, time.perf_counter() - started)


def read_result(reply: Mapping[str, Any], seconds: float) -> CallResult:
    """Read a reply, in which anything may stand."""
    line, printed, lines = (reply.get(key) for key in ("line", "printed", "lines"))
    inside, processor = (reply.get(key) for key in ("inside", "processor"))
    common: dict[str, Any] = {
        "line": line if type(line) is int and 0 < line < 1_000_000 else None,
        "printed": printed[:LONGEST_PRINTED].decode("utf-8", "replace") if type(printed) is bytes else "",
        "seconds": seconds,
        "inside": inside if type(inside) is float and inside >= 0 else nan,
        "processor": processor if type(processor) is float and processor >= 0 else nan,
        "lines": _counts(lines),
    }
    value, error, message = (reply.get(key) for key in ("value", "error", "message"))
    if type(value) is bytes:
        try:
            return CallResult("returned", decode(value), **common)
        except BadValue as bad:
            return CallResult("raised", error="BadValue", message=str(bad), **common)
    if error == "TimeUp":
        return CallResult("timeout", message="the time of one call is up", **common)
    common["error"] = error[:80] if type(error) is str else ""
    common["message"] = message[:LONGEST_MESSAGE] if type(message) is str else ""
    return CallResult("raised", **common)


def _counts(lines: object) -> dict[int, int]:
    if type(lines) is not dict:
        return {}
    return {line: count for line, count in lines.items() if type(line) is int and type(count) is int}


def _texts(process: Process) -> tuple[str, str]:
    stdout, stderr = (process.printed[name].decode("utf-8", "replace") for name in ("stdout", "stderr"))
    return stdout, stderr
