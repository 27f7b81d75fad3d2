"""Tables and pictures for notebooks. Every text is escaped; a picture is an image, in which nothing can act."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .report.text import as_attribute, picture_address

#: Sorts the rows by the column that was clicked, the other way round at the second click; what is missing stays last.
_SORT = (
    "const h=this,t=h.closest('table'),b=t.tBodies[0],i=h.cellIndex,d=h.dataset.d==='1'?-1:1;h.dataset.d=d;"
    "const v=r=>{const x=r.cells[i].dataset.v??'';return x===''?Infinity:Number(x)};"
    "[...b.rows].sort((p,q)=>{const x=v(p),y=v(q);return x===y?0:x===Infinity?1:y===Infinity?-1:d*(x-y)})"
    ".forEach(r=>b.append(r))"
)


#: Style of a cell that may hold a long word, such as a SMILES string: it wraps anywhere.
LONG = "overflow-wrap:anywhere;max-width:26em"


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Args:
        text: What stands in it; `Markup` (a picture, several lines) stays as it is.
        figure: True for figures: aligned right, and never broken.
        style: More of its style: "background:#dcf3e4".
        hint: Said where a mouse rests on it.
        value: What a click on the column's head sorts by; None where it is missing.
    """

    text: str | Markup = ""
    figure: bool = False
    style: str = ""
    hint: str = ""
    value: float | None = None


def html_table(
    header: Sequence[str | Cell],
    rows: Iterable[Sequence[str | Cell]],
    *,
    caption: str = "",
    notes: Iterable[str] = (),
    sortable: bool = False,
) -> str:
    """Write a table as HTML.

    Args:
        header: Titles of the columns.
        rows: Cells; a plain text is a cell of words.
        caption: Above the table.
        notes: Below it, a paragraph each.
        sortable: True where a click on a head with figures sorts the rows by `Cell.value`.
    """
    heads = Markup("").join(_cell("th", cell, sortable) for cell in header)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(_cell("td", cell) for cell in row)) for row in rows
    )
    above = Markup("<caption>{}</caption>").format(_plain(caption)) if caption else ""
    below = Markup("").join(Markup("<p><small>{}</small></p>").format(_plain(note)) for note in notes)
    table = Markup("<table>{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}")
    return str(table.format(above, heads, body, below))


def drawing(svg: str, title: str) -> Markup:
    """Write an SVG element as an image.

    Args:
        svg: As a domain draws it.
        title: What it shows.
    """
    return Markup('<img alt="{}" src="{}">').format(_plain(title), picture_address(svg))


def image(png: bytes, title: str) -> Markup:
    """Write a PNG file as an image in a paragraph.

    Args:
        png: The file's content.
        title: What it shows.
    """
    address = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return Markup('<p><img alt="{}" src="{}"></p>').format(_plain(title), address)


def lines(texts: Iterable[str]) -> Markup:
    """Write texts below each other."""
    return Markup("<br>").join(map(_plain, texts))


def _cell(tag: str, cell: str | Cell, sortable: bool = False) -> Markup:
    cell = cell if isinstance(cell, Cell) else Cell(cell)
    layout = f"text-align:right{';white-space:nowrap' if tag == 'td' else ''}" if cell.figure else "text-align:left"
    style = f"padding:2px 8px;{layout}{';' if cell.style else ''}{cell.style}"
    more = Markup("")
    if cell.hint:
        more += Markup(' title="{}"').format(_plain(cell.hint))
    if cell.value is not None:
        more += Markup(' data-v="{:.8g}"').format(cell.value)
    if sortable and cell.figure:
        style += ";cursor:pointer;vertical-align:bottom"
        more += Markup(' onclick="{}"').format(_SORT)
    return Markup('<{0} style="{1}"{2}>{3}</{0}>').format(tag, style, more, _plain(cell.text))


def _plain(text: str) -> Markup:
    """Escape a text; what cannot be seen, or reorders what can, is spelled out."""
    return text if isinstance(text, Markup) else as_attribute(text, len(text))
