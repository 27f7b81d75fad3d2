"""A person as an engine, for sites where nothing may leave: the prompt is shown, the reply is pasted."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Sequence
from typing import TextIO

from ..engine import Engine, Reply
from ..errors import EngineError

END = "."

#: Longest reply, characters.
LONGEST = 1_000_000

_RULE = "-" * 72
#: What terminals put around pasted text.
_PASTE_MARKS = re.compile(r"\x1b\[20[01]~")
#: A terminal obeys these, or shows text in another order than it has. Line breaks and tabs stay.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

#: One terminal, one question at a time, whichever engine asks.
_terminal = threading.Lock()


class HumanEngine(Engine):
    """Shows each prompt and takes the pasted reply, ended by a line with a single "." or by Ctrl-D.

    Args:
        source: Where replies are read from; else the terminal (in Jupyter, its input box).
        sink: Where prompts are shown; else standard error.
    """

    name = "human"
    destination = "you: prompts are shown here and you give the replies; nothing leaves this machine by itself"
    answered_by_person = True

    def __init__(self, source: TextIO | None = None, sink: TextIO | None = None) -> None:
        self._source = source
        self._sink = sink

    def price(self, tokens_in: int, tokens_out: int) -> float:
        return 0.0

    def complete(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Reply:
        if images:
            raise EngineError("the prompt comes with images, and a terminal shows none: use a model that reads images")
        with _terminal:
            if system:
                self._show(f"{_RULE}\nSYSTEM PROMPT\n{_RULE}\n{visible(system)}\n")
            self._show(f"{_RULE}\nPROMPT\n{_RULE}\n{visible(prompt)}\n{_RULE}\n")
            self._show("Paste the reply, with the blocks that the prompt asks for, or just new values, one a line.\n")
            self._show(f'End it with a line that has only "{END}", or with Ctrl-D.\n')
            return Reply(self._read(), usd=0.0)

    def _read(self) -> str:
        lines: list[str] = []
        while (line := self._line()) is not None:
            # A paste may arrive as one "line" that has the line breaks in it.
            for part in _PASTE_MARKS.sub("", line).split("\n"):
                if part.strip() != END:
                    lines.append(part.rstrip("\r"))
                elif text := _joined(lines):
                    return text
                else:
                    lines.clear()
                    self._show("That was empty. Paste the reply, or press Ctrl-D to give none.\n")
            if sum(map(len, lines)) > LONGEST:
                raise EngineError(f"the reply is longer than {LONGEST} characters")
        if text := _joined(lines):
            return text
        raise EngineError("no reply was given")

    def _line(self) -> str | None:
        if self._source is not None:
            line = self._source.readline()
            return line.removesuffix("\n") if line else None
        # Without readline a terminal silently cuts lines at 4,095 characters.
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401
        try:
            return input()
        except EOFError:
            return None

    def _show(self, text: str) -> None:
        print(text, end="", file=self._sink or sys.stderr, flush=True)


def visible(text: str) -> str:
    """Text with every character that a terminal would obey written out: `\\x1b`, `\\u202e`.

    Prompts hold simulators' and models' text: nothing in them may move the cursor or set a title.
    """
    return _UNSAFE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def _joined(lines: Sequence[str]) -> str:
    # A terminal that speaks no UTF-8 hands bytes on as half surrogate pairs; nothing could store them.
    return "\n".join(lines).strip().encode("utf-8", "replace").decode("utf-8")
