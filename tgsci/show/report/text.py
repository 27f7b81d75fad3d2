"""Text on the page. All of it is hostile: models and files wrote it. Every template escapes every text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

#: Of one text, characters. The record has the rest.
MOST_OF_ONE = 20_000
#: Of all long texts together, characters; what comes later is cut short.
MOST_OF_ALL = 16_000_000


def as_html(value: Any) -> Any:
    """Prepare a value for a template: text that cannot be seen, or reorders what can, is spelled out.

    Every expression of every template passes here before it is escaped.
    """
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return Markup("").join(c if _plain(c) else Markup('<span class="odd">{}</span>').format(_spelled(c)) for c in value)


def as_attribute(text: str, most: int = 300) -> Markup:
    """Escape a text for inside double quotes, cut where it is longer."""
    return escape("".join(c if _plain(c) else _spelled(c) for c in shortened(text, most)))


def shortened(text: str, most: int) -> str:
    """Cut a text to so many characters, the cut visible."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


@dataclass(frozen=True)
class LongText:
    """A text, or as much of it as there is room for.

    Args:
        text: What stands on the page.
        missing: Characters that only the record has.
        start: Where the text is long, its first words: they open the whole.
        length: Of the whole text, characters.
    """

    text: str = ""
    missing: int = 0
    start: str = ""
    length: int = 0


class LongTexts:
    """Cuts the texts of a page to what there is room for: first come, first served.

    Args:
        room: For all texts together, characters.
    """

    def __init__(self, room: int = MOST_OF_ALL) -> None:
        self.room = room

    def full(self, text: str) -> LongText:
        """Take a text up to what there is room for."""
        most = min(len(text), MOST_OF_ONE, self.room)
        self.room -= most
        return LongText(text[:most], len(text) - most, length=len(text))

    def folded(self, text: str, most: int) -> LongText:
        """Fold a text that is longer than so many characters: its start opens the whole."""
        if len(text) <= most:
            return LongText(text, length=len(text))
        whole = self.full(text)
        return LongText(whole.text, whole.missing, shortened(text, most), len(text))


def file_name(trial: int, name: str) -> str:
    """Make a name under which any system can save an artifact; it cannot name a directory or hide its end."""
    return f"trial-{trial}-{re.sub(r'[^A-Za-z0-9._-]+', '_', name)[-80:].lstrip('.')}"


def picture_address(svg: str) -> str:
    """Write an SVG element as an address for `<img src="...">`, where none of its scripts or links can act."""
    if "xmlns=" not in svg.partition(">")[0]:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return "data:image/svg+xml," + quote(svg, safe=" !$'()*+,-./:;=?@_~", errors="replace")


def _plain(character: str) -> bool:
    """Tell whether a character is printable, a line break, a tabulator, or one of the many kinds of space."""
    return character.isprintable() or character in "\n\t" or unicodedata.category(character) == "Zs"


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()
