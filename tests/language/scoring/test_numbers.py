import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci_language.datasets.example import Example
from tgsci_language.scoring.numbers import LastInteger, Number, last_integer


def textgrads(answer):
    """TextGrad 0.1.8's `parse_integer_answer`, as published."""
    try:
        answer = answer.strip()
        answer = [token for token in answer.split() if any(c.isdigit() for c in token)][-1]
        answer = answer.split(".")[0]
        answer = "".join([c for c in answer if c.isdigit()])
        answer = int(answer)
    except (ValueError, IndexError):
        answer = 0
    return answer


@given(st.text(alphabet="0123456789.,$- abAnswer:\n²"), st.integers(1, 10**6))
def test_the_last_integer_agrees_with_textgrads_on_every_reply(reply, wanted):
    ours = LastInteger().score(Example("?", str(wanted), "1"), reply).right
    assert ours == float(textgrads(reply) == textgrads(str(wanted)))


@pytest.mark.parametrize(
    ("reply", "answer", "fault"),
    [
        ("I count 3, then 5.\nAnswer: 8", "8", ""),
        ("Answer: **8**.", "8", ""),
        ("The total is $8.00", "8", ""),
        ("Answer: 7", "7", "off by one"),
        ("Answer: 80", "80", "wrong number"),
        ("Answer: 8\nThat is 4 and 4.", "4", "format"),
        ("It is 8, of that I am 100 % sure", "100", "format"),
        ("2, 3, 5, 8 and 13", "13", "wrong number"),
        ("I cannot say.", "", "no answer"),
    ],
)
def test_the_last_integer_says_what_went_wrong(reply, answer, fault):
    found = LastInteger().score(Example("?", "8", "1"), reply)
    assert (found.answer, found.fault, found.right) == (answer, fault, float(not fault))


@pytest.mark.parametrize("answer", ["-3", "3.5", "many", "1/2"])
def test_a_reference_that_digits_alone_do_not_hold_is_complained_of(answer):
    assert "reads digits only" in LastInteger().complaint(Example("?", answer, "1"))


@pytest.mark.parametrize(
    ("reference", "settings", "reply", "fault"),
    [
        ("-616", {}, "so Answer: -616", ""),
        ("-616", {}, "Answer: 616", "wrong number"),
        ("1234", {}, "Answer: 1,234", ""),
        ("3.14", {"tolerance": 0.01}, "3.15", ""),
        ("3.14", {"tolerance": 0.001}, "3.15", "wrong number"),
        ("100", {"relative": 0.05}, "Answer: about 104", ""),
        ("6.02e23", {"relative": 0.01}, "Answer: 6.0 \u00d7 10^23", ""),
        ("9", {}, "Answer: 8", "off by one"),
        ("9", {}, "no idea", "no answer"),
        ("9", {}, "Answer: between 9 and 12", "format"),
        ("1.5 mm", {}, "Answer: 1.5 mm", ""),
        ("1.5 mm", {}, "Answer: 0.0015 m.", ""),
        ("1.5 mm", {}, "Answer: 1.5 m", "wrong unit"),
        ("1.5 mm", {}, "Answer: 1.5", "wrong unit"),
        ("1.5 mm", {"unit_required": False}, "Answer: 1.5", ""),
        ("1.5 mm", {"unit_required": False}, "Answer: 1.5 kg", "wrong unit"),
        ("9.81", {"unit": "m/s^2"}, "Answer: $9.81 \\, \\text{m/s}^2$", ""),
        ("9.81", {"unit": "m/s^2"}, "Answer: 9.81 m/s\u00b2", ""),
        ("9.81", {"unit": "m/s^2"}, "Answer: 9.81 m / s^2 downwards", ""),
        ("5", {"unit": "\u03bcm"}, "Answer: 5 \u00b5m", ""),
        ("5", {"unit": "\u03bcm"}, "Answer: 5000 nm", ""),
    ],
)
def test_a_number_is_compared_with_its_tolerance_and_unit(reference, settings, reply, fault):
    assert Number(**settings).score(Example("?", reference, "1"), reply).fault == fault


def test_a_number_scorer_complains_of_a_reference_without_a_number():
    assert "holds no number" in Number().complaint(Example("?", "red", "1"))
    assert not Number(unit="Gy").complaint(Example("?", "70.2", "1"))


@pytest.mark.parametrize("text", ["1," * 500_000, "9" * 1_000_000, "1e" * 500_000, "-" * 1_000_000, "\ud800 7"])
def test_hostile_replies_are_scored_in_no_time(text):
    started = time.process_time()
    for scorer in (LastInteger(), Number(unit="Gy")):
        assert scorer.score(Example("?", "8", "1"), text).right == 0
    assert last_integer("\u00b2") == 0
    assert time.process_time() - started < 5
