"""Functions of your own: a forward, and a backward that adds gradients to the predecessors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ...functions import Module as Module
from ...variable import Variable


class Function(ABC):
    """Something that is called on variables and through which feedback flows back."""

    def __call__(self, *args: Any, **kwargs: Any) -> Variable:
        return self.forward(*args, **kwargs)

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Variable:
        """Compute the output; set its `grad_fn` to a `BackwardContext` of `backward`."""

    @abstractmethod
    def backward(self, *args: Any, **kwargs: Any) -> None:
        """Add gradients to the predecessors. Called with the context's arguments and `backward_engine`."""


class BackwardContext:
    """A backward function with the arguments to call it with.

    Args:
        backward_fn: Called as `backward_fn(*args, **kwargs, backward_engine=engine)`.
        args: Positional arguments.
        kwargs: Keyword arguments.
    """

    def __init__(self, backward_fn: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.backward_fn = backward_fn
        self.fn_name = f"{backward_fn.__module__}.{backward_fn.__qualname__}"
        self.args = args
        self.kwargs = kwargs

    def __call__(self, backward_engine: Any) -> Any:
        return self.backward_fn(*self.args, **self.kwargs, backward_engine=backward_engine)

    def __repr__(self) -> str:
        return self.fn_name
