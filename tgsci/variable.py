"""Variable: a text (or an image) in a computation graph, and how gradients flow back through it.

Gradients are text. `backward` walks the graph iteratively, level by level away from the output; the
edges of one level are independent, so those that ask a model are asked at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from . import prompts
from .engine import Engine, default_engine, map, optional_engine
from .errors import GraphError, UsageError
from .feedback import Feedback, combined

if TYPE_CHECKING:
    from .graph import Graph


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

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Backward:
    """How feedback on an output becomes feedback on one of its predecessors.

    Args:
        edge: `(output, predecessor, feedback, engine) -> Gradient | None`, where `feedback` is the
            text that reached the output ("" at the end of the graph).
        asks_model: True where `edge` calls an engine: such edges run concurrently.
        group: Set by an aggregation: what flows through is reduced where it meets again.
    """

    edge: Callable[[Variable, Variable, str, Engine | None], Gradient | None]
    asks_model: bool = False
    group: int | None = None


GradFn: TypeAlias = Backward | None


class Variable:
    """A value in the graph: text to be optimised, a prompt, an answer, an image, a loss.

    Args:
        value: The text; bytes for an image.
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
        value: str | bytes | int | float = "",
        image_path: str | Path = "",
        predecessors: Sequence[Variable] | None = None,
        requires_grad: bool = True,
        *,
        role_description: str = "",
    ) -> None:
        if image_path:
            if value != "":
                raise UsageError("give a value or an image_path, not both")
            value = _read_image(image_path)
        if isinstance(value, int | float):
            value = str(value)
        if not isinstance(value, str | bytes):
            raise UsageError(f"a Variable holds text or image bytes, not {type(value).__name__}")
        if isinstance(value, bytes) and requires_grad:
            raise UsageError("an image cannot be optimised: pass requires_grad=False")
        self.requires_grad: bool = requires_grad
        self.predecessors: tuple[Variable, ...] = tuple(dict.fromkeys(predecessors or ()))
        if not requires_grad and any(p.requires_grad for p in self.predecessors):
            raise UsageError(
                "requires_grad=False would cut the gradient of a predecessor that requires one; "
                "set requires_grad=False there, or leave it True here"
            )
        self.value: str | bytes = value
        self.role_description = role_description
        self.gradients: list[Gradient] = []
        self.grad_fn: GradFn = None
        #: The measurement behind a loss node; None for plain text.
        self.feedback: Feedback | None = None

    # -- values ------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The value as text; an image is named by its size."""
        return self.value if isinstance(self.value, str) else f"[image, {len(self.value)} bytes]"

    def item(self) -> float:
        """The loss as a number, as in PyTorch.

        Raises:
            UsageError: This variable is no measured loss.
        """
        if self.feedback is None or self.feedback.loss is None:
            raise UsageError(f"no number here: {self.role_description or 'this variable'} is text")
        return self.feedback.loss

    def get_value(self) -> str | bytes:
        return self.value

    def set_value(self, value: str) -> None:
        self.value = value

    def get_role_description(self) -> str:
        return self.role_description

    def set_role_description(self, role_description: str) -> None:
        self.role_description = role_description

    def get_short_value(self, n_words_offset: int = 10) -> str:
        """First and last words, for display only; models always see the whole value."""
        words = self.text.split(" ")
        if len(words) <= 2 * n_words_offset:
            return self.text
        return " ".join([*words[:n_words_offset], "(...)", *words[-n_words_offset:]])

    def __add__(self, other: Variable) -> Variable:
        if not isinstance(other, Variable):
            return NotImplemented
        total = Variable(
            self.text + other.text,
            predecessors=[self, other],
            requires_grad=self.requires_grad or other.requires_grad,
            role_description=shortened(f"{self.role_description} and {other.role_description}"),
        )
        total.feedback = combined([self.feedback, other.feedback], total.text)
        total.grad_fn = Backward(pass_on)
        return total

    def __radd__(self, other: object) -> Variable:
        """Lets the built-in `sum` start from 0."""
        if other == 0:
            return self
        return NotImplemented

    # -- gradients ---------------------------------------------------------------------------------

    def add_gradient(self, value: str, context: str = "") -> None:
        """Attach feedback by hand, as a person reviewing the value would."""
        self.gradients.append(Gradient(value, f"feedback to {self.role_description}", context))

    def reset_gradients(self) -> None:
        self.gradients = []

    def get_gradient_text(self) -> str:
        """All feedback that reached this variable since its gradients were last cleared."""
        return "\n".join(g.value for g in self.gradients)

    def get_gradient_and_context_text(self) -> str:
        """The feedback together with the conversation or measurement it arose in."""
        return feedback_in_context(self.gradients)

    def backward(self, engine: Engine | str | Callable[..., Any] | None = None) -> None:
        """Send feedback from this variable to everything it was computed from.

        Gradients add up on every variable until they are cleared; within one call each edge carries
        exactly the feedback of that call, once. Feedback that this variable holds already, from
        `add_gradient` say, is sent on.

        Args:
            engine: Writes gradients across model calls; else the one set by `set_backward_engine`.
                Not needed where the graph has only simulators' losses.

        Raises:
            GraphError: The graph has a cycle.
            UsageError: A model is needed and there is no engine.
        """
        levels = _levels(self)
        asks_model = any(
            v.grad_fn.asks_model and any(p.requires_grad for p in v.predecessors)
            for level in levels
            for v in level
            if v.grad_fn
        )
        writer = default_engine(engine) if asks_model else optional_engine(engine)
        received: dict[Variable, list[Gradient]] = {v: [] for level in levels for v in level}
        received[self] = list(self.gradients)
        for level in levels:
            _reduce_groups(level, received, writer)
            for output, predecessor, gradient in _cross(level, received, writer):
                if gradient is not None:
                    received[predecessor].append(_inherit(gradient, received[output], output))
        del received[self]
        for variable, gradients in received.items():
            variable.gradients.extend(g for g in gradients if g.value)

    def generate_graph(self, print_gradients: bool = False) -> Graph:
        """The computation graph as a picture: shows itself in Jupyter, `.save("graph.svg")` elsewhere.

        Args:
            print_gradients: Show each variable's feedback too.
        """
        from .graph import Graph

        return Graph.of(self, print_gradients=print_gradients)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Variable({self.get_short_value()!r}, role={self.role_description!r}, {len(self.gradients)} gradients)"


def feedback_in_context(gradients: Sequence[Gradient], images: prompts.Images | None = None) -> str:
    """Gradients as they stand in a prompt: a context that several share is given once, their images are numbered there.

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


def pass_on(output: Variable, predecessor: Variable, feedback: str, engine: Engine | None) -> Gradient | None:
    """The backward of a sum: each term gets the feedback to the whole, if there is any."""
    if not feedback:
        return None
    # Along a chain of sums it is said once, not at every link, that the feedback is to several.
    feedback = feedback.replace(prompts.combined_feedback(output.role_description, ""), "")
    return Gradient(prompts.combined_feedback(predecessor.role_description, feedback), predecessor.role_description)


def shortened(role: str, longest: int = 300) -> str:
    """The role of a sum: a chain of sums would otherwise repeat every role at every link."""
    return role if len(role) <= longest else role[: longest - 4] + " ..."


def topological(root: Variable) -> list[Variable]:
    """Every variable `root` was computed from, each after all its predecessors; deterministic.

    Raises:
        GraphError: The graph has a cycle.
    """
    order: list[Variable] = []
    done: dict[Variable, bool] = {}  # False while its predecessors are being visited
    stack: list[tuple[Variable, int]] = [(root, 0)]
    while stack:
        variable, position = stack.pop()
        if position == 0:
            if variable in done:
                continue
            done[variable] = False
        if position == len(variable.predecessors):
            done[variable] = True
            order.append(variable)
            continue
        stack.append((variable, position + 1))
        predecessor = variable.predecessors[position]
        if done.get(predecessor) is False:
            raise GraphError(f"the graph has a cycle through {predecessor.role_description or predecessor.text[:60]!r}")
        if predecessor not in done:
            stack.append((predecessor, 0))
    return order


def _levels(root: Variable) -> list[list[Variable]]:
    """Variables that require a gradient, grouped by their longest distance from the output."""
    distance: dict[Variable, int] = {root: 0}
    levels: list[list[Variable]] = []
    for variable in reversed(topological(root)):
        if not variable.requires_grad or variable not in distance:
            continue
        depth = distance[variable]
        while len(levels) <= depth:
            levels.append([])
        levels[depth].append(variable)
        for predecessor in variable.predecessors:
            distance[predecessor] = max(distance.get(predecessor, 0), depth + 1)
    for level in levels:
        level.reverse()  # back to the order in which the graph was built
    return levels


def _feedback(gradients: Sequence[Gradient]) -> str:
    return "\n".join(g.value for g in gradients)


_Edge: TypeAlias = tuple[Variable, Variable, "Gradient | None"]


def _cross(level: Sequence[Variable], received: dict[Variable, list[Gradient]], engine: Engine | None) -> list[_Edge]:
    """The gradients across every edge that leaves this level, in the graph's order."""
    edges = [(v, p, v.grad_fn) for v in level if v.grad_fn for p in v.predecessors if p.requires_grad]

    def cross(edge: tuple[Variable, Variable, Backward]) -> Gradient | None:
        output, predecessor, backward = edge
        return backward.edge(output, predecessor, _feedback(received[output]), engine)

    asking = [edge for edge in edges if edge[2].asks_model]
    answers = iter(map(cross, asking))
    return [(e[0], e[1], next(answers) if e[2].asks_model else cross(e)) for e in edges]


def _inherit(gradient: Gradient, upstream: Sequence[Gradient], output: Variable) -> Gradient:
    """Mark a gradient with the aggregations that the feedback to its output came through."""
    groups = [group for g in upstream for group in g.groups]
    if output.grad_fn and output.grad_fn.group is not None:
        groups.append(output.grad_fn.group)
    return replace(gradient, groups=tuple(dict.fromkeys((*gradient.groups, *groups))))


def _reduce_groups(level: Sequence[Variable], received: dict[Variable, list[Gradient]], engine: Engine | None) -> None:
    """Where several gradients of one aggregation meet, a model condenses them to one.

    Without a model they all stay: a list is longer than its summary, but nothing is lost.
    """
    if engine is None:
        return
    meetings = []
    for variable in level:
        groups: dict[tuple[int, ...], list[Gradient]] = {}
        for gradient in (g for g in received[variable] if g.value):
            groups.setdefault(gradient.groups, []).append(gradient)
        meetings += [(variable, key, met) for key, met in groups.items() if key and len(met) > 1]

    def reduce(meeting: tuple[Variable, tuple[int, ...], list[Gradient]]) -> Gradient:
        variable, key, met = meeting
        reply = engine(prompts.reduce_gradients(variable.role_description, [g.value for g in met]), prompts.BACKWARD)
        context = "\n\n".join(dict.fromkeys(g.context for g in met if g.context))
        return Gradient(reply.text, f"feedback to {variable.role_description}", context, key)

    for (variable, key, _), reduced in zip(meetings, map(reduce, meetings), strict=True):
        kept = [g for g in received[variable] if g.groups != key]
        received[variable] = [*kept, reduced]


def _read_image(path: str | Path) -> bytes:
    if "://" in str(path):
        raise UsageError(f"images are never fetched: download {str(path)!r} and pass its bytes or a path")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the image {str(path)!r}: {error.strerror}") from None
