import json
from pathlib import Path

import pytest

from tgsci.basics.settings import read
from tgsci.errors import UsageError
from tgsci_language.datasets.makers import make_dataset, write_dataset
from tgsci_language.prompts.job import PromptJob, absolute


def job(**settings):
    return read(PromptJob, {"instruction": "x", **settings}, "[language]")


@pytest.fixture
def bbh(tmp_path):
    write_dataset(make_dataset("object-counting"), tmp_path / "a.json")
    return str(tmp_path / "a.json")


def lines(path, *numbers):
    path.write_text("".join(json.dumps({"question": f"{n}?", "answer": n}) + "\n" for n in numbers))
    return str(path)


def sizes(split):
    return [len(dataset) for dataset in split.sets.values()]


def test_a_big_bench_hard_file_is_split_as_textgrad_does(bbh):
    split = job(data=bbh).read_split()
    assert sizes(split) == [50, 100, 100]
    assert (split.train[0].id, split.validation[0].id, split.test[0].id) == ("1", "51", "151")
    assert job(data=bbh, shuffle=True).read_split().train[0].id != "1"


def test_another_file_is_mixed_and_split_by_shares(tmp_path):
    data = lines(tmp_path / "a.jsonl", *range(1, 51))
    assert sizes(job(data=data).read_split()) == [10, 20, 20]
    assert [e.id for e in job(data=data, shuffle=False).read_split().train] == [str(n) for n in range(1, 11)]
    assert job(data=data).read_split() != job(data=data, split_seed=1).read_split()


def test_test_may_be_a_file_of_its_own_and_so_may_all_three(tmp_path):
    one, two, three = (lines(tmp_path / f"{n}.jsonl", *range(10 * n, 10 * n + 8)) for n in (1, 2, 3))
    assert sizes(job(data=one, test=two).read_split()) == [4, 4, 8]
    assert sizes(job(data=one, test=two, split=[2, 5]).read_split()) == [2, 5, 8]
    assert sizes(job(train=one, validation=two, test=three).read_split()) == [8, 8, 8]
    with pytest.raises(UsageError, match="two numbers: of train and validation"):
        job(data=one, test=two, split=[2, 5, 1]).read_split()
    with pytest.raises(UsageError, match="the split overlaps"):
        job(data=one, test=one).read_split()
    with pytest.raises(UsageError, match="the train set is empty"):
        job(train=one, validation=two, test=one, duplicates="drop").read_split()


def test_paths_of_a_task_are_meant_beside_its_file(tmp_path):
    found = absolute({"data": "sub/a.csv", "test": "/b.csv", "split": [1]}, tmp_path)
    assert found == {"data": str(tmp_path / "sub" / "a.csv"), "test": "/b.csv", "split": [1]}
    assert absolute({"scorer": {"kind": "function", "file": "s.py"}}, tmp_path)["scorer"]["file"] == str(
        tmp_path / "s.py"
    )
    assert Path(absolute({"data": "~/a.csv"}, tmp_path)["data"]).is_absolute()
    with pytest.raises(UsageError, match="data must be a file's path, not 3"):
        absolute({"data": 3}, tmp_path)
