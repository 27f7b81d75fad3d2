import pytest

from tests.language.datasets.published import HUMANEVAL, SETS, write
from tgsci import UsageError
from tgsci_language.datasets.code_sets import FORMATS, read_tasks
from tgsci_language.datasets.exam import check_references, examine, packages_of
from tgsci_language.sandbox.layers import Local


@pytest.fixture
def tasks(tmp_path):
    return {name: read_tasks(write(tmp_path, rows, f"{name}.jsonl")) for name, rows in SETS.items()}


def marks(task, solution, hidden):
    return [mark.passed for mark in examine(task, solution, hidden=hidden, layer=Local())]


@pytest.mark.parametrize("name", FORMATS)
def test_references_pass_their_own_tests(tasks, name):
    check_references(tasks[name], layer=Local())


def test_a_wrong_solution_may_pass_what_is_visible_and_fail_what_is_hidden(tasks):
    gap = tasks["humaneval"][0]
    wrong = "def largest_gap(numbers): return {(): 0.0, (1.0, 4.0, 2.0): 2.0}.get(tuple(numbers), 9)"
    assert marks(gap, wrong, hidden=False) == [True, True]
    assert marks(gap, wrong, hidden=True) == [False, False, False]
    found = examine(gap, wrong, hidden=True, layer=Local())
    assert found[1].why == "it returned 9"


def test_a_script_runs_apart_from_the_candidate(tasks):
    decode = tasks["humaneval"][1]
    assert marks(decode, decode.reference, hidden=True) == [True, True]
    other = "def decode(text): return 'x' if text == 'ab' else text[::-1]"
    assert marks(decode, other, hidden=True) == [False, True]
    assert marks(decode, "def decode(text): return 'ba'", hidden=True) == [True, False]
    spy = (
        "import sys\ndef decode(text):\n    assert not [n for n in sys.modules if 'random' in n]\n    return text[::-1]"
    )
    assert marks(decode, spy, hidden=True) == [True, True]
    for forge in ("import os\nos._exit(0)", "import sys\nsys.exit(0)", "raise SystemExit"):
        assert not any(marks(decode, f"def decode(text):\n    {forge.replace(chr(10), chr(10) + '    ')}", hidden=True))


LOOP = """
import numpy as np
def is_floats(x):
    return isinstance(x, float)
def assertion(out, exp, atol):
    if is_floats(exp) and atol == 0:
        atol = 1e-6
    assert out == exp or np.allclose(out, exp, rtol=1e-07, atol=atol)
def check(candidate):
    inputs = [[[1.0, 4.0, 2.0]], [[]], [[0.1, 0.4]]]
    results = [2.0, 0.0, 0.3]
    for i, (inp, exp) in enumerate(zip(inputs, results)):
        assertion(candidate(*inp), exp, 0)
"""


def test_a_check_that_loops_over_inputs_runs_as_a_script(tmp_path):
    pytest.importorskip("numpy")
    (task,) = read_tasks(write(tmp_path, [{**HUMANEVAL[0], "test": LOOP}]))
    assert (len(task.hidden), len(task.scripts)) == (0, 1)
    assert marks(task, task.reference, hidden=True) == [True]
    assert marks(task, "def largest_gap(numbers): return 2.0", hidden=True) == [False]


def test_a_linked_list_passes_between_the_two_processes(tasks):
    task = next(each for each in tasks["leetcode"] if each.name == "reverse-list")
    assert marks(task, task.reference, hidden=False) == [True]
    same = "class Solution:\n    def reverse(self, head):\n        return head"
    assert marks(task, same, hidden=False) == [False]
    numbers = "class Solution:\n    def reverse(self, head):\n        return [3, 2, 1]"
    assert marks(task, numbers, hidden=False) == [False]


def test_inputs_are_compared_with_what_the_reference_gives(tasks):
    (gap,) = tasks["humaneval+"]
    close = gap.reference.replace("return max", "return 1e-9 + max")
    assert all(marks(gap, close, hidden=True))
    far = gap.reference.replace("return max", "return 1e-3 + max")
    assert not all(marks(gap, far, hidden=True))


def test_packages_that_a_task_imports_are_there_for_its_solutions(tmp_path):
    pytest.importorskip("numpy")
    row = {**HUMANEVAL[0], "prompt": "import os.path\nimport numpy as np\n" + HUMANEVAL[0]["prompt"]}
    (task,) = read_tasks(write(tmp_path, [row]))
    assert packages_of(task) == ["numpy"]
    solution = "def largest_gap(numbers):\n    return float(np.diff(np.sort(numbers)).max(initial=0.0))"
    assert all(marks(task, solution, hidden=True))
    missing = {**row, "prompt": "import no_such_package\n" + HUMANEVAL[0]["prompt"]}
    with pytest.raises(UsageError, match=r"'no_such_package'.*is not installed here"):
        check_references(read_tasks(write(tmp_path, [missing])), layer=Local())


def test_an_example_of_a_docstring_that_the_reference_contradicts_is_left_out(tmp_path):
    wrong = HUMANEVAL[0]["prompt"].replace("    2.0\n", "    15.0\n")
    tasks = read_tasks(write(tmp_path, [{**HUMANEVAL[0], "prompt": wrong}]))
    (task,) = check_references(tasks, layer=Local())
    assert [len(tasks[0].visible), len(task.visible)] == [2, 1]
    assert all(marks(task, task.reference, hidden=False))


def test_a_reference_that_fails_is_said_before_anything_is_paid(tmp_path):
    path = write(tmp_path, [{**HUMANEVAL[0], "canonical_solution": "    return 1.0\n"}])
    with pytest.raises(UsageError, match=r"HumanEval/1000: the reference solution fails its own test abs"):
        check_references(read_tasks(path), layer=Local())
    path = write(tmp_path, [{**SETS["humaneval+"][0], "canonical_solution": "    return 1 / 0\n"}])
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        check_references(read_tasks(path), layer=Local())
