import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci.errors import InvalidValue
from tgsci_language.prompts.value import Prompt, read_prompt

TRAIN = ["1", "2", "3", "4"]


def test_one_instruction_is_plain_text_and_several_stand_in_their_tags():
    assert read_prompt("  Count.\n", 1) == Prompt(("Count.",))
    two = "<STEP_1>List them.</STEP_1>\n<STEP_2>\nCount\n  them.\n</STEP_2>"
    assert read_prompt(two, 2).steps == ("List them.", "Count\n  them.")
    assert str(read_prompt(two, 2)) == "<STEP_1>\nList them.\n</STEP_1>\n<STEP_2>\nCount\n  them.\n</STEP_2>"


def test_examples_are_named_at_the_end():
    found = read_prompt("Count.\n<EXAMPLES>3, 1</EXAMPLES>\n", 1, 2, TRAIN)
    assert found == Prompt(("Count.",), ("3", "1"))
    assert str(found) == "Count.\n<EXAMPLES>3 1</EXAMPLES>"
    assert read_prompt("Count.<EXAMPLES></EXAMPLES>", 1, 2, TRAIN) == Prompt(("Count.",))


@pytest.mark.parametrize(
    ("value", "steps", "message"),
    [
        ("  ", 1, "the instruction is empty"),
        ("x" * 20_001, 1, "has 20001 characters; the most is 20000"),
        ("Count <STEP_1>", 1, "holds <STEP_1>, which has a meaning"),
        ("Count.<EXAMPLES>9</EXAMPLES>", 1, "no train example '9'; name them by their numbers: 1, 2, 3, 4"),
        ("Count.<EXAMPLES>1 1</EXAMPLES>", 1, "names an example twice"),
        ("Count.<EXAMPLES>1 2 3</EXAMPLES>", 1, "names 3 examples; the most is 2"),
        ("<EXAMPLES>1</EXAMPLES> Count.", 1, "stands once, at the very end"),
        ("<STEP_1>a</STEP_1>", 2, r"no <STEP_2>\.\.\.</STEP_2> in its place; write 2 instructions"),
        ("<STEP_2>a</STEP_2><STEP_1>b</STEP_1>", 2, "no <STEP_1>"),
        ("<STEP_1>a</STEP_1><STEP_2></STEP_2>", 2, "the instruction of step 2 is empty"),
        ("<STEP_1>a</STEP_1><STEP_2>b</STEP_2>c", 2, "after the last step stands 'c'"),
        ("Just count.", 2, "write 2 instructions, each between its own tags"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(value, steps, message):
    with pytest.raises(InvalidValue, match=message):
        read_prompt(value, steps, 2, TRAIN)


def test_examples_are_refused_where_the_task_shows_none():
    with pytest.raises(InvalidValue, match="shows the student no examples"):
        read_prompt("Count.<EXAMPLES>1</EXAMPLES>", 1)


@given(st.text(max_size=200), st.integers(1, 3))
def test_whatever_is_proposed_is_read_or_refused_and_its_canonical_form_is_stable(value, steps):
    try:
        canonical = str(read_prompt(value, steps, 2, TRAIN))
    except InvalidValue:
        return
    assert str(read_prompt(canonical, steps, 2, TRAIN)) == canonical
