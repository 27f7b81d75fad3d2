"""The command line's `tgsci runs`: look at runs, compare them, go on with one, branch off from one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LedgerError, TgsciError, UsageError
from ..runs import run as runs
from ..runs.comparison import compare
from ..runs.domain import Domains
from ..runs.result import Result
from ..search.loop import Budget
from ..search.trial import Trial
from ..show import report
from ..texts import figure, visible
from .main import (
    add_budget_options,
    add_proposer_options,
    add_run_options,
    add_worker_options,
    given,
    given_budget,
    print_result,
    run_problem,
    show_run,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: In a terminal with fewer columns, runs are listed one below the other.
_NARROW = 72


def add_runs(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `tgsci runs` with its commands."""
    parser = commands.add_parser("runs", help="look at runs, compare them, or go on with one")
    own = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listed = own.add_parser("list", help="the runs below a directory")
    listed.add_argument("root", nargs="?", default="runs", metavar="DIR")
    listed.set_defaults(run=_list)

    show = own.add_parser("show", help="a run's best trials, or one trial's whole story")
    show.add_argument("directory", type=Path, metavar="RUN")
    show.add_argument("--top", type=int, default=10, metavar="N", help="how many of the best (default 10)")
    show.add_argument("--trial", type=int, metavar="NUMBER", help="one trial: its report, its line of descent")
    show.set_defaults(run=_show)

    compared = own.add_parser("compare", help="runs side by side at equal numbers of evaluations")
    compared.add_argument("directories", type=Path, nargs="+", metavar="RUN")
    compared.add_argument("--plot", type=Path, metavar="FILE", help="write their curves, one over the other, as a PNG")
    compared.add_argument(
        "--anyway", action="store_true", help="also runs that do not measure the same, which cannot be ranked together"
    )
    compared.set_defaults(run=_compare)

    resume = own.add_parser("resume", help="go on with a run that was killed, interrupted, or needs a bigger budget")
    resume.add_argument("directory", type=Path, metavar="RUN")
    budget = resume.add_argument_group("new limits, for the whole run; the others stay")
    add_budget_options(budget, fresh=False)
    add_proposer_options(resume, "(default: as before)")
    add_worker_options(resume)
    resume.set_defaults(run=_resume)

    branch = own.add_parser("branch", help="begin a new run from any value of another run, which stays as it is")
    branch.add_argument("origin", type=Path, metavar="RUN")
    branch.add_argument("--trial", type=int, required=True, metavar="NUMBER", help="the trial to start from")
    add_run_options(branch)
    branch.epilog = "--KEY VALUE changes KEY of the run's settings in its domain's table: --finalists 3."
    branch.set_defaults(run=_branch, settings={})

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
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = Console()
    rows = [tuple(map(visible, _listed(directory))) for directory in runs.find_runs(namespace.root)]
    if not rows:
        console.print(Text(f"no runs below {namespace.root}"))
    elif console.width < _NARROW:
        for run, domain, trials, best, state in rows:
            facts = ", ".join(
                filter(None, (domain, trials and f"{trials} trials", best and f"best loss {best}", state))
            )
            console.print(Text(run, style="bold"), Padding(Text(facts), (0, 0, 0, 2)))
    else:
        table = Table(box=None, padding=(0, 1), header_style="bold")
        for title in ("run", "domain", "trials", "best loss", "state"):
            table.add_column(title, overflow="fold", no_wrap=title in ("trials", "best loss"))
        for row in rows:
            table.add_row(*map(Text, row))  # Text: what a model or a path says is no markup
        console.print(table)
    return 0


def _listed(directory: Path) -> tuple[str, str, str, str, str]:
    """A run in a line: where, domain, number of trials, best loss, state."""
    try:
        result = Result.load(directory)
    except LedgerError as error:
        return str(directory), "", "", "", str(error)
    best = figure(result.best.loss) if result.best else ""
    return str(directory), str(result.header.get("domain", "")), str(len(result.trials)), best, result.stopped


def _show(namespace: argparse.Namespace) -> int:
    if namespace.top < 1:
        raise UsageError(f"--top must be at least 1, not {namespace.top}")
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
    if result.branched_from():
        lines.append(f"  {result.branched_from()}")
    for step in result.lineage(trial):
        loss = f"loss {figure(step.loss)}" if step.measured else "not measured"
        lines.append(f"  {step.number:>4}  {loss}  {step.value}")
        lines.append(f"        {step.edit + ': ' if step.edit else ''}{step.reason}")
    lines += ["", trial.feedback.text if trial.feedback else "not measured"]
    if trial.feedback and trial.feedback.artifacts:
        lines += ["", f"artifacts: {', '.join(trial.feedback.artifacts)}"]
    final = result.finals.get(trial.number)
    if final:
        lines += ["", f"measured again: {result.final_in_words(final)}", final.text]
    print(visible("\n".join(lines)))


def _compare(namespace: argparse.Namespace) -> int:
    from rich.console import Console

    comparison = compare(namespace.directories, anyway=namespace.anyway)
    console = Console()
    console.print(comparison.rich_table(console.width))
    for warning in comparison.warnings:
        print(f"tgsci: {visible(warning)}", file=sys.stderr)
    if namespace.plot:
        _save(comparison.plot(), namespace.plot, "--plot")
    return 0


def _resume(namespace: argparse.Namespace) -> int:
    directory = namespace.directory
    header = runs.read_header(directory)
    problem = runs.problem_of(directory, header)
    chosen = runs.choose_again(problem, header, directory, namespace.engine, namespace.optimizer)
    limits = given_budget(namespace)
    budget = Budget(**{**header.get("budget", {}), **limits}) if limits else None
    options = given(namespace, "workers", "executor")
    if len(options) == 2:
        raise UsageError("--workers (processes of this machine) and --executor (a cluster) exclude each other")
    workers = next(iter(options.values()), None)
    return show_run(problem, directory, chosen, workers, lambda progress: runs.carry_on(
        directory, problem, chosen, header, budget=budget, goal=namespace.goal, workers=workers, progress=progress
    ))  # fmt: skip


def _branch(namespace: argparse.Namespace) -> int:
    problem, origin = runs.branched(namespace.origin, namespace.trial)
    if namespace.settings:
        changed = Domains.installed().load(problem.domain).problem({**problem.config, **namespace.settings})
        problem = replace(changed, start=problem.start)
    return run_problem(problem, namespace, header=origin)


def _plot(namespace: argparse.Namespace) -> int:
    output = namespace.output or namespace.directory / "plot.png"
    _save(Result.load(namespace.directory).plot(), output, "--output")
    return 0


def _save(figure: Figure, path: Path, option: str) -> None:
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:  # an ending that is no picture's
        raise UsageError(f"cannot write {str(path)!r}: {error}") from None
    except OSError as error:
        raise _unwritable(path, error, option) from None
    print(f"wrote {path}")


def _unwritable(path: Path, error: OSError, option: str) -> TgsciError:
    return TgsciError(
        f"cannot write {str(path)!r} ({error.strerror or error}); choose another place with {option} FILE"
    )


def _report(namespace: argparse.Namespace) -> int:
    result = runs.load(namespace.directory)
    output = namespace.output or namespace.directory / report.FILE
    try:
        print(f"wrote {report.write(result, output)}")
    except OSError as error:
        raise _unwritable(output, error, "--output") from None
    if result.problem is None and result.header.get("domain"):
        print(
            "Values are not drawn: the run's domain is not installed, or not the one it was made with.", file=sys.stderr
        )
    return 0
