"""Texts for people: a time span in words, and what came from outside made harmless."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any


def duration(seconds: float) -> str:
    """A time span as a person says it: 42 s, 3 min 05 s, 2 h 10 min."""
    whole = int(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def visible(text: str) -> str:
    """Text from outside, made safe for a terminal: control characters become their escapes."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def shown(text: object, limit: int = 80) -> str:
    """A text from outside in a message: quoted, cut and harmless; printable ASCII as it is, the rest escaped."""
    written, end = "", ""
    for character in str(text)[: limit + 1]:
        piece = character if " " <= character <= "~" else ascii(character)[1:-1]
        if len(written) + len(piece) > limit:
            end = "..."
            break
        written += piece
    return f"'{written}{end}'"


#: Words of a fingerprint: names, figures, digests.
_WORD = re.compile(r"[^\s,;{}()\[\]=:'\"]+")
_MOST_DIFFERENCES, _LONGEST_SETTING = 3, 80


def differences(there: str, now: str, first: str = "there", second: str = "now") -> str:
    """Where two descriptions of settings differ, in short words: "target 3.0 there, 4.0 now"."""
    before, after = _WORD.findall(there), _WORD.findall(now)
    found = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            name = f"{_cut(before[i - 1])} " if i else ""
            both = [(before[i:i_end], first), (after[j:j_end], second)]
            said = [f"{_cut(' '.join(words))} {where}" for words, where in both if words]
            found.append(name + ", ".join(said) + (" only" if len(said) == 1 else ""))
    more = f" and {len(found) - _MOST_DIFFERENCES} more" if len(found) > _MOST_DIFFERENCES else ""
    return ", ".join(found[:_MOST_DIFFERENCES]) + more or "written differently"


def settings_differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], first: str, second: str) -> list[str]:
    """Where two tables of settings differ, as people write them: "target: ABL1 in A, JAK2 in B".

    Args:
        ours: JSON-able.
        theirs: JSON-able.
        first: What to call the first table.
        second: What to call the other.
    """
    found = []
    for key in dict.fromkeys((*ours, *theirs)):
        here, there = ours.get(key), theirs.get(key)
        if here == there:
            continue
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            found += [f"{key} {inner}" for inner in settings_differences(here, there, first, second)]
        else:
            found.append(f"{key}: {_setting(here)} in {first}, {_setting(there)} in {second}")
    return found


def _setting(value: Any) -> str:
    """One value of a table as people write it."""
    if isinstance(value, list | tuple) and len(value) == 2 and None in value and any(value):
        low, high = value
        return f"up to {_setting(high)}" if low is None else f"from {_setting(low)}"
    if isinstance(value, list | tuple):
        text = ", ".join(map(_setting, value))
    elif isinstance(value, Mapping):
        text = " ".join(f"{key} {_setting(each)}" for key, each in value.items())
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, float):
        text = f"{value:g}"
    else:
        text = "" if value is None else str(value)
    return _cut(visible(text), _LONGEST_SETTING) or "none"


def _cut(text: str, longest: int = 40) -> str:
    text = re.sub(r"\b[0-9a-f]{16,}\b", lambda digest: digest.group()[:8], text)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def well_formed(text: str) -> str:
    """The text with lone surrogates (half a character, as broken JSON escapes leave them) replaced by U+FFFD.

    No file, database or server takes them.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
