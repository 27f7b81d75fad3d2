"""TGD: everything that was promised reaches the prompt, and nothing wrong reaches a value."""

from __future__ import annotations

import copy
import decimal
import math
import pickle

import numpy as np
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


def test_momentum_and_memory_together_say_nothing_twice():
    x = text(feedback="")
    engine = Scripted([block(f"value {i}") for i in range(6)])
    tgd = tg.TGD([x], engine=engine, gradient_memory=4, momentum_window=2)
    for i in range(6):
        x.reset_gradients()
        x.add_gradient(f"criticism {i}", context=f"the conversation {i}")
        tgd.step()
    last = engine.calls[5][0]
    assert [last.count(f"criticism {i}") for i in range(6)] == [0, 1, 1, 1, 1, 1]
    assert [last.count(f"value {i}") for i in range(5)] == [0, 0, 1, 1, 1]
    assert "conversation 4" not in last


def test_what_did_not_change_from_step_to_step_is_shown_once():
    x = text("aaaa", "")
    engine = Scripted([block("a" * (5 + i)) for i in range(6)])
    tgd = tg.TGD([x], engine=engine, gradient_memory=4, momentum_window=4)
    for _ in range(6):
        tgd.step(Measured(x, lambda value: (float(len(value)), f"the report on {len(value)} letters")))
    assert engine.calls[5][0].count("the report on 4 letters") == 1
    assert engine.calls[5][0].split().count("aaaa") == 1


def test_images_that_the_feedback_speaks_of_reach_the_model():
    png, other = b"\x89PNG\r\n\x1a\n one", b"\x89PNG\r\n\x1a\n two"

    class Seer(tg.Engine):
        name = "seer"
        seen = ()

        def complete(self, prompt, system="", images=()):
            self.seen = [*self.seen, (prompt, images)]
            return "nothing usable" if len(self.seen) == 2 else block(f"new {len(self.seen)}")

    x, engine = text(feedback=""), Seer()
    tgd = tg.TGD([x], engine=engine, gradient_memory=1)
    for image in (png, other):
        x.gradients = [tg.Gradient(f"[image 1: photo] is {image[-3:]}", context="of [image 1: photo]", images=(image,))]
        tgd.step()
    assert [images for _, images in engine.seen] == [(png,), (other, png), (other, png)], "in the retry too"
    assert "[image 1: photo] is b'two'" in engine.seen[1][0]
    assert "[image 2: photo] is b'one'" in engine.seen[1][0]


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
    (tg.Reply("<IMPROVED_VARIABLE>ne", finish="length"), "cut off"),
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


@pytest.mark.parametrize("reply", [block("old"), block("\nold \n"), block("OLD")])
def test_to_repeat_the_value_is_an_answer(reply, caplog):
    """The feedback may say that all is right: nothing to ask again, nothing to warn of, nothing to measure again."""

    def same(value):
        return value.lower()

    x, engine = text(), Scripted([reply, reply])
    tgd = tg.TGD([x], engine=engine, validate=same)
    tgd.step()
    measure = Measured(x)
    tgd.step(measure)
    assert (x.value, tgd.faults, len(engine.calls)) == ("old", [], 2)
    assert measure.values == ["old"]
    assert not caplog.records


def test_nothing_to_change_beside_new_values_and_twice():
    x, engine = text("aaaa", ""), Scripted([blocks("aaaa", "aaa", "aaaa")])
    measure = Measured(x)
    tg.TGD([x], engine=engine, proposals=3).step(measure)
    assert measure.values == ["aaaa", "aaa"]
    assert len(engine.calls) == 1


def test_of_a_reply_that_was_cut_off_only_the_rest_is_asked_for_again():
    x = text("aaaaa", "")
    cut = "\n".join(blocks("aaaa", "aa", "a").splitlines()[:2]) + "\n<REASON_3>it"
    engine = Scripted([tg.Reply(cut, finish="length"), block("aaa")])
    measure = Measured(x)
    tg.TGD([x], engine=engine, proposals=3).step(measure)
    assert measure.values == ["aaaaa", "aaaa", "aa", "aaa"]
    assert "The other 2 were taken" in engine.calls[1][0]
    assert "cut off" in engine.calls[1][0]


def test_a_method_keeps_its_indentation():
    code = "    def f(x):\n        return x\n    def g(x):\n        return x"
    x = text(code)
    tg.TGD([x], engine=Scripted([block("\n" + code.replace("x", "y") + "\n")])).step()
    assert x.value == code.replace("x", "y")


def test_another_indentation_of_the_first_line_is_a_change():
    x = text("def f():\n        return 1")
    tg.TGD([x], engine=Scripted([block("\n    def f():\n        return 1\n")])).step()
    assert x.value == "    def f():\n        return 1"


def test_textgrads_placeholders_in_a_system_prompt_become_the_tags():
    engine = Scripted([block("new")])
    own = "Answer between {new_variable_start_tag} and {new_variable_end_tag}, {braces} or not."
    tg.TGD([text()], engine=engine, optimizer_system_prompt=own).step()
    assert engine.calls[0][1] == "Answer between <IMPROVED_VARIABLE> and </IMPROVED_VARIABLE>, {braces} or not."


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
    assert measure.values == ["aaaa", "aaaaaa", "aaaa", "aa"]


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
    """`zero_grad()` before `step(closure)`: the closure measures again, so there is feedback to show."""
    x = text("aaaa", "")
    measure, engine = Measured(x), Scripted([block("aaaaaa"), block("aa")])
    tgd = tg.TGD([x], engine=engine)
    for _ in range(2):
        tgd.zero_grad()
        tgd.step(measure)
    assert x.value == "aa"
    assert "= 4" in engine.calls[1][0]


def test_every_step_measures_what_the_closure_reads_now():
    """One closure over the current mini-batch: what was measured on the last one says nothing about this one."""
    easy, hard = {"A": 0.1, "B": 0.0, "C": 0.0}, {"A": 9.0, "B": 5.0, "C": 1.0}
    for kind in ("global", "attribute", "content", "iterator"):
        x, batch, held, batches = text("A", ""), easy, [easy], iter([easy, easy, hard, hard])

        def closure(x=x, kind=kind, held=held, batches=batches):
            now = {"global": lambda: batch, "iterator": lambda: next(batches)}.get(kind, lambda: held[0])()  # noqa: B023
            x.reset_gradients()
            loss = tg.FunctionLoss(lambda value: (now[value], f"scored {now[value]}"))(x)
            loss.backward()
            return loss

        tgd = tg.TGD([x], engine=Scripted([block("B"), block("C")]))
        tgd.step(closure)
        batch = held[0] = hard
        tgd.step(closure)
        assert x.value == "C", kind
        assert "scored 5" in tgd.engine.calls[1][0]


@pytest.mark.parametrize("memory", [{}, {"momentum_window": 3}, {"gradient_memory": 3}, {"proposals": 2}])
def test_the_next_prompt_tells_what_was_rejected_and_what_came_of_it(memory):
    x = text("short", "")

    def measure(value):
        if value == "crash":
            raise tg.MeasurementError("the program crashed")
        return tg.Feedback(float(len(value)), metrics={"letters": len(value)}, violations={"size": len(value) - 10.0})

    script = [block("longer value"), block("crash"), block("sho")]
    if memory.get("proposals"):
        script = [blocks("longer value", "crash"), blocks("sho", "sh")]
    engine = Scripted(script)
    tgd = tg.TGD([x], engine=engine, **memory)
    for _ in script:
        tgd.step(Measured(x, measure))
    last = engine.calls[-1][0]
    assert "longer value (loss 12.00; letters 12; breaks size by 2.000; not better than loss 5.000" in last
    assert "crash (Could not be measured: the program crashed; not better than loss 5.000" in last
    assert last.count("longer value") == last.count("crash (") == 1
    assert "TRIED WITHOUT SUCCESS" not in engine.calls[0][0]


def test_a_closure_that_only_gives_a_number_is_told_by_its_number():
    x, engine = text("aaaa", ""), Scripted([block("aaaaaa"), block("aa")])
    tgd = tg.TGD([x], engine=engine)
    for _ in range(2):
        tgd.step(lambda: float(len(x.text)))
    assert x.value == "aa"
    assert "loss 4.000" in engine.calls[0][0]
    assert "aaaaaa (loss 6.000; not better than loss 4.000)" in engine.calls[1][0]


def test_what_was_rejected_is_told_within_bounds():
    x, count = text("a", ""), iter(range(10_000))
    engine = Scripted(lambda prompt, system: block(f"{next(count)}" + "y" * 2000))
    tgd = tg.TGD([x], engine=engine)
    for _ in range(40):
        tgd.step(Measured(x))
    lengths = [len(prompt) for prompt, _ in engine.calls]
    assert max(lengths[10:]) - min(lengths[10:]) < 100
    assert lengths[-1] < 25_000
    huge = Scripted(lambda prompt, system: block(f"{next(count)}" + "y" * 30_000))
    tgd = tg.TGD([x], engine=huge)
    for _ in range(3):
        tgd.step(Measured(x))
    assert 30_000 < len(huge.calls[-1][0]) < 65_000


def test_only_the_parameter_that_was_changed_is_told_of_the_rejection():
    a, b = text("a", ""), text("b", "")
    engine = Scripted(lambda prompt, system: block("longer a") if "\na\n" in prompt else block("b"))
    tgd = tg.TGD([a, b], engine=engine)

    def closure():
        tgd.zero_grad()
        a.add_gradient("fa")
        b.add_gradient("fb")
        return float(len(a.text + b.text))

    for _ in range(2):
        tgd.step(closure)
    assert sorted("TRIED" in prompt for prompt, _ in engine.calls[2:]) == [False, True]


def test_ties_are_kept_on_request():
    for keep, value in ((False, "aaa"), (True, "bbb")):
        x = text("aaa", "")
        tg.TGD([x], engine=Scripted([block("bbb")]), keep_ties=keep).step(Measured(x))
        assert x.value == value
    x = text("aaa", "")
    tg.TGD([x], engine=Scripted([block("bbb")]), keep_ties=True).step(Measured(x, lambda value: math.nan))
    assert x.value == "aaa", "what cannot be measured is no tie"


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


V = tg.Variable("x", role_description="v")


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        ([[tg.Variable("x", requires_grad=False)]], {}, "requires_grad=False"),
        ([[tg.Variable(b"image", requires_grad=False)]], {}, "only text"),
        ([["x"]], {}, "a parameter is a tgsci.Variable, not 'x'"),
        (["x"], {}, "a parameter is a tgsci.Variable, not 'x'"),
        ([None], {}, "not None"),
        ([[V], Scripted([])], {}, r"write TGD\(..., engine=...\)"),
        ([[V], "gpt-4o"], {}, r"`verbose`, not 'gpt-4o'"),
        ([[V]], {"proposals": 0}, "proposals must be a whole number"),
        ([[V]], {"gradient_memory": -1}, "gradient_memory must be a whole number"),
        ([[V]], {"momentum_window": 1.5}, "momentum_window must be a whole number"),
        ([[V]], {"new_variable_tags": ["<A>"]}, r'two marks, \["<NEW>", "</NEW>"\]'),
        ([[V]], {"new_variable_tags": "<A>"}, "two marks"),
        ([[V]], {"new_variable_tags": ["<A>", "<A>"]}, "two marks"),
        ([[V]], {"new_variable_tags": ["A", "B"]}, "two marks"),
        ([[V]], {"constraints": ["be brief", 3]}, "constraints are texts.*3 is none"),
        ([[V]], {"in_context_examples": [None]}, "in_context_examples are texts"),
    ],
)
def test_misuse_is_refused_with_a_reason(arguments, settings, said):
    with pytest.raises(tg.UsageError, match=said):
        tg.TGD(*arguments, **{**({} if len(arguments) > 1 else {"engine": Scripted([])}), **settings})


def test_no_engine_is_refused_with_a_reason():
    with pytest.raises(tg.UsageError, match="no engine"):
        tg.TGD([text()])


def test_momentums_arguments_the_wrong_way_round():
    with pytest.raises(tg.UsageError, match="the engine comes first"):
        tg.TextualGradientDescentwithMomentum([V], Scripted([]))


def test_one_text_is_a_list_of_one():
    engine = Scripted([block("new")])
    tg.TGD([text()], engine=engine, constraints="Be brief", in_context_examples="abc").step()
    assert "\n1. Be brief\n" in engine.calls[0][0]
    assert "\nabc\n" in engine.calls[0][0]
    assert "2. " not in engine.calls[0][0]


def test_parameters_may_come_from_a_generator_and_each_counts_once():
    x, engine = text(), Scripted([block("new")])
    tg.TGD((v for v in [x, x]), engine=engine).step()
    assert x.value == "new"


def test_an_optimizer_without_parameters_says_so_at_its_step():
    for parameters in ((), [], tg.BlackboxLLM(Scripted([])).parameters()):
        with pytest.raises(tg.UsageError, match="empty parameter list"):
            tg.TGD(parameters, engine=Scripted([])).step()


def test_a_parameter_that_no_feedback_reached_is_left_alone(caplog):
    a, b = text("a"), tg.Variable("b", role_description="the other text")
    engine = Scripted([block("A")])
    tgd = tg.TGD([a, b], engine=engine)
    tgd.step()
    assert (a.value, b.value) == ("A", "b")
    assert "no feedback reached the other text" in tgd.faults[0]
    assert "no feedback reached the other text" in caplog.text


def test_an_optimizer_can_be_copied_and_pickled():
    x = text()
    tgd = tg.TGD([x], engine=Scripted([block("new")]), gradient_memory=2)
    tgd.step()
    for twin in (copy.deepcopy(tgd), pickle.loads(pickle.dumps(tgd))):  # noqa: S301
        assert [p.value for p in twin.parameters] == ["new"]
        assert twin.parameters[0] is not x


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


@pytest.mark.parametrize("number", [np.float32(0.5), np.array(0.5), decimal.Decimal("0.5")])
def test_a_closure_may_return_a_number_of_any_kind(number):
    variable = text()
    tg.TGD([variable], engine=Scripted([block("new")]), verbose=np.int64(0), keep_ties=True).step(lambda: number)
    assert variable.value == "new"


def test_a_closure_may_be_a_coroutine_function():
    variable = text()

    async def closure():
        return float(len(variable.value))

    tg.TGD([variable], engine=Scripted([block("x")])).step(closure)
    assert variable.value == "x"


@pytest.mark.parametrize("given", [{"a": "b"}, b"ab", 5])
@pytest.mark.parametrize("name", ["constraints", "in_context_examples"])
def test_what_is_no_list_of_texts_is_refused(name, given):
    with pytest.raises(tg.UsageError, match=f"{name} are texts"):
        tg.TGD([text()], engine=Scripted([]), **{name: given})
