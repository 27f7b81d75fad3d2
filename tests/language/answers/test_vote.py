"""Votes: the most frequent answer, whatever the right one is."""

import pytest

from tgsci_language.answers.questions import read_questions
from tgsci_language.answers.vote import vote


def question(tmp_path, text, **settings):
    path = tmp_path / "q.csv"
    path.write_text(text)
    return read_questions(path, shuffle=False, **settings).questions[0]


def votes(question, *answers, seed=""):
    return vote(question, [question.score(f"Answer: {answer}" if answer else "well") for answer in answers], seed)


@pytest.fixture
def choice(tmp_path):
    return question(tmp_path, "question,A,B,C,answer\nWhich?,x,y,z,B\n")


def test_the_majority_wins_right_or_wrong(choice):
    assert votes(choice, "A", "B", "B").right == 1
    assert votes(choice, "A", "A", "B").answer == "A"
    assert votes(choice, "A", "A", "B").right == 0


def test_a_reply_without_an_answer_has_no_vote(choice):
    assert votes(choice, "", "", "", "B").answer == "B"
    assert votes(choice, "", "").answer == ""
    assert votes(choice, "", "").right == 0


def test_of_equals_the_earliest_wins_or_one_that_does_not_depend_on_the_order(choice):
    assert votes(choice, "C", "A", "A", "C").answer == "C"
    drawn = {votes(choice, *order, seed="0:1").answer for order in ("CAAC", "ACCA", "AACC", "CCAA")}
    assert len(drawn) == 1
    assert {votes(choice, *"AACC", seed=f"{i}:1").answer for i in range(20)} == {"A", "C"}


def test_numbers_agree_within_their_tolerance_and_across_units(tmp_path):
    far = question(tmp_path, "question,answer,unit,tolerance\nHow far?,7,m,0.1\n")
    assert votes(far, "5 m", "7.02 m", "698 cm", "5.2 m").answer == "7.02 m"
    assert votes(far, "5 m", "500 cm", "7 m").right == 0
    assert votes(far, "5 kg", "5 kg", "7 m").answer == "5 kg"
