"""The example questions of data/answers: they are read, and their reference answers follow from the constants."""

import math
from pathlib import Path

import pytest

from tgsci_language import read_questions

DATA = Path(__file__).parents[3] / "data" / "answers"
#: CODATA 2018, SI.
H, C, E, R = 6.62607015e-34, 2.99792458e8, 1.602176634e-19, 8.314462618

WORKED_OUT = {
    "decay": 400 / 2 ** (24 / 6),
    "photon": H * C / 0.1e-9 / E / 1e3,
    "layers": 0.9 * math.log2(1 / 0.125),
    "alpha": 5 * 20,
    "lifetime": 10 / math.log(2),
    "bed": 60 * (1 + 2 / 10),
    "eqd2": 25 * (5 + 10) / (2 + 10),
    "salt": 5.85 / 58.5 / 0.250,
    "binding": R / 4184 * 298 * math.log(1e-9),
    "arrhenius": 1 / (1 / 300 - R * math.log(2) / 50e3),
    "mass": 1e-6 * C**2 / 1e9,
    "pressure": 1000 * 9.81 * 10 / 1e3,
}


@pytest.mark.parametrize("question", read_questions(DATA / "quantities.csv").questions, ids=lambda q: q.example.id)
def test_a_quantity_is_right(question):
    value = WORKED_OUT[question.example.id]
    assert question.score(f"Answer: {value:.6g} {question.unit}").right == 1
    assert question.score(f"Answer: {1.03 * value:.6g} {question.unit}").right == 0


def test_the_choices_are_shuffled_and_have_one_right_each():
    questions = read_questions(DATA / "choices.csv").questions
    assert len(questions) == 8
    assert len({q.example.answer for q in questions}) > 1
    assert all(q.order[q.example.letters.index(q.example.answer)] == 0 for q in questions)
