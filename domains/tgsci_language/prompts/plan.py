"""What a prompt search would ask and cost, before anything is asked."""

from __future__ import annotations

from tgsci.errors import UsageError
from tgsci.runs.domain import Problem
from tgsci.search.proposer import Proposer

from ..dry_run import Planned, dry_run
from .loss import PromptLoss


def plan(problem: Problem, proposer: Proposer, evaluations: int, proposals: int) -> str:
    """Write the first prompts, the number of calls and the price.

    The number is the most it can be: a race saves a part of it, which nobody knows before.

    Args:
        problem: Of a prompt search.
        proposer: Proposes.
        evaluations: Instructions that are measured, the first one included.
        proposals: Instructions a round.

    Raises:
        UsageError: Another problem.
    """
    loss = problem.loss
    if not isinstance(loss, PromptLoss):
        raise UsageError("this is no prompt search")
    prompt, student = loss.read(problem.start[0]), loss.student
    question, system = loss.batch(problem.start[0])[0].prompt, student.system(prompt)
    each, test = loss.minibatch + len(loss.validation), 2 * len(loss.split.test)
    planned = [
        Planned("instructions measured", student.engine, evaluations * each * loss.steps, question, system),
        Planned("test, at the end", student.engine, test * loss.steps, question, system),
    ]
    if proposer.engine is not None:
        begins = f"{problem.task}\n\n[here follow the history of the search and the page about the best instruction]"
        planned.insert(0, Planned("proposals", proposer.engine, -(-(evaluations - 1) // proposals), begins))
    judge = getattr(student.scorer, "engine", None)
    if judge is not None:
        scored = evaluations * each + test
        planned.append(Planned("replies judged", judge, scored, "[a question, its reference answer and a reply]"))
    if loss.critic is not None:
        planned.append(Planned("pages read", loss.critic, evaluations, "[an instruction and the page about it]"))
    return dry_run([each for each in planned if each.calls])
