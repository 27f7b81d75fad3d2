"""Run a published test script on a candidate that is in another process.

The script knows what is expected and the candidate must not: each has a sandbox of its own, and the calls of the
function go from the one to the other through this process, as arguments and answers only.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from .calls import CallResult, answer, read_result
from .inside.values import BadValue, decode
from .layers import Layer, best
from .limits import Limits
from .process import Ended, Process


def check(
    script: str,
    source: str,
    function: str,
    limits: Limits | None = None,
    *,
    names: Sequence[str] = (),
    layer: Layer | None = None,
    packages: Sequence[str] = (),
    prelude: str = "",
) -> CallResult:
    """Run a script of assert statements; where it defines `check(candidate)`, that is called.

    Args:
        script: The published test. It runs in a sandbox, too.
        source: The candidate's code. Hostile.
        function: The expression that gives the function in it.
        limits: What each of the two may use; the defaults where None.
        names: What the function is called in the script, beside `candidate`.
        layer: What keeps them in; the best of this machine where None.
        packages: What both may import beside the standard library.
        prelude: Code that runs before each of them; objects of the classes in it are handed over, too.

    Returns:
        "returned" where every assert holds; else what was raised in the script ("AssertionError"), with the line in
        the script, or what ended the candidate.

    Raises:
        UsageError: There is no sandbox here, or a package is not installed.
        MeasurementError: A sandbox does not start.
    """
    limits, layer = limits or Limits(), layer or best()
    common: dict[str, Any] = {"mode": "function", "prelude": prelude, "profile": False}
    whole = f"{script}\nif 'check' in globals():\n    check(candidate)\n"
    tester = {**common, "source": whole, "function": "", "asks": ["candidate", *names]}
    patient = replace(limits, seconds=limits.total_seconds)  # its clock runs while the candidate works, too
    started = time.perf_counter()
    with ExitStack() as stack:
        candidate = stack.enter_context(
            Process(layer, limits, packages, {**common, "source": source, "function": function, "asks": []})
        )
        try:
            loaded = answer(candidate, limits)
            if not loaded.returned:
                return loaded
            process = stack.enter_context(Process(layer, patient, packages, tester))
            return _relay(process, candidate, limits, started)
        except Ended as ended:
            status = "timeout" if ended.status == "timeout" else "ended"
            return CallResult(status, message=ended.why, seconds=time.perf_counter() - started)


def _relay(script: Process, candidate: Process, limits: Limits, started: float) -> CallResult:
    """Hand the script's calls to the candidate and the answers back, until the script is done."""
    while True:
        reply = script.receive(limits.total_seconds)
        asked = reply.get("ask")
        if type(asked) is not bytes:
            return read_result(reply, time.perf_counter() - started)
        try:
            result = answer(candidate, limits, {"call": decode(asked)})
            back = {"value": result.value} if result.returned else {"error": result.error, "message": result.message}
            if result.status == "timeout":
                return result
            script.send(back, limits.total_seconds)
        except BadValue as error:
            return CallResult("raised", error="BadValue", message=f"a value cannot be handed over: {error}")
