import pytest

from tgsci.errors import UsageError
from tgsci_language.datasets.example import Dataset, Example
from tgsci_language.datasets.split import TEXTGRAD_SIZES, Split, make_split, split_dataset


def numbers(count, name="n"):
    return Dataset(name, tuple(Example(f"{i}?", str(i), str(i)) for i in range(1, count + 1)))


def test_textgrads_split_is_the_first_50_the_next_100_and_the_last_100():
    split = split_dataset(numbers(250), TEXTGRAD_SIZES)
    ends = [(part[0].id, part[-1].id, len(part)) for part in split.sets.values()]
    assert ends == [("1", "50", 50), ("51", "150", 100), ("151", "250", 100)]


def test_shares_are_taken_of_a_set_that_a_seed_mixes():
    split = split_dataset(numbers(50), shuffle=3)
    assert [len(part) for part in split.sets.values()] == [10, 20, 20]
    assert split == split_dataset(numbers(50), shuffle=3) != split_dataset(numbers(50), shuffle=4)
    assert len({e.id for part in split.sets.values() for e in part}) == 50


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((5, 5, 5), r"split asks for 5 \+ 5 \+ 5 = 15 examples; there are 10"),
        ((0.5, 0.4, 0.2), "the shares of split add up to 1.1"),
        ((0.05, 0.4, 0.4), "the train set is empty"),
        ((1, 2), "split must be 3 numbers, of train and validation and test"),
        ((1, -2, 3), "a size of split must be a number above 0"),
        ((1.5, 2, 3), "a size of split must be a whole number"),
        ("abc", "split must be 3 numbers, of train and validation and test"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes, message):
    with pytest.raises(UsageError, match=message):
        split_dataset(numbers(10), sizes)


def test_a_set_that_overlaps_is_refused_and_says_where_and_what_to_do():
    first, copy = Example("What is 1+1?", "2", "4"), Example("what is  1+1?", "2", "9")
    with pytest.raises(UsageError, match=r'overlaps.*test 9 and train 4: .what is  1\+1.*duplicates = "drop"'):
        make_split([first], numbers(3), [copy])


def test_dropping_duplicates_keeps_the_copy_in_test_and_each_question_once():
    train = [Example("a?", "1", "1"), Example("b?", "1", "2")]
    test = [Example("A?", "1", "3"), Example("a?", "1", "4"), Example("c?", "1", "5")]
    split = make_split(train, numbers(2), test, drop_duplicates=True)
    assert [[e.id for e in part] for part in split.sets.values()] == [["2"], ["1", "2"], ["3", "5"]]


def test_one_question_with_two_answers_is_refused():
    with pytest.raises(UsageError, match="one question has two answers, '2' and '3'"):
        make_split([Example("x?", "2", "1"), Example("x?", "3", "2")], numbers(1), numbers(2)[1:])


def test_an_empty_set_is_refused():
    with pytest.raises(UsageError, match="the test set is empty"):
        Split(numbers(1), Dataset("v", (Example("z", "1", "1"),)), Dataset("t", ()))
