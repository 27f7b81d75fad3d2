import threading

import pytest

from tgsci.engine import Reply
from tgsci.engines.scripted import Scripted
from tgsci.errors import EngineError
from tgsci_language.datasets.example import Example
from tgsci_language.prompts.student import Sample, Student, accuracy, read_samples, write_samples
from tgsci_language.prompts.value import Prompt
from tgsci_language.scoring.choice import Choice
from tgsci_language.scoring.numbers import LastInteger

ONE, TWO = Example("1 + 1?", "2", "1"), Example("2 + 2?", "4", "2")


def test_the_student_gets_the_instruction_as_its_system_prompt_and_nothing_but_the_question():
    engine = Scripted(lambda prompt, system: "Answer: 2")
    samples = Student(engine, LastInteger(), {}).ask(Prompt(("Add.",)), [("train", ONE), ("validation", TWO)])
    assert sorted(engine.calls) == [("1 + 1?", "Add."), ("2 + 2?", "Add.")]
    assert samples[0] == Sample("train", "1", "2", 1.0, "2", "", "Answer: 2")
    assert samples[1] == Sample("validation", "2", "4", 0.0, "2", "wrong number", "")  # the reply is not kept
    assert accuracy(samples) == 50


def test_examples_stand_below_the_instruction_with_their_answers():
    choice = Example("Which?", "B", "7", ("x", "y"))
    system = Student(Scripted([]), Choice(), {"7": choice}).system(Prompt(("Choose.",), ("7",)))
    assert system == "Choose.\n\nExamples:\n\nQuestion: Which?\n\nA) x\nB) y\nAnswer: B"


def test_each_step_sees_the_question_and_the_result_of_the_step_before():
    engine = Scripted(lambda prompt, system: "it is two" if system == "Think." else f"Answer: {prompt.count('two')}")
    student = Student(engine, LastInteger(), {"2": TWO})
    assert student.calls(2) == 2
    prompt = Prompt(("Think.", "State."), ("2",))
    (sample,) = student.ask(prompt, [("train", ONE)])
    assert sample.reply == "[step 1] it is two\n[step 2] Answer: 1"
    assert engine.calls == [
        ("1 + 1?", "Think."),
        ("1 + 1?\n\nThe result of step 1:\nit is two", "State.\n\nExamples:\n\nQuestion: 2 + 2?\nAnswer: 4"),
    ]


def test_all_questions_are_asked_at_the_same_time_as_far_as_the_engine_allows():
    waiting = threading.Barrier(8, timeout=10)
    most, inside, lock = 0, 0, threading.Lock()

    def answer(prompt, system):
        nonlocal most, inside
        with lock:
            inside += 1
            most = max(most, inside)
        waiting.wait()  # goes on only once all eight are inside
        with lock:
            inside -= 1
        return "1"

    asked = [("train", Example(f"{n}?", "1", str(n))) for n in range(16)]
    engine = Scripted(answer, name="eight")
    engine.concurrency = 8
    assert accuracy(Student(engine, LastInteger(), {}).ask(Prompt(("x",)), asked)) == 100
    assert most == 8


def test_one_question_without_a_reply_costs_that_sample_and_many_stop_the_run():
    asked = [("train", Example(f"{n}?", "1", str(n))) for n in range(20)]

    def down_for(*questions):
        def answer(prompt, system):
            if prompt in questions:
                raise EngineError("no answer: HTTP 400")
            return "1"

        return Student(Scripted(answer), LastInteger(), {})

    samples = down_for("3?", "5?").ask(Prompt(("x",)), asked)
    assert [(s.id, s.fault) for s in samples if s.right < 1] == [("3", "no reply"), ("5", "no reply")]
    with pytest.raises(EngineError, match="3 of 20 questions got no reply from scripted: no answer: HTTP 400"):
        down_for("3?", "5?", "7?").ask(Prompt(("x",)), asked)


def test_a_reply_that_was_cut_off_is_said_to_be_and_a_huge_one_is_kept_in_part():
    cut = Student(Scripted([Reply("I count 1, 5", finish="length")]), LastInteger(), {})
    assert cut.ask(Prompt(("x",)), [("train", ONE)])[0].fault == "cut off"
    huge = Student(Scripted(["7 " * 1_000_000]), LastInteger(), {})
    assert len(huge.ask(Prompt(("x",)), [("train", ONE)])[0].reply) == 500


def test_samples_are_written_and_read_back():
    samples = [Sample("test", "1", "a\nb \u2028 \u00e9", 0.5, "c", "format", "..."), Sample("train", "2", "4", 1.0)]
    text = write_samples(samples)
    assert read_samples({"samples.jsonl": text}) == samples == read_samples({"samples.jsonl": text.encode()})
    assert read_samples({}) == []
