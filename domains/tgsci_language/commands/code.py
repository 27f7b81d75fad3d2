"""`tgsci language code`: improve a function until its tests pass, then until it is fast."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tgsci.basics.settings import read
from tgsci.basics.texts import quote
from tgsci.cli.command import command, option
from tgsci.cli.run import RunArguments, exit_code, run_options, run_problem
from tgsci.errors import UsageError
from tgsci.runs.job import BudgetTable, Job, RunTable, read_job

from ..code.problem import problem_of_task
from ..code.task import read_task

if TYPE_CHECKING:
    from tgsci.runs.result import Result

#: Solutions that a model is asked for at a time, unless the user says it: each is a whole module.
_IDEAS = 4


@command(
    "code",
    epilog="Exit code: 0 done, 1 failed or a file is missing, 2 bad input (nothing was started), 130 interrupted. "
    "A misspelt key of a task lists what there is; data/code holds tasks to copy.",
)
@click.argument("task", metavar="TASK.toml", type=Path)
@option("--unsafe-local", is_flag=True, help="no sandbox: code runs as you, under resource limits only")
@run_options
def code(task: Path, unsafe_local: bool, run: RunArguments) -> int:
    """Improve a function until its tests pass, then until it is fast.

    A task has a statement, a signature, visible and hidden tests, and optionally what to minimise: run time, memory, a
    figure. A model (or you) proposes solutions; each runs in a sandbox, and its page goes back: per test what was
    expected and what came, the exception with its line, and where the time goes. Hidden tests are run once, at the end.
    """
    job = read_task_file(task)
    found = read_task(job.table, f"{str(task)!r}", task.parent)
    if unsafe_local:
        found = replace(found, unsafe_local=True)
    if run.ideas is None and job.run.ideas is None:
        run = replace(run, ideas=_IDEAS)
    if found.minimise == "time" and run.workers is None and run.executor is None and job.run.workers is None:
        run = replace(run, workers=1)  # two that are timed side by side would slow each other
    built = problem_of_task(found)
    result = run_problem(built, run, job)
    print(f"\n{ending(result)}")
    return exit_code(result)


def read_task_file(path: Path) -> Job:
    """Read a task file: the task's keys, with [budget], [run] and [engine] where wanted; or a job file of a code task.

    Raises:
        UsageError: It cannot be read, or is no TOML.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"cannot read the task {str(path)!r}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} is no valid TOML: {error}") from None
    if "domain" in table:
        job = read_job(path)
        if job.domain != "language" or job.table.get("kind") != "code":
            raise UsageError(f"{str(path)!r} is a job of the domain {quote(job.domain)}, not a code task")
        return replace(job, table={key: value for key, value in job.table.items() if key != "kind"})
    parts = {name: table.pop(name, {}) for name in ("budget", "run", "engine")}
    return Job(
        "language",
        table,
        read(BudgetTable, parts["budget"], "[budget]"),
        read(RunTable, parts["run"], "[run]"),
        parts["engine"] or None,
    )


def ending(result: Result) -> str:
    """Write what a run ends with: the tests of the best solution, visible and hidden, and what it measured."""
    from ..code.views import passed_of

    best = result.best
    if best is None or best.feedback is None:
        return "No solution could be measured."
    lines = [f"Best solution: trial {best.number}, {passed_of(best.feedback, 'visible')} visible tests pass."]
    final = result.finals.get(best.number)
    if final is not None:
        hidden = f"{passed_of(final, 'hidden')} pass" if final.measured else f"could not be run: {final.error}"
        lines.append(f"Hidden tests: {hidden}.")
        lines += [line for line in final.text.splitlines() if line.startswith(("Run time:", "Memory:", "Figure"))]
    return "\n".join(lines)
