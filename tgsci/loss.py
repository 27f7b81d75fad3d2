"""Losses. A simulator derives from `Loss`; its report is the gradient, at no model call.

Losses compose: `0.5 * a + b` adds them with weights, `loss.limit("MW", high=500)` sets a hard limit.
"""

from __future__ import annotations

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, SupportsFloat

from .basics.texts import figure, literal, named_metric, trimmed, with_type
from .basics.threads import awaited
from .engine import Engine
from .errors import InvalidValue, MeasurementError, UsageError
from .feedback import Feedback, number
from .fingerprint import described, digest, function_identity
from .functions import Module

# TextGrad's users import a model's losses from here.
from .judges import ImageQALoss as ImageQALoss
from .judges import MultiChoiceTestTime as MultiChoiceTestTime
from .judges import MultiFieldEvaluation as MultiFieldEvaluation
from .judges import MultiFieldTokenParsedEvaluation as MultiFieldTokenParsedEvaluation
from .judges import TextLoss as TextLoss
from .variable import Backward, Gradient, Variable


class Loss(ABC):
    """A simulator as a loss function. Derive, and write `evaluate`.

    `evaluate` may run in a worker process: keep the object picklable, and heavy state (maps, matrices)
    in a cache of the module, not on the object.
    """

    #: Shown in tables and reports.
    name: str = ""
    #: Unit of each metric: `{"vina": "kcal/mol"}`. "" for a figure without a unit; "loss" is that of the loss itself.
    units: Mapping[str, str] = {}
    #: Longest that one measurement in a worker process may take, s; None for no limit.
    timeout: float | None = None
    #: How many values are measured at the same time in threads of this process; 0 where worker processes measure. For
    #: a loss that asks models and computes little: each answer is then in the run's record as soon as it is there.
    threads: int = 0

    @abstractmethod
    def evaluate(self, value: str) -> Feedback:
        """Measure a canonical value. Pure: the same value gives the same feedback.

        Raises:
            MeasurementError: A known failure of the simulator; it becomes feedback. Anything else
                raised here is a programming error and stops the run with its traceback.
        """

    def reconsider(self, value: str, feedback: Feedback, other: Feedback) -> Feedback:
        """Look at a measurement again, with another one at hand; a search calls this right after `evaluate`.

        Pure, and run where `evaluate` runs. A simulator that searches (docking) can begin from what the other one
        found, and return the better of both. Unless overridden: the measurement as it is.

        Args:
            value: The canonical value that was measured.
            feedback: Its measurement.
            other: A related measurement: that of the value's parent, or an earlier one of the same value by a loss
                that takes less care.

        Returns:
            The feedback that counts.

        Raises:
            MeasurementError: A known failure; the measurement then stays as it was.
        """
        return feedback

    def in_words(self, name: str, value: float) -> str:
        """Say what a figure means where the figure alone misleads; "" where it does not, as unless overridden.

        A contact that misses 0.1 Angstrom because its groups face away is "near enough, but in the wrong direction".

        Args:
            name: A metric or a violation.
            value: Its figure.
        """
        return ""

    def breach(self, limit: str, by: float, write: Callable[[float], str] = figure) -> str:
        """Say by how much a hard limit is broken: in words where the loss has some for it.

        Args:
            limit: Its name among the violations.
            by: The violation, above 0.
            write: Writes a figure.
        """
        words = self.in_words(limit, by)
        return f"{limit}: {words}" if words else f"{limit} by {write(by)}"

    @property
    def reconsiders(self) -> bool:
        """True where `reconsider` does something: only then is the other measurement sent to where it is called."""
        return type(self).reconsider is not Loss.reconsider

    def validate(self, value: str) -> str:
        """Check a proposed value, and bring it to its canonical form. Two values of one canonical form are the same.

        A search calls this once for each proposed value. Where parsing is costly, return a subclass of `str` that
        carries the parsed object as an attribute: it stays with the proposal and the trial, and `evaluate` gets it
        in this process. Elsewhere, and in a resumed run, `evaluate` may get the plain text: give the subclass a
        `__reduce__` that leaves the parsed object behind where it should not travel to worker processes.

        Raises:
            InvalidValue: It can not be measured; the reason is written for the proposer.
        """
        return trimmed(value)

    @property
    def fingerprint(self) -> str:
        """Everything that changes the result: target, settings, versions. A run goes on only with the same.

        Unless overridden: the class and its public attributes. They count by content: figures, texts, paths, arrays,
        tables, losses, engines, functions with all that they read, collections and objects of these. A class of the
        user's own counts with its code and the helpers that this uses, one that is installed by its name. Data in
        globals does not count: make it an attribute. (Of a plain function as a loss, globals count.)

        Not a setting but state, which never counts: attributes that begin with an underscore, and whatever the code
        itself assigns or changes in place outside `__init__`, such as a counter or a log. So a loss that measured is
        still the same loss, and a setting that somebody changes in between is noticed.
        """
        return described(self)

    def measure(self, value: str) -> Feedback:
        """`evaluate`, with the simulator's known failures turned into feedback."""
        try:
            return self._checked("evaluate", self.evaluate(value))
        except MeasurementError as error:
            return Feedback.failed(str(error), transient=error.transient)

    def measure_again(self, value: str, feedback: Feedback, other: Feedback | None) -> Feedback:
        """`reconsider` a measurement, if there is another one to look at; a known failure leaves it as it was."""
        if other is not None and feedback.measured and self.reconsiders:
            with contextlib.suppress(MeasurementError):
                feedback = self._checked("reconsider", self.reconsider(value, feedback, other))
        return feedback.whole if isinstance(feedback, _Made) else feedback

    def _checked(self, method: str, feedback: object) -> Feedback:
        """Wait for what a method of this loss returned, where it is a coroutine, and check that it is a feedback."""
        if not isinstance(feedback, Feedback):
            feedback = awaited(feedback)
        if not isinstance(feedback, Feedback):
            raise TypeError(
                f"{self.name or type(self).__name__}.{method} must return a Feedback, not {with_type(feedback)}: "
                f"write return tgsci.Feedback(loss, 'the report')"
            )
        return feedback

    def __call__(self, variable: Variable) -> Variable:
        """Measure a variable: a node of the graph whose gradient is the report. No model is asked.

        Raises:
            UsageError: It is no variable, or holds an image.
        """
        if not isinstance(variable, Variable):
            raise UsageError(
                f"{self.name or type(self).__name__}: a Variable is expected, not {with_type(variable)}; "
                f"to measure a plain text write loss.measure(text)"
            )
        if variable.images:
            raise UsageError(f"{self.name or type(self).__name__} measures text; {variable!r} holds an image")
        try:
            feedback = self.measure(self.validate(variable.text))
        except InvalidValue as error:
            feedback = Feedback.failed(f"not a valid value: {error}")
        node = Variable(
            feedback.text,
            predecessors=[variable],
            requires_grad=variable.requires_grad,
            role_description=f"{self.name or 'loss'} of {variable.role_description}",
        )
        node.feedback = feedback
        node.grad_fn = Backward(copy_report)
        return node

    # -- composition -------------------------------------------------------------------------------

    def limit(self, metric: str, *, low: float | None = None, high: float | None = None) -> Loss:
        """Set a hard limit on one of the metrics: outside it a value is infeasible.

        Args:
            metric: The metric's name, as it is in the feedback.
            low: The least that is allowed, in the metric's unit; None for no lower limit.
            high: The most that is allowed, in the metric's unit; None for no upper limit.

        Raises:
            UsageError: Neither is given, or no figure lies between them.
        """
        return LimitedLoss(self, metric, low=low, high=high)

    def __add__(self, other: Loss) -> Loss:
        if not isinstance(other, Loss):
            return NotImplemented
        return WeightedLoss([*_terms(self), *_terms(other)])

    #: NumPy's figures leave `figure * loss` to the loss.
    __array_ufunc__ = None

    def __mul__(self, weight: SupportsFloat) -> Loss:
        if not isinstance(weight, SupportsFloat) or isinstance(weight, str):
            return NotImplemented
        return WeightedLoss([(float(weight) * w, term) for w, term in _terms(self)])

    __rmul__ = __mul__

    def __radd__(self, other: object) -> Loss:
        """Lets the built-in `sum` start from 0."""
        if isinstance(other, int) and other == 0:
            return self
        return NotImplemented


def copy_report(output: Variable, predecessor: Variable, feedback: str, engine: Engine | None) -> Gradient:
    """Hand a loss's report to its value as the gradient, with feedback from further on added."""
    return Gradient("\n".join(filter(None, (output.text, feedback))), f"feedback to {predecessor.role_description}")


class FunctionLoss(Loss):
    """A plain function as a loss.

    Args:
        function: `value -> float`, `(float, report)` or `Feedback`; may be a coroutine function. Raise
            `MeasurementError` where it cannot be measured.
        name: Shown in tables; else the function's own name.
        validate: Canonicalises a value or raises `InvalidValue`.
    """

    def __init__(
        self,
        function: Callable[[str], float | tuple[float, str] | Feedback],
        name: str = "",
        validate: Callable[[str], str] | None = None,
    ) -> None:
        self.function = function
        self.name = name or getattr(function, "__name__", "loss")
        self._validate = validate

    @property
    def fingerprint(self) -> str:
        identity = function_identity(self.function)
        if self._validate:
            identity += function_identity(self._validate)
        return f"{self.name}:{digest(identity)}"

    def validate(self, value: str) -> str:
        return self._validate(value) if self._validate else super().validate(value)

    def evaluate(self, value: str) -> Feedback:
        result = self.function(value)
        if not isinstance(result, Feedback | tuple | float):
            result = awaited(result)
        if isinstance(result, Feedback):
            return result
        loss, text = result if isinstance(result, tuple) and len(result) == 2 else (result, "")
        try:
            if not isinstance(text, str | None):
                raise TypeError("the report is a text")
            return Feedback(number(loss), text or f"{self.name} = {number(loss):.6g} (lower is better)")
        except (TypeError, ValueError) as error:
            why = f": {error}" if isinstance(error, ValueError) else ""
            raise UsageError(
                f"the loss function {self.name} returned {literal(result)}{why}. Return a number (lower is better), "
                "(number, 'a report') or tgsci.Feedback(number, 'a report', metrics={...})"
            ) from None


def as_loss(loss: Loss | Callable[[str], float | tuple[float, str] | Feedback]) -> Loss:
    """Make a loss of a plain function; return a `Loss` as it is."""
    if isinstance(loss, Loss):
        return loss
    given: object = loss  # float is a class, and a function all the same
    if isinstance(given, type) and issubclass(given, Loss):
        raise UsageError(f"a loss is an instance, not the class itself: write {given.__name__}(...)")
    if isinstance(given, Module):
        raise UsageError(
            f"{type(given).__name__} writes its evaluation in words, and a search compares numbers. Optimise with "
            "it by backward() and step(); or measure by a function that asks a model for a figure and returns that"
        )
    if callable(loss):
        return FunctionLoss(loss)
    raise UsageError(f"not a loss: {loss!r}. Derive from tgsci.Loss or pass a function of the value.")


class WeightedLoss(Loss):
    """Terms added up with weights: `0.5 * a + b`.

    The canonical form is the first term's. Where one term cannot be measured, neither can the sum.
    A metric that two terms share keeps its plain name in the first that states its unit, else in the
    first, and is prefixed in the others.
    """

    def __init__(self, terms: Iterable[tuple[float, Loss]]) -> None:
        self.terms = tuple(terms)
        if not self.terms:
            raise UsageError("a weighted loss needs at least one term")
        self.name = " + ".join(f"{w:g} {t.name}" if w != 1 else t.name for w, t in self.terms)
        self._stated = _names([(t.name, t.units) for _, t in self.terms])
        self.units = _merged([(t.name, t.units) for _, t in self.terms])
        limits = [t.timeout for _, t in self.terms]
        self.timeout = None if None in limits else math.fsum(limit or 0.0 for limit in limits)

    @property
    def fingerprint(self) -> str:
        return " + ".join(f"{w!r}*({t.fingerprint})" for w, t in self.terms)

    def validate(self, value: str) -> str:
        canonical = self.terms[0][1].validate(value)
        for _, term in self.terms[1:]:
            term.validate(canonical)
        return canonical

    def evaluate(self, value: str) -> Feedback:
        return self._summed([term.measure(value) for _, term in self.terms])

    @property
    def reconsiders(self) -> bool:
        return any(term.reconsiders for _, term in self.terms)

    def reconsider(self, value: str, feedback: Feedback, other: Feedback) -> Feedback:
        """Let each term look at its own measurement again, with its own metrics and artifacts of the other one."""
        if not isinstance(feedback, _Made):
            return feedback  # it came from a record, where the terms' own measurements are not kept
        terms = [term for _, term in self.terms]
        metrics = _names([(t.name, part.metrics) for t, part in zip(terms, feedback.parts, strict=True)], self._stated)
        artifacts = _names([(t.name, part.artifacts) for t, part in zip(terms, feedback.parts, strict=True)])
        again = []
        for term, part, figures, files in zip(terms, feedback.parts, metrics, artifacts, strict=True):
            its_metrics = {key: other.metrics[name] for key, name in figures.items() if name in other.metrics}
            its_files = {key: other.artifacts[name] for key, name in files.items() if name in other.artifacts}
            again.append(term.measure_again(value, part, Feedback(None, other.text, its_metrics, artifacts=its_files)))
        return self._summed(again)

    def in_words(self, name: str, value: float) -> str:
        return next(filter(None, (term.in_words(name, value) for _, term in self.terms)), "")

    def _summed(self, measured: Sequence[Feedback]) -> Feedback:
        parts = [(weight, term, part) for (weight, term), part in zip(self.terms, measured, strict=True)]
        for _, term, part in parts:
            if not part.measured:
                why = part.error or "it gave no number"
                return Feedback.failed(f"{term.name}: {why}", transient=part.transient)
        total = math.fsum(w * (f.loss or 0.0) for w, _, f in parts)
        lines = [f"{w:g} x {t.name} ({figure(f.loss)}) = {figure(w * (f.loss or 0.0))}" for w, t, f in parts]
        reports = [f"[{t.name}]\n{f.text}" for _, t, f in parts if f.text]
        whole = Feedback(
            total,
            "\n".join([f"Loss {figure(total)} (lower is better) is the sum of:", *lines, *reports]),
            metrics=_merged([(t.name, f.metrics) for _, t, f in parts], self._stated),
            violations=_merged([(t.name, f.violations) for _, t, f in parts]),
            artifacts=_merged([(t.name, f.artifacts) for _, t, f in parts]),
        )
        return _Made.of(whole, measured) if self.reconsiders else whole


@dataclass(frozen=True)
class _Made(Feedback):
    """A feedback that was made of others and still has them, for `reconsider`; elsewhere it is a plain one."""

    parts: tuple[Feedback, ...] = ()

    @classmethod
    def of(cls, whole: Feedback, parts: Iterable[Feedback]) -> _Made:
        return cls(**_fields(whole), parts=tuple(parts))

    @property
    def whole(self) -> Feedback:
        return Feedback(**_fields(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return Feedback, tuple(_fields(self).values())


def _fields(feedback: Feedback) -> dict[str, Any]:
    return {field.name: getattr(feedback, field.name) for field in fields(Feedback)}


class LimitedLoss(Loss):
    """A loss with a hard limit on one metric: outside it a value is infeasible, however low its loss."""

    def __init__(self, loss: Loss, metric: str, *, low: float | None = None, high: float | None = None) -> None:
        low, high = (bound if bound is None or isinstance(bound, int) else float(bound) for bound in (low, high))
        if low is None and high is None:
            raise UsageError(f"the limit on {metric!r} needs low=, high= or both")
        if low is not None and high is not None and low > high:
            raise UsageError(f"the limit on {metric!r} is empty: low {low:g} > high {high:g}")
        self.loss, self.metric, self.low, self.high = loss, metric, low, high
        self.name, self.units, self.timeout = loss.name, loss.units, loss.timeout

    @property
    def fingerprint(self) -> str:
        return f"{self.loss.fingerprint} with {self.low!r} <= {self.metric} <= {self.high!r}"

    def validate(self, value: str) -> str:
        return self.loss.validate(value)

    def evaluate(self, value: str) -> Feedback:
        return self._limited(self.loss.measure(value))

    @property
    def reconsiders(self) -> bool:
        return self.loss.reconsiders

    def reconsider(self, value: str, feedback: Feedback, other: Feedback) -> Feedback:
        """Let the loss look at its own measurement again; the limit is then looked at again too."""
        if not isinstance(feedback, _Made):
            return feedback  # it came from a record, where the measurement without the limit is not kept
        return self._limited(self.loss.measure_again(value, feedback.parts[0], other))

    def in_words(self, name: str, value: float) -> str:
        return self.loss.in_words(name, value)

    def _limited(self, feedback: Feedback) -> Feedback:
        if not feedback.measured:
            return feedback
        if self.metric not in feedback.metrics:
            known = ", ".join(feedback.metrics) or "none"
            raise UsageError(f"the limit on {self.metric!r} has no such metric to look at; there are: {known}")
        measured, unit = feedback.metrics[self.metric], self.units.get(self.metric, "")
        if math.isnan(measured):
            return Feedback.failed(f"{self.metric} has a hard limit and is not a number")
        bounds = [
            (self.low, (self.low or 0.0) - measured, ">="),
            (self.high, measured - (self.high or 0.0), "<="),
        ]
        text, violations = feedback.text, dict(feedback.violations)
        for bound, excess, sign in bounds:
            if bound is None:
                continue
            violations[f"{self.metric} {sign} {bound:g}"] = max(0.0, excess)
            if excess > 0:
                shown = named_metric(f"{self.metric} is", measured, unit)
                text += f"\nHARD LIMIT BROKEN: {shown}, must be {sign} {bound:g}; it is out by {figure(excess)}."
        limited = Feedback(
            feedback.loss,
            text,
            feedback.metrics,
            violations,
            feedback.artifacts,
            feedback.error,
            feedback.transient,
        )
        return _Made.of(limited, [feedback]) if self.reconsiders else limited


def _terms(loss: Loss) -> Sequence[tuple[float, Loss]]:
    return loss.terms if isinstance(loss, WeightedLoss) else [(1.0, loss)]


def _merged(parts: Sequence[tuple[str, Mapping[str, Any]]], stated: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """Merge the items of all parts, each under its name from `_names`."""
    names = _names(parts, stated)
    return {own[key]: item for own, (_, items) in zip(names, parts, strict=True) for key, item in items.items()}


def _names(
    parts: Sequence[tuple[str, Iterable[str]]], stated: Sequence[Mapping[str, str]] = ()
) -> list[dict[str, str]]:
    """Name the keys of several parts, each part given by its name and its keys, so that no two are alike.

    What `stated` calls a part's key is kept for it, whether it is there or not: a unit that is known before
    anything is measured stays with its own metric.
    """
    names = [dict(own) for own in stated] or [{} for _ in parts]
    taken = {name for own in names for name in own.values()}
    for (prefix, keys), own in zip(parts, names, strict=True):
        for key in keys:
            if key in own:
                continue
            unique, count = key, 1
            while unique in taken:
                unique, count = f"{prefix} {key}" if count == 1 else f"{prefix} {count} {key}", count + 1
            taken.add(unique)
            own[key] = unique
    return names
