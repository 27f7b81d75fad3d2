"""The desk: what a model is asked, and what becomes of its answer."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import pytest

import tgsci as tg
from tests.search.searches import INSIGHT, ROUND, Binding, idea, search
from tgsci.engine import Reply
from tgsci.engines.scripted import Scripted
from tgsci.prompts import tokens
from tgsci.search.desk import Desk, roles
from tgsci.search.insight import Insight
from tgsci.search.page import Page

QUESTION = Path(__file__).with_name("question.txt")


def reply(*values, of=0, expect=-8.0):
    return "\n".join(
        f"IDEA {i} | FROM {of} | ROLE refine | EXPECT {expect}\nREASON: because of {i}\n<VALUE>{value}</VALUE>"
        for i, value in enumerate(values, 1)
    )


def asked(trials, replies, n=3, **settings):
    engine = Scripted(replies)
    return Desk(engine, **settings).ask(trials, n, None), engine


def test_an_idea_comes_with_its_parent_role_reason_and_the_loss_that_it_expects():
    (first, second), engine = asked(search(9), [reply("x1", "x2", of=3)], 2)
    assert first == tg.Proposal("x1", "because of 1", 3, expected=-8.0, role="refine")
    assert second.value == "x2"
    assert len(engine.calls) == 1


def test_what_never_changes_stands_first_so_that_a_provider_caches_it():
    settings = {"constraints": ["no nitro group"], "examples": ["CCO is ethanol"]}
    insight = Insight(family=INSIGHT.family, setting="The pocket is deep.")
    prompts, systems = [], set()
    for count in (1, 5, 50, 51, 200):
        _, engine = asked(search(count, insight=insight), [reply("x1", "x2", "x3", "x4")], 4, **settings)
        prompts.append(engine.calls[0][0])
        systems.add(engine.calls[0][1])
    assert len(systems) == 1
    same = "".join(
        letters[0] for letters in takewhile(lambda letters: len(set(letters)) == 1, zip(*prompts, strict=False))
    )
    for part in ("Design a binder.", "The pocket is deep.", "no nitro group", "CCO is ethanol", "<VALUE>...</VALUE>"):
        assert part in same
    assert same.endswith("--- WHERE THE SEARCH STANDS ---\n"), "nothing that changes stands before it"


@pytest.mark.parametrize("room", [2_000, 8_000])
def test_no_question_is_longer_than_allowed_not_even_the_second_one(room):
    task = "Design a binder. " * 2_000
    for count in (1, 5, 50, 200):
        trials = search(count, report=2_000, insight=Insight(setting="x y " * 9_000, family=INSIGHT.family))
        trials.task = task
        _, engine = asked(trials, ["nonsense " * 20_000, "! " * 9_000], 12, prompt_tokens=room)
        assert len(engine.calls) == 2
        assert max(tokens(prompt) + tokens(system) for prompt, system in engine.calls) <= room


def test_prompts_grow_by_less_than_a_third_over_200_trials():
    sizes = {}
    for count in (50, 100, 200):
        _, engine = asked(search(count), [reply("x1", "x2", "x3")])
        sizes[count] = tokens(engine.calls[0][0])
    assert max(sizes.values()) <= 1.3 * sizes[50]


def test_a_reply_with_enough_ideas_is_used_as_it_is_and_its_faults_are_recorded():
    made, engine = asked(search(9), [reply("x1", "two words", "x3", "x4", "x5")], 6)
    assert [p.value for p in made if p.fault is None] == ["x1", "x3", "x4", "x5"]
    assert [(p.value, p.fault) for p in made if p.fault] == [("two words", "one word")]
    assert len(engine.calls) == 1


def test_with_too_few_ideas_the_faults_are_named_once_and_all_that_is_usable_counts():
    made, engine = asked(search(9), [reply("x1", "two words", "..."), reply("x4", "x1", "x5")], 4)
    assert len(engine.calls) == 2
    second = engine.calls[1][0]
    assert second.startswith(engine.calls[0][0]), "what was sent before is not paid for twice"
    for part in (
        "idea 2 (two words) is refused: one word",
        "idea 3 (...) is refused: it is empty",
        "1 in it was usable: give only what is missing.",
    ):
        assert part in second
    assert [p.value for p in made if p.fault is None] == ["x1", "x4", "x5"]


def test_nonsense_twice_is_one_invalid_trial_and_no_value():
    (only,), engine = asked(search(9), ["what?", Reply("no", finish="length")])
    assert only.value == ""
    assert "cut off by the length limit" in only.fault
    assert len(engine.calls) == 2


def test_what_was_measured_waits_or_is_being_measured_is_told_and_not_proposed_again():
    known = search(9)
    trials = search(9, ideas=[idea("w1", 2)], pending=[tg.Trial(9, 3, "p1")])
    made, engine = asked(trials, [reply(known[3].value, "w1", "p1"), reply("x1", "x2", "x3", "x4")], 4)
    second = engine.calls[1][0]
    for part in (
        "proposed before as trial 3: loss",
        "it waits already, with rank 2",
        "being measured as trial 9",
    ):
        assert part in second
    assert [p.value for p in made] == ["x1", "x2", "x3", "x4"]


def test_an_idea_that_is_one_already_is_no_fault_to_record():
    trials = search(9, ideas=[idea("w1", 2)], pending=[tg.Trial(9, 3, "p1")])
    made, engine = asked(trials, [reply("x1", "w1", "x2", "p1", "x3", "x4")], 6)
    assert [p.value for p in made] == ["x1", "x2", "x3", "x4"]
    assert len(engine.calls) == 1
    (only,), _ = asked(trials, [reply("w1"), reply("p1")], 2)
    assert "it is being measured as trial 9" in only.fault


def test_a_trial_that_is_being_measured_may_be_a_parent():
    (made, *_), _ = asked(search(9, pending=[tg.Trial(9, 3, "p1")]), [reply("x1", "x2", "x3", "x4", of=9)], 4)
    assert made.parent == 9
    (made, *_), _ = asked(search(9), [reply("x1", "x2", "x3", "x4", of=9)], 4)
    assert made.parent == search(9).best.number, "there is no such trial"


def test_a_person_may_answer_with_bare_values():
    class Person(Scripted):
        answered_by_person = True

    engine = Person(["x1\nx2"])
    made = Desk(engine).ask(search(9), 12, None)
    assert [p.value for p in made] == ["x1", "x2"]
    assert "one a line" in engine.calls[0][0]


def test_a_start_value_that_holds_the_tags_gets_other_tags():
    trials = tg.Trials([tg.Trial(0, 0, "print('<VALUE>')\nprint(1)", feedback=tg.Feedback(1.0, "report"))])
    made, engine = asked(
        trials, ["IDEA 1 | FROM 0\nCHANGE: one more\n<VALUE_NEW>print('<VALUE>')\nprint(2)</VALUE_NEW>"], 1
    )
    assert made[0].value == "print('<VALUE>')\nprint(2)"
    assert made[0].edit == "one more"
    assert "<VALUE_NEW>...</VALUE_NEW>" in engine.calls[0][0]


def test_there_is_nothing_to_ask_before_anything_was_measured():
    made, engine = asked(tg.Trials([]), [])
    assert made == engine.calls == []


@pytest.mark.parametrize("n", [1, 2, 4, 12])
@pytest.mark.parametrize("count", [1, 5, 30, 89])
@pytest.mark.parametrize("left", [None, 3, 10, 60])
def test_every_idea_has_a_role(n, count, left):
    shares = roles(Page(search(count, evaluations_left=left), "scripted"), n)
    assert sum(shares.values()) == n
    assert min(shares.values()) >= 0


def test_more_ideas_begin_something_new_at_first_and_when_stalled_and_fewer_at_the_end():
    def new(count, left=60):
        return roles(Page(search(count, evaluations_left=left), "scripted"), 12)["new"]

    moving, stalled = 73, 89
    assert new(1) == 8
    assert new(5) == new(stalled) == 6
    assert new(moving) == 3
    assert new(moving, left=10) == 1
    assert new(moving, left=4) == 0


def test_a_whole_question_reads_as_in_the_file_beside_this_one():
    """An example for people, and for whoever changes a word of it."""
    insight = replace(INSIGHT, setting="The pocket is deep; Leu83 donates a hydrogen bond at its mouth.")
    waiting = [idea("e15(=O)Nc1ccccc1Br", 1), idea("b16(=O)Nc1ccccc1F", 2, loss=-6.9)]
    pending = [tg.Trial(14, 4, "a14(=O)NC1CCCC1", parent=9, expected=-7.25)]
    trials = search(14, insight=insight, report=4, ideas=waiting, pending=pending, evaluations_left=85)
    _, engine = asked(trials, [reply("x1", "x2", "x3", "x4")], 12, constraints=["no nitro group"])
    question, system = engine.calls[0]
    assert f"{system}\n\n{question}\n" == QUESTION.read_text(encoding="utf-8")


def test_a_search_that_begins_is_asked_for_more_ideas():
    made, engine = asked(search(1), [reply(*(f"x{i}" for i in range(18)))], 12)
    assert "Give 18 different ideas:" in engine.calls[0][0]
    assert "7 to 18: new" in engine.calls[0][0]
    assert len(made) == 18
    _, engine = asked(search(5), [reply(*(f"x{i}" for i in range(12)))], 12)
    assert "Give 12 different ideas:" in engine.calls[0][0]


def test_where_enough_ideas_wait_fewer_new_ones_are_asked_for():
    """A round of one place, twelve plans a call: who measures 24 plans needs no 288 of them."""

    def wanted(count, waiting, left, places=ROUND):
        ideas = [idea(f"w{i}", i) for i in range(1, waiting + 1)]
        _, engine = asked(search(count, ideas=ideas, evaluations_left=left, proposals=places), ["", ""], 12)
        return engine.calls[0][0].rpartition("Give ")[2].split()[0]

    assert wanted(1, waiting=0, left=23, places=1) == "18"
    assert wanted(1, waiting=17, left=22, places=1) == "5"
    assert wanted(2, waiting=21, left=21, places=1) == "3"
    assert wanted(5, waiting=40, left=60) == "12", "what was learnt since makes new ideas better than those that wait"


def test_too_few_ideas_are_enough_where_others_wait():
    """A second question costs as much as the first."""
    made, engine = asked(search(9, ideas=[idea("w1", 1), idea("w2", 2)]), [reply("x1", "x2")], 12)
    assert [p.value for p in made] == ["x1", "x2"]
    assert len(engine.calls) == 1


def test_a_round_of_one_value_is_told_in_the_singular_and_a_change_is_asked_for_to_the_end():
    _, engine = asked(search(9, proposals=1), [reply("x1")], 12)
    assert "One value is measured a round" in engine.calls[0][0]
    assert "CHANGE" not in engine.calls[0][0]
    long = tg.Trials([tg.Trial(0, 0, "a\nb", feedback=tg.Feedback(1.0, "report"))], proposals=1)
    _, engine = asked(long, [reply("x1")], 12)
    assert "EXPECT; CHANGE; REASON; <VALUE>" in engine.calls[0][0]


def test_a_search_at_its_desk_is_told_what_came_of_its_ideas_and_resumes_without_a_question(tmp_path):
    class Length(Binding):
        def evaluate(self, value):
            return tg.Feedback(-float(len(value)), f"{value} has {len(value)} letters")

    def run(engine):
        return tg.minimize(Length(), "x", Desk(engine), budget=13, proposals=4, ideas=6, run=tmp_path)

    def answer(prompt, system):
        return reply(*(f"x{len(engine.calls)}{'x' * i}" for i in range(6)), expect=-99)

    engine = Scripted(answer)
    first = run(engine)
    assert [t.expected for t in first.trials] == [None] + [-99.0] * 12
    last = engine.calls[-1][0]
    for part in ("expected losses were off by", "BEING MEASURED NOW", "IDEAS THAT WAIT"):
        assert part in last
    again = Scripted([])
    assert [t.value for t in run(again).trials] == [t.value for t in first.trials]
    assert again.calls == []


def test_a_setting_that_is_none_is_refused():
    with pytest.raises(tg.UsageError, match="prompt_tokens"):
        Desk(Scripted([]), prompt_tokens=500)
    with pytest.raises(tg.UsageError, match="constraints"):
        Desk(Scripted([]), constraints=[3])
