import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci_language.datasets.example import Example
from tgsci_language.scoring.build import make_scorer
from tgsci_language.scoring.scorer import FAULTS, plain, stated

SCORERS = [make_scorer(kind) for kind in ("exact", "last integer", "number", "choice")]
SCORERS += [make_scorer({"kind": "number", "unit": "Gy", "relative": 0.1})]
CHOICE = Example("Which?", "B", "1", ("12", "30 Gy"))
OPEN = Example("How much?", "30", "2")
PIECES = st.sampled_from(
    ["Answer:", "answer is", "30", "3.0e1", " Gy", "B", "(b)", "\\boxed{B}", "\n", "**", "-", "^2"]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join))
def test_whatever_a_model_writes_is_scored(reply):
    for scorer in SCORERS:
        example = CHOICE if scorer.name == "choice" else OPEN
        score = scorer.score(example, reply)
        assert score.right in (0.0, 1.0)
        assert (score.fault == "") == (score.right == 1.0)
        assert score.fault in ("", *FAULTS)
        assert len(score.answer) <= 300


def test_the_last_answer_that_is_stated_counts():
    assert stated("Answer: 1\nNo.\n**Answer:** 2 \n") == "** 2"
    assert stated("The answer is: x") == "x"
    assert stated("The answers are many") is None


@pytest.mark.parametrize("text", ["  Two\n words. ", '"two words"', "**Two words**", "\uff34wo words"])
def test_texts_are_compared_in_one_form(text):
    assert plain(text) == "two words"
