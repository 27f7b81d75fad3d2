"""Choices: what a model chose from a menu, read from its reply with the evidence that it quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..basics.texts import well_formed
from ..engine import Reply

_MAX_EVIDENCE_CHARS = 1_000
#: Of a reply, characters and choices that are read: one that went astray is not worth the time.
_MAX_REPLY_CHARS = 200_000
_MAX_PAIRS = 200
#: Faults that a model is told of.
_MAX_FAULTS = 6


def read_choices(
    reply: Reply, n: int, options: int, source: str, *, strict: bool
) -> tuple[dict[int, tuple[str, str]], list[str]]:
    """Read up to `n` choices from a reply.

    Args:
        reply: What the model answered.
        n: How many choices were asked for.
        options: How many options there are.
        source: What was shown to the model: evidence quotes it.
        strict: Take no choice whose evidence quotes nothing that was shown.

    Returns:
        Position of each option chosen, with its evidence and a note; and what is wrong with the reply.
    """
    chosen: dict[int, tuple[str, str]] = {}
    faults: list[str] = []
    figures, words = _figures(source), _words(source)
    text = well_formed(reply.text)[:_MAX_REPLY_CHARS]
    if reply.truncated:  # its last line may be half a number
        text = text.rpartition("\n")[0]
        faults.append("the reply was cut off by the length limit; answer more briefly")
    for evidence, number in islice(pairs(text), _MAX_PAIRS):
        evidence = " ".join(evidence.split())[:_MAX_EVIDENCE_CHARS]
        if len(chosen) == n:
            break
        if not 1 <= number <= options:
            faults.append(f"there is no option {number}; they are numbered 1 to {options}")
        elif number - 1 in chosen:
            faults.append(f"option {number} is chosen twice")
        elif _quotes(evidence, figures, words):
            chosen[number - 1] = (evidence, "")
        elif strict:
            faults.append(
                f"the choice of option {number} quotes no evidence before it: copy a figure or a phrase from the "
                "report or from the option"
            )
        else:
            chosen[number - 1] = (evidence, "its evidence is not in the report" if evidence else "without evidence")
    if len(chosen) < n and not faults:
        faults.append(f"it holds {len(chosen)} complete pairs of EVIDENCE and CHOICE; {n} are asked for")
    return chosen, list(dict.fromkeys(faults))[:_MAX_FAULTS] if len(chosen) < n else []


#: `CHOICE: 3`, `**Choice:** option 3`, `<CHOICE>3</CHOICE>`, `<CHOICE_2>3`; a closing tag is none. The possessive
#: repeats keep a reply of nothing but blanks from taking minutes.
_CHOICE = re.compile(
    r"(?<![\w/])choice[\s*_>\"']*(?:\d{1,2}\s*+)?[:=>][\s*_\"'\[(#]*+(?:(?:option|number|no\.)\s*+)?#?(\d{1,6})\b",
    re.IGNORECASE,
)
_EVIDENCE = re.compile(r"(?<![\w/])evidence[\s*_\"']*(?:\d{1,2}\s*)?[:=>][\s*_]*", re.IGNORECASE)
_BARE = re.compile(r"[\d\s,;]+")
#: Characters that are read to find JSON, and what an opening brace that begins none counts as: braces within braces
#: would be read again and again.
_MAX_JSON_CHARS, _JSON_TRY = 2_000_000, 500
_NUMBER = re.compile(r"(?<!\d)\d{1,6}(?!\d)")


def pairs(text: str) -> Iterator[tuple[str, int]]:
    """Find (evidence, number) of each choice: in JSON, in labelled lines or tags, or as bare numbers."""
    found = list(_json_pairs(text))
    if found:
        yield from found
        return
    start = 0
    for match in _CHOICE.finditer(text):
        before = text[start : match.start()]
        start = match.end()
        labels = list(_EVIDENCE.finditer(before))
        yield (_stripped(before[labels[-1].end() :]) if labels else ""), int(match[1])
    if not start and _BARE.fullmatch(text):
        yield from (("", int(number)) for number in _NUMBER.findall(text))


def _stripped(evidence: str) -> str:
    return evidence.split("</", 1)[0].strip(" \n\t*_\"'`,<")


def _json_pairs(text: str) -> Iterator[tuple[str, int]]:
    decoder = json.JSONDecoder()
    position = read = 0
    while read < _MAX_JSON_CHARS and (position := text.find("{", position)) >= 0:
        try:
            found, position = decoder.raw_decode(text, position)
            pairs = list(_in_object(found))
        except json.JSONDecodeError as error:
            read += _JSON_TRY + error.pos - position
            position += 1
        except (RecursionError, ValueError):  # nested a thousand deep, or a number of thousands of digits: no answer
            return
        else:
            yield from pairs


def _in_object(found: Any) -> Iterator[tuple[str, int]]:
    """Find the choice in an object, or those in the lists that it holds."""
    if not isinstance(found, dict):
        return
    keyed = {str(key).lower(): value for key, value in found.items()}
    number = re.fullmatch(r"\D{0,10}(\d{1,6})", str(keyed.get("choice", "")))
    if number:
        evidence = keyed.get("evidence", "")
        yield evidence if isinstance(evidence, str) else json.dumps(evidence), int(number[1])
    for value in keyed.values():
        for item in value if isinstance(value, list) else []:
            yield from _in_object(item)


_FIGURE = re.compile(r"(?<![\w.])[-+\u2212]?\d+(?:\.\d+)?(?![\w.]*\d)")
_WORD = re.compile(r"[^\W_]+(?:[.-][^\W_]+)*")
_PHRASE_WORDS = 3


def _quotes(evidence: str, figures: set[str], words: str) -> bool:
    """Tell whether the evidence quotes one of the figures that were shown, or three of the words in a row."""
    if not evidence:
        return False
    if _figures(evidence) & figures:
        return True
    said = _words(evidence).split()
    runs = (said[i : i + _PHRASE_WORDS] for i in range(len(said) - _PHRASE_WORDS + 1))
    return any(f" {' '.join(run)} " in words for run in runs)


def _words(text: str) -> str:
    """Collect the words of a text in lower case, each between blanks."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


def _figures(text: str) -> set[str]:
    """Collect the figures in a text, without signs; a single digit does not count, since any text has some."""
    figures = {figure.lstrip("+-\u2212") for figure in _FIGURE.findall(text)}
    return {figure for figure in figures if len(figure) > 1}
