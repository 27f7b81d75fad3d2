"""Gradients: what they are made of, and that none is lost on its way back, however a model replies."""

from __future__ import annotations

import copy
import re

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted


def says(text: str = "be shorter") -> Scripted:
    return Scripted(lambda prompt, system: text)


def text(value: str = "x", role: str = "a text") -> tg.Variable:
    return tg.Variable(value, role_description=role)


def judged(variable: tg.Variable, verdict: str = "too long") -> tg.Variable:
    """A loss on a variable that costs no model call."""
    return tg.FunctionLoss(lambda value: (1.0, verdict), name="judge")(variable)


# -- what may be appended ------------------------------------------------------------------------------


def test_a_gradient_may_be_appended_as_a_text_or_a_variable():
    x = text("x")
    x.gradients.append(text("shorter", "feedback to x"))
    x.gradients.add("name the unit")
    x.gradients += [text("and the solvent")]
    x.gradients.extend(["twice"])
    x.gradients.insert(0, "first")
    assert x.get_gradient_text() == "first\nshorter\nname the unit\nand the solvent\ntwice"
    assert all(isinstance(gradient, tg.Gradient) for gradient in x.gradients)
    with pytest.raises(tg.UsageError, match=r"not int 5; write variable.add_gradient"):
        x.gradients.append(5)
    with pytest.raises(tg.UsageError, match="not int 5"):
        x.gradients = [5]


# -- failures half-way -------------------------------------------------------------------------------


def asked_about(n, answer):
    """A prompt tried on several questions, with losses that cost no model call."""
    prompt = text("Answer.", "system prompt")
    model = tg.BlackboxLLM(lambda p, system_prompt=None: f"answer to {p}", prompt)
    questions = [tg.Variable(f"question {i};", requires_grad=False, role_description="question") for i in range(n)]
    return prompt, [judged(model(question)) for question in questions]


def test_a_gradient_is_read_as_a_variable_is():
    variable = tg.Variable("old", role_description="word")
    variable.add_gradient("newer")
    (gradient,) = variable.gradients
    assert (str(gradient), gradient.get_value()) == ("newer", "newer")
    assert gradient.get_role_description() == "feedback to word"


@pytest.mark.parametrize("failure", [tg.EngineError("rate limit"), RuntimeError("a bug")])
@pytest.mark.parametrize("cleared", [False, True])
def test_one_failing_call_of_many_throws_nothing_away(failure, cleared):
    asked, broken = [], True

    def answer(prompt, system):
        asked.append(prompt)
        if broken and "question 7;" in prompt:
            raise failure
        return f"feedback {len(asked)}"

    prompt, losses = asked_about(16, answer)
    total, engine = tg.sum(losses), Scripted(answer)
    with pytest.raises(type(failure)) as raised:
        total.backward(engine)
    said = "".join([str(raised.value), *getattr(raised.value, "__notes__", [])])
    assert "feedback to the system prompt" in said
    assert "question 7" in said
    assert "asks only for what is missing" in said
    assert (len(asked), len(prompt.gradients)) == (16, 15)
    if cleared:
        prompt.reset_gradients()
    broken = False
    total.backward(engine)
    assert (len(asked), len(prompt.gradients)) == (17, 16)
    assert len({gradient.value for gradient in prompt.gradients}) == 16
    total.backward(engine)  # a new one, as ever
    assert (len(asked), len(prompt.gradients)) == (33, 32)


def test_a_graph_whose_backward_failed_is_copied_without_what_it_waited_for():
    prompt, losses = asked_about(2, None)
    total = tg.sum(losses)
    with pytest.raises(tg.EngineError):
        total.backward(lambda p: says("fine")(p) if "question 0;" in p else fails())
    twin = copy.deepcopy(total)
    twin.backward(says("fine"))
    assert len(prompt.gradients) == 1


def fails():
    raise tg.EngineError("overloaded")


def test_ctrl_c_keeps_what_was_answered():
    asked, broken = [], True

    def answer(prompt, system):
        asked.append(prompt)
        if broken and "question 3;" in prompt:
            raise KeyboardInterrupt
        return "feedback"

    prompt, losses = asked_about(4, answer)
    total = tg.sum(losses)
    engine = tg.as_engine(answer, concurrency=1)
    with pytest.raises(KeyboardInterrupt):
        total.backward(engine)
    before, broken = len(asked), False
    total.backward(engine)
    assert len(prompt.gradients) == 4
    assert len(asked) == before + 1


def test_nothing_is_asked_with_less_than_the_whole_feedback():
    """What lies behind a gradient that is missing waits for it; another branch does not."""
    asked, broken = [], True

    def answer(prompt, system):
        role = re.search("THE VARIABLE: (.*?) ---", prompt)[1]
        asked.append(role)
        if broken and role == "draft" and "second critic" in prompt:
            raise tg.EngineError("overloaded")
        return f"on {role}"

    engine = Scripted(answer)
    question = text("q", "question")
    draft = tg.LLMCall(says("a draft"))(question, "draft")
    finals = [tg.LLMCall(says("final"))(draft, f"final {i}") for i in range(2)]
    other = text("o", "other question")
    last = judged(tg.LLMCall(says("x"))(other, "other answer"))
    total = tg.sum([judged(finals[0], "the first critic"), judged(finals[1], "the second critic"), last])
    with pytest.raises(tg.EngineError, match="feedback to the draft"):
        total.backward(engine)
    assert sorted(asked) == ["draft", "draft", "other question"]
    assert (len(draft.gradients), len(question.gradients), len(other.gradients)) == (1, 0, 1)
    asked.clear()
    broken = False
    total.backward(engine)
    assert asked == ["draft", "question"]
    assert (len(draft.gradients), len(question.gradients), len(other.gradients)) == (2, 1, 1)


def test_a_failing_summary_of_an_aggregate_keeps_what_it_would_have_condensed():
    broken, asked = True, []

    def answer(prompt, system):
        asked.append(prompt)
        if "pieces of feedback" in prompt:
            if broken:
                raise tg.EngineError("overloaded")
            return "condensed"
        return f"feedback {len(asked)}"

    prompt, losses = asked_about(4, answer)
    total, engine = tg.aggregate(losses), Scripted(answer)
    with pytest.raises(tg.EngineError, match="summary of all feedback to the system prompt"):
        total.backward(engine)
    assert (len(asked), len(prompt.gradients)) == (5, 4)
    broken = False
    total.backward(engine)
    assert (len(asked), prompt.get_gradient_text()) == (6, "condensed")


def test_a_changed_value_is_asked_about_anew_after_a_failure():
    broken = True

    def answer(prompt, system):
        if broken and "question 0;" in prompt:
            raise tg.EngineError("overloaded")
        return "on the new prompt" if "Answer briefly." in prompt else "on the old prompt"

    prompt, losses = asked_about(2, answer)
    total = tg.sum(losses)
    with pytest.raises(tg.EngineError):
        total.backward(answer)
    broken = False
    prompt.set_value("Answer briefly.")
    total.backward(answer)
    assert [gradient.value for gradient in prompt.gradients] == ["on the new prompt"] * 2


# -- empty and cut replies ---------------------------------------------------------------------------

CUT = tg.Reply("the answer is", finish="length")


def test_an_empty_or_cut_gradient_is_asked_for_once_more():
    for first in ("", "  \n", CUT):
        engine = Scripted([first, "name the unit"])
        x = text("x")
        judged(tg.LLMCall(says())(x)).backward(engine)
        assert x.get_gradient_text() == "name the unit"
        again = engine.calls[1][0]
        assert again.startswith(engine.calls[0][0])
        assert ("cut off" if first is CUT else "empty") in again


def test_a_gradient_that_is_empty_twice_is_none_and_said(caplog):
    x = text("x", "question")
    judged(tg.LLMCall(says())(x)).backward(Scripted(["", " "]))
    assert x.gradients == []
    assert "wrote no feedback to question: its reply was empty twice" in caplog.text


def test_a_gradient_that_is_cut_twice_says_so(caplog):
    for second, kept in ((tg.Reply("the unit is", finish="length"), "the unit is"), ("", "the answer is")):
        x = text("x", "question")
        judged(tg.LLMCall(says())(x)).backward(Scripted([CUT, second]))
        assert x.get_gradient_text().startswith(kept)
        assert "cut off by the length limit" in x.get_gradient_text()
    assert "only a part of the feedback to question" in caplog.text


def test_an_aggregate_whose_summary_is_empty_keeps_every_gradient():
    replies = Scripted(lambda prompt, system: "" if "pieces of feedback" in prompt else f"feedback {len(prompt)}")
    prompt, losses = asked_about(3, None)
    tg.aggregate(losses).backward(replies)
    assert len(prompt.gradients) == 3


# -- through sums ------------------------------------------------------------------------------------


@pytest.mark.parametrize("add", [lambda a, b: a + b, lambda a, b: tg.sum([a, b]), lambda a, b: tg.aggregate([a, b])])
def test_a_sum_passes_the_context_and_the_images_of_a_feedback_on(add):
    image = tg.Variable(b"a", requires_grad=False, role_description="photo")
    question = tg.Variable("What is it?", requires_grad=False, role_description="question")
    first, second = text("a dog", "first half"), text("in a park", "second half")
    judge = tg.ImageQALoss("Is it right?", Seeing())
    judge(image, question, add(first, second)).backward()
    for half in (first, second):
        (gradient,) = half.gradients
        assert gradient.images == (b"a",)
        assert "What is it?" in gradient.context
        assert "[image 1: photo]" in gradient.context


def test_several_feedbacks_through_one_sum_keep_their_images_apart():
    part = text("a dog", "first half")
    total = part + text("in a park")
    losses = []
    for name in (b"a", b"b"):
        image = tg.Variable(name, requires_grad=False, role_description=f"photo {name.decode()}")
        question = tg.Variable("What is it?", requires_grad=False)
        losses.append(tg.ImageQALoss("Is it right?", Seeing())(image, question, total))
    tg.sum(losses).backward()
    (gradient,) = part.gradients
    assert gradient.images == (b"a", b"b")
    assert "[image 1: photo a]" in gradient.context
    assert "[image 2: photo b]" in gradient.context


class Seeing(tg.Engine):
    name = "seeing"

    def complete(self, prompt, system="", images=()):
        return "a cat"


# -- nothing twice -----------------------------------------------------------------------------------


def test_a_value_is_sent_once_in_the_question_about_it():
    value = " ".join(f"word{i}" for i in range(200))
    x = text(value, "question")
    answer = tg.FormattedLLMCall(says("answer"), "Q: {q}", ["q"])({"q": x})
    engine = Scripted(["shorter"])
    answer.backward(engine)
    assert engine.calls[0][0].count(value) == 1
    assert value not in x.gradients[0].context


def test_a_context_that_several_gradients_share_is_shown_once():
    x = text("x")
    for feedback in ("too long", "too vague", "too long"):
        x.gradients.append(tg.Gradient(feedback, "", "evaluated by Ada"))
    shown = x.get_gradient_and_context_text()
    assert (shown.count("evaluated by Ada"), shown.count("too long"), shown.count("too vague")) == (1, 1, 1)


@pytest.mark.parametrize("add", [tg.sum, tg.aggregate, lambda terms: terms[0] + terms[1]])
@pytest.mark.parametrize("role", ["photo", ""])
def test_feedback_on_a_text_beside_an_image_comes_with_the_image(add, role):
    """However it stands there: a criticism of how they go together is of no use without it."""
    photo = tg.Variable(b"PNG", requires_grad=False, role_description=role)
    caption = tg.Variable("a cat", role_description="caption")
    tg.TextLoss("Do they fit?", engine=lambda prompt, images: "no: a dog")(add([photo, caption])).backward()
    seen = []

    def rewrite(prompt, images=()):
        seen.append((prompt, images))
        return "<REASON>r</REASON><IMPROVED_VARIABLE>a dog</IMPROVED_VARIABLE>"

    tg.TGD([caption], engine=rewrite).step()
    assert [images for _, images in seen] == [(b"PNG",)]
    assert "[image 1" in seen[0][0]


@pytest.mark.parametrize("give", ["shorter", tg.Variable("shorter")])
def test_one_text_in_place_of_a_list_of_gradients_is_one(give):
    variable = tg.Variable("a")
    variable.gradients = give
    variable.gradients.extend(give)
    variable.gradients += give
    variable.gradients[0] = give
    assert [gradient.value for gradient in variable.gradients] == ["shorter", "shorter", "shorter"]
