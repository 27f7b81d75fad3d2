"""Messages in the form of OpenAI's protocol, where the experimental engines have them."""

from ..engine.engine_utils import get_image_type_from_bytes, open_ai_like_formatting

__all__ = ["get_image_type_from_bytes", "open_ai_like_formatting"]
