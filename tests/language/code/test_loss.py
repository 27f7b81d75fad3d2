"""Code as a loss, in the real sandbox: what fails, what is slow, what lies, and the page about it."""

from __future__ import annotations

import pickle
import time

import pytest

import tgsci as tg
from tests.language.code.tasks import AREA, FAST_SUM, SLOW_SUM, WRONG_AREA, area, total
from tgsci.errors import InvalidValue
from tgsci.testing import check_loss
from tgsci_language import CodeLoss
from tgsci_language.code.page import LONGEST


@pytest.fixture(scope="module")
def loss() -> CodeLoss:
    return CodeLoss(area())


def measured(loss: CodeLoss, code: str) -> tg.Feedback:
    return loss.measure(loss.validate(code))


def test_it_keeps_the_contract_of_losses(loss: CodeLoss) -> None:
    check_loss(loss, [AREA, f"```\n{WRONG_AREA}```"], ["", "area = ", "def other(w, h): pass"])


def test_hostile_values_are_refused_and_never_break_it(loss: CodeLoss) -> None:
    for value in ("", "\x00", "(" * 5_000, "[" * 100_000, "x" * 1_000_000, "\ud800", "area = " + "-" * 30_000 + "1"):
        with pytest.raises(InvalidValue):
            loss.validate(value)


def test_right_code_has_loss_zero(loss: CodeLoss) -> None:
    feedback = measured(loss, f"```python\n{AREA}```")
    assert feedback.loss == 0.0
    assert feedback.feasible
    assert feedback.metrics == {"visible tests passed": 3}
    assert feedback.text.startswith("3 of 3 visible tests pass.")


def test_wrong_code_is_told_test_by_test(loss: CodeLoss) -> None:
    feedback = measured(loss, WRONG_AREA)
    assert feedback.loss == 1.0
    assert feedback.violations == {"test 1": 1.0, "test 2": 1.0, "test 3": 1.0}
    assert "test 1: area(2, 3)\n  expected: 6\n  got: 5 (off by 1)" in feedback.text


def test_an_exception_is_told_with_its_line_and_what_was_printed(loss: CodeLoss) -> None:
    code = "def area(w, h):\n    print('at', w)\n    return w * h if w else {}[h]\n"
    feedback = measured(loss, code)
    assert feedback.loss == pytest.approx(1 / 3)
    assert feedback.violations == {"test 3": 1.0}
    assert "failed: KeyError: 7 at line 3: return w * h if w else {}[h]" in feedback.text
    assert "printed: 'at 0'" in feedback.text
    assert "passed: test 1 (" in feedback.text


def test_code_that_does_not_load_is_told_once_with_its_line(loss: CodeLoss) -> None:
    feedback = measured(loss, "import nothing_of_this_name\n\n" + AREA)
    assert feedback.loss == 1.0
    assert feedback.text.count("ModuleNotFoundError") == 1
    assert "at line 1: import nothing_of_this_name" in feedback.text


@pytest.mark.slow
def test_slow_code_is_stopped_and_profiled_by_line() -> None:
    loss = CodeLoss(area(seconds=0.5))
    code = "def area(w, h):\n    if w == 2:\n        while w:\n            w += h\n    return w * h\n"
    feedback = measured(loss, code)
    assert feedback.violations == {"test 1": 1.0}
    assert "stopped: no result after 0.5 s, the time limit at line" in feedback.text
    assert "Where the time goes, by line" in feedback.text
    assert "times  line 4: w += h" in feedback.text


@pytest.mark.parametrize(
    "code",
    [
        "import os\ndef area(w, h): os._exit(0)\n",
        "import os\nos._exit(0)\ndef area(w, h): return w * h\n",
        "import sys\ndef area(w, h): sys.exit()\n",
        "def area(w, h): return area(w, h)\n",
        "def area(w, h): return [0] * 10**11\n",
        "def area(w, h):\n    class Six(int):\n        def __eq__(self, other): return True\n    return Six(1000)\n",
        "def area(w, h):\n    class Any:\n        def __eq__(self, other): return True\n    return Any()\n",
        "def area(w, h): return 'x' * 100_000_000\n",
        "import signal, os\ndef area(w, h): os.kill(os.getppid(), signal.SIGKILL)\n",
        "raise SystemExit\ndef area(w, h): return w * h\n",
    ],
)
def test_hostile_code_fails_its_tests_and_nothing_else(loss: CodeLoss, code: str) -> None:
    feedback = measured(loss, code)
    assert feedback.loss == 1.0
    assert len(feedback.text) <= LONGEST


@pytest.mark.slow
def test_a_module_that_never_loads_costs_its_limit(loss: CodeLoss) -> None:
    started = time.monotonic()
    feedback = measured(loss, "while True: pass\ndef area(w, h): return w * h\n")
    assert feedback.loss == 1.0
    assert "does not load" in feedback.text
    assert time.monotonic() - started < 30


def test_the_page_is_bounded_whatever_is_returned_and_however_many_tests() -> None:
    many = CodeLoss(area(visible=[f"area({n}, 1) == {n}" for n in range(1, 300)]))
    feedback = measured(many, "def area(w, h):\n    print('y' * 100_000)\n    raise ValueError('x' * 100_000)\n")
    assert len(feedback.text) <= LONGEST
    assert "0 of 299 visible tests pass" in feedback.text
    assert "and 273 more tests fail" in feedback.text


def test_hidden_tests_are_no_part_of_the_loss() -> None:
    task = area(hidden=["area(12345, 6789) == 83810205"])
    loss = CodeLoss(task)
    assert b"12345" not in pickle.dumps(loss)
    assert loss.fingerprint == CodeLoss(area()).fingerprint
    assert "12345" not in measured(loss, WRONG_AREA).text


@pytest.mark.slow
def test_run_time_is_measured_beside_the_start() -> None:
    loss = CodeLoss(total())
    assert loss.units["loss"] == "of the start's"
    start, fast = measured(loss, SLOW_SUM), measured(loss, FAST_SUM)
    assert 0.2 < start.loss < 5, "the start against itself, on a machine that does other things too"
    assert start.metrics["time"] != start.metrics["baseline time"], "measured, and not taken for the same"
    assert fast.loss < start.loss
    assert fast.feasible
    assert fast.metrics["speed-up"] == pytest.approx(1 / fast.loss)
    assert fast.metrics["time"] / fast.metrics["baseline time"] == pytest.approx(fast.loss)
    assert "Run time:" in fast.text
    assert "of the start's time" in fast.text


def test_fast_and_wrong_is_charged_and_never_wins() -> None:
    loss = CodeLoss(total())
    wrong = measured(loss, "def total(values):\n    return 5.0 if values else 0\n")
    assert wrong.violations == {"input 1": 1.0}
    assert wrong.loss == loss.checked.penalty
    assert "speed-up" not in wrong.metrics
    assert not tg.is_better(wrong, measured(loss, SLOW_SUM))
    assert "charged" in wrong.text


@pytest.mark.slow
def test_results_within_the_tolerance_are_right() -> None:
    code = "def total(values):\n    return sum([v * v for v in reversed(values)])\n"
    assert measured(CodeLoss(total(repeats=1)), code).feasible
    assert not measured(CodeLoss(total(repeats=1, tolerance=0.0)), code.replace("* v", "* v * (1 + 1e-15)")).feasible


def test_a_forged_clock_is_seen_from_outside() -> None:
    forged = (
        "import sys\n"
        "driver = next(m for n, m in sys.modules.items() if n.endswith('driver'))\n"
        "driver.thread_time = driver.perf_counter = lambda: 1.0\n"
        "def total(values):\n"
        "    for _ in range(300_000):\n        pass\n"
        "    return sum([v * v for v in values])\n"
    )
    loss = CodeLoss(total())
    feedback = measured(loss, forged)
    assert feedback.feasible
    assert feedback.loss > 1.0, "slower than the start, whatever its own clock says"
    assert "From outside the sandbox" in feedback.text


def test_nothing_is_remembered_from_one_timed_run_to_the_next() -> None:
    lazy = (
        "known = {}\n"
        "def total(values):\n"
        "    key = len(values)\n"
        "    if key not in known:\n"
        "        known[key] = sum([v * v for v in values for _ in range(20)]) / 20\n"
        "    return known[key]\n"
    )
    assert measured(CodeLoss(total()), lazy).loss > 1.0


def test_memory_is_read_from_outside() -> None:
    loss = CodeLoss(total(minimise="memory", repeats=1))
    lean, fat = measured(loss, SLOW_SUM), measured(loss, "big = bytearray(60_000_000)\n" + SLOW_SUM)
    assert 40 < fat.metrics["memory"] - lean.metrics["memory"] < 80
    assert fat.loss == fat.metrics["memory"]


def test_a_returned_and_a_printed_figure() -> None:
    open_tests = {"visible": ["total([1.0])", "total([2.0])"], "inputs": None, "start": None, "penalty": 99.0}
    returned = CodeLoss(total(minimise="returned", **open_tests))
    assert measured(returned, "def total(values):\n    return 10 * values[0]\n").loss == 15.0
    assert measured(returned, "def total(values):\n    return 'low'\n").loss == 99.0
    printed = CodeLoss(total(minimise="printed", **open_tests))
    assert measured(printed, "def total(values):\n    print('iterations: 3, energy', -values[0])\n").loss == -1.5
    silent = measured(printed, "def total(values):\n    return 1\n")
    assert silent.loss == 99.0
    assert "a finite number must be printed last" in silent.text


def test_a_score_is_worked_out_where_the_solution_never_was() -> None:
    score = (
        "def score(result, values):\n"
        "    assert len(result) == len(values), 'an item is missing'\n"
        "    return sum(result)\n"
    )
    loss = CodeLoss(
        total(minimise="score", score=score, visible=["total([1.0, 2.0])"], inputs=None, start=None, penalty=99.0)
    )
    assert measured(loss, "def total(values):\n    return [v / 2 for v in values]\n").loss == 1.5
    refused = measured(loss, "def total(values):\n    return []\n")
    assert refused.loss == 99.0
    assert "AssertionError: an item is missing" in refused.text


def test_without_a_sandbox_the_page_says_so() -> None:
    assert "without a sandbox" in measured(CodeLoss(area(unsafe_local=True)), AREA).text


def test_a_careful_measurement_repeats_more() -> None:
    loss = CodeLoss(total(repeats=3))
    assert loss.careful.task.repeats == 9
    assert loss.careful.checked is loss.checked


def test_a_value_as_a_variable_gets_the_page_as_its_gradient(loss: CodeLoss) -> None:
    variable = tg.Variable(WRONG_AREA, role_description="a function")
    loss(variable).backward()
    assert "expected: 6" in next(iter(variable.gradients)).value


def test_without_a_baseline_the_run_time_is_in_milliseconds() -> None:
    loss = CodeLoss(total(start=None, inputs=None, visible=["total([1.0, 2.0]) == 5.0"]))
    feedback = measured(loss, SLOW_SUM)
    assert loss.units["loss"] == "ms"
    assert 0 < feedback.loss == feedback.metrics["time"] < 100
    assert "baseline time" not in feedback.metrics


def test_a_condition_is_worked_out_on_what_came_back() -> None:
    loss = CodeLoss(area(visible=["abs(area(2, 3) - 6) < 0.1", "len(area(1, 1)) == 2"]))
    feedback = measured(loss, AREA)
    assert feedback.violations == {"test 2": 1.0}
    assert "expected: len(area(1, 1)) == 2" in feedback.text
    assert "got: 1 (TypeError: object of type 'int' has no len())" in feedback.text


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ("__import__('functools').reduce(lambda deep, _: [deep], range(199), 1.0)", "cannot be scored"),
        ("10**400", "must be a finite number, not 1000"),
        ("float('nan')", "must be a finite number, not nan"),
        ("None", "must be a finite number, not None"),
        ("object()", "no plain data"),
    ],
)
def test_a_result_that_cannot_be_scored_costs_one_trial(result: str, says: str) -> None:
    score = "def score(result, values):\n    return result\n"
    loss = CodeLoss(
        total(minimise="score", score=score, visible=["total([1.0])"], inputs=None, start=None, penalty=99.0)
    )
    feedback = measured(loss, f"def total(values):\n    return {result}\n")
    assert feedback.loss == 99.0
    assert says in feedback.text


def test_a_forged_clock_gains_nothing_where_there_is_no_baseline() -> None:
    forged = (
        "import sys\n"
        "driver = next(m for n, m in sys.modules.items() if n.endswith('driver'))\n"
        "driver.thread_time = lambda: 1.0\n" + SLOW_SUM.replace("found = 0.0", "found = sum(range(300_000)) * 0.0")
    )
    loss = CodeLoss(total(start=None, inputs=None, visible=["total([1.0, 2.0]) == 5.0"]))
    assert measured(loss, forged).loss > 1.0
