"""Run a solution on tests, in the sandbox, and compare what came back here, outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from tgsci.basics.texts import literal
from tgsci.errors import UsageError

from ..datasets.assertions import Assertion
from ..sandbox.calls import Call, CallResult, call
from ..sandbox.inside.driver import CANDIDATE
from ..sandbox.inside.values import BadValue, encode
from ..sandbox.layers import Layer, Local, best
from ..sandbox.limits import Limits
from .compare import difference
from .task import CodeTask
from .tests import UNKNOWN, Test, shown
from .verdict import Verdict

#: Calls of one generator, and inputs that it makes, at most.
_MOST_INPUTS = 1000
#: Unless the task says it, all calls together may take so many times the limit of one, and at least so long, s; and
#: the time to load the code, s.
_SLOW_CALLS, _ALL_CALLS, _LOADING = 3, 60.0, 10.0
#: Longest that the lines of one call are timed, s, and of how many calls.
_TRACED, _TRACED_CALLS = 3.0, 3
#: A figure to minimise is below it.
LARGEST = 1e300
#: Characters of an expected or a returned value on a page.
_VALUE = 400


@dataclass(frozen=True)
class Session:
    """A solution run once on all its tests, in one process.

    Args:
        verdicts: One a test, in order.
        fault: Why the code does not even load; "" where it does.
        line: Of the solution where that is; None where it is unknown.
        seconds: Processor time of all calls together, as their own process read it, s.
        outside: The same as the system counted it from outside, with reading the arguments and writing the results,
            s; nan where it does not say.
        wall: Time of all calls together by the clock, s.
        memory_mb: The most memory that its process had, MB; nan where the system does not say.
        layer: What kept it in.
    """

    verdicts: Sequence[Verdict]
    fault: str = ""
    line: int | None = None
    seconds: float = 0.0
    outside: float = float("nan")
    wall: float = 0.0
    memory_mb: float = float("nan")
    layer: str = ""

    @property
    def passed(self) -> bool:
        """True where every test passed."""
        return all(verdict.passed for verdict in self.verdicts)


def run_tests(task: CodeTask, source: str, tests: Sequence[Test], *, label: str = "test") -> Session:
    """Run a solution on tests.

    Args:
        task: Its limits and packages count, and its tolerance.
        source: The solution; hostile.
        tests: What to call. Those that say no result take any.
        label: What a test is called, before its number.

    Raises:
        MeasurementError: The sandbox does not start.
        UsageError: There is no sandbox, or a package is not installed.
    """
    outcome = call(
        source,
        task.entry.called,
        [Call(test.arguments, test.keywords) for test in tests],
        _limits(task, len(tests)),
        layer=_layer(task),
        packages=tuple(task.packages),
        prelude=task.prelude,
    )
    labels = _labels(tests, label)
    fault = ""
    if outcome.status == "raised" or (outcome.calls and all(each.status == "not run" for each in outcome.calls)):
        fault = f"{outcome.error}: {outcome.message}" if outcome.error else outcome.message or outcome.status
    verdicts = [
        _verdict(task, test, each, name, fault) for test, each, name in zip(tests, outcome.calls, labels, strict=True)
    ]
    timed = [each for each in outcome.calls if each.status in ("returned", "raised")]
    return Session(
        verdicts,
        fault,
        outcome.line if fault else None,
        sum(each.processor for each in timed),
        outcome.processor,
        sum(each.seconds for each in timed),
        outcome.memory_mb,
        outcome.layer,
    )


def profile_of(task: CodeTask, source: str, tests: Sequence[Test]) -> dict[int, tuple[int, float]]:
    """Find out where the time goes, line by line, by a run in which each line is timed.

    Returns:
        For each line of the solution how often it ran and how long, s; empty where that could not be found out.
    """
    tracer = files(__package__).joinpath("tracer.py").read_text(encoding="utf-8")
    longest = min(_TRACED, 0.8 * task.seconds)
    outcome = call(
        source,
        f"traced({task.entry.called}, {CANDIDATE!r}, {longest!r})",
        [Call(test.arguments, test.keywords) for test in tests[:_TRACED_CALLS]],
        _limits(task, _TRACED_CALLS),
        layer=_layer(task),
        packages=tuple(task.packages),
        prelude=f"{tracer}\n{task.prelude}",
    )
    found: dict[int, tuple[int, float]] = {}
    last = source.count("\n") + 1
    for each in outcome.calls:
        for line, spent in each.value.items() if isinstance(each.value, dict) else ():
            if type(line) is int and 1 <= line <= last and isinstance(spent, tuple) and len(spent) == 2:
                count, seconds = spent
                if type(count) is int and type(seconds) is float and seconds >= 0:  # it comes from hostile code
                    before = found.get(line, (0, 0.0))
                    found[line] = (before[0] + count, before[1] + seconds)
    return found


def results_of(task: CodeTask, source: str, tests: Sequence[Test], who: str, label: str = "test") -> list[Test]:
    """Let a solution that is trusted to be right say what tests must give that do not say it themselves.

    Args:
        task: Its limits and packages count.
        source: The solution.
        tests: Those that say their result are left as they are.
        who: What the solution is called in messages: "reference", "start".
        label: As for `run_tests`.

    Raises:
        UsageError: It fails on one of them.
    """
    open_ones = [test for test in tests if test.open]
    if not open_ones:
        return list(tests)
    session = run_tests(task, source, open_ones, label=label)
    if session.fault:
        raise UsageError(f"the {who} solution does not load: {session.fault}")
    for verdict in session.verdicts:
        if verdict.error:
            raise UsageError(f"the {who} solution fails {verdict.label}, {verdict.call}: {verdict.error}")
    found = iter(session.verdicts)
    return [replace(test, expected=next(found).value) if test.open else test for test in tests]


def make_inputs(task: CodeTask, seed: int) -> list[Test]:
    """Run the task's generator in the sandbox; each list of arguments that it returns is a test without a result.

    Raises:
        UsageError: It fails, never ends, or returns something else than a list of argument lists.
        MeasurementError: The sandbox does not start.
    """
    if task.inputs is None:
        return []
    outcome = call(
        task.inputs,
        "inputs",
        [(seed,)],
        _limits(replace(task, seconds=max(60.0, task.seconds)), 1),
        layer=_layer(task),
        packages=tuple(task.packages),
    )
    (answer,) = outcome.calls
    if not answer.returned:
        raise UsageError(f"the key 'inputs': inputs({seed}) gives nothing: {_fault(answer, 60.0, outcome.message)}")
    made = answer.value
    if not isinstance(made, list | tuple) or not made or not all(isinstance(each, list | tuple) for each in made):
        raise UsageError(
            f"the key 'inputs': inputs({seed}) must return a list with a list of arguments for each call, such as "
            f"[(x, 3), (y, 5)]; not {literal(made)}"
        )
    if len(made) > _MOST_INPUTS:
        raise UsageError(
            f"the key 'inputs': inputs({seed}) returns {len(made):,} calls; at most {_MOST_INPUTS} are run"
        )
    return [Test(tuple(each)) for each in made]


def scores_of(task: CodeTask, verdicts: Sequence[Verdict], tests: Sequence[Test]) -> list[float | str]:
    """Score results by the task's own function, in a process that the solution never was in.

    Returns:
        For each result its figure, or why it is not allowed.
    """
    assert task.score is not None  # checked by the task
    calls = [
        Call((verdict.value, *test.arguments)) if _can_be_sent(verdict.value) else None
        for verdict, test in zip(verdicts, tests, strict=True)
    ]
    outcome = call(
        task.score,
        "score",
        [each for each in calls if each is not None],
        _limits(task, len(tests)),
        layer=_layer(task),
        packages=tuple(task.packages),
    )
    if outcome.status == "raised":
        raise UsageError(f"the key 'score' does not load: {outcome.error}: {outcome.message}")
    answers = iter(outcome.calls)
    return [
        "the result cannot be scored: it is nested too deeply, or it is no plain data"
        if each is None
        else _score(next(answers), task.seconds, outcome.message)
        for each in calls
    ]


def _can_be_sent(value: object) -> bool:
    """Tell whether a value that came out of the sandbox can go into another: one that is too deep cannot."""
    try:
        encode({"arguments": (value,)})
    except BadValue:
        return False
    return True


def _score(answer: CallResult, seconds: float, why: str) -> float | str:
    if not answer.returned:
        return _fault(answer, seconds, why)
    value = answer.value
    if not isinstance(value, int | float) or not abs(value) < LARGEST:  # nan is not below anything
        return f"the score must be a finite number, not {shown(value, 60)}"
    return float(value)


def layer_name(task: CodeTask) -> str:
    """Name what keeps code in.

    Raises:
        UsageError: Nothing does; says what to install.
    """
    return _layer(task).name


def _layer(task: CodeTask) -> Layer:
    return Local() if task.unsafe_local else best()


def _limits(task: CodeTask, calls: int) -> Limits:
    own = min(task.seconds * max(1, calls), max(_SLOW_CALLS * task.seconds, _ALL_CALLS))
    total = _LOADING + (task.total_seconds or own)
    return Limits(
        seconds=task.seconds,
        total_seconds=total,
        cpu_seconds=total,
        memory_mb=task.memory_mb,
        output_mb=task.output_mb,
    )


def _labels(tests: Sequence[Test], label: str) -> list[str]:
    return [f"{label} {number}" for number in range(1, len(tests) + 1)]


def _verdict(task: CodeTask, test: Test, answer: CallResult, label: str, fault: str) -> Verdict:
    found = Verdict(
        label,
        test.call(task.entry.called),
        test.shown_expected(_VALUE),
        False,
        line=answer.line,
        seconds=answer.inside if answer.inside == answer.inside else 0.0,
        slow=answer.status == "timeout",
        printed=answer.printed,
    )
    if not answer.returned:
        right = bool(test.raises) and answer.status == "raised" and answer.error == test.raises
        return replace(found, passed=right, error="" if right else fault or _fault(answer, task.seconds, ""))
    got = shown(answer.value, _VALUE)
    if test.raises:
        return replace(found, got=got, value=answer.value, difference=f"no {test.raises} was raised")
    if test.condition is not None:
        fault = _unmet(test.condition, answer.value)
        return replace(found, got=got, value=answer.value, passed=not fault, difference=fault)
    if test.expected is UNKNOWN:
        return replace(found, got=got, value=answer.value, passed=True)
    wrong = difference(answer.value, test.expected, task.tolerance, loose=test.loose)
    return replace(found, got=got, value=answer.value, passed=not wrong, difference=wrong)


def _unmet(condition: Assertion, value: object) -> str:
    """Say why a condition does not hold of a result, worked out here, outside of the sandbox; "" where it does."""
    try:
        return "" if condition.holds([value]) else "that does not hold"
    except Exception as error:  # what Python raises for this value: a len of a number, say
        return f"{type(error).__name__}: {str(error)[:100]}"


def _fault(answer: CallResult, seconds: float, why: str) -> str:
    if answer.status == "timeout":
        return f"no result after {seconds:g} s, the time limit"
    if answer.status == "raised":
        return f"{answer.error}: {answer.message}" if answer.message else answer.error
    return answer.message or why or f"the process {answer.status}"
