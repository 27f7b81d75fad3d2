"""TextGrad's Variable: the role is required, gradients can be added, and a backward of one's own works."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from pytest_httpserver import HTTPServer

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.textgrad import TGD, Variable, sum
from tgsci.textgrad.autograd import LLMCall
from tgsci.textgrad.autograd.function import BackwardContext, Function


def test_a_role_is_required_and_other_types_are_refused():
    with pytest.raises(TypeError):
        Variable("Hello")
    with pytest.raises(AssertionError, match=r"4\.2"):
        Variable(4.2, role_description="number")
    for other in (np.float32(4.5), ["Hello"], None):
        with pytest.raises(AssertionError, match="whole number"):
            Variable(other, role_description="number")
    assert Variable(4, role_description="number").value == "4"
    assert Variable(np.int64(4), role_description="number").value == "4"


def test_what_the_core_makes_is_a_variable_too():
    answer = LLMCall(Scripted(["Hello"]))(Variable("Hi", role_description="prompt"))
    assert isinstance(answer, Variable)
    assert not isinstance("Hello", Variable)
    with pytest.raises(AttributeError, match="MultimodalLLMCall"):
        LLMCall(Scripted(["Hello"]))([answer])


def test_gradients_are_added_as_to_a_set():
    text = Variable("Hello", role_description="greeting")
    text.gradients.add(Variable("be warmer", role_description="feedback"))
    assert text.get_gradient_text() == "be warmer"
    assert [gradient.value for gradient in text.gradients] == ["be warmer"]
    TGD([text], engine=Scripted(["<REASON>r</REASON><IMPROVED_VARIABLE>Dear all</IMPROVED_VARIABLE>"])).step()
    assert text.value == "Dear all"
    text.reset_gradients()
    assert not text.gradients


class Joined(Function):
    """A function as TextGrad's users write one: its backward adds to every predecessor."""

    def forward(self, parts):
        joined = Variable(" ".join(p.value for p in parts), predecessors=parts, role_description="joined")
        joined.set_grad_fn(BackwardContext(self.backward, joined=joined, note="joined by blanks"))
        return joined

    def backward(self, joined, note, backward_engine):
        how = backward_engine("how?")
        for part in joined.predecessors:
            feedback = f"{part.value}: {joined.get_gradient_text()} ({note}, {how})"
            part.gradients.add(Variable(feedback, role_description=f"feedback to {part.role_description}"))


def test_a_function_of_ones_own_sends_feedback_back():
    a, b = Variable("A", role_description="first"), Variable("B", role_description="second")
    fixed = Variable("C", role_description="third", requires_grad=False)
    joined = Joined()([a, b, fixed])
    total = sum([joined, tg.as_loss(lambda value: (len(value), "too long"))(joined)])
    engine = Scripted(["say less"])
    total.backward(engine)
    assert a.get_gradient_text() == "A: too long (joined by blanks, say less)"
    assert b.get_gradient_text() == "B: too long (joined by blanks, say less)"
    assert joined.get_gradient_text() == "too long"
    assert len(engine.calls) == 1  # one call of the function serves all its predecessors
    total.backward(Scripted(["again"]))
    assert len(a.gradients) == 2


class Reversed(Function):
    """A function that puts down a context with its gradient, as TextGrad's own functions do."""

    def forward(self, text):
        backwards = Variable(text.value[::-1], predecessors=[text], role_description="reversed")
        backwards.set_grad_fn(BackwardContext(self.backward, backwards))
        return backwards

    def backward(self, backwards, backward_engine):
        for text in backwards.predecessors:
            gradient = Variable(backward_engine(backwards.get_gradient_text()), role_description="feedback")
            text.gradients.add(gradient)
            text.gradients_context[gradient] = {
                "context": "read from its end",
                "response_desc": "",
                "variable_desc": "",
            }
            text._reduce_meta.extend(backwards._reduce_meta)


def test_a_context_that_a_function_puts_down_stays_with_its_gradient():
    answer = LLMCall(Scripted(["abc"]))(Variable("Hi", requires_grad=False, role_description="prompt"))
    loss = tg.as_loss(lambda value: (len(value), "too long"))(Reversed()(answer))
    loss.backward(Scripted(["shorter"]))
    (gradient,) = answer.gradients
    assert (gradient.value, gradient.context) == ("shorter", "read from its end")
    assert not hasattr(answer, "gradients_context")


def test_a_partial_is_a_backward_too():
    source = Variable("A", role_description="source")
    copy = Variable("A", predecessors=[source], role_description="copy")

    def back(variables, summation, backward_engine):
        for variable in variables:
            variable.gradients.add(Variable(summation.get_gradient_text(), role_description="feedback"))

    function = functools.partial(back, variables=copy.predecessors, summation=copy)
    copy.set_grad_fn(function)
    assert copy.get_grad_fn() is function
    copy.gradients.add(Variable("shorter", role_description="feedback"))
    copy.backward(Scripted([]))
    assert source.get_gradient_text() == "shorter"


def test_an_image_at_an_address_is_downloaded_here_and_nowhere_else(httpserver: HTTPServer):
    httpserver.expect_request("/ant.png").respond_with_data(b"\x89PNG....")
    address = httpserver.url_for("/ant.png")
    image = Variable(image_path=address, role_description="image", requires_grad=False)
    assert image.value == b"\x89PNG...."
    with pytest.raises(tg.UsageError, match="not both"):
        Variable("an ant", image_path=address, role_description="image", requires_grad=False)
    with pytest.raises(tg.UsageError, match="never fetched"):
        tg.Variable(image_path=address, role_description="image", requires_grad=False)
