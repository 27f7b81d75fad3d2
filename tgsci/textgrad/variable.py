"""`Variable` as TextGrad has it: the role is required, and a value is text, image bytes or a whole number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any

from .. import variable as core
from ..engine import Engine
from ..variable import Backward, Gradient
from .utils.image_utils import download_and_cache_image, is_valid_url


class _AnyVariable(type):
    """Makes every variable of the core an instance of `Variable`: what a model call returns, too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, core.Variable)


class Variable(core.Variable, metaclass=_AnyVariable):
    """A value in the computation graph.

    Args:
        value: Text, the bytes of an image, or a whole number.
        image_path: A file to read an image from, or its address: an http or https address is downloaded with httpx, as
            in TextGrad. (`tgsci.Variable` never fetches anything.)
        predecessors: The variables it was computed from.
        requires_grad: Whether feedback should reach it.
        role_description: What this value is for, in words; models read it.

    Raises:
        AssertionError: The value is of another type, as in TextGrad.
        UsageError: See `tgsci.Variable`.
    """

    def __init__(
        self,
        value: Any = "",
        image_path: str | Path = "",
        predecessors: Sequence[core.Variable] | None = None,
        requires_grad: bool = True,
        *,
        role_description: str,
    ) -> None:
        if not isinstance(value, str | bytes | Integral):
            raise AssertionError(f"a value must be text, a whole number or the bytes of an image, not {value!r}")
        if value == "" and is_valid_url(str(image_path)):
            value, image_path = download_and_cache_image(str(image_path)), ""
        super().__init__(value, image_path, predecessors, requires_grad, role_description=role_description)

    def set_grad_fn(self, grad_fn: Callable[..., Any] | Backward | None) -> None:
        """Set how feedback on this variable reaches its predecessors.

        Args:
            grad_fn: TextGrad's: called as `grad_fn(backward_engine=engine)`, it adds gradients to the predecessors
                itself (a `BackwardContext`, or a `functools.partial`). Or the core's `Backward`.
        """
        if grad_fn is None or isinstance(grad_fn, Backward):
            self.grad_fn = grad_fn
        else:
            self.grad_fn = Backward(_Called(grad_fn))  # edge after edge, not side by side

    def get_grad_fn(self) -> Any:
        """Return the function that was set, or the core's `Backward`."""
        edge = self.grad_fn.edge if self.grad_fn else None
        return edge.function if isinstance(edge, _Called) else self.grad_fn


class _Called:
    """Calls a backward function of TextGrad's kind where the core asks for one edge.

    The core asks edge by edge; the function adds to every predecessor at once. So it is called at the first edge, what
    it added is taken off the variables, and each edge gets its own part.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._added: dict[core.Variable, list[Gradient]] = {}

    def __call__(
        self, output: core.Variable, predecessor: core.Variable, feedback: str, engine: Engine | None
    ) -> Gradient | None:
        if predecessor not in self._added:
            self._added = self._call(output, feedback, engine)
        added = [gradient for gradient in self._added.pop(predecessor, []) if gradient.value]
        if not added:
            return None
        text = "\n".join(gradient.value for gradient in added)
        context = "\n\n".join(dict.fromkeys(gradient.context for gradient in added if gradient.context))
        return Gradient(text, f"feedback to {predecessor.role_description}", context)

    def _call(self, output: core.Variable, feedback: str, engine: Engine | None) -> dict[core.Variable, list[Gradient]]:
        concerned = (output, *output.predecessors)
        before = {variable: list(variable.gradients) for variable in concerned}
        for variable in concerned:
            variable.gradients = []
            # TextGrad's functions write to these attributes of their variables.
            vars(variable).update(gradients_context={}, _reduce_meta=[])
        if feedback:
            output.gradients = [Gradient(feedback)]
        try:
            self.function(backward_engine=engine)
            return {p: _with_contexts(p) for p in output.predecessors if p.requires_grad}
        finally:
            for variable, gradients in before.items():
                variable.gradients = gradients
                del vars(variable)["gradients_context"], vars(variable)["_reduce_meta"]


def _with_contexts(variable: core.Variable) -> list[Gradient]:
    """Return the gradients that were added to a variable, each with its context from `gradients_context`."""
    contexts = {
        gradient.value: entry["context"]
        for gradient, entry in vars(variable)["gradients_context"].items()
        if isinstance(entry["context"], str)
    }
    return [replace(gradient, context=contexts.get(gradient.value, "")) for gradient in variable.gradients]
