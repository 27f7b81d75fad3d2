"""Compare both arms on a set of questions, from Python; and what that would ask and cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tgsci.engines.scripted import Scripted
from tgsci.runs.choose import AnyEngine
from tgsci.runs.domain import Problem
from tgsci.runs.dry_run import Planned, dry_run
from tgsci.runs.run import solve
from tgsci.search.loop import Progress
from tgsci.search.options import Budget

from ..engines import Engines
from . import protocol
from .comparison import Comparison
from .loss import AnswerLoss
from .problem import problem
from .questions import Question, Questions

#: What stands in a dry run for what a model has yet to write.
_NOT_YET = "[what {} will have answered]\nAnswer: A"


def compare(
    questions: str | Path | Questions,
    engine: AnyEngine = None,
    student: AnyEngine = None,
    *,
    budget: Mapping[str, Any] | None = None,
    run: str | Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    **settings: Any,
) -> Comparison:
    """Answer questions by refinement, and by plain sampling with as many calls, and say which won.

    Every reply is recorded when it is there. The same call on an interrupted `run` goes on where it stopped, and no
    reply is paid for twice.

    Args:
        questions: A file, as `read_questions` takes it, or questions that were read.
        engine: Criticises and refines; None takes the environment's TGSCI_ENGINE.
        student: Drafts and samples; None takes the engine.
        budget: Limits of the whole run: `model_calls`, `tokens`, `usd`, `seconds`. It ends between two rounds of
            questions; `model_calls` is kept exactly but for replies that had to be asked for again.
        run: Directory of the run; None keeps the record in memory.
        progress: Called whenever something happened.
        settings: `iterations=3, temperature=None, concurrent=8`, and the arguments of `read_questions`.

    Raises:
        UsageError: A bad setting or file; nothing was asked.
        EngineError: An engine had no answer; the run can go on.
        LedgerError: The directory cannot be used, or its run is of other settings.
    """
    engines = Engines.of(engine, student)
    engines.check()
    given = questions if isinstance(questions, Questions) else None
    config = {**settings, "questions": None if given else questions}
    built = problem(config, engines, given)
    result = solve(built, optimizer="rules", budget=Budget(**(budget or {})), run=run, progress=progress)
    return comparison_of(built, result)


def comparison_of(built: Problem, result: Any) -> Comparison:
    """Look at the result of a run of questions.

    Args:
        built: Its problem.
        result: The `Result`.
    """
    assert isinstance(built.loss, AnswerLoss)
    return Comparison(result, built.loss)


def plan(built: Problem, budget: Budget) -> str:
    """Write what a run would ask, and the price. Nothing is asked.

    Args:
        built: The problem.
        budget: Of the run.
    """
    loss = built.loss
    assert isinstance(loss, AnswerLoss)
    engines, first = loss.engines, loss.questions.questions[0]
    n = budget.evaluations or len(loss.questions.questions)
    drafted, criticism, refinement = _asked(first, engines)
    calls = n * loss.iterations
    return dry_run(
        [
            Planned("drafts", engines.student, n, *drafted),
            Planned("criticisms", engines.engine, calls, *criticism),
            Planned("refinements", engines.engine, calls, *refinement),
            Planned("samples, asked as the drafts are", engines.student, 2 * calls, *drafted),
        ]
    )


def _asked(question: Question, engines: Engines) -> list[tuple[str, str]]:
    """The prompt and the system prompt of a draft, a criticism and a refinement, from a run with a stand-in."""
    tags = "<IMPROVED_VARIABLE>"
    replies = [
        _NOT_YET.format(engines.student.name),
        f"[what {engines.engine.name} will have criticised]",
        f"{tags}\n{_NOT_YET.format(engines.engine.name)}\n{tags.replace('<', '</')}",
    ]
    stand_in = Scripted(replies)
    list(protocol.refine(question, protocol.draft(question, stand_in), stand_in, 1))
    return stand_in.calls
