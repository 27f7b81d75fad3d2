"""Sections that a domain adds: shown as they are, bounded, and harmless whatever they hold."""

from __future__ import annotations

import pytest

import tgsci as tg
from tests.show.report.runs import HOSTILE, SCRIPT, Page, problem
from tgsci.show import report
from tgsci.show.report import Section


def page(*sections, make=None):
    run = problem(sections=make or (lambda result: list(sections)))
    return report.html(tg.solve(run, engine="rules", budget=2, workers=0))


def test_a_section_has_a_text_a_picture_and_a_table():
    svg = "<svg><circle r='3'/></svg>"
    html = page(Section("Tests", "two\nlines", ["trial", "passed"], [["start", "3"], ["best", "8"]], svg, "a circle"))
    found = Page(html)
    assert "Tests" in found.text
    assert "two\nlines" in found.text
    (picture,) = found.all("img", alt="a circle")
    assert picture["src"].startswith("data:image/svg+xml,")
    assert html.count('<th scope="col" class="n">passed</th>') == 1
    assert '<td>best</td><td class="n">8</td>' in html
    assert not found.crossed


def test_rows_may_stand_out():
    html = page(Section("Arms", rows=[["a", 1], ["b", 2]], marked=[1]))
    assert '<tr class="marked"><td>b</td>' in html
    assert html.count('class="marked"') == 1


def test_what_a_section_holds_is_text():
    rows = [[text, text] for text in HOSTILE]
    html = page(*(Section(text, text, HOSTILE[:2], rows, f"<svg>{SCRIPT}</svg>", text) for text in HOSTILE))
    found = Page(html)
    assert len(found.all("script")) == 1
    assert not [a for _, a in found.elements if any(name.startswith("on") for name in a)]
    assert not found.crossed


@pytest.mark.slow
def test_a_section_is_bounded():
    html = page(
        *(
            Section("many", "x" * 100_000, ["a"] * 50, [["y" * 10_000] * 50] * 5000, "<svg>" + " " * 3_000_000)
            for _ in "abc"
        )
    )
    assert "and 4,000 more rows" in html
    assert "80,000 more characters are in the record" in html
    assert html.count("<img") == 0
    many = page(*(Section(f"number {n}") for n in range(100)))
    assert "number 19" in many
    assert "number 20" not in many


def test_a_section_that_cannot_be_made_costs_only_itself():
    def make(result):
        raise RuntimeError(f"no data {SCRIPT}")

    html = page(make=make)
    assert "This section could not be made" in html
    assert "RuntimeError: no data" in html
    assert len(Page(html).all("script")) == 1


def test_a_section_sees_the_run():
    html = page(
        make=lambda result: [Section("Spent", f"{result.spent.evaluations} evaluations of {len(result.trials)}")]
    )
    assert "2 evaluations of" in Page(html).text
