"""Tables and pictures for notebooks: hostile texts stay texts."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tgsci.show.html import Cell, drawing, html_table, image, lines

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=y>\u202e"


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def test_hostile_texts_are_text_everywhere():
    cell = Cell(HOSTILE, style=HOSTILE, hint=HOSTILE)
    page = Tags(html_table([HOSTILE], [[cell], [lines([HOSTILE, "b"])]], caption=HOSTILE, notes=[HOSTILE]))
    assert {tag for tag, _ in page.found} == {
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "p",
        "small",
        "br",
    }
    assert all(set(attributes) <= {"style", "title"} for _, attributes in page.found)
    assert page.texts.count(HOSTILE.replace("\u202e", "\\u202e")) == 5


def test_pictures_are_images():
    page = Tags(drawing("<svg><script>alert(1)</script></svg>", HOSTILE) + image(b"\x89PNG", "b"))
    (drawn, shown) = [attributes for tag, attributes in page.found if tag == "img"]
    assert drawn["src"].startswith("data:image/svg+xml,%3Csvg xmlns=")
    assert drawn["alt"].startswith("\"'><script>")
    assert shown["src"] == "data:image/png;base64,iVBORw=="
    assert [tag for tag, _ in page.found] == ["img", "p", "img"]


def test_figures_are_aligned_and_sorted_by_their_value():
    rows = [["a", Cell("1.0", figure=True, value=1.04)], ["b", Cell("", figure=True)]]
    page = Tags(html_table(["name", Cell("loss", figure=True)], rows, sortable=True))
    heads = [attributes for tag, attributes in page.found if tag == "th"]
    assert "onclick" not in heads[0]
    assert "sort" in heads[1]["onclick"]
    cells = [attributes for tag, attributes in page.found if tag == "td"]
    assert "text-align:left" in cells[0]["style"]
    assert "text-align:right" in cells[1]["style"]
    assert [attributes.get("data-v") for attributes in cells] == [None, "1.04", None, None]


@pytest.mark.parametrize("rows", [[], [[]]])
def test_an_empty_table_is_a_table(rows):
    assert html_table([], rows).startswith("<table><thead>")
