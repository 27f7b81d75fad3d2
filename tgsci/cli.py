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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from . import __version__, report, runs
from .domain import Domain, Domains, Problem
from .errors import EngineError, InvalidValue, LedgerError, TgsciError, UsageError
from .result import Result
from .search import Budget
from .texts import visible
from .trial import Trial

_JOB_KEYS = {"domain", "budget", "run", "engine"}
_RUN_KEYS = {"goal", "proposals", "seed", "workers", "directory"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code: 0 done, 1 it failed, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an ASCII terminal still shows every name
    with contextlib.suppress(ValueError):  # not in the main thread: nothing to handle there
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        namespace = _parser(arguments).parse_args(arguments)
        code: int = namespace.run(namespace)
    except (UsageError, LedgerError, InvalidValue) as error:
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
    parser = argparse.ArgumentParser(
        prog="tgsci",
        description="Text gradients for science. A research tool: nothing it says is advice for patients.",
    )
    parser.add_argument("--version", action="version", version=f"tgsci {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_runs(commands)
    domains = Domains.installed()
    wanted = next((a for a in arguments if not a.startswith("-")), None)
    for name in domains.entries:
        _mount(commands, domains, name, must_load=wanted == name)
    return parser


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
            raise
        domain, summary = None, f"(does not load: {str(error) or type(error).__name__})"
    parser = commands.add_parser(name, help=summary.replace("%", "%%"), description=summary)
    if domain:
        own = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
        domain.add_commands(own)
        if not own.choices:
            parser.epilog = f"Use it from a job file: tgsci run JOB.toml with domain = {name!r}."


# -- running a problem: shared by `tgsci run` and the domains' own commands ----------------------------


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that runs a problem."""
    group = parser.add_argument_group("run")
    group.add_argument("--evals", type=int, metavar="N", help="measurements, start values included (default 60)")
    group.add_argument("--seconds", type=float, metavar="S", help="wall time after which no new round starts")
    group.add_argument("--usd", type=float, metavar="USD", help="most that model calls may cost")
    group.add_argument("--model-calls", type=int, metavar="N", help="most questions to a model")
    group.add_argument("--goal", type=float, metavar="LOSS", help="stop at this loss or below")
    group.add_argument("--run", dest="directory", metavar="DIR", help="directory of the run (default runs/NAME-TIME)")
    group.add_argument(
        "--engine",
        metavar="NAME",
        help="who proposes: a model as litellm names it, 'human', 'replay:FILE', or 'rules' for the rule editor "
        f"(default: {runs.ENGINE_VARIABLE}, else rules)",
    )
    group.add_argument("--proposals", type=int, metavar="N", help="new values a round (default 4)")
    group.add_argument("--seed", type=int, metavar="N", help="seed of all randomness (default 0)")
    group.add_argument("--workers", type=int, metavar="N", help="processes that measure (default one a core)")


def run_problem(problem: Problem, namespace: argparse.Namespace, job: Mapping[str, Any] | None = None) -> int:
    """Run a problem with the options of `add_run_options`; they win over a job file's."""
    job = job or {}
    options = {**job.get("run", {}), **_given(namespace, "goal", "proposals", "seed", "workers", "directory")}
    engine = namespace.engine or job.get("engine")
    chosen = options.pop("directory", None)
    if chosen is not None and not isinstance(chosen, str):
        raise UsageError(f"directory must be text, not {chosen!r}")
    directory = Path(chosen).expanduser() if chosen else runs.new_directory(problem)
    budget = _budget(namespace, job.get("budget", {}))
    return _show_run(problem, directory, engine, lambda p: runs.solve(
        problem, engine=engine, budget=budget, run=directory, progress=p, **options
    ))  # fmt: skip


def _show_run(problem: Problem, directory: Path, engine: Any, work: Any) -> int:
    from .progress import LiveProgress

    optimizer = runs.choose_optimizer(problem, engine)
    print(optimizer.description, file=sys.stderr)
    print(f"Run directory: {directory}", file=sys.stderr)
    try:
        # A person who pastes replies would have the live table drawn over what is typed.
        with LiveProgress(problem.columns, problem.loss.units, live=optimizer.name != "human") as progress:
            result: Result = work(progress)
    except EngineError as error:
        raise EngineError(f"{error}\nNothing is lost. Go on with: tgsci runs resume {directory}") from error
    print_result(result)
    if result.stopped == "interrupted":
        print(f"Interrupted; nothing is lost. Go on with: tgsci runs resume {directory}")
        return 130
    return 0 if result.best else 1


def print_result(result: Result, most: int = 5) -> None:
    """The best trials, why each was made, and where the files are."""
    from rich.console import Console

    from .progress import trial_table

    best = result.trials.ranked()[:most]
    if best:
        print()
        Console().print(trial_table(best, result.columns, result.units, values=False))
    lines = [""]
    for trial in best:
        made = f"from trial {trial.parent}" if trial.parent is not None else "start"
        edit = f", {trial.edit}" if trial.edit else ""
        lines += [f"trial {trial.number} ({made}{edit})", f"  {trial.value}", f"  {trial.reason}"]
    lines += ["", result.summary(), *(f"wrote {path}" for path in result.files)]
    print(visible("\n".join(lines)))  # not folded to the terminal's width: a value must survive copy and paste


def _budget(namespace: argparse.Namespace, job: Mapping[str, Any]) -> Budget:
    named = {"evals": "evaluations", "seconds": "seconds", "usd": "usd", "model_calls": "model_calls"}
    given = {named[key]: value for key, value in _given(namespace, *named).items()}
    return Budget(**{**_checked(job, set(named.values()), "[budget]"), **given})


def _given(namespace: argparse.Namespace, *names: str) -> dict[str, Any]:
    return {name: getattr(namespace, name) for name in names if getattr(namespace, name, None) is not None}


# -- tgsci run ---------------------------------------------------------------------------------------


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("run", help="run a job file")
    parser.add_argument("job", metavar="JOB.toml", type=Path)
    add_run_options(parser)
    parser.set_defaults(run=_run)


def _run(namespace: argparse.Namespace) -> int:
    job = read_job(namespace.job)
    problem = Domains.installed().load(job["domain"]).problem(job[job["domain"]])
    return run_problem(problem, namespace, job)


def read_job(path: Path) -> dict[str, Any]:
    """A job file: `domain = "NAME"`, a table of that name, and optional [budget], [run] and [engine].

    Raises:
        UsageError: It cannot be read, or holds what nobody knows; says which.
    """
    try:
        job = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"cannot read the job {str(path)!r}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} is no valid TOML: {error}") from None
    domain = job.get("domain")
    if not isinstance(domain, str):
        raise UsageError(f'{str(path)!r} does not say which domain it is for: add a line like domain = "molecules"')
    _checked(job, {*_JOB_KEYS, domain}, str(path))
    for table in (domain, "budget", "run"):
        if not isinstance(job.setdefault(table, {}), dict):
            raise UsageError(f"{table!r} in {str(path)!r} must be a table: [{table}]")
    _checked(job["run"], _RUN_KEYS, "[run]")
    return job


def _checked(table: Mapping[str, Any], known: set[str], where: str) -> dict[str, Any]:
    unknown = [key for key in table if key not in known]
    if unknown:
        raise UsageError(f"{where} has an unknown key {unknown[0]!r}; there are: {', '.join(sorted(known))}")
    return dict(table)


# -- tgsci runs --------------------------------------------------------------------------------------


def _add_runs(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("runs", help="look at runs, or go on with one")
    own = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listed = own.add_parser("list", help="the runs below a directory")
    listed.add_argument("root", nargs="?", default="runs", metavar="DIR")
    listed.set_defaults(run=_list)

    show = own.add_parser("show", help="a run's best trials, or one trial's whole story")
    show.add_argument("directory", type=Path, metavar="RUN")
    show.add_argument("--top", type=int, default=10, metavar="N", help="how many of the best (default 10)")
    show.add_argument("--trial", type=int, metavar="NUMBER", help="one trial: its report, its line of descent")
    show.set_defaults(run=_show)

    resume = own.add_parser("resume", help="go on with a run that was killed, interrupted, or needs a bigger budget")
    resume.add_argument("directory", type=Path, metavar="RUN")
    resume.add_argument("--evals", type=int, metavar="N", help="new budget of measurements for the whole run")
    resume.add_argument("--engine", metavar="NAME", help="who proposes from here on (default: as before)")
    resume.add_argument("--workers", type=int, metavar="N", help="processes that measure (default one a core)")
    resume.set_defaults(run=_resume)

    plot = own.add_parser("plot", help="write a PNG: best so far against evaluations")
    plot.add_argument("directory", type=Path, metavar="RUN")
    plot.add_argument("--output", type=Path, metavar="FILE", help="default RUN/plot.png")
    plot.set_defaults(run=_plot)

    page = own.add_parser("report", help="write the run as one HTML page, to read, print or send")
    page.add_argument("directory", type=Path, metavar="RUN")
    page.add_argument("--output", type=Path, metavar="FILE", help="default RUN/report.html")
    page.set_defaults(run=_report)


def _list(namespace: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1), header_style="bold")
    for title in ("run", "domain", "trials", "best loss", "state"):
        table.add_column(title, overflow="fold")
    for directory in runs.find_runs(namespace.root):
        try:
            result = Result.load(directory)
        except LedgerError as error:
            table.add_row(*map(Text, (str(directory), "", "", "", visible(str(error)))))
            continue
        best = f"{result.best.loss:.4g}" if result.best else ""
        domain = str(result.header.get("domain", ""))
        cells = (str(directory), visible(domain), str(len(result.trials)), best, visible(result.stopped))
        table.add_row(*map(Text, cells))  # Text: what a model or a path says is no markup
    Console().print(table if table.rows else Text(f"no runs below {namespace.root}"))
    return 0


def _show(namespace: argparse.Namespace) -> int:
    result = Result.load(namespace.directory)
    if namespace.trial is None:
        print_result(result, namespace.top)
        return 0
    if not 0 <= namespace.trial < len(result.trials):
        raise UsageError(f"there is no trial {namespace.trial}; the run has 0 to {len(result.trials) - 1}")
    _print_trial(result, result.trials[namespace.trial])
    return 0


def _print_trial(result: Result, trial: Trial) -> None:
    lines = [f"trial {trial.number}: {trial.state.value} ({trial.decision})", trial.value, "", "line of descent:"]
    for step in result.lineage(trial):
        lines.append(f"  {step.number:>4}  loss {step.loss:.4g}  {step.value}")
        lines.append(f"        {step.edit + ': ' if step.edit else ''}{step.reason}")
    lines += ["", trial.feedback.text if trial.feedback else "not measured"]
    if trial.feedback and trial.feedback.artifacts:
        lines += ["", f"artifacts: {', '.join(trial.feedback.artifacts)}"]
    print(visible("\n".join(lines)))


def _resume(namespace: argparse.Namespace) -> int:
    result = runs.load(namespace.directory)
    budget = None
    if namespace.evals is not None:
        budget = Budget(**{**result.header.get("budget", {}), "evaluations": namespace.evals})
    if result.problem is None:
        # Says what is missing: no domain, or one that is not installed.
        runs.resume(namespace.directory, engine=namespace.engine, budget=budget, workers=namespace.workers)
        return 0
    engine = namespace.engine or result.header.get("engine")
    return _show_run(result.problem, namespace.directory, engine, lambda p: runs.resume(
        namespace.directory, engine=namespace.engine, budget=budget, workers=namespace.workers, progress=p
    ))  # fmt: skip


def _plot(namespace: argparse.Namespace) -> int:
    output = namespace.output or namespace.directory / "plot.png"
    Result.load(namespace.directory).plot().savefig(output, dpi=150)
    print(f"wrote {output}")
    return 0


def _report(namespace: argparse.Namespace) -> int:
    result = runs.load(namespace.directory)
    output = namespace.output or namespace.directory / report.FILE
    print(f"wrote {report.write(result, output)}")
    if result.problem is None and result.header.get("domain"):
        print(
            "Values are not drawn: the run's domain is not installed, or not the one it was made with.", file=sys.stderr
        )
    return 0
