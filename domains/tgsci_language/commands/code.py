"""`tgsci language code`: improve a function until its tests pass, then until it is fast."""

from __future__ import annotations

import re
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tgsci.basics import checks
from tgsci.basics.files import write_atomically
from tgsci.basics.settings import read
from tgsci.basics.texts import quote, visible
from tgsci.cli.command import command, option, options
from tgsci.cli.run import RunArguments, exit_code, run_options, run_problem
from tgsci.errors import EngineError, UsageError
from tgsci.runs.job import BudgetTable, Job, RunTable, read_job
from tgsci.show.tables import csv_text, print_table

from ..code.problem import problem_of_task
from ..code.task import read_task

if TYPE_CHECKING:
    from tgsci.feedback import Feedback
    from tgsci.runs.result import Result

    from ..code.scoreboard import Row

_set = partial(option, section="A published set")
#: Limits that hold for a whole set, in this order.
_SHARED = ("usd", "seconds", "model_calls", "tokens")
#: Solutions that a model is asked for at a time, unless the user says it: each is a whole module.
_IDEAS = 4


@command(
    "code",
    epilog="Exit code: 0 done, 1 failed or a file is missing, 2 bad input (nothing was started), 130 interrupted. "
    "A misspelt key of a task lists what there is; data/code holds tasks to copy.",
)
@click.argument("task", metavar="[TASK.toml]", type=Path, required=False)
@option("--unsafe-local", is_flag=True, help="no sandbox: code runs as you, under resource limits only")
@options(
    "wishes",
    _set("--set", "path", metavar="FILE", help="a published set in place of a task: HumanEval(+), MBPP(+) or "
         "LeetCodeDataset as published (.jsonl, .jsonl.gz, .json); a run each, below --run"),
    _set("--format", metavar="NAME", help="of the file, where its fields do not tell it"),
    _set("--samples", type=int, metavar="N", help="independent samples of each task, for pass@k (1)"),
    _set("--rounds", type=int, metavar="N", help="rounds of improvement by the visible tests after them (4)"),
    _set("--first", type=int, metavar="N", help="only the first N tasks"),
    _set("--call-seconds", type=float, metavar="S", help="longest that one call may take, s (5)"),
)  # fmt: skip
@run_options
def code(task: Path | None, unsafe_local: bool, wishes: dict[str, Any], run: RunArguments) -> int:
    """Improve a function until its tests pass, then until it is fast.

    A task has a statement, a signature, visible and hidden tests, and optionally what to minimise: run time, memory, a
    figure. A model (or you) proposes solutions; each runs in a sandbox, and its page goes back: per test what was
    expected and what came, the exception with its line, and where the time goes. Hidden tests are run once, at the end.

    With --set, a model is sampled on each task of a published set and its solutions are improved by the visible tests:
    pass@k, visible against hidden.
    """
    if (task is None) == ("path" not in wishes):
        raise UsageError("give a task (TASK.toml), or --set FILE with a published set: one of them")
    if task is None:
        return run_set(Path(wishes.pop("path")).expanduser(), run, unsafe_local=unsafe_local, **wishes)
    if wishes:
        raise UsageError(f"--{next(iter(wishes)).replace('_', '-')} goes with --set")
    job = read_task_file(task)
    found = read_task(job.table, f"{str(task)!r}", task.parent)
    if unsafe_local:
        found = replace(found, unsafe_local=True)
    if run.ideas is None and job.run.ideas is None:
        run = replace(run, ideas=_IDEAS)
    if found.minimise == "time" and run.place(job.run) is None:
        run = replace(run, workers=1)  # two that are timed side by side would slow each other
    result = run_problem(problem_of_task(found), run, job)
    print(f"\n{ending(result)}")
    return exit_code(result)


def run_set(
    path: Path,
    run: RunArguments,
    *,
    format: str | None = None,
    samples: int = 1,
    rounds: int = 4,
    first: int | None = None,
    call_seconds: float = 5.0,
    unsafe_local: bool = False,
) -> int:
    """Run the tasks of a published set, each in a directory of its own, and print pass@k; the same command goes on.

    Args:
        path: The set's file.
        run: What was typed of a run's options; limits of calls, tokens, dollars and seconds are for the whole set.
        format: Of the file; None where its fields tell it.
        samples: Independent samples of each task.
        rounds: Rounds of improvement after them, as many solutions each.
        first: Only so many tasks; None for all.
        call_seconds: Longest that one call may take, s.
        unsafe_local: Whether code runs without a sandbox.

    Raises:
        UsageError: The file is no such set, a reference fails its own tests, no engine; nothing was asked.
    """
    from tgsci.runs.choose import choose
    from tgsci.runs.dry_run import dry_run, plan
    from tgsci.runs.run import carry_out, options_for
    from tgsci.search.options import Budget

    from ..code.published import Sampler, published
    from ..code.scoreboard import row, summary, table
    from ..datasets.code_sets import read_tasks
    from ..datasets.exam import check_references
    from ..sandbox.layers import Local, best
    from ..sandbox.limits import Limits

    samples, rounds = checks.whole("--samples", samples, 1, 1000), checks.whole("--rounds", rounds, 0)
    tasks = read_tasks(path, format)[: None if first is None else checks.whole("--first", first, 1)]
    seconds = checks.number("--call-seconds", call_seconds, above=0)
    problems = [published(task, path, format, seconds=seconds, unsafe_local=unsafe_local) for task in tasks]
    chosen = choose(problems[0], run.engine, run.optimizer)
    if chosen.proposer.engine is None:
        raise UsageError("a set needs a model to sample: name one with --engine")
    layer = Local() if unsafe_local else best()
    check_references(tasks, limits=Limits(seconds=seconds, total_seconds=60 + 3 * seconds), layer=layer)
    chosen = replace(chosen, proposer=Sampler(chosen.proposer.engine, samples, chosen.proposer))
    evaluations = run.evals or 1 + samples * (1 + rounds)
    root = Path(run.directory or f"runs/{path.name.partition('.')[0]}-{time.strftime('%Y%m%d-%H%M%S')}").expanduser()
    rows: list[Row] = []
    spent = dict.fromkeys(_SHARED, 0.0)
    interrupted = False
    for number, problem in enumerate(problems, 1):
        left = {name: limit - spent[name] for name, limit in run.limits.items() if name in _SHARED}
        used_up = [name for name, rest in left.items() if rest <= 0]
        if used_up:
            print(f"The budget of {', '.join(used_up)} is used up after {number - 1} of {len(tasks)} tasks.")
            break
        limits = {name: rest if name in ("usd", "seconds") else int(rest) for name, rest in left.items()}
        settings = {"seed": run.seed, "workers": run.place(), "goal": run.goal, **run.desk}
        settings |= {"budget": Budget(evaluations=evaluations, **limits), "proposals": samples}
        options = options_for(problem, {**settings, "ideas": run.ideas or max(samples, _IDEAS)})
        if run.plan_only:
            print(visible(dry_run(plan(problem, chosen.proposer, options))))
            print(
                f"of the first of {len(tasks)} tasks; each asks for up to {samples} samples and {rounds} improvements"
            )
            return 0
        folder = re.sub(r"[^A-Za-z0-9._-]+", "-", problem.name).strip("-.")[:60]
        try:
            result = carry_out(problem, chosen, replace(options, run=root / f"{number:04d}-{folder}"))
        except EngineError as error:
            raise EngineError(f"{error}\nNothing is lost: the same command with --run {root} goes on.") from error
        used = result.spent
        for name, more in zip(
            _SHARED, (used.usd, used.seconds, used.model_calls, used.tokens_in + used.tokens_out), strict=True
        ):
            spent[name] += more
        interrupted = exit_code(result) == 130
        if interrupted:
            break
        rows.append(row(problem.name, result))
        shown = ", ".join(f"{title} {value}" for title, value in zip(*map(list, _last(table(rows))), strict=True))
        print(f"{number} of {len(problems)}: {visible(shown)}", file=sys.stderr)
    header, cells = table(rows)
    print_table(header, cells, left=("task",))
    print(f"\n{summary(rows)}")
    if rows:
        write_atomically(root / "set.csv", csv_text([header, *cells]))
        print(f"\nwrote {root / 'set.csv'}; the run of each task is beside it")
    if interrupted:
        print(f"\nThe same command with --run {root} goes on with this task and all after it.", file=sys.stderr)
    return 130 if interrupted else 0


def _last(table: tuple[Sequence[str], Sequence[Sequence[str]]]) -> tuple[Sequence[str], Sequence[str]]:
    return table[0], table[1][-1]


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
    lines += _measured(best.feedback)
    final = result.finals.get(best.number)
    if final is not None:
        hidden = f"{passed_of(final, 'hidden')} pass" if final.measured else f"could not be run: {final.error}"
        lines += [f"Hidden tests: {hidden}.", *(f"On what was hidden: {line}" for line in _measured(final))]
    return "\n".join(lines)


def _measured(feedback: Feedback) -> list[str]:
    """Take the lines of a page that say what was minimised."""
    return [line for line in feedback.text.splitlines() if line.startswith(("Run time:", "Memory:", "Figure"))]
