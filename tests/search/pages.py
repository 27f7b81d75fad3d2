"""Pages read back: for tests of what stands on them."""

from __future__ import annotations

import re

from tgsci.search.page import Page

ROOM = 6_000


def write(trials, room=ROOM):
    return Page(trials, "scripted").write(room)


def part(page, title):
    """One part of a page by the beginning of its title; "" where it is not there."""
    found = re.search(rf"^(-+) ({re.escape(title)}[^\n]*) \1\n(.*?)\n\1 end \1$", page, re.MULTILINE | re.DOTALL)
    return found[3] if found else ""


def rows(page):
    """The cells of every row of the tables, by the number of the trial."""
    found = {}
    for title in ("THE LAST", "EARLIER", "MEASURED, best first", "MORE IN BRIEF"):
        head, *lines = part(page, title).split("\n")
        for line in lines:
            cells = line.split(" | ")
            found[int(cells[0])] = dict(zip(head.split(" | "), cells, strict=True))
    return found


def without_row(page):
    """How many trials the page counts as not in the tables."""
    return sum(map(int, re.findall(r"(\d+) not in the tables", page)))
