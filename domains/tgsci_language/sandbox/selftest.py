"""What a layer really keeps in, found by trying: for `tgsci doctor`."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tgsci.errors import MeasurementError, UsageError

from .calls import CallResult, Outcome, call
from .layers import Layer, best
from .limits import Limits

_LIMITS = Limits(seconds=0.2, total_seconds=10.0, memory_mb=96, disk_mb=1, output_mb=1)
_OUTPUT = "output limited"
#: What may end a process instead of raising an exception in it.
_MAY_END = ("memory limited", "processes limited", "disk limited")
#: Each function tries to get out, and returns what it reached.
_PROBES = """
import os, signal, socket

def network(port):
    socket.create_connection(("127.0.0.1", port), 0.1)

def read(path):
    return open(path).read()

def write(path):
    open(path, "w").write("x")

def environment():
    return set(os.environ) - {"LC_CTYPE", "PWD"} or 1 / 0

def kill(pid):
    os.kill(pid, signal.SIGCONT)

def root():
    return os.getuid() == 0 or 1 / 0

def memory():
    return len(bytearray(200 << 20))

def fork():
    if os.fork() == 0:
        os._exit(0)

def disk():
    for number in range(8):
        with open(str(number), "wb") as file:
            file.write(bytes(1 << 20))

def forever():
    while True:
        pass

def output():
    while True:
        os.write(1, bytes(65536))

def probe(name, *arguments):
    return globals()[name](*arguments)
"""


def report() -> Iterator[tuple[bool, str]]:
    """Say which layer candidates would run in and what was tried on it, a line each.

    Returns:
        Whether it is sound, and the line.
    """
    try:
        layer = best()
    except UsageError as error:
        yield True, f"sandbox: {error}"
        return
    try:
        held, failed = try_out(layer)
    except MeasurementError as error:
        yield False, f"sandbox: {error}"
        return
    if held:
        yield True, f"sandbox: {layer.name}; tried: {', '.join(held)}"
    for claim in failed:
        yield False, f"sandbox: {layer.name} does not hold: {claim}"


def try_out(layer: Layer) -> tuple[list[str], list[str]]:
    """Try to break out of a layer.

    Returns:
        What held, and what did not.

    Raises:
        MeasurementError: It does not start.
    """
    with tempfile.TemporaryDirectory() as directory, socket.create_server(("127.0.0.1", 0)) as server:
        secret = Path(directory) / "secret"
        secret.write_text("secret")
        probes = {
            "no network": ("network", server.getsockname()[1]),
            "files of this machine unreadable": ("read", str(secret)),
            "nothing written outside": ("write", f"{directory}/new"),
            "no environment": ("environment",),
            "no signals to other processes": ("kill", os.getpid()),
            "an unprivileged user": ("root",),
            "memory limited": ("memory",),
            "processes limited": ("fork",),
            "disk limited": ("disk",),
            "time limited": ("forever",),
            _OUTPUT: ("output",),
        }
        held: list[str] = []
        left = list(probes)
        while left:  # a probe may end its process, as it should
            outcome = call(_PROBES, "probe", [probes[claim] for claim in left], _LIMITS, layer=layer)
            count = sum(each.status != "not run" for each in outcome.calls)
            if not count:
                raise MeasurementError(f"{layer.name}: the probes do not load ({outcome.message})")
            for claim, result in zip(left[:count], outcome.calls, strict=False):
                if _held(claim, result, outcome):
                    held.append(claim)
            left = left[count:]
    return held, [claim for claim in probes if claim not in held]


def _held(claim: str, result: CallResult, outcome: Outcome) -> bool:
    if claim == _OUTPUT:
        return outcome.status == "output" and len(outcome.stdout) <= _LIMITS.output_mb << 20
    return result.status in ("raised", "timeout") or (result.status == "ended" and claim in _MAY_END)
