"""Messages in the form of OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...engines.litellm import data_url
from ...engines.litellm import image_type as get_image_type_from_bytes

__all__ = ["get_image_type_from_bytes", "open_ai_like_formatting"]


def open_ai_like_formatting(content: Sequence[str | bytes]) -> list[dict[str, Any]]:
    """Return texts and images as the parts of a message.

    Raises:
        EngineError: An image is of another kind than PNG, JPEG, GIF and WebP.
    """
    return [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image_url", "image_url": {"url": data_url(part)}}
        for part in content
    ]
