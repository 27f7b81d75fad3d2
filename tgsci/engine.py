"""Engines: whatever answers a prompt. A model, a person, a recording or a script.

An engine is any callable `(prompt, system_prompt) -> str`; `as_engine` turns it, or a name, into an
`Engine`. Everything in tgsci that asks a question asks it through `Engine.__call__`, so one place can
count it, record it and, on a resumed run, answer it from the record (`recording`).
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import re
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import MethodType
from typing import Any, Self, TypeAlias, TypeVar

from .errors import EngineError, UsageError
from .fingerprint import digest, function_identity, setting_of

T = TypeVar("T")
R = TypeVar("R")

#: Questions asked at the same time by `map`.
MAX_CONCURRENT = 32


@dataclass(frozen=True, slots=True)
class Reply:
    """What an engine answered.

    Args:
        text: The answer.
        tokens_in: Tokens of the prompt, None where unknown.
        tokens_out: Tokens of the answer, None where unknown.
        usd: Price in US dollars, None where unknown (never 0 for unknown).
        seconds: Wall time of the call, s.
        finish: Why the answer ended: "stop", or "length" where it was cut off.
        model: The name of whatever answered.
    """

    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    usd: float | None = None
    seconds: float = 0.0
    finish: str = "stop"
    model: str = ""

    @property
    def truncated(self) -> bool:
        """True where the answer was cut off by a length limit."""
        return self.finish == "length"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Call:
    """A question about to be asked, as a recorder sees it."""

    engine: Engine
    prompt: str
    system: str
    images: tuple[bytes, ...]


#: Stands between the question and the engine: may answer from a record, and keeps what it hears.
Recorder: TypeAlias = Callable[[Call, Callable[[], Reply]], Reply]

_recorder: contextvars.ContextVar[Recorder | None] = contextvars.ContextVar("tgsci_recorder", default=None)


_LOCKS: dict[type, Callable[[], Any]] = {type(make()): make for make in (threading.Lock, threading.RLock)}


class Engine(ABC):
    """Answers prompts. Derive and write `complete`, or hand any callable to `as_engine`."""

    #: Shown in tables and recorded with every call.
    name: str = "engine"
    #: Where prompts go, in plain words; printed before a run starts.
    destination: str = "nothing leaves this machine"
    #: True where a person answers, who may leave out the tags that keep a model's reply readable.
    answered_by_person: bool = False
    #: What the constructor was given, as far as it can be written down and is no secret.
    _made_with: str = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._made_with = _arguments(cls, args, kwargs)
        return self

    @property
    def identity(self) -> str:
        """Who answers: the class, the name and every argument of the constructor but secrets.

        A recorded answer, and a measurement that asked this engine, are used again only for the same identity.
        Override it where something else changes the answers.
        """
        return f"{type(self).__qualname__}({', '.join(filter(None, (repr(self.name), self._made_with)))})"

    @abstractmethod
    def complete(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Reply | str:
        """Answer one prompt.

        Args:
            prompt: The question.
            system: The system prompt; may be empty.
            images: Encoded images (PNG, JPEG, ...) that the prompt speaks of, in order.

        Raises:
            EngineError: No answer could be had; says why and what to do.
        """

    def __call__(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Reply:
        """Answer one prompt, timed, and recorded where a run is listening."""
        system, images = system or "", tuple(images)
        recorder = _recorder.get()
        if recorder is None:
            return self.answer(prompt, system, images)
        return recorder(Call(self, prompt, system, images), lambda: self.answer(prompt, system, images))

    def answer(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Reply:
        """`complete`, timed and named; for an engine that stands in front of another. Nothing is recorded."""
        started = time.perf_counter()
        answer = self.complete(prompt, system, images)
        reply = answer if isinstance(answer, Reply) else Reply(_text(answer, self.name))
        return replace(reply, seconds=reply.seconds or time.perf_counter() - started, model=reply.model or self.name)

    def generate(self, content: str, system_prompt: str = "") -> str:
        """TextGrad's spelling: the answer's text alone."""
        return self(content, system_prompt).text

    def skip(self, calls: int) -> None:
        """Told when a run begins or resumes: this many of its questions are answered already."""
        return

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __getstate__(self) -> dict[str, Any]:
        """For copies and worker processes: a lock stays here, the copy gets one of its own."""
        return {name: _LOCKS.get(type(value), value) for name, value in vars(self).items()}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update({k: v() if any(v is lock for lock in _LOCKS.values()) else v for k, v in state.items()})


class FunctionEngine(Engine):
    """A plain function as an engine.

    Args:
        function: `(prompt)` or `(prompt, system_prompt)` returning text or a `Reply`. One that takes
            `system_prompt` by keyword, as TextGrad's engines do, gets it by keyword.
    """

    destination = "your own function answers; what it sends out is up to it"

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)
        fixed = "system_prompt" in getattr(function, "keywords", ())  # by functools.partial
        self._by_keyword = not fixed and _takes(function, "prompt", system_prompt="system")
        self._by_position = _second_is_system(function)
        self._digest = _digest_at_first_sight(function)

    @property
    def identity(self) -> str:
        """The function's name and a digest of its code and of what it was made with."""
        return f"function {self.name} {self._digest}"

    def complete(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Reply | str:
        if images:
            raise EngineError(f"engine {self.name!r} is a plain function and takes no images")
        if system and self._by_keyword:
            answer = self.function(prompt, system_prompt=system)
        elif self._by_position:
            answer = self.function(prompt, system)
        else:
            answer = self.function(f"{system}\n\n{prompt}" if system else prompt)
        return answer if isinstance(answer, Reply) else _text(answer, self.name)


def as_engine(engine: Engine | str | Callable[..., Any]) -> Engine:
    """Turn a name or any callable into an `Engine`.

    Args:
        engine: An `Engine`; a callable `(prompt, system_prompt=None) -> str`; or a name: `"human"`,
            `"replay:FILE"`, or a model as litellm writes it (`"gpt-4o"`, `"ollama/qwen3"`, ...).

    Raises:
        UsageError: The name is empty or the object is no engine.
    """
    if isinstance(engine, Engine):
        return engine
    if isinstance(engine, str):
        from .engines import engine_named

        return engine_named(engine)
    if hasattr(engine, "as_engine") and not isinstance(engine, type):  # it knows better how it is asked
        return as_engine(engine.as_engine())
    if callable(engine):
        return FunctionEngine(engine)
    raise UsageError(f"not an engine: {engine!r}. Give a model name, a callable, or an Engine.")


def get_engine(engine_name: str, **parameters: Any) -> Engine:
    """The engine of that name. Keyword arguments are sampling parameters, passed on to the model.

    `get_engine("gpt-4o", temperature=0)` is TextGrad's call; its `experimental:` prefix is accepted. So is
    its `cache=True` or `False`, which does nothing: a run's ledger keeps every answer.
    """
    from .engines import engine_named

    if isinstance(parameters.get("cache"), bool):
        del parameters["cache"]
    return engine_named(engine_name, **parameters)


_backward_engine: Engine | None = None


def set_backward_engine(
    engine: Engine | str | Callable[..., Any] | None, override: bool = True, **parameters: Any
) -> None:
    """Set the engine used wherever none is given. None takes it away again.

    Args:
        engine: As `as_engine` takes it.
        override: False refuses to replace an engine that is set already.
        parameters: With a name: sampling parameters, as for `get_engine`.

    Raises:
        UsageError: One is set already and `override` is False, or parameters for what is no name.
    """
    global _backward_engine
    if engine is not None and _backward_engine is not None and not override:
        raise UsageError("a backward engine is set already; pass override=True to replace it")
    if isinstance(engine, str):
        engine = get_engine(engine, **parameters)
    elif parameters:
        raise UsageError(f"{', '.join(parameters)} can only be given with a model's name, not with {engine!r}")
    _backward_engine = None if engine is None else as_engine(engine)


def optional_engine(engine: Engine | str | Callable[..., Any] | None = None) -> Engine | None:
    """The engine given, else the one set by `set_backward_engine`, else None."""
    return _backward_engine if engine is None else as_engine(engine)


def default_engine(engine: Engine | str | Callable[..., Any] | None = None) -> Engine:
    """The engine given, else the one set by `set_backward_engine`.

    Raises:
        UsageError: There is neither.
    """
    found = optional_engine(engine)
    if found is None:
        raise UsageError(
            "no engine: pass engine=... (a model name such as 'gpt-4o', or any callable), "
            "or call tgsci.set_backward_engine(...) once"
        )
    return found


@contextlib.contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Within this block every engine call, in this thread and in `map`'s, goes through `recorder`."""
    token = _recorder.set(recorder)
    try:
        yield
    finally:
        _recorder.reset(token)


def map(function: Callable[[T], R], items: Sequence[T], *, concurrent: int = MAX_CONCURRENT) -> list[R]:
    """Apply a function to every item at the same time, in threads; results in the items' order.

    For anything that waits on a model: `losses = tgsci.map(lambda x: loss(model(x)), batch)`.

    Args:
        function: Called once an item.
        items: What to apply it to.
        concurrent: How many at the same time.

    Raises:
        Exception: Whatever the first failing item raised; items that already run are not waited for.
    """
    items = list(items)
    if len(items) < 2 or concurrent < 2:
        return [function(item) for item in items]
    pool = ThreadPoolExecutor(min(concurrent, len(items)), thread_name_prefix="tgsci")
    try:
        futures = [pool.submit(contextvars.copy_context().run, function, item) for item in items]
        results = [future.result() for future in futures]
    except BaseException:  # as `with` would do, but without waiting for the items that still run
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return results


_digests: dict[tuple[int, str], str] = {}


def _digest_at_first_sight(function: Callable[..., Any]) -> str:
    """What the function computes, as it was when it was first seen: it may note in a list what it was asked."""
    owner, name = (function.__self__, function.__name__) if isinstance(function, MethodType) else (function, "")
    key = (id(owner), name)
    if key not in _digests:
        seen = digest(function_identity(function))
        try:
            weakref.finalize(owner, _digests.pop, key, None).atexit = False
        except TypeError:  # nothing would tell when its id becomes another's
            return seen
        _digests[key] = seen
    return _digests[key]


def secret_name(name: str) -> bool:
    """True where a parameter or a variable of this name holds a secret: `api_key`, but not `max_tokens`."""
    return bool(re.search(r"key|token(?!s)|secret|password|authorization|credential|headers", name, re.IGNORECASE))


def written(parameters: Mapping[str, Any]) -> str:
    """Parameters as an engine's identity tells them: `temperature=0, seed=3`, by name, without anything secret."""
    stated = {name: setting_of(_open(value)) for name, value in sorted(parameters.items()) if not secret_name(name)}
    text = ", ".join(f"{name}={value}" for name, value in stated.items() if value is not None)
    return re.sub(r"//[^/@\s]*@", "//", text)  # a user's name and password in an address


def _open(value: object) -> object:
    """A parameter without the secrets within."""
    if isinstance(value, Mapping):
        return {str(name): _open(inner) for name, inner in value.items() if not secret_name(str(name))}
    return [_open(inner) for inner in value] if isinstance(value, list | tuple) else value


def _arguments(made: type, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """What a constructor is given, by the names of its parameters."""
    try:
        signature = inspect.signature(made)
        given = dict(signature.bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):  # a copy is made without arguments; a wrong call is about to be refused
        return ""
    more = [name for name, p in signature.parameters.items() if p.kind is p.VAR_KEYWORD and name in given]
    return written(
        {**{k: v for k, v in given.items() if k not in more}, **{k: v for m in more for k, v in given[m].items()}}
    )


def _text(answer: object, name: str) -> str:
    if isinstance(answer, str):
        return answer
    raise EngineError(f"engine {name!r} returned {type(answer).__name__}, expected text or a Reply")


def _second_is_system(function: Callable[..., Any]) -> bool:
    """True where a second positional argument is asked for, or offered for a system prompt (not a temperature)."""
    if not _takes(function, "prompt", "system"):
        return False
    second = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.KEYWORD_ONLY][1:2]
    return not second or second[0].default is inspect.Parameter.empty or "system" in second[0].name


def _takes(function: Callable[..., Any], *args: str, **kwargs: str) -> bool:
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return False
    return True
