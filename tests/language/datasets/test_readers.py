import json

import pytest

from tgsci.errors import UsageError
from tgsci_language.datasets.readers import read_dataset, read_rows


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_big_bench_hard_gsm8k_and_mmlu_are_told_from_the_file(tmp_path):
    bbh = written(
        tmp_path, "counting.json", json.dumps({"canary": "x", "examples": [{"input": "1+1?", "target": "2"}]})
    )
    gsm = written(tmp_path, "gsm.jsonl", json.dumps({"question": "How much?", "answer": "so\n#### 1,234"}) + "\n\n")
    mmlu = written(tmp_path, "physics_test.csv", 'Which?,a,"b, c",d,e,B\nWhy?,1,2,3,4,D\n')
    assert [(e.question, e.answer, e.id) for e in read_dataset(bbh)] == [("1+1?", "2", "1")]
    assert [e.answer for e in read_dataset(gsm)] == ["1234"]
    assert [(e.choices[1], e.answer) for e in read_dataset(mmlu)] == [("b, c", "B"), ("2", "D")]
    assert read_dataset(mmlu).name == "physics_test"


def test_two_named_columns_of_any_csv_or_json_lines_are_read(tmp_path):
    table = written(tmp_path, "a.csv", "\ufeffid,Frage,Antwort\n1,Wie viel?,3.5\n2,Wo?,hier\n")
    tabbed = written(tmp_path, "a.tsv", "question\tanswer\nq, r\t1\n")
    european = written(tmp_path, "b.csv", "question;answer\n1,5 mal 2?;3,0\n")
    assert [(e.question, e.answer) for e in read_dataset(european)] == [("1,5 mal 2?", "3,0")]
    quoted = written(tmp_path, "c.csv", '\ufeffquestion;answer\r\n"1;2?";3\r\n')
    assert [(e.question, e.answer) for e in read_dataset(quoted)] == [("1;2?", "3")]
    lines = written(tmp_path, "a.jsonl", '{"q": "x?", "a": 7}\n{"q": "y?", "a": "no"}\n')
    found = read_dataset(table, question="Frage", answer="Antwort")
    assert [(e.question, e.answer) for e in found] == [("Wie viel?", "3.5"), ("Wo?", "hier")]
    assert read_dataset(tabbed)[0].question == "q, r"
    assert [e.answer for e in read_dataset(lines, question="q", answer="a")] == ["7", "no"]


def test_choices_are_columns_of_a_csv_or_a_list_in_json_lines(tmp_path):
    table = written(tmp_path, "a.csv", "question,first,second,answer\nWhich?,x,y,y\n")
    lines = written(tmp_path, "a.jsonl", '{"question": "?", "options": ["x", "y", "z"], "answer": "C"}\n')
    assert read_dataset(table, choices=["first", "second"])[0].answer == "B"
    assert read_dataset(lines, choices=["options"])[0].choices == ("x", "y", "z")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "question,anser\n1,2\n", "row 1 has no column 'answer'; did you mean anser"),
        ("a.csv", "question,answer\n1\n", "row 1 has 1 cells; the header names 2 columns"),
        ("a.csv", "question,question\n1,2\n", "two columns have the same name"),
        ("a.csv", "question,answer\n", "it holds no example"),
        ("a.csv", "", "it is empty"),
        ("a.csv", 'question,answer\n"x,1\n', "a.csv: no valid CSV, in line 2"),
        ("a.csv", "question,answer\nwhat?,\n", "example 1: the answer is empty"),
        ("a.csv", b"question,answer\ncaf\xe9,1\n", "is not UTF-8: byte 0xe9 in line 2; save it as UTF-8"),
        ("a.csv", "q,a\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        ("a.csv", "Which?,a,b,c,d,B\nWhy?,1,2,3,D\n", "row 2 has 5 columns; MMLU has 6"),
        ("a.csv", "Which?,a,b,c,d,B\nWhy?,1,2,3,4,E\n", "example 2: the answer 'E' is no choice; there are A, B, C, D"),
        ("a.jsonl", "{", "line 1 is no valid JSON"),
        ("a.jsonl", "[1]\n", "line 1 is .* not an object"),
        ("a.jsonl", '{"question": "?", "answer": null}\n', "row 1: answer must be text or a number, not None"),
        ("a.jsonl", '{"question": "?", "answer": "x #### "}\n', "row 1: there is no `#### answer` in 'x #### '"),
        ("a.json", '{"questions": []}', "a list `examples`; there is none"),
        ("a.json", '{"examples": [3]}', "example 1 is 3, not an object"),
        ("a.json", "[" * 100_000, "no valid JSON"),
        ("a.txt", "x", "the format cannot be told from the name; say which: bbh, gsm8k, mmlu, csv, jsonl"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_place(tmp_path, name, content, message):
    with pytest.raises(UsageError, match=message):
        read_dataset(written(tmp_path, name, content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*nowhere\.csv: No such file"):
        read_dataset(tmp_path / "nowhere.csv")


def test_rows_are_read_with_all_their_columns(tmp_path):
    assert read_rows(written(tmp_path, "a.csv", "x,y\n1,2\n")) == [("1", {"x": "1", "y": "2"})]
    assert read_rows(written(tmp_path, "a.jsonl", '{"x": [1]}\n')) == [("1", {"x": [1]})]
