"""Gradients are text: what they are, and how they flow back through a graph.

A pass walks the graph iteratively, level by level away from the output. The edges of one level are independent, so
those that ask a model are asked at the same time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, SupportsIndex

from . import prompts
from .basics.texts import quote, with_type
from .engine import Engine, Reply, default_engine, map, optional_engine
from .errors import EngineError, UsageError
from .graph import levels

if TYPE_CHECKING:
    from .variable import Variable

logger = logging.getLogger("tgsci")


@dataclass(frozen=True, slots=True)
class Gradient:
    """A text that says how a value should change.

    Args:
        value: The feedback.
        role_description: What it is feedback to.
        context: The conversation or measurement in which it arose; shown to the optimizer with it.
        groups: The aggregations it came through; gradients that share one are reduced to one.
        images: What `[image 1: ...]`, `[image 2: ...]` in the value and the context stand for.
    """

    value: str
    role_description: str = ""
    context: str = ""
    groups: tuple[int, ...] = ()
    images: tuple[bytes, ...] = ()

    def get_value(self) -> str:
        return self.value

    def get_role_description(self) -> str:
        return self.role_description

    def __str__(self) -> str:
        return self.value


class Gradients(list[Gradient]):
    """The gradients of one variable. A text or a variable that is appended, as TextGrad's users do, becomes one.

    Raises:
        UsageError: Something else was appended.
    """

    def __init__(self, gradients: Iterable[Gradient] = ()) -> None:
        super().__init__(_as_gradients(gradients) if gradients else ())

    def append(self, gradient: Gradient) -> None:
        super().append(_as_gradient(gradient))

    add = append

    def insert(self, index: SupportsIndex, gradient: Gradient) -> None:
        super().insert(index, _as_gradient(gradient))

    def extend(self, gradients: Iterable[Gradient]) -> None:
        super().extend(_as_gradients(gradients))

    def __iadd__(self, gradients: Iterable[Gradient]) -> Self:  # type: ignore[override,misc] # a text too
        self.extend(gradients)
        return self

    def __setitem__(self, index: Any, gradient: Any) -> None:
        super().__setitem__(index, _as_gradients(gradient) if isinstance(index, slice) else _as_gradient(gradient))


def _as_gradients(feedback: Iterable[object]) -> list[Gradient]:
    """Gradients; of a text or a variable in place of a list, its one."""
    if isinstance(feedback, Iterable) and not isinstance(feedback, str | bytes):
        return [_as_gradient(each) for each in feedback]
    return [_as_gradient(feedback)]


def _as_gradient(feedback: object) -> Gradient:
    if isinstance(feedback, Gradient):
        return feedback
    if isinstance(feedback, str):
        return Gradient(feedback, "feedback")
    if isinstance(text := getattr(feedback, "text", None), str) and hasattr(feedback, "gradients"):  # a Variable
        return Gradient(text, str(getattr(feedback, "role_description", "")), images=getattr(feedback, "images", ()))
    raise UsageError(
        f"a gradient is a tgsci.Gradient, a Variable or a text, not {with_type(feedback)}; "
        "write variable.add_gradient('what should change')"
    )


@dataclass(frozen=True, slots=True)
class Backward:
    """How feedback on an output becomes feedback on one of its predecessors.

    Args:
        edge: `(output, predecessor, feedback, engine) -> Gradient | None`, where `feedback` is the
            text that reached the output ("" at the end of the graph).
        asks_model: True where `edge` calls an engine: such edges run concurrently.
        group: Set by an aggregation: what flows through is reduced where it meets again.
        passes_on: True where the gradient is the feedback that reached the output, as across a sum.
    """

    edge: Callable[[Variable, Variable, str, Engine | None], Gradient | None]
    asks_model: bool = False
    group: int | None = None
    passes_on: bool = False


def feedback_in_context(gradients: Sequence[Gradient], images: prompts.Images | None = None) -> str:
    """Write gradients for a prompt: a context that several share stands there once, and their images are numbered.

    Args:
        gradients: In the order in which they are shown.
        images: The images of the prompt; those of the gradients are added.
    """
    images = prompts.Images() if images is None else images
    together: dict[tuple[str, tuple[bytes, ...]], list[str]] = {}
    for gradient in gradients:
        together.setdefault((gradient.context, gradient.images), []).append(gradient.value)
    return "\n\n".join(
        images.place(prompts.gradients_in_context(values, context), own) for (context, own), values in together.items()
    )


def ask_for_feedback(engine: Engine, prompt: str, system: str, images: Sequence[bytes], what: str) -> str:
    """Ask a model for an evaluation or a gradient. An empty or cut reply is asked for once more.

    Args:
        engine: Answers.
        prompt: The question.
        system: The system prompt.
        images: What the prompt speaks of.
        what: What is asked for, for the log: "evaluation of the answer".

    Returns:
        The feedback. One that was cut twice says so at its end; "" where nothing came twice.

    Raises:
        EngineError: The engine had no answer.
    """
    reply = engine(prompt, system, images)
    if not (fault := _fault(reply)):
        return reply.text
    again = engine(prompts.ask_again(prompt, fault), system, images)
    if not _fault(again):
        return again.text
    text = again.text if again.text.strip() else reply.text
    if not text.strip():
        logger.warning("%s wrote no %s: its reply was empty twice", engine.name, what)
        return ""
    logger.warning("%s wrote only a part of the %s: its reply was cut off by the length limit", engine.name, what)
    return f"{text}\n{prompts.CUT}"


def _fault(reply: Reply) -> str:
    if not reply.text.strip():
        return "empty"
    return "cut off by the length limit" if reply.truncated else ""


class Pass:
    """Sends feedback once through a graph: what `Variable.backward` does.

    Where a question fails, the others are still asked, and the error is raised at the end. The same pass, run again,
    asks only what is missing.
    """

    def __init__(self) -> None:
        #: What models answered, by everything that made the question.
        self._answered: dict[Hashable, Gradient | None] = {}
        #: What a failed run left on variables.
        self._left: list[tuple[Variable, Gradient]] = []

    def run(self, root: Variable, engine: Engine | str | Callable[..., Any] | None) -> None:
        """Send feedback from a variable to everything that it was computed from.

        Raises:
            GraphError: The graph has a cycle.
            UsageError: A model is needed and there is no engine.
            EngineError: A model did not answer some of the questions; names them.
        """
        graph = levels(root, lambda variable: variable.requires_grad)
        asks_model = any(
            v.grad_fn.asks_model and any(p.requires_grad for p in v.predecessors)
            for level in graph
            for v in level
            if v.grad_fn
        )
        self._writer = default_engine(engine) if asks_model else optional_engine(engine)
        self._received: dict[Variable, list[Gradient]] = {v: [] for level in graph for v in level}
        self._received[root] = list(root.gradients)
        self._failures: list[tuple[str, Exception]] = []
        #: Variables that lack a part of their feedback: nothing is asked with less than the whole.
        self._incomplete: set[Variable] = set()
        for level in graph:
            if self._writer is not None:
                self._reduce_groups(level, self._writer)
            self._cross(level)
        del self._received[root]
        self._leave()
        if self._failures:
            self._raise()

    def _cross(self, level: Sequence[Variable]) -> None:
        """Send feedback across every edge that leaves a level, in the graph's order."""
        edges: list[tuple[Variable, Variable, Backward]] = []
        for output in level:
            into = [p for p in output.predecessors if p.requires_grad]
            if output in self._incomplete:
                self._incomplete.update(into)
            elif output.grad_fn:
                edges += [(output, predecessor, output.grad_fn) for predecessor in into]

        if not edges:
            return
        reached = {output: _together(self._received[output]) for output, _, _ in edges}

        def cross(edge: tuple[Variable, Variable, Backward]) -> Gradient | Exception | None:
            output, predecessor, backward = edge
            feedback = reached[output].value
            if not backward.asks_model:
                return backward.edge(output, predecessor, feedback, self._writer)
            key = (output, predecessor, output.text, predecessor.text, feedback)
            return self._once(key, lambda: backward.edge(output, predecessor, feedback, self._writer))

        asking = [edge for edge in edges if edge[2].asks_model]
        answers = iter(map(cross, asking) if asking else ())
        for edge in edges:
            output, predecessor, backward = edge
            answer = next(answers) if backward.asks_model else cross(edge)
            if isinstance(answer, Exception):
                self._incomplete.add(predecessor)
                # The other input tells best which of many calls it was: "question 7", where all answers are alike.
                source = next((p for p in reversed(output.predecessors) if p is not predecessor), output)
                what = f"feedback to the {predecessor.role_description or 'variable'} (from {quote(source.text, 40)})"
                self._failures.append((what, answer))
            elif answer is not None:
                self._received[predecessor].append(_inherit(answer, reached[output], backward))

    def _reduce_groups(self, level: Sequence[Variable], engine: Engine) -> None:
        """Let a model condense the gradients of one aggregation to one where they meet.

        Without a model they all stay: a list is longer than its summary, but nothing is lost.
        """
        meetings = []
        for variable in (v for v in level if v not in self._incomplete):
            groups: dict[tuple[int, ...], list[Gradient]] = {}
            for gradient in (g for g in self._received[variable] if g.value):
                groups.setdefault(gradient.groups, []).append(gradient)
            meetings += [(variable, key, met) for key, met in groups.items() if key and len(met) > 1]

        def reduce(meeting: tuple[Variable, tuple[int, ...], list[Gradient]]) -> Gradient | Exception | None:
            variable, groups, met = meeting
            return self._once((variable, *met), lambda: _condensed(engine, variable, groups, met))

        for (variable, shared, _), reduced in zip(meetings, map(reduce, meetings), strict=True):
            if isinstance(reduced, Exception):
                self._incomplete.add(variable)
                self._failures.append((f"the summary of all feedback to the {variable.role_description}", reduced))
            elif reduced is not None:
                others = [g for g in self._received[variable] if g.groups != shared]
                self._received[variable] = [*others, reduced]

    def _once(self, key: Hashable, ask: Callable[[], Gradient | None]) -> Gradient | Exception | None:
        """Take the answer of an earlier run of this pass, else ask; return the error where there is no answer."""
        if key not in self._answered:
            try:
                self._answered[key] = ask()
            except Exception as error:  # whatever it is, the other answers are paid for; it is raised at the end
                return error
        return self._answered[key]

    def _leave(self) -> None:
        """Put the gradients on the variables, in place of those that a failed run left there."""
        before = {id(gradient) for _, gradient in self._left}
        for variable in dict.fromkeys(variable for variable, _ in self._left):
            variable.gradients = [g for g in variable.gradients if id(g) not in before]
        self._left = []
        if self._failures and not self._answered:  # nothing was paid for: all is as it was
            return
        for variable, gradients in self._received.items():
            self._left += [(variable, gradient) for gradient in gradients if gradient.value]
            variable.gradients.extend(gradient for gradient in gradients if gradient.value)

    def _raise(self) -> None:
        """Name what could not be had. A programming error stays what it is, with a note."""
        named = "; ".join(f"{what}: {error}" for what, error in self._failures[:3])
        more = f"; and {len(self._failures) - 3} more" if len(self._failures) > 3 else ""
        kept = f" The others are kept ({len(self._left)} gradients): backward() again asks only for what is missing."
        message = f"no {named}{more}.{kept if self._left else ''}"
        errors = [error for _, error in self._failures]
        bug = next((error for error in errors if not isinstance(error, EngineError)), None)
        if bug is None:
            raise EngineError(message) from errors[0]
        bug.add_note(message)
        raise bug


def _condensed(
    engine: Engine, variable: Variable, groups: tuple[int, ...], gradients: Sequence[Gradient]
) -> Gradient | None:
    """Ask a model to condense several gradients of one aggregation; None where it wrote nothing."""
    images = prompts.Images()
    values = [images.place(g.value, g.images) for g in gradients]
    contexts = dict.fromkeys(images.place(g.context, g.images) for g in gradients if g.context)
    role = f"feedback to {variable.role_description}"
    prompt = prompts.reduce_gradients(variable.role_description, values)
    text = ask_for_feedback(engine, prompt, prompts.BACKWARD, images.sent, f"summary of the {role}")
    return Gradient(text, role, "\n\n".join(contexts), groups, tuple(images.sent)) if text else None


def _together(gradients: Sequence[Gradient]) -> Gradient:
    """Join all feedback to one variable, with its contexts, images and aggregations."""
    if len(gradients) < 2:
        return gradients[0] if gradients else Gradient("")
    groups = tuple(dict.fromkeys(group for g in gradients for group in g.groups))
    said = [g for g in gradients if g.value]
    if len(said) == 1:
        return replace(said[0], groups=groups)
    images = prompts.Images()
    values = [images.place(g.value, g.images) for g in said]
    contexts = dict.fromkeys(images.place(g.context, g.images) for g in said if g.context)
    return Gradient("\n".join(values), "", "\n\n".join(contexts), groups, tuple(images.sent))


def _inherit(gradient: Gradient, reached: Gradient, backward: Backward) -> Gradient:
    """Mark a gradient with the aggregations that the feedback to its output came through.

    What only passes feedback on, as a sum does, passes its context and its images on too.
    """
    groups = (*reached.groups, *([] if backward.group is None else [backward.group]))
    if groups:
        gradient = replace(gradient, groups=tuple(dict.fromkeys((*gradient.groups, *groups))))
    if not (reached.value and gradient.value) or backward.asks_model or (gradient.context and not backward.passes_on):
        return gradient
    images = prompts.Images()
    value = images.place(gradient.value, reached.images)
    contexts = [images.place(reached.context, reached.images), images.place(gradient.context, gradient.images)]
    return replace(gradient, value=value, context="\n".join(filter(None, contexts)), images=tuple(images.sent))
