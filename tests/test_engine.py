"""Engines in general: callables, names, the recording middleware and `map`."""

from __future__ import annotations

import contextlib
import copy
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

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


def test_recording_reaches_the_threads_of_map_and_no_others() -> None:
    script = Scripted(lambda prompt, system: prompt)
    seen: list[str] = []

    def recorder(call: Call, ask: Callable[[], Reply]) -> Reply:
        seen.append(call.prompt)
        return ask()

    with recording(recorder):
        engines.map(script, list("abcdefgh"))
        stranger = threading.Thread(target=script, args=("elsewhere",))
        stranger.start()
        stranger.join()
    assert sorted(seen) == list("abcdefgh")


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
