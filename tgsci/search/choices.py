"""Choices: what a model chose from a menu, read from its reply with its reason and the loss that it expects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..basics.texts import well_formed
from ..engine import Reply
from ..replies import json_objects

_MAX_REASON_CHARS = 1_000
#: Of a reply, characters and choices that are read: one that went astray is not worth the time.
_MAX_REPLY_CHARS = 200_000
_MAX_CHOICES = 200
#: Faults that a model is told of.
_MAX_FAULTS = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """Why an option was chosen, and the loss that is expected of it; "" and None where the model did not say."""

    reason: str = ""
    expected: float | None = None


def read_choices(reply: Reply, n: int, options: int) -> tuple[dict[int, Choice], list[str]]:
    """Read up to `n` choices from a reply.

    Args:
        reply: What the model answered.
        n: How many choices were asked for.
        options: How many options there are.

    Returns:
        Each choice by the position of its option; and what is wrong with the reply.
    """
    chosen: dict[int, Choice] = {}
    faults: list[str] = []
    text = well_formed(reply.text)[:_MAX_REPLY_CHARS]
    if reply.truncated:  # its last line may be half a number
        text = text.rpartition("\n")[0]
        faults.append("the reply was cut off by the length limit; answer more briefly")
    for number, choice in islice(found_choices(text), _MAX_CHOICES):
        if len(chosen) == n:
            break
        if not 1 <= number <= options:
            faults.append(f"there is no option {number}; they are numbered 1 to {options}")
        elif number - 1 in chosen:
            faults.append(f"option {number} is chosen twice")
        else:
            chosen[number - 1] = choice
    if len(chosen) < n and not faults:
        faults.append(f"it holds {len(chosen)} lines with CHOICE and the number of an option; {n} are asked for")
    return chosen, list(dict.fromkeys(faults))[:_MAX_FAULTS] if len(chosen) < n else []


#: `CHOICE: 3`, `**Choice:** option 3`, `<CHOICE>3</CHOICE>`, `<CHOICE_2>3`; a closing tag is none. The possessive
#: repeats keep a reply of nothing but blanks from taking minutes.
_CHOICE = re.compile(
    r"(?<![\w/])choice[\s*_>\"']*(?:\d{1,2}\s*+)?[:=>][\s*_\"'\[(#]*+(?:(?:option|number|no\.)\s*+)?#?(\d{1,6})\b",
    re.IGNORECASE,
)
#: What stands before a choice; models that were taught to quote evidence go on doing so.
_REASON = re.compile(r"(?<![\w/])(?:reason|evidence)[\s*_\"']*(?:\d{1,2}\s*)?[:=>][\s*_]*", re.IGNORECASE)
_EXPECT = re.compile(
    r"(?<![\w/])expect(?:ed)?(?:[ _]loss)?[\s*_\"':=>]{1,12}([-+\u2212]?\d{1,12}(?:\.\d{1,12})?)",
    re.IGNORECASE,
)
_BARE = re.compile(r"[\d\s,;]+")
_NUMBER = re.compile(r"(?<!\d)\d{1,6}(?!\d)")


def found_choices(text: str) -> Iterator[tuple[int, Choice]]:
    """Find the number of each option chosen: in JSON, in labelled lines or tags, or as bare numbers."""
    found = list(json_objects(text, _in_object))
    if found:
        yield from found
        return
    start = 0
    for match in _CHOICE.finditer(text):
        before = text[start : match.start()]
        start = match.end()
        yield int(match[1]), _choice(before)
    if not start and _BARE.fullmatch(text):
        yield from ((int(number), Choice()) for number in _NUMBER.findall(text))


def _choice(before: str) -> Choice:
    """Read the reason and the expected loss from what stands before a choice."""
    labels, expected = list(_REASON.finditer(before)), list(_EXPECT.finditer(before))
    reason = before[labels[-1].end() :] if labels else ""
    later = _EXPECT.search(reason)
    reason = (reason[: later.start()] if later else reason).split("</", 1)[0].strip(" \n\t*_\"'`,<|")
    return Choice(_one_line(reason), _figure(expected[-1][1]) if expected else None)


def _one_line(reason: str) -> str:
    return " ".join(reason.split())[:_MAX_REASON_CHARS]


def _figure(text: str) -> float:
    return float(text.replace("\u2212", "-"))


def _in_object(found: Any) -> Iterator[tuple[int, Choice]]:
    """Find the choice in an object, or those in the lists that it holds."""
    if not isinstance(found, dict):
        return
    keyed = {str(key).lower(): value for key, value in found.items()}
    number = re.fullmatch(r"\D{0,10}(\d{1,6})", str(keyed.get("choice", "")))
    if number:
        reason = keyed.get("reason", keyed.get("evidence", ""))
        reason = reason if isinstance(reason, str) else json.dumps(reason)
        expected = re.fullmatch(
            r"[-+\u2212]?\d{1,12}(?:\.\d{1,12})?", str(keyed.get("expect", keyed.get("expected", "")))
        )
        yield int(number[1]), Choice(_one_line(reason), _figure(expected[0]) if expected else None)
    for value in keyed.values():
        for item in value if isinstance(value, list) else []:
            yield from _in_object(item)
