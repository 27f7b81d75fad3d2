"""Engines with TextGrad's conventions: text in, plain text out."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeAlias

from ...engine import Engine
from ...engines import engine_named

DEFAULT_SYSTEM_PROMPT = "You are a helpful, creative, and smart assistant."

#: A prompt, or images and texts in the order in which the model sees them.
Content: TypeAlias = str | Sequence[str | bytes]


class EngineLM(ABC):
    """The base of an engine of your own: derive, and write `generate`.

    It may be given wherever this package takes an engine. Images come as bytes in a list: `[image, "question"]`.
    """

    system_prompt: str = DEFAULT_SYSTEM_PROMPT
    model_string: str
    #: How many questions it may be asked at the same time: 1 for an engine that is not safe in several threads.
    concurrency: int | None = None

    @abstractmethod
    def generate(self, prompt: Any, system_prompt: str | None = None, **kwargs: Any) -> str:
        """Answer a prompt with text."""

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        return self.generate(*args, **kwargs)

    def as_engine(self) -> Engine:
        """This engine as the core asks it."""
        return _Generating(self)


class _Generating(Engine):
    """An engine of TextGrad's kind behind the core's protocol."""

    destination = "your own engine answers; what it sends out is up to it"

    def __init__(self, own: EngineLM) -> None:
        self.own = own
        self.name = getattr(own, "model_string", type(own).__name__)
        if own.concurrency is not None:
            self.concurrency = own.concurrency

    def complete(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> str:
        content: Content = [*images, prompt] if images else prompt
        return self.own.generate(content, system_prompt=system or None)


def refuse_images(content: Content, model: str) -> None:
    """Refuse images for a model that takes none.

    Raises:
        NotImplementedError: There is an image in the content.
    """
    if not isinstance(content, str) and any(isinstance(part, bytes) for part in content):
        raise NotImplementedError(
            f"{model} was made with is_multimodal=False and takes no images: pass is_multimodal=True if it takes them"
        )


class CachedEngine:
    """The second base of TextGrad's engines, with an empty cache: a run's ledger keeps every answer.

    Args:
        cache_path: Accepted and not used.
    """

    def __init__(self, cache_path: str = "") -> None:
        self.cache_path = cache_path

    def _check_cache(self, prompt: str) -> str | None:
        """Return None: nothing is cached."""
        return None

    def _save_cache(self, prompt: str, response: str) -> None:
        """Do nothing."""


class ModelEngine(EngineLM):
    """A model through litellm. Derive, and say where it is and which variable holds its key.

    Args:
        model_string: The model's name at its provider.
        system_prompt: Sent with `generate` where none is given.
        is_multimodal: False refuses images.
        parameters: Sampling parameters for every call: `temperature`, `max_tokens`, ...

    Raises:
        ValueError: The variable with the key is not set.
        UsageError: litellm is not installed.
    """

    #: What litellm puts before a model's name: "anthropic/".
    prefix: str = ""
    #: The environment variable that holds the key; "" where none is needed.
    key_variable: str = ""
    #: Who provides the model, for messages.
    provider: str = ""
    #: The model where none is named.
    default_model: str = ""

    def __init__(
        self,
        model_string: str = "",
        system_prompt: str = DEFAULT_SYSTEM_PROMPT,
        is_multimodal: bool = False,
        **parameters: Any,
    ) -> None:
        if self.key_variable:
            key = os.environ.get(self.key_variable)
            if not key:
                raise ValueError(f"set the environment variable {self.key_variable} to use {self.provider} models")
            parameters = {"api_key": key, **parameters}
        self.model_string = model_string or self.default_model
        self.system_prompt = system_prompt
        self.is_multimodal = is_multimodal
        self.parameters = parameters
        self._engine = self._named(parameters)

    def _named(self, parameters: dict[str, Any]) -> Engine:
        return engine_named(f"{self.prefix}{self.model_string}", **parameters)

    def as_engine(self) -> Engine:
        """The engine behind this one: what the core asks, and a run records."""
        return self._engine

    def generate(self, prompt: Content = "", system_prompt: str | None = None, **kwargs: Any) -> str:
        """Answer a prompt, or images and texts in a list.

        Args:
            prompt: The prompt; also taken by the name `content`.
            system_prompt: None takes the engine's own.
            kwargs: Sampling parameters for this call.

        Raises:
            NotImplementedError: There is an image, and the model takes none.
            EngineError: The model gave no answer.
        """
        content: Content = kwargs.pop("content", prompt)
        parts = [content] if isinstance(content, str) else list(content)
        images = [part for part in parts if isinstance(part, bytes)]
        if not self.is_multimodal:
            refuse_images(content, self.model_string)
        engine = self._named({**self.parameters, **kwargs}) if kwargs else self._engine
        text = "\n".join(part for part in parts if isinstance(part, str))
        return str(engine(text, system_prompt or self.system_prompt, images).text)


def checked_cache(cache: Any) -> Any:
    """A cache as TextGrad takes it: True, False or a `diskcache.Cache`. It is accepted and not used.

    Raises:
        ValueError: It is something else.
    """
    if isinstance(cache, bool) or all(hasattr(cache, name) for name in ("get", "set", "__contains__")):
        return cache
    raise ValueError(f"cache must be True, False or a diskcache.Cache, not {cache!r}")
