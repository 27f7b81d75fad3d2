import pytest

from tests.language.datasets.published import HUMANEVAL, LEETCODE, LISTS, MBPP, MBPP_PLUS, MBPP_SANITIZED, SETS, write
from tgsci import UsageError
from tgsci_language.datasets.code_sets import FORMATS, read_tasks


@pytest.mark.parametrize("name", FORMATS)
def test_each_set_is_told_by_its_fields_and_reads_alike_when_packed(tmp_path, name):
    tasks = read_tasks(write(tmp_path, SETS[name]))
    assert tasks == read_tasks(write(tmp_path, SETS[name], "set.jsonl.gz"), name)
    assert [task.name for task in tasks] == [
        f"MBPP/{r['task_id']}" if name == "mbpp" else r["task_id"] for r in SETS[name]
    ]
    for task in tasks:
        assert task.statement
        assert task.reference
        assert task.visible or task.hidden or task.inputs or task.scripts


def test_humaneval_shows_the_docstring_and_hides_the_check(tmp_path):
    gap, decode = read_tasks(write(tmp_path, HUMANEVAL))
    assert [each.text for each in gap.visible] == ["largest_gap([1.0, 4.0, 2.0]) == 2.0", "largest_gap([]) == 0.0"]
    assert [each.text for each in gap.hidden] == [
        "abs(largest_gap([0.1, 0.4]) - 0.3) < 1e-6",
        "largest_gap([5.0]) == 0.0",
        "largest_gap([1, 2]) + largest_gap([1, 3]) == 3",
    ]
    assert (gap.scripts, len(decode.scripts)) == ([], 1)
    assert "candidate('ab')" not in decode.scripts[0]
    assert "for _ in range(20)" in decode.scripts[0]


def test_docstrings_write_examples_in_many_ways(tmp_path):
    lines = [
        "grow(1) == 2", "grow(2) => 3", "grow(3) ==> 4", "grow(4) ➞ 5", "grow(5) -> 6", "grow(6) → true",
        "grow(1) == 9", "other(1) == 2", "grow(7) == x", "grow(x) == 8", "if grow(8) == 9 then",
        ">>> grow(9)", "10", ">>> grow(10)",
    ]  # fmt: skip
    prompt = 'def grow(x):\n    """ Grow.\n' + "".join(f"    {line}\n" for line in lines) + '    """\n'
    (task,) = read_tasks(write(tmp_path, [{**HUMANEVAL[1], "entry_point": "grow", "prompt": prompt}]))
    assert {each.calls[0].arguments[0]: each.expected for each in task.visible} == {
        1: 2, 2: 3, 3: 4, 4: 5, 5: 6, 6: True, 9: 10,
    }  # fmt: skip


def test_mbpp_hides_its_challenges_or_all_tests_but_the_first(tmp_path):
    shared, area = read_tasks(write(tmp_path, MBPP))
    assert (shared.function, area.function) == ("shared", "area")
    assert (len(shared.visible), len(shared.hidden)) == (2, 1)
    assert (len(area.visible), len(area.hidden)) == (1, 1)
    (double,) = read_tasks(write(tmp_path, MBPP_SANITIZED, "sanitized-mbpp.json"))
    assert [each.text for each in double.hidden] == ["double(-1)==-2", "not double(0)"]


def test_evalplus_inputs_have_the_types_that_json_lost(tmp_path):
    (task,) = read_tasks(write(tmp_path, MBPP_PLUS))
    assert [call.arguments for call in task.inputs] == [((1,), (2,)), ((), ()), ((9, 8), (8,))]


def test_leetcode_shows_as_many_tests_as_asked(tmp_path):
    path = write(tmp_path, LEETCODE[:1])
    assert [(len(t.visible), len(t.hidden)) for n in (0, 2, 3) for t in read_tasks(path, examples=n)] == [
        (0, 4), (2, 2), (3, 1),
    ]  # fmt: skip
    (task,) = read_tasks(path)
    assert dict(task.hidden[0].calls[0].keywords) == {"nums": [1, 5, 9], "target": 14}
    assert task.hidden[0].expected == [1, 2]
    assert task.hidden[0].text == "Solution().twoSum(nums = [1,5,9],target = 14) == [1, 2]"


def test_lists_and_trees_of_leetcode_are_scripts(tmp_path):
    (task,) = read_tasks(write(tmp_path, [LISTS]), examples=2)
    (shown,), (hidden,) = task.visible_scripts, task.scripts
    assert (shown.count("assert"), hidden.count("assert")) == (2, 2)
    assert "range(900)" not in shown
    (task,) = read_tasks(write(tmp_path, [LISTS]), examples=0)
    assert (task.visible_scripts, len(task.scripts)) == ([], 1)


def without(row, key):
    return {name: value for name, value in row.items() if name != key}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "holds no task"),
        ('{"task_id": 1', "line 1: no valid JSON"),
        ('\n{"a": 1}\n', "line 2: the set cannot be told from the fields 'a'"),
        ("[1]", "task 1: a task is a JSON object, not 1"),
        ("7\n", "line 1: a task is a JSON object, not 7"),
        ([without(HUMANEVAL[0], "entry_point")], "line 1: the field 'entry_point' is missing"),
        ([HUMANEVAL[0], HUMANEVAL[0]], "line 2: task 'HumanEval/1000' is also in line 1"),
        ([{**HUMANEVAL[0], "test": "def check(:"}], "line 1: its tests are no Python"),
        ([{**HUMANEVAL[1], "test": "def check(candidate):\n    pass\n"}], "task 'HumanEval/1001' has no test"),
        ([{**HUMANEVAL[0], "prompt": 5}], "the field 'prompt' must be text, not 5"),
        ([{**MBPP[0], "test_list": "assert 1"}], "the field 'test_list' must be a list of texts"),
        ([{**MBPP[0], "code": "x = 1"}], "its tests call no function of its code"),
        ([{**MBPP_PLUS[0], "base_input": [1]}], "must be a list with a list of arguments for each call"),
        ([{**MBPP_PLUS[0], "plus_input": [[1, 2]]}], "not of the types that this task takes"),
        ([{**MBPP_PLUS[0], "atol": "x"}], "the field 'atol' must be a number"),
    ],
)
def test_what_is_malformed_is_said_with_its_line(tmp_path, content, says):
    path = tmp_path / "set.jsonl"
    path.write_text(content) if isinstance(content, str) else write(tmp_path, content)
    with pytest.raises(UsageError) as error:
        read_tasks(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)


def test_a_damaged_or_missing_file_is_said(tmp_path):
    path = tmp_path / "set.jsonl.gz"
    with pytest.raises(UsageError, match="cannot read"):
        read_tasks(path)
    path.write_bytes(b"no gzip")
    with pytest.raises(UsageError, match="cannot read"):
        read_tasks(path)
    path.write_bytes(write(tmp_path, HUMANEVAL, "good.jsonl.gz").read_bytes()[:-30])
    with pytest.raises(UsageError, match="damaged gzip"):
        read_tasks(path)
    with pytest.raises(UsageError, match="format cannot be 'humanevil'; did you mean"):
        read_tasks(write(tmp_path, HUMANEVAL), "humanevil")


def test_nothing_of_a_file_is_executed(tmp_path):
    trap = tmp_path / "trap"
    evil = f"open({str(trap)!r}, 'w')"
    rows = [
        {
            **HUMANEVAL[0],
            "test": f"{evil}\ndef check(candidate):\n    assert candidate({evil}) == 1\n",
            "prompt": f"{evil}\n",
        }
    ]
    read_tasks(write(tmp_path, rows))
    assert not trap.exists()


ODD = [None, 5, -1, True, 1e400, "", "def (", "\udc80", "x" * 3000, [], [1], ["assert"], [[]], [[[]]], {}, {"a": 1}]


@pytest.mark.parametrize("name", FORMATS)
def test_a_field_of_any_kind_is_read_or_refused(tmp_path, name):
    refused = 0
    for row in SETS[name]:
        for key in row:
            for odd in ODD:
                try:
                    read_tasks(write(tmp_path, [{**row, key: odd}]), name)
                except UsageError:
                    refused += 1
    assert refused > 20
