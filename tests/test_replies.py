"""Reading replies: a value is taken from a complete, well-formed block or not at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import tgsci as tg
from tgsci.basics.texts import trimmed
from tgsci.engine import Reply
from tgsci.errors import InvalidValue
from tgsci.prompts import numbered, reason_tags, reply_format
from tgsci.replies import MAX_VALUE_CHARS, Suggestion, last_block, parse

TAGS = ("<V>", "</V>")


def read(text, n=1, check=str, finish="stop"):
    return parse(tg.Reply(text, finish=finish), n, TAGS, check)


def values(parsed):
    return [suggestion.value for suggestion in parsed.suggestions]


def only_fault(parsed):
    assert parsed.suggestions == []
    (fault,) = parsed.faults
    return fault.fault


def test_a_value_comes_with_its_reason():
    (suggestion,) = read("Thinking...\n<REASON>the ring is bare</REASON>\n<V>\n CCO \n</V>").suggestions
    assert suggestion == Suggestion("CCO", "the ring is bare")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<V>draft</V> no, better: <V>final</V>", "final"),
        ("I will put it between <V> and </V> tags.\n<V>final</V>", "final"),
        ("The tag <V> opens.\n<V>final</V>", "final"),
        ("<V>\nbroken off\n<V>final</V>", "final"),
        ("<V>final</V>\nThat was the <V> block.", "final"),
        ("<V>two\nlines</V>", "two\nlines"),
        ("<V>a < b && c > d {x} \\1</V>", "a < b && c > d {x} \\1"),
    ],
)
def test_the_last_well_formed_block_wins(text, value):
    assert values(read(text)) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I would change the ring.",
        "<V>never closed",
        "never opened</V>",
        "</V>the wrong way round<V>",
        "<V>draft</V>\nBetter:\n<V>\nbroken off",
        "<V>a<V>nested</V>c</V>",
        "<V>it holds </V> itself</V>",
        "<v>another case</v>",
    ],
)
def test_a_block_that_is_not_well_formed_is_a_fault(text):
    assert "no complete <V>...</V> block" in only_fault(read(text))


def test_an_empty_value_is_a_fault():
    assert "empty" in only_fault(read("<V> \n </V>"))


def test_what_is_complete_in_a_reply_that_was_cut_off_counts():
    assert values(read("<V>whole</V> and then", finish="length")) == ["whole"]
    parsed = read("<V_1>a</V_1>\n<V_2>b</V_2>\n<V_3>half of", 3, finish="length")
    assert values(parsed) == ["a", "b"]
    assert "cut off" in parsed.complaints[0]
    assert "</V_3>" in parsed.complaints[0]


@pytest.mark.parametrize("text", ["", "<V>half of", "<V>draft</V> better:\n<V>half of"])
def test_what_is_cut_off_is_a_fault(text):
    parsed = read(text, finish="length")
    assert "cut off" in only_fault(parsed)
    assert parsed.faults[0].value == ""


@pytest.mark.parametrize(
    ("block", "value"),
    [
        ("\n    def f():\n        pass\n", "    def f():\n        pass"),
        ("    def f():\n        pass", "    def f():\n        pass"),
        ("\r\n\tx:\r\n\t\ty\r\n", "\tx:\r\n\t\ty"),
        ("  \n\n  - a\n  - b  \n\n", "  - a\n  - b"),
        ("  CCO  ", "CCO"),
        ("\n  CCO  \n", "CCO"),
        ("a\n\n  b", "a\n\n  b"),
    ],
)
def test_the_indentation_of_a_values_first_line_belongs_to_it(block, value):
    assert values(read(f"<V>{block}</V>")) == [value]


@pytest.mark.parametrize(
    ("block", "value"),
    [
        ("```python\n    x = 1\n    y = 2\n```", "    x = 1\n    y = 2"),
        ("\n```\nCCO\n```\n", "CCO"),
        ("~~~ \na\nb\n~~~", "a\nb"),
        ("```\na\n```\nand\n```\nb\n```", "```\na\n```\nand\n```\nb\n```"),
        ("see\n```\na\n```", "see\n```\na\n```"),
        ("```\n```", "```\n```"),
        ("```a```", "```a```"),
    ],
)
def test_a_code_fence_around_the_whole_value_is_no_part_of_it(block, value):
    assert values(read(f"<V>{block}</V>")) == [value]


def test_a_code_fence_that_the_value_had_before_stays():
    fenced = "```python\nx = 2\n```"
    assert (
        parse(Reply(f"<V>{fenced}</V>"), 1, TAGS, str, current="```python\nx = 1\n```").suggestions[0].value == fenced
    )


def test_the_current_value_may_be_proposed_several_times():
    parsed = parse(Reply("<V_1>a</V_1><V_2>a</V_2><V_3>b</V_3>"), 3, TAGS, str, current="a")
    assert (values(parsed), parsed.faults) == (["a", "a", "b"], [])


def test_an_oversized_value_is_a_fault_and_is_not_kept_whole():
    parsed = read(f"<V>{'x' * (MAX_VALUE_CHARS + 1)}</V>")
    assert str(MAX_VALUE_CHARS) in only_fault(parsed)
    assert len(parsed.faults[0].value) == MAX_VALUE_CHARS
    assert values(read(f"<V>{'x' * MAX_VALUE_CHARS}</V>")) == ["x" * MAX_VALUE_CHARS]


def test_what_the_check_refuses_is_a_fault_that_says_why():
    def check(value):
        raise tg.InvalidValue("valence of N is 4")

    fault = read("<V>CN(C)(C)C</V>", check=check)
    assert "valence of N is 4" in only_fault(fault)
    assert fault.faults[0].value == "CN(C)(C)C"


def test_the_check_gives_the_canonical_value():
    assert values(read("<V>abc</V>", check=str.upper)) == ["ABC"]


def test_several_proposals_are_numbered():
    text = "<V_2>b</V_2><REASON_2>two</REASON_2><REASON_1>one</REASON_1><V_1>a</V_1><V_3>c</V_3>"
    assert [(p.value, p.reason) for p in read(text, 3).suggestions] == [("a", "one"), ("b", "two"), ("c", "")]


def test_of_several_proposals_the_good_ones_are_kept():
    parsed = read("<V_1>a</V_1><V_2></V_2><V_3>A</V_3>", 4, check=str.upper)
    assert values(parsed) == ["A"]
    assert ["empty" in parsed.complaints[0], "same as number 1" in parsed.complaints[1]] == [True, True]
    assert "<V_4>" in parsed.complaints[2]


def test_ten_proposals_do_not_mix_up_one_and_ten():
    text = "".join(f"<V_{i}>v{i}</V_{i}>" for i in range(1, 13))
    assert values(read(text, 12)) == [f"v{i}" for i in range(1, 13)]


def test_half_a_character_does_not_get_into_a_value():
    """A broken JSON escape in a server's answer; neither SQLite nor any server takes it back."""
    assert values(read("<V>a\ud800b</V>")) == ["a\ufffdb"]


TAG_LIKE = st.lists(
    st.one_of(
        st.sampled_from(
            ["<", ">", "/", "<V", "V>", "<VV>", "</VV>", "<V_2>", "</V_2>", "<REASON>", "</b>", "\n", "{}"]
        ),
        st.text(max_size=8),
    ),
    max_size=12,
).map("".join)


@given(st.lists(TAG_LIKE, min_size=1, max_size=4), st.text(max_size=30))
@example(["<V_2>"], "")
@example(["a", "b"], "<V_1>")
def test_whatever_is_put_into_the_blocks_is_read_back(texts, before):
    n = len(texts)
    tags = [numbered(TAGS, i, n) for i in range(1, n + 1)]
    if any(tag in text for text in [*texts, before] for pair in tags for tag in pair):
        return
    whole = [trimmed(text) for text in texts]
    reply = (
        before
        + "\n"
        + "\n".join(
            f"{reason_tags(i, n)[0]}why{reason_tags(i, n)[1]}\n{o}{t}{c}"
            for i, ((o, c), t) in enumerate(zip(tags, texts, strict=True), 1)
        )
    )
    parsed = read(reply, n)
    expected = list(dict.fromkeys(text for text in whole if text))
    assert values(parsed) == expected
    assert len(parsed.faults) == n - len(expected)


@given(st.text(), st.integers(1, 5))
def test_a_format_that_was_asked_for_is_the_format_that_is_read(value, n):
    """Fills in the very blocks that the prompt shows."""
    if "<" in value or not value.strip():
        return
    shown = reply_format(n, TAGS)
    blocks = shown[shown.index("<REASON") :]
    for i in range(1, n + 1):
        opening, closing = numbered(TAGS, i, n)
        start, end = blocks.rindex(opening) + len(opening), blocks.rindex(closing)
        blocks = blocks[:start] + f"{value}{i}" + blocks[end:]
    assert values(read(blocks, n)) == [trimmed(f"{value}{i}") for i in range(1, n + 1)]


GARBAGE = st.lists(
    st.one_of(st.sampled_from(["<V>", "</V>", "<V_1>", "</V_1>", "<V_2>", "</V_2>", "\n", "x"]), st.text(max_size=5)),
    max_size=30,
).map("".join)


@given(GARBAGE, st.integers(1, 3), st.sampled_from(["stop", "length", ""]))
def test_garbage_never_raises_and_every_suggestion_is_accounted_for(text, n, finish):
    parsed = read(text, n, finish=finish)
    assert len(parsed.suggestions) + len(parsed.faults) == n
    assert all(fault.fault for fault in parsed.faults)
    for suggestion in parsed.suggestions:
        assert suggestion.value
        pairs = [numbered(TAGS, i, n) for i in range(1, n + 1)]
        own = [pair for pair in pairs if last_block(text, *pair) == suggestion.value]
        assert own
        assert not any(tag in suggestion.value for pair in own for tag in pair)


@given(GARBAGE)
def test_a_block_never_holds_a_tag(text):
    block = last_block(text, *TAGS)
    assert block is None or not any(tag in block for tag in TAGS)


def test_a_hostile_reply_is_read_in_linear_time():
    assert last_block("<V>" * 200_000, *TAGS) is None
    assert last_block("</V>" * 200_000, *TAGS) is None
    assert last_block("\n" * 400_000 + "<V>a</V>" + "\n" * 400_000, *TAGS) == "a"


def test_a_person_may_give_bare_values_one_a_line():
    tags = ("<V>", "</V>")
    reply = Reply("  CCO \n\nCCN\nCCC\n")
    found = parse(reply, 2, tags, str, by_person=True)
    assert [(p.value, p.reason) for p in found.suggestions] == [
        ("CCO", "given by a person"),
        ("CCN", "given by a person"),
    ]
    assert not found.faults
    assert parse(Reply("CCO"), 3, tags, str, by_person=True).faults == [], "fewer will do"
    assert parse(reply, 2, tags, str).suggestions == [], "a model has to keep to the tags"
    tagged = parse(Reply("notes\n<V>CCO</V>"), 1, tags, str, by_person=True)
    assert [p.value for p in tagged.suggestions] == ["CCO"]


def test_a_bare_value_that_is_refused_is_named():
    def check(value):
        raise InvalidValue("no ring")

    found = parse(Reply("CCO"), 1, ("<V>", "</V>"), check, by_person=True)
    assert "(CCO) is refused: no ring" in found.complaints[0]
