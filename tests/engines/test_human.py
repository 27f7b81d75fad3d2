from __future__ import annotations

import io
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tgsci.engine
from tgsci.engines.human import HumanEngine, visible
from tgsci.errors import EngineError


def ask(typed: str, prompt: str = "Improve CCO.", system: str = "") -> tuple[str, str]:
    sink = io.StringIO()
    reply = HumanEngine(io.StringIO(typed), sink)(prompt, system)
    return reply.text, sink.getvalue()


@pytest.mark.parametrize(
    ("typed", "reply"),
    [
        ("CCN\n.\n", "CCN"),
        ("first\n\n  second\n.\nfor the next question\n", "first\n\n  second"),
        ("ended by Ctrl-D\n", "ended by Ctrl-D"),
        ("without a line break", "without a line break"),
        ("windows\r\nlines\r\n.\r\n", "windows\nlines"),
        (".\nafter an empty one\n.\n", "after an empty one"),
        ("\x1b[200~pasted\x1b[201~\n.\n", "pasted"),
        ("3.5\n..\n.\n", "3.5\n.."),
    ],
)
def test_a_reply_ends_with_a_dot_or_the_end_of_input(typed: str, reply: str) -> None:
    assert ask(typed)[0] == reply


@pytest.mark.parametrize("typed", ["", "\n\n", " \n.\n"])
def test_no_reply_is_an_error(typed: str) -> None:
    with pytest.raises(EngineError, match="no reply was given"):
        ask(typed)


def test_the_prompt_is_shown_whole_with_its_system_prompt() -> None:
    prompt = "\n".join(f"line {i}" for i in range(500))
    shown = ask("x\n.\n", prompt, "You are a chemist.")[1]
    assert prompt in shown
    assert shown.index("You are a chemist.") < shown.index("line 0")
    assert "SYSTEM PROMPT" not in ask("x\n.\n")[1]


def test_a_prompt_cannot_command_the_terminal() -> None:
    shown = ask("x\n.\n", "\x1b]0;title\x07 \x1b[2J\rover\u202etxt", "\x9b31m")[1]
    assert "\\x1b]0;title\\x07 \\x1b[2J\\rover\\u202etxt" in shown
    assert "\\x9b31m" in shown
    assert not any(c in shown for c in "\x1b\x07\r\u202e\x9b")


@pytest.mark.slow
@given(st.text())
def test_visible_keeps_only_what_is_harmless(text: str) -> None:
    shown = visible(text)
    assert all(c in "\n\t" or not (ord(c) < 32 or 127 <= ord(c) < 160) for c in shown)
    shown.encode("utf-8")
    if text.isprintable():
        assert shown == text


def test_the_terminal_is_the_default(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("typed\n.\n"))
    assert HumanEngine()("Question?").text == "typed"
    printed = capsys.readouterr()
    assert "Question?" in printed.err
    assert printed.out == ""


def test_a_paste_may_arrive_as_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda: "a\nb\n.")
    assert HumanEngine(sink=io.StringIO())("Question?").text == "a\nb"


def test_questions_of_many_threads_do_not_mix() -> None:
    """Each question is answered by what it asked: the source answers the prompt shown last."""
    sink = io.StringIO()

    class Person(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
            shown = [line for line in sink.getvalue().splitlines() if line.startswith("question ")]
            self.turn = not getattr(self, "turn", False)
            return f"{shown[-1]}\n" if self.turn else ".\n"

    one = HumanEngine(Person(), sink)
    prompts = [f"question {i}" for i in range(20)]
    assert [reply.text for reply in tgsci.engine.map(one, prompts)] == prompts
    assert threading.active_count() < 20


def test_images_are_refused() -> None:
    with pytest.raises(EngineError, match="images"):
        HumanEngine(io.StringIO("x\n.\n"), io.StringIO())("What is this?", images=[b"\x89PNG"])


def test_a_reply_without_end_is_refused() -> None:
    class Endless(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
            return "x" * 100_000 + "\n"

    with pytest.raises(EngineError, match="longer than"):
        HumanEngine(Endless(), io.StringIO())("Question?")


def test_where_prompts_go() -> None:
    assert "nothing leaves this machine" in HumanEngine().destination
