"""The base of the experimental engines: one method for prompts, one for images with texts."""

from __future__ import annotations

import pytest

from tgsci.textgrad import BlackboxLLM, Variable
from tgsci.textgrad.autograd import MultimodalLLMCall
from tgsci.textgrad.engine_experimental import LiteLLMEngine
from tgsci.textgrad.engine_experimental.base import EngineLM, cached
from tgsci.textgrad.engine_experimental.engine_utils import get_image_type_from_bytes, open_ai_like_formatting

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


class Own(EngineLM):
    @cached
    def _generate_from_single_prompt(self, content, system_prompt=None, **kwargs):
        return f"{system_prompt}>{content}"

    @cached
    def _generate_from_multiple_input(self, content, system_prompt=None, **kwargs):
        return f"{len(content)} parts"


def test_an_engine_of_ones_own_on_the_experimental_base():
    engine = Own("mine", system_prompt="Be brief.", is_multimodal=True, cache=True)
    question = Variable("What?", requires_grad=False, role_description="question")
    photo = Variable(PNG, requires_grad=False, role_description="photo")
    assert engine.generate(content="Hi") == engine("Hi") == "Be brief.>Hi"
    assert BlackboxLLM(engine, "s")(question).value == "s>What?"
    assert MultimodalLLMCall(engine)([photo, question]).value == "2 parts"
    with pytest.raises(NotImplementedError, match="is_multimodal=True"):
        Own("mine").generate([PNG, "What?"])
    with pytest.raises(ValueError, match="takes no images"):
        MultimodalLLMCall(Own("mine"))


def test_images_and_texts_as_the_parts_of_a_message():
    image, text = open_ai_like_formatting([PNG, "What?"])
    assert get_image_type_from_bytes(PNG) == "png"
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert text == {"type": "text", "text": "What?"}


def test_any_name_of_litellms_is_a_model():
    assert LiteLLMEngine("together_ai/meta/llama", cache=True).model_string == "together_ai/meta/llama"
