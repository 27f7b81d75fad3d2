"""A menu: a model chooses among options; whatever it replies, the run goes on."""

from __future__ import annotations

import json
import threading

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

import tgsci as tg
from tests.search.searches import search
from tgsci.engine import Reply
from tgsci.engines.human import HumanEngine
from tgsci.engines.litellm import LiteLLMEngine
from tgsci.prompts import tokens
from tgsci.search.insight import Insight
from tgsci.search.trial import Idea, Outlook
from tgsci.testing import Scripted


class Cost(tg.Loss):
    name = "cost"
    units = {"cost": "EUR"}

    def validate(self, value):
        if not value.isdigit():
            raise tg.InvalidValue(f"{value!r} is no number")
        return str(int(value))

    def evaluate(self, value):
        return tg.Feedback(float(value), f"costs {float(value):.2f} EUR; the pump is worn", {"cost": float(value)})


def options(trials, n, rng):
    """Cheaper ones first, an illegal one and a known one among them."""
    best = int(trials.best.value)
    values = [str(best), "none", *(str(best - step) for step in (5, 3, 2, 1)), *(str(best + i) for i in range(1, n))]
    return [
        tg.Option(v, f"pay {v}", {"cost": float(v) + 0.25, "grade": "A"} if v.isdigit() else {}, trials.best.number,
                  f"set {v}", f"because {v} is next") for v in values[:n]
    ]  # fmt: skip


def chosen(replies, n=2, engine=None):
    """The proposals for a menu of pay 95, 97, 98, 99, 101, ..."""
    engine = engine or Scripted(replies)
    feedback = Cost().measure("100")
    trials = tg.Trials([tg.Trial(0, 0, "100", state=tg.State.ACCEPTED, feedback=feedback)], Cost(), "Pay less.")
    return tg.Menu(engine, options).ask(trials, n, None), engine


TWO = "REASON: costs 100.00 EUR\nEXPECT: 97\nCHOICE: 2\nREASON: cost 95.25\nEXPECT: 95\nCHOICE: 1"


def test_an_option_is_shown_with_its_value_and_what_is_predicted_of_it():
    """A model that is asked which loss it expects needs to know what it chooses."""
    insight = Insight(
        predict=lambda trials, values: [Outlook(float(v) + 0.5, 2.0) if v != "98" else None for v in values]
    )
    feedback = Cost().measure("100")
    trials = tg.Trials([tg.Trial(0, 0, "100", state=tg.State.ACCEPTED, feedback=feedback)], Cost(), insight=insight)

    def cheaper(trials, n, rng):
        return [tg.Option(v, "a cheaper one", {"grade": "A"}, 0) for v in ("95", "97", "98")]

    engine = Scripted([TWO])
    tg.Menu(engine, cheaper).ask(trials, 2, None)
    for line in (
        "1. a cheaper one: 95; predicted loss 95.5 +- 2.00, grade A\n",
        "3. a cheaper one: 98; grade A\n",
    ):
        assert line in engine.calls[0][0]


def test_one_call_chooses_and_the_models_reason_and_its_expectation_are_kept():
    made, engine = chosen([TWO])
    assert len(engine.calls) == 1
    assert [p.value for p in made] == ["97", "95"]
    assert (made[0].reason, made[0].expected) == ("costs 100.00 EUR", 97.0)
    assert (made[0].edit, made[0].parent) == ("set 97", 0)


def test_the_prompt_holds_the_report_and_only_legal_new_options_with_their_facts():
    _, engine = chosen([TWO])
    prompt, system = engine.calls[0]
    assert "the pump is worn" in prompt
    assert "1. pay 95; cost 95.25 EUR, grade A; because 95 is next" in prompt
    assert "pay none" not in prompt
    assert "pay 100;" not in prompt
    assert prompt.rindex("REASON:") < prompt.rindex("CHOICE:"), "the choice follows from the reason"
    assert "evidence" in system


@pytest.mark.parametrize(
    "reply",
    [
        TWO,
        TWO.lower(),
        "**Evidence:** costs 100.00 EUR\n**Choice:** option 2\n\n**Evidence:** 95.25\n**Choice:** #1",
        "<EVIDENCE>100.00</EVIDENCE><CHOICE>2</CHOICE>\n<EVIDENCE>95.25</EVIDENCE><CHOICE>1</CHOICE>",
        '```json\n[{"evidence": "100.00 EUR", "choice": 2}, {"evidence": "95.25", "choice": "option 1"}]\n```',
        '{"choices": [{"evidence": "the pump is worn", "choice": 2}, {"evidence": "95.25", "choice": 1}]}',
        "I look at the menu first.\nEVIDENCE 1: 100.00\nCHOICE 1: 2\nEVIDENCE 2: 95.25\nCHOICE 2: 1\nThat is all.",
    ],
)
def test_a_reply_is_read_in_any_of_the_ways_models_write_it(reply):
    made, engine = chosen([reply])
    assert [p.value for p in made] == ["97", "95"]
    assert len(engine.calls) == 1


@pytest.mark.parametrize(
    ("first", "names"),
    [
        ("no idea", "0 lines with CHOICE"),
        ("EVIDENCE: 95.25\nCHOICE: 40", "there is no option 40"),
        ("EVIDENCE: 95.25\nCHOICE: 0", "there is no option 0"),
        ("EVIDENCE: 95.25\nCHOICE: 1\nEVIDENCE: 95.25\nCHOICE: 1", "option 1 is chosen twice"),
        (Reply("EVIDENCE: 95.25\nCHOICE: 1", finish="length"), "cut off"),
        ("", "0 lines with CHOICE"),
    ],
)
def test_what_cannot_be_used_is_named_and_asked_for_once_more(first, names):
    made, engine = chosen([first, TWO])
    assert len(engine.calls) == 2
    assert names in engine.calls[1][0]
    assert {p.value for p in made} == {"97", "95"}
    assert all(p.fault is None for p in made)


def test_what_was_usable_is_kept_when_the_rest_is_asked_for_again():
    made, engine = chosen(["EVIDENCE: 98.25\nCHOICE: 3", "EVIDENCE: cost 95.25\nCHOICE: 1"])
    assert [p.value for p in made] == ["98", "95"]
    assert "1 in it was usable" in engine.calls[1][0]


def test_after_a_second_bad_reply_the_first_by_rank_are_taken_and_the_trials_say_so():
    made, engine = chosen(["what?", "no"])
    assert [p.value for p in made] == ["95", "97"]
    assert "the first by rank: scripted made no usable choice" in made[0].reason
    assert len(engine.calls) == 2


def test_a_choice_without_a_reason_counts_and_keeps_the_options_own():
    made, engine = chosen(["CHOICE: 2\nCHOICE: 4"])
    assert [(p.value, p.reason) for p in made] == [("97", "because 97 is next"), ("99", "because 99 is next")]
    assert len(engine.calls) == 1


def test_the_menu_stands_on_the_page_of_the_whole_search():
    """What was measured, what waits and what is measured now: no option repeats it."""
    measured = [
        tg.Trial(i, i, str(100 - i), parent=i - 1 if i else None, feedback=Cost().measure(str(100 - i)))
        for i in range(4)
    ]
    waits = Idea(tg.Proposal("95", "r", 3), "scripted", 3, rank=1, why="another family came first")
    pending = tg.Trial(4, 4, "94", parent=3)
    trials = tg.Trials(
        measured, Cost(), "Pay less.", evaluations_left=20, proposals=2, ideas=[waits], pending=[pending]
    )
    engine = Scripted(["CHOICE: 1\nCHOICE: 2"])
    made = tg.Menu(engine, options).ask(trials, 2, None)
    prompt = engine.calls[0][0]
    for part in (
        "Pay less.",
        "4 measured so far, 1 being measured, 20 left",
        "| 98.00 |",
        "another family came first",
        "#4",
    ):
        assert part in prompt
    assert not {p.value for p in made} & {"94", "95", "97", "98", "99", "100"}


@pytest.mark.parametrize("room", [2_000, 8_000])
def test_no_question_is_longer_than_allowed_not_even_the_second_one(room):
    def long_options(trials, n, rng):
        return [tg.Option(f"x{i}", "pay " * 200, {"cost": 1.0}, 0, reason="because " * 300) for i in range(n)]

    def wordy_options(trials, n, rng):
        return [tg.Option(f"x{i}", f"pay {i}", {"cost": 1.0}, 0, reason="because " * 300) for i in range(n)]

    engine = Scripted(["CHOICE: 1\nCHOICE: 2"])
    tg.Menu(engine, wordy_options, prompt_tokens=room).ask(search(200), 2, None)
    assert "12. pay 11: x11; cost 1\n" in engine.calls[0][0], "without the reasons there is room for all"
    engine = Scripted(["nonsense " * 20_000, "no"])
    tg.Menu(engine, long_options, prompt_tokens=room).ask(search(200, report=2_000), 4, None)
    assert len(engine.calls) == 2
    assert max(tokens(prompt) + tokens(system) for prompt, system in engine.calls) <= room


def test_a_person_may_type_bare_numbers():
    class Person(Scripted):
        answered_by_person = True

    made, engine = chosen(None, engine=Person(["3, 1"]))
    assert [p.value for p in made] == ["98", "95"]
    assert len(engine.calls) == 1
    assert HumanEngine.answered_by_person


def test_a_menu_no_longer_than_the_round_is_taken_without_a_question():
    engine = Scripted([])
    feedback = Cost().measure("7")
    trials = tg.Trials([tg.Trial(0, 0, "7", feedback=feedback)], Cost())
    menu = tg.Menu(engine, lambda trials, n, rng: [tg.Option("6", "pay 6")])
    assert [p.value for p in menu.ask(trials, 2, None)] == ["6"]
    assert tg.Menu(engine, lambda trials, n, rng: []).ask(trials, 2, None) == []
    assert engine.calls == []


def test_a_run_with_a_menu_is_recorded_and_resumes_without_asking_again(tmp_path):
    def answer(prompt, system):
        return "REASON: the pump is worn\nCHOICE: 1\nREASON: the pump is worn\nCHOICE: 2"

    def run(budget, engine):
        return tg.minimize(Cost(), "100", tg.Menu(engine, options), budget=budget, proposals=2, run=tmp_path)

    engine = Scripted(answer)
    half, calls = run(5, engine), len(engine.calls)
    whole = run(9, engine)
    assert [t.value for t in whole.trials[:5]] == [t.value for t in half.trials]
    assert (calls, len(engine.calls)) == (2, 4)
    assert whole.best.value == "80"
    assert whole.trials[1].proposer == "scripted"
    assert whole.trials[1].reason == "the pump is worn"


@pytest.mark.slow
def test_a_served_model_chooses_over_the_wire(httpserver: HTTPServer):
    """Through litellm and a real socket: a useless reply, a useful one."""
    texts, lock = ["I would go for the cheapest.", TWO], threading.Lock()

    def handle(request):
        with lock:
            text = texts.pop(0)
        message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
        body = {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [message],
            "usage": usage,
        }
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_handler(handle)
    engine = LiteLLMEngine("openai/local", api_base=httpserver.url_for("/v1"), api_key="x")
    made, _ = chosen(None, engine=engine)
    assert [p.value for p in made] == ["97", "95"]
    assert "one option" not in json.dumps(made[0].reason)
    asked = [json.loads(request.get_data())["messages"][-1]["content"] for request, _ in httpserver.log]
    assert "I would go for the cheapest." in asked[1]


def test_a_menu_of_one_is_refused():
    with pytest.raises(tg.UsageError, match="at least 2 options"):
        tg.Menu(Scripted([]), options, size=1)
