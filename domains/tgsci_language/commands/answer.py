"""`tgsci language answer`: questions answered by refinement, beside plain sampling at the same number of calls."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from tgsci.basics.texts import visible
from tgsci.cli.command import command, option, options
from tgsci.cli.run import exit_code, watch

_question = partial(option, section="Questions")
_engine = partial(option, section="Engines")
_limit = partial(option, section="Run")


@command(
    "answer",
    epilog="GPQA is read from your own copy (gpqa_diamond.csv); MMLU's files as published. "
    "Exit code: 0 done, 1 failed, 2 bad input (nothing was asked), 130 interrupted.",
)
@click.argument("questions", metavar="QUESTIONS.csv", type=Path)
@options(
    "settings",
    _engine("--engine", metavar="NAME", help="criticises and refines: a model as litellm writes it, 'human' or "
            "'replay:FILE' (default: TGSCI_ENGINE)"),
    _engine("--student", metavar="NAME", help="drafts and samples (default: the engine)"),
    _engine("--engine-concurrency", type=int, metavar="N", help="most questions to the engine at the same time (32)"),
    _engine("--student-concurrency", type=int, metavar="N", help="most questions to the student at the same time (32)"),
    _engine("--temperature", type=float, metavar="T", help="of drafts and samples, above 0 (the model's own)"),
    _engine("--iterations", type=int, metavar="K", help="criticisms and refinements of a draft (3)"),
    _question("--answers", metavar="KIND", help="'choice', 'number' or 'text' (told from the file)"),
    _question("--question", metavar="COLUMN", help="the column of the question (question)"),
    _question("--answer", metavar="COLUMN", help="the column of the right answer (answer)"),
    _question("--choices", several=True, metavar="COLUMN...", help="the columns of the choices (A B C ...)"),
    _question("--unit", metavar="UNIT", help="of numbers, where no column 'unit' says it"),
    _question("--tolerance", type=float, metavar="X", help="how far a number may be off, in its unit (0)"),
    _question("--relative", type=float, metavar="SHARE", help="how far it may be off, as a share of the right one (0)"),
    _question("--shuffle/--no-shuffle", default=None, help="shuffle choices, the same for both arms (shuffled)"),
    _question("--drop-duplicates", is_flag=True, default=None, help="ask a question once that stands there twice"),
    _question("--first", type=int, metavar="N", help="only the first N questions"),
    _limit("--seed", type=int, metavar="N", help="of the shuffling (0)"),
    _limit("--concurrent", type=int, metavar="N", help="questions at the same time (8)"),
)  # fmt: skip
@options(
    "limits",
    _limit("--model-calls", type=int, metavar="N", help="most calls; as many questions are asked as fit"),
    _limit("--tokens", type=int, metavar="N", help="most tokens sent and received; looked at between rounds"),
    _limit("--usd", type=float, metavar="USD", help="most that calls may cost, USD; looked at between rounds"),
    _limit("--seconds", type=float, metavar="S", help="wall time after which no new round starts, s"),
)
@option("--run", "directory", section="Run", metavar="DIR", help="directory of the run (default runs/NAME-TIME)")
@option("--dry-run", is_flag=True, section="Run", help="show the first prompts, the calls and the price; ask nothing")
def answer(
    questions: Path, settings: dict[str, Any], limits: dict[str, Any], directory: str | None, dry_run: bool
) -> int:
    """Answer questions by refinement, and beside it by plain sampling at the same number of calls.

    A draft is criticised and refined K times, and the answers vote. As many calls are spent on samples, which vote as
    well. The table says which arm won, with a paired confidence interval.
    """
    from tgsci.runs.choose import choose
    from tgsci.runs.directory import new_directory
    from tgsci.runs.run import options_for
    from tgsci.search.options import Budget

    from ..answers.compare import plan
    from ..answers.problem import problem
    from ..engines import Engines

    engines = Engines.of(
        settings.pop("engine", None),
        settings.pop("student", None),
        concurrency=settings.pop("engine_concurrency", None),
        student_concurrency=settings.pop("student_concurrency", None),
    )
    engines.check()
    built = problem({**settings, "questions": questions}, engines)
    wanted = options_for(built, {"budget": Budget(**limits), "seed": settings.get("seed")})
    if dry_run:
        print(visible(plan(built, wanted.budget)))
        return 0
    chosen = choose(built, optimizer="rules")
    named = Path(directory).expanduser() if directory else new_directory(built)
    try:
        return exit_code(watch(built, chosen, replace(wanted, run=named)))
    except BaseException:
        if not directory:
            with contextlib.suppress(OSError):  # only where nothing was begun in it
                named.rmdir()
                named.parent.rmdir()
        raise
