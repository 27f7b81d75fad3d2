"""TGD: everything that was promised reaches the prompt, and nothing wrong reaches a value."""

from __future__ import annotations

import math

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted


def block(value: str, tag: str = "IMPROVED_VARIABLE") -> str:
    return f"<REASON>because</REASON><{tag}>{value}</{tag}>"


def blocks(*values: str) -> str:
    return "\n".join(
        f"<REASON_{i}>because</REASON_{i}><IMPROVED_VARIABLE_{i}>{v}</IMPROVED_VARIABLE_{i}>"
        for i, v in enumerate(values, 1)
    )


def text(value: str = "old", feedback: str = "say more") -> tg.Variable:
    variable = tg.Variable(value, role_description="answer to a question")
    if feedback:
        variable.add_gradient(feedback)
    return variable


class Measured:
    """A closure over one variable that counts its measurements."""

    def __init__(self, variable: tg.Variable, loss=lambda v: float(len(v))) -> None:
        self.variable, self.loss = variable, tg.as_loss(loss)
        self.values: list[str] = []

    def __call__(self) -> tg.Variable:
        self.values.append(self.variable.text)
        self.variable.reset_gradients()
        loss = self.loss(self.variable)
        loss.backward()
        return loss


# -- what a step does ------------------------------------------------------------------------------


def test_a_step_takes_the_new_value():
    x, engine = text(), Scripted([block("new")])
    tg.TGD([x], engine=engine).step()
    assert x.value == "new"
    assert len(engine.calls) == 1


def test_everything_that_was_given_reaches_the_prompt():
    x = text(feedback="")
    x.add_gradient("say more", context="the conversation")
    engine = Scripted([block("new")])
    tgd = tg.TGD(
        [x],
        engine=engine,
        constraints=["at most ten words", "no {braces}"],
        in_context_examples=["good: 42 kg"],
        optimizer_system_prompt="You are terse.",
    )
    tgd.step()
    prompt, system = engine.calls[0]
    assert system == "You are terse."
    for part in ("old", "answer to a question", "say more", "the conversation", "at most ten words", "no {braces}"):
        assert part in prompt
    assert "good: 42 kg" in prompt
    assert "<IMPROVED_VARIABLE>" in prompt


def test_a_value_of_ten_thousand_words_is_shown_and_taken_whole():
    long = " ".join(f"word{i}" for i in range(10_000))
    x, engine = text(long), Scripted([block(long.upper())])
    tg.TGD([x], engine=engine).step()
    assert long in engine.calls[0][0]
    assert x.value == long.upper()


def test_gradient_memory_shows_earlier_feedback_and_no_more_than_asked():
    x = text(feedback="")
    engine = Scripted([block(f"value {i}") for i in range(4)])
    tgd = tg.TGD([x], engine=engine, gradient_memory=2)
    for i in range(4):
        x.reset_gradients()
        x.add_gradient(f"criticism {i}")
        tgd.step()
    first, last = engine.calls[0][0], engine.calls[3][0]
    assert "criticism 0" in first
    assert [f"criticism {i}" in last for i in range(4)] == [False, True, True, True]
    assert "value 1" not in last


def test_momentum_shows_earlier_values_each_with_its_feedback():
    x = text(feedback="")
    engine = Scripted([block(f"value {i}") for i in range(4)])
    tgd = tg.TextualGradientDescentwithMomentum(engine, [x], momentum_window=2)
    for i in range(4):
        x.reset_gradients()
        x.add_gradient(f"criticism {i}")
        tgd.step()
    last = engine.calls[3][0]
    assert ["old" in last.split(), *(f"value {i}" in last for i in range(3))] == [False, True, True, True]
    assert [f"criticism {i}" in last for i in range(4)] == [False, True, True, True]
    assert "None" not in last


def test_without_memory_nothing_of_the_past_is_shown():
    x, engine = text(), Scripted([block("new"), block("newer")])
    tgd = tg.TGD([x], engine=engine)
    tgd.step()
    x.reset_gradients()
    x.add_gradient("now this")
    tgd.step()
    assert "say more" not in engine.calls[1][0]


def test_several_parameters_are_edited_together():
    a, b = text("a"), text("b")
    engine = Scripted(lambda prompt, system: block("A") if "\na\n" in prompt else block("B"))
    tgd = tg.TGD([a, b], engine=engine)
    tgd.step()
    assert (a.value, b.value) == ("A", "B")
    tgd.zero_grad()
    assert a.gradients == b.gradients == []


def test_verbose_prints_the_new_value(capsys):
    tg.TGD([text()], engine=Scripted([block("brand-new")]), verbose=1).step()
    assert "brand-new" in capsys.readouterr().out


# -- bad replies -----------------------------------------------------------------------------------

FAULTS = [
    ("I would say more.", "no complete"),
    ("", "no complete"),
    (block("   "), "empty"),
    (block("old"), "unchanged"),
    (block("\nold \n"), "unchanged"),
    (tg.Reply(block("new"), finish="length"), "cut off"),
    ("<IMPROVED_VARIABLE>never closed", "no complete"),
    (block("x" * 100_001), "100001 characters"),
]


@pytest.mark.parametrize(("reply", "named"), FAULTS)
def test_a_bad_reply_is_asked_for_once_more_with_the_fault_named(reply, named):
    x, engine = text(), Scripted([reply, block("new")])
    tgd = tg.TGD([x], engine=engine)
    tgd.step()
    assert x.value == "new"
    assert tgd.faults == []
    assert named in engine.calls[1][0]
    assert "This could not be used" in engine.calls[1][0]
    assert engine.calls[0][0].split("End your reply")[0] in engine.calls[1][0]


@pytest.mark.parametrize(("reply", "named"), FAULTS)
def test_two_bad_replies_leave_the_value_and_say_why(reply, named):
    x, engine = text(), Scripted([reply, reply])
    tgd = tg.TGD([x], engine=engine)
    tgd.step()
    assert x.value == "old"
    assert x.get_gradient_text() == "say more"
    assert len(tgd.faults) == 1
    assert named in tgd.faults[0]
    assert len(engine.calls) == 2


def test_an_invalid_value_is_a_fault():
    def even(value):
        if len(value) % 2:
            raise tg.InvalidValue("an odd number of letters")
        return value

    x, engine = text("abcd"), Scripted([block("abc"), block("ab")])
    tg.TGD([x], engine=engine, validate=even).step()
    assert x.value == "ab"
    assert "an odd number of letters" in engine.calls[1][0]


def test_a_value_that_only_looks_new_is_unchanged():
    x, engine = text("ABC"), Scripted([block("abc"), block("abd")])
    tg.TGD([x], engine=engine, validate=str.upper).step()
    assert x.value == "ABD"
    assert "unchanged" in engine.calls[1][0]


@pytest.mark.parametrize("tag", ["<IMPROVED_VARIABLE>", "</IMPROVED_VARIABLE>", "<IMPROVED_VARIABLE_NEW>"])
def test_a_value_that_holds_the_tags_gets_other_tags(tag):
    """Else the model that keeps them, as it should, ends its own block early."""

    def answer(prompt, system):
        opening, closing = prompt.split("\n")[-1].split("the whole new value, nothing else")
        return f"<REASON>r</REASON>\n{opening}say {tag} twice{closing}"

    x = text(f"say {tag} once")
    tg.TGD([x], engine=answer).step()
    assert x.value == f"say {tag} twice"


def test_own_tags_are_asked_for_and_read():
    x, engine = text(), Scripted(["[NEW]better[/NEW]"])
    tg.TGD([x], engine=engine, new_variable_tags=["[NEW]", "[/NEW]"]).step()
    assert x.value == "better"
    assert "[NEW]" in engine.calls[0][0]


# -- with a closure --------------------------------------------------------------------------------


def test_a_step_with_a_closure_keeps_only_what_is_better():
    x = text("aaaa")
    measure = Measured(x)
    tgd = tg.TGD([x], engine=Scripted([block("aaaaaa"), block("aa")]))
    tgd.step(measure)
    assert x.value == "aaaa"
    assert "= 4" in x.get_gradient_text()
    tgd.step(measure)
    assert x.value == "aa"
    assert "= 2" in x.get_gradient_text()
    assert measure.values == ["aaaa", "aaaaaa", "aa"]


def test_the_best_of_several_proposals_is_kept_for_one_call():
    x = text("aaaaa")
    engine = Scripted([blocks("aaaa", "aa", "aaa")])
    measure = Measured(x)
    tg.TGD([x], engine=engine, proposals=3).step(measure)
    assert x.value == "aa"
    assert "= 2" in x.get_gradient_text()
    assert len(engine.calls) == 1
    assert measure.values == ["aaaaa", "aaaa", "aa", "aaa"]


def test_some_good_proposals_and_a_retry_for_the_rest():
    x = text("aaaaa")
    engine = Scripted([blocks("aaaa", "", "aaaa"), blocks("aa", "aaaa")])
    measure = Measured(x)
    tg.TGD([x], engine=engine, proposals=3).step(measure)
    assert x.value == "aa"
    assert measure.values == ["aaaaa", "aaaa", "aa"]


def test_a_failed_measurement_is_never_kept():
    def loss(value):
        if value == "bad":
            raise tg.MeasurementError("crashed")
        return 1.0

    x = text("good")
    tg.TGD([x], engine=Scripted([block("bad")])).step(Measured(x, loss))
    assert x.value == "good"


def test_anything_measured_replaces_what_could_not_be():
    x = text("bad")
    loss = {"bad": math.nan, "good": 1e9}
    tg.TGD([x], engine=Scripted([block("good")])).step(Measured(x, loss.__getitem__))
    assert x.value == "good"


def test_pytorchs_loop_keeps_its_feedback():
    """`zero_grad()` before `step(closure)`: the measurement is not repeated, its feedback is still shown."""
    x = text("aaaa", "")
    measure, engine = Measured(x), Scripted([block("aaaaaa"), block("aa")])
    tgd = tg.TGD([x], engine=engine)
    for _ in range(2):
        tgd.zero_grad()
        tgd.step(measure)
    assert measure.values == ["aaaa", "aaaaaa", "aa"]
    assert "= 4" in engine.calls[1][0]


def test_a_value_changed_by_hand_is_measured_again():
    x = text("aaaa")
    measure = Measured(x)
    tgd = tg.TGD([x], engine=Scripted([block("aa"), block("bb")]))
    tgd.step(measure)
    x.set_value("bbbbbb")
    tgd.step(measure)
    assert measure.values == ["aaaa", "aa", "bbbbbb", "bb"]


def test_a_closure_may_return_a_feedback_or_a_number():
    for wrap in (float, tg.Feedback):
        x = text("aaaa")
        tg.TGD([x], engine=Scripted([block("aa")])).step(lambda x=x, wrap=wrap: wrap(len(x.text)))
        assert x.value == "aa"


@pytest.mark.parametrize(
    "closure",
    [
        lambda: tg.Variable("nice"),
        lambda: tg.TextLoss("judge", engine=lambda p, s: "nice")(tg.Variable("x")),
        lambda: tg.FunctionLoss(lambda v: tg.Feedback(None, "nice"))(tg.Variable("x")),
        lambda: None,
    ],
)
def test_a_closure_without_a_number_is_refused_before_the_model_is_asked(closure):
    x, engine = text(), Scripted([block("new")])
    with pytest.raises(tg.UsageError, match=r"step\(closure\) compares losses"):
        tg.TGD([x], engine=engine).step(closure)
    assert x.value == "old"
    assert engine.calls == []


def test_an_engine_error_is_raised_and_changes_nothing():
    x = text()
    tgd = tg.TGD([x], engine=Scripted([tg.EngineError("no network"), block("new")]), gradient_memory=1)
    with pytest.raises(tg.EngineError, match="no network"):
        tgd.step()
    assert x.value == "old"
    assert x.get_gradient_text() == "say more"
    tgd.step()
    assert x.value == "new"
    assert "STEPS BEFORE" not in tgd.engine.calls[-1][0]


def test_a_closure_that_raises_leaves_the_best_measured_value():
    x = text("aaaaa")

    def closure():
        if x.text == "boom":
            raise tg.EngineError("no network")
        x.reset_gradients()
        x.add_gradient(f"feedback on {x.text}")
        return float(len(x.text))

    tgd = tg.TGD([x], engine=Scripted([blocks("aaa", "boom")]), proposals=2)
    with pytest.raises(tg.EngineError):
        tgd.step(closure)
    assert x.value == "aaa"
    assert x.get_gradient_text() == "feedback on aaa"


# -- misuse ----------------------------------------------------------------------------------------


def test_misuse_is_refused_with_a_reason():
    with pytest.raises(tg.UsageError, match="no engine"):
        tg.TGD([text()])
    with pytest.raises(tg.UsageError, match="requires_grad=False"):
        tg.TGD([tg.Variable("x", requires_grad=False)], engine=Scripted([]))
    with pytest.raises(tg.UsageError, match="at least 1"):
        tg.TGD([text()], engine=Scripted([]), proposals=0)


def test_a_single_variable_may_be_given_without_a_list():
    x = text()
    tg.TGD(x, engine=Scripted([block("new")])).step()
    assert x.value == "new"


def test_another_closure_measures_the_current_value_again():
    """Mini-batches: what was measured on the last batch says nothing about this one."""
    x = text("a")
    tgd = tg.TGD([x], engine=Scripted([block("bb"), block("ccc")]))
    tgd.step(Measured(x, lambda value: {"a": 10.0, "bb": 20.0}[value]))
    assert x.value == "a"
    second = Measured(x, lambda value: {"a": 1.0, "ccc": 5.0}[value])
    tgd.step(second)
    assert second.values == ["a", "ccc"]
    assert x.value == "a"
