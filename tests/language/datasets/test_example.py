import pytest

from tgsci.errors import UsageError
from tgsci_language.datasets.example import Dataset, Example


def test_a_question_with_choices_lists_them_and_takes_the_letter_or_the_text_of_the_right_one():
    by_letter = Example("Which?", "b", "1", ("red", "blue"))
    by_text = Example("Which?", "blue", "1", ("red", "blue"))
    assert by_letter == by_text
    assert (by_letter.answer, by_letter.prompt) == ("B", "Which?\n\nA) red\nB) blue")


@pytest.mark.parametrize("answer", ["C", "green", "AB", "1"])
def test_an_answer_that_is_no_choice_is_refused(answer):
    with pytest.raises(UsageError, match=f"example 7: the answer '{answer}' is no choice; there are A, B"):
        Example("Which?", answer, "7", ("red", "blue"))


@pytest.mark.parametrize(("question", "answer"), [("", "1"), ("  ", "1"), ("?", ""), ("x" * 100_001, "1")])
def test_an_empty_or_endless_text_is_refused(question, answer):
    with pytest.raises(UsageError, match=r"example 3: the (question|answer)"):
        Example(question, answer, "3")


def test_two_examples_ask_the_same_where_only_case_width_and_spaces_differ():
    assert Example("What  IS\n1\uff0b1?", "2", "1").key == Example("what is 1+1?", "2", "2").key
    assert Example("Q", "A", "1", ("x", "y")).key != Example("Q", "A", "1", ("x", "z")).key


def test_the_digest_of_a_set_follows_its_content_and_order_and_an_id_stands_once():
    one, two = Example("a", "1", "1"), Example("b", "2", "2")
    assert Dataset("x", (one, two)).digest == Dataset("y", (one, two)).digest != Dataset("x", (two, one)).digest
    with pytest.raises(UsageError, match="two examples have the id '1'"):
        Dataset("x", (one, one))
