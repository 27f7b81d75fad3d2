"""What maps variables to a variable: forward, and the question its backward asks."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import tgsci as tg
from tgsci.engines.scripted import Scripted

ECHO = tg.as_engine(lambda prompt, system="": f"{system}|{prompt}")

#: Texts that a formatting function would stumble over.
HOSTILE = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(["{", "}", "{{", "}}", "{a}", "{b}", "{0}", "{a!r:>9}", "%s", "\\1", "\\g<0>", "$a", "x"]),
        max_size=8,
    ).map("".join),
)


class Camera(tg.Engine):
    """Keeps the images it is shown."""

    name = "camera"

    def __init__(self) -> None:
        self.images: list[tuple[bytes, ...]] = []
        self.prompts: list[str] = []

    def complete(self, prompt, system="", images=()):
        self.images.append(tuple(images))
        self.prompts.append(prompt)
        return "a cat"


def test_a_model_call_sends_the_system_prompt_and_the_value():
    answer = tg.LLMCall(ECHO, "be brief")(tg.Variable("2+2?"), "sum")
    assert answer.value == "be brief|2+2?"
    assert answer.role_description == "sum"


def test_a_model_as_a_module_has_its_system_prompt_as_parameter():
    prompt = tg.Variable("be brief", role_description="system prompt")
    model = tg.BlackboxLLM(ECHO, prompt)
    assert model.parameters() == [prompt]
    prompt.add_gradient("x")
    model.zero_grad()
    assert prompt.gradients == []
    assert model(tg.Variable("q", requires_grad=False)).value == "be brief|q"
    model = tg.BlackboxLLM(ECHO, "be kind")
    assert [parameter.value for parameter in model.parameters()] == ["be kind"]
    fixed = tg.Variable("fixed", requires_grad=False)
    assert tg.BlackboxLLM(ECHO, fixed).parameters() == tg.BlackboxLLM(ECHO).parameters() == []


def test_the_backward_of_a_call_shows_the_conversation_the_feedback_and_the_whole_variable():
    value = " ".join(f"w{i}" for i in range(500))
    x = tg.Variable(value, role_description="question")
    answer = tg.LLMCall(lambda p, s: "forty-two", "be brief")(x)
    loss = tg.FunctionLoss(lambda v: (1.0, "the unit is missing"))(answer)
    engine = Scripted(["name the unit"])
    loss.backward(engine)
    prompt, _ = engine.calls[0]
    for part in (value, "be brief", "forty-two", "the unit is missing", "question"):
        assert part in prompt
    assert x.get_gradient_text() == "name the unit"
    assert "forty-two" in x.get_gradient_and_context_text()


def test_the_value_of_an_intermediate_answer_can_change_without_touching_the_graph():
    x = tg.Variable("q")
    answer = tg.LLMCall(lambda p, s: "a")(x)
    x.set_value("another")
    answer.backward(tg.as_engine(lambda p, s: "ok"))
    assert x.get_gradient_text() == "ok"


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@example("{a", "b}", "{", "}")
@example("{", "a}", "x", "y")
def test_any_text_is_safe_in_a_formatted_call(before, after, a, b):
    """What a field holds is never looked at; a format string is read as `str.format` reads it, or refused."""
    asked = Scripted(lambda prompt, system: prompt)
    call = tg.FormattedLLMCall(asked, "<{a}|{b}|{a}>", ["a", "b"])
    assert call({"a": tg.Variable(a), "b": tg.Variable(b)}).value == f"<{a}|{b}|{a}>"
    template = before + "{zz}" + after
    try:
        expected = template.format(zz=a)
    except (KeyError, ValueError, IndexError, AttributeError):
        return
    assert tg.FormattedLLMCall(asked, template, ["zz"])({"zz": tg.Variable(a)}).value == expected


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        ('Answer {{"answer": 1}} to {question}', 'Answer {"answer": 1} to 2+2?'),
        ("literal {{question}}, then {question}", "literal {question}, then 2+2?"),
        ("{{{question}}}", "{2+2?}"),
        ("{question!r:>8}|{question:.2}|{question!s}", "  '2+2?'|2+|2+2?"),
        # Braces that begin no placeholder may stand alone, as they could before.
        ('{"a": {"b": {question}}} and {{c}}', '{"a": {"b": 2+2?}} and {c}'),
        ("set() is not {}; f(){ return; } {question} } {", "set() is not {}; f(){ return; } 2+2? } {"),
    ],
)
def test_a_format_string_is_read_as_str_format_reads_it(template, prompt):
    engine = Scripted(["ok"])
    tg.FormattedLLMCall(engine, template, {"question": None})({"question": tg.Variable("2+2?")})
    assert engine.calls[0][0] == prompt


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Q: {Question}", r"\{Question\} .* did you mean \{question\}\? .*\{\{Question\}\}"),
        ("Q: {qestion} {question}", "did you mean"),
        ("Q: {0} {question}", "none of the fields"),
        ("Q: { question }", "did you mean"),
        ("Q: {question.value}", "filled in whole"),
        ("Q: {question[0]}", "filled in whole"),
        ("Q: {question:d}", "cannot be filled in"),
        ("Q: {question!x}", "cannot be filled in"),
        ("no place for it", "'question' has no place"),
        ("only a literal {{question}}", "'question' has no place"),
    ],
)
def test_a_format_string_that_cannot_be_filled_in_is_refused_at_once(template, message):
    with pytest.raises(tg.UsageError, match=message):
        tg.FormattedLLMCall(ECHO, template, ["question"])


@given(st.dictionaries(st.text(min_size=1, max_size=6), HOSTILE, min_size=1, max_size=4))
def test_any_field_name_works(fields):
    template = "".join(f"[{{{name}}}]" for name in fields)
    if not any("{" in name or "}" in name for name in fields):
        call = tg.FormattedLLMCall(Scripted(lambda prompt, system: prompt), template, fields)
        answer = call({name: tg.Variable(value) for name, value in fields.items()})
        assert answer.value == "".join(f"[{value}]" for value in fields.values())


def test_a_formatted_call_wants_exactly_its_fields():
    call = tg.FormattedLLMCall(ECHO, "{a}", {"a": None})
    with pytest.raises(tg.UsageError, match="expected the fields"):
        call({"b": tg.Variable("x")})
    with pytest.raises(tg.UsageError, match="expected the fields"):
        call({"a": tg.Variable("x"), "b": tg.Variable("x")})


def test_images_reach_the_engine_as_bytes():
    camera = Camera()
    image = tg.Variable(b"\x89PNG", requires_grad=False, role_description="photo")
    tg.LLMCall(camera)(image)
    tg.MultimodalLLMCall(camera)([image, tg.Variable("what is it?"), image])
    assert camera.images == [(b"\x89PNG",), (b"\x89PNG", b"\x89PNG")]
    assert "[image 2: photo]" in camera.prompts[1]
    assert "what is it?" in camera.prompts[1]


def test_an_engine_that_takes_no_images_says_so():
    with pytest.raises(tg.EngineError, match="no images"):
        tg.LLMCall(ECHO)(tg.Variable(b"\x89PNG", requires_grad=False))


def test_a_function_of_texts_runs_forward_and_is_explained_backward():
    function = tg.StringBasedFunction(lambda code, unit: len(code.value), "counts the characters")
    code = tg.Variable("abc", role_description="code")
    result = function({"code": code, "unit": tg.Variable("char", requires_grad=False)})
    assert result.value == "3"
    engine = Scripted(["shorten it"])
    result.backward(engine)
    assert code.get_gradient_text() == "shorten it"
    assert "counts the characters" in engine.calls[0][0]
    assert len(engine.calls) == 1


def test_map_keeps_the_order_and_raises_the_first_failure():
    assert tg.map(lambda i: i * i, range(50)) == [i * i for i in range(50)]
    assert tg.map(str, []) == []

    def fails(i):
        if i % 2:
            raise ValueError(i)

    with pytest.raises(ValueError, match=r"^1$"):
        tg.map(fails, range(10))


def test_parameters_are_found_in_lists_tuples_and_dicts():
    class Pipeline(tg.Module):
        def __init__(self):
            one, two, three, four = (tg.Variable(f"s{i}", role_description=f"s{i}") for i in range(4))
            self.steps = [tg.BlackboxLLM(ECHO, one), {"inner": (tg.BlackboxLLM(ECHO, two),)}]
            self.prompts = {"a": three, "fixed": tg.Variable("f", requires_grad=False)}
            self.nested = [[four], one]
            self.self = self

    pipeline = Pipeline()
    assert [p.value for p in pipeline.parameters()] == ["s0", "s1", "s2", "s3"]
    assert [name for name, _ in pipeline.named_parameters()] == ["s0", "s1", "s2", "s3"]
    pipeline.prompts["a"].add_gradient("x")
    pipeline.zero_grad()
    assert pipeline.prompts["a"].gradients == []


def test_a_system_prompt_given_as_text_is_optimised():
    engine = Scripted(["answer", "say which unit", "<REASON>r</REASON><IMPROVED_VARIABLE>new</IMPROVED_VARIABLE>"])
    model = tg.BlackboxLLM(engine, "old")
    tg.as_loss(lambda v: (1.0, "no unit"))(model(tg.Variable("q", requires_grad=False))).backward(engine)
    tg.TGD(model.parameters(), engine=engine).step()
    assert model.system_prompt.value == "new"


# -- images ------------------------------------------------------------------------------------------


def photo(content=b"\x89PNG", role="photo"):
    return tg.Variable(content, requires_grad=False, role_description=role)


def test_the_model_that_writes_a_gradient_sees_the_images_of_the_call():
    for call, inputs in (
        (
            lambda e, s: tg.MultimodalLLMCall(e, s)(
                [photo(b"a"), tg.Variable("what?", requires_grad=False), photo(b"b")]
            ),
            2,
        ),
        (lambda e, s: tg.LLMCall(e, s)(photo(b"a")), 1),
        (lambda e, s: tg.BlackboxLLM(e, s)(photo(b"a")), 1),
        (lambda e, s: tg.FormattedLLMCall(e, "{a} {b}", ["a", "b"], s)({"a": photo(b"a"), "b": photo(b"b")}), 2),
    ):
        camera, writer = Camera(), Camera()
        system = tg.Variable("Look.", role_description="system prompt")
        call(camera, system).backward(writer)
        expected = (b"a", b"b")[:inputs]
        assert camera.images == writer.images == [expected]
        for i in range(inputs):
            assert f"[image {i + 1}: photo]" in writer.prompts[0]
        assert system.gradients[0].images == expected
        assert "[image 1: photo]" in system.gradients[0].context


def test_a_functions_images_reach_the_model_that_explains_it():
    writer = Camera()
    caption = tg.Variable("a dog", role_description="caption")
    function = tg.StringBasedFunction(lambda image, caption: len(image.value), "counts the bytes")
    function({"image": photo(b"a"), "caption": caption}).backward(writer)
    assert writer.images == [(b"a",)]
    assert "[image 1: photo]" in writer.prompts[0]
    assert caption.gradients[0].images == (b"a",)


def test_several_gradients_with_images_make_one_prompt_with_matching_numbers():
    writer = Camera()
    system = tg.Variable("Look.", role_description="system prompt")
    model = tg.MultimodalLLMCall(Camera(), system)
    answers = [model([photo(bytes([i]), f"photo {i}"), photo(b"same", "reference")]) for i in range(3)]
    tg.aggregate(answers).backward(writer)
    assert writer.images[:3] == [(bytes([i]), b"same") for i in range(3)]
    assert len(writer.prompts) == 4
    shown = system.get_gradient_and_context_text()
    numbers = dict(re.findall(r"\[image (\d): (.*?)\]", shown))
    assert numbers == {"1": "photo 0", "2": "reference", "3": "photo 1", "4": "photo 2"}
    assert system.gradients[0].images == (b"\0", b"same", b"\1", b"\2")


def test_a_field_with_an_image_takes_no_format():
    with pytest.raises(tg.UsageError, match="holds an image"):
        tg.FormattedLLMCall(Camera(), "{a:.3}", ["a"])({"a": photo()})


# -- what comes in -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tg.LLMCall(ECHO)("text"), "LLMCall: a Variable is expected, not str 'text'; write tgsci.Variable"),
        (lambda: tg.BlackboxLLM(ECHO)("text"), "a Variable is expected, not str"),
        (lambda: tg.LLMCall(ECHO)(5), "not int 5"),
        (lambda: tg.LLMCall(ECHO)([tg.Variable("x")]), "MultimodalLLMCall and FormattedLLMCall take several"),
        (lambda: tg.MultimodalLLMCall(ECHO)(tg.Variable("x")), r"write \[variable\]"),
        (lambda: tg.MultimodalLLMCall(ECHO)("text"), "a list of Variables is expected, not str"),
        (lambda: tg.MultimodalLLMCall(ECHO)([b"png"]), "a Variable is expected, not bytes"),
        (lambda: tg.FormattedLLMCall(ECHO, "{a}", ["a"])({"a": "text"}), "'a': a Variable is expected, not str"),
        (lambda: tg.FormattedLLMCall(ECHO, "{a}", ["a"])(tg.Variable("x")), "a dict of Variables by name"),
        (lambda: tg.FormattedLLMCall(ECHO, "{a}", "a"), "a list of names"),
        (lambda: tg.StringBasedFunction(len, "counts")(tg.Variable("x")), "a dict of Variables by name"),
        (lambda: tg.StringBasedFunction(lambda a: None, "counts")({"a": tg.Variable("x")}), "counts returned None"),
        (lambda: tg.sum(tg.Variable("x")), r"sum: .*write \[variable\]"),
        (lambda: tg.aggregate(["x"]), "aggregate: a Variable is expected, not str"),
    ],
)
def test_what_is_no_variable_is_refused_with_what_to_write(call, message):
    with pytest.raises(tg.UsageError, match=message):
        call()


def test_a_coroutine_function_may_be_a_function_of_texts():
    async def count(text):
        return len(text.value)

    assert tg.StringBasedFunction(count, "counts")({"text": tg.Variable("abc")}).value == "3"


def test_an_empty_gradient_across_a_function_is_asked_for_once_more():
    engine = Scripted(["", "shorten it"])
    x = tg.Variable("abc", role_description="code")
    tg.StringBasedFunction(lambda x: 3, "counts")({"x": x}).backward(engine)
    assert x.get_gradient_text() == "shorten it"
    assert len(engine.calls) == 2


def test_an_aggregate_that_grows_is_condensed_as_one():
    asked = []

    def answer(prompt, system):
        asked.append(prompt)
        return "condensed" if "pieces of feedback" in prompt else f"feedback {len(asked)}"

    prompt = tg.Variable("the prompt", role_description="system prompt")
    model = tg.LLMCall(ECHO, prompt)
    total = None
    for i in range(5):
        loss = tg.as_loss(lambda v: (1.0, "report"))(model(tg.Variable(f"{i}", requires_grad=False)))
        total = loss if total is None else tg.aggregate([total, loss])
    total.backward(answer)
    assert prompt.get_gradient_text() == "condensed"
    assert len(asked) == 6


def test_feedback_on_a_drawing_reaches_what_was_drawn_with_the_drawing():
    camera = Camera()
    code = tg.Variable("circle(3)", role_description="drawing program")
    drawing = tg.StringBasedFunction(lambda code: b"PNG", "draws")({"code": code})
    tg.TextLoss("Is it round?", engine=camera)(drawing).backward(camera)
    assert camera.images == [(b"PNG",), (b"PNG",)]
    assert "[image 1: result of: draws]" in camera.prompts[1]
    assert code.gradients[0].images == (b"PNG",)
