import pytest

import tgsci as tg
from tests.language.prompts import scripts
from tgsci.engines.scripted import Scripted
from tgsci.errors import UsageError
from tgsci.runs.choose import choose
from tgsci.runs.run import options_for
from tgsci_language.prompts.plan import plan
from tgsci_language.prompts.problem import prompt_problem
from tgsci_language.scoring.judge import Judge

SETS = scripts.split((20, 40, 30))


def planned(made, evaluations):
    proposer = choose(made, scripts.Proposer("x")).proposer
    return plan(made, proposer, options_for(made, {"budget": evaluations}))


def test_a_plan_shows_the_first_prompts_and_counts_the_most_calls():
    student = scripts.Student(SETS)
    made = prompt_problem(SETS, student, [scripts.START, scripts.BEST], critic=Scripted([], name="critic"))
    said = planned(made, 9)
    assert "2  proposals, a round each (proposer)" in said
    assert "936  instructions measured (student)" in said  # 9 x (12 + 40) x 2 steps
    assert "120  test, at the end (student)" in said  # 2 x 30 x 2
    assert "9  pages read (critic)" in said
    assert "in all 1,067 calls, price unknown" in said
    assert "The value is 2 instructions" in said
    assert f"[system prompt]\n{scripts.START}" in said
    assert not student.calls


def test_a_judge_is_counted():
    made = prompt_problem(SETS, scripts.Student(SETS), scripts.START, Judge(Scripted([], name="judge")))
    assert "112  replies judged (judge)" in planned(made, 1)


def test_another_problem_has_no_such_plan():
    loss = tg.as_loss(lambda value: 1.0)
    other = tg.Problem(loss=loss, start=["x"], rules=None, task="", domain="x", config={})
    with pytest.raises(UsageError, match="no prompt search"):
        planned(other, 1)
