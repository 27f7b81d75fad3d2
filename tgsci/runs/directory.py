"""Directories of runs: made, found, and read."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..basics.files import as_path
from ..errors import LedgerError, UsageError
from ..search.database import DATABASE
from ..search.ledger import Ledger
from .domain import Domains, Problem
from .result import Result


def new_directory(problem: Problem, root: str | Path = "runs") -> Path:
    """Make a fresh directory for a run, named after the problem and the time.

    Runs that are started in the same second, a cluster's array job for instance, each get their own.

    Raises:
        LedgerError: It cannot be made.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", problem.name or problem.domain or "run").strip("-.")[:60]
    stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while True:
        path = Path(root) / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1
        except OSError as error:
            raise LedgerError(f"cannot write a run into {str(path)!r}: {error.strerror or error}") from None


def find_runs(root: str | Path = "runs") -> list[Path]:
    """Find the runs below a directory, oldest first.

    Raises:
        LedgerError: There is no such directory.
    """
    if not Path(root).is_dir():
        raise LedgerError(f"there is no directory {str(root)!r}")
    found = [path.parent for path in Path(root).rglob(DATABASE)]
    return sorted(found, key=lambda path: (path / DATABASE).stat().st_mtime)


def load(run: str | Path) -> Result:
    """Look at a run in a directory, finished or not; values are drawn if its domain is installed.

    Raises:
        LedgerError: There is no run, or it is of an unknown format.
    """
    result = Result.load(run)
    domain = str(result.header.get("domain", ""))
    domains = Domains.installed()
    if domain in domains.entries:
        try:
            result.problem = domains.load(domain).problem(result.header["config"])
        except (UsageError, ImportError):
            result.problem = None  # still a table and a plot, without pictures
    return result


def read_header(run: str | Path) -> dict[str, Any]:
    """Read the facts that a run was begun with.

    Raises:
        LedgerError: There is no run, or it is of an unknown format.
    """
    with Ledger.open(as_path(run, "run")) as ledger:
        return ledger.header


def problem_of(run: Path, header: Mapping[str, Any]) -> Problem:
    """Build the problem that a run is about, started from where the run was started.

    Raises:
        UsageError: It was not started from a domain, or that domain is not installed.
    """
    if not header.get("domain"):
        raise UsageError(
            f"{str(run)!r} was started from Python with minimize(); call minimize(..., run={str(run)!r}) again"
        )
    problem = Domains.installed().load(header["domain"]).problem(header["config"])
    start = header.get("start")
    return replace(problem, start=list(start)) if start else problem


def branched(origin: Path, number: int) -> tuple[Problem, dict[str, Any]]:
    """Build the problem of a run, started from one of its trials.

    Returns:
        The problem, and the facts that the new run keeps of where it came from.

    Raises:
        LedgerError: There is no such run.
        UsageError: There is no such trial, it holds no value, or the run was not started from a domain.
    """
    result = Result.load(origin)
    trial = result.trial(number)
    if not trial.value:
        raise UsageError(f"trial {number} holds no value to start from: {trial.decision}")
    problem = replace(problem_of(origin, result.header), start=[trial.value])
    kept = {
        "run": str(origin),
        "trial": trial.number,
        "value": trial.value,
        "loss": trial.loss if trial.measured else None,
    }
    return problem, {"branched_from": kept}
