"""Optimizer: what edits variables by the feedback on them. `step` is PyTorch's."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, SupportsFloat, SupportsInt, TypeAlias

from . import prompts
from .basics.checks import whole
from .basics.texts import literal, trimmed
from .basics.threads import awaited
from .engine import Reply, default_engine, map
from .errors import UsageError
from .feedback import Feedback, is_better, number
from .functions import EngineLike
from .gradient import Gradient, feedback_in_context
from .replies import Parsed, Suggestion, parse, two_tags
from .variable import Variable

if TYPE_CHECKING:
    from .loss import Loss

logger = logging.getLogger("tgsci")

#: How many rejected values a prompt shows at most, and how many characters of them; the latest one always.
MOST_REJECTED, MOST_REJECTED_CHARS = 8, 20_000

#: Measures the current values again, with fresh gradients.
Closure: TypeAlias = Callable[[], "Variable | Feedback | float | Awaitable[Variable | Feedback | float]"]


class Optimizer:
    """Edits variables. Derive, and write `step`.

    Args:
        parameters: The variables that `step` edits.

    Raises:
        UsageError: A parameter is no text, or requires no gradient.
    """

    def __init__(self, parameters: Iterable[Variable] = ()) -> None:
        if isinstance(parameters, str) or not isinstance(parameters, Iterable):
            parameters = [parameters]  # one Variable, or what is refused below
        #: The variables that `step` edits, each once.
        self.parameters: list[Variable] = list(dict.fromkeys(parameters))
        for parameter in self.parameters:
            if not isinstance(parameter, Variable):
                raise UsageError(f"a parameter is a tgsci.Variable, not {literal(parameter)}")
            if not isinstance(parameter.value, str):
                raise UsageError(f"only text can be optimised, not {parameter.text}")
            if not parameter.requires_grad:
                raise UsageError(f"{parameter.role_description or 'a parameter'} has requires_grad=False")

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
        optimizer_system_prompt: Who the optimizer is and how it should work. TextGrad's `{new_variable_start_tag}` and
            `{new_variable_end_tag}` in it become the tags.
        in_context_examples: Shown with every request.
        gradient_memory: How many earlier feedbacks are shown with the current one.
        momentum_window: How many earlier values, each with its feedback, are shown.
        proposals: Values proposed in one call; `step(closure)` keeps the best of them.
        validate: Canonicalises a value or raises `InvalidValue`.
        keep_ties: `step(closure)` also takes a value that measures as well as the current one, to get off a plateau.

    A reply without a usable value is asked for once more, naming the fault; after that the value stays
    as it is and `faults` says why. Nothing is raised and nothing wrong is adopted. A reply that repeats the value is
    an answer: nothing is to be changed.

    Raises:
        UsageError: No engine, or a setting that is none.
    """

    def __init__(
        self,
        parameters: Iterable[Variable] = (),
        verbose: int = 0,
        engine: EngineLike = None,
        constraints: Sequence[str] | str | None = None,
        new_variable_tags: Sequence[str] | None = None,
        optimizer_system_prompt: str = prompts.OPTIMIZER,
        in_context_examples: Sequence[str] | str | None = None,
        gradient_memory: int = 0,
        *,
        momentum_window: int = 0,
        proposals: int = 1,
        validate: Callable[[str], str] = str,
        keep_ties: bool = False,
    ) -> None:
        super().__init__(parameters)
        # A plain number first: the check of a protocol takes as long as a tenth of a step.
        if not isinstance(verbose, int) and (isinstance(verbose, str) or not isinstance(verbose, SupportsInt)):
            raise UsageError(f"the second argument is `verbose`, not {literal(verbose)}: write TGD(..., engine=...)")
        self.engine = default_engine(engine)
        self.verbose = int(verbose)
        self.constraints = as_texts("constraints", constraints)
        self.new_variable_tags = (
            ("<IMPROVED_VARIABLE>", "</IMPROVED_VARIABLE>")
            if new_variable_tags is None
            else two_tags("new_variable_tags", new_variable_tags)
        )
        self.optimizer_system_prompt = optimizer_system_prompt
        self.in_context_examples = as_texts("in_context_examples", in_context_examples)
        self.gradient_memory = whole("gradient_memory", gradient_memory, 0)
        self.momentum_window = whole("momentum_window", momentum_window, 0)
        self.proposals = whole("proposals", proposals, 1)
        self.validate = validate
        self.keep_ties = keep_ties
        #: What gave no new value, and why, in order.
        self.faults: list[str] = []
        memory = max(self.gradient_memory, self.momentum_window)
        #: For each parameter its earlier values, each with its gradients.
        self._past: list[deque[tuple[str, list[Gradient]]]] = [deque(maxlen=memory) for _ in self.parameters]
        #: For each parameter what measured no better, by value, with what came of it.
        self._rejected: list[dict[str, str]] = [{} for _ in self.parameters]

    def step(self, closure: Closure | None = None) -> None:
        """Edit every parameter once by its gradients. One without gradients is left as it is, and `faults` says so.

        Args:
            closure: Clears gradients, measures the current values and calls backward, as in PyTorch.
                Given, all proposals are measured by it and only what is better is kept. The next prompts tell what
                was not. Every step begins by measuring the current values: what a closure reads, a mini-batch for
                instance, may be another than in the step before. Where one measurement is dear, ask for several
                `proposals`, or use `minimize`, which measures each value once.

        Raises:
            UsageError: There are no parameters, or the closure's loss has no number to compare.
        """
        if not self.parameters:
            raise UsageError("the optimizer got an empty parameter list: nothing requires a gradient")
        before = _measured_by(closure) if closure else None
        candidates = self._candidates(self.proposals, before) if closure else self._candidates(1)
        for past, parameter in zip(self._past, self.parameters, strict=True):
            past.append((parameter.text, list(parameter.gradients)))
        if closure and before:
            self._keep_best(closure, before, candidates)
        elif candidates:
            self._set(candidates[0])
        if self.verbose:
            for parameter in self.parameters:
                print(f"--- {parameter.role_description} ---\n{parameter.text}")

    def _candidates(self, n: int, before: Feedback | None = None) -> list[list[str]]:
        """Ask for up to `n` new sets of values; a parameter without a usable proposal keeps its value."""
        figures = ""
        if before and not any(gradient.value for parameter in self.parameters for gradient in parameter.gradients):
            figures = measured_as(before)  # a closure without backward() tells its number
        asked = map(lambda i: self._propose(i, n, figures), range(len(self.parameters)))
        for fault in (suggestion.fault for suggestions in asked for suggestion in suggestions if suggestion.fault):
            self.faults.append(fault)
            logger.warning("a step without a new value: %s", fault)
        usable = [[s.value for s in suggestions if not s.fault] for suggestions in asked]
        current = self._values()
        rows = max((len(values) for values in usable), default=0)
        sets = [[v[i] if i < len(v) else old for v, old in zip(usable, current, strict=True)] for i in range(rows)]
        return [values for values in sets if values != current]

    def _propose(self, index: int, n: int, figures: str) -> list[Suggestion]:
        parameter, images = self.parameters[index], prompts.Images()
        current = parameter.text
        feedback = feedback_in_context(parameter.gradients, images) or figures
        if not feedback:
            name = parameter.role_description or f"parameter {index}"
            return [Suggestion("", fault=f"no feedback reached {name}: it stays as it is (was backward() called?)")]
        prompt = prompts.improve(
            role=parameter.role_description,
            value=current,
            feedback=feedback,
            constraints=self.constraints,
            examples=self.in_context_examples,
            past=self._remembered(index, images),
            rejected=[prompts.tried(value, outcome) for value, outcome in self._rejected[index].items()],
        )

        def check(value: str) -> str:
            canonical = self.validate(value)
            return current if trimmed(current) in (value, trimmed(canonical)) else canonical

        return rewrites(self, prompt, n, check, current, images.sent)

    def _remembered(self, index: int, images: prompts.Images) -> list[tuple[int, str, str]]:
        """Collect what a prompt shows of earlier steps, oldest first, but for what it shows anyway."""
        if not self._past[index]:
            return []
        parameter = self.parameters[index]
        values, feedbacks = {parameter.text}, {parameter.get_gradient_text()}
        shown = []
        for steps, (value, gradients) in enumerate(reversed(self._past[index]), 1):
            feedback = "\n".join(gradient.value for gradient in gradients)
            old = value if steps <= self.momentum_window and value not in values else ""
            new = feedback not in feedbacks
            values.add(old)
            feedbacks.add(feedback)
            if old or new:
                without_context = [replace(gradient, context="") for gradient in gradients if new]
                shown.append((steps, old, feedback_in_context(without_context, images)))
        return shown[::-1]

    def _keep_best(self, closure: Closure, before: Feedback, candidates: Sequence[list[str]]) -> None:
        values, feedback, gradients = self._values(), before, self._gradients()
        try:
            for candidate in candidates:
                self._set(candidate)
                measured = _measured_by(closure)
                tie = self.keep_ties and measured.measured and not is_better(feedback, measured)
                if is_better(measured, feedback) or tie:
                    values, feedback, gradients = candidate, measured, self._gradients()
                else:
                    came_of_it = prompts.not_better(measured_as(measured), measured_as(feedback))
                    self._note_rejected(candidate, values, came_of_it)
        finally:  # also where the closure raised: what is left behind was measured
            self._set(values)
            for parameter, its_own in zip(self.parameters, gradients, strict=True):
                parameter.gradients = its_own

    def _note_rejected(self, candidate: Sequence[str], kept: Sequence[str], came_of_it: str) -> None:
        for rejected, value, better in zip(self._rejected, candidate, kept, strict=True):
            rejected.pop(value, None)
            rejected.pop(better, None)  # on another mini-batch, say, it was rejected
            if value != better:
                rejected[value] = came_of_it
            while len(rejected) > 1 and (len(rejected) > MOST_REJECTED or len("".join(rejected)) > MOST_REJECTED_CHARS):
                del rejected[next(iter(rejected))]

    def _values(self) -> list[str]:
        return [parameter.text for parameter in self.parameters]

    def _gradients(self) -> list[list[Gradient]]:
        return [list(parameter.gradients) for parameter in self.parameters]

    def _set(self, values: Sequence[str]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.set_value(value)


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
        if isinstance(engine, Variable | list | tuple):
            raise UsageError("write TextualGradientDescentwithMomentum(engine, parameters): the engine comes first")
        super().__init__(
            parameters,
            engine=engine,
            constraints=constraints,
            new_variable_tags=new_variable_tags,
            in_context_examples=in_context_examples,
            optimizer_system_prompt=optimizer_system_prompt,
            momentum_window=momentum_window,
        )


def _measured_by(closure: Closure) -> Feedback:
    measured = awaited(closure())
    feedback = measured.feedback if isinstance(measured, Variable) else measured
    if isinstance(feedback, SupportsFloat) and not isinstance(feedback, str):  # NumPy's and a Decimal too
        return Feedback(number(feedback, "the loss that a closure returns"))
    if not isinstance(feedback, Feedback) or feedback.loss is None:
        what = "nothing" if measured is None else "text without a number"
        raise UsageError(
            f"step(closure) compares losses, but the closure returned {what}; "
            "return a simulator's loss, a tgsci.sum of them, or a float"
        )
    return feedback


def measured_as(feedback: Feedback, loss: Loss | None = None) -> str:
    """Tell a model what a value measured: loss, metrics, and which hard limits it breaks; or why nothing.

    Args:
        feedback: The measurement.
        loss: What measured it, for its words.
    """
    if not feedback.measured:
        return feedback.text or prompts.UNMEASURED
    in_words = loss.in_words if loss else None
    return prompts.figures(feedback.loss, feedback.metrics, feedback.violations, in_words)


def as_texts(name: str, given: Sequence[str] | str | None) -> list[str]:
    """Check a list of texts; a single text is a list of one."""
    if isinstance(given, bytes | Mapping) or not isinstance(given, Iterable | None):
        raise UsageError(f'{name} are texts, ["...", "..."], not {literal(given)}')
    texts = [given] if isinstance(given, str) else list(given or ())
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f'{name} are texts, ["...", "..."], and {literal(text)} is none')
    return texts


def rewrites(
    by: TextualGradientDescent,
    prompt: str,
    n: int,
    check: Callable[[str], str],
    current: str,
    images: Sequence[bytes] = (),
) -> list[Suggestion]:
    """Ask a model for `n` new values; where something is missing, name the fault and ask once more.

    Args:
        by: Whose engine, tags and system prompt are used.
        prompt: The question, without the format of the reply.
        n: How many new values.
        check: Canonicalises a value or raises `InvalidValue`.
        current: The value that is rewritten; the tags are made to differ from what it holds.
        images: What the question speaks of as `[image 1: ...]`.

    Returns:
        The usable values, and one suggestion with its fault for each that is missing after the second reply.
    """
    engine, tags = by.engine, unused_tags(by.new_variable_tags, current)
    system = by.optimizer_system_prompt.replace("{new_variable_start_tag}", tags[0])
    system = system.replace("{new_variable_end_tag}", tags[1])

    def ask(question: str, n: int) -> tuple[Reply, Parsed]:
        reply = engine(f"{question}\n\n{prompts.reply_format(n, tags)}", system, images)
        return reply, parse(reply, n, tags, check, by_person=engine.answered_by_person, current=current)

    reply, first = ask(prompt, n)
    if not first.faults:
        return first.suggestions
    faults = prompts.retry(first.complaints, reply.text, len(first.suggestions))
    _, second = ask(f"{prompt}\n\n{faults}", len(first.faults))
    known = {suggestion.value for suggestion in first.suggestions}
    return [*first.suggestions, *(s for s in second.suggestions if s.value not in known), *second.faults]


def unused_tags(tags: tuple[str, str], value: str) -> tuple[str, str]:
    """Lengthen the tags until the value contains neither."""
    opening, closing = tags
    while opening.rstrip(">") in value or closing.rstrip(">") in value:
        opening, closing = f"{opening.rstrip('>')}_NEW>", f"{closing.rstrip('>')}_NEW>"
    return opening, closing
