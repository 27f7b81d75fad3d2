"""`tgsci run`, and what every command that runs a problem shares: its options, a person who watches, the result."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..basics.texts import shell_word, visible
from ..errors import EngineError, RecordError, UsageError
from .command import command, option, options

if TYPE_CHECKING:  # what runs a problem is imported where one is run: help is quick
    from ..runs.choose import Chosen
    from ..runs.domain import Problem
    from ..runs.job import Job, RunTable
    from ..runs.result import Result
    from ..search.options import RunOptions

_PROPOSES = "a model proposes: its name as litellm writes it, 'human', 'replay:FILE', or 'rules' for the rule editor"


@dataclass(frozen=True, kw_only=True)
class RunArguments:
    """What a person typed of a run's options; None where nothing was. They win over a job file's.

    Args:
        evals: Most measurements, start values included.
        seconds: Wall time after which no new round starts, s.
        usd: Most that model calls may cost, USD.
        model_calls: Most questions to a model.
        tokens: Most tokens sent to models and received.
        goal: Stop at this loss or below.
        directory: Where to keep the run.
        engine: The model that proposes.
        optimizer: Who proposes, by name.
        proposals: Values a round.
        seed: Of all randomness.
        keep_ties: Whether a value as good as the best takes its place.
        ideas: New values that a model is asked for at a time.
        prompt_tokens: How long a prompt may be, tokens.
        confirm: Whether what would become the best is measured with care first.
        workers: Processes that measure.
        executor: Address of a cluster that measures.
        plan_only: Print what would be asked and what it would cost, and ask nothing.
    """

    evals: int | None = None
    seconds: float | None = None
    usd: float | None = None
    model_calls: int | None = None
    tokens: int | None = None
    goal: float | None = None
    directory: str | None = None
    engine: str | None = None
    optimizer: str | None = None
    proposals: int | None = None
    seed: int | None = None
    keep_ties: bool | None = None
    ideas: int | None = None
    prompt_tokens: int | None = None
    confirm: bool | None = None
    workers: int | None = None
    executor: str | None = None
    plan_only: bool = False

    @property
    def limits(self) -> dict[str, Any]:
        """The limits that were typed, by `Budget`'s names."""
        typed = {
            "evaluations": self.evals,
            "seconds": self.seconds,
            "usd": self.usd,
            "model_calls": self.model_calls,
            "tokens": self.tokens,
        }
        return {name: limit for name, limit in typed.items() if limit is not None}

    @property
    def desk(self) -> dict[str, Any]:
        """What was typed of how a model is asked and leaders are confirmed, by the names of `RunOptions`."""
        return {"ideas": self.ideas, "prompt_tokens": self.prompt_tokens, "confirm": self.confirm}

    def place(self, job: RunTable | None = None) -> int | str | None:
        """Say where to measure: a number of processes, a cluster's address, or None for one process a core.

        Args:
            job: A job file's [run].

        Raises:
            UsageError: Both are given.
        """
        asked: list[RunArguments | RunTable] = [self, *([job] if job else [])]
        for there in asked:
            if there.workers is not None and there.executor is not None:
                raise UsageError("workers (processes of this machine) and executor (a cluster) exclude each other")
            if there.workers is not None or there.executor is not None:
                return there.executor if there.workers is None else there.workers
        return None

    def proposer(self, job_engine: Any, job_optimizer: Any) -> tuple[Any, Any]:
        """Choose engine and optimizer; one that was typed drops a job's other that does not go with it."""
        from ..runs.choose import WITH_MODEL

        alone = self.optimizer is not None and self.optimizer not in WITH_MODEL
        engine = job_engine if self.engine is None and not alone else self.engine
        keeps = self.optimizer is None and (self.engine is None or job_optimizer in WITH_MODEL)
        return engine, job_optimizer if keeps else self.optimizer


def _limits(section: str, default: str = "") -> list[Callable[[Any], Any]]:
    """Make the options on when to stop."""
    add = partial(option, section=section)
    return [
        add("--evals", type=int, metavar="N", help=f"measurements, start values included{default}"),
        add("--seconds", type=float, metavar="S", help="wall time after which no new round starts, s"),
        add("--usd", type=float, metavar="USD", help="most that model calls may cost, USD"),
        add("--model-calls", type=int, metavar="N", help="most questions to a model"),
        add("--tokens", type=int, metavar="N", help="most tokens sent to models and received from them"),
        add("--goal", type=float, metavar="LOSS", help="stop at this loss or below"),
    ]


def _proposer(section: str, default: str) -> list[Callable[[Any], Any]]:
    """Make the options on who proposes."""
    return [
        option("--engine", section=section, metavar="NAME", help=f"{_PROPOSES} {default}"),
        option(
            "--optimizer",
            section=section,
            metavar="NAME",
            help="'rules', a baseline of the domain, or with --engine 'team' (the model and the rule editor: the "
            "default), 'desk' (the model alone), 'tgd' (it sees the best value and its report) or 'menu' (it chooses "
            "from the domain's options); an unknown name lists what there is",
        ),
    ]


def _desk(section: str, defaults: Sequence[str] = ("", "", "")) -> list[Callable[[Any], Any]]:
    """Make the options on how a model is asked, and on leaders that are confirmed."""
    ideas, prompt_tokens, confirm = defaults
    add = partial(option, section=section)
    return [
        add("--ideas", type=int, metavar="N", help=f"new values that a model is asked for at a time{ideas}"),
        add("--prompt-tokens", type=int, metavar="N", help=f"how long a prompt may be, tokens{prompt_tokens}"),
        add(
            "--confirm/--no-confirm",
            default=None,
            help=f"measure what would become the best with more care before it leads{confirm}",
        ),
    ]


def _place(section: str) -> list[Callable[[Any], Any]]:
    """Make the options on where to measure."""
    return [
        option("--workers", section=section, type=int, metavar="N", help="processes that measure (default one a core)"),
        option("--executor", section=section, metavar="ADDRESS", help="measure on a Dask cluster: dask://HOST:PORT"),
    ]


#: Decorator: the options of every command that runs a problem; its function gets them as `run`, a `RunArguments`.
run_options = options(
    "run",
    *_limits("Run", " (default 60)"),
    option("--run", "directory", section="Run", metavar="DIR", help="directory of the run (default runs/NAME-TIME)"),
    *_proposer("Run", "(default: TGSCI_ENGINE, else rules)"),
    option("--proposals", section="Run", type=int, metavar="N", help="values a round (default 4, or the domain's)"),
    option("--seed", section="Run", type=int, metavar="N", help="seed of all randomness (default 0)"),
    option(
        "--keep-ties/--no-keep-ties",
        section="Run",
        default=None,
        help="a value as good as the best takes its place, so that the search moves on from it (default: it does not)",
    ),
    *_desk("Run", (" (default 12)", " (default 8000)", " (default: it is, where the domain says how)")),
    *_place("Run"),
    option(
        "--dry-run",
        "plan_only",
        section="Run",
        is_flag=True,
        help="print the first prompt, the number of calls and their price, and ask nothing",
    ),
    into=RunArguments,
)

#: Decorator: the options of a command that goes on with a run; its function gets them as `run`, a `RunArguments`.
resume_options = options(
    "run",
    *_proposer("Options", "(default: as before)"),
    *_desk("Options"),
    *_place("Options"),
    *_limits("New limits, for the whole run; the others stay"),
    into=RunArguments,
)


@command("run", takes_settings=True, epilog="--KEY VALUE sets KEY in the domain's own table: --max-evals 500 for "
         "max_evals = 500.")  # fmt: skip
@click.argument("job", metavar="JOB.toml", type=Path)
@run_options
def run_job(job: Path, settings: dict[str, Any], run: RunArguments) -> int:
    """Run a job file."""
    from ..runs.domain import Domains
    from ..runs.job import read_job

    read = read_job(job)
    domain = Domains.installed().load(read.domain)
    problem = domain.problem({**domain.located(read.table, job.parent), **settings})
    return exit_code(run_problem(problem, run, read))


def run_problem(
    problem: Problem, run: RunArguments, job: Job | None = None, header: Mapping[str, Any] | None = None
) -> Result:
    """Run a problem as the command line asks, with a person watching, and print the result.

    Args:
        problem: What to run.
        run: What was typed; it wins over the job file.
        job: The job file, where there is one.
        header: Facts to keep with the run.

    Raises:
        UsageError: A bad option; nothing was started.
        Exit: Of click: only the plan was wanted, and it is printed.
    """
    from ..runs.choose import choose
    from ..runs.directory import new_directory
    from ..runs.dry_run import dry_run, plan
    from ..runs.job import BudgetTable, RunTable, stated
    from ..runs.run import options_for
    from ..search.options import Budget

    table, limits = (job.run, job.budget) if job else (RunTable(), BudgetTable())
    typed = {"goal": run.goal, "proposals": run.proposals, "seed": run.seed, "keep_ties": run.keep_ties, **run.desk}
    settings = {name: getattr(table, name) if value is None else value for name, value in typed.items()}
    settings |= {"budget": Budget(**{**stated(limits), **run.limits}), "workers": run.place(table)}
    options = options_for(problem, settings)
    engine, optimizer = run.proposer(job.engine if job else None, table.optimizer)
    chosen = choose(problem, engine, optimizer, prompt_tokens=options.prompt_tokens)
    if run.plan_only:
        print(visible(dry_run(plan(problem, chosen.proposer, options))))
        raise click.exceptions.Exit(0)
    named = run.directory or table.directory
    directory = Path(named).expanduser() if named else new_directory(problem)
    try:
        return watch(problem, chosen, replace(options, run=directory), header)
    except BaseException:
        if not named:
            with contextlib.suppress(OSError):  # only where nothing was begun in it
                directory.rmdir()
                directory.parent.rmdir()
        raise


def watch(problem: Problem, chosen: Chosen, options: RunOptions, header: Mapping[str, Any] | None = None) -> Result:
    """Carry out a run with a person watching, and print the result.

    Args:
        problem: What the run is about.
        chosen: Who proposes.
        options: How the run goes, its directory included.
        header: Facts to keep with a new run.
    """
    from ..compute import executors
    from ..runs.run import carry_out
    from ..show.progress import LiveProgress

    facts = (*problem.notes, chosen.proposer.description, executors.destination(options.workers))
    for line in filter(None, (*facts, f"Run directory: {options.run}")):
        print(visible(line), file=sys.stderr)
    engine = chosen.proposer.engine
    person = engine is not None and engine.answered_by_person
    again = f"Go on with: tgsci runs resume {shell_word(options.run)}"
    try:
        # A person who pastes replies would have the live table drawn over what is typed.
        with LiveProgress(
            problem.columns,
            problem.loss.units,
            live=not person,
            rivals=problem.rivals,
            in_words=problem.loss.in_words,
        ) as progress:
            result = carry_out(problem, chosen, replace(options, progress=progress), header)
    except (EngineError, RecordError) as error:
        raise type(error)(f"{error}\nNothing is lost. {again}") from error
    print_result(result)
    if result.stopped == "interrupted":
        print(f"Interrupted; nothing is lost. {again}")
    return result


def exit_code(result: Result) -> int:
    """Give 130 for a run that was interrupted, 1 where nothing was measured or a file not written, else 0."""
    if result.stopped == "interrupted":
        return 130
    return 0 if result.best and not result.unwritten else 1


def print_result(result: Result, most: int = 5) -> None:
    """Print the best trials, why each was made, and where the files are.

    Args:
        result: Of a run.
        most: How many trials to print.
    """
    from rich.console import Console

    from ..show.origin import confirmation, expectation, proposed
    from ..show.progress import trial_table

    best = [] if result.problem and result.problem.summary else result.trials.ranked()[:most]
    if best:
        print()
        console = Console()
        table = trial_table(
            best, result.columns, result.units, values=False, width=console.width, in_words=result.in_words
        )
        console.print(table)
    lines = [""]
    origin = result.branched_from()
    if origin:
        lines += [origin, ""]
    for trial in best:
        made = f"from trial {trial.parent}" if trial.parent is not None else "start" if not trial.round else "new"
        edit = f", {trial.edit}" if trial.edit else ""
        by = f", {proposed(trial)}" if proposed(trial) else ""
        # A value of several lines is shown once, below: here its edit tells more.
        value = [] if "\n" in trial.value else [f"  {trial.value}"]
        lines += [f"trial {trial.number} ({made}{edit}{by})", *value, f"  {trial.reason}"]
        lines += [f"  {said}" for said in (expectation(trial), confirmation(trial)) if said]
        if trial.number in result.finals:
            lines.append(f"  measured again: {result.final_in_words(result.finals[trial.number])}")
    lines += ["", result.summary(), *(f"wrote {path}" for path in result.files)]
    print(visible("\n".join(lines)))  # not folded to the terminal's width: a value must survive copy and paste
