"""What the page says of the whole run."""

from __future__ import annotations

import tgsci as tg
from tests.show.report.runs import Page, problem
from tgsci.engines.scripted import Scripted
from tgsci.show import report


def test_the_head_says_what_was_run_and_that_nothing_left(plain):
    text = Page(report.html(plain)).text
    for words in (
        "Toy",
        "Be short.",
        "a start value, rather long",
        "Stopped: the budget of 6 evaluations is used up",
        "Nothing: no model was asked",
        "6 evaluations",
        "no model calls",
        f"tgsci {tg.__version__}",
        "Not for clinical use; nothing here is advice for patients",
    ):
        assert words in text


def test_model_calls_are_counted_and_what_they_cost_is_not_made_up():
    reply = "<IMPROVED_VARIABLE>b</IMPROVED_VARIABLE>"
    engine = Scripted([tg.Reply(reply, 1200, 34, None, model="some-model <b>")])
    html = report.html(tg.solve(problem(), engine=engine, optimizer="tgd", budget=2, proposals=1, workers=0))
    text = Page(html).text
    assert "1 model calls (1,200 tokens sent, 34 received; price unknown)" in text
    assert "1 prompts, with values and reports in them, went to some-model <b> (1)." in text
    assert "Nothing" not in text
    priced = Scripted([tg.Reply(reply, None, None, 0.25)])
    text = Page(report.html(tg.solve(problem(), engine=priced, optimizer="tgd", budget=2, proposals=1, workers=0))).text
    assert "1 model calls (tokens unknown; 0.2500 USD)" in text
