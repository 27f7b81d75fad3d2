"""`tgsci runs`: look at runs, compare them, go on with one, branch off from one."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..basics.texts import figure, visible
from ..errors import LedgerError, TgsciError, UsageError
from .command import Group, command, option
from .run import RunArguments, exit_code, print_result, resume_options, run_options, run_problem, watch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..runs.result import Result
    from ..search.trial import Trial


#: In a terminal with fewer columns, runs are listed one below the other.
_NARROW = 72


_RUN = click.argument("directory", metavar="RUN", type=Path)


@click.group(cls=Group, package=__package__, places={
    "list": ("runs:list_runs", "the runs below a directory"),
    "show": ("runs:show", "a run's best trials, or one trial's whole story"),
    "compare": ("runs:compare_runs", "runs side by side at equal numbers of evaluations"),
    "resume": ("runs:resume", "go on with a run that was killed, interrupted, or needs a bigger budget"),
    "branch": ("runs:branch", "begin a new run from any value of another run, which stays as it is"),
    "plot": ("runs:plot", "write a PNG: best so far against evaluations"),
    "report": ("runs:write_report", "write the run as one HTML page, to read, print or send"),
})  # fmt: skip
def runs() -> None:
    """Look at runs, compare them, or go on with one."""


@command("list")
@click.argument("root", metavar="[DIR]", default="runs")
def list_runs(root: str) -> int:
    """List the runs below a directory (default: runs)."""
    from ..runs.directory import find_runs

    rows = [tuple(map(visible, _row(directory))) for directory in find_runs(root)]
    if not rows:
        print(visible(f"no runs below {root}"))
        return 0
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if console.width < _NARROW:
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


def _row(directory: Path) -> tuple[str, str, str, str, str]:
    """Say of a run where it is, its domain, its number of trials, best loss and state."""
    from ..runs.result import Result

    try:
        result = Result.load(directory)
    except LedgerError as error:
        return str(directory), "", "", "", str(error)
    best = figure(result.best.loss) if result.best and result.header.get("rivals", True) else ""
    return str(directory), str(result.header.get("domain", "")), str(len(result.trials)), best, result.stopped


@command("show")
@_RUN
@option("--top", type=int, default=10, metavar="N", help="how many of the best (default 10)")
@option("--trial", type=int, metavar="NUMBER", help="one trial: its report, its line of descent")
def show(directory: Path, top: int, trial: int | None) -> int:
    """Show a run's best trials, or one trial's whole story."""
    from ..runs.directory import load
    from ..runs.result import Result

    if top < 1:
        raise UsageError(f"--top must be at least 1, not {top}")
    result = Result.load(directory)
    if result.header.get("summary"):  # the domain's own words
        result = load(directory)
    if trial is None:
        print_result(result, top)
        return 0
    _print_trial(result, result.trial(trial))
    return 0


def _print_trial(result: Result, trial: Trial) -> None:
    from ..show.origin import confirmation, expectation, proposed

    lines = [f"trial {trial.number}: {trial.state.value} ({trial.decision})", trial.value]
    said = filter(None, (proposed(trial), expectation(trial), confirmation(trial)))
    lines += [f"{text[:1].upper()}{text[1:]}." for text in said]
    if trial.contrast:
        lines.append(f"Against its parent: {trial.contrast}")
    lines += ["", "line of descent:"]
    if result.branched_from():
        lines.append(f"  {result.branched_from()}")
    for step in result.lineage(trial):
        loss = f"loss {figure(step.loss)}" if step.measured else "not measured"
        lines.append(f"  {step.number:>4}  {loss}  {step.value}")
        lines.append(f"        {step.edit + ': ' if step.edit else ''}{step.reason}")
    lines += ["", trial.feedback.text if trial.feedback else "not measured"]
    if trial.first:
        lines += ["", "the quicker measurement that came before:", trial.first.text]
    if trial.feedback and trial.feedback.artifacts:
        lines += ["", f"artifacts: {', '.join(trial.feedback.artifacts)}"]
    final = result.finals.get(trial.number)
    if final:
        lines += ["", f"measured again: {result.final_in_words(final)}", final.text]
    print(visible("\n".join(lines)))


@command("compare")
@click.argument("directories", metavar="RUN...", type=Path, nargs=-1, required=True)
@option("--plot", type=Path, metavar="FILE", help="write their curves, one over the other, as a PNG")
@option("--anyway", is_flag=True, help="also runs that do not measure the same, which cannot be ranked together")
@option("--together/--each", default=None, help="runs that differ in nothing but the seed in one column, with median "
        "and range, or each in its own (default: together where several arms are compared)")  # fmt: skip
def compare_runs(directories: tuple[Path, ...], plot: Path | None, anyway: bool, together: bool | None) -> int:
    """Put runs side by side at equal numbers of evaluations."""
    from rich.console import Console

    from ..runs.comparison import compare

    comparison = compare(directories, anyway=anyway, together=together)
    console = Console()
    console.print(comparison.rich_table(console.width))
    for warning in comparison.warnings:
        print(f"tgsci: {visible(warning)}", file=sys.stderr)
    if plot:
        _save(comparison.plot(), plot, "--plot")
    return 0


@command("resume")
@_RUN
@resume_options
def resume(directory: Path, run: RunArguments) -> int:
    """Go on with a run that was killed, interrupted, or needs a bigger budget."""
    from ..runs.choose import choose_again
    from ..runs.directory import problem_of, read_header
    from ..runs.run import options_again
    from ..search.options import Budget

    header = read_header(directory)
    problem = problem_of(directory, header)
    chosen = choose_again(problem, header, directory, run.engine, run.optimizer, prompt_tokens=run.prompt_tokens)
    budget = Budget(**{**header.get("budget", {}), **run.limits}) if run.limits else None
    changed = {"budget": budget, "goal": run.goal, **run.desk, "workers": run.place()}
    return exit_code(watch(problem, chosen, options_again(problem, directory, header, changed)))


@command("branch", takes_settings=True, epilog="--KEY VALUE changes KEY of the run's settings in its domain's table: "
         "--finalists 3.")  # fmt: skip
@click.argument("origin", metavar="RUN", type=Path)
@option("--trial", type=int, required=True, metavar="NUMBER", help="the trial to start from")
@run_options
def branch(origin: Path, trial: int, settings: dict[str, Any], run: RunArguments) -> int:
    """Begin a new run from any value of another run, which stays as it is."""
    from ..runs.directory import branched
    from ..runs.domain import Domains

    problem, came_from = branched(origin, trial)
    if settings:
        changed = Domains.installed().load(problem.domain).problem({**problem.config, **settings})
        problem = replace(changed, start=problem.start)
    return exit_code(run_problem(problem, run, header=came_from))


@command("plot")
@_RUN
@option("--output", type=Path, metavar="FILE", help="default RUN/plot.png")
def plot(directory: Path, output: Path | None) -> int:
    """Write a PNG: best so far against evaluations."""
    from ..runs.result import Result

    _save(Result.load(directory).plot(), output or directory / "plot.png", "--output")
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


@command("report")
@_RUN
@option("--output", type=Path, metavar="FILE", help="default RUN/report.html")
def write_report(directory: Path, output: Path | None) -> int:
    """Write the run as one HTML page, to read, print or send."""
    from ..runs.directory import load
    from ..show import report

    result = load(directory)
    output = output or directory / report.FILE
    try:
        print(f"wrote {report.write(result, output)}")
    except OSError as error:
        raise _unwritable(output, error, "--output") from None
    if result.problem is None and result.header.get("domain"):
        print(
            "Values are not drawn: the run's domain is not installed, or not the one it was made with.", file=sys.stderr
        )
    return 0
