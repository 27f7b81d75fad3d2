"""Structure names. They come from files and models: bounded, cleaned; never a path, markup or an order to a model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources

from tgsci.basics.texts import did_you_mean, one_line
from tgsci.errors import UsageError

#: Longest name that is kept, characters. TG-263 allows 16; vendors' systems up to 64.
LONGEST = 32
_SYLLABLE = re.compile(r"(?:HANGUL SYLLABLE|(?:HIRAGANA|KATAKANA) LETTER(?: SMALL)?) ([A-Z]+)$")
_REFUSED = re.compile(r"[^A-Za-z0-9_+\-.^~ ]+")


def clean(name: object) -> str:
    """Reduce a structure's name to the characters of TG-263 names, at most `LONGEST` of them; "" where none is left.

    Letters lose their accents; Cyrillic, Greek, kana and Hangul are written in Latin letters. Everything else that is
    not a letter, digit, space or one of `_ + - . ^ ~` becomes `_`: Chinese characters have no spelling of their own.
    """
    text = str(name)[: 8 * LONGEST]
    if not text.isascii():
        text = "".join(map(_latin, unicodedata.normalize("NFKC", text)))
        text = unicodedata.normalize("NFKD", text)
        text = "".join(_latin(c) for c in text if not unicodedata.combining(c))
    text = re.sub(r"\s+", " ", _REFUSED.sub("_", re.sub(r"\s+", " ", text)))
    return text.strip(" ._")[:LONGEST].strip(" ._")


@cache
def _letters() -> dict[str, str]:
    """Read how letters of other scripts are written in Latin ones."""
    text = (resources.files(__package__) / "letters.txt").read_text("utf-8")
    pairs = [pair for line in text.splitlines() if not line.startswith("#") for pair in line.split()]
    return {pair[0]: pair[2:] for pair in pairs}


def _latin(char: str) -> str:
    """Write a letter of another script in Latin ones; itself where it has no spelling."""
    small = _letters().get(char.lower())
    if small is None:
        syllable = _SYLLABLE.match(unicodedata.name(char, ""))
        return syllable[1].lower() if syllable else char
    return small.capitalize() if char != char.lower() else small


def as_written(name: object) -> str:
    """Quote a name as its source has it, in its own script, for a person: on one line and bounded."""
    text = one_line(str(name)[: 8 * LONGEST])
    return f"'{text[: 2 * LONGEST]}{'...' if len(text) > 2 * LONGEST else ''}'"


def folded(name: str) -> str:
    """Reduce a name to what its spellings have in common: `PTV 70`, `ptv_70` and `PTV-70` are the same."""
    return re.sub(r"[ _\-.]+", "", name).casefold()


def find(name: str, known: Iterable[str]) -> str:
    """Find the known name that is meant; case, spaces and `_ - .` do not count.

    Raises:
        UsageError: No known name is meant, or more than one; says which are near.
    """
    names = list(known)
    if name in names:
        return name
    same = [other for other in names if folded(other) == folded(name)]
    if not same and not name.isascii():
        same = [other for other in names if folded(other) == folded(clean(name))]
    if len(same) == 1:
        return same[0]
    hint = f"did you mean {' or '.join(same)}?" if same else did_you_mean(name, names, most=3)
    if not same and any(folded(part) in map(folded, names) for part in re.split("[+-]", name)[:1]):
        hint = "a + or - between structures, or before a margin, has spaces on both sides: A - B, A + 5 mm"
    raise UsageError(f"no structure {clean(name)!r} in this case; {hint}")
