"""Sections that a domain adds to a report: a text, a table, a picture. What they hold never becomes HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from .text import LongText, LongTexts, as_attribute, picture_address, shortened

if TYPE_CHECKING:
    from ...runs.result import Result

#: Sections of a page, rows and columns of a table, characters of a cell and of a picture, at most.
_SECTIONS, _ROWS, _COLUMNS, _CELL, _PICTURE = 20, 1000, 30, 500, 2_000_000


@dataclass(frozen=True)
class Section:
    """A section of a report: whatever it has of a text, a picture and a table, in this order.

        Section("Visible against hidden", header=["trial", "visible", "hidden"], rows=[["4", "8 of 8", "19 of 20"]])

    Args:
        title: Of the section.
        text: Plain; its line breaks are kept.
        header: Titles of the table's columns, with their units.
        rows: Of the table: texts, or figures that are shown as they are given.
        picture: An SVG element; shown as an image, in which no script can act.
        alternative: What the picture shows, for those who cannot see it.
        marked: Rows that stand out, by their index: the best, the chosen one.
    """

    title: str
    text: str = ""
    header: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    picture: str = ""
    alternative: str = ""
    marked: Sequence[int] = ()


@dataclass(frozen=True)
class PageSection:
    """A section as the page shows it: cut to what there is room for.

    Args:
        name: Of its element on the page.
        title: Of the section.
        text: As much of it as there is room for.
        header: Titles of columns.
        rows: Cells of each row; whether one is a figure, and whether the row stands out.
        left_out: Rows that there was no room for.
        address: Of the picture, escaped for an attribute.
        alternative: What the picture shows.
        error: Why the section could not be made.
    """

    name: str
    title: str
    text: LongText = field(default_factory=LongText)
    header: Sequence[tuple[str, bool]] = ()
    rows: Sequence[tuple[Sequence[tuple[str, bool]], bool]] = ()
    left_out: int = 0
    address: str = ""
    alternative: str = ""
    error: str = ""


def sections_of(result: Result, texts: LongTexts) -> list[PageSection]:
    """List the sections that the problem's domain adds; where making them fails, one that says why.

    Args:
        result: The result of a run; without its `problem` it has none.
        texts: Cuts what is long.
    """
    make = result.problem.sections if result.problem else None
    if make is None:
        return []
    try:
        return shown(make(result), texts, "domain")
    except Exception as error:  # whatever it is, a section is not worth the page; and it is said
        return [PageSection("domain-1", "More", error=shortened(f"{type(error).__name__}: {error}", 300))]


def shown(sections: Sequence[Section], texts: LongTexts, kind: str) -> list[PageSection]:
    """Cut sections to what there is room for.

    Args:
        sections: As somebody made them.
        texts: Cuts what is long.
        kind: How the names of their elements on the page begin.
    """
    return list(_shown(sections, texts, kind))


def _shown(sections: Sequence[Section], texts: LongTexts, kind: str) -> Iterator[PageSection]:
    for number, section in enumerate(list(sections)[:_SECTIONS], 1):
        header = [shortened(str(title), _CELL) for title in section.header[:_COLUMNS]]
        rows = [list(row)[:_COLUMNS] for row in section.rows[:_ROWS]]
        figures = [_figures(rows, column) for column in range(_COLUMNS)]
        address: str = Markup("")
        if section.picture and len(section.picture) <= _PICTURE:
            address = picture_address(section.picture)
            address = as_attribute(address, len(address))
        yield PageSection(
            f"{kind}-{number}",
            shortened(section.title, 100),
            texts.full(section.text),
            list(zip(header, figures, strict=False)),
            [
                ([(_cell(cell), figures[column]) for column, cell in enumerate(row)], index in section.marked)
                for index, row in enumerate(rows)
            ],
            max(0, len(section.rows) - _ROWS),
            address,
            shortened(section.alternative or section.title, _CELL),
        )


def _cell(cell: object) -> str:
    return shortened("" if cell is None else str(cell), _CELL)


def _figures(rows: Sequence[Sequence[object]], column: int) -> bool:
    """Tell whether a column holds figures: they stand at the right of it."""
    cells = [_cell(row[column]) for row in rows if column < len(row)]
    return any(cells) and all(_is_figure(cell) for cell in cells if cell)


def _is_figure(cell: str) -> bool:
    try:
        float(cell.rstrip("%").replace(",", ""))
    except ValueError:
        return False
    return True
