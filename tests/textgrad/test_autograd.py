"""The functions in the places where TextGrad has them."""

from __future__ import annotations

import pytest

from tgsci.engines.scripted import Scripted
from tgsci.errors import UsageError
from tgsci.textgrad import Variable
from tgsci.textgrad.autograd import LLMCall_with_in_context_examples, OrderedFieldsMultimodalLLMCall
from tgsci.textgrad.autograd.algebra import Aggregate, Sum
from tgsci.textgrad.autograd.functional import formatted_llm_call, llm_call

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def text(value: str, role: str = "text") -> Variable:
    return Variable(value, role_description=role)


def test_calls_as_functions():
    engine = Scripted(lambda prompt, system: f"{system}>{prompt}")
    assert llm_call(text("2+2?"), engine, system_prompt="Be brief.").value == "Be brief.>2+2?"
    answer = formatted_llm_call({"q": text("2+2?")}, "sum", engine, "Q: {q}", {"q": None})
    assert (answer.value, answer.role_description) == (">Q: 2+2?", "sum")


def test_sums_as_objects():
    parts = [text("a"), text("b")]
    assert Sum()(parts).value == "a\nb"
    assert Aggregate()(parts).value == "a\nb"


def test_fields_and_images_in_their_order():
    class Eyes(Scripted):
        def complete(self, prompt, system="", images=()):
            self.images = list(images)
            return super().complete(prompt, system)

    engine = Eyes(["a cat"])
    call = OrderedFieldsMultimodalLLMCall(engine, ["Question", "Image"])
    photo = Variable(PNG, requires_grad=False, role_description="photo")
    assert call({"Image": photo, "Question": text("What?")}).value == "a cat"
    assert engine.images == [PNG]
    assert engine.calls[0][0].index("What?") < engine.calls[0][0].index("[image 1")
    with pytest.raises(UsageError, match="Question"):
        call({"Image": photo})


def test_the_answer_between_tags_and_none_where_nothing_is_to_be_improved():
    engine = Scripted(["so <FINAL> 12 Gy </FINAL>", "<FINAL>The plan doesn't need to be improved</FINAL>", "no tags"])
    call = LLMCall_with_in_context_examples(engine)
    assert call(text("dose?"), in_context_examples=["8 Gy was low"]).value == "12 Gy"
    assert "8 Gy was low" in engine.calls[0][0]
    assert call(text("dose?")) is None
    assert call(text("dose?")).value == "no tags"
