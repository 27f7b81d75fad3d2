"""Optimizer: what edits variables by the feedback on them. `step` is PyTorch's."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from . import prompts
from .engine import default_engine, map
from .errors import InvalidValue, UsageError
from .feedback import Feedback, is_better
from .functions import EngineLike
from .replies import Suggestion, parse
from .variable import Gradient, Variable

logger = logging.getLogger("tgsci")

#: Measures the current values again, with fresh gradients.
Closure: TypeAlias = Callable[[], "Variable | Feedback | float"]


class Optimizer:
    """Edits variables. Derive, and write `step`.

    Args:
        parameters: The variables that `step` edits.

    Raises:
        UsageError: A parameter is no text, or requires no gradient.
    """

    def __init__(self, parameters: Sequence[Variable] = ()) -> None:
        if isinstance(parameters, Variable):
            parameters = [parameters]
        for parameter in parameters:
            if not isinstance(parameter.value, str):
                raise UsageError(f"only text can be optimised, not {parameter.text}")
            if not parameter.requires_grad:
                raise UsageError(f"{parameter.role_description or 'a parameter'} has requires_grad=False")
        self.parameters = list(parameters)

    def step(self, closure: Closure | None = None) -> None:
        """Edit the parameters once. With a closure, keep the edit only where it measures better."""
        raise NotImplementedError(f"{type(self).__name__} has no step()")

    def zero_grad(self) -> None:
        """Clear the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.reset_gradients()


class TextualGradientDescent(Optimizer):
    """A model rewrites values by the feedback on them.

    Args:
        parameters: The variables that `step` edits; none where `minimize` only asks for new values.
        verbose: Print each new value.
        engine: Writes the new values; else the one set by `set_backward_engine`.
        constraints: What a new value must satisfy, in words.
        new_variable_tags: The tags around a new value in the reply.
        optimizer_system_prompt: Who the optimizer is and how it should work.
        in_context_examples: Shown with every request.
        gradient_memory: How many earlier feedbacks are shown with the current one.
        momentum_window: How many earlier values, each with its feedback, are shown.
        proposals: Values proposed in one call; `step(closure)` keeps the best of them.
        validate: Canonicalises a value or raises `InvalidValue`.

    A reply without a usable value is asked for once more, naming the fault; after that the value stays
    as it is and `faults` says why. Nothing is raised and nothing wrong is adopted.
    """

    def __init__(
        self,
        parameters: Sequence[Variable] = (),
        verbose: int = 0,
        engine: EngineLike = None,
        constraints: Sequence[str] | None = None,
        new_variable_tags: Sequence[str] | None = None,
        optimizer_system_prompt: str = prompts.OPTIMIZER,
        in_context_examples: Sequence[str] | None = None,
        gradient_memory: int = 0,
        *,
        momentum_window: int = 0,
        proposals: int = 1,
        validate: Callable[[str], str] = str,
    ) -> None:
        super().__init__(parameters)
        if proposals < 1:
            raise UsageError(f"proposals must be at least 1, not {proposals}")
        self.engine = default_engine(engine)
        self.verbose = verbose
        self.constraints = list(constraints or ())
        opening, closing = new_variable_tags or ("<IMPROVED_VARIABLE>", "</IMPROVED_VARIABLE>")
        self.new_variable_tags = (opening, closing)
        self.optimizer_system_prompt = optimizer_system_prompt
        self.in_context_examples = list(in_context_examples or ())
        self.gradient_memory = gradient_memory
        self.momentum_window = momentum_window
        self.proposals = proposals
        self.validate = validate
        #: What was wrong with replies that gave no value, in order.
        self.faults: list[str] = []
        self._past: list[deque[tuple[str, str]]] = [
            deque(maxlen=max(gradient_memory, momentum_window)) for _ in self.parameters
        ]
        self._measured: _Measured | None = None

    def step(self, closure: Closure | None = None) -> None:
        """Edit every parameter once by its gradients.

        Args:
            closure: Clears gradients, measures the current values and calls backward, as in PyTorch.
                Given, all proposals are measured by it and only what is better is kept.

        Raises:
            UsageError: The closure's loss has no number to compare.
        """
        before = self._measure_current(closure) if closure else None
        candidates = self._candidates(self.proposals if closure else 1)
        for past, parameter in zip(self._past, self.parameters, strict=True):
            past.append((parameter.text, parameter.get_gradient_and_context_text()))
        if closure is None or before is None:
            self._set(candidates[0] if candidates else self._values())
        else:
            self._keep_best(closure, before, candidates)
        if self.verbose:
            for parameter in self.parameters:
                print(f"--- {parameter.role_description} ---\n{parameter.text}")

    def _candidates(self, n: int) -> list[list[str]]:
        """Up to `n` new sets of values; a parameter without a usable proposal keeps its value."""

        def propose(index: int) -> list[Suggestion]:
            parameter, past = self.parameters[index], list(self._past[index])
            prompt = prompts.improve(
                role=parameter.role_description,
                value=parameter.text,
                feedback=parameter.get_gradient_and_context_text(),
                constraints=self.constraints,
                examples=self.in_context_examples,
                past_feedback=[f for _, f in past[-self.gradient_memory :]] if self.gradient_memory else (),
                past_values=past[-self.momentum_window :] if self.momentum_window else (),
            )
            return rewrites(self, prompt, n, lambda value: self._changed(value, parameter.text), parameter.text)

        asked = map(propose, range(len(self.parameters)))
        usable = [[s.value for s in suggestions if not s.fault] for suggestions in asked]
        for suggestion in chain.from_iterable(asked):
            if suggestion.fault:
                self.faults.append(suggestion.fault)
                logger.warning("%s gave no usable value twice: %s", self.engine.name, suggestion.fault)
        current = self._values()
        rows = max((len(values) for values in usable), default=0)
        return [[v[i] if i < len(v) else old for v, old in zip(usable, current, strict=True)] for i in range(rows)]

    def _changed(self, value: str, current: str) -> str:
        canonical = self.validate(value)
        if current.strip() in (value.strip(), canonical.strip()):
            raise InvalidValue("it is unchanged")
        return canonical

    def _keep_best(self, closure: Closure, before: Feedback, candidates: Sequence[list[str]]) -> None:
        kept = _Measured(closure, self._values(), before, self._gradients())
        try:
            for values in candidates:
                self._set(values)
                feedback = _feedback_of(closure())
                if is_better(feedback, kept.feedback):
                    kept = _Measured(closure, values, feedback, self._gradients())
        finally:  # also where the closure raised: what is left behind was measured
            self._set(kept.values)
            self._set_gradients(kept.gradients)
            self._measured = kept

    def _measure_current(self, closure: Closure) -> Feedback:
        """The current values' feedback; not measured again where the last step's same closure left it known."""
        if self._measured is None or self._measured.by != closure or self._measured.values != self._values():
            self._measured = _Measured(closure, self._values(), _feedback_of(closure()), self._gradients())
        elif not any(self._gradients()):  # cleared, as PyTorch's loops do before each step
            self._set_gradients(self._measured.gradients)
        return self._measured.feedback

    def _values(self) -> list[str]:
        return [parameter.text for parameter in self.parameters]

    def _gradients(self) -> list[list[Gradient]]:
        return [list(parameter.gradients) for parameter in self.parameters]

    def _set(self, values: Sequence[str]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.set_value(value)

    def _set_gradients(self, gradients: Sequence[list[Gradient]]) -> None:
        for parameter, its_own in zip(self.parameters, gradients, strict=True):
            parameter.gradients = list(its_own)


TGD = TextualGradientDescent


class TextualGradientDescentwithMomentum(TextualGradientDescent):
    """TextGrad's name and arguments for `TextualGradientDescent(momentum_window=...)`."""

    def __init__(
        self,
        engine: EngineLike,
        parameters: Sequence[Variable],
        momentum_window: int = 0,
        constraints: Sequence[str] | None = None,
        new_variable_tags: Sequence[str] | None = None,
        in_context_examples: Sequence[str] | None = None,
        optimizer_system_prompt: str = prompts.OPTIMIZER,
    ) -> None:
        super().__init__(
            parameters,
            engine=engine,
            constraints=constraints,
            new_variable_tags=new_variable_tags,
            in_context_examples=in_context_examples,
            optimizer_system_prompt=optimizer_system_prompt,
            momentum_window=momentum_window,
        )


@dataclass(frozen=True, slots=True)
class _Measured:
    """Values of the parameters, what measured them and how, and the gradients that the measurement left."""

    by: Closure
    values: list[str]
    feedback: Feedback
    gradients: list[list[Gradient]]


def _feedback_of(measured: Variable | Feedback | float) -> Feedback:
    feedback = measured.feedback if isinstance(measured, Variable) else measured
    if isinstance(feedback, int | float):
        return Feedback(feedback)
    if not isinstance(feedback, Feedback) or feedback.loss is None:
        what = "nothing" if measured is None else "text without a number"
        raise UsageError(
            f"step(closure) compares losses, but the closure returned {what}; "
            "return a simulator's loss, a tgsci.sum of them, or a float"
        )
    return feedback


def rewrites(
    by: TextualGradientDescent, prompt: str, n: int, check: Callable[[str], str], current: str
) -> list[Suggestion]:
    """Ask a model for `n` new values; where something is missing, name the fault and ask once more.

    Args:
        by: Whose engine, tags and system prompt are used.
        prompt: The question, without the format of the reply.
        n: How many new values.
        check: Canonicalises a value or raises `InvalidValue`.
        current: The value that is rewritten; the tags are made to differ from what it holds.

    Returns:
        The usable values, and one suggestion with its fault for each that is missing after the second reply.
    """
    engine, system, tags = by.engine, by.optimizer_system_prompt, _unused(by.new_variable_tags, current)
    first = engine(f"{prompt}\n\n{prompts.reply_format(n, tags)}", system)
    person = engine.answered_by_person
    parsed = parse(first, n, tags, check, by_person=person)
    if not parsed.faults:
        return parsed.suggestions
    missing = len(parsed.faults)
    faults = prompts.retry(parsed.complaints, first.text, len(parsed.suggestions))
    reply = engine("\n\n".join([prompt, faults, prompts.reply_format(missing, tags)]), system)
    second = parse(reply, missing, tags, check, by_person=person)
    taken = {suggestion.value for suggestion in parsed.suggestions}
    new = [suggestion for suggestion in second.suggestions if suggestion.value not in taken]
    return [*parsed.suggestions, *new, *second.faults]


def _unused(tags: tuple[str, str], value: str) -> tuple[str, str]:
    """The tags, lengthened until the value contains neither."""
    opening, closing = tags
    while opening.rstrip(">") in value or closing.rstrip(">") in value:
        opening, closing = f"{opening.rstrip('>')}_NEW>", f"{closing.rstrip('>')}_NEW>"
    return opening, closing
