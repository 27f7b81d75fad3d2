"""Ideas are read from a reply in whatever form a model writes them; what is no value never becomes one."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tgsci as tg
from tests.search.searches import idea as waiting
from tests.search.searches import search
from tgsci.engine import Reply
from tgsci.errors import InvalidValue
from tgsci.prompts import idea_format
from tgsci.replies import MAX_VALUE_CHARS
from tgsci.search.ideas import KnownIdea, new_only, read_ideas

TAGS = ("<VALUE>", "</VALUE>")


def letters(value):
    """The check of a domain: letters only, in lower case."""
    if not value.replace("\n", "").isalpha():
        raise InvalidValue("letters only")
    return value.lower()


def read(text, n=2, check=letters, finish="stop", parents=9, **more):
    return read_ideas(Reply(text, finish=finish), n, TAGS, check, parents=parents, default_parent=5, **more)


def told(ideas):
    return [(p.value, p.parent, p.role, p.expected, p.reason) for p in ideas.usable]


TWO = [("abc", 7, "refine", -9.6, "the ring is bare"), ("de", None, "new", -8.0, "another ring")]

FORMS = {
    "as asked for": (
        "IDEA 1 | FROM 7 | ROLE refine | EXPECT -9.6\nREASON: the ring is bare\n<VALUE>abc</VALUE>\n\n"
        "IDEA 2 | FROM none | ROLE new | EXPECT -8\nREASON: another ring\n<VALUE>de</VALUE>"
    ),
    "roles without a label, numbers with a sign": (
        "Idea 1 | from #7 | refine | expect: \u22129.6\nReason: the ring is bare\n<value>abc</value>\n"
        "Idea 2 | from none | new | expect: -8.0\nReason: another ring\n<value>de</value>"
    ),
    "in bold, with headings, a label a line": (
        "### IDEA 1\n**FROM:** 7\n**ROLE:** refine\n**EXPECT:** -9.6\n**REASON:** the ring is bare\n"
        "<VALUE>\nabc\n</VALUE>\n"
        "### IDEA 2\n**FROM:** none\n**ROLE:** new\n**EXPECT:** -8 kcal/mol\n**REASON:** another ring\n"
        "<VALUE>\nde\n</VALUE>"
    ),
    "in tags": (
        "<IDEA 1><FROM>7</FROM><ROLE>refine</ROLE><EXPECT>-9.6</EXPECT><REASON>the ring is bare</REASON>"
        "<VALUE>abc</VALUE>\n"
        "<IDEA 2><FROM>none</FROM><ROLE>new</ROLE><EXPECT>-8</EXPECT><REASON>another ring</REASON><VALUE>de</VALUE>"
    ),
    "numbered tags": (
        "IDEA 1 | FROM 7 | ROLE refine | EXPECT -9.6\nREASON: the ring is bare\n<VALUE_1>abc</VALUE_1>\n"
        "IDEA 2 | FROM none | ROLE new | EXPECT -8\nREASON: another ring\n<VALUE_2>de</VALUE_2>"
    ),
    "without tags": (
        "IDEA 1 | FROM 7 | ROLE refine | EXPECT -9.6\nREASON: the ring is bare\nVALUE: abc\n"
        "IDEA 2 | FROM none | ROLE new | EXPECT -8\nREASON: another ring\n**VALUE:** `de`"
    ),
    "JSON": json.dumps(
        {
            "ideas": [
                {"from": 7, "role": "refine", "expect": -9.6, "reason": "the ring is bare", "value": "abc"},
                {"from": None, "role": "new", "expected_loss": "-8", "reason": "another ring", "value": "de"},
            ]
        }
    ),
    "after thoughts with drafts": (
        "<think>IDEA 1 | FROM 2\n<VALUE>wrong</VALUE></think>IDEA 1: <VALUE>draft</VALUE> no, better:\n"
        "IDEA 1 | FROM 7 | ROLE refine | EXPECT -9.6\nREASON: the ring is bare\n<VALUE>abc</VALUE>\n"
        "IDEA 2 | FROM none | ROLE new | EXPECT -8\nREASON: another ring\n<VALUE>de</VALUE>"
    ),
    "in code fences": (
        "IDEA 1, from 7, refine, expect -9.6\nREASON: the ring is bare\n<VALUE>```\nabc\n```</VALUE>\n"
        "IDEA 2, from none, new, expect -8\nREASON: another ring\n<VALUE>```\nde\n```</VALUE>"
    ),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_ideas_are_read_in_any_of_the_forms_in_which_models_write_them(text):
    ideas = read(text)
    assert told(ideas) == TWO
    assert ideas.faulty == ideas.faults == []


def test_the_form_that_is_asked_for_is_the_one_that_is_read():
    shown = idea_format(TAGS, several_lines=True, by_person=False)
    filled = shown[shown.index("IDEA 1") :].split("\n\n")[0]
    for said in ("7+3", "combine", "-1.5", "drop a ring", "it is in the way", "abc"):
        filled = filled.replace("...", said, 1)
    (idea,) = read(filled, 1).usable
    assert (idea.value, idea.parent, idea.role, idea.expected, idea.edit, idea.reason) == (
        "abc", 7, "combine", -1.5, "drop a ring", "it is in the way",
    )  # fmt: skip


def test_a_value_of_several_lines_keeps_its_own_marks():
    code = "def f(x):\n    # REASON: none | FROM 3\n    return {'value': x}"
    (idea,) = read(f"IDEA 1 | FROM 4 | ROLE refine\nREASON: r\n<VALUE>\n{code}\n</VALUE>", 1, str).usable
    assert (idea.value, idea.parent, idea.reason) == (code, 4, "r")


@pytest.mark.parametrize(
    ("head", "parent"),
    [
        ("IDEA 1 | FROM 8 | ROLE refine", 8),
        ("IDEA 1 | FROM 12+3 | ROLE combine", 3),
        ("IDEA 1 | FROM 99 | ROLE refine", 5),
        ("IDEA 1 | ROLE refine", 5),
        ("", 5),
        ("IDEA 1 | ROLE new", None),
        ("IDEA 1 | FROM none | ROLE refine", None),
        ("IDEA 1: a change from #6 that I expect at about -3.5", 6),
    ],
)
def test_an_idea_is_made_from_a_trial_that_exists_or_from_the_best(head, parent):
    (idea,) = read(f"{head}\n<VALUE>abc</VALUE>", 1).usable
    assert idea.parent == parent


def test_usable_ideas_of_a_faulty_reply_count_and_each_fault_is_named():
    ideas = read(
        "<VALUE>abc</VALUE> <VALUE>12</VALUE> <VALUE>...</VALUE> <VALUE>ABC</VALUE> <VALUE>de</VALUE> <VALUE>", 5
    )
    assert [p.value for p in ideas.usable] == ["abc", "de"]
    assert [p.value for p in ideas.faulty] == ["12", "..."]
    assert all(p.fault for p in ideas.faulty)
    told = "\n".join(ideas.faults)
    for part in (
        "idea 2 (12) is refused: letters only",
        "idea 3 (...) is refused: it is empty",
        "idea 4 has the value",
    ):
        assert part in told


def test_more_ideas_than_were_asked_for_are_left_alone():
    ideas = read(" ".join(f"<VALUE>{letter}</VALUE>" for letter in "abcd"), 2)
    assert [p.value for p in ideas.usable] == ["a", "b"]
    assert ideas.faults == []


@pytest.mark.parametrize(
    ("text", "finish", "fault"),
    [
        ("", "stop", "it holds 0 of 2 ideas"),
        ("I would add a ring.", "stop", "it holds 0 of 2 ideas"),
        ("<VALUE>never closed", "stop", "it holds 0 of 2 ideas"),
        ("<VALUE>abc</VALUE>\n<VALUE>cut of", "length", "cut off by the length limit after 1 whole"),
    ],
)
def test_what_is_missing_is_named(text, finish, fault):
    assert fault in "\n".join(read(text, finish=finish).faults)


def test_a_value_that_is_too_long_is_refused():
    ideas = read(f"<VALUE>{'a' * (MAX_VALUE_CHARS + 1)}</VALUE>", 1)
    assert ideas.usable == []
    assert len(ideas.faulty[0].value) == MAX_VALUE_CHARS
    assert len(ideas.faults[0]) < 400


def test_what_the_check_found_travels_with_the_value():
    class Parsed(str):
        pass

    (idea,) = read("<VALUE>abc</VALUE>", 1, lambda value: Parsed(value)).usable
    assert isinstance(idea.value, Parsed)


def test_a_person_may_write_a_value_a_line_and_fewer_than_asked_for():
    ideas = read("abc\n\n  de \n", 12, by_person=True)
    assert [p.value for p in ideas.usable] == ["abc", "de"]
    assert ideas.faults == []
    assert read("abc\nde", 12).usable == [], "of a model that is no answer"


@given(st.text(alphabet='IDEAFROMLXPCTSNVU<>/|:#*-\n{}[]",0123456789 .', max_size=400))
def test_no_reply_breaks_the_reading(text):
    for read_idea in read(text, 3, str).usable:
        assert read_idea.parent is None or read_idea.parent < 9


@pytest.mark.parametrize(
    "reply",
    [
        "<VALUE>" * 100_000,
        "</VALUE>" * 100_000,
        "<VALUE>a</VALUE>" * 50_000,
        "IDEA 1 | " * 50_000 + "<VALUE>a",
        "FROM " * 100_000 + "<VALUE>a</VALUE>",
        "\n" * 500_000 + "VALUE:" + " " * 300_000,
        "<think>" * 50_000,
        '{"a":[' * 33_000,
        ('{"value":[' + "0," * 200) * 400,
        "EXPECT " + "9" * 100_000 + "<VALUE>a</VALUE>",
    ],
    ids=lambda reply: reply[:14],
)
def test_a_reply_that_went_astray_takes_no_time(reply):
    began = time.process_time()
    ideas = read(reply, 12)
    assert time.process_time() - began < 5
    assert len(ideas.usable) <= 12
    assert sum(map(len, ideas.faults)) < 20_000


def test_a_value_that_waits_or_is_being_measured_is_no_new_one():
    check = new_only(search(5, ideas=[waiting("z1", 3)], pending=[tg.Trial(5, 2, "z5")]))
    assert check("z2") == "z2"
    with pytest.raises(KnownIdea, match="it waits already, with rank 3"):
        check("z1")
    with pytest.raises(KnownIdea, match="it is being measured as trial 5"):
        check(" z5 ")
    with pytest.raises(InvalidValue, match="proposed before as trial 0"):
        check(search(5)[0].value)
