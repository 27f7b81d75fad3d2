"""Judges: one call for the evaluation, none for the gradient."""

from __future__ import annotations

import copy
import pickle

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


def photo(content=b"\x89PNG"):
    return tg.Variable(content, requires_grad=False, role_description="photo")


def test_a_judge_of_several_fields_sees_their_images():
    camera = Camera()
    caption = tg.Variable("a dog")
    loss = tg.MultiFieldEvaluation("Compare.", ["picture", "caption"], camera)([photo(b"a"), caption])
    loss.backward()
    assert camera.images == [(b"a",)]
    (gradient,) = caption.gradients
    assert gradient.images == (b"a",)
    assert "picture: [image 1: picture]" in gradient.context


def test_what_the_optimizer_needs_to_act_on_a_verdict_is_in_its_context():
    """Question and picture: the verdict alone says too little."""
    image, question = photo(b"a"), tg.Variable("What is it?", requires_grad=False, role_description="question")
    answer = tg.Variable("a dog", role_description="answer")
    tg.ImageQALoss("Is it right?", Camera())(image, question, answer).backward()
    (gradient,) = answer.gradients
    assert gradient.images == (b"a",)
    for part in ("What is it?", "Is it right?", "[image 1: photo]"):
        assert part in gradient.context


def test_an_optimised_instruction_gets_its_gradient_with_the_image():
    instruction = tg.Variable("Is it right?", role_description="instruction")
    judge, writer = Camera(), Camera()
    answer = tg.Variable("a dog", role_description="answer")
    loss = tg.ImageQALoss(instruction, judge)(photo(b"a"), tg.Variable("What?", requires_grad=False), answer)
    loss.backward(writer)
    assert judge.images == writer.images == [(b"a",)]
    assert instruction.gradients[0].images == (b"a",)


CUT = tg.Reply("the sign is", finish="length")

JUDGES = [
    lambda e, v: tg.TextLoss("judge", e)(v),
    lambda e, v: tg.MultiFieldEvaluation("judge", ["answer"], e)([v]),
    lambda e, v: tg.MultiChoiceTestTime("judge", e)("Which?", v),
    lambda e, v: tg.ImageQALoss("judge", e)(photo(), tg.Variable("q", requires_grad=False), v),
]


class Replying(tg.Engine):
    name = "replying"

    def __init__(self, *replies):
        self.replies, self.prompts = list(replies), []

    def complete(self, prompt, system="", images=()):
        self.prompts.append(prompt)
        return self.replies.pop(0)


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("first", [tg.Reply(""), tg.Reply(" \n "), tg.Reply("", finish="length"), CUT])
def test_an_empty_or_cut_evaluation_is_asked_for_once_more(judge, first):
    engine = Replying(first, "the sign is wrong")
    answer = tg.Variable("-3", role_description="answer")
    loss = judge(engine, answer)
    loss.backward()
    assert loss.value == answer.get_gradient_text() == "the sign is wrong"
    assert engine.prompts[1].startswith(engine.prompts[0])
    assert "Your previous reply to this was" in engine.prompts[1]


@pytest.mark.parametrize("judge", JUDGES)
def test_an_evaluation_that_is_empty_twice_makes_no_gradient_and_is_said(judge, caplog):
    answer = tg.Variable("-3", role_description="answer")
    judge(Replying("", ""), answer).backward()
    assert answer.gradients == []
    assert "replying wrote no evaluation of the answer: its reply was empty twice" in caplog.text


@pytest.mark.parametrize("judge", JUDGES)
def test_an_evaluation_that_is_cut_twice_says_so(judge, caplog):
    answer = tg.Variable("-3", role_description="answer")
    judge(Replying(CUT, tg.Reply("the sign", finish="length")), answer).backward()
    assert answer.get_gradient_text().startswith("the sign\n")
    assert "cut off by the length limit" in answer.get_gradient_text()
    assert "wrote only a part of the evaluation of the answer" in caplog.text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tg.TextLoss("judge", Scripted([]))("text"), "TextLoss: a Variable is expected, not str 'text'"),
        (lambda: tg.MultiFieldEvaluation("judge", ["a"], Scripted([]))(tg.Variable("x")), r"write \[variable\]"),
        (lambda: tg.MultiFieldEvaluation("judge", ["a"], Scripted([]))(["x"]), "a Variable is expected, not str"),
        (lambda: tg.MultiFieldEvaluation("judge", "answer", Scripted([])), r"write \['answer'\]"),
        (lambda: tg.MultiChoiceTestTime("judge", Scripted([]))("q", "a"), "a Variable is expected, not str"),
        (lambda: tg.TextLoss("", Scripted([])), "TextLoss needs an instruction"),
        (lambda: tg.TextLoss(None, Scripted([])), "TextLoss needs an instruction"),
        (lambda: tg.MultiFieldEvaluation("", ["a"], Scripted([])), "MultiFieldEvaluation needs an instruction"),
        (lambda: tg.ImageQALoss("judge", Scripted([]))(b"png", "q", "a"), "a Variable is expected, not str 'q'"),
    ],
)
def test_what_is_no_variable_is_refused_with_what_to_write(call, message):
    with pytest.raises(tg.UsageError, match=message):
        call()


def test_roles_with_braces_are_roles_like_any_other():
    engine = Scripted(["fine"])
    tg.MultiFieldEvaluation("Compare {x}.", ["set {a}", "a: b!"], engine)([tg.Variable("1"), tg.Variable("{2}")])
    assert engine.calls[0][0] == "Compare {x}.\n**set {a}**: 1\n**a: b!**: {2}"


def test_a_judge_is_copied_with_what_it_holds():
    judge = tg.TextLoss(tg.Variable("Is it exact?", role_description="instruction"), engine=str.upper)
    for twin in (copy.deepcopy(judge), pickle.loads(pickle.dumps(judge))):  # noqa: S301
        assert twin(tg.Variable("x")).value == judge(tg.Variable("x")).value
        assert twin.parameters()[0] is not judge.parameters()[0]
        assert twin.llm_call.system_prompt is twin.eval_system_prompt


@pytest.mark.parametrize("tags", ["<V>", ["<V>"], ("<V>", "<V>"), ("V", "/V")])
def test_tags_that_are_no_two_tags_are_refused(tags):
    with pytest.raises(tg.UsageError, match="parse_tags are two marks"):
        tg.MultiFieldTokenParsedEvaluation("Compare.", ["a", "b"], lambda p: "x", parse_tags=tags)
