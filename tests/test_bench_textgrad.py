"""The counterparts of TextGrad's evaluation scripts: one command each, what was reported beside what was measured."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tgsci.engines.scripted import Scripted
from tgsci_language.datasets.makers import make_dataset, write_dataset

from .language.answers.students import Student, write_questions
from .language.prompts import scripts

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name: str) -> Any:
        for module in (name, "_textgrad"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        return importlib.import_module(name)

    return load


def test_solutions_beside_the_control(bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_questions(tmp_path / "machine_learning_test.csv", 5)
    arguments = [str(data), "--work", str(tmp_path / "work"), "--iterations", "1", "--first", "4"]
    assert bench("textgrad_answers").main(arguments, Student(0.5, True)) == 0
    shown = capsys.readouterr().out
    assert "MMLU machine learning (112 questions, gpt-4o): 85.7 -> 88.4" in shown
    assert "base 85.7, the three iterations 83.9, 84.8 and 83.9, majority 88.4" in shown
    assert "plain sampling: vote over " in shown
    assert "refinement minus sampling is" in shown
    again = Student(0.5, True)
    assert bench("textgrad_answers").main(arguments, again) == 0
    assert again.calls == []  # it goes on, and nothing was left
    assert bench("textgrad_answers").main([str(tmp_path / "none.csv")], again) == 1
    assert "cannot read" in capsys.readouterr().err


@pytest.mark.slow
def test_prompts_before_and_after_on_test(bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "object_counting.json"
    write_dataset(make_dataset("object-counting", 250), data)
    script = bench("textgrad_prompt")
    arguments = [str(data), "--work", str(tmp_path / "work"), "--steps", "2"]
    better = f"{script.START['number']} Count one by one, then check."
    student, engine = scripts.Student(scripts.split((50, 100, 100))), scripts.Proposer(better)
    assert script.main(arguments, engine, student) == 0
    shown = capsys.readouterr().out
    assert "BIG-Bench Hard object counting (gpt-3.5-turbo, improved by gpt-4o): 77.8 -> 91.9" in shown
    assert "measured here, on test: " in shown
    assert "Test shows that the best instruction is better than the first one." in shown
    asked = len(student.calls)
    assert script.main([*arguments, "--engine", "nonsense"], student=student) == 1
    assert "no provider is known for the model 'nonsense'" in capsys.readouterr().err
    assert script.main(arguments, engine, student) == 0
    assert len(student.calls) == asked


def write_tasks(path: Path) -> Path:
    """Write two tasks as LeetCodeDataset has them; the visible tests of the second do not tell all."""
    row = {
        "task_id": "add",
        "query": "Add two whole numbers.",
        "entry_point": "Solution().add",
        "starter_code": "class Solution:\n    def add(self, a: int, b: int) -> int:\n        ",
        "prompt": "",
        "completion": "class Solution:\n    def add(self, a, b):\n        return a + b\n",
        "test": "def check(candidate):\n"
        + "".join(
            f"    assert candidate(a = {a}, b = {b}) == {a + b}\n" for a, b in ((1, 2), (2, 2), (5, 4), (0, 7), (9, 9))
        ),
    }
    zero = {
        **row,
        "task_id": "product",
        "query": "Multiply two whole numbers.",
        "entry_point": "Solution().times",
        "starter_code": "class Solution:\n    def times(self, a: int, b: int) -> int:\n        ",
        "completion": "class Solution:\n    def times(self, a, b):\n        return a * b\n",
        "test": "def check(candidate):\n"
        + "".join(
            f"    assert candidate(a = {a}, b = {b}) == {a * b}\n" for a, b in ((2, 2), (0, 0), (1, 1), (3, 5), (4, 4))
        ),
    }
    path.write_text("".join(json.dumps(each) + "\n" for each in (row, zero)))
    return path


class Programmer(Scripted):
    """Adds wrongly at first and mends it by the page; takes a square for a product, as the visible tests let it."""

    def __init__(self) -> None:
        super().__init__(self._answer, name="programmer")

    def _answer(self, prompt: str, system: str) -> str:
        if "Multiply" in prompt:
            code = "class Solution:\n    def times(self, a, b):\n        return a * a\n"
        else:
            sign = "+" if "visible tests pass; harder" in prompt else "-"
            code = f"class Solution:\n    def add(self, a, b):\n        return a {sign} b\n"
        if "<IMPROVED_VARIABLE>" in prompt:
            return f"<IMPROVED_VARIABLE>{code}</IMPROVED_VARIABLE>"
        return f"```python\n{code}```"


@pytest.mark.slow
def test_code_with_visible_against_hidden_tests(bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_tasks(tmp_path / "leetcode.jsonl")
    arguments = [str(data), "--work", str(tmp_path / "work")]
    engine = Programmer()
    assert bench("textgrad_code").main(arguments, engine) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "26.0 -> 36.0" in shown
    assert "first solution 1 0 of 2 0.0" in shown
    assert "revised by its page 2 1 of 2 50.0" in shown
    assert "plain samples, chosen by visible 2 0 of 2 0.0" in shown
    assert "1 of 1 first solutions that passed all visible tests failed hidden ones" in shown
    assert "pass@1 0.0 %" in shown
    assert "no difference shown" in shown
    assert len(engine.calls) == 2 * 3
    again = Programmer()
    assert bench("textgrad_code").main(arguments, again) == 0
    assert again.calls == []


def test_what_textgrad_reported_is_found_by_the_name_of_the_file(bench: Any) -> None:
    published = bench("_textgrad").published
    assert "51.0 -> 55.0" in published("answers", Path("gpqa_diamond.csv"))
    assert "91.2 -> 95.1" in published("answers", Path("college_physics_test.csv"))
    assert "76.7 -> 79.8" in published("prompt", Path("word_sorting.json"))
    assert "72.9 -> 81.1" in published("prompt", Path("GSM8K-train.jsonl"))
    assert "26.0 -> 36.0" in published("code", Path("LeetCodeDataset-v0.3.1-test.jsonl"))
    assert "65 of 105" in published("code", Path("leetcode.jsonl"))
    assert published("answers", Path("mine.csv")) == "TextGrad reported nothing on mine.csv"
