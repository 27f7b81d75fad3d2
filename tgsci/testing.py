"""For authors of losses and domains: contract tests to call from your own, and a scripted engine."""

from __future__ import annotations

import json
import math
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle

from .engines.scripted import Scripted
from .errors import InvalidValue, UsageError
from .feedback import Feedback
from .loss import Loss
from .runs.choose import WITH_MODEL
from .runs.domain import Domain, Problem
from .runs.finalists import Finishing
from .runs.result import Result
from .runs.run import solve
from .search.menu import Option
from .search.trial import State, Trial, Trials

__all__ = ["Scripted", "check_domain", "check_loss"]

#: What a model may come up with; `validate` must refuse or accept each without falling over.
HOSTILE_VALUES = (
    "",
    " ",
    "\x00",
    "\u200b",
    "\ud800",
    "nan",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "{value}",
    "%s%n",
    "'; DROP TABLE trials; --",
    "(" * 5_000,
    "x" * 200_000,
    "[" * 100_000,
)


def check_loss(loss: Loss, valid: Sequence[str], invalid: Sequence[str] = ()) -> None:
    """Check that a loss keeps the contract that search, workers and the ledger rely on.

    Args:
        loss: The loss.
        valid: Values that it can measure, at least one.
        invalid: Values that it must refuse.

    Raises:
        AssertionError: It does not; says what and for which value.
    """
    assert valid, "give at least one valid value"
    assert loss.name, "a loss needs a name: it is shown in tables and plots"
    copy: Loss = cloudpickle.loads(cloudpickle.dumps(loss))
    assert copy.fingerprint == loss.fingerprint, "the fingerprint must be the same in a worker process"
    for value in valid:
        canonical = loss.validate(value)
        assert loss.validate(canonical) == canonical, f"validate() is not idempotent for {value!r}"
        feedback = loss.measure(canonical)
        _check_feedback(loss, feedback, canonical)
        again = copy.measure(str.__str__(canonical))  # a resumed run, and another process, may have the plain text
        same = (feedback.loss, feedback.text, dict(feedback.metrics), dict(feedback.violations))
        assert same == (again.loss, again.text, dict(again.metrics), dict(again.violations)), (
            f"evaluate() is not pure: {canonical!r} gave {feedback.loss}, then {again.loss}"
        )
    for value in invalid:
        assert _refusal(loss, value), f"validate() accepts {value!r}"
    for value in HOSTILE_VALUES:
        _refusal(loss, value)


def check_domain(domain: Domain, config: Mapping[str, Any], evaluations: int = 8) -> None:
    """Check that a domain keeps its contract: it runs, resumes, finishes and exports, and whoever proposes is pure.

    Args:
        domain: The domain.
        config: A job's table for it.
        evaluations: Measurements to spend.

    Raises:
        AssertionError: It does not; says what.
    """
    problem = domain.problem(config)
    assert problem.domain == domain.name, f"the problem says domain {problem.domain!r}, the domain is {domain.name!r}"
    assert problem.task, "a model needs to be told the task"
    again = domain.problem(json.loads(json.dumps(dict(problem.config))))
    assert again.loss.fingerprint == problem.loss.fingerprint, "config does not build the same problem again"
    assert list(again.start) == list(problem.start), "config does not give the same start values"
    _check_unknown_key(domain, config)
    check_loss(problem.loss, problem.start)
    _check_optimizers(problem)
    if problem.options:
        _check_options(problem)
    if problem.draw:
        assert "<svg" in problem.draw(problem.start[0]), "draw() must return an SVG picture"
    with tempfile.TemporaryDirectory() as directory:
        _check_run(problem, again, Path(directory) / "run", evaluations)


def _check_feedback(loss: Loss, feedback: Feedback, value: str) -> None:
    assert feedback.measured, f"{value!r} was not measured: {feedback.error or 'no number'}"
    assert feedback.text, f"the report on {value!r} is empty: it is the gradient"
    without = [name for name in feedback.metrics if name not in loss.units]
    assert not without, f"metrics without an entry in units: {without} (use '' for a figure without a unit)"
    infinite = [name for name, figure in feedback.metrics.items() if math.isinf(figure)]
    assert not infinite, f"infinite metrics: {infinite}"
    for name in feedback.artifacts:
        assert name == Path(name).name, f"an artifact's name is a file name, not a path: {name!r}"


def _refusal(loss: Loss, value: str) -> str:
    """Find out why a value is refused; "" where it is accepted. Any other exception is the loss's fault."""
    try:
        canonical = loss.validate(value)
    except InvalidValue as refusal:
        return _nonempty(str(refusal), f"the refusal of {value[:40]!r} gives no reason")
    except Exception as error:
        raise AssertionError(f"validate({value[:40]!r}...) raised {error!r}; it must raise InvalidValue") from error
    assert isinstance(canonical, str), f"validate({value[:40]!r}) returned {canonical!r}, not text"
    return ""


def _nonempty(text: str, otherwise: str) -> str:
    assert text, otherwise
    return text


def _check_unknown_key(domain: Domain, config: Mapping[str, Any]) -> None:
    try:
        domain.problem({**config, "no_such_key": 1})
    except UsageError as error:
        message = str(error)
    else:
        raise AssertionError("problem() takes an unknown key without a word: a typo would go unnoticed")
    assert "no_such_key" in message, "the error about an unknown key must name it"


def _begun(problem: Problem) -> Trials:
    """Begin a run in which only the first start value is measured."""
    value = problem.loss.validate(problem.start[0])
    start = Trial(0, 0, value, state=State.ACCEPTED, feedback=problem.loss.measure(value))
    return Trials([start], problem.loss, problem.task)


def _check_optimizers(problem: Problem) -> None:
    for name in problem.optimizers:
        assert name, "an optimizer of the domain has no name"
        assert name == name.strip().lower(), f"--optimizer takes names in lower case, not {name!r}"
        assert name not in ("rules", *WITH_MODEL), f"an optimizer of the domain cannot be called {name!r}: it is taken"
    trials = _begun(problem)
    rules = {} if problem.rules is None else {"rules": problem.rules}
    for name, optimizer in {**rules, **problem.optimizers}.items():
        first, second = (optimizer.ask(trials, 3, random.Random(7)) for _ in range(2))
        assert first == second, f"{name}: ask() is not a pure function of (trials, n, rng): a resumed run would differ"
        assert len(first) <= 3, f"{name}: ask(n=3) gave {len(first)} proposals"
        assert all(p.reason for p in first), f"{name}: a proposal without a reason"


def _check_options(problem: Problem) -> None:
    assert problem.options
    trials = _begun(problem)
    first, second = (list(problem.options(trials, 6, random.Random(7))) for _ in range(2))
    assert first == second, "options() is not a pure function of (trials, n, rng): a resumed run would differ"
    assert 1 <= len(first) <= 6, f"options(n=6) gave {len(first)} options for the start value"
    values: list[str] = []
    for option in first:
        assert isinstance(option, Option), f"options() gave {option!r}, which is no tgsci.Option"
        assert option.label, f"the option {option.value!r} has no label: it is all that a model sees of it"
        assert option.parent is None or 0 <= option.parent < len(trials), f"there is no trial {option.parent}"
        assert all(isinstance(fact, str) or math.isfinite(fact) for fact in option.facts.values()), (
            f"the facts of {option.label!r} hold what is no figure: {dict(option.facts)}"
        )
        try:
            values.append(trials.check(option.value))
        except InvalidValue as refusal:
            raise AssertionError(f"the option {option.label!r} cannot be measured: {refusal}") from None
    assert len(set(values)) == len(values), "options() offers the same value twice"


def _check_run(problem: Problem, again: Problem, directory: Path, evaluations: int) -> None:
    part = max(len(problem.start), evaluations // 2)
    solve(problem, engine="rules", budget=part, run=directory, workers=1)
    resumed = solve(again, engine="rules", budget=evaluations, run=directory, workers=1)
    if problem.finish:
        _check_finish(problem, resumed, directory, evaluations)
    assert resumed.best is not None, f"nothing could be measured: {resumed.stopped}"
    numbers = [t.number for t in resumed.trials]
    assert numbers == list(range(len(numbers))), "trials are not numbered in order"
    for path in resumed.files:
        assert path.is_file(), f"export() names {path}, which does not exist"
        assert path.resolve().is_relative_to(directory.resolve()), f"export() wrote outside the run: {path}"


def _check_finish(problem: Problem, done: Result, directory: Path, evaluations: int) -> None:
    """The finish of a run that is finished has nothing left to do; what it kept are measurements of its trials."""
    for number, final in done.finals.items():
        assert final.measured or final.error, f"finish() kept neither a figure nor a reason for trial {number}"
        without = [name for name in final.metrics if name not in problem.loss.units]
        assert not without, f"finish() kept metrics without an entry in the loss's units: {without}"
    kept: list[int] = []

    class Watched(Finishing):
        def keep(self, trial: Trial, feedback: Feedback, seconds: float = 0.0) -> None:
            kept.append(trial.number)
            super().keep(trial, feedback, seconds)

    def finish(result: Result, given: Finishing) -> None:
        assert problem.finish
        problem.finish(result, Watched(result, given.executor, given.workers, given.say))

    solve(replace(problem, finish=finish), engine="rules", budget=evaluations, run=directory, workers=1)
    assert not kept, f"finish() measured the trials {kept} once more: skip what result.finals holds"
