"""What is minimised once the tests pass: run time beside the start's, memory, or a figure of the results."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from tgsci.basics.texts import figure
from tgsci.errors import MeasurementError

from .runner import LARGEST, Session, profile_of, run_tests, scores_of
from .task import CodeTask
from .tests import TestSet
from .verdict import Verdict

#: After so many seconds of timing no further repeat begins; two are always made.
_TIMING_SECONDS = 60.0
#: Processor time that the system saw and the solution's own clock did not counts as its run time where it is more than
#: this, s, and than this share of what was seen: that clock may be forged.
_UNSEEN, _UNSEEN_SHARE = 0.001, 0.5
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Measured:
    """What a solution that passes its tests measures.

    Args:
        loss: Lower is better.
        metrics: By name, with the units of `UNITS`.
        words: What was measured and how, for the page.
        failed: The tests that failed in this after all.
        profile: For each line, how often it ran and how long, s.
    """

    loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    words: str = ""
    failed: Sequence[Verdict] = ()
    profile: Mapping[int, tuple[int, float]] = field(default_factory=dict)


#: The unit of each metric.
UNITS = {"time": "ms", "baseline time": "ms", "speed-up": "x", "memory": "MB", "figure": ""}


def measure(
    task: CodeTask, source: str, tests: TestSet, session: Session, baseline: str = "", whose: str = "start"
) -> Measured:
    """Measure what the task minimises, of a solution that passes.

    Args:
        task: Says what.
        source: The solution.
        tests: What it passes.
        session: The solution's run on `tests.measured`.
        baseline: The solution that run times are compared with; "" for none.
        whose: What the baseline is called: "start" or "reference".

    Raises:
        MeasurementError: The sandbox does not start, or the baseline does not pass in it now.
    """
    if task.minimise == "time":
        return _compared(task, source, tests, baseline, whose) if baseline else _time(task, source, tests)
    if task.minimise == "memory":
        return _memory(task, source, tests)
    return _figure(task, tests, session)


def _time(task: CodeTask, source: str, tests: TestSet) -> Measured:
    """Time a solution in fresh processes, so that it remembers no result."""
    times: list[float] = []
    began = time.monotonic()
    for _ in range(task.repeats):
        if len(times) >= 2 and time.monotonic() - began > _TIMING_SECONDS:
            break
        session = run_tests(task, source, tests.measured, label=tests.label)
        if not session.passed:
            return _failing(session)
        # Nothing tells what a forged clock would hide: the system's own count is taken where there is one.
        times.append(session.seconds if math.isnan(session.outside) else session.outside)
    found = 1000 * (min(times) if task.statistic == "best" else median(times))
    words = (
        f"Run time: {figure(found)} ms ({_how(task, len(times), tests)}; counted outside the sandbox, with reading the "
        "arguments and writing the results)."
    )
    return Measured(found, {"time": found}, words, profile=profile_of(task, source, tests.measured))


def _compared(task: CodeTask, source: str, tests: TestSet, baseline: str, whose: str) -> Measured:
    """Time a solution and the baseline by turns: what slows this machine for a while slows both."""
    own: list[float] = []
    others: list[float] = []
    beyond, began = 0.0, time.monotonic()
    for repeat in range(task.repeats):
        if repeat >= 2 and time.monotonic() - began > _TIMING_SECONDS:
            break
        order = [baseline, source] if repeat % 2 == 0 else [source, baseline]  # a drift of the machine evens out
        sessions = [run_tests(task, code, tests.measured, label=tests.label) for code in order]
        other, session = sessions if repeat % 2 == 0 else sessions[::-1]
        if not session.passed:
            return _failing(session)
        if not other.passed:
            fault = next(each.error or each.difference for each in other.verdicts if not each.passed)
            raise MeasurementError(f"the {whose}, timed beside it, does not pass now: {fault}", transient=True)
        # What the system counted, less what reading arguments and writing results takes: the baseline tells that.
        seen = session.outside - max(0.0, other.outside - other.seconds)
        unseen = seen - session.seconds
        forged = unseen > max(_UNSEEN, _UNSEEN_SHARE * seen)  # never of nan
        own.append(session.seconds + unseen if forged else session.seconds)
        others.append(max(other.seconds, 1e-9))
        beyond = max(beyond, unseen) if forged else beyond
    pairs = [one / other for one, other in zip(own, others, strict=True)]
    choose = min if task.statistic == "best" else median
    mine, theirs = choose(own), choose(others)
    # Of medians, pair by pair: each pair was measured at the same time.
    ratio = max(1e-9, mine / theirs if task.statistic == "best" else median(pairs))
    words = (
        f"Run time: {figure(1000 * mine)} ms; the {whose}'s, by turns with it, {figure(1000 * theirs)} ms "
        f"({_how(task, len(own), tests)}). That is {figure(ratio)} of the {whose}'s time, {figure(1 / ratio)} times as "
        f"fast. The ratio of single pairs goes from {figure(min(pairs))} to {figure(max(pairs))}."
    )
    if beyond:
        words += (
            f" From outside the sandbox up to {figure(1000 * beyond)} ms more of it were seen than its own clock says: "
            "they count as its run time."
        )
    metrics = {"time": 1000 * mine, "baseline time": 1000 * theirs, "speed-up": 1 / ratio}
    return Measured(ratio, metrics, words, profile=profile_of(task, source, tests.measured))


def _how(task: CodeTask, runs: int, tests: TestSet) -> str:
    calls = f"{len(tests.measured)} calls" if len(tests.measured) > 1 else "one call"
    return f"processor time, {task.statistic} of {runs} runs, each of {calls} in a fresh process"


def _failing(session: Session) -> Measured:
    return Measured(float("nan"), failed=[each for each in session.verdicts if not each.passed])


def _memory(task: CodeTask, source: str, tests: TestSet) -> Measured:
    """Read the most memory that a process with the solution had, from outside."""
    found = []
    for _ in range(min(task.repeats, 3)):
        session = run_tests(task, source, tests.measured, label=tests.label)
        if not session.passed:
            return _failing(session)
        found.append(session.memory_mb)
    memory = min(found)
    if memory != memory:
        raise MeasurementError("this system does not say how much memory a process took")
    words = (
        f"Memory: {figure(memory)} MB, the most that the process had, with Python itself and the arguments in it "
        f"(least of {len(found)} runs, read from outside)."
    )
    return Measured(memory, {"memory": memory}, words)


def _figure(task: CodeTask, tests: TestSet, session: Session) -> Measured:
    """Take the figure of each result: returned, printed last, or what the task's own function says of it."""
    found: Sequence[float | str]
    if task.minimise == "score":
        found = scores_of(task, session.verdicts, tests.measured)
    elif task.minimise == "returned":
        found = [_returned(verdict) for verdict in session.verdicts]
    else:
        found = [_printed(verdict) for verdict in session.verdicts]
    failed = [
        _refused(verdict, each) for verdict, each in zip(session.verdicts, found, strict=True) if isinstance(each, str)
    ]
    if failed:
        return Measured(float("nan"), failed=failed)
    figures = [each for each in found if not isinstance(each, str)]
    mean = fmean(figures)
    listed = ", ".join(f"{v.label} {figure(f)}" for v, f in zip(session.verdicts[:20], figures, strict=False))
    many = f" (mean of {len(figures)}: {listed}{', ...' if len(figures) > 20 else ''})" if len(figures) > 1 else ""
    return Measured(mean, {"figure": mean}, f"Figure to minimise: {figure(mean)}{many}.")


def _returned(verdict: Verdict) -> float | str:
    value = verdict.value
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < LARGEST:
        return f"a finite number must be returned, not {verdict.got}"
    return float(value)


def _printed(verdict: Verdict) -> float | str:
    numbers = _NUMBER.findall(verdict.printed)
    if not numbers or not abs(float(numbers[-1])) < LARGEST:
        return "a finite number must be printed last"
    return float(numbers[-1])


def _refused(verdict: Verdict, why: str) -> Verdict:
    return Verdict(verdict.label, verdict.call, "", False, verdict.got, error=why, printed=verdict.printed)
