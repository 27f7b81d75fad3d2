from __future__ import annotations

import time

import pytest

import tgsci.engine
from tgsci.engine import Reply
from tgsci.engines.scripted import Scripted
from tgsci.errors import EngineError, UsageError


def test_a_list_is_answered_in_order_and_the_questions_are_kept() -> None:
    script = Scripted(["one", Reply("two", usd=0.5)])
    assert script("a", "as a chemist").text == "one"
    assert script("b").usd == 0.5
    assert script.calls == [("a", "as a chemist"), ("b", "")]
    with pytest.raises(EngineError, match=r"2 replies and was asked for one more: 'c'"):
        script("c")


def test_a_function_answers() -> None:
    script = Scripted(lambda prompt, system: f"{system}{prompt.upper()}")
    assert script("abc").text == "ABC"
    assert script.generate("abc", ">") == ">ABC"


def test_exceptions_are_raised_when_their_turn_comes() -> None:
    script = Scripted(["fine", EngineError("no network"), "fine again"])
    assert script("a").text == "fine"
    with pytest.raises(EngineError, match="no network"):
        script("b")
    assert script("c").text == "fine again"


def test_skip_moves_on() -> None:
    script = Scripted(["a", "b", "c", "d"])
    script.skip(2)
    assert script("?").text == "c"
    assert script.calls == [("?", "")]


def test_every_reply_is_given_once_however_many_threads_ask() -> None:
    script = Scripted([str(i) for i in range(200)])
    replies = tgsci.engine.map(script, ["?"] * 200)
    assert sorted(int(reply.text) for reply in replies) == list(range(200))
    assert len(script.calls) == 200


def test_latency() -> None:
    script = Scripted(lambda prompt, system: prompt, seconds=0.2)
    started = time.perf_counter()
    replies = tgsci.engine.map(script, list("abcdefghijklmnop"))
    assert 0.2 <= time.perf_counter() - started < 2.0  # 3.2 s one after another
    assert all(reply.seconds >= 0.19 for reply in replies)


@pytest.mark.parametrize("no_script", ["a single text", b"bytes", 3, None])
def test_what_is_no_script(no_script: object) -> None:
    with pytest.raises(UsageError):
        Scripted(no_script)  # type: ignore[arg-type]
