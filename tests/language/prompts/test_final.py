import pytest

import tgsci as tg
from tests.language.prompts import scripts
from tgsci_language.prompts.final import gain_on_test, verdict
from tgsci_language.prompts.problem import prompt_problem

SETS = scripts.split((20, 20, 30))


def run(*values, start=scripts.STATED, directory=None, budget=2, student=None):
    made = prompt_problem(SETS, student or scripts.Student(SETS), start, race=0)
    return tg.solve(made, engine=scripts.Proposer(*values), budget=budget, proposals=1, ideas=1, run=directory)


@pytest.mark.slow
def test_a_gain_within_noise_is_said_to_be_so():
    class Lucky(scripts.Student):
        """Knows one validation question more by the second instruction, and on test as much as before."""

        def complete(self, prompt, system="", images=()):
            extra = " one by one" if "kindly" in system and prompt == known else ""
            return super().complete(prompt, system + extra)

    wrong = {s.question for s in SETS.validation}
    known = next(
        e.prompt
        for e in SETS.validation
        if e.question in wrong
        and scripts.Student(SETS).complete(e.prompt, scripts.STATED) != f"I count.\nAnswer: {e.answer}"
        and scripts.Student(SETS).complete(e.prompt, scripts.SLOW) == f"I count.\nAnswer: {e.answer}"
    )
    result = run(f"{scripts.STATED} Do it kindly.", student=Lucky(SETS))
    assert result.best.number == 1
    assert gain_on_test(result).within_noise
    assert "The gain is within noise: test does not show" in verdict(result)
    assert "n = 30; gained 0, lost 0" in verdict(result)


def test_without_a_better_instruction_test_is_measured_for_the_first_alone():
    result = run(scripts.WORSE)
    assert set(result.finals) == {0}
    assert "No instruction was better on validation than the first one." in verdict(result)
    assert gain_on_test(result) is None


def test_the_figures_of_test_are_kept_with_their_gain():
    result = run(scripts.BEST)
    first, best = result.finals[0], result.finals[1]
    assert best.metrics["test accuracy"] - first.metrics["test accuracy"] == best.metrics["test gain"]
    assert best.metrics["test gain low"] <= best.metrics["test gain"] <= best.metrics["test gain high"]
    assert best.metrics["test n"] == 30
    assert best.text.startswith("Test: ")
    assert str(gain_on_test(result)) in best.text


@pytest.mark.slow
def test_a_run_that_goes_on_measures_only_a_new_best(tmp_path):
    run(scripts.SLOW, directory=tmp_path / "run")
    student = scripts.Student(SETS)
    result = run(scripts.SLOW, scripts.BEST, directory=tmp_path / "run", budget=3, student=student)
    assert set(result.finals) == {0, 1, 2}
    test = {e.prompt for e in SETS.test}
    assert len([prompt for prompt, _ in student.calls if prompt in test]) == 30
    assert "Test shows that the best instruction is better" in verdict(result)
