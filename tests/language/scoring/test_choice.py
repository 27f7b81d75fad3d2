import pytest

from tgsci_language.datasets.example import Example
from tgsci_language.scoring.choice import Choice

COLOURS = Example("Which?", "B", "1", ("a red one", "a blue one", "none", "all"))


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Step by step ...\nAnswer: B", "B"),
        ("**Answer:** (B) a blue one", "B"),
        ("answer: b", "B"),
        ("Answer: A\nNo, wait.\nAnswer: B.", "B"),
        ("Answer: a blue one", "B"),
        ("Answer: $\\boxed{\\text{B}}$", "B"),
        ("So it is \\boxed{B}", "B"),
        ("B", "B"),
        (" (C). ", "C"),
        ("Answer: Because of that", ""),
        ("Answer: E", ""),
        ("It may be B, or A", ""),
        ("", ""),
    ],
)
def test_the_letter_of_the_choice_is_read(reply, answer):
    found = Choice().score(COLOURS, reply)
    assert (found.answer, found.right) == (answer, float(answer == "B"))
    assert found.fault == {"B": "", "": "no answer"}.get(answer, "wrong choice")


def test_an_open_question_is_complained_of():
    assert "has no choices" in Choice().complaint(Example("?", "x", "1"))
