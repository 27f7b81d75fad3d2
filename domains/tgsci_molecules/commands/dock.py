"""`tgsci molecules dock`: score molecules once, without a search."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from tgsci.errors import InvalidValue, MeasurementError, UsageError
from tgsci.feedback import Feedback
from tgsci.files import write_atomically
from tgsci.loss import Loss

from .shared import Commands, add_settings, positive, print_table, settings_of


def add_dock(commands: Commands[argparse.ArgumentParser]) -> None:
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
    parser.add_argument("--workers", type=positive, metavar="N", help="processes that dock (default one a core)")
    add_settings(parser)
    parser.set_defaults(run=run_dock)


def run_dock(arguments: argparse.Namespace) -> int:
    """Dock what the command line names and print it as a table.

    Raises:
        UsageError: Bad input; nothing was docked.
    """
    from ..objective import DockingLoss

    loss = DockingLoss(arguments.target, settings_of(arguments))
    molecules = _checked(arguments.smiles)
    if arguments.out:
        _make(arguments.out)
    measured = _measured(loss, molecules, arguments.workers)
    rows = [_row(smiles, *each) for smiles, each in zip(molecules, measured, strict=True)]
    reports = [f"{smiles}\n{feedback.text}\n" for smiles, (feedback, _) in zip(molecules, measured, strict=True)]
    poses = [str(feedback.artifacts.get("pose.sdf", "")) for feedback, _ in measured]
    print_table(["SMILES", "vina (kcal/mol)", "QED", "loss", "seconds"], rows)
    if arguments.report:
        print("\n" + "\n".join(reports), end="")
    failed = [r for r, pose in zip(reports, poses, strict=True) if not pose]
    for report in [] if arguments.report else failed:
        print(report, end="", file=sys.stderr)
    if arguments.out:
        write_atomically(arguments.out / "poses.sdf", "".join(poses))
        print(f"poses: {arguments.out / 'poses.sdf'}")
    return 1 if failed else 0


def _checked(texts: Sequence[str]) -> list[str]:
    from ..smiles import canonical

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
