"""A model behind a client of your own that speaks OpenAI's protocol, for example LM Studio's."""

from __future__ import annotations

from typing import Any

from .base import DEFAULT_SYSTEM_PROMPT, Content, EngineLM, refuse_images
from .engine_utils import open_ai_like_formatting


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
        """Answer a prompt, or images and texts in a list; `kwargs` are sampling parameters.

        Raises:
            NotImplementedError: There is an image, and the model takes none.
            EngineError: An image is of another kind than PNG, JPEG, GIF and WebP.
        """
        content: Content = kwargs.pop("content", prompt)
        if not self.is_multimodal:
            refuse_images(content, self.model_string)
        messages = [
            {"role": "system", "content": system_prompt or self.system_prompt},
            {"role": "user", "content": content if isinstance(content, str) else open_ai_like_formatting(content)},
        ]
        answer = self.client.chat.completions.create(model=self.model_string, messages=messages, **kwargs)
        return str(answer.choices[0].message.content or "")
