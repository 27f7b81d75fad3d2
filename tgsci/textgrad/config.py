"""The engine that is used wherever none is given."""

from __future__ import annotations

import functools
import inspect
from typing import Any, TypeVar

from .. import engine as core
from ..errors import UsageError
from .engine import get_engine

T = TypeVar("T")


class SingletonBackwardEngine:
    """Holds the engine that `set_backward_engine` set. Every instance is the same one."""

    _instance: SingletonBackwardEngine | None = None
    engine: Any = None

    def __new__(cls) -> SingletonBackwardEngine:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def set_engine(self, engine: Any, override: bool = False) -> None:
        """Set the engine; None takes it away.

        Raises:
            UsageError: One is set already, and `override` is False.
        """
        if self.engine is not None and not override:
            raise UsageError("a backward engine is set already; pass override=True to replace it")
        core.set_backward_engine(engine)
        self.engine = engine

    def get_engine(self) -> Any:
        """The engine, or None."""
        return self.engine


def set_backward_engine(engine: Any, override: bool = False, **parameters: Any) -> None:
    """Set the engine that is used wherever none is given.

    Args:
        engine: An `EngineLM`, a name as `get_engine` takes it, or any callable.
        override: False refuses to replace an engine that is set already.
        parameters: With a name: as for `get_engine`.

    Raises:
        UsageError: One is set already, and `override` is False.
    """
    if isinstance(engine, str):
        engine = get_engine(engine, **parameters)
    SingletonBackwardEngine().set_engine(engine, override=override)


def validate_engine_or_get_default(engine: Any) -> Any:
    """The engine that was given, by its name too, or the one that is set.

    Raises:
        UsageError: There is neither.
    """
    if engine is None:
        engine = SingletonBackwardEngine().get_engine()
    if engine is None:
        raise UsageError("no engine: give one to this call, or call set_backward_engine(engine) once")
    return get_engine(engine) if isinstance(engine, str) else engine


def takes_engine_names(kind: type[T]) -> type[T]:
    """Decorate a class: an `engine` that is given by its name is `get_engine(name)`. The core knows litellm's names."""
    made = kind.__init__
    signature = inspect.signature(made)

    @functools.wraps(made)
    def by_name(*args: Any, **kwargs: Any) -> None:
        given = signature.bind(*args, **kwargs)
        if isinstance(name := given.arguments.get("engine"), str):
            given.arguments["engine"] = get_engine(name)
        made(*given.args, **given.kwargs)

    type.__setattr__(kind, "__init__", by_name)
    return kind
