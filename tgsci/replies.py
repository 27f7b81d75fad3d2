"""Reading a model's reply strictly: a value is taken only from a complete, well-formed block."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from . import prompts
from .basics.texts import literal, trimmed, well_formed
from .engine import Reply
from .errors import InvalidValue, UsageError
from .prompts import numbered, reason_tags

T = TypeVar("T")

#: Characters that are read to find JSON, and what an opening brace that begins none counts as: braces within braces
#: would be read again and again.
_MAX_JSON_CHARS, _JSON_TRY = 2_000_000, 500

#: No value a model proposes is longer; a reply that exceeds it went astray.
MAX_VALUE_CHARS = 100_000
_MAX_REASON_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A new value that a reply held.

    Args:
        value: Canonical where it is usable, else as written.
        reason: Why it should be better, as the model wrote it.
        fault: What is wrong with it; "" where it is usable.
    """

    value: str
    reason: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a reply held: usable suggestions and, for each missing one, what was wrong."""

    suggestions: list[Suggestion]
    faults: list[Suggestion]

    @property
    def complaints(self) -> list[str]:
        return [fault.fault for fault in self.faults]


def parse(
    reply: Reply,
    n: int,
    tags: tuple[str, str],
    check: Callable[[str], str],
    *,
    by_person: bool = False,
    current: str | None = None,
) -> Parsed:
    """Read `n` suggestions from a reply. What is complete in a reply that was cut off counts.

    Args:
        reply: What the model answered.
        n: How many were asked for.
        tags: The opening and the closing tag of a value.
        check: Canonicalises a value or raises `InvalidValue`.
        by_person: A reply without any of the tags then holds a value a line, and fewer than `n` will do.
        current: The value that is rewritten: to propose it again, several times even, is to leave it as it is.
    """
    if by_person and not _tagged(reply.text, tags):
        lines = [line.strip() for line in well_formed(reply.text).splitlines() if line.strip()][:n]
        blocks = [_block(line, tags, i, len(lines)) for i, line in enumerate(lines, 1)]
        return parse(replace(reply, text="\n".join(blocks)), len(lines), tags, check, current=current)
    suggestions: list[Suggestion] = []
    faults: list[Suggestion] = []
    seen: dict[str, int] = {}
    text = well_formed(reply.text)
    for i in range(1, n + 1):
        own = numbered(tags, i, n)
        value = last_block(text, *own)
        reason = (last_block(text, *reason_tags(i, n)) or "")[:_MAX_REASON_CHARS]
        fault, canonical = "", ""
        if value is None:
            fault = prompts.cut_off(own) if reply.truncated else prompts.no_block(own)
        elif not value:
            fault = prompts.empty_block(own)
        elif len(value) > MAX_VALUE_CHARS:
            fault = prompts.too_long(own, len(value), MAX_VALUE_CHARS)
        else:
            try:
                canonical = check(unfenced(value, current or ""))
            except InvalidValue as error:
                fault = prompts.refused(own, value, str(error))
            else:
                if canonical in seen and canonical != current:
                    fault = prompts.repeated(own, seen[canonical])
        if fault:
            faults.append(Suggestion((value or "")[:MAX_VALUE_CHARS], reason, fault))
        else:
            seen[canonical] = i
            suggestions.append(Suggestion(canonical, reason))
    return Parsed(suggestions, faults)


def _tagged(text: str, tags: tuple[str, str]) -> bool:
    return any(tag.rstrip(">") in text for tag in (*tags, *reason_tags(1, 1)))


def _block(line: str, tags: tuple[str, str], i: int, n: int) -> str:
    """Write a bare value as the blocks that a model would write."""
    (opening, closing), (reason, end) = numbered(tags, i, n), reason_tags(i, n)
    return f"{reason}given by a person{end}\n{opening}{line}{closing}"


def unfenced(value: str, current: str = "") -> str:
    """Take off a code fence around the whole value, where the current value has none."""
    if not value.startswith(("```", "~~~")):
        return value
    first, _, rest = value.partition("\n")
    inside, _, last = rest.rpartition("\n")
    fence = re.match(r"(`{3,}|~{3,})[\w+.-]*\s*$", first)
    whole = fence and last.strip() == fence[1] and fence[1] not in inside + current
    return (trimmed(inside) or value) if whole else value


def two_tags(name: str, given: Sequence[str]) -> tuple[str, str]:
    """Check the tags around a value: two, told apart from each other and from words.

    Raises:
        UsageError: They are something else.
    """
    two = isinstance(given, list | tuple) and len(given) == 2
    good = two and all(isinstance(tag, str) and tag and not tag.isalnum() for tag in given)
    if not good or given[0] in given[1] or given[1] in given[0]:
        raise UsageError(f'{name} are two marks, ["<NEW>", "</NEW>"] for instance, not {literal(given)}')
    return given[0], given[1]


def last_block(text: str, opening: str, closing: str) -> str | None:
    """Read the text within the last pair of tags with neither tag inside, `trimmed`; None where there is none.

    A tag that is only mentioned does not count, and neither does a block that a later, unclosed
    opening tag shows to be a draft, or that a stray closing tag shows to end earlier than it was meant to.
    """
    end = text.rfind(closing)
    start = text.rfind(opening, 0, max(end, 0))
    block = text[start + len(opening) : end]
    if start < 0 or closing in block or _stands_alone(opening, text[end + len(closing) :]):
        return None
    return trimmed(block)


def _stands_alone(tag: str, text: str) -> bool:
    """True where a line begins with the tag: an unclosed block, not a mention within a sentence."""
    return tag in text and re.search(rf"^[^\S\n]*{re.escape(tag)}", text, re.MULTILINE) is not None


def json_objects(text: str, read: Callable[[Any], Iterable[T]]) -> Iterator[T]:
    """Find the JSON objects in a reply, whatever stands around them.

    Args:
        text: The reply; of one that went astray not all is looked at.
        read: Takes from an object what is wanted of it.

    Yields:
        What `read` took, in order. What is nested too deeply, or holds a number too long to read, ends the reading.
    """
    decoder = json.JSONDecoder()
    position = seen = 0
    while seen < _MAX_JSON_CHARS and (position := text.find("{", position)) >= 0:
        try:
            found, position = decoder.raw_decode(text, position)
            wanted = list(read(found))
        except json.JSONDecodeError as error:
            seen += _JSON_TRY + error.pos - position
            position += 1
        except (RecursionError, ValueError):  # nested a thousand deep, or a number of thousands of digits: no answer
            return
        else:
            yield from wanted
