"""`tgsci language prompt`: an instruction for a model, improved by its error on examples."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tgsci.basics.texts import shell_word, visible
from tgsci.cli.command import command, option
from tgsci.cli.run import RunArguments, exit_code, run_options, run_problem
from tgsci.errors import UsageError

if TYPE_CHECKING:
    from tgsci.runs.job import Job

_engines = partial(option, section="Engines")
_making = partial(option, section="Sets of our own")


@command(
    "prompt",
    takes_settings=True,
    epilog="--KEY VALUE sets KEY in the task's [language] table: --minibatch 16, --racing 0, --examples 3. Exit code: "
    "0 done, 1 failed, 2 bad input (nothing was asked), 130 interrupted.",
)
@click.argument("task", metavar="TASK.toml", type=Path)
@_engines("--student", metavar="NAME", help="the model that follows the instruction and is cheap (default: the task's)")
@_engines("--student-concurrency", type=int, metavar="N", help="most questions to the student at the same time (32)")
@_engines("--engine-concurrency", type=int, metavar="N", help="most questions to the proposer at the same time (32)")
@_engines("--critic", metavar="NAME", help="a model that reads each page and says what to change, one call a page")
@_making("--make", metavar="NAME", help="write a set and its task to TASK.toml, and run nothing: object-counting, "
         "word-sorting or arithmetic")  # fmt: skip
@_making("--size", type=int, metavar="N", help="examples of that set (250)")
@run_options
def prompt(
    task: Path,
    student: str | None,
    student_concurrency: int | None,
    engine_concurrency: int | None,
    critic: str | None,
    make: str | None,
    size: int | None,
    settings: dict[str, Any],
    run: RunArguments,
) -> int:
    """Improve an instruction for a model, by its error on examples.

    A strong model (--engine) reads what went wrong on a few train examples and rewrites the instruction; a cheap one
    (--student) follows it. Validation decides what is kept; test is measured once, at the end.
    """
    if make is not None:
        return _make(task, make, 250 if size is None else size, run.seed or 0)
    if size is not None:
        raise UsageError("--size goes with --make")
    from tgsci.runs.choose import choose
    from tgsci.runs.job import stated
    from tgsci.runs.run import options_for
    from tgsci.search.options import Budget

    from ..prompts.job import EVALUATIONS, absolute
    from ..prompts.plan import plan
    from ..prompts.problem import engines_of, problem

    job = _read(task)
    typed = {"student": student, "student_concurrency": student_concurrency, "critic": critic}
    table = {**absolute(job.table, task.parent), **absolute(settings, Path())}
    table |= {name: value for name, value in typed.items() if value is not None}
    built = problem({key: value for key, value in table.items() if key != "kind"})
    if engine_concurrency is not None:
        job, run = _limited(job, run, engine_concurrency)
    if run.evals is None and job.budget.evaluations is None:
        run = replace(run, evals=EVALUATIONS)
    engine, optimizer = run.proposer(job.engine, job.run.optimizer)
    proposer = choose(built, engine, optimizer).proposer
    for asked in filter(None, (proposer.engine, *engines_of(built))):
        asked.check()
    if run.plan_only:
        budget = Budget(**{**stated(job.budget), **run.limits})
        wanted = {"proposals": run.proposals or job.run.proposals, "ideas": run.ideas or job.run.ideas}
        print(visible(plan(built, proposer, options_for(built, {"budget": budget, **wanted}))))
        return 0
    return exit_code(run_problem(built, run, job))


def _read(task: Path) -> Job:
    """Read a task: a job file, or its [language] table alone."""
    import tomllib

    from tgsci.runs.job import Job, read_job

    with contextlib.suppress(OSError, ValueError):  # what cannot be read is said by who reads it next
        table = tomllib.loads(task.read_text(encoding="utf-8-sig"))
        if "domain" not in table and "instruction" in table:
            return Job("language", {"kind": "prompt", **table})
    job = read_job(task)
    if job.domain != "language" or job.table.get("kind") != "prompt":
        where = visible(str(task))
        raise UsageError(f'{where} is no prompt task: it needs domain = "language", and kind = "prompt" in [language]')
    return job


def _limited(job: Job, run: RunArguments, most: int) -> tuple[Job, RunArguments]:
    """Let the proposer be asked so much at the same time: only a table of an engine can say that."""
    from tgsci.runs.choose import engine_of_environment

    from ..engines import with_concurrency

    named = run.engine or job.engine or engine_of_environment()
    if named == "rules":
        raise UsageError("--engine-concurrency goes with an engine")
    limited = with_concurrency(named, most)
    assert isinstance(limited, dict)
    return replace(job, engine=limited), replace(run, engine=None)


_TASK = """\
# Improve an instruction by its error on examples that were made from a seed. Run it with:
#   tgsci language prompt {name} --engine STRONG --student CHEAP
domain = "language"

[language]
kind = "prompt"
data = "{data}"  # first 50 train, next 100 validation, last 100 test
instruction = "{instruction}"

[budget]
evaluations = 20
"""
#: TextGrad's instruction to begin with, and one for words.
_INSTRUCTION = (
    "You will answer a reasoning question. Think step by step. The last line of your response should be of the "
    "following format: 'Answer: $VALUE' where VALUE is {value}."
)


def _make(task: Path, name: str, size: int, seed: int) -> int:
    """Write a set, and a task that uses it."""
    from tgsci.basics.files import writable, write_atomically

    from ..datasets.makers import make_dataset, write_dataset

    made = make_dataset(name, size, seed)
    data = task.with_suffix(".json")
    writable(task)
    writable(data)
    value = "the list of words" if name == "word-sorting" else "a numerical value"
    text = _TASK.format(name=task.name, data=data.name, instruction=_INSTRUCTION.format(value=value))
    if size < 250:
        text = text.replace("  # first 50 train, next 100 validation, last 100 test", "\nsplit = [0.2, 0.4, 0.4]")
    write_dataset(made, data)
    write_atomically(task, text)
    print(f"wrote {visible(str(data))} ({len(made)} examples, seed {seed}) and {visible(str(task))}", file=sys.stderr)
    print(f"Run it with: tgsci language prompt {shell_word(task)} --engine STRONG --student CHEAP", file=sys.stderr)
    return 0
