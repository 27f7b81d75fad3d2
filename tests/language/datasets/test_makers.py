import re

import pytest

from tgsci.errors import UsageError
from tgsci_language.datasets.makers import MAKERS, make_dataset, write_dataset
from tgsci_language.datasets.readers import read_dataset
from tgsci_language.datasets.split import TEXTGRAD_SIZES, split_dataset

_WORDS = dict(zip(["a", "an", "one", "two", "three", "four", "five", "six"], (1, 1, 1, 2, 3, 4, 5, 6), strict=True))


@pytest.mark.parametrize("name", MAKERS)
def test_a_made_set_follows_its_seed_splits_without_overlap_and_is_read_back(tmp_path, name):
    made = make_dataset(name, seed=5)
    assert made == make_dataset(name, seed=5) != make_dataset(name, seed=6)
    write_dataset(made, tmp_path / "made.json")
    assert list(read_dataset(tmp_path / "made.json")) == list(made)
    split_dataset(made, TEXTGRAD_SIZES)


def test_the_answers_of_made_sets_are_right():
    for example in make_dataset("arithmetic", 60):
        formula = example.question.removeprefix("What is ").removesuffix("?")
        assert eval(formula, {"__builtins__": {}}) == int(example.answer)  # noqa: S307 - our own formula
    for example in make_dataset("word-sorting", 30):
        assert example.answer.split() == sorted(example.question.partition("List: ")[2].split())
    for example in make_dataset("object-counting", 60):
        named = re.findall(r"\b(an?|two|three|four) [a-z]+", example.question.partition(" How many")[0])
        assert 1 <= int(example.answer) <= sum(_WORDS[word] for word in named)


def test_a_set_that_nobody_can_make_is_refused():
    with pytest.raises(UsageError, match="did you mean word-sorting"):
        make_dataset("word-sort")
    with pytest.raises(UsageError, match="examples must be a whole number from 1"):
        make_dataset("arithmetic", 0)
