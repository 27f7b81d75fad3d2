"""Texts for people: a time span in words, and what came from outside made harmless."""

from __future__ import annotations


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
