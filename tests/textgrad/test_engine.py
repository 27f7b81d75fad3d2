"""TextGrad's engines: called in its ways they answer with plain text; what the core asks them is recorded."""

from __future__ import annotations

import json
import time

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.textgrad import BlackboxLLM, EngineLM, TextLoss, Variable
from tgsci.textgrad.autograd import MultimodalLLMCall
from tgsci.textgrad.engine import CachedEngine, get_engine, validate_multimodal_engine
from tgsci.textgrad.engine.anthropic import ChatAnthropic
from tgsci.textgrad.engine.openai import OLLAMA_BASE_URL, AzureChatOpenAI, ChatOpenAI
from tgsci.textgrad.engine_experimental.litellm import LiteLLMEngine
from tgsci.textgrad.engine_experimental.openai import OpenAICompatibleEngine

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "GOOGLE_API_KEY", "GROQ_API_KEY")


@pytest.fixture(autouse=True)
def _keys(monkeypatch):
    for name in KEYS:
        monkeypatch.setenv(name, "a key")


class Camera(EngineLM):
    """As TextGrad's users write an engine: a call that takes text only, and `generate` for images."""

    model_string = "camera"

    def __init__(self):
        self.seen = []

    def generate(self, content, system_prompt=None, **kwargs):
        self.seen.append((content, system_prompt))
        return "a picture" if isinstance(content, list) else "a text"

    def __call__(self, prompt, system_prompt=None):
        return self.generate(prompt, system_prompt)


def test_an_engine_of_ones_own_is_asked_with_text_and_with_images():
    engine = Camera()
    photo = Variable(PNG, requires_grad=False, role_description="photo")
    question = Variable("What is it?", requires_grad=False, role_description="question")
    assert MultimodalLLMCall(engine)([photo, question]).value == "a picture"
    assert BlackboxLLM(engine, "Be brief.")(question).value == "a text"
    (images, _), (prompt, system) = engine.seen
    assert images[0] == PNG
    assert "What is it?" in images[-1]
    assert (prompt, system) == ("What is it?", "Be brief.")


class Local(EngineLM, CachedEngine):
    """A model in this process, written as TextGrad's own engines are: not safe in threads, with a cache."""

    model_string = "local"
    concurrency = 1

    def __init__(self):
        super().__init__(cache_path="cache")
        self.asked_at_once = self.most = 0

    def generate(self, prompt, system_prompt=None, **kwargs):
        if (answer := self._check_cache(prompt)) is not None:
            return answer
        self.asked_at_once += 1
        self.most = max(self.most, self.asked_at_once)
        time.sleep(0.005)
        self.asked_at_once -= 1
        self._save_cache(prompt, "shorter")
        return "shorter"


def test_an_engine_that_is_not_safe_in_threads_is_asked_one_question_at_a_time():
    engine = Local()
    prompt = Variable("Be brief.", role_description="system prompt")
    model = BlackboxLLM(engine, prompt)
    questions = [Variable(str(i), requires_grad=False, role_description="question") for i in range(8)]
    total = tg.sum([TextLoss("Is it good?", engine)(model(question)) for question in questions])
    total.backward(engine)
    assert len(prompt.gradients) == 8
    assert engine.most == 1


def test_what_an_engine_of_ones_own_is_asked_within_a_run_is_recorded_and_counts():
    engine = Camera()
    judge = TextLoss("Is it good?", engine=engine)

    def loss(value):
        return len(judge(Variable(value, role_description="value")).value) + len(value)

    reply = "<REASON>r</REASON><IMPROVED_VARIABLE>b</IMPROVED_VARIABLE>"
    result = tg.minimize(loss, "aaa", tg.TGD(engine=Scripted([reply])), budget=2, proposals=1)
    assert result.spent.model_calls == 3
    assert len(engine.seen) == 2


def test_a_named_engine_answers_with_text(monkeypatch):
    asked = Scripted(lambda prompt, system: f"{prompt} / {system}")
    given = {}

    def named(name, **parameters):
        given[name] = parameters
        return asked

    monkeypatch.setattr("tgsci.textgrad.engine.base.engine_named", named)
    engine = get_engine("gpt-4o-mini", temperature=0.5)
    assert isinstance(engine, ChatOpenAI)
    answer = engine("Hello", system_prompt="Be brief.")
    assert type(answer) is str
    assert json.loads(json.dumps(answer)).strip() == "Hello / Be brief."
    assert engine.generate("Hello") == f"Hello / {engine.system_prompt}"
    assert engine.generate(prompt="Hi", max_tokens=5).startswith("Hi")
    assert engine.generate(content=[PNG, "Hi"]).startswith("Hi")
    assert given["openai/gpt-4o-mini"] == {"api_key": "a key", "temperature": 0.5, "max_tokens": 5}


def test_a_model_without_images_refuses_one():
    engine = get_engine("gpt-3.5-turbo")
    with pytest.raises(NotImplementedError, match="takes no images"):
        engine.generate([PNG, "what?"])
    with pytest.raises(ValueError, match="takes no images"):
        validate_multimodal_engine(engine)
    validate_multimodal_engine(get_engine("gpt-4.1"))
    validate_multimodal_engine(get_engine("gpt-3.5-turbo", is_multimodal=True))


def test_names_find_their_engines():
    assert isinstance(get_engine("sonnet"), ChatAnthropic)
    assert get_engine("sonnet").model_string == "claude-3-sonnet-20240229"
    assert isinstance(get_engine("azure-my-deployment"), AzureChatOpenAI)
    assert isinstance(get_engine("experimental:ollama/qwen3", cache=True), LiteLLMEngine)
    local = get_engine("ollama-llama3")
    assert (local.model_string, local.base_url) == ("llama3", OLLAMA_BASE_URL)


def test_the_name_of_a_fine_tuned_model_is_a_model_of_its_provider():
    assert isinstance(get_engine("ft:gpt-3.5-turbo-0125:team::id"), ChatOpenAI)


@pytest.mark.slow
def test_the_key_for_openai_is_not_sent_to_ollama(httpserver, monkeypatch):
    monkeypatch.setattr("tgsci.textgrad.engine.openai.OLLAMA_BASE_URL", httpserver.url_for("/v1"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-openai-only")
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "llama3"}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}
    httpserver.expect_request("/v1/chat/completions").respond_with_json({**answer, "choices": [choice]})
    local = ChatOpenAI("llama3", base_url=httpserver.url_for("/v1"))
    assert local.generate("Hi") == "Hello"
    ((request, _),) = httpserver.log
    assert "sk-for-openai-only" not in str(request.headers)


@pytest.mark.parametrize("name", ["invalid-engine", "gpt", ""])
def test_an_unknown_name_is_a_value_error_that_says_what_there_is(name):
    with pytest.raises(ValueError, match="there are gpt-"):
        get_engine(name)


def test_the_cache_is_accepted_where_textgrad_accepts_one():
    with pytest.raises(ValueError, match="experimental:"):
        get_engine("gpt-4o", cache=True)
    with pytest.raises(ValueError, match=r"diskcache\.Cache"):
        get_engine("experimental:gpt-4o", cache=[1, 2, 3])


def test_a_missing_key_is_said_with_its_variable(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ValueError, match="OPENAI_API_KEY"):
        ChatOpenAI()
    assert get_engine("ollama-llama3")  # needs none


class Client:
    """As much of `openai.OpenAI` as is used."""

    def __init__(self):
        self.asked = {}
        self.chat = self.completions = self

    def create(self, **request):
        self.asked = request
        message = type("Message", (), {"content": "answer"})
        return type("Answer", (), {"choices": [type("Choice", (), {"message": message})]})


def test_a_client_of_ones_own_is_asked():
    client = Client()
    engine = OpenAICompatibleEngine(client, "local", is_multimodal=True, cache=False)
    assert engine([PNG, "what?"], system_prompt="s", temperature=0) == "answer"
    system, user = client.asked["messages"]
    assert system == {"role": "system", "content": "s"}
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
    assert client.asked["temperature"] == 0
    with pytest.raises(NotImplementedError, match="is_multimodal=True"):
        OpenAICompatibleEngine(client, "local").generate([PNG, "what?"])
