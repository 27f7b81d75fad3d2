"""Questions of a file: published formats, shuffled choices, numbers with units; and what is refused before any call."""

import json

import pytest

from tgsci.errors import UsageError
from tgsci_language.answers.questions import read_questions, speaks_of_places

from .students import write_questions

GPQA = "Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3,Subdomain\n"


def write(tmp_path, text, name="q.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_gpqa_is_read_by_its_published_columns(tmp_path):
    path = write(tmp_path, GPQA + "rec1,Which is a noble gas?,Argon ,Iron,Gold,Lead,Chemistry\n")
    (found,) = read_questions(path).questions
    assert found.example.id == "rec1"
    assert set(found.example.choices) == {"Argon", "Iron", "Gold", "Lead"}
    assert found.right.endswith(") Argon")
    assert found.score(f"Answer: {found.example.answer}").right == 1
    assert found.example.choices[found.example.letters.index(found.example.answer)] == "Argon"


def test_mmlu_has_no_header(tmp_path):
    path = write(tmp_path, "One plus one?,1,2,3,4,B\nTwo plus one?,1,2,3,4,C\n")
    found = read_questions(path, shuffle=False).questions
    assert [(q.example.id, q.right) for q in found] == [("1", "B) 2"), ("2", "C) 3")]
    assert found[0].order == (0, 1, 2, 3)


def test_big_bench_hard_and_gsm8k_are_read_as_published(tmp_path):
    rows = {"examples": [{"input": "How many?", "target": "8"}]}
    (found,) = read_questions(write(tmp_path, json.dumps(rows), "bbh.json")).questions
    assert (found.kind, found.right) == ("text", "8")
    row = {"question": "How much is left?", "answer": "She sells some.\n#### 1,018"}
    (found,) = read_questions(write(tmp_path, json.dumps(row) + "\n", "gsm.jsonl")).questions
    assert (found.kind, found.right) == ("number", "1018")
    assert found.score("Answer: 1018").right == 1


def test_choices_are_shuffled_by_the_seed_and_the_question(tmp_path):
    path = write_questions(tmp_path / "q.csv", 20)
    first, again, other = (read_questions(path, seed=seed).questions for seed in (0, 0, 1))
    assert [q.order for q in first] == [q.order for q in again] != [q.order for q in other]
    assert {q.example.answer for q in first} == set("ABCD")
    for q in first:
        assert q.right.split(") ")[1] == str(eval(q.example.question.split("is ")[1].rstrip("?")))  # noqa: S307


@pytest.mark.parametrize(
    "last", ["all of the above", "None of these", "Both A and B", "A and C only", "Neither", "II and III"]
)
def test_choices_that_speak_of_each_other_stay_where_they_are(tmp_path, last):
    path = write(tmp_path, f"question,A,B,C,D,answer\nWhich?,one,two,three,{last},D\n")
    for seed in range(5):
        (found,) = read_questions(path, seed=seed).questions
        assert found.order == (0, 1, 2, 3)
        assert speaks_of_places(found)


def test_a_question_may_have_fewer_choices(tmp_path):
    path = write(tmp_path, "question,A,B,C,D,answer\nWhich?,one,two,,,B\nAnd?,1,2,3,4,4\n")
    first, second = read_questions(path, shuffle=False).questions
    assert first.example.choices == ("one", "two")
    assert "one of A, B." in first.form
    assert second.right == "D) 4"


def test_numbers_have_a_tolerance_and_a_unit_each(tmp_path):
    path = write(tmp_path, "id,question,answer,unit,tolerance\nh,How high?,1.5,m,0.05\nm,How heavy?,70,kg,1\n")
    high, heavy = read_questions(path).questions
    assert (high.kind, high.unit, high.right) == ("number", "m", "1.5 m")
    assert high.score("so\nAnswer: 1.54 m").right == 1
    assert high.score("Answer: 154 cm").right == 1
    assert high.score("Answer: 1.6 m").right == 0
    assert high.score("Answer: 1.5 kg").right == 0
    assert heavy.score("Answer: 71 kg").right == 1
    assert "UNIT is kg" in heavy.prompt


def test_a_unit_and_a_relative_tolerance_for_all(tmp_path):
    path = write(tmp_path, "question,answer\nHow far?,200\n")
    (found,) = read_questions(path, unit="km", relative=0.01).questions
    assert found.score("Answer: 202 km").right == 1
    assert found.score("Answer: 203 km").right == 0


def test_free_text_and_json_lines_and_other_columns(tmp_path):
    path = write(tmp_path, json.dumps({"task": "Capital of France?", "truth": "Paris"}) + "\n", "q.jsonl")
    (found,) = read_questions(path, question="task", answer="truth").questions
    assert found.kind == "text"
    assert found.score("I think so.\nAnswer: paris.").right == 1
    lists = write(tmp_path, json.dumps({"question": "Which?", "choices": ["x", "y"], "answer": "y"}) + "\n", "c.jsonl")
    (found,) = read_questions(lists, shuffle=False).questions
    assert (found.kind, found.right) == ("choice", "B) y")
    (open_,) = read_questions(lists, answers="text").questions
    assert (open_.kind, open_.right) == ("text", "y")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("question,answer\n", "holds no question"),
        ("query,answer\na,b\n", "no column 'question'"),
        ("question,answr\na,b\n", "no column 'answer'; did you mean answr?"),
        ("question,A,B,answer\nWhich?,1,2,E\n", "the answer 'E' is no choice; there are A, B"),
        ("question,A,B,answer\nWhich?,1,,A\n", "1 choices; there can be 2 to 26"),
        ("question,A,B,answer\nWhich?,,,A\n", "question 1 has no choices"),
        ("question,A,B,answer\nWhich?,1,1,A\n", "the right choice '1' stands there twice"),
        ("question,A,B,answer\nWhich?,1,2,A\nwhich?,2,1,B\n", "question 2 is the same as question 1"),
        ("id,question,answer\nx,Which?,1\nx,Who?,2\n", "two examples have the id 'x'"),
        ("question,answer\n,b\n", "the question is empty"),
        ("question,answer\na,\n", "the answer is empty"),
        ("question,answer,unit\nHow far?,much,km\n", "holds no number"),
        ("question,answer,unit\nHow far?,3,12\n", "'12' is no unit"),
        ("question,answer,unit\nHow far?,3 kg,km\n", "question 1 ('How far?')"),
        ("question,answer,tolerance\nHow far?,3,wide\n", "tolerance must be a number of 0 or more, not 'wide'"),
        ("question,answer,tolerance\nHow far?,3,-1\n", "tolerance must be"),
        ("One?,1,2,3,4,A\nTwo?,1,2,3,4,E\n", "the answer 'E' is no choice"),
        ("One?,1,2,3,4,A\nTwo?,1,2,3,C\n", "row 2 has 5 columns"),
        (GPQA + "r,,Argon,Iron,Gold,Lead,c\n", "the question is empty"),
        (GPQA + "r,Which?,Argon,Iron,,Lead,c\n", "the choice is empty"),
    ],
)
def test_bad_files_are_said_with_the_place(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as said:
        read_questions(path)
    assert words in str(said.value)
    assert "q.csv" in str(said.value)


def test_a_question_that_stands_there_twice_may_be_dropped(tmp_path):
    path = write(tmp_path, "question,A,B,answer\nWhich?,1,2,A\nwhich?,2,1,B\nWho?,1,2,A\n")
    assert [q.example.id for q in read_questions(path, drop_duplicates=True).questions] == ["1", "3"]


def test_a_question_with_two_right_answers_is_refused_in_any_case(tmp_path):
    path = write(tmp_path, "question,A,B,answer\nWhich?,1,2,A\nwhich?,2,1,A\n")
    for drop in (False, True):
        with pytest.raises(UsageError, match="question 2 is the same as question 1 but has another right answer"):
            read_questions(path, drop_duplicates=drop)


def test_other_settings_that_are_none(tmp_path):
    path = write(tmp_path, "question,answer\na,b\n")
    for settings, words in (
        ({"answers": "letters"}, "answers cannot be 'letters'"),
        ({"answers": "choice"}, "question 1 has no choices; name their columns"),
        ({"choices": ["X"]}, "no column 'X'"),
        ({"first": 0}, "first must be a whole number"),
        ({"unit": "??"}, "'??' is no unit"),
        ({"tolerance": -1}, "tolerance must be"),
        ({"relative": 2}, "relative must be"),
    ):
        with pytest.raises(UsageError) as said:
            read_questions(path, **settings)
        assert words in str(said.value)
    with pytest.raises(UsageError, match="cannot read"):
        read_questions(tmp_path / "none.csv")


def test_a_hostile_question_names_a_run_on_one_line(tmp_path):
    path = write(tmp_path, 'id,question,answer\n"=1\n../x","a\nb\x1b[31m' + "z" * 5000 + '",1\n')
    (found,) = read_questions(path).questions
    assert "\n" not in found.value
    assert len(found.value) <= 160


def test_the_digest_tells_questions_apart(tmp_path):
    path = write_questions(tmp_path / "q.csv", 5)
    digest = read_questions(path).digest
    assert digest == read_questions(path).digest
    assert len({digest, read_questions(path, seed=1).digest, read_questions(path, first=4).digest}) == 3
    numbers = write(tmp_path, "question,answer\nHow far?,200\n")
    assert read_questions(numbers, unit="km").digest != read_questions(numbers, unit="km", tolerance=1).digest
