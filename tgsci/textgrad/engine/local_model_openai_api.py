"""A model behind a client of one's own that speaks OpenAI's protocol, LM Studio's for example."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from .base import DEFAULT_SYSTEM_PROMPT, Content, EngineLM


class ChatExternalClient(EngineLM):
    """Asks through a client: `client.chat.completions.create(...)`.

    Args:
        client: An `openai.OpenAI`, or anything with the same call.
        model_string: The model's name.
        system_prompt: Sent where none is given.
        is_multimodal: False refuses images.
    """

    def __init__(
        self,
        client: Any,
        model_string: str,
        system_prompt: str = DEFAULT_SYSTEM_PROMPT,
        is_multimodal: bool = False,
    ) -> None:
        self.client = client
        self.model_string = model_string
        self.system_prompt = system_prompt
        self.is_multimodal = is_multimodal

    def generate(self, prompt: Content = "", system_prompt: str | None = None, **kwargs: Any) -> str:
        """Answer a prompt, or images and texts in a list; `kwargs` are sampling parameters."""
        content: Content = kwargs.pop("content", prompt)
        messages = [
            {"role": "system", "content": system_prompt or self.system_prompt},
            {"role": "user", "content": content if isinstance(content, str) else _parts(content)},
        ]
        answer = self.client.chat.completions.create(model=self.model_string, messages=messages, **kwargs)
        return str(answer.choices[0].message.content or "")


def _parts(content: Sequence[str | bytes]) -> list[dict[str, Any]]:
    """Images and texts as the parts of a message."""
    return [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image_url", "image_url": {"url": f"data:{_kind(part)};base64,{base64.b64encode(part).decode()}"}}
        for part in content
    ]


def _kind(image: bytes) -> str:
    return "image/png" if image.startswith(b"\x89PNG") else "image/jpeg"
