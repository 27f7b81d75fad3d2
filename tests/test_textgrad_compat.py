"""TextGrad's README and tutorials, call by call, with the import changed.

Their models' names are answered by scripts; the data sets that they download are two samples here. The texts
are our own: what is tested is that the same calls work and mean the same.
"""

import concurrent.futures
import importlib
import re
from pathlib import Path

import pytest

import tgsci as tg
from tgsci.engine import resolve_names_by
from tgsci.engines import engine_named
from tgsci.engines.scripted import Scripted

GUIDE = Path(__file__).parent.parent / "docs" / "from-textgrad.md"


def block(value):
    return f"<REASON>the feedback asks for it</REASON>\n<IMPROVED_VARIABLE>{value}</IMPROVED_VARIABLE>"


@pytest.fixture
def models():
    """The engines behind the models' names; a test fills it in."""
    engines = {}

    def named(name, **parameters):
        assert not parameters
        return engines[name.removeprefix("experimental:")]

    resolve_names_by(named)
    yield engines
    resolve_names_by(engine_named)
    tg.set_backward_engine(None)


def prompts_of(engine):
    return [prompt for prompt, _ in engine.calls]


# -- the README ----------------------------------------------------------------------------------------


def test_the_quick_start(models):
    models["gpt-4o"] = engine = Scripted(
        ["A long first line", "Too long: say it in four words", block("Text has slopes")]
    )
    tg.set_backward_engine("gpt-4o")

    model = tg.BlackboxLLM("gpt-4o")
    question = tg.Variable("a line for my package", role_description="prompt", requires_grad=False)
    punchline = model(question)
    punchline.set_role_description("a line that people remember")
    assert punchline.value == "A long first line"

    loss_fn = tg.TextLoss("Is the line short and does it make sense?")
    optimizer = tg.TGD(parameters=[punchline])
    loss = loss_fn(punchline)
    loss.backward()
    optimizer.step()

    assert punchline.value == "Text has slopes"
    asked, judged, improved = engine.calls
    assert asked == ("a line for my package", "")
    assert judged == ("A long first line", "Is the line short and does it make sense?")
    for text in ("A long first line", "a line that people remember", "Too long: say it in four words"):
        assert text in improved[0]


def test_a_solution_is_improved(models):
    models["gpt-4o"] = engine = Scripted(["The sign under the root is wrong", block("x = 2 and x = 1/3")])
    tg.set_backward_engine("gpt-4o")
    solution = tg.Variable("x = 7 +- sqrt(73)", requires_grad=True, role_description="solution to the math question")
    loss_fn = tg.TextLoss("Find the errors in the solution. Do not solve it.")
    optimizer = tg.TGD(parameters=[solution])
    loss = loss_fn(solution)
    assert "The sign under the root is wrong" in repr(loss)
    loss.backward()
    optimizer.step()
    assert solution.value == "x = 2 and x = 1/3"
    assert len(engine.calls) == 2


def last_integer(text):
    return int((re.findall(r"\d+", text) or ["0"])[-1])


def equal(prediction: tg.Variable, ground_truth_answer: tg.Variable):
    """As in TextGrad's tasks: a function of variables that returns a whole number."""
    return int(last_integer(str(prediction.value)) == last_integer(str(ground_truth_answer.value)))


def test_a_system_prompt_is_optimised(models):
    models["gpt-3.5-turbo"] = answering = Scripted(lambda prompt, system: "10" if "Add up" in system else "7")
    models["gpt-4o"] = writing = Scripted(["It was not added up", "Ask for the sum", block("Add up.")])
    llm_engine = tg.get_engine("gpt-3.5-turbo")
    tg.set_backward_engine("gpt-4o")
    eval_fn = tg.autograd.StringBasedFunction(equal, function_purpose="checks if the prediction is correct")

    question = tg.Variable("How many?", role_description="question to the LLM", requires_grad=False)
    answer = tg.Variable(10, role_description="answer to the question", requires_grad=False)
    system_prompt = tg.Variable("Be brief.", requires_grad=True, role_description="system prompt")
    model = tg.BlackboxLLM(llm_engine, system_prompt=system_prompt)
    optimizer = tg.TGD(parameters=list(model.parameters()))
    assert optimizer.parameters == [system_prompt]
    assert list(model.named_parameters()) == [("system prompt", system_prompt)]

    prediction = model(question)
    loss = eval_fn(inputs={"prediction": prediction, "ground_truth_answer": answer})
    assert (prediction.value, loss.value) == ("7", "0")
    loss.backward()
    assert system_prompt.get_gradient_text() == "Ask for the sum"
    optimizer.step()

    assert system_prompt.value == "Add up."
    assert model(question).value == "10"
    assert answering.calls == [("How many?", "Be brief."), ("How many?", "Add up.")]
    through_function, through_call, improving = prompts_of(writing)
    assert "checks if the prediction is correct" in through_function
    assert "It was not added up" in through_call
    assert "Ask for the sum" in improving


# -- the tutorials -------------------------------------------------------------------------------------


def test_primitives(models):
    from tgsci import Variable
    from tgsci.engine import get_engine
    from tgsci.loss import TextLoss
    from tgsci.optimizer import TextualGradientDescent

    models["gpt-3.5-turbo"] = scripted = Scripted(
        ["Hello!", "One typo: sntence", "Name the standard", block("A sentence with a typo")]
    )
    x = Variable("A sntence with a typo", role_description="The input sentence", requires_grad=True)
    assert not x.gradients
    engine = get_engine("gpt-3.5-turbo")
    assert engine.generate("Hello how are you?") == "Hello!"

    system_prompt = Variable("Evaluate the correctness of this sentence", role_description="The system prompt")
    loss = TextLoss(system_prompt, engine=engine)
    optimizer = TextualGradientDescent(parameters=[x], engine=engine)
    result = loss(x)
    result.backward(engine)
    optimizer.step()
    assert x.value == "A sentence with a typo"
    # The instruction requires a gradient here, so it gets one, at one question; the sentence's costs none.
    assert [g.value for g in x.gradients] == ["One typo: sntence"]
    assert [g.value for g in system_prompt.gradients] == ["Name the standard"]
    assert len(scripted.calls) == 4
    optimizer.zero_grad()
    assert not x.gradients


def test_experimental_engines(models):
    models["gpt-4o"] = Scripted(["7"])
    engine = tg.get_engine("experimental:gpt-4o", cache=False)
    assert engine.generate(content="hello, what's 3+4", system_prompt="you are an assistant") == "7"
    tg.set_backward_engine("experimental:gpt-4o", cache=True)
    with pytest.raises(tg.UsageError, match="temperature"):
        tg.set_backward_engine(engine, temperature=0)


def test_prompt_optimization(models):
    """The loop over batches, with the tutorial's helpers and its own way back to the better prompt."""
    models["gpt-4o"] = writing = Scripted(
        lambda prompt, system: block("Count and add up.") if "IMPROVED_VARIABLE" in prompt else "Ask for the sum"
    )
    models["gpt-3.5-turbo-0125"] = Scripted(lambda prompt, system: "12" if "add up" in system else "3")
    llm_api_eval = tg.get_engine(engine_name="gpt-4o")
    llm_api_test = tg.get_engine(engine_name="gpt-3.5-turbo-0125")
    tg.set_backward_engine(llm_api_eval, override=True)
    samples = [("Two and ten?", 12), ("Five and seven?", 12)]
    eval_fn = tg.autograd.StringBasedFunction(equal, function_purpose="checks if the prediction is correct")

    def eval_sample(item, eval_fn, model):
        x, y = item
        x = tg.Variable(x, requires_grad=False, role_description="query to the language model")
        y = tg.Variable(y, requires_grad=False, role_description="correct answer for the query")
        return int(eval_fn(inputs={"prediction": model(x), "ground_truth_answer": y}).value)

    def eval_dataset(test_set, eval_fn, model):
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as executor:
            futures = [executor.submit(eval_sample, sample, eval_fn, model) for sample in test_set]
            return [future.result() for future in concurrent.futures.as_completed(futures)]

    system_prompt = tg.Variable("Count.", requires_grad=True, role_description="system prompt")
    model = tg.BlackboxLLM(llm_api_test, system_prompt)
    optimizer = tg.TextualGradientDescent(engine=llm_api_eval, parameters=[system_prompt])
    results = {"accuracy": [eval_dataset(samples, eval_fn, model)], "prompt": [system_prompt.get_value()]}
    assert results["accuracy"] == [[0, 0]]

    optimizer.zero_grad()
    losses = []
    for question, truth in samples:
        x = tg.Variable(question, requires_grad=False, role_description="query to the language model")
        y = tg.Variable(truth, requires_grad=False, role_description="correct answer for the query")
        losses.append(eval_fn(inputs={"prediction": model(x), "ground_truth_answer": y}))
    total_loss = tg.sum(losses)
    total_loss.backward()
    assert len(system_prompt.gradients) == 2  # one a sample, none doubled
    optimizer.step()
    assert system_prompt.value == "Count and add up."
    assert eval_dataset(samples, eval_fn, model) == [1, 1]
    # 2 questions across the function, 2 across the model, 1 for the new prompt
    assert len(writing.calls) == 5
    improving = prompts_of(writing)[-1]
    assert "Two and ten?" in improving
    assert "Five and seven?" in improving

    system_prompt.set_value(results["prompt"][-1])
    assert str(system_prompt) == "Count."


def test_prompt_optimization_with_a_judge(models):
    """The tutorial's other branch: the task's evaluation is a model's, its verdict between tags."""
    models["gpt-4o"] = engine = Scripted(["They differ. <ACCURACY> 0 </ACCURACY>", "Add up", block("Add up.")])
    tg.set_backward_engine("gpt-4o")
    instruction = tg.Variable('Is it right? Reply as {"a": 1}', requires_grad=False, role_description="instruction")
    eval_fn = tg.loss.MultiFieldTokenParsedEvaluation(
        instruction,
        role_descriptions=["Question", "Ground truth answer", "Prediction"],
        parse_tags=["<ACCURACY>", "</ACCURACY>"],
    )
    prompt = tg.Variable("Count.", requires_grad=True, role_description="system prompt")
    model = tg.BlackboxLLM(Scripted(["3"]), prompt)
    x = tg.Variable("Two and ten?", requires_grad=False, role_description="query")
    y = tg.Variable("12", requires_grad=False, role_description="correct answer")
    response = model(x)
    with pytest.raises(tg.UsageError):  # the tutorial tries the function's way first, within try/except
        eval_fn(inputs={"prediction": response, "ground_truth_answer": y})
    verdict = eval_fn([x, y, response])
    assert eval_fn.parse_output(verdict) == "0"
    tg.sum([verdict]).backward()
    tg.TGD([prompt]).step()
    assert prompt.value == "Add up."
    judging, through_call, improving = prompts_of(engine)
    assert 'Reply as {"a": 1}' in judging
    assert "They differ." in through_call
    assert "Add up" in improving


def test_code_optimization(models):
    slow, fast, faster = "def f(x):\n    return {x}", "def f(x):\n    return x", "f = id"
    models["gpt-4o"] = engine = Scripted(
        ["The set is not needed", block(fast), "A function is not needed", block(faster)]
    )
    llm_engine = tg.get_engine("gpt-4o")
    tg.set_backward_engine(llm_engine)
    code = tg.Variable(value=slow, requires_grad=True, role_description="code instance to optimize")
    problem = tg.Variable("Give x back", requires_grad=False, role_description="the coding problem")
    optimizer = tg.TGD(parameters=[code])
    system = tg.Variable("You evaluate code.", requires_grad=False, role_description="system prompt to the loss")
    format_string = "{instruction}\nProblem: {{problem}}\nCurrent Code: {{code}}".format(instruction="Is it fast?")
    formatted_llm_call = tg.autograd.FormattedLLMCall(
        engine=llm_engine,
        format_string=format_string,
        fields={"problem": None, "code": None},
        system_prompt=system,
    )

    def loss_fn(problem: tg.Variable, code: tg.Variable) -> tg.Variable:
        return formatted_llm_call(
            inputs={"problem": problem, "code": code},
            response_role_description=f"evaluation of the {code.get_role_description()}",
        )

    engine_of_gradients = Scripted(["Return x itself", "Use a built-in"])
    for wanted in (fast, faster):
        loss = loss_fn(problem, code)
        assert "code instance to optimize" in loss.generate_graph().source
        loss.backward(engine_of_gradients)
        assert len(code.gradients) == 1
        optimizer.step()
        assert code.value == wanted
        optimizer.zero_grad()
    assert engine.calls[0] == ("Is it fast?\nProblem: Give x back\nCurrent Code: " + slow, "You evaluate code.")
    assert "The set is not needed" in prompts_of(engine_of_gradients)[0]
    assert "Return x itself" in prompts_of(engine)[1]
    assert "Return x itself" not in prompts_of(engine)[3]


class Seeing(tg.Engine):
    """A model that takes images."""

    name = "seeing"

    def __init__(self, replies):
        self.replies = list(replies)
        self.calls = []

    def complete(self, prompt, system="", images=()):
        self.calls.append((prompt, system, images))
        return self.replies.pop(0)


def test_images(models):
    from tgsci.autograd import MultimodalLLMCall
    from tgsci.loss import ImageQALoss

    png = b"\x89PNG\r\n\x1a\nant"
    models["gpt-4o-mini"] = small = Seeing(["An insect", block("A black ant")])
    models["gpt-4o"] = large = Seeing(["Say which insect"])
    tg.set_backward_engine("gpt-4o-mini")
    image = tg.Variable(png, role_description="image to answer a question about", requires_grad=False)
    question = tg.Variable("What is it?", role_description="question", requires_grad=False)
    response = MultimodalLLMCall("gpt-4o-mini")([image, question])
    assert response.value == "An insect"

    loss_fn = ImageQALoss(evaluation_instruction="Is the answer complete?", engine="gpt-4o")
    loss = loss_fn(question=question, image=image, response=response)
    optimizer = tg.TGD(parameters=[response])
    loss.backward()
    optimizer.step()
    assert response.value == "A black ant"
    assert [images for _, _, images in small.calls + large.calls] == [(png,), (png,), (png,)]
    assert "Say which insect" in small.calls[1][0]
    assert "An insect" in large.calls[0][0]


def test_an_image_comes_from_a_file_and_never_from_the_network(tmp_path):
    (tmp_path / "ant.png").write_bytes(b"ant")
    image = tg.Variable(image_path=str(tmp_path / "ant.png"), requires_grad=False, role_description="image")
    assert image.get_value() == b"ant"
    with pytest.raises(tg.UsageError, match="never fetched"):
        tg.Variable(image_path="https://example.org/ant.png", requires_grad=False, role_description="image")


def test_test_time_loss(models):
    models["gpt-4o"] = engine = Scripted(["The second step is doubtful", block("B")])
    tg.set_backward_engine("gpt-4o")
    answer = tg.Variable("A", requires_grad=True, role_description="answer to the question")
    loss = tg.loss.MultiChoiceTestTime('Criticise {"so": 1}')("Which is it?", answer)
    loss.backward()
    tg.TGD([answer]).step()
    assert answer.value == "B"
    assert engine.calls[0][0] == 'Criticise {"so": 1}\nQuestion: Which is it?\nAnswer by the language model: A'


def test_an_engine_of_textgrad_style():
    """An object that takes the system prompt by keyword, as TextGrad's engines and their users' do."""

    class ChatClient:
        def __init__(self):
            self.calls = []

        def generate(self, content, system_prompt=None, **kwargs):
            self.calls.append((content, system_prompt))
            return block("new") if "IMPROVED_VARIABLE" in content else "too old"

        def __call__(self, prompt, **kwargs):
            return self.generate(prompt, **kwargs)

    engine = ChatClient()
    value = tg.Variable("old", role_description="a word")
    tg.TextLoss("Is it new?", engine=engine)(value).backward(engine)
    tg.TGD([value], engine=engine).step()
    assert value.value == "new"
    assert engine.calls[0] == ("old", "Is it new?")


def test_momentum_under_textgrads_name():
    engine = Scripted([block("two"), block("three")])
    value = tg.Variable("one", role_description="a word")
    optimizer = tg.TextualGradientDescentwithMomentum(engine=engine, parameters=[value], momentum_window=2)
    value.add_gradient("too small")
    optimizer.step()
    value.reset_gradients()
    value.add_gradient("still too small")
    optimizer.step()
    assert "one" in prompts_of(engine)[1]
    assert "too small" in prompts_of(engine)[1]


# -- model calls ---------------------------------------------------------------------------------------


def judged_step(engine):  # TextGrad: 3
    value = tg.Variable("old", role_description="a word")
    tg.TextLoss("Is it new?", engine=engine)(value).backward(engine)
    tg.TGD([value], engine=engine).step()


def simulator_step(engine):  # TextGrad: 2
    value = tg.Variable("old", role_description="a word")
    tg.FunctionLoss(lambda text: (float(len(text)), "too long"))(value).backward()
    tg.TGD([value], engine=engine).step()


def prompt_step(engine):  # TextGrad: 4
    prompt = tg.Variable("old", role_description="system prompt")
    answer = tg.LLMCall(engine, prompt)(tg.Variable("question", requires_grad=False, role_description="question"))
    tg.StringBasedFunction(lambda answer: 0, "measures it")({"answer": answer}).backward(engine)
    tg.TGD([prompt], engine=engine).step()


def prompt_step_with_a_simulator(engine):  # TextGrad: 4
    prompt = tg.Variable("old", role_description="system prompt")
    answer = tg.LLMCall(engine, prompt)(tg.Variable("question", requires_grad=False, role_description="question"))
    tg.FunctionLoss(lambda text: (float(len(text)), "too long"))(answer).backward(engine)
    tg.TGD([prompt], engine=engine).step()


@pytest.mark.parametrize(
    ("step", "calls"), [(judged_step, 2), (simulator_step, 1), (prompt_step, 4), (prompt_step_with_a_simulator, 3)]
)
def test_model_calls(step, calls):
    engine = Scripted(lambda prompt, system: block("new"))
    step(engine)
    assert len(engine.calls) == calls


def test_a_round_of_four_proposals_is_one_call():
    engine = Scripted(
        ["".join(f"<IMPROVED_VARIABLE_{i}>{9 - i}</IMPROVED_VARIABLE_{i}>" for i in range(1, 5))]  # TextGrad: 8
    )
    result = tg.minimize(float, "9", tg.TGD(engine=engine), budget=5, proposals=4)
    assert result.best.value == "5"
    assert len(engine.calls) == 1


# -- names and the guide -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *("BlackboxLLM", "TGD", "TextLoss", "TextualGradientDescent", "Variable", "aggregate", "get_engine"),
        *("set_backward_engine", "sum", "variable.Variable", "engine.get_engine"),
        *("autograd.FormattedLLMCall", "autograd.LLMCall", "autograd.Module", "autograd.MultimodalLLMCall"),
        *("autograd.StringBasedFunction", "autograd.aggregate", "autograd.sum"),
        *("loss.ImageQALoss", "loss.MultiChoiceTestTime", "loss.MultiFieldEvaluation", "loss.TextLoss"),
        *("loss.MultiFieldTokenParsedEvaluation", "optimizer.Optimizer", "optimizer.TextualGradientDescent"),
        "optimizer.TextualGradientDescentwithMomentum",
    ],
)
def test_textgrads_import_paths(path):
    module, _, name = f"tgsci.{path}".rpartition(".")
    assert hasattr(importlib.import_module(module), name)
    assert hasattr(tg, name)


def snippets():
    blocks = re.findall(r"```py\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return [code for code in blocks if not code.startswith("# TextGrad")]


@pytest.mark.parametrize("code", snippets(), ids=lambda code: code.strip().splitlines()[0])
def test_the_guides_snippets_run(code, models, tmp_path, monkeypatch):
    def answer(prompt, system):
        numbers = re.findall(r"<IMPROVED_VARIABLE(_\d+)>", prompt) or [""]
        return "\n".join(f"<IMPROVED_VARIABLE{n}>C{n}</IMPROVED_VARIABLE{n}>" for n in dict.fromkeys(numbers))

    monkeypatch.chdir(tmp_path)
    for name in ("gpt-4o", "gpt-4o-mini", "ollama/qwen3"):
        models[name] = Scripted(answer)
    tg.set_backward_engine("gpt-4o")
    exec(code, {"__name__": "guide"})  # noqa: S102
