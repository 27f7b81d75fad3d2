"""Engines: whatever answers a prompt. A model, a person, a recording or a script.

An engine is any callable `(prompt, system_prompt) -> str`; `as_engine` turns it, or a name, into an
`Engine`. Everything in tgsci that asks a question asks it through `Engine.__call__`, so one place can
count it, record it and, on a resumed run, answer it from the record (`recording`).
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import os
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from typing import Any, Self, TypeAlias, TypeVar

from . import prompts
from .basics.checks import whole
from .basics.texts import with_type
from .basics.threads import Gate, awaited, run_all
from .errors import EngineError, UsageError
from .identity import arguments_of

T = TypeVar("T")
R = TypeVar("R")

#: Questions asked at the same time, of one engine and by one `map`, where nothing else is said.
MAX_CONCURRENT = 32
if _stated := os.environ.get("TGSCI_CONCURRENT"):
    if not _stated.isdecimal() or int(_stated) < 1:
        raise UsageError(f"the environment's TGSCI_CONCURRENT is {_stated!r}: give a whole number of at least 1")
    MAX_CONCURRENT = int(_stated)


@dataclass(frozen=True, eq=False, repr=False)
class Reply(str):
    """What an engine answered: a text that knows what it cost. Equal to any text of the same characters.

    Args:
        text: The answer.
        tokens_in: Tokens of the prompt, None where unknown.
        tokens_out: Tokens of the answer, None where unknown.
        usd: Price in US dollars, None where unknown (never 0 for unknown).
        seconds: Wall time of the call, s.
        finish: Why the answer ended: "stop", or "length" where it was cut off.
        model: The name of whatever answered.

    Raises:
        EngineError: The text is none.
    """

    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    usd: float | None = None
    seconds: float = 0.0
    finish: str = "stop"
    model: str = ""

    def __new__(cls, text: str = "", *_: Any, **__: Any) -> Self:
        if not isinstance(text, str):
            raise EngineError(f"the text of a Reply is {with_type(text)}; it has to be a str")
        return super().__new__(cls, text)

    def __post_init__(self) -> None:
        if type(self.text) is not str:  # made from another Reply
            object.__setattr__(self, "text", str(self))

    @property
    def truncated(self) -> bool:
        """True where the answer was cut off by a length limit."""
        return self.finish == "length"


@dataclass(frozen=True, slots=True)
class Call:
    """A question about to be asked, as a recorder sees it."""

    engine: Engine
    prompt: str
    system: str
    images: tuple[bytes, ...]

    @property
    def question(self) -> str:
        """A record recognises the question by this: SHA-256 of engine's identity, system prompt, prompt and images."""
        digest = sha256()
        for part in (self.engine.identity, self.system, self.prompt):
            digest.update(f"{len(part)}:{part}".encode(errors="surrogatepass"))
        for image in self.images:
            digest.update(sha256(image).digest())
        return digest.hexdigest()


#: Stands between the question and the engine: may answer from a record, and keeps what it hears.
Recorder: TypeAlias = Callable[[Call, Callable[[], Reply]], Reply]

_recorder: contextvars.ContextVar[Recorder | None] = contextvars.ContextVar("tgsci_recorder", default=None)
#: Every recorder at work in this process, each with the recorder around it: for threads that somebody else started.
_recorders: list[tuple[Recorder, Recorder | None]] = []

#: A prompt: text, or texts and images in the order in which they are to be read.
Prompt: TypeAlias = "str | Sequence[str | bytes]"

#: By type, how to make anew what cannot be copied: locks, and what is kept by thread.
_LOCKS: dict[type, Callable[[], Any]] = {
    type(make()): make
    for make in (threading.Lock, threading.RLock, threading.Condition, threading.Event, threading.local)
}


@dataclass(frozen=True, slots=True)
class _Unlocked:
    """What takes the place of a lock in a copy on its way."""

    make: Callable[..., Any]
    arguments: tuple[Any, ...] = ()

    @classmethod
    def of(cls, value: Any) -> Any:
        if isinstance(value, threading.Semaphore):
            return cls(type(value), (vars(value)["_value"],))  # as many as are free now
        return cls(_LOCKS[type(value)]) if type(value) in _LOCKS else value

    def made(self) -> Any:
        return self.make(*self.arguments)


_gates: weakref.WeakValueDictionary[str, Gate] = weakref.WeakValueDictionary()
_making_gates = threading.Lock()


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
        object.__setattr__(self, "_made_with", arguments_of(cls, args, kwargs))  # a frozen dataclass too may derive
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

    def __call__(
        self,
        prompt: Prompt,
        system: str | None = "",
        images: Sequence[bytes] = (),
        *,
        system_prompt: str | None = "",
        **parameters: Any,
    ) -> Reply:
        """Answer one prompt, timed, and recorded where a run is listening.

        Args:
            prompt: The question; or texts and images, in a list.
            system: The system prompt.
            images: Encoded images (PNG, JPEG, ...) that the prompt speaks of, in order.
            system_prompt: TextGrad's name for `system`.
            parameters: Sampling parameters of this one call, such as `max_tokens=5`.

        Raises:
            EngineError: No answer could be had; says why and what to do.
            UsageError: The prompt is none, or this engine takes no such parameters.
        """
        if parameters:
            other = self.with_parameters(**parameters)
            vars(other)["_gate"] = self._gate
            return other(prompt, system, images, system_prompt=system_prompt)
        if not isinstance(prompt, str):
            prompt, within = _text_and_images(prompt)
            images = (*within, *images)
        system, images = system or system_prompt or "", _image_bytes(images)
        recorder = _recorder.get() or (_recorder_around() if _recorders else None)
        if recorder is None:
            return self.answer(prompt, system, images)
        call = Call(self, prompt, system, images)
        return recorder(call, lambda: self.answer(call.prompt, call.system, call.images))

    def generate(
        self,
        content: Prompt = "",
        system_prompt: str | None = "",
        images: Sequence[bytes] = (),
        *,
        prompt: Prompt = "",
        **parameters: Any,
    ) -> Reply:
        """TextGrad's spelling of a call."""
        return self(content or prompt, system_prompt, images, **parameters)

    def check(self) -> None:
        """Say before the first question what would make each one fail. Nothing is asked.

        Raises:
            UsageError: No question can be answered: there is no such model.
        """
        return

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """Tell what a call costs, US dollars; None where that is unknown. Nothing is asked.

        Args:
            tokens_in: Tokens of the prompt and the system prompt.
            tokens_out: Tokens of the answer.
        """
        return None

    def with_parameters(self, **parameters: Any) -> Engine:
        """Make an engine like this one with other sampling parameters.

        Raises:
            UsageError: It takes none, or not these.
        """
        raise UsageError(f"engine {self.name!r} takes no {', '.join(parameters)}: leave it out of the call")

    def answer(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Reply:
        """`complete`, timed and named; for an engine that stands in front of another. Nothing is recorded."""
        return self._gate.run(self.concurrency or MAX_CONCURRENT, self._timed, prompt, system, images)

    def _timed(self, prompt: str, system: str, images: Sequence[bytes]) -> Reply:
        started = time.perf_counter()
        answer = _whole_text(awaited(self.complete(prompt, system, images)), self.name)
        seconds = time.perf_counter() - started
        if not isinstance(answer, Reply):
            return Reply(answer, seconds=seconds, model=self.name)
        return replace(answer, seconds=answer.seconds or seconds, model=answer.model or self.name)

    @property
    def concurrency(self) -> int | None:
        """Most questions that are asked at the same time, by all engines of this identity; None for `MAX_CONCURRENT`.

        Set it, or write it into your class. An engine that is not safe in several threads says 1. Every worker process
        counts for itself.
        """
        return self._gate.limit

    @concurrency.setter
    def concurrency(self, most: int | None) -> None:
        self._gate.limit = None if most is None else whole("concurrency", most, 1)

    @cached_property
    def _gate(self) -> Gate:
        with _making_gates:
            return _gates.setdefault(self.identity, Gate())

    def skip(self, calls: int) -> None:
        """Pass over so many questions, which are answered already. Called when a run begins or resumes."""
        return

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __getstate__(self) -> dict[str, Any]:
        """Leave locks out of copies and of what goes to worker processes: there each gets a lock of its own."""
        state = {name: _Unlocked.of(value) for name, value in vars(self).items()}
        return {**state, "_gate": self._gate.limit}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        state = {name: value.made() if isinstance(value, _Unlocked) else value for name, value in state.items()}
        vars(self).update({name: value for name, value in state.items() if name != "_gate"})
        self._gate.limit = state["_gate"] or self._gate.limit


class FunctionEngine(Engine):
    """A plain function as an engine.

    Args:
        function: `(prompt)` or `(prompt, system_prompt)` returning text, a `Reply`, or something that gives text: a
            coroutine, or a generator of pieces. One that takes `system_prompt` by keyword, as TextGrad's engines do,
            gets it by keyword, and one that takes `images` gets these.
    """

    destination = "your own function answers; what it sends out is up to it"

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = getattr(function, "__name__", type(getattr(function, "func", function)).__name__)
        signature = _signature(function)
        if signature and "images" in signature.parameters and not _takes(function, "prompt"):
            function = partial(function, images=())  # asked for in every call; else a second parameter is the system's
        self.function: Callable[..., Any] = function
        fixed = getattr(function, "keywords", ())  # by functools.partial
        names = [name for name in ("system_prompt", "system") if name not in fixed]
        self._system = next((name for name in names if _takes(function, "prompt", **{name: "system"})), "")
        self._by_position = _second_is_system(function)
        self._needs_system = not _takes(function, "prompt")
        if self._needs_system and not (self._system or self._by_position or _signature(function) is None):
            raise UsageError(f"{self.name}{_signature(function)} is no engine: write it as {self.name}(prompt)")
        self._images = any(_takes(function, *asked, images=()) for asked in (["prompt"], ["prompt", "system"]))

    def with_parameters(self, **parameters: Any) -> Engine:
        if not _takes(self.function, "prompt", **parameters):
            return super().with_parameters(**parameters)
        other = FunctionEngine(partial(self.function, **parameters))
        other.name = self.name
        return other

    def complete(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Any:
        if images and not self._images:
            raise EngineError(f"engine {self.name!r} takes no images: it is a function without a parameter `images`")
        more = {"images": images} if images else {}
        if self._system and (system or self._needs_system):
            return self.function(prompt, **{self._system: system}, **more)
        if self._by_position:
            return self.function(prompt, system, **more)
        return self.function(f"{system}\n\n{prompt}" if system else prompt, **more)


def as_engine(engine: Engine | str | Callable[..., Any], concurrency: int | None = None) -> Engine:
    """Turn a name or any callable into an `Engine`.

    Args:
        engine: An `Engine`; a callable `(prompt, system_prompt=None) -> str`; or a name: `"human"`,
            `"replay:FILE"`, or a model as litellm writes it (`"gpt-4o"`, `"ollama/qwen3"`, ...).
        concurrency: Most questions at the same time: 1 for what is not safe in several threads. None leaves it.

    Raises:
        UsageError: The name is empty or the object is no engine.
    """
    if isinstance(engine, str):
        found = get_engine(engine)
    elif isinstance(engine, Engine):
        found = engine
    elif isinstance(engine, type):
        raise UsageError(f"{engine.__name__} is a class: make an engine of it first, {engine.__name__}(...)")
    elif hasattr(engine, "as_engine"):  # it knows better how it is asked
        found = as_engine(engine.as_engine())
    elif callable(engine):
        found = FunctionEngine(engine)
    else:
        raise UsageError(f"not an engine: {engine!r}. Give a model name, a callable, or an Engine.")
    if concurrency is not None:
        found.concurrency = concurrency
    return found


_resolver: Callable[..., Engine] | None = None


def resolve_names_by(resolver: Callable[..., Engine]) -> None:
    """Say who knows engines by name: `(name, **parameters) -> Engine`. `tgsci.engines` does when it is imported."""
    global _resolver
    _resolver = resolver


def get_engine(engine_name: str, *, concurrency: int | None = None, **parameters: Any) -> Engine:
    """Find an engine by its name.

    `get_engine("gpt-4o", temperature=0)` is TextGrad's call. So is `cache=True` or `False`, which does nothing here: a
    run's ledger keeps every answer.

    Args:
        engine_name: As `as_engine` takes it.
        concurrency: Most questions at the same time.
        parameters: Sampling parameters, passed on to the model.

    Raises:
        UsageError: No such name, or parameters for an engine that takes none.
    """
    if _resolver is None:
        raise UsageError(f"no engine is known by a name such as {engine_name!r} before `import tgsci.engines`")
    if isinstance(parameters.get("cache"), bool):
        del parameters["cache"]
    return as_engine(_resolver(engine_name, **parameters), concurrency)


_backward_engine: Engine | None = None


def set_backward_engine(
    engine: Engine | str | Callable[..., Any] | None, override: bool = True, **parameters: Any
) -> None:
    """Set the engine used wherever none is given. None takes it away again.

    Args:
        engine: As `as_engine` takes it.
        override: False refuses to replace an engine that is set already.
        parameters: With a name: sampling parameters.

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
    """Take the engine that is given, else the one set by `set_backward_engine`, else None."""
    return _backward_engine if engine is None else as_engine(engine)


def default_engine(engine: Engine | str | Callable[..., Any] | None = None) -> Engine:
    """Take the engine that is given, else the one set by `set_backward_engine`.

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
    """Within this block every engine call goes through `recorder`: in this thread, in `map`'s, and in others.

    A thread that somebody else started, a loss for instance, does not say where it belongs. Its calls go to the
    recorder that is at work in the process, unless two runs are at work side by side. Within another such block, of a
    run whose loss is itself a search say, the outer recorder hears of a call too.
    """
    outer = _recorder.get()
    if outer is not None:
        recorder = partial(_record_in_both, recorder, outer)
    entry = (recorder, outer)
    token = _recorder.set(recorder)
    _recorders.append(entry)
    try:
        yield
    finally:
        _recorders.remove(entry)
        _recorder.reset(token)


def _record_in_both(inner: Recorder, outer: Recorder, call: Call, ask: Callable[[], Reply]) -> Reply:
    return inner(call, lambda: outer(call, ask))


def _recorder_around() -> Recorder | None:
    """Find the recorder for a thread of unknown origin. The main thread is never one: a person asks there."""
    if not _recorders or threading.current_thread() is threading.main_thread():
        return None
    entries = list(_recorders)
    innermost = {id(r): r for r, _ in entries if not any(outer is r for _, outer in entries)}
    return next(iter(innermost.values())) if len(innermost) == 1 else None


def map(
    function: Callable[[T], R], items: Iterable[T], *, concurrent: int | None = None, return_exceptions: bool = False
) -> list[R]:
    """Apply a function to every item at the same time, in threads; results in the items' order.

    For anything that waits on a model: `losses = tgsci.map(lambda x: loss(model(x)), batch)`. A `map` within a `map`
    shares the outer one's bound, and an engine's own `concurrency` holds besides.

    Args:
        function: Called once an item; may be a coroutine function.
        items: What to apply it to.
        concurrent: How many at the same time; None for `MAX_CONCURRENT`.
        return_exceptions: True puts what an item raised in its place, as `asyncio.gather` does, so that one failing
            call of sixteen costs one result.

    Raises:
        UsageError: The items are one text, whose letters nobody means.
        Exception: Whatever the first failing item raised; items that already run are not waited for.
    """
    if isinstance(items, str | bytes):
        raise UsageError(f"map: a list is expected, not {with_type(items)}: write [text]")
    most = MAX_CONCURRENT if concurrent is None else whole("concurrent", concurrent, 1)
    if return_exceptions:
        function = partial(_result_or_exception, function)
    return run_all(function, list(items), most)


def _result_or_exception(function: Callable[[T], R], item: T) -> Any:
    try:
        return awaited(function(item))
    except Exception as error:  # whatever it is, the caller asked to have it
        return error


def _image_bytes(images: Sequence[bytes] | bytes | None) -> tuple[bytes, ...]:
    """The images of a question, checked; a single one is a list of one."""
    given = [images] if isinstance(images, bytes | bytearray | memoryview) else images or ()
    for image in given if isinstance(given, list | tuple) else [given]:
        if not isinstance(image, bytes | bytearray | memoryview):
            raise UsageError(f"images are the bytes of image files, [Path(...).read_bytes()], not {with_type(image)}")
    return tuple(bytes(image) for image in given)


def _text_and_images(parts: Sequence[str | bytes]) -> tuple[str, list[bytes]]:
    """Join texts and images to one text, in which the images are numbered; return it with the images."""
    texts: list[str] = []
    images = prompts.Images()
    for part in parts if isinstance(parts, list | tuple) else [parts]:
        if isinstance(part, bytes):
            texts.append(images.add(part))
        elif isinstance(part, str):
            texts.append(part)
        else:
            hint = "; write variable.value" if hasattr(part, "grad_fn") else ""
            raise UsageError(f"a prompt is a text, or a list of texts and images (bytes), not {with_type(part)}{hint}")
    return "\n".join(texts), images.sent


def _whole_text(answer: object, name: str) -> str:
    """Put together the text that an engine returned, whole or in pieces."""
    if isinstance(answer, str):
        return answer
    if inspect.isasyncgen(answer):
        answer = awaited(_collected(answer))
    elif inspect.isgenerator(answer):
        answer = list(answer)
    if isinstance(answer, list) and all(isinstance(piece, str) for piece in answer):
        return "".join(answer)
    hint = "has it a `return`?" if answer is None else "return its text, as str"
    raise EngineError(f"engine {name!r} returned {with_type(answer)}, expected text or a Reply: {hint}")


async def _collected(pieces: AsyncIterable[Any]) -> Any:
    return [piece async for piece in pieces]


def _second_is_system(function: Callable[..., Any]) -> bool:
    """True where a second positional argument is asked for, or offered for a system prompt (not a temperature)."""
    if not _takes(function, "prompt", "system"):
        return False
    second = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.KEYWORD_ONLY][1:2]
    return not second or second[0].default is inspect.Parameter.empty or "system" in second[0].name


def _takes(function: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    signature = _signature(function)
    try:
        return signature is not None and signature.bind(*args, **kwargs) is not None
    except TypeError:
        return False


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """Read a function's signature; None for a built-in that does not tell it."""
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None
