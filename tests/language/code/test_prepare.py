"""A task is tested before anything is asked: its reference, its generator, and what stands for a failing solution."""

from __future__ import annotations

import time

import pytest

from tests.language.code.tasks import AREA, SLOW_SUM, WRONG_AREA, area, total
from tgsci.errors import UsageError
from tgsci_language.code.prepare import check_task, hidden_set, visible_set
from tgsci_language.sandbox import layers


def test_a_reference_that_fails_its_own_tests_is_named_with_the_test() -> None:
    with pytest.raises(UsageError) as refused:
        check_task(area(reference=WRONG_AREA, hidden=["area(2, 2) == 4"]))
    assert "the reference solution fails test 1, area(2, 3): it gives 5, and the test says 6" in str(refused.value)
    assert "3 of 3 tests fail" in str(refused.value)
    with pytest.raises(UsageError, match="fails hidden test 1"):
        check_task(area(reference=AREA, hidden=["area(2, 2) == 5"]))


def test_a_reference_that_does_not_load_or_raises_is_said() -> None:
    with pytest.raises(UsageError, match="reference solution cannot be used: this is no Python"):
        check_task(area(reference="def area(w, h:"))
    with pytest.raises(UsageError, match="does not load: ModuleNotFoundError"):
        check_task(area(reference="import nothing_of_this_name\n" + AREA))
    with pytest.raises(UsageError, match=r"the reference solution fails test 1, area\(2, 3\): ZeroDivisionError"):
        check_task(area(reference="def area(w, h):\n    return w / 0\n", visible=["area(2, 3)"]))


@pytest.mark.slow
def test_tests_that_never_end_are_said_in_time() -> None:
    started = time.monotonic()
    with pytest.raises(UsageError) as refused:
        check_task(area(reference="def area(w, h):\n    while True: pass\n", seconds=0.3))
    assert "no result after 0.3 s, the time limit" in str(refused.value)
    assert "key 'seconds'" in str(refused.value)
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def inputs(seed): return 3", "must return a list with a list of arguments for each call"),
        ("def inputs(seed): return [1, 2]", "must return a list with a list of arguments"),
        ("def inputs(seed): return []", "must return a list"),
        ("def inputs(): return []", "gives nothing: TypeError"),
        ("def other(seed): return []", "gives nothing"),
        ("def inputs(seed: return []", "gives nothing"),
        ("def inputs(seed): return [(1,)] * 5000", "returns 5,000 calls; at most 1000"),
    ],
)
def test_a_generator_that_makes_no_inputs_is_said(code: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_task(total(inputs=code))
    assert "the key 'inputs'" in str(refused.value)
    assert says in str(refused.value)


def test_hidden_inputs_are_others_than_the_visible_ones() -> None:
    task = total(hidden=["total([3.0]) == 9.0"])
    visible, hidden = visible_set(task), hidden_set(task)
    assert [len(visible.tests), len(visible.inputs), len(hidden.tests), len(hidden.inputs)] == [2, 1, 1, 1]
    assert visible.inputs[0].arguments != hidden.inputs[0].arguments
    values = hidden.inputs[0].arguments[0]
    assert hidden.inputs[0].expected == pytest.approx(sum(value * value for value in values))


def test_the_reference_says_what_open_tests_must_give() -> None:
    task = area(visible=["area(2, 3)", "area(1, 1) == 1"], reference=AREA)
    assert [test.expected for test in visible_set(task).tests] == [6, 1]


@pytest.mark.slow
def test_the_start_is_the_baseline_where_it_passes_and_else_the_reference() -> None:
    assert check_task(total()).baseline == "start"
    assert check_task(total(start="def total(values):\n    return 0\n", reference=SLOW_SUM)).baseline == "reference"
    assert check_task(total(start=None, inputs=None)).baseline == ""


@pytest.mark.slow
def test_what_failing_costs_is_the_same_each_time() -> None:
    assert check_task(total()).penalty == 2.0
    assert check_task(total(start=None, inputs=None)).penalty == 2 * 2000.0
    assert check_task(total(minimise="memory", memory_mb=300)).penalty == 300.0
    assert check_task(total(penalty=7.0)).penalty == 7.0
    assert check_task(area()).penalty is None


def test_the_penalty_of_a_figure_is_that_of_the_start() -> None:
    guess = {"minimise": "returned", "visible": ["total([1.0, 2.0])", "total([])"], "inputs": None, "tolerance": 0.0}
    assert check_task(total(start="def total(values):\n    return 10.0 + len(values)\n", **guess)).penalty == 11.0
    with pytest.raises(UsageError, match="needs the key 'penalty'"):
        check_task(total(start="def total(values):\n    raise ValueError\n", **guess))
    with pytest.raises(UsageError, match="a finite number must be returned"):
        check_task(total(start="def total(values):\n    return 'x'\n", **guess))


def test_without_a_sandbox_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "candidates", lambda: [("bubblewrap", None)])
    with pytest.raises(UsageError, match="no sandbox for code that a model wrote"):
        check_task(area(reference=AREA, statement="Another task, that nobody tested."))
    assert "resource limits only" in check_task(area(unsafe_local=True)).layer
