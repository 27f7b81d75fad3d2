"""The command line: `tgsci run`, `tgsci runs`, and every installed domain's own commands."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sqlite3
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ..compute import executors
from ..engine import Engine
from ..errors import EngineError, InvalidValue, LedgerError, RecordError, TgsciError, UsageError
from ..runs import run as runs
from ..runs.choose import ENGINE_VARIABLE, WITH_MODEL, Chosen, choose
from ..runs.domain import Domain, Domains, Problem
from ..runs.job import Job, read_job, stated
from ..runs.result import Result
from ..search.loop import Budget
from ..texts import visible
from ..version import __version__

if TYPE_CHECKING:
    from ..show.progress import LiveProgress

_BUDGET_OPTIONS = {"evals": "evaluations", "seconds": "seconds", "usd": "usd", "model_calls": "model_calls"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code: 0 done, 1 it failed or left something unwritten, 2 bad input, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an ASCII terminal still shows every name
    with contextlib.suppress(ValueError):  # not in the main thread: nothing to handle there
        signal.signal(signal.SIGTERM, _interrupt)
    usage = ""
    try:
        parser = _parser(arguments)
        namespace, more = parser.parse_known_args(arguments)
        if more:
            command = _command(parser, arguments)
            if not hasattr(namespace, "settings"):
                command.error(f"unrecognized arguments: {' '.join(more)}")
            namespace.settings, usage = _settings(command, more), command.format_usage()
        code: int = namespace.run(namespace)
    except RecordError as error:
        return _complain(error, 1)
    except (UsageError, LedgerError, InvalidValue) as error:
        print(usage, end="", file=sys.stderr)
        return _complain(error, 2)
    except TgsciError as error:
        return _complain(error, 1)
    except sqlite3.OperationalError as error:
        return _complain(f"the run could not be recorded ({error}); everything up to here is safe: resume it", 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _complain(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), 1)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    return code


def _complain(message: object, code: int) -> int:
    print(f"tgsci: {visible(str(message))}", file=sys.stderr)
    return code


def _interrupt(signum: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    from .runs import add_runs  # its commands use what is defined here

    parser = argparse.ArgumentParser(
        prog="tgsci",
        description="Text gradients for science. A research tool: nothing it says is advice for patients.",
    )
    parser.add_argument("--version", action="version", version=f"tgsci {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    add_runs(commands)
    domains = Domains.installed()
    wanted = next((a for a in arguments if not a.startswith("-")), None)
    for name in domains.entries:
        _mount(commands, domains, name, must_load=wanted == name)
    return parser


def _command(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the command that was typed: its usage is what helps."""
    for word in words:
        below = next((a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction)), {})
        parser = below.get(word, parser)
    return parser


def _settings(command: argparse.ArgumentParser, words: Sequence[str]) -> dict[str, Any]:
    """What options that only the domain knows set in its table: --max-evals 500 is max_evals = 500."""
    found: dict[str, list[str]] = {}
    for word in words:
        option, given, value = word.partition("=")
        if option.startswith("--"):
            name = option[2:].replace("-", "_")
            found.setdefault(name, []).extend([value] if given else [])
        elif found:
            found[name].append(word)
    bare = next((name for name, values in found.items() if not values), None)
    if not found or bare is not None or not words[0].startswith("--"):
        command.error(f"unrecognized arguments: {' '.join(words)}")
    return {name: _value(values[0]) if len(values) == 1 else [*map(_value, values)] for name, values in found.items()}


def _value(text: str) -> Any:
    """A number, true or false, a list or a table as TOML writes it; anything else is text."""
    try:
        value = tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | list | dict) else text


def _mount(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], domains: Domains, name: str, *, must_load: bool
) -> None:
    """A domain's commands below its name. One that does not load is listed, and says why when it is used."""
    try:
        domain: Domain | None = domains.load(name)
        summary = domain.summary if domain else ""
        if domain and not must_load:
            domain.add_commands(argparse.ArgumentParser().add_subparsers())  # a rehearsal: it may fail halfway
    except Exception as error:  # somebody else's code: whatever it raises, the other commands work
        if must_load:
            raise error if isinstance(error, TgsciError) else _broken(name, error) from error
        domain, summary = None, f"(does not load: {str(error) or type(error).__name__})"
    parser = commands.add_parser(name, help=summary.replace("%", "%%"), description=summary)
    if domain:
        own = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
        try:
            domain.add_commands(own)
        except Exception as error:
            raise _broken(name, error) from error
        if not own.choices:
            parser.epilog = f"Use it from a job file: tgsci run JOB.toml with domain = {name!r}."


def _broken(name: str, error: Exception) -> UsageError:
    return UsageError(
        f"the commands of the domain {name!r} do not load ({type(error).__name__}: {error}); "
        "update or reinstall its package, or tell its author"
    )


# -- running a problem: shared by `tgsci run` and the domains' own commands ----------------------------


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that runs a problem."""
    group = parser.add_argument_group("run")
    add_budget_options(group)
    group.add_argument("--run", dest="directory", metavar="DIR", help="directory of the run (default runs/NAME-TIME)")
    add_proposer_options(group, f"(default: {ENGINE_VARIABLE}, else rules)")
    group.add_argument("--proposals", type=int, metavar="N", help="new values a round (default 4, or the domain's)")
    group.add_argument("--seed", type=int, metavar="N", help="seed of all randomness (default 0)")
    add_worker_options(group)


def add_budget_options(group: argparse._ActionsContainer, *, fresh: bool = True) -> None:
    """When to stop; `fresh` for a new run."""
    default = " (default 60)" if fresh else ""
    group.add_argument("--evals", type=int, metavar="N", help=f"measurements, start values included{default}")
    group.add_argument("--seconds", type=float, metavar="S", help="wall time after which no new round starts")
    group.add_argument("--usd", type=float, metavar="USD", help="most that model calls may cost")
    group.add_argument("--model-calls", type=int, metavar="N", help="most questions to a model")
    group.add_argument("--goal", type=float, metavar="LOSS", help="stop at this loss or below")


def add_proposer_options(group: argparse._ActionsContainer, default: str) -> None:
    """Who proposes."""
    group.add_argument(
        "--engine",
        metavar="NAME",
        help="a model proposes: its name as litellm writes it, 'human', 'replay:FILE', or 'rules' for the rule editor "
        + default,
    )
    group.add_argument(
        "--optimizer",
        metavar="NAME",
        help="'rules', a baseline of the domain, or with --engine 'tgd' (the model writes values) or 'menu' (it "
        "chooses from the domain's options); an unknown name lists what there is",
    )


def add_worker_options(group: argparse._ActionsContainer) -> None:
    """Where to measure."""
    group.add_argument("--workers", type=int, metavar="N", help="processes that measure (default one a core)")
    group.add_argument("--executor", metavar="ADDRESS", help="measure on a Dask cluster: dask://HOST:PORT")


def run_problem(
    problem: Problem,
    namespace: argparse.Namespace,
    job: Job | None = None,
    header: Mapping[str, Any] | None = None,
) -> int:
    """Run a problem with the options of `add_run_options`; they win over a job file's.

    Args:
        problem: What to run.
        namespace: The parsed options.
        job: The job file, where there is one.
        header: Facts to keep with the run.
    """
    table = stated(job.run) if job else {}
    options = {**table, **given(namespace, "goal", "proposals", "seed", "directory")}
    chosen = choose(problem, *_proposer(namespace, job.engine if job else None, options.pop("optimizer", None)))
    workers = _workers(namespace, table)
    for key in ("workers", "executor"):
        options.pop(key, None)
    named = options.pop("directory", None)
    budget = Budget(**{**(stated(job.budget) if job else {}), **given_budget(namespace)})
    directory = Path(named).expanduser() if named else runs.new_directory(problem)
    try:
        return show_run(problem, directory, chosen, workers, lambda progress: runs.carry_out(
            problem, chosen, budget=budget, run=directory, workers=workers, progress=progress, header=header, **options
        ))  # fmt: skip
    except BaseException:
        if not named:
            with contextlib.suppress(OSError):  # only where nothing was begun in it
                directory.rmdir()
                directory.parent.rmdir()
        raise


def show_run(
    problem: Problem, directory: Path, chosen: Chosen, workers: Any, work: Callable[[LiveProgress], Result]
) -> int:
    """Do the work of a run, with a person watching. Returns the exit code."""
    from ..show.progress import LiveProgress

    executors.check(0 if workers is None else workers)
    said = (*problem.notes, chosen.optimizer.description, executors.destination(workers), f"Run directory: {directory}")
    for line in said:
        if line:
            print(visible(line), file=sys.stderr)
    person = isinstance(getattr(chosen.optimizer, "engine", None), Engine) and chosen.optimizer.name == "human"
    try:
        # A person who pastes replies would have the live table drawn over what is typed.
        with LiveProgress(problem.columns, problem.loss.units, live=not person) as progress:
            result = work(progress)
    except (EngineError, RecordError) as error:
        raise type(error)(f"{error}\nNothing is lost. Go on with: tgsci runs resume {directory}") from error
    print_result(result)
    if result.stopped == "interrupted":
        print(f"Interrupted; nothing is lost. Go on with: tgsci runs resume {directory}")
        return 130
    return 0 if result.best and not result.unwritten else 1


def _proposer(namespace: argparse.Namespace, job_engine: Any, job_optimizer: Any) -> tuple[Any, Any]:
    """Engine and optimizer; one that is given on the command line drops a job's other that does not go with it."""
    engine, optimizer = namespace.engine, namespace.optimizer
    alone = optimizer is not None and optimizer not in WITH_MODEL
    if engine is None and not alone:
        engine = job_engine
    if optimizer is None and (namespace.engine is None or job_optimizer in WITH_MODEL):
        optimizer = job_optimizer
    return engine, optimizer


def _workers(namespace: argparse.Namespace, table: Mapping[str, Any]) -> Any:
    """Where to measure: a number of processes, a cluster's address, or None."""
    for asked in (given(namespace, "workers", "executor"), table):
        there = {key: asked[key] for key in ("workers", "executor") if asked.get(key) is not None}
        if len(there) == 2:
            raise UsageError("workers (processes of this machine) and executor (a cluster) exclude each other")
        if there:
            return next(iter(there.values()))
    return None


def print_result(result: Result, most: int = 5) -> None:
    """The best trials, why each was made, and where the files are."""
    from rich.console import Console

    from ..show.progress import trial_table

    best = result.trials.ranked()[:most]
    if best:
        print()
        console = Console()
        console.print(trial_table(best, result.columns, result.units, values=False, width=console.width))
    lines = [""]
    origin = result.branched_from()
    if origin:
        lines += [origin, ""]
    for trial in best:
        made = f"from trial {trial.parent}" if trial.parent is not None else "start"
        edit = f", {trial.edit}" if trial.edit else ""
        # A value of several lines is shown once, below: here its edit tells more.
        value = [] if "\n" in trial.value else [f"  {trial.value}"]
        lines += [f"trial {trial.number} ({made}{edit})", *value, f"  {trial.reason}"]
        if trial.number in result.finals:
            lines.append(f"  measured again: {result.final_in_words(result.finals[trial.number])}")
    lines += ["", result.summary(), *(f"wrote {path}" for path in result.files)]
    print(visible("\n".join(lines)))  # not folded to the terminal's width: a value must survive copy and paste


def given_budget(namespace: argparse.Namespace) -> dict[str, Any]:
    """The limits that the options of `add_budget_options` set, by `Budget`'s names."""
    return {_BUDGET_OPTIONS[key]: value for key, value in given(namespace, *_BUDGET_OPTIONS).items()}


def given(namespace: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Those options that were given."""
    return {name: getattr(namespace, name) for name in names if getattr(namespace, name, None) is not None}


# -- tgsci run ---------------------------------------------------------------------------------------


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("run", help="run a job file")
    parser.add_argument("job", metavar="JOB.toml", type=Path)
    add_run_options(parser)
    parser.epilog = "--KEY VALUE sets KEY in the domain's own table: --max-evals 500 for max_evals = 500."
    parser.set_defaults(run=_run, settings={})


def _run(namespace: argparse.Namespace) -> int:
    job = read_job(namespace.job)
    table = {**job.table, **namespace.settings}
    return run_problem(Domains.installed().load(job.domain).problem(table), namespace, job)
