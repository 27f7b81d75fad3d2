"""`tgsci molecules design`, `dock` and `targets`."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from tgsci.cli import add_run_options, run_problem
from tgsci.errors import InvalidValue, MeasurementError, UsageError
from tgsci.feedback import Feedback
from tgsci.files import write_atomically
from tgsci.loss import Loss

from .keys import KEYS, SETTINGS

if TYPE_CHECKING:
    from .docking import Settings

_Commands = argparse._SubParsersAction


def add_design(commands: _Commands[argparse.ArgumentParser]) -> None:
    """Add `design`: search for better molecules from a start."""
    parser = commands.add_parser(
        "design",
        help="search for molecules that dock better and look like drugs",
        description="Search for molecules with a lower loss: vina (kcal/mol) + 10 x (1 - QED). Every molecule is "
        "docked; the table, the poses and the record of the run are left in its directory.",
        epilog="Exit code: 0 done, 1 nothing could be measured, 2 bad input (nothing was started), 130 interrupted.",
    )
    parser.add_argument("--target", required=True, metavar="NAME", help="see: tgsci molecules targets")
    parser.add_argument("--start", required=True, nargs="+", metavar="SMILES", help="one molecule or several")
    parser.add_argument("--qed-weight", type=float, metavar="W", help="worth of one whole QED, kcal/mol (10)")
    add_settings(parser)
    add_run_options(parser)
    parser.set_defaults(run=run_design)


def run_design(arguments: argparse.Namespace) -> int:
    """Build the problem that the command line describes, and run it.

    Raises:
        UsageError: Bad input; nothing was started.
    """
    from . import domain

    given = {key: getattr(arguments, key) for key in KEYS}
    return run_problem(domain.problem({key: value for key, value in given.items() if value is not None}), arguments)


def add_dock(commands: _Commands[argparse.ArgumentParser]) -> None:
    """Add `dock`: score molecules once, without a search."""
    parser = commands.add_parser(
        "dock",
        help="dock molecules into a target and show their scores",
        description="Dock molecules into a target. All of them are checked before the first is docked.",
        epilog="Exit code: 0 all docked, 1 some could not be docked, 2 bad input (nothing was docked).",
    )
    parser.add_argument("smiles", nargs="+", metavar="SMILES", help="molecules; quote them for the shell")
    parser.add_argument("--target", required=True, metavar="NAME", help="see: tgsci molecules targets")
    parser.add_argument("--report", action="store_true", help="also print each molecule's report")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the poses to DIR/poses.sdf")
    parser.add_argument("--workers", type=_positive, metavar="N", help="processes that dock (default one a core)")
    add_settings(parser)
    parser.set_defaults(run=run_dock)


def add_targets(commands: _Commands[argparse.ArgumentParser]) -> None:
    """Add `targets`: what there is to dock into."""
    parser = commands.add_parser("targets", help="list the targets that can be docked into")
    parser.add_argument("--match", default="", metavar="TEXT", help="only names that contain TEXT")
    parser.set_defaults(run=run_targets)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options of `Settings`; one that is not given keeps the default of `Settings`."""
    group = parser.add_argument_group("docking", "the default is fast: 1 to 4 CPU seconds a drug")
    group.add_argument("--exhaustiveness", type=int, metavar="N", help="restarts of the search (8)")
    group.add_argument("--max-evals", type=int, metavar="N", help="energy evaluations of each (20000); 0: no cap")
    group.add_argument("--box", type=float, metavar="A", help="smallest edge of the box, Angstrom (22)")
    group.add_argument("--conformers", type=int, metavar="N", help="starting conformers, each docked (2)")
    group.add_argument("--docking-seed", type=int, metavar="N", help="of conformers and search (1)")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that the options of `add_settings` ask for.

    Raises:
        UsageError: One is out of its range.
    """
    from .docking import Settings

    given = {field: getattr(arguments, key) for key, field in SETTINGS.items()}
    return Settings(**{field: value for field, value in given.items() if value is not None})


def run_dock(arguments: argparse.Namespace) -> int:
    """Dock what the command line names and print it as a table.

    Raises:
        UsageError: Bad input; nothing was docked.
    """
    from .objective import DockingLoss

    loss = DockingLoss(arguments.target, settings_of(arguments))
    molecules = _checked(arguments.smiles)
    if arguments.out:
        _make(arguments.out)
    measured = _measured(loss, molecules, arguments.workers)
    rows = [_row(smiles, *each) for smiles, each in zip(molecules, measured, strict=True)]
    reports = [f"{smiles}\n{feedback.text}\n" for smiles, (feedback, _) in zip(molecules, measured, strict=True)]
    poses = [str(feedback.artifacts.get("pose.sdf", "")) for feedback, _ in measured]
    _print_table(["SMILES", "vina (kcal/mol)", "QED", "loss", "seconds"], rows)
    if arguments.report:
        print("\n" + "\n".join(reports), end="")
    failed = [r for r, pose in zip(reports, poses, strict=True) if not pose]
    for report in [] if arguments.report else failed:
        print(report, end="", file=sys.stderr)
    if arguments.out:
        write_atomically(arguments.out / "poses.sdf", "".join(poses))
        print(f"poses: {arguments.out / 'poses.sdf'}")
    return 1 if failed else 0


def run_targets(arguments: argparse.Namespace) -> int:
    """Print the names of the targets, in columns on a terminal and one a line elsewhere."""
    from .targets import target_names

    names = [name for name in target_names() if arguments.match.upper() in name]
    if not names:
        raise UsageError(f"no target contains {arguments.match!r}; there are {len(target_names())} without --match")
    if sys.stdout.isatty():
        from rich.columns import Columns
        from rich.console import Console

        Console().print(Columns(names, padding=(0, 2)))
    else:
        print("\n".join(names))
    return 0


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text!r}")
    return int(text)


def _checked(texts: Sequence[str]) -> list[str]:
    from .smiles import canonical

    found: dict[str, None] = {}
    faults = []
    for text in texts:
        try:
            found[canonical(text)] = None
        except InvalidValue as error:
            faults.append(str(error))
    if faults:
        raise UsageError("\n".join([*faults, "Nothing was docked."]))
    return list(found)


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write to {str(directory)!r}: {error.strerror}") from None


def _measured(loss: Loss, molecules: Sequence[str], workers: int | None) -> list[tuple[Feedback, float]]:
    """Each molecule's feedback and seconds, measured in worker processes: Vina may crash or hang."""
    from tgsci.workers import WorkerPool

    with WorkerPool(min(workers or os.cpu_count() or 1, len(molecules)), loss.timeout) as pool:
        futures = [pool.submit(_timed, loss, smiles) for smiles in molecules]
        try:
            return [_outcome(future) for future in _shown(futures)]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _shown(futures: Sequence[Future[tuple[Feedback, float]]]) -> Iterator[Future[tuple[Feedback, float]]]:
    """The futures in their order, with a bar and the time left on a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(futures, "docking", console=console, transient=True, disable=not console.is_terminal)


def _timed(loss: Loss, smiles: str) -> tuple[Feedback, float]:
    started = time.perf_counter()
    return loss.measure(smiles), time.perf_counter() - started


def _outcome(future: Future[tuple[Feedback, float]]) -> tuple[Feedback, float]:
    try:
        return future.result()
    except MeasurementError as error:
        return Feedback.failed(str(error)), math.nan


def _row(smiles: str, feedback: Feedback, seconds: float) -> list[str]:
    if not feedback.measured:
        return [smiles, "failed", "", "", "" if math.isnan(seconds) else f"{seconds:.1f}"]
    figures = feedback.metrics
    return [smiles, f"{figures['vina']:.2f}", f"{figures['QED']:.2f}", f"{feedback.loss:.2f}", f"{seconds:.1f}"]


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal, tab-separated elsewhere, so that a script can read it."""
    if not sys.stdout.isatty():
        print("\n".join("\t".join(row) for row in [header, *rows]))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in header:
        table.add_column(name, justify="left" if name == "SMILES" else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: [C@H] is no markup
    Console().print(table)
