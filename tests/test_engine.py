"""Engines in general: callables, names, the recording middleware and `map`."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import pytest

import tgsci as tg
import tgsci.engine as engines
from tgsci.engine import Call, Engine, Reply, as_engine, get_engine, recording
from tgsci.engines import engine_named
from tgsci.engines.human import HumanEngine
from tgsci.engines.litellm import LiteLLMEngine
from tgsci.engines.replay import ReplayEngine, record
from tgsci.engines.scripted import Scripted
from tgsci.errors import EngineError, UsageError

# -- callables -----------------------------------------------------------------------------------------


def one(prompt: str) -> str:
    return f"<{prompt}>"


def two(prompt: str, system_prompt: str | None = None) -> str:
    return f"<{system_prompt}|{prompt}>"


class Holder:
    def method(self, prompt: str) -> str:
        return f"<{prompt}>"

    def __call__(self, prompt: str, system: str) -> str:
        return f"<{system}|{prompt}>"


def keyword(prompt: str, *, system_prompt: str = "") -> str:
    return f"<{system_prompt}|{prompt}>"


@pytest.mark.parametrize(
    ("function", "alone", "with_system"),
    [
        (one, "<q>", "<s\n\nq>"),
        (two, "<|q>", "<s|q>"),
        (Holder().method, "<q>", "<s\n\nq>"),
        (Holder(), "<|q>", "<s|q>"),
        (lambda *a: "|".join(a), "q|", "q|s"),
        (partial(two, system_prompt="fixed"), "<fixed|q>", "<fixed|s\n\nq>"),
        (str.upper, "Q", "S\n\nQ"),
    ],
)
def test_any_callable_is_an_engine(function: Callable[..., str], alone: str, with_system: str) -> None:
    engine = as_engine(function)
    assert engine("q").text == alone
    assert engine("q", "s").text == with_system
    assert as_engine(engine) is engine


def test_a_system_prompt_is_never_lost() -> None:
    text = as_engine(keyword)("question", "system").text
    assert "question" in text
    assert "system" in text


def test_a_callable_may_return_a_whole_reply() -> None:
    reply = as_engine(lambda prompt: Reply("text", usd=0.25, finish="length", model="m"))("q")
    assert (reply.text, reply.usd, reply.truncated, reply.model) == ("text", 0.25, True, "m")
    assert reply.seconds > 0


@pytest.mark.parametrize("answer", [None, 3, b"bytes"])
def test_a_callable_that_returns_no_text_is_an_error(answer: object) -> None:
    with pytest.raises(EngineError, match="expected text"):
        as_engine(lambda prompt: answer)("q")


def test_what_a_callable_raises_is_not_hidden() -> None:
    def broken(prompt: str) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        as_engine(broken)("q")


def test_a_callable_takes_no_images() -> None:
    with pytest.raises(EngineError, match="images"):
        as_engine(one)("q", images=[b"\x89PNG"])


@pytest.mark.parametrize("thing", [None, 3, ["gpt-4o"]])
def test_what_is_no_engine(thing: Any) -> None:
    with pytest.raises(UsageError, match="not an engine"):
        as_engine(thing)


# -- names ---------------------------------------------------------------------------------------------


def test_names(tmp_path: Any) -> None:
    (tmp_path / "r.jsonl").write_text('{"reply": "kept"}\n')
    assert isinstance(as_engine("human"), HumanEngine)
    assert isinstance(get_engine(f"replay:{tmp_path}/r.jsonl"), ReplayEngine)
    for name in ("gpt-4o", "experimental:gpt-4o", " gpt-4o ", "experimental: gpt-4o"):
        model = get_engine(name, temperature=0.5)
        assert isinstance(model, LiteLLMEngine)
        assert (model.name, model.parameters) == ("gpt-4o", {"temperature": 0.5})
    for name, written in {
        "azure-gpt-4o": "azure/gpt-4o",
        "ollama-llama3": "ollama/llama3",
        "sonnet-3.5": "claude-3-5-sonnet-20240620",
        "together-meta/x": "together_ai/meta/x",
        "together-llama-3-70b": "together_ai/meta-llama/Llama-3-70b-chat-hf",
    }.items():
        assert get_engine(name).name == written
    for name in ("ollama/qwen3:8b", "bedrock/arn:aws:bedrock:eu-1:1:model/x", "huggingface/a/b-c.d@e"):
        assert engine_named(name).name == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "  ", "experimental:", "replay:", "gpt 4o", "-4o", "--help", "/etc/passwd"),
        *("a\nb", "a\x1b[2J", "a\u202eb", "x" * 300, "replay:" + "x" * 5000, 3, None),
    ],
)
def test_names_that_are_none(name: Any) -> None:
    with pytest.raises(UsageError) as caught:
        engine_named(name)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_only_a_model_takes_parameters() -> None:
    for name in ("human", "replay:file"):
        with pytest.raises(UsageError, match="temperature"):
            engine_named(name, temperature=0)


# -- the engine where none is given --------------------------------------------------------------------


@pytest.fixture
def no_default() -> Iterator[None]:
    engines.set_backward_engine(None)
    yield
    engines.set_backward_engine(None)


@pytest.mark.usefixtures("no_default")
def test_the_default_engine() -> None:
    assert engines.optional_engine() is None
    with pytest.raises(UsageError, match="set_backward_engine"):
        engines.default_engine()
    engines.set_backward_engine(one)
    assert engines.default_engine()("q").text == "<q>"
    assert engines.default_engine(two)("q", "s").text == "<s|q>"
    with pytest.raises(UsageError, match="override"):
        engines.set_backward_engine(two, override=False)
    engines.set_backward_engine(two)
    assert engines.default_engine()("q", "s").text == "<s|q>"


# -- recording -----------------------------------------------------------------------------------------


def test_a_recorder_sees_every_call_and_may_answer_it() -> None:
    script = Scripted(["from the engine"])
    seen: list[Call] = []

    def recorder(call: Call, ask: Callable[[], Reply]) -> Reply:
        seen.append(call)
        return Reply("from the record") if call.prompt == "known" else ask()

    with recording(recorder):
        assert script("known").text == "from the record"
        assert script("new", "s", [b"image"]).text == "from the engine"
    assert [(c.engine, c.prompt, c.system, c.images) for c in seen] == [
        (script, "known", "", ()),
        (script, "new", "s", (b"image",)),
    ]
    assert script.calls == [("new", "s")]
    with pytest.raises(EngineError):
        script("after the block nobody records")
    assert len(seen) == 2


def noting(seen: list[str]) -> Callable[[Call, Callable[[], Reply]], Reply]:
    def recorder(call: Call, ask: Callable[[], Reply]) -> Reply:
        seen.append(call.prompt)
        return ask()

    return recorder


def test_recording_reaches_every_thread_that_is_started_within() -> None:
    script = Scripted(lambda prompt, system: prompt)
    seen: list[str] = []
    with recording(noting(seen)):
        engines.map(script, list("abcdefgh"))
        own = threading.Thread(target=script, args=("own",))
        own.start()
        own.join()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(script, ["pool 1", "pool 2"]))
            list(pool.map(lambda item: engines.map(script, [item + "a", item + "b"]), ["x"]))
    assert sorted(seen) == [*"abcdefgh", "own", "pool 1", "pool 2", "xa", "xb"]


def test_a_call_of_unknown_origin_beside_two_runs_belongs_to_none() -> None:
    script = Scripted(lambda prompt, system: prompt)
    begun, ended = threading.Barrier(3), threading.Event()
    seen: list[str] = []

    def a_run() -> None:
        with recording(noting(seen)):
            begun.wait()
            ended.wait()

    runs = [threading.Thread(target=a_run) for _ in range(2)]
    for thread in runs:
        thread.start()
    begun.wait()
    stranger = threading.Thread(target=script, args=("whose?",))
    stranger.start()
    stranger.join()
    ended.set()
    for thread in runs:
        thread.join()
    assert seen == []


def test_what_a_person_asks_beside_a_run_in_a_thread_is_not_the_runs() -> None:
    script = Scripted(lambda prompt, system: prompt)
    begun, ended = threading.Event(), threading.Event()
    seen: list[str] = []

    def a_run() -> None:
        with recording(noting(seen)):
            begun.set()
            ended.wait()

    run = threading.Thread(target=a_run)
    run.start()
    begun.wait()
    script("mine")
    ended.set()
    run.join()
    assert seen == []


def test_a_thread_within_a_run_within_a_run_belongs_to_both() -> None:
    script = Scripted(lambda prompt, system: prompt)
    outer: list[str] = []
    inner: list[str] = []
    with recording(noting(outer)), recording(noting(inner)):
        own = threading.Thread(target=script, args=("q",))
        own.start()
        own.join()
    assert (outer, inner) == (["q"], ["q"])


def test_recordings_nest_and_end_when_something_is_raised() -> None:
    script = Scripted(lambda prompt, system: prompt)
    outer: list[str] = []

    def note(call: Call, ask: Callable[[], Reply]) -> Reply:
        outer.append(call.prompt)
        return ask()

    with recording(note):
        with contextlib.suppress(KeyError), recording(lambda call, ask: Reply("inner")):
            assert script("a").text == "inner"
            raise KeyError
        assert script("b").text == "b"
    assert outer == ["b"]


# -- map -----------------------------------------------------------------------------------------------


def test_map_keeps_the_order() -> None:
    def slow_first(i: int) -> int:
        time.sleep(0.02 * (10 - i))
        return i * i

    assert engines.map(slow_first, range(10)) == [i * i for i in range(10)]
    assert engines.map(slow_first, []) == []


def test_map_raises_what_the_first_failing_item_raised() -> None:
    def fail(i: int) -> int:
        if i == 3:
            time.sleep(0.1)
        if i >= 3:
            raise ValueError(i)
        return i

    with pytest.raises(ValueError, match=r"^3$"):
        engines.map(fail, range(8))


def test_map_keeps_the_other_results_where_the_caller_wants_the_failures_too() -> None:
    def fail_on_three(item: int) -> int:
        if item == 3:
            raise tg.EngineError("rate limit")
        return item

    async def fail_later(item: int) -> int:
        return fail_on_three(item)

    for function in (fail_on_three, fail_later):
        results = tg.map(function, range(6), return_exceptions=True)
        assert [r for r in results if isinstance(r, int)] == [0, 1, 2, 4, 5]
        assert str(results[3]) == "rate limit"


def test_map_does_not_start_what_waits_behind_a_failure() -> None:
    started: list[int] = []

    def fail(i: int) -> None:
        started.append(i)
        time.sleep(0.01)
        raise ValueError(i)

    with pytest.raises(ValueError, match="0"):
        engines.map(fail, range(1000), concurrent=2)
    assert len(started) < 1000


def test_map_does_not_wait_for_what_runs_beside_a_failure() -> None:
    blocking, release, done = threading.Event(), threading.Event(), threading.Event()

    def work(i: int) -> None:
        if i == 0:
            assert blocking.wait(30)
            raise ValueError(i)
        blocking.set()
        release.wait(30)
        done.set()

    try:
        with pytest.raises(ValueError, match="0"):
            engines.map(work, range(2))
        assert not done.is_set()
    finally:
        release.set()
    assert done.wait(30)  # and it ends as it would have


def test_map_runs_as_many_at_once_as_it_is_told() -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def work(i: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    engines.map(work, range(20), concurrent=4)
    assert 1 < most <= 4
    engines.map(work, range(4), concurrent=1)


def test_a_second_parameter_that_is_no_system_prompt_is_left_alone():
    def model(prompt, temperature=0.5):
        return f"{prompt} at {temperature}"

    assert as_engine(model)("question", "system").text == "system\n\nquestion at 0.5"


# -- identity ------------------------------------------------------------------------------------------


class Tempered(Engine):
    name = "tempered"

    def __init__(self, t: float, api_key: str = "", config: Any = None, **more: Any) -> None:
        self.asked = 0
        self.heat = t
        self.lock, self.inner, self.changed = threading.Lock(), threading.RLock(), threading.Condition()

    def complete(self, prompt: str, system: str = "", images: Any = ()) -> str:
        self.asked += 1
        return "x"


def test_an_engine_is_told_by_everything_that_it_was_made_with() -> None:
    assert Tempered(0.5).identity == Tempered(t=0.5).identity
    told = [Tempered(0), Tempered(1), Tempered(0, top_p=1), Tempered(0, config={"n": 1}), Tempered(0, config={"n": 2})]
    assert len({engine.identity for engine in told}) == len(told)


def test_asking_does_not_change_who_answers_and_neither_does_a_copy() -> None:
    asked: list[str] = []

    def noted(prompt: str) -> str:
        asked.append(prompt)
        return "x"

    for engine in (Tempered(1), Scripted(["a", "b"]), as_engine(noted)):
        before = engine.identity
        engine("q")
        assert engine.identity == before
        assert copy.deepcopy(engine).identity == before
    assert as_engine(noted).identity == as_engine(noted).identity


def test_no_secret_is_in_an_identity() -> None:
    secret = "hidden-away"
    engine = Tempered(0, secret, {"headers": {"x": secret}, "url": f"https://me:{secret}@host/"}, auth_token=secret)
    for told in (engine, LiteLLMEngine("gpt-4o", api_key=secret, extra_headers={"a": secret})):
        assert secret not in told.identity
    assert Tempered(0, "one key").identity == Tempered(0, "another key").identity


def test_functions_are_told_apart_by_what_they_do() -> None:
    def speaking(word: str) -> Callable[[str], str]:
        return lambda prompt: word

    strict, lenient = (lambda prompt: "9"), (lambda prompt: "1")
    functions = [strict, lenient, speaking("a"), speaking("b"), partial(two, system_prompt="s"), partial(two), Holder()]
    assert len({as_engine(f).identity for f in functions}) == len(functions)
    assert as_engine(speaking("a")).identity == as_engine(speaking("a")).identity


def test_a_model_is_told_by_its_parameters_and_address() -> None:
    models = [get_engine("gpt-4o"), get_engine("gpt-4o", temperature=0), get_engine("gpt-4o", api_base="http://x/v1")]
    assert len({model.identity for model in models}) == 3
    assert get_engine("gpt-4o", seed=1, top_p=0).identity == get_engine("gpt-4o", top_p=0, seed=1).identity


def test_two_scripts_of_one_name_are_two() -> None:
    assert Scripted(["a"]).identity != Scripted(["b"]).identity


def test_every_engine_can_be_copied_and_sent_to_a_worker(tmp_path: Any) -> None:
    (tmp_path / "r.jsonl").write_text('{"reply": "kept"}\n')
    replay = get_engine(f"replay:{tmp_path}/r.jsonl")
    engines_ = [
        Scripted(["a", "b"]),
        replay,
        record(Scripted(["a"]), tmp_path / "s"),
        get_engine("gpt-4o", api_key="x"),
    ]
    for engine in [*engines_, HumanEngine(), as_engine(two)]:
        for twin in (copy.deepcopy(engine), copy.copy(engine), pickle.loads(pickle.dumps(engine))):  # noqa: S301
            assert (twin.name, twin.identity) == (engine.name, engine.identity)
    assert copy.deepcopy(replay)("q").text == replay("q").text == "kept"


# -- called as TextGrad's engines are ------------------------------------------------------------------


PNG = b"\x89PNG\r\n\x1a\n"


class Seer(Engine):
    name = "seer"

    def complete(self, prompt: str, system: str = "", images: Any = ()) -> str:
        return f"{system}|{prompt}|{len(images)}"


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e("p", "s"),
        lambda e: e("p", system="s"),
        lambda e: e("p", system_prompt="s"),
        lambda e: e(prompt="p", system_prompt="s"),
        lambda e: e.generate("p", "s"),
        lambda e: e.generate("p", system_prompt="s"),
        lambda e: e.generate(prompt="p", system_prompt="s"),
        lambda e: e.generate(content="p", system_prompt="s"),
        lambda e: e.generate(["p"], "s"),
    ],
)
def test_a_call_in_any_of_the_ways(call: Callable[[Engine], str]) -> None:
    assert call(Seer()) == "s|p|0"
    assert call(as_engine(two)) == "<s|p>"


def test_no_system_prompt_may_be_none() -> None:
    assert Seer()("p", system_prompt=None) == Seer()("p", None) == Seer().generate("p", None) == "|p|0"


def test_images_come_in_a_list_with_texts() -> None:
    seen = Seer()
    assert seen.generate([PNG, "what is it?"]) == "|[image 1]\nwhat is it?|1"
    assert seen(["compare", PNG, "with", PNG], "s", images=[PNG]) == "s|compare\n[image 1]\nwith\n[image 2]|3"
    assert seen.generate([PNG]) == "|[image 1]|1"
    for nonsense in (3, None, [3], {"text": "p"}):
        with pytest.raises(UsageError, match="list of texts and images"):
            seen(nonsense)  # type: ignore[arg-type]


def test_a_function_with_images_gets_them() -> None:
    engine = as_engine(lambda prompt, system="", images=(): f"{system}|{prompt}|{len(images)}")
    assert engine("p", "s", [PNG]) == "s|p|1"


def test_an_answer_is_a_text() -> None:
    answer = as_engine(lambda prompt: Reply("hi ", usd=0.5))("q")
    assert answer.strip() == "hi"
    assert "hi" in answer
    assert json.loads(json.dumps({"a": answer})) == {"a": "hi "}
    assert f"{answer}!" == "hi !"
    assert {answer: 1}["hi "] == 1
    assert type(answer.text) is type(str(answer)) is str


def test_a_reply_keeps_what_it_knows_wherever_it_goes() -> None:
    reply = Reply("hi", 3, 4, 0.5, 1.0, "length", "m")
    for twin in (copy.copy(reply), copy.deepcopy(reply), pickle.loads(pickle.dumps(reply)), replace(reply)):  # noqa: S301
        assert (twin, asdict(twin)) == (reply, asdict(reply))
    assert replace(reply, text="ho") == "ho"
    assert replace(reply, text="ho").usd == 0.5
    with pytest.raises(AttributeError):
        reply.usd = 1.0  # type: ignore[misc]
    with pytest.raises(EngineError, match="None"):
        Reply(None)  # type: ignore[arg-type]


def test_parameters_of_one_call_act_or_are_refused() -> None:
    def model(prompt: str, system_prompt: str = "", max_tokens: int = 99) -> str:
        return f"{system_prompt}|{prompt}|{max_tokens}"

    engine = as_engine(model)
    assert engine.generate("p", "s", max_tokens=5) == "s|p|5"
    assert engine("p", max_tokens=7) == "|p|7"
    assert engine("p") == "|p|99"
    for other in (Scripted(["a"]), as_engine(one), HumanEngine()):
        with pytest.raises(UsageError, match=r"takes no max_tokens"):
            other.generate("p", max_tokens=5)
    seen: list[Call] = []
    with recording(lambda call, ask: (seen.append(call), ask())[1]):
        engine("p", max_tokens=5)
        engine("p", max_tokens=6)
    assert len({call.engine.identity for call in seen}) == 2


# -- functions that are not quite engines --------------------------------------------------------------


async def slow_echo(prompt: str, system_prompt: str = "") -> str:
    await asyncio.sleep(0)
    return f"{system_prompt}|{prompt}"


class Asynchronous(Engine):
    async def complete(self, prompt: str, system: str = "", images: Any = ()) -> str:  # type: ignore[override]
        return prompt


def test_coroutine_functions_are_run() -> None:
    assert as_engine(slow_echo)("p", "s") == "s|p"
    assert as_engine(lambda prompt: slow_echo(prompt))("p") == "|p"
    assert Asynchronous()("p") == "p"
    assert engines.map(slow_echo, ["a", "b", "c"]) == ["|a", "|b", "|c"]
    assert engines.map(slow_echo, ["a"]) == ["|a"]
    assert engines.map(as_engine(slow_echo), [str(i) for i in range(50)]) == [f"|{i}" for i in range(50)]


def test_coroutines_of_a_map_wait_together() -> None:
    async def nap(prompt: str) -> str:
        await asyncio.sleep(0.2)
        return prompt

    started = time.perf_counter()
    engines.map(as_engine(nap), [str(i) for i in range(20)])
    assert time.perf_counter() - started < 2.0


def test_a_coroutine_is_run_where_a_loop_runs_already_as_in_a_notebook() -> None:
    async def cell() -> str:
        return as_engine(slow_echo)("p")

    assert asyncio.run(cell()) == "|p"


def test_a_coroutine_that_would_wait_for_itself_says_so() -> None:
    async def outer(prompt: str) -> str:
        return as_engine(slow_echo)(prompt)

    with pytest.raises(UsageError, match="await"):
        as_engine(outer)("p")


def test_what_a_coroutine_raises_and_asks_is_not_lost() -> None:
    async def broken(prompt: str) -> str:
        raise ZeroDivisionError

    script = Scripted(["inner"])

    async def asking(prompt: str) -> str:
        return script(f"asked: {prompt}")

    with pytest.raises(ZeroDivisionError):
        as_engine(broken)("p")
    seen: list[str] = []
    with recording(noting(seen)):
        assert as_engine(asking)("p") == "inner"
    assert seen == ["p", "asked: p"]


def test_pieces_are_put_together() -> None:
    def streaming(prompt: str) -> Iterator[str]:
        yield from (prompt, " and", " more")

    async def streaming_too(prompt: str) -> Any:
        for piece in (prompt, " and", " more"):
            yield piece

    assert as_engine(streaming)("p") == as_engine(streaming_too)("p") == "p and more"
    with pytest.raises(EngineError, match="expected text"):
        as_engine(lambda prompt: (i for i in range(3)))("p")


@pytest.mark.parametrize(
    ("answer", "said"),
    [(None, r"None.*has it a `return`"), ({"choices": []}, r"dict \{'choices': \[\]\}.*as str"), (b"x", "bytes b'x'")],
)
def test_an_answer_that_is_none_is_shown(answer: object, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        as_engine(lambda prompt: answer)("p")


@pytest.mark.parametrize("function", [lambda: "x", lambda a, b, c: "x", lambda *, prompt, other: "x"])
def test_a_function_that_takes_no_prompt_is_refused_at_once(function: Any) -> None:
    with pytest.raises(UsageError, match=r"is no engine: write it as <lambda>\(prompt\)"):
        as_engine(function)


def test_a_function_that_wants_its_system_prompt_by_name_always_gets_one() -> None:
    def model(prompt: str, *, system: str) -> str:
        return f"{system}|{prompt}"

    assert as_engine(model)("p") == "|p"
    assert as_engine(model)("p", "s") == "s|p"


def test_a_class_is_no_engine() -> None:
    for thing in (Scripted, HumanEngine, Holder):
        with pytest.raises(UsageError, match=rf"{thing.__name__}\(\.\.\.\)"):
            as_engine(thing)


# -- how many at the same time -------------------------------------------------------------------------


class Crowd:
    """A model that counts how many ask it at the same time."""

    def __init__(self, seconds: float = 0.01) -> None:
        self.now = self.most = self.calls = 0
        self.seconds = seconds
        self.lock = threading.Lock()

    def __call__(self, prompt: str) -> str:
        with self.lock:
            self.now += 1
            self.calls += 1
            self.most = max(self.most, self.now)
        time.sleep(self.seconds)
        with self.lock:
            self.now -= 1
        return prompt


def nested(engine: Callable[[str], str], outer: int = 8, inner: int = 8) -> None:
    engines.map(lambda i: engines.map(lambda j: engine(f"{i} {j}"), range(inner)), range(outer))


def test_an_engines_concurrency_holds_however_it_is_asked() -> None:
    crowd = Crowd()
    engine = as_engine(crowd, concurrency=3)
    nested(engine)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(engine, map(str, range(20))))
    assert crowd.most == 3
    assert crowd.calls == 84


def test_who_is_not_safe_in_threads_says_one_and_every_engine_of_it_keeps_to_it() -> None:
    crowd = Crowd()
    said = as_engine(crowd, concurrency=1)
    engines.map(lambda i: as_engine(crowd)(str(i)), range(10))
    assert crowd.most == 1
    assert as_engine(crowd).concurrency == said.concurrency == 1


def test_a_class_may_state_its_concurrency() -> None:
    crowd = Crowd()

    class Single(Engine):
        concurrency = 1

        def complete(self, prompt: str, system: str = "", images: Any = ()) -> str:
            return crowd(prompt)

    engines.map(lambda i: Single()(str(i)), range(10))
    assert crowd.most == 1


def test_nested_maps_share_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd()
    monkeypatch.setattr(engines, "MAX_CONCURRENT", 5)
    nested(crowd)
    nested(as_engine(crowd))
    assert crowd.most == 5
    crowd = Crowd()
    monkeypatch.setattr(engines, "MAX_CONCURRENT", 1)
    nested(crowd, 3, 3)
    assert crowd.most == 1


def test_a_bound_of_the_outer_map_holds_for_the_inner_ones() -> None:
    crowd = Crowd()
    engines.map(lambda i: engines.map(lambda j: crowd(str(j)), range(6)), range(6), concurrent=2)
    assert crowd.most == 2


def test_an_engine_that_asks_itself_or_fans_out_does_not_wait_for_itself() -> None:
    """A deadlock if one waits with what the other needs."""

    def twice(prompt: str) -> str:
        return prompt if len(prompt) > 8 else engine(prompt * 2)

    engine = as_engine(twice, concurrency=1)
    assert engine("ab") == "ab" * 8
    crowd = Crowd(0.001)
    inner = as_engine(crowd, concurrency=2)
    fanning = as_engine(lambda prompt: "".join(engines.map(inner, list("abcd"))), concurrency=1)
    assert set(engines.map(fanning, list("xyzuvw"), concurrent=3)) == {"abcd"}
    assert crowd.most == 2


@pytest.mark.parametrize("most", [0, -1, 1.5, "4", True])
def test_a_bound_is_a_whole_number(most: Any) -> None:
    with pytest.raises(UsageError, match="whole number"):
        engines.map(one, ["a"], concurrent=most)
    with pytest.raises(UsageError, match="whole number"):
        as_engine(one, concurrency=most)


def test_a_model_takes_its_concurrency_by_name() -> None:
    model = get_engine("gpt-4o", concurrency=4, temperature=0)
    assert isinstance(model, LiteLLMEngine)
    assert (model.concurrency, model.parameters) == (4, {"temperature": 0})
    assert "concurrency" not in model.identity
    assert LiteLLMEngine("gpt-4o", concurrency=3).parameters == {}


def test_a_copy_and_a_call_with_parameters_keep_the_bound() -> None:
    model = get_engine("gpt-4o", concurrency=4)
    sent = pickle.dumps(model)
    model.concurrency = None
    assert pickle.loads(sent).concurrency == 4  # noqa: S301
    crowd = Crowd()

    def ask(prompt: str, seed: int = 0) -> str:
        return crowd(prompt)

    engine = as_engine(ask, concurrency=2)
    engines.map(lambda i: engine(str(i), seed=i), range(12))
    assert crowd.most == 2


def test_engines_made_at_the_same_time_share_one_gate() -> None:
    class Single(Engine):
        def complete(self, prompt: str, system: str = "", images: Any = ()) -> str:
            return prompt

    for _ in range(50):
        made = engines.map(lambda i: Single(), range(8))
        made[0].concurrency = 1
        assert {engine.concurrency for engine in made} == {1}


def test_a_frozen_dataclass_may_be_an_engine() -> None:
    @dataclass(frozen=True)
    class Frozen(Engine):
        temperature: float = 0.0

        def complete(self, prompt: str, system: str = "", images: Any = ()) -> str:
            return prompt

    assert Frozen()("p") == "p"
    assert Frozen(1.0).identity != Frozen().identity
    assert copy.deepcopy(Frozen(1.0)).identity == Frozen(1.0).identity


def test_the_bound_is_a_setting_of_the_environment(script: Any) -> None:
    code = "import tgsci.engine; print(tgsci.engine.MAX_CONCURRENT)"
    assert script(code, TGSCI_CONCURRENT="3").strip() == "3"
    assert "TGSCI_CONCURRENT is 'x'" in script(code, check=False, TGSCI_CONCURRENT="x")


def test_nothing_is_begun_after_a_failure_in_maps_within_maps_either() -> None:
    begun: list[int] = []

    def work(i: int) -> None:
        if i == 0:
            time.sleep(0.05)
            raise ValueError("the first")
        engines.map(lambda j: (begun.append(j), time.sleep(0.05)), range(100), concurrent=2)

    with pytest.raises(ValueError, match="the first"):
        engines.map(work, range(4))
    before = len(begun)
    time.sleep(0.3)
    assert len(begun) - before <= 8


@pytest.mark.parametrize(
    "blocked",
    [
        "time.sleep(60)",
        "socket.socketpair()[0].recv(1)",
        "tgsci.map(lambda j: time.sleep(60), range(4))",
        "return asyncio.sleep(60)",
    ],
)
def test_ctrl_c_ends_a_map_at_once(start_script: Any, blocked: str) -> None:
    process = start_script(
        f"""
        import asyncio, socket, time, tgsci
        def model(prompt):
            if prompt == "3":
                print("begun", flush=True)
            {blocked}
            return prompt
        tgsci.map(tgsci.as_engine(model), [str(i) for i in range(32)])
        """
    )
    assert process.stdout.readline().strip() == "begun"
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(10)
    assert time.monotonic() - started < 2
    assert "KeyboardInterrupt" in process.stderr.read()


@pytest.mark.parametrize("images", [b"PNG", bytearray(b"PNG"), [b"PNG"], (memoryview(b"PNG"),)])
def test_a_single_image_is_a_list_of_one(images):
    assert as_engine(lambda prompt, images: repr(images))("what?", images=images) == "(b'PNG',)"
    assert as_engine(lambda prompt, images=(): repr(images))("what?", images=None) == "()"


@pytest.mark.parametrize("images", ["cat.png", ["cat.png"], [1]])
def test_what_is_no_image_is_refused(images):
    with pytest.raises(UsageError, match="images are the bytes of image files"):
        as_engine(lambda prompt, images: "x")("what?", images=images)


def test_a_variable_as_a_prompt_is_told_what_to_write():
    with pytest.raises(UsageError, match=r"write variable\.value"):
        as_engine(lambda prompt: "x")(tg.Variable("p"))


def test_map_over_one_text_is_refused():
    with pytest.raises(UsageError, match=r"write \[text\]"):
        tg.map(str.upper, "abc")


@pytest.mark.parametrize(
    "function",
    [
        lambda prompt, images: f"{prompt} {len(images)}",
        lambda prompt, *, images: f"{prompt} {len(images)}",
        lambda prompt, system_prompt="", *, images: f"{prompt} {len(images)}",
        lambda prompt, system, images: f"{prompt} {len(images)}",
    ],
)
def test_a_function_may_ask_for_images_in_every_call(function):
    assert as_engine(function)("what?") == "what? 0"
    assert as_engine(function)("what?", "", [b"PNG"]) == "what? 1"


class Limited(Engine):
    """Keeps what a library's client keeps."""

    name = "limited"

    def __init__(self):
        self.two, self.three = threading.Semaphore(2), threading.BoundedSemaphore(3)
        self.closed, self.ready = threading.Event(), threading.Condition()

    def complete(self, prompt, system="", images=()):
        with self.two, self.three, self.ready:
            return "x"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda engine: pickle.loads(pickle.dumps(engine))])  # noqa: S301
def test_a_copy_of_an_engine_has_locks_of_its_own(copied):
    engine = Limited()
    assert engine("p") == "x"
    other = copied(engine)
    assert other("p") == "x"
    with other.two, other.two:
        assert not other.two.acquire(blocking=False)
        assert engine("p") == "x"
