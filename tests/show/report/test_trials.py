"""What the page says of each trial: cards, rows, pictures and files, and their bounds."""

from __future__ import annotations

import base64
import re
import time

import pytest

import tgsci as tg
from tests.show.report.runs import HOSTILE, SCRIPT, Page, Round, problem
from tgsci.show import report


def test_every_trial_has_a_row_with_its_report(plain):
    html = report.html(plain)
    page = Page(html)
    assert [a["id"] for a in page.all("tbody")] == [f"trial-{t.number}" for t in plain.trials]
    assert {a["data-state"] for a in page.all("tbody")} == {"accepted", "rejected", "failed", "duplicate", "invalid"}
    for trial in plain.trials:
        assert trial.decision in page.text
        if trial.measured:
            assert trial.feedback.text in page.text
    assert html.count("<caption>") == 1
    assert all(a.get("scope") == "col" for a in page.all("th")[: len(plain.columns) + 6])


def test_the_best_come_first_with_their_line_of_descent(plain):
    html = report.html(plain)
    cards = re.findall(r'<article class="card" id="best-(\d+)"', html)
    assert cards == [str(t.number) for t in plain.trials.ranked()]
    first = Page(html.split('<article class="card"')[1])
    assert "Line of descent: 2 steps from the start" in first.text
    assert len(first.all("img")) == 1 + 3
    assert "why c" in first.text
    last = Page(html.split('<article class="card"')[-1].split("</article>")[0]).text
    assert "outside a hard limit" in last
    assert f"Limits broken: {HOSTILE[0]} by 10" in last


def test_what_a_domain_cannot_draw_costs_only_the_picture():
    def draw(value):
        raise RuntimeError(f"no ink {SCRIPT}")

    html = report.html(tg.solve(problem(draw=draw), engine="rules", budget=3, workers=0))
    assert "no picture: RuntimeError: no ink" in html
    assert len(Page(html).all("script")) == 1


def test_small_artifacts_can_be_saved_and_big_ones_are_named(plain):
    html = report.html(plain)
    saved = [a for a in Page(html).all("a") if "download" in a]
    best = plain.best
    (pose,) = [a for a in saved if a["download"] == f"trial-{best.number}-pose.sdf"]
    assert base64.b64decode(pose["href"].split(",")[1]).decode() == f"pose of {best.value}"
    assert not [a for a in saved if "big" in a["download"]]
    assert "big.bin" in html
    for link in saved:
        assert link["href"].startswith("data:application/octet-stream;base64,")
        assert re.fullmatch(r"trial-\d+-[A-Za-z0-9_-][A-Za-z0-9._-]*", link["download"])


@pytest.mark.slow
def test_a_run_of_thousands_stays_a_page_that_opens():
    picture = "<svg xmlns='http://www.w3.org/2000/svg'>" + "<path d='M0,0'/>" * 800 + "</svg>"
    numbers = range(1, 3000)  # four a round, each from the last of the round before
    rules = Round(*(tg.Proposal("v" * (20 + i % 50) + str(i), "reason " * 20, (i - 1) // 4 * 4) for i in numbers))
    result = tg.solve(problem(rules=rules, draw=lambda value: picture), engine="rules", budget=3000, workers=0)
    started = time.process_time()
    html = report.html(result)
    assert time.process_time() - started < 20
    assert len(html) < 12_000_000
    page = Page(html)
    assert len(page.all("tbody")) == 3000
    assert 10 < len(page.all("img")) <= 10 * 13
    assert len([a for a in page.all("a") if "download" in a]) == 2 * 100


CODE = "def f(x):\n    return x + 1\n"


def coded(*proposals, start=CODE):
    run = problem(start=[start], rules=Round(*proposals))
    return tg.solve(run, engine="rules", budget=len(proposals) + 1, workers=0, proposals=1)


def test_a_value_of_several_lines_is_compared_with_its_parent():
    better = CODE.replace("x + 1", "x")
    html = report.html(coded(tg.Proposal(better, "no one", 0), tg.Proposal(better + "# more\n", "say it", 1)))
    assert '<span class="removed">-    return x + 1\n</span><span class="added">+    return x\n</span>' in html
    assert html.count('<pre class="diff">') == 2
    page = Page(html)
    assert page.text.count("What changed from trial 0") == 1
    assert page.text.count("What changed from trial 1") == 1
    assert not page.crossed


def test_a_text_of_sentences_on_one_line_is_compared_sentence_by_sentence():
    html = report.html(coded(tg.Proposal("Count. Then check. Say the number.", "b", 0, "b"), start="Count. Say it."))
    assert '<span class="removed">-Say it.\n</span>' in html
    assert '<span class="added">+Then check.\n</span>' in html


def test_what_changed_is_text_and_bounded(plain):
    assert 'class="diff"' not in report.html(plain), "values of one line are not compared"
    lines = "\n".join(f"{n} {HOSTILE[n % len(HOSTILE)]}" * 30 for n in range(900))
    html = report.html(coded(tg.Proposal(lines, "all of it", 0, "write")))
    assert len(Page(html).all("script")) == 1
    assert "more lines)" in html
    assert 30 < html.count('<span class="added">') < 200
