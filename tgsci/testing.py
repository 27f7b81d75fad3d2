"""For authors of losses and domains: contract tests to call from your own, and a scripted engine."""

from __future__ import annotations

import json
import math
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle

from .basics.texts import well_formed
from .engines.scripted import Scripted
from .errors import InvalidValue, TgsciError, UsageError
from .feedback import Feedback
from .loss import Loss
from .runs.choose import WITH_MODEL
from .runs.domain import Domain, Problem
from .runs.finalists import Finishing
from .runs.result import Result
from .runs.run import solve
from .search.insight import CONTRAST_CHARACTERS, NAME_CHARACTERS, Careful
from .search.menu import Option
from .search.proposer import Proposer
from .search.trial import Outlook, Proposal, State, Trial, Trials

__all__ = ["Scripted", "check_domain", "check_insight", "check_loss"]

#: Longest that a hook of `Insight` may think, s: a search calls it in every round.
HOOK_SECONDS = 20.0
#: Longest setting, characters: it stands in a prompt that is bounded.
SETTING_CHARACTERS = 8_000

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
    check_insight(problem)
    if problem.draw:
        assert "<svg" in problem.draw(problem.start[0]), "draw() must return an SVG picture"
    with tempfile.TemporaryDirectory() as directory:
        _check_run(problem, again, Path(directory) / "run", evaluations)


def check_insight(problem: Problem, values: Sequence[str] = ()) -> None:
    """Check that what a problem tells a search of its values can be relied on: pure, bounded, and unshaken.

    Args:
        problem: Its start value is measured, once with care where it says how, and up to two values made from it.
        values: Measured beside the start; what the rule editor proposes first where there are none.

    Raises:
        AssertionError: A hook gives something else for the same arguments, or of another type, or too much, or takes
            too long, or falls over a trial that is not as expected; says which.
    """
    insight, trials = problem.insight, _begun(problem)
    unknown = [name for name in insight.key_columns if name not in problem.loss.units]
    assert not unknown, f"key_columns names metrics without an entry in the loss's units: {unknown}"
    setting = insight.setting
    assert isinstance(setting, str), f"setting is {type(setting).__name__}, not text"
    assert len(setting) <= SETTING_CHARACTERS, f"setting has {len(setting)} characters; at most {SETTING_CHARACTERS}"
    start = trials[0]
    for value in _children(problem, trials, values):
        child = Trial(len(trials), 1, value, "to see", 0, state=State.REJECTED, feedback=problem.loss.measure(value))
        trials.append(child)
    odd = _odd_trials(start, len(trials))
    known, hostile = [trial.value for trial in trials], [well_formed(value) for value in HOSTILE_VALUES]
    family, contrast, change = insight.family, insight.contrast, insight.change
    predict, limiting, advice = insight.predict, insight.limiting, insight.advice
    if family:
        for value in (*known, *hostile):
            _check_words(f"family({value[:40]!r})", partial(family, value), NAME_CHARACTERS, lines=1)
    if change:
        for before, after in [*((start.value, value) for value in known), *((v, v[::-1]) for v in hostile)]:
            what = f"change({before[:40]!r}, {after[:40]!r})"
            name = _check_words(what, partial(change, before, after), NAME_CHARACTERS, lines=1)
            assert not (name and before == after), f"{what} names a change where there is none: {name!r}"
    if contrast:
        for trial in (*trials, *odd):
            for parent, child in ((start, trial), (trial, start)):
                what = f"contrast of trial {child.number} ({child.state.value}) against {parent.state.value}"
                _check_words(what, partial(contrast, parent, child), CONTRAST_CHARACTERS)
    if limiting:
        for feedback in (trial.feedback for trial in (*trials, *odd)):
            if feedback is not None:
                _check_words("limiting()", partial(limiting, feedback), NAME_CHARACTERS, lines=1)
    if advice:
        for seen in (Trials([], problem.loss), trials, Trials([*trials, *odd], problem.loss)):
            _check_words("advice()", partial(advice, seen), CONTRAST_CHARACTERS, lines=1)
    if predict:
        everything = Trials([*trials, *odd], problem.loss, problem.task, insight=insight)
        for seen in (Trials([], problem.loss, problem.task, insight=insight), trials, everything):
            _check_predictions(partial(predict, seen, [*known, *hostile]), len(known))
    if insight.careful:
        _check_careful(problem.loss, insight.careful, start)


def _children(problem: Problem, trials: Trials, values: Sequence[str]) -> list[str]:
    """Choose up to two values that are made from the start."""
    if not values and problem.rules is not None:
        values = [proposal.value for proposal in problem.rules.ask(trials, 2, random.Random(7)) if not proposal.fault]
    return list(dict.fromkeys(trials.check(value) for value in values))[:2]


def _odd_trials(start: Trial, number: int) -> list[Trial]:
    """Make trials as real runs hold them: never measured, failed, without a report, a metric or an artifact."""
    assert start.feedback
    bare = Feedback(start.feedback.loss, "")
    odd = [
        Trial(number, 1, start.value, parent=0, state=State.DUPLICATE),
        Trial(number + 1, 1, "\x00 no value", parent=0, state=State.INVALID, decision="it is none"),
        Trial(number + 2, 1, start.value, parent=0, state=State.FAILED, feedback=Feedback.failed("no luck")),
        Trial(number + 3, 1, start.value, state=State.REJECTED, feedback=bare),
        Trial(number + 4, 2, start.value, parent=0, state=State.REJECTED, feedback=replace(bare, text="x" * 100_000)),
        Trial(number + 5, 2, "", parent=0),
    ]
    strange = dict.fromkeys(start.feedback.artifacts, b"\xff no such file")
    return [*odd, Trial(number + 6, 2, start.value, parent=0, feedback=replace(start.feedback, artifacts=strange))]


def _check_words(what: str, hook: Callable[[], Any], most: int, lines: int | None = None) -> str:
    """Check a text that a hook gives: the same twice, bounded, in bounded time. An error of tgsci stands for none."""
    began = time.monotonic()
    try:
        text, again = hook(), hook()
    except TgsciError:
        return ""
    except Exception as error:
        raise AssertionError(f"{what} raised {error!r}; it must give text, or raise one of tgsci's errors") from error
    seconds = (time.monotonic() - began) / 2
    assert isinstance(text, str), f"{what} gave {type(text).__name__}, not text"
    assert text == again, f"{what} is not a pure function: it gave {text[:80]!r}, then {again[:80]!r}"
    assert len(text) <= most, f"{what} gave {len(text)} characters; at most {most}"
    assert lines is None or len(text.splitlines()) <= lines, f"{what} gave {len(text.splitlines())} lines, not {lines}"
    assert seconds <= HOOK_SECONDS, f"{what} took {seconds:.1f} s; at most {HOOK_SECONDS:g}"
    return text


def _check_predictions(hook: Callable[[], Any], known: int) -> None:
    began = time.monotonic()
    try:
        first, second = list(hook()), list(hook())
    except TgsciError:
        return
    except Exception as error:
        raise AssertionError(f"predict() raised {error!r}; give None for what cannot be told") from error
    seconds = (time.monotonic() - began) / 2
    there = known + len(HOSTILE_VALUES)
    assert len(first) == there, f"predict() gave {len(first)} outlooks for {there} values"
    for outlook in first:
        assert isinstance(outlook, Outlook | None), f"predict() gave {outlook!r}, which is no tgsci.Outlook"
        if outlook is not None:
            assert math.isfinite(outlook.loss), f"predict() expects {outlook}: give None for what cannot be told"
            assert 0 <= outlook.sd < math.inf, f"predict() gave a wrong deviation: {outlook}"
    assert first == second, "predict() is not a pure function of (trials, values): a resumed run would differ"
    assert seconds <= HOOK_SECONDS, f"predict() took {seconds:.1f} s; at most {HOOK_SECONDS:g}"


def _check_careful(loss: Loss, careful: Careful, start: Trial) -> None:
    """Check the measurement by which leaders are confirmed: of the same value, in the same units, and pure."""
    assert start.feedback
    value = careful.loss.validate(start.value)
    assert value == start.value, f"the careful loss takes {start.value!r} for {value!r}: a value must stay the same"
    units = {name: unit for name, unit in careful.loss.units.items() if loss.units.get(name, unit) != unit}
    assert not units, f"the careful loss gives metrics in other units: {units}"
    copy: Loss = cloudpickle.loads(cloudpickle.dumps(careful.loss))
    found = [each.reconsider(start.value, each.measure(start.value), start.feedback) for each in (careful.loss, copy)]
    _check_feedback(careful.loss, found[0], start.value)
    assert found[0].loss == found[1].loss, (
        f"the careful measurement is not pure: it gave {found[0].loss}, then {found[1].loss}"
    )


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


class _Nobody(Proposer):
    """Proposes for a domain whose values only a model or a person can propose: nothing, so the start is the run."""

    name = "nobody"

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        return []


def _solved(problem: Problem, **options: Any) -> Result:
    if problem.rules is None:
        return solve(problem, optimizer=_Nobody(), **options)
    return solve(problem, engine="rules", **options)


def _check_run(problem: Problem, again: Problem, directory: Path, evaluations: int) -> None:
    part = max(len(problem.start), evaluations // 2)
    _solved(problem, budget=part, run=directory, workers=1)
    resumed = _solved(again, budget=evaluations, run=directory, workers=1)
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

    _solved(replace(problem, finish=finish), budget=evaluations, run=directory, workers=1)
    assert not kept, f"finish() measured the trials {kept} once more: skip what result.finals holds"
