"""Variable: a text (or an image) in a computation graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from hashlib import sha256
from numbers import Number
from pathlib import Path
from typing import Any

from .basics.texts import literal, quote, with_type
from .engine import Engine, Reply
from .errors import UsageError
from .feedback import Feedback
from .gradient import Backward as Backward
from .gradient import Gradient as Gradient
from .gradient import Gradients, Pass, feedback_in_context
from .graph import Graph
from .prompts import Images, combined_feedback


class Variable:
    """A value in the graph: text to be optimised, a prompt, an answer, an image, a loss.

    Args:
        value: The text; bytes for an image. A number, NumPy's too, is written out; of a `Reply` the text is taken.
        image_path: A file of the caller's to read an image from, instead of `value`. URLs are refused.
        predecessors: The variables it was computed from.
        requires_grad: Whether feedback should reach it.
        role_description: What this text is for, in words; models read it.

    Raises:
        UsageError: Neither text nor image, both at once, an image that requires a gradient, or a
            variable without a gradient whose predecessors require one.
    """

    def __init__(
        self,
        value: object = "",
        image_path: str | Path = "",
        predecessors: Sequence[Variable] | None = None,
        requires_grad: bool = True,
        *,
        role_description: str = "",
    ) -> None:
        #: Copies and pickles follow the attributes in their order: this one first, or they would recurse too deep.
        self._before: Variable | None = None
        self._height: int = 0
        before = variables(predecessors, "predecessors") if predecessors else ()
        self.predecessors: tuple[Variable, ...] = tuple(dict.fromkeys(before))
        self.requires_grad: bool = requires_grad
        self.role_description = str(role_description or "")
        if image_path:
            if not (isinstance(value, str) and value == ""):
                raise UsageError(
                    f"give a value or an image_path ({quote(image_path)}), not both; a role is given by name: "
                    "role_description='...'"
                )
            value = _read_image(image_path)
        self.value = value
        if not requires_grad and any(p.requires_grad for p in self.predecessors):
            raise UsageError(
                "requires_grad=False would cut the gradient of a predecessor that requires one; "
                "set requires_grad=False there, or leave it True here"
            )
        self._gradients = Gradients()
        self.grad_fn: Backward | None = None
        self._feedback: Feedback | Sum | None = None
        #: The last `backward` from here, where it failed half-way.
        self._pass: Pass | None = None
        self._place_in_chain()

    # -- values ------------------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """The text, or an image's bytes. Images inside a text are named there: `[image 1: photo]`; see `images`."""
        return self._value.text(Images()) if isinstance(self._value, Sum) else self._value

    @value.setter
    def value(self, value: object) -> None:
        value = value if isinstance(value, Sum) else _text_or_image(value)
        # A function may draw what it is given: feedback on the image goes on to that.
        if isinstance(value, bytes) and self.requires_grad and not self.predecessors:
            raise UsageError("an image cannot be optimised: pass requires_grad=False")
        self._value: str | bytes | Sum = value

    @property
    def text(self) -> str:
        """The value as text; an image is named by its size."""
        value = self.value
        return value if isinstance(value, str) else f"[image, {len(value)} bytes]"

    @property
    def images(self) -> tuple[bytes, ...]:
        """The images in the value, in order."""
        if isinstance(self._value, str):
            return ()
        images = Images()
        self.placed(images)
        return tuple(images.sent)

    def placed(self, images: Images) -> str:
        """Write the value for a prompt: its images are added to the prompt's and numbered there."""
        if isinstance(self._value, bytes):
            return images.add(self._value, self.role_description)
        if isinstance(self._value, str):
            return self._value
        own = Images()
        return images.place(self._value.text(own), own.sent)

    def image_terms(self) -> list[tuple[bytes, str]]:
        """The images that are the value or terms of it, each with its role."""
        if isinstance(self._value, bytes):
            return [(self._value, self.role_description)]
        if isinstance(self._value, str) or not self._value.has_images:
            return []
        return [(t.value, t.role) for t in self._value.flat() if isinstance(t, Term) and isinstance(t.value, bytes)]

    @property
    def feedback(self) -> Feedback | None:
        """The measurement behind a loss; None for plain text."""
        return self._feedback.feedback() if isinstance(self._feedback, Sum) else self._feedback

    @feedback.setter
    def feedback(self, feedback: Feedback | None) -> None:
        self._feedback = feedback

    def item(self) -> float:
        """Get the loss as a number, as in PyTorch.

        Raises:
            UsageError: This variable is no measured loss.
        """
        loss = self._feedback.loss if self._feedback is not None else None
        if loss is None:
            raise UsageError(f"no number here: {self.role_description or 'this variable'} is text")
        return loss

    @property
    def identity(self) -> str:
        """The role and the value, for the fingerprint of what uses this variable."""
        value = self.value
        return f"{self.role_description}: {value if isinstance(value, str) else sha256(value).hexdigest()}"

    def get_value(self) -> Any:
        return self.value

    def set_value(self, value: object) -> None:
        """Replace the value, by text or by what `Variable` writes out as text.

        Raises:
            UsageError: Neither text nor image, or an image where a gradient is required.
        """
        self.value = value

    def get_role_description(self) -> str:
        return self.role_description

    def set_role_description(self, role_description: str) -> None:
        self.role_description = str(role_description or "")

    def get_short_value(self, n_words_offset: int = 10) -> str:
        """First and last words, for display only; models always see the whole value."""
        words = self.text.split(" ")
        if len(words) <= 2 * n_words_offset:
            return self.text
        return " ".join([*words[:n_words_offset], "(...)", *words[-n_words_offset:]])

    def __add__(self, other: Variable) -> Variable:
        if isinstance(other, str | bytes):
            raise UsageError(
                f"a Variable is added to a Variable, not to {literal(other)}: "
                "write variable + tgsci.Variable(..., requires_grad=False, role_description='...')"
            )
        if not isinstance(other, Variable):
            return NotImplemented
        return added(
            [self, other],
            "",
            f"{self.role_description} and {other.role_description}",
            Backward(pass_on, passes_on=True),
        )

    def __radd__(self, other: object) -> Variable:
        """Lets the built-in `sum` start from 0."""
        if isinstance(other, int) and other == 0:
            return self
        return NotImplemented

    # -- gradients ---------------------------------------------------------------------------------

    @property
    def gradients(self) -> Gradients:
        """The feedback that reached this variable since its gradients were last cleared."""
        return self._gradients

    @gradients.setter
    def gradients(self, gradients: Iterable[Gradient]) -> None:
        self._gradients = Gradients(gradients)

    def add_gradient(self, value: str, context: str = "") -> None:
        """Attach feedback by hand, as a person reviewing the value would."""
        self.gradients.append(Gradient(value, f"feedback to {self.role_description}", context))

    def reset_gradients(self) -> None:
        self.gradients = []

    def get_gradient_text(self) -> str:
        """Join all feedback that reached this variable since its gradients were last cleared."""
        return "\n".join(g.value for g in self.gradients)

    def get_gradient_and_context_text(self) -> str:
        """Join the feedback with the conversation or measurement that it arose in."""
        return feedback_in_context(self.gradients)

    def backward(self, engine: Engine | str | Callable[..., Any] | None = None) -> None:
        """Send feedback from this variable to everything it was computed from.

        Gradients add up on every variable until they are cleared; within one call each edge carries
        exactly the feedback of that call, once. Feedback that this variable holds already, from
        `add_gradient` say, is sent on.

        Where a model does not answer one of several questions, the others' gradients stay on the variables and the
        error is raised at the end; `backward` again asks only for what is missing.

        Args:
            engine: Writes gradients across model calls; else the one set by `set_backward_engine`.
                Not needed where the graph has only simulators' losses.

        Raises:
            GraphError: The graph has a cycle.
            UsageError: A model is needed and there is no engine.
            EngineError: A model did not answer some of the questions; names them.
        """
        self._pass = self._pass or Pass()
        self._pass.run(self, engine)
        self._pass = None

    def generate_graph(self, print_gradients: bool = False) -> Graph:
        """Draw the computation graph: it shows itself in Jupyter, and `.render()` draws it elsewhere.

        Args:
            print_gradients: Show each variable's feedback too.
        """
        return Graph(self, print_gradients)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Variable({self.get_short_value()!r}, role={self.role_description!r}, {len(self.gradients)} gradients)"

    def __copy__(self) -> Variable:
        """Copy the variable: what is added to the gradients of one does not appear on the other."""
        twin = object.__new__(type(self))
        vars(twin).update(self.__getstate__(), _gradients=Gradients(self._gradients))
        return twin

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_pass": None}  # a failed pass holds its engine: it is not the graph's

    def _term(self) -> Sum | Term:
        """Make what a sum keeps of this variable."""
        if isinstance(self._value, Sum) and self._value is self._feedback:
            return self._value
        value = self.text if isinstance(self._value, Sum) else self._value
        return Term(value, self.role_description, self.feedback)

    def _place_in_chain(self) -> None:
        """Refer to a far ancestor: a copy that begins there meets every variable's predecessors already copied.

        The ancestor's height is this one's with the lowest bit cleared: no way down is longer than log2 of the height.
        """
        deepest: Variable | None = None
        for predecessor in self.predecessors:
            if predecessor._height >= self._height:
                deepest, self._height = predecessor, predecessor._height + 1
        while deepest and deepest._height > self._height & (self._height - 1):
            deepest = deepest._before
        self._before = deepest


# -- sums ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Term:
    """What a sum keeps of one variable: the value, its role and its measurement, as they were."""

    value: str | bytes
    role: str = ""
    feedback: Feedback | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """The value of a sum, and its feedback, each made when it is asked for.

    Sums of sums refer to each other, so a running total over 2,000 reports holds each report once.

    Args:
        parts: What was added up, with plain texts between.
        loss: The measured losses added up; None where a part is text only, nan where one failed.
        has_images: True where a part is an image, or a sum that has some.
    """

    parts: tuple[Sum | Term | str, ...]
    loss: float | None
    has_images: bool = False

    def flat(self) -> list[Term | str]:
        """List the terms of this sum and of the sums in it, with the texts between."""
        found: list[Term | str] = []
        waiting: list[Sum | Term | str] = [self]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Sum):
                waiting += reversed(part.parts)
            else:
                found.append(part)
        return found

    def text(self, images: Images) -> str:
        """Join the terms to one text; images are added to `images` and named in it."""
        written = []
        for part in self.flat():
            value = part.value if isinstance(part, Term) else part
            role = part.role if isinstance(part, Term) else ""
            written.append(value if isinstance(value, str) else images.add(value, role))
        return "".join(written)

    def feedback(self) -> Feedback | None:
        """Make the feedback of the sum: None where a part is text only, a failure where one failed."""
        if self.loss is None:
            return None
        parts = [part.feedback for part in self.flat() if isinstance(part, Term) and part.feedback]
        if errors := [part.error for part in parts if part.error]:
            return Feedback.failed("; ".join(errors))
        violations = {f"{i}: {name}": v for i, part in enumerate(parts) for name, v in part.violations.items()}
        return Feedback(self.loss, self.text(Images()), violations=violations)

    def __reduce__(self) -> tuple[Any, ...]:
        return Sum, (self.parts, self.loss, self.has_images)

    def __deepcopy__(self, memo: object) -> Sum:
        return self  # nothing in it changes


def added(terms: Sequence[Variable], separator: str, role: str, grad_fn: Backward) -> Variable:
    """Make a variable whose value is the joined values of the terms; the sum of measured losses is a measured loss."""
    parts: list[Sum | Term | str] = []
    for term in terms:
        parts += [separator] * (separator != "" and bool(parts)) + [term._term()]
    losses = [term._feedback.loss if term._feedback is not None else None for term in terms]
    measured = [loss for loss in losses if loss is not None]
    total = Variable(
        predecessors=terms,
        requires_grad=any(term.requires_grad for term in terms),
        role_description=_shortened(role),
    )
    loss = math.fsum(measured) if len(measured) == len(losses) else None
    total.value = total._feedback = Sum(tuple(parts), loss, any(map(_is_image, parts)))
    total.grad_fn = grad_fn
    return total


def _is_image(part: Sum | Term | str) -> bool:
    return part.has_images if isinstance(part, Sum) else isinstance(part, Term) and isinstance(part.value, bytes)


def pass_on(output: Variable, predecessor: Variable, feedback: str, engine: Engine | None) -> Gradient | None:
    """Hand the feedback to a sum to one of its terms, if there is any."""
    if not feedback:
        return None
    # Along a chain of sums it is said once, not at every link, that the feedback is to several.
    feedback = feedback.replace(combined_feedback(output.role_description, ""), "")
    images = Images()  # those beside this term: the feedback may be to how they go together
    others = [image for p in output.predecessors if p is not predecessor for image in p.image_terms()]
    context = "\n".join(images.add(image, role) for image, role in others)
    value = combined_feedback(predecessor.role_description, feedback)
    return Gradient(value, predecessor.role_description, context, images=tuple(images.sent))


def _shortened(role: str, longest: int = 300) -> str:
    """Shorten the role of a sum: a chain of sums would otherwise repeat every role at every link."""
    return role if len(role) <= longest else role[: longest - 4] + " ..."


# -- what comes in ---------------------------------------------------------------------------------------


def variables(given: object, what: str) -> list[Variable]:
    """Check a list of variables.

    Raises:
        UsageError: It is one variable, or holds something else.
    """
    if isinstance(given, Variable):
        raise UsageError(f"{what}: a list of Variables is expected: write [variable]")
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise UsageError(f"{what}: a list of Variables is expected, not {with_type(given)}")
    return [variable(each, what) for each in given]


def variable(given: object, what: str) -> Variable:
    """Check a variable.

    Raises:
        UsageError: It is something else; says how to make one of it.
    """
    if isinstance(given, Variable):
        return given
    hint = "write tgsci.Variable(value, requires_grad=False, role_description='what it is')"
    if isinstance(given, list | tuple) and given and isinstance(given[0], Variable):
        hint = "give one variable; MultimodalLLMCall and FormattedLLMCall take several"
    raise UsageError(f"{what}: a Variable is expected, not {with_type(given)}; {hint}")


def _text_or_image(value: object) -> str | bytes:
    """Bring a value to what a variable holds: numbers and dates written out, a text of any class as plain text."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, Reply):
        return value.text
    if hasattr(value, "item") and hasattr(value, "dtype") and getattr(value, "shape", None) == ():
        item, written = value.item(), str(value)
        # NumPy's write themselves out: as Python's float, 0.1 of 32 bits is no 0.1. A tensor writes "tensor(0.1)".
        return written if isinstance(item, Number) and "(" not in written else _text_or_image(item)
    if isinstance(value, Number | date | time | timedelta) and not (isinstance(value, date) and value != value):
        return str(value)
    hint = ""
    if isinstance(value, list | tuple | set | dict):
        hint = ": write it as text, for example json.dumps(value)"
    elif hasattr(value, "shape"):
        hint = f" of shape {getattr(value, 'shape', ())}: take one element, or write it as text"
    elif isinstance(value, Path):
        hint = ": pass value.read_text(), or image_path= for an image"
    elif isinstance(value, Variable):
        hint = ": use that Variable itself, or its .value"
    elif value is None:
        hint = ": pass '' for an empty text"
    raise UsageError(f"a Variable holds text, a number or image bytes, not {type(value).__name__}{hint}")


def _read_image(path: str | Path) -> bytes:
    if "://" in str(path):
        raise UsageError(f"images are never fetched: download {str(path)!r} and pass its bytes or a path")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the image {str(path)!r}: {error.strerror}") from None
