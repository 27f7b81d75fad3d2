"""Texts for people: a time span in words, and what came from outside made harmless."""

from __future__ import annotations

import re
from difflib import SequenceMatcher


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


#: Words of a fingerprint: names, figures, digests.
_WORD = re.compile(r"[^\s,;{}()\[\]=:'\"]+")
_MOST_DIFFERENCES, _LONGEST = 3, 40


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


def _cut(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{16,}\b", lambda digest: digest.group()[:8], text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
