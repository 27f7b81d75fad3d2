"""The whole loop with a student whose accuracy depends on its prompt: the better instruction is found."""

import json

import pytest

import tgsci as tg
from tests.language.prompts import scripts
from tgsci.engines.scripted import Scripted
from tgsci.errors import UsageError
from tgsci.search.trial import State
from tgsci_language import domain
from tgsci_language.datasets.makers import make_dataset, write_dataset
from tgsci_language.prompts.final import verdict
from tgsci_language.prompts.problem import engines_of, problem, prompt_problem

SETS = scripts.split()


def search(*values, budget=5, run=None, start=scripts.START, **settings):
    made = prompt_problem(SETS, scripts.Student(SETS), start, **settings)
    proposer = scripts.Proposer(*values)
    return tg.solve(made, engine=proposer, budget=budget, run=run, proposals=2, ideas=2), made, proposer


def test_the_better_instruction_is_found_by_validation_and_shown_to_be_better_by_test():
    result, _, _ = search(scripts.STATED, scripts.WORSE, scripts.SLOW, scripts.BEST)
    assert result.best.value == scripts.BEST
    assert result.finals[result.best.number].metrics["test gain low"] > 0
    assert "Test shows that the best instruction is better" in verdict(result)
    assert result.trials[0].loss == 100


def test_the_proposer_is_told_the_task_and_sees_train_alone():
    _, _, proposer = search(scripts.STATED, scripts.SLOW)
    prompt = proposer.calls[0][0]
    assert "The student gets the instruction as its system prompt" in prompt
    assert "the last integer that stands anywhere in the reply" in prompt
    assert "FORMAT" in prompt
    everything = "\n".join(prompt for prompt, _ in proposer.calls)
    assert any(e.question in everything for e in SETS.train)
    hidden = [*SETS.validation, *SETS.test]
    assert not [e for e in hidden if e.question[:50] in everything]


def test_test_is_asked_once_for_the_first_and_the_best_and_after_the_search():
    result, made, _ = search(scripts.STATED, scripts.SLOW)
    asked = [prompt for prompt, _ in made.loss.student.engine.calls]
    test = {e.prompt for e in SETS.test}
    first = next(i for i, prompt in enumerate(asked) if prompt in test)
    assert set(asked[first:]) == test
    assert len(asked[first:]) == 2 * len(test)
    assert set(result.finals) == {0, result.best.number}


@pytest.mark.slow
def test_what_is_behind_is_dropped_early_and_the_saving_is_shown():
    result, made, _ = search(scripts.WORSE, scripts.BEST, start=scripts.SLOW, race=10, racing_margin=0.0, budget=3)
    by_value = {t.value: t for t in result.trials}
    worse, best = by_value[scripts.WORSE], by_value[scripts.BEST]
    assert (worse.state, worse.feedback.metrics["validation n"]) == (State.REJECTED, 10)
    assert (best.state, best.feedback.metrics["validation n"]) == (State.ACCEPTED, 40)
    assert best.first.metrics["validation n"] == 10
    race = next(section for section in made.sections(result) if section.title == "Racing")
    assert "1 of 3 instructions were behind on the first 10 of 40" in race.text
    assert "That saved 30 of 156 calls" in race.text
    everybody = search(scripts.WORSE, scripts.BEST, start=scripts.SLOW, race=0, budget=3)[0]
    assert result.spent.model_calls < everybody.spent.model_calls
    assert result.best.value == everybody.best.value


@pytest.mark.slow
def test_where_leaders_are_not_confirmed_it_is_said_that_all_of_validation_was_never_asked():
    made = prompt_problem(SETS, scripts.Student(SETS), scripts.START)
    result = tg.solve(made, engine=scripts.Proposer(scripts.SLOW), budget=2, proposals=1, ideas=1, confirm=False)
    assert "No instruction was asked more than the first 10 of 40" in made.conclusion(result)


def test_the_students_calls_count_in_the_budget():
    limited = tg.solve(
        prompt_problem(SETS, scripts.Student(SETS), scripts.START, race=0),
        engine=scripts.Proposer(scripts.STATED, scripts.SLOW),
        budget=tg.Budget(evaluations=None, model_calls=60),
        proposals=1,
        ideas=1,
    )
    assert limited.stopped == "the budget of 60 model calls is used up"
    assert len([t for t in limited.trials if t.feedback]) == 2  # 52 calls, one to the proposer, 52 more


@pytest.mark.slow
def test_ties_are_kept_where_asked():
    same = f"{scripts.SLOW} "  # another text of the same skill
    values = [f"{scripts.SLOW} Please.", f"{scripts.SLOW} Now."]
    for keep in (True, False):
        made = prompt_problem(SETS, scripts.Student(SETS), same, race=0)
        result = tg.solve(made, engine=scripts.Proposer(*values), budget=3, proposals=1, ideas=1, keep_ties=keep)
        assert [t.loss for t in result.trials] == [result.trials[0].loss] * 3
        assert result.best.number == (2 if keep else 0)


def test_examples_of_train_may_be_a_part_of_the_value():
    value = f"{scripts.STATED}\n<EXAMPLES>3 7</EXAMPLES>"
    result, made, proposer = search(scripts.STATED, value, start=scripts.STATED, budget=2, examples=2)
    assert "up to 2 train examples" in proposer.calls[0][0]
    assert result.best.value == value
    system = made.loss.student.engine.calls[-1][1]
    assert made.loss.train["3"].question in system


def test_several_steps_have_an_instruction_each():
    value = f"<STEP_1>\nList.\n</STEP_1>\n<STEP_2>\n{scripts.BEST}\n</STEP_2>"
    result, _, proposer = search("no tags", value, start=["List.", scripts.START], budget=2, race=0)
    assert "The value is 2 instructions" in proposer.calls[0][0]
    assert result.best.value == value
    assert result.best.feedback.metrics["calls"] == 2 * 52


@pytest.mark.slow
def test_a_run_of_objects_goes_on_by_the_same_call_and_pays_nothing_twice(tmp_path):
    first, *_ = search(scripts.STATED, scripts.SLOW, budget=3, run=tmp_path / "run")
    again, made, proposer = search(scripts.STATED, scripts.SLOW, budget=3, run=tmp_path / "run")
    assert not made.loss.student.engine.calls
    assert not proposer.calls
    assert verdict(again) == verdict(first)
    with pytest.raises(UsageError, match="go on with it by the same call"):
        tg.resume(tmp_path / "run")


# -- from a task -------------------------------------------------------------------------------------


@pytest.fixture
def task(tmp_path):
    write_dataset(make_dataset("object-counting", 100), tmp_path / "set.json")
    (tmp_path / "replies.jsonl").write_text(json.dumps({"reply": "Answer: 3"}) + "\n")
    return {
        "kind": "prompt",
        "data": str(tmp_path / "set.json"),
        "split": [20, 40, 40],
        "instruction": scripts.START,
        "student": f"replay:{tmp_path / 'replies.jsonl'}",
    }


def test_a_task_is_built_and_its_record_builds_it_again(task):
    made = domain.problem(task)
    again = domain.problem(made.config)
    assert made.loss.fingerprint == again.loss.fingerprint
    assert made.careful.loss.fingerprint == again.careful.loss.fingerprint
    assert (made.name, made.loss.student.scorer.name, made.loss.first) == ("set", "last integer", 10)
    assert "A measurement asks it 52 times, or 22 where" in made.notes[2]
    assert [engine.name for engine in engines_of(made)] == [made.loss.student.engine.name]


def test_a_judge_and_a_critic_are_engines_of_their_own(task):
    task |= {"scorer": "judge", "judge": task["student"], "critic": {"name": task["student"]}}
    made = domain.problem(task)
    assert len(engines_of(made)) == 3
    assert made.loss.student.calls(1) == 2
    assert "A measurement asks it 104 times" in made.notes[2]
    assert domain.problem(made.config).loss.fingerprint == made.loss.fingerprint


def test_a_student_with_parameters_and_a_concurrency_of_its_own(task):
    task["student_concurrency"] = 3
    made = domain.problem(task)
    assert made.loss.student.engine.concurrency == 3
    assert made.config["student"] == {"name": task["student"], "concurrency": 3}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"student": None}, "no student is named.*--student MODEL"),
        ({"student": "rules"}, "student: there is no rule editor"),
        ({"instruction": ""}, "instruction"),
        ({"instruction": []}, "instruction"),
        ({"minbatch": 3}, "unknown key 'minbatch'.*did you mean minibatch"),
        ({"scorer": "choice"}, "example 1 .*has no choices"),
        ({"scorer": "judge"}, "name it with the key `judge`, as judge = 'MODEL'"),
        ({"split": [20, 40, 400]}, "there are 100"),
        ({"racing": 40}, "the first 40 validation examples, and there are 40"),
        ({"data": None}, "name the examples"),
        ({"train": "x.csv"}, "not both"),
        ({"examples": 50}, "train has 20 examples: .* too many; make minibatch or examples smaller"),
        ({"duplicates": "keep"}, "duplicates cannot be 'keep'"),
        ({"critic": {"temperature": 1}}, "critic: a table needs a name"),
    ],
)
def test_a_task_that_cannot_be_used_is_refused_before_anything_is_asked(task, change, message):
    config = {key: value for key, value in {**task, **change}.items() if value is not None}
    with pytest.raises(UsageError, match=message):
        tg.solve(domain.problem(config), engine=Scripted([]), budget=1)


def test_an_object_may_be_the_student_of_a_task(task):
    del task["student"], task["kind"]
    made = problem(task, student=scripts.Student(scripts.split(kind="object-counting")))
    assert made.loss.student.engine.name == "student"
    with pytest.raises(UsageError, match="by the same call"):
        domain.problem(made.config)
