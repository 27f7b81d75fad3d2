"""The base of an engine of your own, in the form of the experimental engines."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

from ..engine import base
from ..engine.base import DEFAULT_SYSTEM_PROMPT, Content, checked_cache, refuse_images

F = TypeVar("F", bound=Callable[..., Any])


def cached(func: F) -> F:
    """Return the function as it is: a run's ledger keeps every answer."""
    return func


class EngineLM(base.EngineLM):
    """The base of an engine of your own: derive, and write how it answers a prompt, and images with texts.

    Args:
        model_string: The model's name.
        system_prompt: Sent where none is given.
        is_multimodal: False refuses images.
        cache: True, False or a `diskcache.Cache`: accepted and not used.

    Raises:
        ValueError: `cache` is something else.
    """

    def __init__(
        self,
        model_string: str,
        system_prompt: str = DEFAULT_SYSTEM_PROMPT,
        is_multimodal: bool = False,
        cache: Any = False,
    ) -> None:
        self.model_string = model_string
        self.system_prompt = system_prompt
        self.is_multimodal = is_multimodal
        self.cache = checked_cache(cache)

    @abstractmethod
    def _generate_from_single_prompt(self, content: str, system_prompt: str | None = None, **kwargs: Any) -> str:
        """Answer a prompt."""

    @abstractmethod
    def _generate_from_multiple_input(
        self, content: list[str | bytes], system_prompt: str | None = None, **kwargs: Any
    ) -> str:
        """Answer images and texts."""

    def generate(self, prompt: Content = "", system_prompt: str | None = None, **kwargs: Any) -> str:
        """Answer a prompt, or images and texts in a list.

        Args:
            prompt: The prompt; also taken by the name `content`.
            system_prompt: None takes the engine's own.
            kwargs: Passed on.

        Raises:
            NotImplementedError: There is an image, and the model takes none.
        """
        content: Content = kwargs.pop("content", prompt)
        system_prompt = system_prompt or self.system_prompt
        if isinstance(content, str):
            return self._generate_from_single_prompt(content=content, system_prompt=system_prompt, **kwargs)
        if not self.is_multimodal:
            refuse_images(content, self.model_string)
        return self._generate_from_multiple_input(content=list(content), system_prompt=system_prompt, **kwargs)
