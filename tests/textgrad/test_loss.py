"""Whatever takes an engine takes TextGrad's name of one, and refuses what is none at once."""

from __future__ import annotations

import inspect

import pytest

import tgsci.textgrad as tg
from tgsci import judges
from tgsci.engines.scripted import Scripted
from tgsci.textgrad.autograd import FormattedLLMCall, LLMCall, LLMCall_with_in_context_examples, MultimodalLLMCall
from tgsci.textgrad.loss import (
    ImageQALoss,
    MultiChoiceTestTime,
    MultiFieldEvaluation,
    MultiFieldTokenParsedEvaluation,
    TextLoss,
)
from tgsci.textgrad.optimizer import TextualGradientDescentwithMomentum

PROMPT = tg.Variable("p", role_description="prompt")
MAKERS = {
    "BlackboxLLM": tg.BlackboxLLM,
    "LLMCall": LLMCall,
    "in_context": LLMCall_with_in_context_examples,
    "FormattedLLMCall": lambda engine: FormattedLLMCall(engine, "{q}", {"q": None}),
    "MultimodalLLMCall": MultimodalLLMCall,
    "TextLoss": lambda engine: TextLoss("Is it good?", engine),
    "MultiField": lambda engine: MultiFieldEvaluation("Compare", ["a", "b"], engine),
    "MultiFieldTokenParsed": lambda engine: MultiFieldTokenParsedEvaluation("Compare", ["a", "b"], engine=engine),
    "MultiChoice": lambda engine: MultiChoiceTestTime("Criticise", engine=engine),
    "ImageQA": lambda engine: ImageQALoss("Criticise", engine=engine),
    "TGD": lambda engine: tg.TGD([PROMPT], engine=engine),
    "momentum": lambda engine: TextualGradientDescentwithMomentum(engine, [PROMPT], 2),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_an_engine_by_its_name(make, monkeypatch):
    asked = []
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a key")
    monkeypatch.setattr(
        "tgsci.textgrad.engine.base.engine_named", lambda name, **_: asked.append(name) or Scripted(["fine"])
    )
    make("sonnet")
    assert asked == ["anthropic/claude-3-sonnet-20240229"]
    with pytest.raises(ValueError, match="no engine 'no-such'"):
        make("no-such")


def test_a_model_without_images_is_refused_where_images_are_judged(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    with pytest.raises(ValueError, match="takes no images"):
        ImageQALoss("Criticise", engine="gpt-3.5-turbo")


def test_the_classes_are_the_cores_with_their_arguments():
    assert issubclass(MultiFieldTokenParsedEvaluation, MultiFieldEvaluation)
    assert inspect.signature(TextLoss) == inspect.signature(judges.TextLoss)
