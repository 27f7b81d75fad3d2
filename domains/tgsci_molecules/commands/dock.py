"""`tgsci molecules dock`: score molecules once, without a search."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tgsci.basics.checks import whole
from tgsci.basics.files import write_atomically
from tgsci.basics.texts import duration
from tgsci.cli.command import command, option
from tgsci.errors import InvalidValue, UsageError
from tgsci.feedback import Feedback
from tgsci.show.tables import csv_text, print_table

from .docking_options import docking_options, settings_of

if TYPE_CHECKING:
    from tgsci.compute.measure import Measured

    from ..molecule.library import Compound
    from ..objective import DockingLoss
    from ..target.targets import Target

#: What a canonical SMILES measured, and in how many seconds.
_Measurements = dict[str, tuple[Feedback, float]]
#: Between two lines about the progress where no terminal listens, s.
_NEWS = 60.0


@dataclass(frozen=True)
class _Column:
    title: str
    cell: Callable[[Compound], str]


@command(
    "dock", epilog="Exit code: 0 all docked, 1 some could not be, 2 bad input (nothing was docked), 130 interrupted."
)
@click.argument(
    "smiles", nargs=-1, required=True, metavar="SMILES|FILE...", help="molecules; quote SMILES for the shell"
)
@option("--target", required=True, metavar="NAME", help="see: tgsci molecules targets")
@option("--full", is_flag=True, help="dock again at the full setting (minutes each); both shown")
@option("--report", is_flag=True, help="also print each molecule's report")
@option("--out", type=Path, metavar="DIR", help="write poses.sdf, scores.csv and the receptor to DIR")
@option("--skip-faults", is_flag=True, help="leave out what is no molecule, instead of stopping")
@option("--workers", type=int, metavar="N", help="processes that dock (default one a core)")
@docking_options
def dock(
    smiles: tuple[str, ...],
    target: str,
    full: bool,
    report: bool,
    out: Path | None,
    skip_faults: bool,
    workers: int | None,
    docking: dict[str, Any],
) -> int:
    """Dock molecules into a target and show their scores.

    Molecules are SMILES, or files of them (.smi, .txt, .csv, .tsv, .sdf, also .gz). Salts are left out, with a note.
    All molecules are checked before the first is docked; what is docked is kept, so that an interrupted screen goes on
    with the same command.
    """
    from ..objective import DockingLoss
    from ..objective.finalists import in_full

    loss = DockingLoss(target, settings_of(docking))
    processes = os.cpu_count() or 1 if workers is None else whole("--workers", workers, above=0)
    molecules, faults = _molecules(smiles, skip_faults)
    if out:
        _make(out)
    fast: _Measurements = {}
    careful: _Measurements = {}
    interrupted = False
    try:
        _measure(loss, molecules, processes, fast, "docking")
        if full:
            docked = [m for m in molecules if fast[m.smiles][0].measured]
            _measure(in_full(loss), docked, processes, careful, "docking at the full setting")
    except KeyboardInterrupt:
        interrupted = True
    columns = _columns(molecules, fast, careful if full else None)
    rows = [[column.cell(m) for column in columns] for m in molecules]
    print_table([column.title for column in columns], rows, left=("SMILES",))
    best = {**fast, **careful}
    failed = [m for m in molecules if m.smiles in best and not best[m.smiles][0].measured]
    if report:
        print("\n" + "\n".join(f"{m.label}\n{best[m.smiles][0].text}\n" for m in molecules if m.smiles in best), end="")
    else:
        for m in {m.smiles: m for m in failed}.values():
            print(f"{f'{m.name}: ' if m.name else ''}{m.smiles}\n{best[m.smiles][0].text}", file=sys.stderr)
    for line in [*faults, *(remark for m in molecules for remark in m.remarks)]:
        print(line, file=sys.stderr)
    if out:
        _write(out, loss.target, molecules, best, columns)
    if interrupted:
        done = f"{len(fast)} of {len({m.smiles for m in molecules})} are docked and kept"
        print(f"Interrupted: {done}; the same command goes on.", file=sys.stderr)
        return 130
    return 1 if failed or faults else 0


def _molecules(texts: Sequence[str], skip: bool) -> tuple[list[Compound], list[str]]:
    """Read the molecules that SMILES and files name; give them with the faults that were left out."""
    from ..molecule.library import clean, is_library, listed, read

    molecules: list[Compound] = []
    faults: list[str] = []
    for text in texts:
        if is_library(text):
            library = read(text)
            molecules += library.molecules
            faults += [listed(Path(text).name, library.faults)] if library.faults else []
            continue
        try:
            molecules += clean(text).both
        except InvalidValue as error:
            faults.append(str(error))
    if faults and not (skip and molecules):
        hint = "" if skip else " --skip-faults docks the others."
        raise UsageError("\n".join([*faults, f"Nothing was docked.{hint if molecules else ''}"]))
    return molecules, faults


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write to {str(directory)!r}: {error.strerror}") from None


def _measure(loss: DockingLoss, molecules: Sequence[Compound], workers: int, results: _Measurements, text: str) -> None:
    """Measure molecules, and put the feedback and seconds of each into `results` as it comes.

    They are measured in worker processes: Vina may crash or hang.
    """
    from tgsci.compute.executors import Measurers
    from tgsci.compute.measure import measure

    from ..docking.vina import known

    todo = list(dict.fromkeys(molecule.smiles for molecule in molecules))
    if not todo:
        return
    before = sum(known(smiles, loss.target, loss.settings) for smiles in todo)
    if before:
        print(f"{before} of {len(todo)} were docked before and come from the cache", file=sys.stderr)
    with Measurers(min(workers, len(todo)), loss.timeout) as executor:
        for done in _with_progress(measure(loss, todo, executor), len(todo), text):
            results[todo[done.index]] = (done.feedback, done.seconds or math.nan)  # a process that died took no time


def _with_progress(measurements: Iterable[Measured], total: int, text: str) -> Iterator[Measured]:
    """Pass measurements on and show how many came: by a bar on a terminal, by a line now and then elsewhere."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    if console.is_terminal:
        yield from track(measurements, text, total=total, console=console, transient=True)
        return
    started = told = time.monotonic()
    for done, measured in enumerate(measurements, 1):
        yield measured
        now = time.monotonic()
        if now - told > _NEWS and done < total:
            left = (now - started) / done * (total - done)
            print(f"{text}: {done} of {total}, about {duration(left)} left", file=sys.stderr, flush=True)
            told = now


def _columns(molecules: Sequence[Compound], fast: _Measurements, full: _Measurements | None) -> list[_Column]:
    """List the columns of the table: names where there are any, both scores where both were asked for."""
    columns = [_Column("name", lambda m: m.name)] if any(m.name for m in molecules) else []
    columns += [
        _Column("SMILES", lambda m: m.smiles),
        _Column("vina (kcal/mol)", partial(_figure, fast, "vina", failed="failed", waiting="not docked")),
    ]
    final = fast
    if full is not None:
        columns.append(_Column("vina, full (kcal/mol)", partial(_figure, full, "vina", failed="failed")))
        final = {**fast, **full}
    return [
        *columns,
        _Column("QED", partial(_figure, final, "QED")),
        _Column("loss", partial(_figure, final, "")),
        _Column("seconds", partial(_seconds, final)),
    ]


def _figure(measured: _Measurements, name: str, molecule: Compound, failed: str = "", waiting: str = "") -> str:
    """Write one metric of a molecule, or its loss where the name is empty."""
    if molecule.smiles not in measured:
        return waiting
    feedback = measured[molecule.smiles][0]
    if not feedback.measured:
        return failed
    return f"{feedback.metrics[name] if name else feedback.loss or 0.0:.2f}"


def _seconds(measured: _Measurements, molecule: Compound) -> str:
    seconds = measured.get(molecule.smiles, (None, math.nan))[1]
    return "" if math.isnan(seconds) else f"{seconds:.1f}"


def _write(
    directory: Path, target: Target, molecules: Sequence[Compound], best: _Measurements, columns: Sequence[_Column]
) -> None:
    """Write `poses.sdf` with each molecule once, `scores.csv` with every row, and the receptor."""
    from ..molecule.library import tags_of
    from ..preparation.repair import receptor_pdb
    from ..views.poses import records, with_tags

    isomers = {
        m.smiles: next((record.tags.get("isomer", "") for _, record in records(best[m.smiles][0])), "")
        for m in molecules
        if m.smiles in best
    }
    if any(isomers.values()):  # where stereo is left open: the stereoisomer that the figures belong to
        columns = [*columns, _Column("isomer", lambda m: isomers.get(m.smiles, ""))]
    tags = tags_of(molecules)
    names = {m.smiles: m.name for m in reversed(molecules)}
    poses = {
        m.smiles: with_tags(
            str(best[m.smiles][0].artifacts.get("pose.sdf", "")),
            {"name": names[m.smiles], **tags.get(m.smiles, {})},
        )
        for m in molecules
        if m.smiles in best
    }
    titles = list(dict.fromkeys(name for m in molecules for name, _ in m.tags))
    taken = [*(column.title for column in columns), "error", "notes", "where it stood"]
    rows = [[*taken, *(f"{title} (in the file)" if title in taken else title for title in titles)]]
    for m in molecules:
        error = best[m.smiles][0].error if m.smiles in best else "not docked"
        given = dict(m.tags)
        cells = [*(column.cell(m) for column in columns), error or "", "; ".join(m.notes), m.source]
        rows.append([*cells, *(given.get(title, "") for title in titles)])
    files = {
        "poses.sdf": "".join(poses.values()),
        "scores.csv": csv_text(rows),
        f"{target.name}.pdb": receptor_pdb(target),
    }
    for name, content in files.items():
        write_atomically(directory / name, content)
    print(f"poses, scores and receptor: {', '.join(str(directory / name) for name in files)}")
