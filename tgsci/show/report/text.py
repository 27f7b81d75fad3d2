"""Text for the page. All of it is hostile: models and files wrote it. Nothing else may put text into the page."""

from __future__ import annotations

import re
import unicodedata
from html import escape
from urllib.parse import quote

#: Of one text, characters. The record has the rest.
MOST_OF_ONE = 20_000
#: Of all long texts together, characters; what comes later is cut short.
MOST_OF_ALL = 16_000_000


def shown(text: str) -> str:
    """The text as HTML, on one or more lines; what cannot be seen, or reorders what can, is spelled out."""
    if text.isprintable():
        return escape(text, quote=False)
    return "".join(_shown(c) for c in text)


def attribute(text: str, most: int = 300) -> str:
    """The text for inside double quotes, cut where it is longer."""
    return escape("".join(c if _plain(c) else _spelled(c) for c in shortened(text, most)))


def shortened(text: str, most: int) -> str:
    """At most so many characters, the cut visible."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


class LongTexts:
    """Long texts in full behind a click, as long as there is room on the page."""

    def __init__(self, room: int = MOST_OF_ALL) -> None:
        self.room = room

    def full(self, text: str) -> str:
        """The text as HTML, up to what there is room for; says what is missing."""
        most = min(len(text), MOST_OF_ONE, self.room)
        self.room -= most
        missing = len(text) - most
        note = f'\n<span class="note">({missing:,} more characters are in the record)</span>' if missing else ""
        return shown(text[:most]) + note

    def folded(self, text: str, most: int) -> str:
        """The text as HTML; where it is longer than so many characters, its start, which opens the whole."""
        if len(text) <= most:
            return shown(text)
        return (
            f'<details class="long"><summary>{shown(shortened(text, most))} '
            f'<span class="note">({len(text):,} characters)</span></summary>'
            f"<pre>{self.full(text)}</pre></details>"
        )


def file_name(trial: int, name: str) -> str:
    """A name under which any system can save an artifact; it cannot name a directory or hide its end."""
    return f"trial-{trial}-{re.sub(r'[^A-Za-z0-9._-]+', '_', name)[-80:].lstrip('.')}"


def picture_address(svg: str) -> str:
    """An SVG element as an address for `<img src="...">`, where none of its scripts or links can act."""
    if "xmlns=" not in svg.partition(">")[0]:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return "data:image/svg+xml," + quote(svg, safe=" !$'()*+,-./:;=?@_~", errors="replace")


def _shown(character: str) -> str:
    if _plain(character):
        return escape(character, quote=False)
    return f'<span class="odd">{escape(_spelled(character))}</span>'


def _plain(character: str) -> bool:
    """Printable, a line break, a tabulator, or one of the many kinds of space."""
    return character.isprintable() or character in "\n\t" or unicodedata.category(character) == "Zs"


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()
