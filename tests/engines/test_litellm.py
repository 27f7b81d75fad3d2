"""LiteLLMEngine against real sockets: a server on this machine that speaks OpenAI's protocol."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import tgsci.engine
from tgsci.engine import get_engine
from tgsci.engines.litellm import LiteLLMEngine, secrets_in
from tgsci.errors import EngineError, UsageError

KEY = "sk-very-secret-0123456789"
CHAT = "/v1/chat/completions"
PNG = b"\x89PNG\r\n\x1a\n rest"

_VARIABLES = (
    *("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OLLAMA_API_BASE", "ANTHROPIC_API_KEY"),
    *("AZURE_API_KEY", "AZURE_API_BASE", "AZURE_API_VERSION", "OPENAI_API_VERSION", "OLLAMA_BASE_URL"),
    *("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_API_BASE", "AZURE_OPENAI_API_VERSION", "AZURE_OPENAI_ENDPOINT"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def make_httpserver() -> Iterator[HTTPServer]:
    """As pytest-httpserver's own, but answering several requests at the same time."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


def answer(text: str | None = "Hello", finish: str = "stop", **extra: Any) -> dict[str, Any]:
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "served-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
        **extra,
    }


def fault(status: int, message: str = "not now", **headers: str) -> Response:
    body = json.dumps({"error": {"message": message, "type": "error", "code": "fault"}})
    return Response(body, status, headers=headers, content_type="application/json")


def served(server: HTTPServer, *answers: Response | dict[str, Any]) -> None:
    """The server gives these answers one after another, the last one ever after."""
    remaining = list(answers)
    lock = threading.Lock()

    def handle(request: Request) -> Response:
        with lock:
            now = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        return now if isinstance(now, Response) else Response(json.dumps(now), content_type="application/json")

    server.expect_request(CHAT, method="POST").respond_with_handler(handle)


def engine(server: HTTPServer, model: str = "openai/local", **parameters: Any) -> LiteLLMEngine:
    return LiteLLMEngine(model, api_base=server.url_for("/v1"), **{"api_key": KEY, **parameters})


def body(server: HTTPServer, call: int = -1) -> dict[str, Any]:
    found = json.loads(server.log[call][0].get_data())
    assert isinstance(found, dict)
    return found


@pytest.mark.slow
def test_an_answer_comes_with_its_usage(httpserver: HTTPServer) -> None:
    served(httpserver, answer("C" * 3))
    reply = engine(httpserver)("Question?", "Be brief.")
    assert (reply.text, reply.tokens_in, reply.tokens_out) == ("CCC", 12, 3)
    assert (reply.finish, reply.truncated, reply.model) == ("stop", False, "served-model")
    assert reply.seconds > 0
    assert body(httpserver)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Question?"},
    ]


@pytest.mark.slow
def test_no_system_prompt_sends_none(httpserver: HTTPServer) -> None:
    served(httpserver, answer())
    engine(httpserver)("Question?")
    assert [m["role"] for m in body(httpserver)["messages"]] == ["user"]


@pytest.mark.slow
def test_parameters_reach_the_model(httpserver: HTTPServer) -> None:
    served(httpserver, answer())
    sent = {"temperature": 0.25, "max_tokens": 7, "top_p": 0.5, "seed": 3}
    chosen = engine(httpserver, response_format={"type": "json_object"}, **sent)
    chosen("Question?")
    assert sent.items() <= body(httpserver).items()
    assert body(httpserver)["response_format"] == {"type": "json_object"}
    assert httpserver.log[0][0].headers["Authorization"] == f"Bearer {KEY}"
    assert chosen.parameters == {**sent, "response_format": {"type": "json_object"}}  # and no key


def test_parameters_of_one_call_reach_the_model_and_only_then(httpserver: HTTPServer) -> None:
    served(httpserver, answer())
    chosen = engine(httpserver, temperature=0.25, max_tokens=7)
    chosen.generate("Question?", "Be brief.", max_tokens=3, stop=["x"])
    sent = body(httpserver)
    assert (sent["temperature"], sent["max_tokens"], sent["stop"]) == (0.25, 3, ["x"])
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    chosen("Question?")
    assert body(httpserver)["max_tokens"] == 7
    assert "stop" not in body(httpserver)
    with pytest.raises(UsageError, match="stream"):
        chosen("Question?", stream=True)
    for name in ("max_tokens", "seed"):
        assert chosen.with_parameters(**{name: 1}).identity != chosen.identity


def test_images_are_sent_as_data_urls(httpserver: HTTPServer) -> None:
    served(httpserver, answer())
    images = [PNG, b"\xff\xd8\xff\xe0", b"GIF89a..", b"RIFF\x10\0\0\0WEBPVP8 "]
    engine(httpserver)("What is this?", images=images)
    content = body(httpserver)["messages"][0]["content"]
    assert content[0] == {"type": "text", "text": "What is this?"}
    kinds = [part["image_url"]["url"].split(";")[0] for part in content[1:]]
    assert kinds == ["data:image/png", "data:image/jpeg", "data:image/gif", "data:image/webp"]


def test_an_image_of_an_unknown_kind_is_refused_before_anything_is_sent(httpserver: HTTPServer) -> None:
    served(httpserver, answer())
    with pytest.raises(EngineError, match="neither PNG"):
        engine(httpserver)("What is this?", images=[b"BM bitmap"])
    assert not httpserver.log


def test_half_a_surrogate_pair_does_not_stop_a_call(httpserver: HTTPServer) -> None:
    served(httpserver, answer())
    assert engine(httpserver)("file \udcff.pdb \N{GREEK SMALL LETTER MU}").text == "Hello"
    assert body(httpserver)["messages"][0]["content"] == "file ?.pdb \N{GREEK SMALL LETTER MU}"


def test_half_a_surrogate_pair_in_an_answer_is_replaced(httpserver: HTTPServer) -> None:
    served(httpserver, answer("C\ud800C"))
    assert engine(httpserver)("Question?").text == "C?C"


def test_azure_is_found_by_textgrads_variables(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_API_BASE", httpserver.url_for("").rstrip("/"))
    monkeypatch.setenv("AZURE_OPENAI_API_VERSION", "2024-02-01")
    deployment = "/openai/deployments/my-gpt/chat/completions"
    httpserver.expect_request(deployment, method="POST").respond_with_json(answer())
    model = get_engine("azure-my-gpt")
    assert model("Question?").text == "Hello"
    request = httpserver.log[-1][0]
    assert request.args["api-version"] == "2024-02-01"
    assert request.headers["api-key"] == KEY
    assert "127.0.0.1" in model.destination
    assert "2024-02-01" in model.identity
    assert KEY not in f"{model.identity} {model!r} {vars(model)}"


@pytest.mark.parametrize("variable", ["AZURE_API_BASE", "AZURE_OPENAI_API_BASE", "AZURE_OPENAI_ENDPOINT"])
def test_azures_address_has_three_names(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "https://me.openai.azure.com")
    assert LiteLLMEngine("azure/x").api_base == "https://me.openai.azure.com"


def test_ollama_is_found_by_textgrads_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LiteLLMEngine("ollama/x").api_base == "http://localhost:11434"
    monkeypatch.setenv("OLLAMA_BASE_URL", "http://127.0.0.1:1234/v1")
    assert LiteLLMEngine("ollama/x").api_base == "http://127.0.0.1:1234"


# -- answers that are not what one hoped for ---------------------------------------------------------


@pytest.mark.parametrize("finish", ["length", "max_tokens"])
def test_a_cut_off_answer_says_so(httpserver: HTTPServer, finish: str) -> None:
    served(httpserver, answer("CC(", finish))
    assert engine(httpserver)("Question?").truncated


@pytest.mark.parametrize("empty", [answer(None), answer(""), answer(choices=[])])
def test_an_empty_answer_is_an_empty_text(httpserver: HTTPServer, empty: dict[str, Any]) -> None:
    served(httpserver, empty)
    assert engine(httpserver)("Question?").text == ""


@pytest.mark.parametrize(
    ("called", "shown"),
    [("/home/me/secret/m.gguf", "m.gguf"), (r"C:\me\m.gguf", "m.gguf"), ("org/model", "org/model")],
)
def test_a_model_named_by_its_file_keeps_the_folder_to_itself(httpserver: HTTPServer, called: str, shown: str) -> None:
    served(httpserver, answer(model=called))
    assert engine(httpserver)("Question?").model == shown


def test_usage_that_was_not_reported_is_unknown(httpserver: HTTPServer) -> None:
    silent = answer()
    del silent["usage"]
    served(httpserver, silent)
    reply = engine(httpserver, "openai/gpt-4o")("Question?")
    assert (reply.tokens_in, reply.tokens_out, reply.usd) == (None, None, None)


# -- prices ------------------------------------------------------------------------------------------


def test_a_known_price_is_recorded(httpserver: HTTPServer) -> None:
    served(httpserver, answer())
    for model in ("gpt-4o", "openai/gpt-4o"):
        reply = engine(httpserver, model)("Question?")
        assert reply.usd == pytest.approx(12 * 2.5e-6 + 3 * 10e-6)


@pytest.mark.parametrize("called", ["served-model", "gpt-3.5-turbo"])
def test_an_unknown_price_is_none_whatever_the_server_calls_itself(httpserver: HTTPServer, called: str) -> None:
    served(httpserver, answer(model=called))
    assert engine(httpserver)("Question?").usd is None


@pytest.mark.parametrize("model", ["llama3", "unheard-of"])
def test_a_local_model_has_no_price_whether_litellm_knows_it_or_not(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setenv("OLLAMA_API_BASE", httpserver.url_for("").rstrip("/"))
    httpserver.expect_request("/api/show").respond_with_json({"model_info": {}, "template": ""})
    reply = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": True, "done_reason": "stop"}
    counts = {"prompt_eval_count": 12, "eval_count": 3}
    message = {"message": {"role": "assistant", "content": "Hello"}}
    httpserver.expect_request("/api/chat").respond_with_json({**reply, **counts, **message})
    found = LiteLLMEngine(f"ollama_chat/{model}")("Question?")
    assert (found.text, found.tokens_in, found.usd) == ("Hello", 12, None)


# -- retries -----------------------------------------------------------------------------------------


class Waits(list[float]):
    """A sleep that only notes how long it should have been."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def test_429_waits_as_long_as_the_server_asks(httpserver: HTTPServer) -> None:
    served(httpserver, fault(429, **{"Retry-After": "7"}), answer())
    waits = Waits()
    assert engine(httpserver, sleep=waits)("Question?").text == "Hello"
    assert len(waits) == 1
    assert 7.0 <= waits[0] <= 8.0


def test_retry_after_may_be_a_date(httpserver: HTTPServer) -> None:
    now = 1_700_000_000.0
    served(httpserver, fault(503, **{"Retry-After": formatdate(now + 30, usegmt=True)}), answer())
    waits = Waits()
    engine(httpserver, sleep=waits, clock=lambda: now)("Question?")
    assert 30.0 <= waits[0] <= 31.0


def test_a_retry_after_in_the_past_means_now(httpserver: HTTPServer) -> None:
    served(httpserver, fault(503, **{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), answer())
    waits = Waits()
    engine(httpserver, sleep=waits)("Question?")
    assert waits == [0.0]


@pytest.mark.parametrize("nonsense", ["soon", "inf", "nan", "31 Foo 99999 GMT"])
def test_a_retry_after_that_says_nothing_is_backed_off(httpserver: HTTPServer, nonsense: str) -> None:
    served(httpserver, fault(429, **{"Retry-After": nonsense}), answer())
    waits = Waits()
    engine(httpserver, sleep=waits)("Question?")
    assert 0.5 <= waits[0] <= 1.0


def test_a_wait_of_hours_is_a_persons_business(httpserver: HTTPServer) -> None:
    served(httpserver, fault(429, "daily limit", **{"Retry-After": "7200"}))
    waits = Waits()
    with pytest.raises(EngineError, match=r"wait 120 min.*daily limit"):
        engine(httpserver, sleep=waits)("Question?")
    assert not waits


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_faults_that_may_pass_are_tried_again_with_growing_waits(httpserver: HTTPServer, status: int) -> None:
    served(httpserver, *[fault(status)] * 4, answer())
    waits = Waits()
    assert engine(httpserver, sleep=waits)("Question?").text == "Hello"
    assert len(waits) == 4
    assert all(base / 2 <= wait <= base for base, wait in zip((1, 2, 4, 8), waits, strict=True))


def test_retries_end(httpserver: HTTPServer) -> None:
    served(httpserver, fault(500, "out of memory"))
    waits = Waits()
    with pytest.raises(EngineError, match=r"did not answer after 8 tries.*out of memory"):
        engine(httpserver, sleep=waits, tries=8)("Question?")
    assert len(httpserver.log) == 8
    assert len(waits) == 7
    assert max(waits) <= 60.0


def test_a_call_without_an_answer_is_tried_again(httpserver: HTTPServer) -> None:
    release = threading.Event()
    calls = []

    def handle(request: Request) -> Response:
        calls.append(request)
        if len(calls) == 1:
            release.wait(30)
        return Response(json.dumps(answer()), content_type="application/json")

    httpserver.expect_request(CHAT).respond_with_handler(handle)
    waits = Waits()
    assert engine(httpserver, sleep=waits, timeout=0.3)("Question?").text == "Hello"
    release.set()
    assert len(waits) == 1


def test_a_server_that_is_not_there_is_tried_again_and_named(unused_port: int) -> None:
    waits = Waits()
    away = LiteLLMEngine("openai/local", api_base=f"http://127.0.0.1:{unused_port}/v1", sleep=waits, tries=3)
    with pytest.raises(EngineError, match=rf"after 3 tries: .* answers at \S+:{unused_port}/v1"):
        away("Question?")
    assert len(waits) == 2


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# -- errors that another try would repeat --------------------------------------------------------------


def refused(server: HTTPServer, response: Response, **parameters: Any) -> str:
    served(server, response)
    waits = Waits()
    with pytest.raises(EngineError) as caught:
        engine(server, sleep=waits, **parameters)("Question?")
    assert not waits
    assert len(server.log) == 1
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value)


def test_a_wrong_key_is_named_but_not_shown(httpserver: HTTPServer) -> None:
    message = refused(httpserver, fault(401, f"Incorrect API key provided: {KEY}. Also sk-abcd****wxyz."))
    assert "set OPENAI_API_KEY" in message
    assert "Incorrect API key" in message
    assert KEY not in message
    assert "sk-" not in message


def test_a_key_of_the_environment_is_not_shown(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PROVIDER_TOKEN", "plainlookingvalue")
    headers = {"X-Gate": "gatepass-123"}
    response = fault(400, "gatepass-123 and plainlookingvalue")
    assert "[key] and [key]" in refused(httpserver, response, extra_headers=headers)


def test_a_missing_key_is_said_without_a_call(httpserver: HTTPServer) -> None:
    waits = Waits()
    for model, variable in (("gpt-4o", "OPENAI_API_KEY"), ("anthropic/claude-x", "ANTHROPIC_API_KEY")):
        with pytest.raises(EngineError, match=f"set {variable} in the environment"):
            LiteLLMEngine(model, sleep=waits)("Question?")
    assert not waits


def test_a_server_that_wants_no_key_needs_none(httpserver: HTTPServer) -> None:
    served(httpserver, answer())
    assert LiteLLMEngine("openai/local", api_base=httpserver.url_for("/v1"))("Question?").text == "Hello"


@pytest.mark.parametrize(
    ("status", "said"),
    [(400, "refused"), (403, "may not use"), (404, "no such model"), (422, "refused"), (402, "refused")],
)
def test_a_refusal_is_not_tried_again(httpserver: HTTPServer, status: int, said: str) -> None:
    message = refused(httpserver, fault(status, "the reason"))
    assert said in message
    assert message.removesuffix(")").endswith(" the reason") or message.endswith("(the reason)")


def test_a_prompt_that_is_too_long_says_so(httpserver: HTTPServer) -> None:
    response = fault(400, "This model's maximum context length is 4097 tokens.")
    assert "longer than this model can read" in refused(httpserver, response)


def test_a_providers_message_is_one_short_printable_line(httpserver: HTTPServer) -> None:
    message = refused(httpserver, fault(400, "\x1b[31mred\nnext\x07" + "x" * 5000))
    assert message.isprintable()
    assert len(message) < 500


def test_an_unknown_provider_says_how_to_write_the_name() -> None:
    with pytest.raises(EngineError, match="PROVIDER/MODEL"):
        LiteLLMEngine("no-such-thing")("Question?")


@pytest.mark.parametrize("name", ["stream", "n", "num_retries", "base_url", "fallbacks", "messages"])
def test_parameters_that_the_engine_sets_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        LiteLLMEngine("gpt-4o", **{name: 1})


def test_a_try_is_needed() -> None:
    with pytest.raises(UsageError):
        LiteLLMEngine("gpt-4o", tries=0)


# -- one engine, many threads --------------------------------------------------------------------------


@pytest.mark.slow
def test_32_calls_at_once(httpserver: HTTPServer) -> None:
    """32 answers of 0.5 s one after another take 16 s; at once they need a fraction of that."""
    together: list[int] = []
    open_calls = 0
    lock = threading.Lock()

    def handle(request: Request) -> Response:
        nonlocal open_calls
        with lock:
            open_calls += 1
            together.append(open_calls)
        time.sleep(0.5)
        with lock:
            open_calls -= 1
        asked = json.loads(request.get_data())["messages"][0]["content"]
        return Response(json.dumps(answer(f"to {asked}")), content_type="application/json")

    httpserver.expect_request(CHAT).respond_with_handler(handle)
    one = engine(httpserver)
    one("warm up")
    started = time.perf_counter()
    replies = tgsci.engine.map(one, [str(i) for i in range(32)])
    assert time.perf_counter() - started < 8
    assert [reply.text for reply in replies] == [f"to {i}" for i in range(32)]
    assert max(together) > 8


# -- manners -------------------------------------------------------------------------------------------


def test_litellm_is_not_imported_before_the_first_call() -> None:
    code = (
        "import sys, tgsci.engine, tgsci.engines.litellm as mine\n"
        "one = tgsci.engine.get_engine('gpt-4o', temperature=0)\n"
        "print(one.destination, repr(one))\n"
        "assert 'litellm' not in sys.modules and 'httpx' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_without_litellm_a_model_is_refused_at_once() -> None:
    code = (
        "import sys\n"
        "sys.modules['litellm'] = None  # as where it is not installed\n"
        "import tgsci\n"
        "try:\n"
        "    tgsci.get_engine('gpt-4o')\n"
        "except tgsci.errors.UsageError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "the model 'gpt-4o' needs litellm: pip install 'tgsci[models]'\n", done.stderr


def test_nothing_is_printed_and_nobody_else_is_told(
    httpserver: HTTPServer, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import litellm

    told: list[object] = []
    monkeypatch.setattr(litellm, "success_callback", [lambda *seen: told.append(seen)])
    served(httpserver, answer(), fault(400))
    one = engine(httpserver, sleep=Waits())
    one("Question?")
    with pytest.raises(EngineError):
        one("Question?")
    with pytest.raises(EngineError):
        LiteLLMEngine("no-such-thing")("Question?")
    time.sleep(0.3)  # litellm tells from a thread of its own
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "litellm" not in printed.err.lower()
    assert not told


def test_no_key_in_repr_and_an_engine_can_be_sent_to_a_worker() -> None:
    one = LiteLLMEngine("gpt-4o", api_key=KEY, temperature=1.0)
    assert KEY not in f"{one!r} {one.destination} {one.parameters}"
    again = pickle.loads(pickle.dumps(one))  # noqa: S301 our own bytes
    assert (again.name, again.parameters) == ("gpt-4o", {"temperature": 1.0})


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        (
            {"api_key": KEY, "Password": "x", "seed": 1, "azure_ad_token": "x"},
            ["api_key", "Password", "azure_ad_token"],
        ),
        ({"extra_body": {"auth": {"client_secret": KEY}, "top_k": 3}}, ["extra_body.auth.client_secret"]),
        ({"extra_headers": {"X-Org": "acme"}, "Headers": None}, ["extra_headers", "Headers"]),
        ({"tools": [{"type": "mcp"}, {"headers": {"a": "b"}}]}, ["tools.1.headers"]),
        ({"api_base": "http://u:pw@h/", "x": {"base_url": "https://token@h:1/v1"}}, ["api_base", "x.base_url"]),
        ({"api_base": "u:pw@h:8000"}, ["api_base"]),
        ({"api_base": "http://[broken@h"}, ["api_base"]),
        ({"api_base": "http://h:8000/v1/@me?to=a@b", "base_url": None}, []),
        ({"max_tokens": 7, "max_completion_tokens": 7, "temperature": 0.5, "stop": ["key", "a@b"], "user": "a@b"}, []),
        ({"response_format": {"type": "json_object"}, "thinking": {"budget_tokens": 9}, 3: "three"}, []),
    ],
)
def test_what_may_be_a_secret_is_named(parameters: dict[str, Any], names: list[str]) -> None:
    assert secrets_in(parameters) == names


def test_recorded_parameters_hold_no_secret_at_any_depth() -> None:
    given = {"extra_body": {"api_key": KEY}, "Extra_Headers": {"a": "b"}, "extra_query": {"version": 1}}
    assert LiteLLMEngine("gpt-4o", **given).parameters == {"extra_query": {"version": 1}}


# -- where prompts go ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "api_base", "said"),
    [
        ("gpt-4o", None, "the provider of gpt-4o (through litellm): prompts, with every value and report"),
        ("openai/x", "http://127.0.0.1:8080/v1", "a model on this machine at 127.0.0.1:8080: nothing leaves"),
        ("openai/x", "http://localhost/v1", "a model on this machine at localhost: nothing leaves"),
        ("openai/x", "http://[::1]:80/v1", "a model on this machine at [::1]:80: nothing leaves"),
        ("ollama/qwen3", None, "a model on this machine at localhost:11434: nothing leaves"),
        ("openai/x", "https://me:pw@models.example.org/v1", "openai/x at models.example.org: prompts, with"),
        ("openai/x", "http://10.0.0.7:8000", "openai/x at 10.0.0.7:8000: prompts, with every value"),
        ("openai/x", "127.0.0.1.example.org", "openai/x at 127.0.0.1.example.org: prompts, with every value"),
        ("sagemaker/x", "http://127.0.0.1:1", "prompts may leave this machine"),
    ],
)
def test_destination(model: str, api_base: str | None, said: str) -> None:
    destination = LiteLLMEngine(model, api_base=api_base).destination
    assert said in destination
    assert "pw" not in destination
    assert ("nothing leaves" in destination) == ("nothing leaves" in said)


@pytest.mark.parametrize("variable", ["OPENAI_API_BASE", "OPENAI_BASE_URL"])
def test_destination_of_the_environment(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9999/v1")
    assert "on this machine at 127.0.0.1:9999" in LiteLLMEngine("gpt-4o").destination
    assert LiteLLMEngine("claude-sonnet-4-5").destination.startswith("the provider of claude-sonnet-4-5")


def test_the_address_is_kept_as_it_was_named(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    served(httpserver, answer())
    monkeypatch.setenv("OPENAI_BASE_URL", httpserver.url_for("/v1"))
    one = LiteLLMEngine("gpt-4o", api_key=KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere.example.org/v1")
    assert "127.0.0.1" in one.destination
    assert one("Question?").text == "Hello"


def test_a_proxy_carries_loopback_traffic_too(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    one = LiteLLMEngine("openai/x", api_base="http://127.0.0.1:8080/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://user:pw@proxy.example.org:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert "through the proxy proxy.example.org: prompts, with" in one.destination
    assert "pw" not in one.destination
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    assert "nothing leaves" in one.destination


def test_a_model_without_a_known_provider_is_said_before_it_is_asked() -> None:
    with pytest.raises(UsageError, match="no provider is known for the model 'nonsense'"):
        LiteLLMEngine("nonsense").check()
    for known in ("gpt-4o", "ollama/qwen3", "openai/anything-at-all"):
        LiteLLMEngine(known).check()


def test_a_price_is_told_before_a_call_where_it_is_known() -> None:
    asked, answered = LiteLLMEngine("gpt-4o").price(1000, 0), LiteLLMEngine("gpt-4o").price(0, 1000)
    assert asked is not None
    assert answered is not None
    assert 0 < asked < answered
    assert LiteLLMEngine("ollama/qwen3").price(1000, 1000) is None
