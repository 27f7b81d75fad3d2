"""The counterparts of TextGrad's evaluation scripts: one command each, what was reported beside what was measured."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

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
    assert "plain sampling: vote over as many as calls" in shown
    assert "refinement minus sampling is" in shown
    again = Student(0.5, True)
    assert bench("textgrad_answers").main(arguments, again) == 0
    assert again.calls == []  # it goes on, and nothing was left
    assert bench("textgrad_answers").main([str(tmp_path / "none.csv")], again) == 1
    assert "cannot read" in capsys.readouterr().err


def test_prompts_before_and_after_on_test(bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "object_counting.json"
    write_dataset(make_dataset("object-counting", 250), data)
    script = bench("textgrad_prompt")
    arguments = [str(data), "--work", str(tmp_path / "work"), "--steps", "2"]
    better = f"{script.START['number']} Count one by one, then check."
    student, engine = scripts.student(scripts.split((50, 100, 100))), scripts.proposer(better)
    assert script.main(arguments, engine, student) == 0
    shown = capsys.readouterr().out
    assert "BIG-Bench Hard object counting (gpt-3.5-turbo, improved by gpt-4o): 77.8 -> 91.9" in shown
    assert "measured here, on test: " in shown
    assert "Test shows that the best instruction is better than the first one." in shown
    asked = len(student.calls)
    assert script.main(arguments, engine, student) == 0
    assert len(student.calls) == asked


def test_what_textgrad_reported_is_found_by_the_name_of_the_file(bench: Any) -> None:
    published = bench("_textgrad").published
    assert "51.0 -> 55.0" in published("answers", Path("gpqa_diamond.csv"))
    assert "91.2 -> 95.1" in published("answers", Path("college_physics_test.csv"))
    assert "76.7 -> 79.8" in published("prompt", Path("word_sorting.json"))
    assert "72.9 -> 81.1" in published("prompt", Path("GSM8K-train.jsonl"))
    assert "26.0 -> 36.0" in published("code", Path("LeetCodeDataset-v0.3.1-test.jsonl"))
    assert "65 of 105" in published("code", Path("leetcode.jsonl"))
    assert published("answers", Path("mine.csv")) == "TextGrad reported nothing on mine.csv"
