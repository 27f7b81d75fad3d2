"""A dry run tells what would be asked and what it would cost, and asks nobody."""

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.prompts import tokens
from tgsci.runs.choose import choose
from tgsci.runs.domain import Problem
from tgsci.runs.dry_run import Planned, dry_run, plan
from tgsci.runs.run import options_for


class Priced(Scripted):
    def price(self, tokens_in, tokens_out):
        return (tokens_in + 2 * tokens_out) * 1e-6


class Length(tg.Loss):
    name = "length"
    units = {}

    def evaluate(self, value):
        return tg.Feedback(float(len(value)), f"it has {len(value)} characters")


class Shorter(tg.Proposer):
    name = "shorter"

    def ask(self, trials, n, rng):
        return [tg.Proposal(trials.best.value[:-1], "one less", trials.best.number)]


def planned(engine, loss=None, rules=None, optimizer=None, **options):
    parts = {"start": ["a text"], "task": "Make it short.", "domain": "", "config": {}}
    problem = Problem(loss=loss or Length(), rules=rules, **parts)
    known = options_for(problem, options)
    return plan(problem, choose(problem, engine, optimizer).proposer, known)


def test_calls_tokens_and_price_are_added_up():
    cheap, free = Priced([], name="cheap"), Scripted([], name="local")
    shown = dry_run(
        [
            Planned("drafts", cheap, 1000, "x" * 400, "s" * 40, tokens_out=100),
            Planned("criticisms", free, 20, "what is wrong?"),
        ]
    )
    sent = tokens("x" * 400) + tokens("s" * 40)
    assert f"--- drafts: the first prompt to cheap, about {sent} tokens ---\n[system prompt]\nssss" in shown
    assert f"1,000  drafts (cheap): about {1000 * sent:,} tokens in, 100,000 out, price 0." in shown
    assert "20  criticisms (local): about " in shown
    assert " 10,000 out, price unknown" in shown
    assert " USD and what has an unknown price" in shown
    assert not cheap.calls
    assert not free.calls


def test_where_no_price_is_known_it_is_unknown_and_never_nothing():
    assert "in all 3 calls, price unknown" in dry_run([Planned("calls", Scripted([]), 3, "a")])


def test_a_prompt_is_shown_once_and_a_long_one_is_cut():
    engine = Scripted([])
    shown = dry_run([Planned("drafts", engine, 1, "y" * 49000), Planned("samples", engine, 6, "y" * 49000)])
    assert shown.count("the first prompt to") == 1
    assert "[... 9,000 more characters]" in shown


@pytest.mark.parametrize(
    ("optimizer", "rules"), [("desk", None), ("tgd", None), ("team", Shorter()), (None, Shorter())]
)
def test_the_first_prompt_of_a_search_holds_the_starts_page_and_nothing_is_asked(optimizer, rules):
    engine = Priced([])
    (proposals,) = planned(engine, rules=rules, optimizer=optimizer, budget=26, proposals=4)
    assert "it has 6 characters" in proposals.prompt
    assert "Make it short." in proposals.prompt
    assert proposals.system
    assert proposals.calls == 7  # 25 values beside the start, four a round
    assert proposals.usd > 0
    assert engine.calls == []


def test_as_many_ideas_are_asked_for_as_a_run_would():
    few, many = (planned(Scripted([]), ideas=ideas, proposals=2, optimizer="desk")[0] for ideas in (2, 9))
    assert few.prompt != many.prompt
    assert few.tokens_out < many.tokens_out
    few, many = (planned(Scripted([]), ideas=ideas, proposals=2, optimizer="tgd")[0] for ideas in (2, 9))
    assert few.prompt == many.prompt  # today's prompt asks for what is measured


def test_later_prompts_of_a_desk_are_counted_as_long_as_they_may_get():
    (desk,) = planned(Priced([]), optimizer="desk", budget=41, proposals=4, prompt_tokens=5000)
    assert desk.all_tokens_in == desk.tokens_in + 9 * 5000
    assert desk.usd == pytest.approx(desk.engine.price(desk.all_tokens_in, 10 * desk.tokens_out))
    assert "at most" in dry_run([desk])
    (tgd,) = planned(Priced([]), optimizer="tgd", budget=41, proposals=4)
    assert tgd.all_tokens_in == 10 * tgd.tokens_in
    assert Planned("nothing", Priced([]), 0, "a").usd == 0.0


def test_a_budget_of_calls_bounds_them_and_one_without_evaluations_plans_a_round():
    assert planned(Scripted([]), budget=tg.Budget(100, model_calls=3))[0].calls == 3
    assert planned(Scripted([]), budget=tg.Budget(None, seconds=60))[0].calls == 1


def test_the_questions_of_a_loss_are_counted_and_not_asked():
    judge = Priced([], name="judge")

    class Asks(Length):
        def evaluate(self, value):
            told = [judge(f"How long is {value}, try {i}?") for i in range(3)]
            return tg.Feedback(float(len(told[0])), f"it was told {told[0]}")

    proposals, questions = planned(Scripted([], name="writer"), Asks(), budget=10, proposals=3)
    assert "[what judge would have answered]" in proposals.prompt
    assert (questions.engine, questions.calls) == (judge, 30)
    assert questions.prompt == "How long is a text, try 0?"
    assert judge.calls == []
    (alone,) = planned(None, Asks(), Shorter(), budget=10)
    assert alone.engine is judge


def test_what_cannot_be_planned_is_said():
    with pytest.raises(tg.UsageError, match="nobody is asked here"):
        planned(None, rules=Shorter())

    class Fails(Length):
        def evaluate(self, value):
            raise tg.MeasurementError("no ruler at hand")

    with pytest.raises(tg.UsageError, match="the start value cannot be measured: no ruler at hand"):
        planned(Scripted([]), Fails())
