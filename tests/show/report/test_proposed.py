"""Who proposed what, and the ideas that nobody measured, on the page: escaped and bounded."""

from __future__ import annotations

from dataclasses import replace

import tgsci as tg
from tests.show.report.runs import HOSTILE, Page, Sizes, problem
from tgsci.search.team import Team
from tgsci.show import report
from tgsci.show.report.proposed import MOST_IDEAS


class Ahead(tg.Proposer):
    """Has many ideas at a time, each with everything that somebody may say of it."""

    ahead = True

    def __init__(self, name, ideas, **more):
        super().__init__()
        self.name, self.ideas, self.more = name, ideas, more

    def ask(self, trials, n, rng):
        ideas = self.ideas[len(trials) - 1 :]
        return [tg.Proposal(value, f"because {HOSTILE[0]}", 0, f"edit {HOSTILE[1]}", **self.more) for value in ideas][
            :n
        ]


def ran(*ideas, budget=3, careful=None, **options):
    members = [Ahead(HOSTILE[2], list(ideas), expected=1.5, role="new"), Ahead("other", ["x" * 9], expected=2.0)]
    parts = {**problem().__dict__, "careful": careful}
    return tg.solve(tg.Problem(**parts), optimizer=Team(members), budget=budget, proposals=2, workers=0, **options)


def test_ideas_that_were_not_measured_are_listed_with_their_rank_and_why():
    result = ran("aaaa", "bbbbb", HOSTILE[0], HOSTILE[4])
    waiting = [idea.proposal.value for idea in result.ideas]
    assert waiting
    html = report.html(result)
    page = Page(html)
    assert not page.crossed
    section = html.split(">Ideas not measured<")[1].split("</section>")[0]
    text = Page(section).text
    for value in waiting:
        assert value in text
    assert "newer ideas came first" in text
    assert "to begin a new family" in text
    assert not page.all("script")[1:], "what an idea says is text"
    assert f"ideas not measured: {len(waiting)}, listed in the report" in result.summary()


def test_ideas_are_bounded():
    result = ran(*(f"idea {i:03d}" for i in range(MOST_IDEAS + 40)), ideas=MOST_IDEAS + 40)
    html = report.html(result)
    section = html.split(">Ideas not measured<")[1].split("</section>")[0]
    assert section.count("<tr") == 1 + MOST_IDEAS
    assert f"{len(result.ideas)} ideas were had and not measured; the first {MOST_IDEAS} by rank" in section


def test_who_proposed_what_is_told_where_several_did():
    result = ran("aaaa", "bbbbb", budget=5)
    page = Page(report.html(result))
    section = report.html(result).split(">Who proposed<")[1].split("</section>")[0]
    assert "other" in Page(section).text
    assert HOSTILE[2] in Page(section).text
    assert "proposed by" in [title.strip() for title in Page(report.html(result).split("<thead>")[-1]).texts]
    assert "Loss: expected 1.500, got " in page.text
    alone = report.html(tg.solve(problem(), budget=2, workers=0))
    assert ">Who proposed<" not in alone
    assert ">Ideas not measured<" not in alone


class Doubly(Sizes):
    """Measures with care: everything is a little longer than it seemed."""

    def evaluate(self, value):
        return replace(super().evaluate(value), loss=len(value) / 7 + 0.5, text=f"with care {HOSTILE[0]}")


def test_a_confirmed_leader_shows_both_figures_and_what_care_cost():
    result = ran("aaaa", "bbbbb", careful=tg.Careful(Doubly(), share=1.0), budget=5)
    assert result.spent.confirmations
    html = report.html(result)
    page = Page(html)
    assert "first loss" in page.text
    assert "Confirmed: first measured 0.5714; with care 1.071, which counts" in page.text
    assert f"{result.spent.confirmations} leaders measured with care" in page.text
    assert f"{result.spent.confirmations} leaders measured with care" in result.summary()
    assert len(page.all("script")) == 1


def test_what_a_change_did_stands_with_the_trial():
    parts = {**problem().__dict__, "contrast": lambda parent, child: f"shorter {HOSTILE[1]}"}
    result = tg.solve(tg.Problem(**parts), budget=2, workers=0)
    page = Page(report.html(result))
    assert f"Against its parent: shorter {HOSTILE[1]}" in page.text
    assert not page.crossed
