"""Recordings: answers kept in a file, and an engine that plays them again without any model.

A recording is JSON Lines in UTF-8, one answer a line:

    {"prompt_sha256": "9f86...", "prompt": "Improve ...", "system": "", "reply": {"text": "...", "usd": 0.01}}

`reply` is a text, or an object with the fields of `Reply`. An answer that names its question, by
`prompt_sha256` (see `question_key`) or by `prompt` and `system`, is given to that question only; answers
that name none are given in their order to whatever is asked.
"""

from __future__ import annotations

import copy
import json
import math
import os
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..engine import Engine, Reply
from ..errors import EngineError, UsageError

#: Largest recording, bytes.
LARGEST = 256 * 2**20

_ENTRY = ("prompt_sha256", "prompt", "system", "reply")
_TEXTS = ("text", "finish", "model")
_COUNTS = ("tokens_in", "tokens_out")
_FIGURES = ("usd", "seconds")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded answer.

    Args:
        key: `question_key` of the question it answers; "" where it answers whatever is asked next.
        reply: The answer.
    """

    key: str
    reply: Reply


def question_key(prompt: str, system: str = "", images: Sequence[bytes] = ()) -> str:
    """What a question is recognised by: SHA-256, in hex, of `[system, prompt, SHA-256 of each image...]`
    as JSON in ASCII."""
    parts = [system, prompt, *(sha256(image).hexdigest() for image in images)]
    return sha256(json.dumps(parts).encode("ascii")).hexdigest()


class ReplayEngine(Engine):
    """Plays a recording. Replies come as they were recorded, with their tokens, price and time.

    Args:
        path: The recording.
        recorded: Its answers, where they are read already.

    Raises:
        UsageError: The file cannot be read or is malformed.
    """

    def __init__(self, path: str | Path, recorded: Iterable[Recorded] | None = None) -> None:
        self.name = f"replay:{path}"
        self.destination = f"answers are played from {path}: nothing leaves this machine"
        self._in_order: deque[Recorded] = deque(read_recording(path) if recorded is None else recorded)
        self._by_key: dict[str, deque[Recorded]] = {}
        for entry in self._in_order:
            if entry.key:
                self._by_key.setdefault(entry.key, deque()).append(entry)
        self._unnamed = deque(entry for entry in self._in_order if not entry.key)
        self._any_prompt = len(self._unnamed)
        self._lock = threading.Lock()
        self._begun = False

    def complete(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Reply:
        key = question_key(prompt, system, images)
        with self._lock:
            self._begun = True
            # Threads ask in any order; which answer belongs to which question must not depend on it.
            waiting = self._by_key.get(key) or self._unnamed
            if waiting:
                return waiting.popleft().reply
        which = "more often than it was recorded" if key in self._by_key else "and was not recorded"
        if key not in self._by_key and self._any_prompt:
            which = f"after all {self._any_prompt} answers for any prompt were given"
        start = repr(prompt if len(prompt) <= 80 else prompt[:80] + "...")
        raise EngineError(f"{self.name}: this prompt was asked {which}: {start} (prompt_sha256 {key})")

    def price(self, tokens_in: int, tokens_out: int) -> float:
        """Nothing is paid now; the replies carry what they cost when they were recorded."""
        return 0.0

    def skip(self, calls: int) -> None:
        """Pass over the first answers. One that names its question is only put behind its like: with
        concurrent questions the first answers in the file need not be those that a run heard first. Once
        answers were given this does nothing: the recording then stands where this process left it."""
        with self._lock:
            if self._begun:
                return
            self._begun = calls > 0
            for _ in range(min(calls, len(self._in_order))):
                entry = self._in_order.popleft()
                if entry.key:
                    self._by_key[entry.key].rotate(-1)
                elif self._unnamed:
                    self._unnamed.popleft()


class RecordingEngine(Engine):
    """Asks another engine and appends every answer to a recording. Safe to call from many threads.

    Args:
        engine: Who answers.
        path: The recording, made where there is none, continued where there is.

    Raises:
        UsageError: The file cannot be written, or what is in it is no recording.
    """

    def __init__(self, engine: Engine, path: str | Path) -> None:
        self.engine = engine
        self.name = engine.name
        self.answered_by_person = engine.answered_by_person
        self.path = Path(path)
        self.destination = f"{engine.destination}; answers are kept in {path}"
        self._lock = threading.Lock()
        try:
            with self.path.open("ab"):
                pass
        except OSError as error:
            raise UsageError(f"cannot write the recording {str(path)!r}: {error.strerror}") from None
        if read_recording(path) and not self.path.read_bytes().endswith(b"\n"):
            with self.path.open("ab") as file:
                file.write(b"\n")

    @property
    def identity(self) -> str:
        """That of the engine that answers."""
        return self.engine.identity

    def with_parameters(self, **parameters: Any) -> RecordingEngine:
        other = copy.copy(self)
        other.engine, other._lock = self.engine.with_parameters(**parameters), self._lock
        return other

    def complete(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Reply:
        reply = self.engine.answer(prompt, system, images)
        entry = {"prompt_sha256": question_key(prompt, system, images), "reply": asdict(reply)}
        if not images:  # the key covers them, the file has no place for them
            entry |= {"prompt": prompt, "system": system}
        line = json.dumps(entry, allow_nan=False).encode("ascii") + b"\n"
        with self._lock, self.path.open("ab") as file:
            file.write(line)
        return reply

    def skip(self, calls: int) -> None:
        self.engine.skip(calls)


def record(engine: Engine, path: str | Path) -> RecordingEngine:
    """Make an engine that answers as `engine` does and keeps every answer in a recording."""
    return RecordingEngine(engine, path)


def read_recording(path: str | Path) -> list[Recorded]:
    """Read a recording.

    Raises:
        UsageError: It cannot be read, or is malformed; says in which line.
    """
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size > LARGEST:
                raise UsageError(f"recording {str(path)!r} is larger than {LARGEST >> 20} MiB")
            lines = file.read(LARGEST).split(b"\n")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read the recording {str(path)!r}: {reason}") from None
    recorded = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            recorded.append(_entry(json.loads(line.decode("utf-8"), object_pairs_hook=_object)))
        except (ValueError, RecursionError) as error:
            raise UsageError(f"recording {str(path)!r}, line {number}: {error}") from None
    return recorded


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a field is given twice")
    return dict(pairs)


def _entry(entry: object) -> Recorded:
    if not isinstance(entry, dict) or "reply" not in entry:
        raise ValueError('an answer is an object with a "reply"')
    _only(entry, _ENTRY)
    key, prompt, system = entry.get("prompt_sha256", ""), entry.get("prompt"), entry.get("system", "")
    if not isinstance(key, str) or (key and (len(key) != 64 or set(key) - set("0123456789abcdef"))):
        raise ValueError("prompt_sha256 is not 64 hexadecimal digits in lower case")
    if not isinstance(prompt, str | None) or not isinstance(system, str):
        raise ValueError("prompt and system are texts")
    if prompt is None:
        return Recorded(key, _reply(entry["reply"]))
    computed = question_key(prompt, system)
    if key and key != computed:
        raise ValueError("prompt_sha256 is not that of this prompt and system; leave it out after an edit")
    return Recorded(computed, _reply(entry["reply"]))


def _reply(reply: object) -> Reply:
    if isinstance(reply, str):
        return Reply(reply)
    if not isinstance(reply, dict) or "text" not in reply:
        raise ValueError('a reply is a text, or an object with a "text"')
    _only(reply, tuple(field.name for field in fields(Reply)))
    for name, value in reply.items():
        if name in _TEXTS and not isinstance(value, str):
            raise ValueError(f"{name} is not a text")
        if name in _COUNTS and not (value is None or (_is_number(value, int) and value >= 0)):
            raise ValueError(f"{name} is neither a number of tokens nor null")
        if name in _FIGURES and not (
            (value is None and name == "usd") or (_is_number(value, int | float) and 0 <= value < math.inf)
        ):
            raise ValueError(f"{name} is not a figure of 0 or more")
    return Reply(**reply)


def _is_number(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _only(found: dict[str, Any], known: Sequence[str]) -> None:
    if unknown := [name for name in found if name not in known]:
        raise ValueError(f"unknown field {unknown[0][:40]!r}; known are {', '.join(known)}")
