"""What a prompt search would ask and cost, before anything is asked."""

from __future__ import annotations

from tgsci.errors import UsageError
from tgsci.runs.domain import Problem
from tgsci.runs.dry_run import Planned, dry_run
from tgsci.runs.dry_run import plan as plan_of_search
from tgsci.search.options import RunOptions
from tgsci.search.proposer import Proposer

from .loss import PromptLoss


def plan(problem: Problem, proposer: Proposer, options: RunOptions) -> str:
    """Write the first prompts, the number of calls and the price.

    The number is the most it can be: a race saves a part of it, which nobody knows before. Test at the end counts.

    Args:
        problem: Of a prompt search.
        proposer: Proposes.
        options: How the run goes.

    Raises:
        UsageError: Another problem, or an engine that cannot be asked.
    """
    loss = problem.loss
    if not isinstance(loss, PromptLoss):
        raise UsageError("this is no prompt search")
    prompt, student = loss.read(problem.start[0]), loss.student
    question, system = loss.batch(problem.start[0])[0].prompt, student.system(prompt)
    evaluations = options.budget.evaluations or 1 + options.proposals
    each, test = loss.minibatch + len(loss.validation), 2 * len(loss.split.test)
    of_search = plan_of_search(problem, proposer, options)
    planned = [
        *(one for one in of_search if proposer.engine is not None and one.what.startswith("proposals")),
        Planned("instructions measured", student.engine, evaluations * each * loss.steps, question, system),
        Planned("test, at the end", student.engine, test * loss.steps, question, system),
    ]
    judge = getattr(student.scorer, "engine", None)
    if judge is not None:
        scored = evaluations * each + test
        planned.append(Planned("replies judged", judge, scored, "[a question, its reference answer and a reply]"))
    if loss.critic is not None:
        planned.append(Planned("pages read", loss.critic, evaluations, "[an instruction and the page about it]"))
    return dry_run(planned)
