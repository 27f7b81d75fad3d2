"""The example tasks in data/prompts can be built, and their answers are right."""

import re
import tomllib
from pathlib import Path

import pytest

from tgsci.engines.scripted import Scripted
from tgsci_language.datasets.makers import make_dataset
from tgsci_language.datasets.readers import read_dataset
from tgsci_language.prompts.job import absolute
from tgsci_language.prompts.problem import problem

DATA = Path(__file__).parents[3] / "data" / "prompts"


@pytest.mark.parametrize("path", sorted(DATA.glob("*.toml")), ids=lambda path: path.stem)
def test_a_task_is_built(path):
    table = absolute(tomllib.loads(path.read_text())["language"], path.parent)
    del table["kind"]
    made = problem(table, student=Scripted([]))
    assert made.careful is not None
    assert made.notes


def test_the_doses_are_right():
    for example in read_dataset(DATA / "eqd2.csv"):
        figures = [float(text) for text in re.findall(r"\d+(?:\.\d+)?", example.question.replace("2 Gy frac", "frac"))]
        if example.question.startswith(("A plan", "Convert")):
            n, dose, ratio = (figures[0], figures[1], figures[-1])
        else:
            n, dose, ratio = figures[1], figures[0] / figures[1], figures[2]
        assert float(example.answer) == pytest.approx(n * dose * (dose + ratio) / (2 + ratio), abs=0.006)


def test_the_counted_objects_are_those_of_the_maker():
    assert list(read_dataset(DATA / "object-counting.json")) == list(make_dataset("object-counting"))
