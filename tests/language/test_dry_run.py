"""A dry run tells what would be asked and what it would cost, and asks nobody."""

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.runs.domain import Problem
from tgsci.search.proposer import ModelProposer
from tgsci_language.dry_run import Planned, dry_run, first_question


class Priced(Scripted):
    def price(self, tokens_in, tokens_out):
        return (tokens_in + 2 * tokens_out) * 1e-6


class Length(tg.Loss):
    name = "length"

    def evaluate(self, value):
        return tg.Feedback(float(len(value)), f"it has {len(value)} characters")


def problem(loss):
    return Problem(loss=loss, start=["a text"], rules=None, task="Make it short.", domain="", config={})


def test_calls_tokens_and_price_are_added_up():
    cheap, free = Priced([], name="cheap"), Scripted([], name="local")
    shown = dry_run(
        [
            Planned("drafts", cheap, 1000, "x" * 400, "s" * 40, tokens_out=100),
            Planned("criticisms", free, 20, "what is wrong?"),
        ]
    )
    assert "--- drafts: the first prompt to cheap ---\n[system prompt]\nssss" in shown
    assert "1,000  drafts (cheap): about 110,000 tokens in, 100,000 out, price 0.31 USD" in shown
    assert "   20  criticisms (local): about 80 tokens in, 10,000 out, price unknown" in shown
    assert "in all 1,020 calls, price about 0.31 USD and what has an unknown price" in shown
    assert not cheap.calls
    assert not free.calls


def test_where_no_price_is_known_it_is_unknown_and_never_nothing():
    assert "in all 3 calls, price unknown" in dry_run([Planned("calls", Scripted([]), 3, "a")])


def test_a_prompt_is_shown_once_and_a_long_one_is_cut():
    engine = Scripted([])
    shown = dry_run([Planned("drafts", engine, 1, "y" * 9000), Planned("samples", engine, 6, "y" * 9000)])
    assert shown.count("the first prompt to") == 1
    assert "[... 5,000 more characters]" in shown


def test_the_first_question_of_a_search_holds_the_starts_page_and_is_not_asked():
    engine = Scripted(["<IMPROVED_VARIABLE>x</IMPROVED_VARIABLE>"])
    asked = first_question(problem(Length()), ModelProposer(tg.TGD(engine=engine)), 2)
    assert "it has 6 characters" in asked[0]
    assert "Make it short." in asked[0]
    assert asked[1]
    assert engine.calls == []


def test_a_loss_that_asks_a_model_is_not_let_to():
    engine = Scripted(["5"])

    class Asks(Length):
        def evaluate(self, value):
            return tg.Feedback(float(engine(f"How long is {value}?")))

    prompt, _ = first_question(problem(Asks()), ModelProposer(tg.TGD(engine=engine)))
    assert prompt == "How long is a text?"
    assert engine.calls == []


def test_who_asks_nobody_has_no_first_question():
    class Nobody(tg.Proposer):
        def ask(self, trials, n, rng):
            return []

    assert first_question(problem(Length()), Nobody()) is None
