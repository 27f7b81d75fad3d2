"""Judges: one call for the evaluation, none for the gradient."""

from __future__ import annotations

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted


class Camera(tg.Engine):
    def __init__(self) -> None:
        self.images: list[tuple[bytes, ...]] = []

    def complete(self, prompt, system="", images=()):
        self.images.append(tuple(images))
        return "the cat is missing"


def test_a_judged_text_costs_one_call_forward_and_none_backward():
    engine = Scripted(["too vague"])
    answer = tg.Variable("about ten", role_description="answer")
    loss = tg.TextLoss("Is it exact?", engine=engine)(answer)
    assert loss.value == "too vague"
    loss.backward()
    assert answer.get_gradient_text() == "too vague"
    assert "Is it exact?" in answer.get_gradient_and_context_text()
    assert engine.calls == [("about ten", "Is it exact?")]


def test_an_instruction_that_is_optimised_gets_a_gradient_of_its_own():
    instruction = tg.Variable("Is it exact?", role_description="instruction")
    answer = tg.Variable("about ten", role_description="answer")
    engine = Scripted(["too vague", "ask for units"])
    tg.TextLoss(instruction, engine=engine)(answer).backward(engine)
    assert instruction.get_gradient_text() == "ask for units"
    assert answer.get_gradient_text() == "too vague"


def test_several_fields_are_judged_together():
    engine = Scripted(["the sign is wrong"])
    loss = tg.MultiFieldEvaluation("Compare.", ["prediction", "right answer"], engine)
    prediction, truth = tg.Variable("-3 {x}"), tg.Variable("3", requires_grad=False)
    verdict = loss([prediction, truth])
    verdict.backward()
    assert prediction.get_gradient_text() == "the sign is wrong"
    assert truth.gradients == []
    assert "right answer: 3" in prediction.get_gradient_and_context_text()
    prompt = engine.calls[0][0]
    assert all(part in prompt for part in ("Compare.", "**prediction**: -3 {x}", "**right answer**: 3"))
    assert len(engine.calls) == 1


def test_an_instruction_over_several_fields_gets_a_gradient_of_its_own():
    """Not the verdict on the prediction, which says nothing about the instruction."""
    instruction = tg.Variable("Compare.", role_description="instruction for the evaluation")
    loss = tg.MultiFieldEvaluation(instruction, ["prediction"], Scripted(["the sign is wrong"]))
    prediction = tg.Variable("-3")
    loss([prediction]).backward(Scripted(["say what to compare"]))
    assert prediction.get_gradient_text() == "the sign is wrong"
    assert instruction.get_gradient_text() == "say what to compare"


def test_fields_of_one_name_are_refused():
    for roles in (["a", "a"], ["instruction"]):
        with pytest.raises(tg.UsageError, match="must differ"):
            tg.MultiFieldEvaluation("Compare.", roles, Scripted([]))
    with pytest.raises(tg.UsageError, match="expected 1 inputs"):
        tg.MultiFieldEvaluation("Compare.", ["a"], Scripted([]))([])


def test_the_verdict_stands_in_the_last_pair_of_tags():
    loss = tg.MultiFieldTokenParsedEvaluation("Compare.", ["a"], Scripted([]), parse_tags=("<V>", "</V>"))
    assert loss.parse_output(tg.Variable("in <V> and </V> I write: <V> 1 </V>")) == "1"
    assert loss.parse_output(tg.Variable("none")) == ""


def test_a_multiple_choice_answer_is_judged_without_the_solution():
    engine = Scripted(["step 2 is doubtful"])
    answer = tg.Variable("B, because {reason}", role_description="answer")
    tg.MultiChoiceTestTime("Be critical {question}", engine)("Which? {prediction}", answer).backward()
    assert answer.get_gradient_text() == "step 2 is doubtful"
    prompt = engine.calls[0][0]
    assert "Question: Which? {prediction}" in prompt
    assert "B, because {reason}" in prompt
    assert "Which? {prediction}" in answer.get_gradient_and_context_text()


def test_an_answer_about_an_image_is_judged_with_the_image():
    camera = Camera()
    image = tg.Variable(b"\x89PNG", requires_grad=False, role_description="photo")
    answer = tg.Variable("a dog", role_description="answer")
    question = tg.Variable("What is it?", requires_grad=False)
    loss = tg.ImageQALoss("Is it right?", camera)(image, question, answer)
    loss.backward()
    assert camera.images == [(b"\x89PNG",)]
    assert answer.get_gradient_text() == "the cat is missing"
    assert image.gradients == question.gradients == []
